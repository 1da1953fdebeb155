#include "account_fixture.h"

static void a_login_by_name_or_email_gives_both_tokens(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, ANN), 200);
    const char *bodies[] = {
        "{\"username\":\"ANN\",\"password\":\"" PASSWORD "\"}",
        "{\"username\":\"Ann@example.org\",\"password\":\"" PASSWORD "\"}",
        "{\"email\":\"ann@EXAMPLE.org\",\"password\":\"" PASSWORD "\"}",
        "{\"username\":null,\"email\":\"ann@example.org\",\"password\":\"" PASSWORD "\",\"x\":[1]}",
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        assert_int_equal(ask(fixture, LSIG_ACCOUNT_LOGIN, bodies[i]), 200);
        keys_are(fixture,
                 "access_token refresh_token token_type expires_in refresh_expires_in issued_at "
                 "expires_at is_verified role username email");
        assert_string_equal(member(fixture, "username"), "ann");
        assert_string_equal(member(fixture, "email"), "ann@example.org");
        assert_string_equal(member(fixture, "role"), "user");
        assert_string_equal(member(fixture, "expires_in"), "1800");
        assert_string_equal(member(fixture, "refresh_expires_in"), "604800");
        assert_int_equal(strlen(member(fixture, "refresh_token")), 43);
        struct lsig_claims claims = claims_of(fixture);
        assert_string_equal(claims.sub, "ann");
        lsig_claims_clear(&claims);
    }
}

static void a_login_may_come_as_a_form(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, ANN), 200);
    assert_int_equal(
        ask_from(fixture, LSIG_ACCOUNT_LOGIN, "application/x-www-form-urlencoded; charset=utf-8",
                 "grant_type=password&username=ann%40example.org&password=SecurePass123%21", "::1"),
        200);
    assert_int_equal(ask_from(fixture, LSIG_ACCOUNT_LOGIN, "application/x-www-form-urlencoded",
                              "username=ann&password=a%00b", "::1"),
                     422);
    assert_null(strstr(fixture->body, "a\\u0000b"));
}

static void wrong_passwords_and_unknown_names_get_the_same_answer(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, ANN), 200);
    const char *names[] = {
        "ann", "nobody", "ann@example.org", "nobody@example.org", "\\u00e9\\\"'; --", ""};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(log_in(fixture, names[i], "WrongPass123!"), 401);
        body_is(fixture, "{\"detail\":\"Invalid credentials\"}");
    }
    assert_int_equal(log_in(fixture, "ann", ""), 401);
}

static void the_fifth_failure_locks_name_and_address_together(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, ANN), 200);
    for (int i = 0; i < 5; i++) {
        // By name and by e-mail in turns: one account, one lock.
        assert_int_equal(log_in(fixture, i % 2 == 0 ? "ann" : "ann@example.org", "WrongPass123!"),
                         401);
    }
    assert_int_equal(log_in(fixture, "ann", PASSWORD), 403);
    assert_in_range(fixture->retry_after_s, 890, 900);
    assert_int_equal(log_in(fixture, "ann@example.org", PASSWORD), 403);
    assert_int_equal(ask_from(fixture, LSIG_ACCOUNT_LOGIN, "",
                              "{\"username\":\"ann\",\"password\":\"" PASSWORD "\"}", "192.0.2.2"),
                     200);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(log_in(fixture, "nobody", "WrongPass123!"), 401);
    }
    assert_int_equal(log_in(fixture, "nobody", "WrongPass123!"), 403);
}

static void guesses_side_by_side_learn_nothing_beyond_the_fifth(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, ANN), 200);
    fixture->answers = 0;
    for (int i = 0; i < 30; i++) {
        char body[128];
        snprintf(body, sizeof(body), "{\"username\":\"ann\",\"password\":\"%s\"}",
                 i == 29 ? PASSWORD : "WrongPass123!");
        assert_non_null(open_from(fixture, LSIG_ACCOUNT_LOGIN, "", body, "a"));
    }
    while (fixture->answers < 30) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_int_equal(fixture->by_status[401], 5);
    assert_int_equal(fixture->by_status[403], 25);
}

