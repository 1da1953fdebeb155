#include "test_flow_fixture.h"

#include "flow/account_standing.h"

enum { ASKED_MAX = 40000 };

// A database that notes whom it is asked about, and answers when the test says so.
static struct {
    bool refuses;
    char names[ASKED_MAX][8];
    struct lsig_account_call calls[ASKED_MAX];
    size_t asked;
    size_t answered;
} database;

static enum lsig_status find(void *self, struct lsig_span name, struct lsig_account_call call)
{
    (void)self;
    if (database.refuses) {
        return LSIG_BUSY;
    }
    assert_true(database.asked < ASKED_MAX && name.len < 8);
    memcpy(database.names[database.asked], name.data, name.len);
    database.names[database.asked][name.len] = '\0';
    database.calls[database.asked++] = call;
    return LSIG_OK;
}

static void answer(enum lsig_status status, const struct lsig_account *account)
{
    assert_true(database.answered < database.asked);
    struct lsig_account_call call = database.calls[database.answered++];
    call.on_done(call.arg, status, account);
}

static int set_up(void **state)
{
    int result = fixture_setup(state);
    struct fixture *f = *state;
    memset(&database, 0, sizeof(database));
    struct lsig_account_store store = {.find = find};
    f->flow.standings = lsig_standings_new(&f->flow, store);
    return result;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    struct lsig_standings *standings = f->flow.standings;
    lsig_standings_close(standings);
    while (database.answered < database.asked) {
        answer(LSIG_NOT_FOUND, NULL);
    }
    int result = fixture_teardown(state);
    lsig_standings_free(standings);
    return result;
}

static struct lsig_claims claims_of(const char *user, int64_t version, const char *jti)
{
    struct lsig_claims claims = {.token_version = version, .iat = 1};
    snprintf(claims.sub, sizeof(claims.sub), "%s", user);
    snprintf(claims.jti, sizeof(claims.jti), "%s", jti);
    return claims;
}

static enum lsig_status check(struct fixture *f, const char *user, int64_t version, const char *jti)
{
    struct lsig_refusal refusal;
    struct lsig_claims claims = claims_of(user, version, jti);
    return lsig_standing_check(&f->flow, &claims, &refusal);
}

// A client of this token, in its room.
static struct peer *join(struct fixture *f, const char *user, int64_t version, const char *jti)
{
    struct lsig_claims claims = claims_of(user, version, jti);
    assert_int_equal(check(f, user, version, jti), LSIG_OK);
    struct peer *peer = fixture_join(f, user, LSIG_V1);
    peer->client.token_key = lsig_token_key(&claims);
    peer->client.token_iat = claims.iat;
    return peer;
}

static struct lsig_account account_of(const char *user, int64_t version)
{
    struct lsig_account account = {.is_active = true, .token_version = version};
    snprintf(account.username, sizeof(account.username), "%s", user);
    return account;
}

static void a_token_that_says_no_version_is_not_asked_about(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(check(f, "ann", -1, "a"), LSIG_OK);
    assert_int_equal(database.asked, 0);
    f->settings.auth_require_account = true;
    assert_int_equal(check(f, "ann", -1, "a"), LSIG_OK);
    assert_int_equal(database.asked, 1);
}

static void a_good_answer_changes_nothing_and_holds_for_ten_seconds(void **state)
{
    struct fixture *f = *state;
    struct lsig_account ann = account_of("ann", 3);
    struct peer *peer = join(f, "ann", 3, "a");
    answer(LSIG_OK, &ann);
    assert_int_equal(peer->close_code, 0);
    fixture_pass(f, 9999);
    assert_int_equal(check(f, "ann", 3, "b"), LSIG_OK);
    assert_int_equal(check(f, "ann", 2, "c"), LSIG_TOKEN_INVALID);
    assert_int_equal(check(f, "ann", -1, "d"), LSIG_OK);
    assert_int_equal(database.asked, 1);
    fixture_pass(f, 1);
    assert_int_equal(check(f, "ann", 3, "e"), LSIG_OK);
    assert_int_equal(database.asked, 2);
}

static void another_version_ends_the_clients_of_that_token_and_no_others(void **state)
{
    struct fixture *f = *state;
    struct lsig_account ann = account_of("ann", 3);
    struct peer *old = join(f, "ann", 2, "a");
    struct peer *new = join(f, "ann", 3, "b");
    struct peer *bob = join(f, "bob", 0, "c");
    assert_int_equal(database.asked, 2); // once for each user
    fixture_forget_all(f);
    answer(LSIG_OK, &ann);
    assert_heard(old, "error(TOKEN_INVALID)");
    assert_int_equal(old->close_code, 4401);
    assert_int_equal(new->close_code, 0);
    assert_int_equal(bob->close_code, 0);
    answer(LSIG_NOT_FOUND, NULL); // no account of that name: nothing to compare with
    assert_int_equal(bob->close_code, 0);
}

