#include "account_fixture.h"

struct pair {
    char access[4096];
    char refresh[64];
};

static struct pair pair_of(struct fixture *fixture)
{
    struct pair pair;
    assert_int_equal(fixture->status, 200);
    snprintf(pair.access, sizeof(pair.access), "%s", member(fixture, "access_token"));
    snprintf(pair.refresh, sizeof(pair.refresh), "%s", member(fixture, "refresh_token"));
    return pair;
}

static struct pair ann_logs_in(struct fixture *fixture)
{
    if (query(fixture, "SELECT count(*) FROM accounts") == 0) {
        assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, ANN), 200);
    }
    assert_int_equal(log_in(fixture, "ann", PASSWORD), 200);
    return pair_of(fixture);
}

static struct pair refreshed(struct fixture *fixture, const struct pair *pair)
{
    assert_int_equal(refresh(fixture, pair->refresh), 200);
    return pair_of(fixture);
}

static bool is_valid(struct fixture *fixture, const char *token)
{
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_VALIDATE, token), 200);
    return strcmp(member(fixture, "token"), "valid") == 0;
}

static void a_refresh_answers_like_a_login_with_two_new_tokens(void **state)
{
    struct fixture *fixture = *state;
    struct pair first = ann_logs_in(fixture);
    struct pair second = refreshed(fixture, &first);
    keys_are(fixture,
             "access_token refresh_token token_type expires_in refresh_expires_in issued_at "
             "expires_at is_verified role username email");
    assert_string_equal(member(fixture, "username"), "ann");
    assert_string_equal(member(fixture, "expires_in"), "1800");
    assert_string_not_equal(first.access, second.access);
    assert_string_not_equal(first.refresh, second.refresh);
    assert_int_equal(strlen(second.refresh), 43);
    struct lsig_claims claims = claims_of(fixture);
    assert_string_equal(claims.sub, "ann");
    assert_int_equal(claims.token_version, 0);
    lsig_claims_clear(&claims);
    assert_true(is_valid(fixture, first.access)); // the old one holds until its end
    refreshed(fixture, &second);
}

static void only_digests_are_stored(void **state)
{
    struct fixture *fixture = *state;
    struct pair first = ann_logs_in(fixture);
    struct pair second = refreshed(fixture, &first);
    char sql[256];
    const char *secrets[] = {first.refresh, second.refresh};
    for (size_t i = 0; i < 2; i++) {
        snprintf(sql, sizeof(sql),
                 "SELECT count(*) FROM refresh_tokens WHERE instr(hash, '%s') OR family = '%s'",
                 secrets[i], secrets[i]);
        assert_int_equal(query(fixture, sql), 0);
    }
    assert_int_equal(query(fixture, "SELECT count(*) FROM refresh_tokens"), 2);
}

static void what_is_no_refresh_token_is_401(void **state)
{
    struct fixture *fixture = *state;
    struct pair ann = ann_logs_in(fixture);
    char changed[64];
    snprintf(changed, sizeof(changed), "%s", ann.refresh);
    changed[0] = changed[0] == 'A' ? 'B' : 'A';
    const char *bad[] = {"", "x", changed, "' OR 1=1 --"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(refresh(fixture, bad[i]), 401);
        body_is(fixture, "{\"detail\":\"Invalid refresh token\"}");
    }
    refreshed(fixture, &ann);
}

static void a_wrong_shape_is_422_and_does_not_show_the_token(void **state)
{
    struct fixture *fixture = *state;
    const char *bad[] = {"",
                         "[]",
                         "{}",
                         "{\"refresh_token\":7}",
                         "{\"refresh_token\":null}",
                         "{\"refresh_token\":\"a\",\"refresh_token\":\"b\"}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(ask(fixture, LSIG_ACCOUNT_REFRESH, bad[i]), 422);
    }
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REFRESH, "{\"refresh_token\":[\"secret-secret\"]}"),
                     422);
    assert_null(strstr(fixture->body, "secret-secret"));
    assert_int_equal(ask_from(fixture, LSIG_ACCOUNT_REFRESH, "application/x-www-form-urlencoded",
                              "refresh_token=x", "a"),
                     422);
}

static void reuse_ends_the_whole_family_and_its_access_tokens(void **state)
{
    struct fixture *fixture = *state;
    struct pair other = ann_logs_in(fixture); // another login of the same user
    struct pair first = ann_logs_in(fixture);
    struct pair second = refreshed(fixture, &first);
    struct pair third = refreshed(fixture, &second);
    assert_int_equal(refresh(fixture, first.refresh), 401);
    body_is(fixture, "{\"detail\":\"Invalid refresh token\"}");
    assert_int_equal(refresh(fixture, third.refresh), 401);
    assert_int_equal(refresh(fixture, second.refresh), 401);
    assert_false(is_valid(fixture, first.access));
    body_is(fixture, "{\"token\":\"invalid\",\"reason\":\"the token was revoked\"}");
    assert_false(is_valid(fixture, second.access));
    assert_false(is_valid(fixture, third.access));
    assert_true(is_valid(fixture, other.access));
    refreshed(fixture, &other);
    // It outlives a restart.
    restart(fixture);
    assert_false(is_valid(fixture, third.access));
    assert_true(is_valid(fixture, other.access));
}