static void a_login_starts_the_count_anew(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, ANN), 200);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++) {
            assert_int_equal(log_in(fixture, "ann", "WrongPass123!"), 401);
        }
        assert_int_equal(log_in(fixture, "ann", PASSWORD), 200);
    }
}

static void
existing_users_log_in_and_the_state_of_an_account_shows_with_its_password_only(void **state)
{
    struct fixture *fixture = *state;
    struct lsig_account account = {.username = "old",
                                   .email = "old@b.cd",
                                   .is_active = true,
                                   .role = "admin",
                                   .token_version = 4};
    import(fixture, account);
    assert_int_equal(log_in(fixture, "old", "U*U"), 200);
    assert_string_equal(member(fixture, "role"), "admin");
    struct lsig_claims claims = claims_of(fixture);
    assert_int_equal(claims.token_version, 4);
    lsig_claims_clear(&claims);
    struct lsig_account idle = {.username = "idle", .email = "idle@b.cd", .role = "user"};
    import(fixture, idle);
    assert_int_equal(log_in(fixture, "idle", "U*V"), 401);
    assert_int_equal(log_in(fixture, "idle", "U*U"), 403);
    body_is(fixture, "{\"detail\":\"Account is not active\"}");
    struct lsig_account held = {.username = "held",
                                .email = "held@b.cd",
                                .role = "user",
                                .is_active = true,
                                .locked_until = time(NULL) + 100};
    import(fixture, held);
    assert_int_equal(log_in(fixture, "held", "U*V"), 401);
    assert_int_equal(log_in(fixture, "held", "U*U"), 403);
    assert_in_range(fixture->retry_after_s, 90, 100);
}

static void unverified_accounts_are_refused_when_the_operator_wants_so(void **state)
{
    struct fixture *fixture = *state;
    fixture->settings.auth_require_verified = true;
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, ANN), 200);
    body_has(
        fixture,
        "{\"access_token\":null,\"token_type\":\"bearer\",\"issued_at\":null,\"expires_at\":null,");
    assert_int_equal(log_in(fixture, "ann", PASSWORD), 403);
    body_is(fixture, "{\"detail\":\"Account is not verified\"}");
    assert_int_equal(log_in(fixture, "ann", "WrongPass123!"), 401);
}

static void a_client_that_hangs_up_still_has_its_failures_counted(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, ANN), 200);
    int abandoned = 0;
    for (int i = 0; i < 5; i++) {
        int before = fixture->answers;
        struct lsig_account_request *request =
            open_from(fixture, LSIG_ACCOUNT_LOGIN, "", WRONG, "192.0.2.1");
        while (fixture->metrics.passwords_waiting == 0 && fixture->answers == before) {
            uv_run(&fixture->loop, UV_RUN_ONCE);
        }
        if (fixture->answers == before) { // else the hash was ready in the same turn of the loop
            lsig_account_abandon(request);
            abandoned++;
        }
        while (fixture->metrics.passwords_waiting > 0) {
            uv_run(&fixture->loop, UV_RUN_ONCE);
        }
    }
    assert_true(abandoned > 0);
    assert_int_equal(fixture->answers, 6 - abandoned);
    assert_int_equal(log_in(fixture, "ann", PASSWORD), 403);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_login_by_name_or_email_gives_both_tokens),
        TEST(a_login_may_come_as_a_form),
        TEST(wrong_passwords_and_unknown_names_get_the_same_answer),
        TEST(the_fifth_failure_locks_name_and_address_together),
        TEST(guesses_side_by_side_learn_nothing_beyond_the_fifth),
        TEST(a_login_starts_the_count_anew),
        TEST(existing_users_log_in_and_the_state_of_an_account_shows_with_its_password_only),
        TEST(unverified_accounts_are_refused_when_the_operator_wants_so),
        TEST(a_client_that_hangs_up_still_has_its_failures_counted),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