static void an_account_that_is_not_active_refuses(void **state)
{
    struct fixture *f = *state;
    struct lsig_account ann = account_of("ann", 0);
    ann.is_active = false;
    struct peer *peer = join(f, "ann", 0, "a");
    answer(LSIG_OK, &ann);
    assert_int_equal(peer->close_code, 4401);
    assert_int_equal(check(f, "ann", 0, "a"), LSIG_TOKEN_INVALID);
}

static void an_account_found_by_email_is_another_name(void **state)
{
    struct fixture *f = *state;
    struct lsig_account ann = account_of("ann", 9);
    struct peer *peer = join(f, "a@b.cd", 0, "a");
    answer(LSIG_OK, &ann);
    assert_int_equal(peer->close_code, 0);
}

static void a_name_without_an_account_is_refused_where_one_is_required(void **state)
{
    struct fixture *f = *state;
    f->settings.auth_require_account = true;
    struct peer *peer = join(f, "ann", -1, "a");
    answer(LSIG_NOT_FOUND, NULL);
    assert_int_equal(peer->close_code, 4401);
}

static void
when_the_database_fails_signatures_are_enough_unless_an_account_is_required(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = join(f, "ann", 0, "a");
    answer(LSIG_INTERNAL_ERROR, NULL);
    assert_int_equal(ann->close_code, 0);
    f->settings.auth_require_account = true;
    struct peer *bob = join(f, "bob", 0, "b");
    answer(LSIG_INTERNAL_ERROR, NULL);
    assert_int_equal(bob->close_code, 4401);
    assert_int_equal(check(f, "bob", 0, "b"), LSIG_OK); // it is asked again
    assert_int_equal(database.asked, 3);
}

static void a_client_that_is_not_in_a_room_yet_is_known_as_refused(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('join', function() sig.sleep(0.05) end)");
    struct lsig_account ann = account_of("ann", 3);
    struct peer *peer = join(f, "ann", 2, "a");
    assert_int_equal(peer->client.state, LSIG_CLIENT_JOINING);
    answer(LSIG_OK, &ann);
    assert_true(lsig_standing_refuses_client(&peer->client));
    assert_true(lsig_door_is_refused(&peer->client));
    peer->client.token_iat += 1;
    assert_false(lsig_door_is_refused(&peer->client));
    fixture_settle(f);
}

static void what_the_store_has_no_room_for_waits_for_the_next_tick(void **state)
{
    struct fixture *f = *state;
    struct lsig_account ann = account_of("ann", 1);
    database.refuses = true;
    struct peer *peer = join(f, "ann", 0, "a");
    fixture_tick(f, 1000);
    assert_int_equal(database.asked, 0);
    database.refuses = false;
    fixture_tick(f, 1000);
    assert_int_equal(database.asked, 1);
    answer(LSIG_OK, &ann);
    assert_int_equal(peer->close_code, 4401);
}

static void reads_under_way_users_and_tokens_are_bounded(void **state)
{
    struct fixture *f = *state;
    char name[8];
    for (int i = 0; i < LSIG_STANDINGS_MAX; i++) {
        snprintf(name, sizeof(name), "u%d", i);
        assert_int_equal(check(f, name, 0, "a"), LSIG_OK);
    }
    assert_int_equal(database.asked, LSIG_STANDING_ASKED_MAX);
    assert_int_equal(check(f, "ann", 0, "a"), LSIG_TOKEN_INVALID);
    for (int i = 1; i < LSIG_STANDING_TOKENS_MAX; i++) {
        snprintf(name, sizeof(name), "t%d", i);
        assert_int_equal(check(f, "u5", 0, name), LSIG_OK);
        assert_int_equal(check(f, "u5", 0, name), LSIG_OK); // the same one again takes no place
    }
    assert_int_equal(check(f, "u5", 0, "one more"), LSIG_TOKEN_INVALID);
    while (database.answered < database.asked) {
        answer(LSIG_NOT_FOUND, NULL);
    }
    assert_int_equal(database.asked, LSIG_STANDINGS_MAX); // each of them was asked about in the end
    assert_string_equal(database.names[LSIG_STANDINGS_MAX - 1], "u16383");
    assert_int_equal(check(f, "ann", 0, "a"), LSIG_OK); // takes the place of the oldest
    assert_int_equal(check(f, "u0", 0, "a"), LSIG_OK);
    assert_int_equal(database.asked, LSIG_STANDINGS_MAX + 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_token_that_says_no_version_is_not_asked_about),
        TEST(a_good_answer_changes_nothing_and_holds_for_ten_seconds),
        TEST(another_version_ends_the_clients_of_that_token_and_no_others),
        TEST(an_account_that_is_not_active_refuses),
        TEST(an_account_found_by_email_is_another_name),
        TEST(a_name_without_an_account_is_refused_where_one_is_required),
        TEST(when_the_database_fails_signatures_are_enough_unless_an_account_is_required),
        TEST(a_client_that_is_not_in_a_room_yet_is_known_as_refused),
        TEST(what_the_store_has_no_room_for_waits_for_the_next_tick),
        TEST(reads_under_way_users_and_tokens_are_bounded),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