static void of_two_refreshes_at_once_one_wins_and_the_other_is_reuse(void **state)
{
    struct fixture *fixture = *state;
    struct pair ann = ann_logs_in(fixture);
    char body[128];
    snprintf(body, sizeof(body), "{\"refresh_token\":\"%s\"}", ann.refresh);
    memset(fixture->by_status, 0, sizeof(fixture->by_status));
    fixture->answers = 0;
    for (int i = 0; i < 8; i++) {
        assert_non_null(open_from(fixture, LSIG_ACCOUNT_REFRESH, "", body, "a"));
    }
    while (fixture->answers < 8) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_int_equal(fixture->by_status[200], 1);
    assert_int_equal(fixture->by_status[401], 7);
    assert_int_equal(query(fixture, "SELECT count(*) FROM refresh_tokens"), 0);
}

static void the_state_of_the_account_counts(void **state)
{
    struct fixture *fixture = *state;
    static const char *const changes[] = {
        "UPDATE accounts SET is_active = 0",
        "UPDATE accounts SET is_active = 1",
        "UPDATE accounts SET locked_until = 9999999999",
        "UPDATE accounts SET locked_until = 0",
        "UPDATE accounts SET token_version = 1",
        "UPDATE accounts SET token_version = 0",
    };
    struct pair ann = ann_logs_in(fixture);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i += 2) {
        (void)query(fixture, changes[i]);
        assert_int_equal(refresh(fixture, ann.refresh), 401);
        body_is(fixture, "{\"detail\":\"Invalid refresh token\"}");
        (void)query(fixture, changes[i + 1]);
        ann = refreshed(fixture, &ann); // being refused used nothing up
    }
    fixture->settings.auth_require_verified = true;
    assert_int_equal(refresh(fixture, ann.refresh), 401);
    (void)query(fixture, "UPDATE accounts SET is_verified = 1");
    refreshed(fixture, &ann);
}

static void a_token_version_is_inherited_from_the_login(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, ANN), 200);
    (void)query(fixture, "UPDATE accounts SET token_version = 5");
    struct pair ann = ann_logs_in(fixture);
    ann = refreshed(fixture, &ann);
    ann = refreshed(fixture, &ann);
    (void)query(fixture, "UPDATE accounts SET token_version = 6");
    assert_int_equal(refresh(fixture, ann.refresh), 401);
}

static void one_that_has_expired_is_401_and_no_reuse(void **state)
{
    struct fixture *fixture = *state;
    struct pair ann = ann_logs_in(fixture);
    (void)query(fixture, "UPDATE refresh_tokens SET expires_at = 1");
    assert_int_equal(refresh(fixture, ann.refresh), 401);
    assert_true(is_valid(fixture, ann.access));
}

// How many requests a rate allows, at most, since that time: its burst, and what time has refilled.
static int allowed_since(int64_t started_ms, int burst, int count, int period_ms)
{
    return burst + 1 + (int)((lsig_clock_now().mono_ms - started_ms) * count / period_ms);
}

static void failures_of_an_address_are_bounded_and_successes_are_not_counted(void **state)
{
    struct fixture *fixture = *state;
    struct pair ann = ann_logs_in(fixture);
    for (int i = 0; i < 70; i++) {
        ann = refreshed(fixture, &ann);
    }
    int64_t started_ms = lsig_clock_now().mono_ms;
    int failures = 0;
    for (;;) {
        while (refresh(fixture, "x") == 401) {
            failures++;
            assert_true(failures <= allowed_since(started_ms, 60, 20, 60000));
        }
        if (refresh(fixture, ann.refresh) == 429) {
            break;
        }
        ann = pair_of(fixture); // on a slow machine the next one was due just now
    }
    assert_true(failures >= 60);
    assert_in_range(fixture->retry_after_s, 1, 3);
    char body[128];
    snprintf(body, sizeof(body), "{\"refresh_token\":\"%s\"}", ann.refresh);
    assert_int_equal(ask_from(fixture, LSIG_ACCOUNT_REFRESH, "", body, "192.0.2.2"), 200);
}

static void registering_and_guests_are_bounded_per_address(void **state)
{
    struct fixture *fixture = *state;
    int64_t started_ms = lsig_clock_now().mono_ms;
    int guests = 0;
    while (ask(fixture, LSIG_ACCOUNT_GUEST, "{\"name\":\"g\"}") == 200) {
        guests++;
        assert_true(guests <= allowed_since(started_ms, 300, 5, 1000));
    }
    assert_int_equal(fixture->status, 429);
    assert_true(guests >= 300);
    assert_int_equal(fixture->retry_after_s, 1);
    started_ms = lsig_clock_now().mono_ms;
    int accounts = 0;
    for (;;) {
        char body[128];
        snprintf(body, sizeof(body),
                 "{\"username\":\"user%d\",\"email\":\"u%d@b.cd\",\"password\":\"" PASSWORD "\"}",
                 accounts, accounts);
        if (ask(fixture, LSIG_ACCOUNT_REGISTER, body) != 200) {
            break;
        }
        accounts++;
        assert_true(accounts <= allowed_since(started_ms, 60, 20, 60000));
    }
    assert_int_equal(fixture->status, 429);
    assert_true(accounts >= 60);
    assert_in_range(fixture->retry_after_s, 1, 3);
    assert_int_equal(ask_from(fixture, LSIG_ACCOUNT_REGISTER, "", ANN, "192.0.2.9"), 200);
}

static void a_logout_ends_the_token_and_the_family_of_its_login(void **state)
{
    struct fixture *fixture = *state;
    struct pair other = ann_logs_in(fixture);
    struct pair first = ann_logs_in(fixture);
    struct pair second = refreshed(fixture, &first);
    assert_int_equal(log_out(fixture, second.access, ""), 200);
    body_is(fixture, "{\"success\":true}");
    assert_false(is_valid(fixture, second.access));
    assert_false(is_valid(fixture, first.access)); // of the same login
    assert_int_equal(refresh(fixture, second.refresh), 401);
    assert_int_equal(log_out(fixture, second.access, ""), 401);
    body_is(fixture, "{\"detail\":\"Could not validate credentials\"}");
    assert_true(is_valid(fixture, other.access));
    other = refreshed(fixture, &other);
    restart(fixture);
    assert_false(is_valid(fixture, second.access));
    assert_false(is_valid(fixture, first.access));
    assert_int_equal(log_out(fixture, second.access, ""), 401);
    assert_true(is_valid(fixture, other.access));
}

static void a_logout_with_an_older_access_token_of_the_login_ends_it_too(void **state)
{
    struct fixture *fixture = *state;
    struct pair first = ann_logs_in(fixture);
    struct pair second = refreshed(fixture, &first);
    assert_int_equal(log_out(fixture, first.access, "{}"), 200);
    assert_int_equal(refresh(fixture, second.refresh), 401);
    assert_false(is_valid(fixture, second.access));
}

static void a_logout_may_name_a_refresh_token_of_the_same_user(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, ANN), 200);
    char registered[4096];
    snprintf(registered, sizeof(registered), "%s", member(fixture, "access_token"));
    struct pair ann = ann_logs_in(fixture);
    char body[128];
    snprintf(body, sizeof(body), "{\"refresh_token\":\"%s\"}", ann.refresh);
    assert_int_equal(log_out(fixture, registered, body), 200);
    assert_int_equal(refresh(fixture, ann.refresh), 401);
    assert_false(is_valid(fixture, ann.access));
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER,
                         "{\"username\":\"bob\",\"email\":\"bob@b.cd\",\"password\":\"" PASSWORD
                         "\"}"),
                     200);
    assert_int_equal(log_in(fixture, "bob", PASSWORD), 200);
    struct pair bob = pair_of(fixture);
    ann = ann_logs_in(fixture);
    snprintf(body, sizeof(body), "{\"refresh_token\":\"%s\"}", bob.refresh);
    assert_int_equal(log_out(fixture, ann.access, body), 200);
    refreshed(fixture, &bob); // somebody else's is left alone
}

static void a_logout_of_a_wrong_shape_is_422_and_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct pair ann = ann_logs_in(fixture);
    const char *bad[] = {"[]", "{", "{\"refresh_token\":7}", "x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(log_out(fixture, ann.access, bad[i]), 422);
    }
    assert_true(is_valid(fixture, ann.access));
    assert_int_equal(log_out(fixture, ann.access, "{\"refresh_token\":null}"), 200);
}

static void a_logout_that_the_database_refuses_can_be_tried_again(void **state)
{
    struct fixture *fixture = *state;
    struct pair ann = ann_logs_in(fixture);
    assert_int_equal(query(fixture, "ALTER TABLE revocations RENAME TO hidden"), -1);
    assert_int_equal(log_out(fixture, ann.access, ""), 503);
    assert_int_equal(query(fixture, "ALTER TABLE hidden RENAME TO revocations"), -1);
    assert_true(is_valid(fixture, ann.access));
    assert_int_equal(log_out(fixture, ann.access, ""), 200);
    assert_false(is_valid(fixture, ann.access));
}

static const char *foreign_token(struct fixture *fixture, int64_t iat)
{
    static char text[1024];
    struct lsig_token_claims claims = {
        .sub = "eve", .iat = iat, .exp = time(NULL) + 100, .token_version = -1};
    char *token = NULL;
    assert_int_equal(lsig_token_make(fixture->keyring, &claims, &token), LSIG_OK);
    snprintf(text, sizeof(text), "%s", token);
    free(token);
    return text;
}

static void a_token_of_nobody_who_has_an_account_can_be_logged_out(void **state)
{
    struct fixture *fixture = *state;
    char token[1024];
    snprintf(token, sizeof(token), "%s", foreign_token(fixture, time(NULL) - 5));
    assert_int_equal(log_out(fixture, token, ""), 200);
    assert_false(is_valid(fixture, token));
    assert_true(is_valid(fixture, foreign_token(fixture, time(NULL) - 5)));
}

static void a_revoked_user_logs_in_again_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct pair before = ann_logs_in(fixture);
    lsig_flow_set_time(&fixture->flow, lsig_clock_now());
    assert_int_equal(lsig_revoke_user(&fixture->flow, lsig_span_of("ann"), NULL), LSIG_OK);
    assert_false(is_valid(fixture, before.access));
    assert_int_equal(refresh(fixture, before.refresh), 401);
    struct pair after = ann_logs_in(fixture);
    assert_true(is_valid(fixture, after.access));
    after = refreshed(fixture, &after);
    restart(fixture);
    assert_false(is_valid(fixture, before.access));
    assert_true(is_valid(fixture, after.access));
}

static void a_revoked_user_does_not_refresh_while_the_database_does_not_take_it(void **state)
{
    struct fixture *fixture = *state;
    struct pair ann = ann_logs_in(fixture);
    assert_int_equal(query(fixture, "ALTER TABLE revocations RENAME TO hidden"), -1);
    assert_int_equal(lsig_revoke_user(&fixture->flow, lsig_span_of("ann"), NULL), LSIG_OK);
    assert_int_equal(refresh(fixture, ann.refresh), 401);
    assert_int_equal(query(fixture, "SELECT count(*) FROM refresh_tokens"), 1);
    assert_int_equal(query(fixture, "ALTER TABLE hidden RENAME TO revocations"), -1);
    lsig_revoke_tick(&fixture->flow);
    assert_int_equal(refresh(fixture, ann.refresh), 401);
    assert_int_equal(query(fixture, "SELECT count(*) FROM refresh_tokens"), 0);
    assert_int_equal(query(fixture, "SELECT count(*) FROM revocations"), 1);
}

static void a_time_ends_the_logins_before_it(void **state)
{
    struct fixture *fixture = *state;
    struct pair old = ann_logs_in(fixture);
    struct pair late = refreshed(fixture, &old);
    struct pair other = ann_logs_in(fixture);
    // As if that login had been an hour ago, and refreshed now.
    (void)query(fixture,
                "UPDATE refresh_tokens SET created_at = created_at - 3600 WHERE used_at > 0");
    lsig_flow_set_time(&fixture->flow, lsig_clock_now());
    assert_int_equal(lsig_revoke_before(&fixture->flow, time(NULL) - 1800, NULL), LSIG_OK);
    assert_int_equal(refresh(fixture, late.refresh), 401);
    refreshed(fixture, &other);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_refresh_answers_like_a_login_with_two_new_tokens),
        TEST(only_digests_are_stored),
        TEST(what_is_no_refresh_token_is_401),
        TEST(a_wrong_shape_is_422_and_does_not_show_the_token),
        TEST(reuse_ends_the_whole_family_and_its_access_tokens),
        TEST(of_two_refreshes_at_once_one_wins_and_the_other_is_reuse),
        TEST(the_state_of_the_account_counts),
        TEST(a_token_version_is_inherited_from_the_login),
        TEST(one_that_has_expired_is_401_and_no_reuse),
        TEST(failures_of_an_address_are_bounded_and_successes_are_not_counted),
        TEST(registering_and_guests_are_bounded_per_address),
        TEST(a_logout_ends_the_token_and_the_family_of_its_login),
        TEST(a_logout_with_an_older_access_token_of_the_login_ends_it_too),
        TEST(a_logout_may_name_a_refresh_token_of_the_same_user),
        TEST(a_logout_of_a_wrong_shape_is_422_and_changes_nothing),
        TEST(a_logout_that_the_database_refuses_can_be_tried_again),
        TEST(a_token_of_nobody_who_has_an_account_can_be_logged_out),
        TEST(a_revoked_user_logs_in_again_at_once),
        TEST(a_revoked_user_does_not_refresh_while_the_database_does_not_take_it),
        TEST(a_time_ends_the_logins_before_it),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
