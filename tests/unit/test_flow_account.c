#include "account_fixture.h"

static void registering_gives_a_token_that_can_be_used_at_once(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, ANN), 200);
    keys_are(fixture, "access_token token_type issued_at expires_at is_verified two_fa_enabled "
                      "client_side_encryption");
    body_has(fixture, "\"token_type\":\"bearer\"");
    body_has(fixture,
             "\"is_verified\":false,\"two_fa_enabled\":false,\"client_side_encryption\":false");
    struct lsig_claims claims = claims_of(fixture);
    assert_string_equal(claims.sub, "ann");
    assert_string_equal(claims.username, "ann");
    assert_int_equal(claims.token_version, 0);
    assert_int_equal(claims.exp - claims.iat, 1800);
    assert_int_equal(claims.iat, atoll(member(fixture, "issued_at")));
    assert_int_equal(claims.exp, atoll(member(fixture, "expires_at")));
    lsig_claims_clear(&claims);
}

static void a_taken_name_or_email_is_400_whatever_its_case(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, ANN), 200);
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, ANN), 400);
    body_is(fixture, "{\"detail\":\"Username or email already registered\"}");
    assert_int_equal(
        ask(fixture, LSIG_ACCOUNT_REGISTER,
            "{\"username\":\"bob\",\"email\":\"ANN@example.ORG\",\"password\":\"" PASSWORD "\"}"),
        400);
    assert_int_equal(
        ask(fixture, LSIG_ACCOUNT_REGISTER,
            "{\"username\":\"ANN\",\"email\":\"b@example.org\",\"password\":\"" PASSWORD "\"}"),
        400);
}

static void weak_passwords_and_reserved_names_are_400(void **state)
{
    struct fixture *fixture = *state;
    const char *passwords[] = {"Short1!", "alllower123!", "NoDigits!!", "NoSymbol123"};
    for (size_t i = 0; i < 4; i++) {
        char body[256];
        snprintf(body, sizeof(body),
                 "{\"username\":\"ann\",\"email\":\"a@b.cd\",\"password\":\"%s\"}", passwords[i]);
        assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, body), 400);
        body_has(fixture, "{\"detail\":\"Password must have");
    }
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER,
                         "{\"username\":\"Guest_ann\",\"email\":\"a@b.cd\",\"password\":\"" PASSWORD
                         "\"}"),
                     400);
}

static void wrong_shapes_are_422_with_a_line_for_each_field_and_without_the_password(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER,
                         "{\"username\":\"a b c\",\"email\":\"nowhere\",\"password\":12345678}"),
                     422);
    body_is(fixture,
            "{\"detail\":[{\"type\":\"string_pattern_mismatch\",\"loc\":[\"body\",\"username\"],"
            "\"msg\":\"String should match pattern '^[A-Za-z0-9_-]{3,50}$'\",\"input\":\"a b c\"},"
            "{\"type\":\"value_error\",\"loc\":[\"body\",\"email\"],"
            "\"msg\":\"value is not a valid email address\",\"input\":\"nowhere\"},"
            "{\"type\":\"string_type\",\"loc\":[\"body\",\"password\"],"
            "\"msg\":\"Input should be a valid string\",\"input\":null}]}");
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, "{}"), 422);
    body_has(fixture, "{\"type\":\"missing\",\"loc\":[\"body\",\"password\"]");
    assert_int_equal(
        ask(fixture, LSIG_ACCOUNT_REGISTER, "{\"username\":\"ab\",\"email\":\"a@b.cd\"}"), 422);
    body_has(fixture, "string_too_short");
    const char *bad[] = {"", "nonsense", "[]", "null", "{\"username\":", "{\"a\":\"\\ud800\"}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, bad[i]), 422);
        assert_int_equal(ask(fixture, LSIG_ACCOUNT_LOGIN, bad[i]), 422);
        assert_int_equal(ask(fixture, LSIG_ACCOUNT_GUEST, bad[i]), 422);
    }
    assert_int_equal(ask_from(fixture, LSIG_ACCOUNT_REGISTER, "text/plain", ANN, "a"), 422);
    assert_int_equal(ask_from(fixture, LSIG_ACCOUNT_REGISTER, "application/x-www-form-urlencoded",
                              "username=ann", "a"),
                     422);
}

static void registration_can_be_closed(void **state)
{
    struct fixture *fixture = *state;
    fixture->settings.auth_registration = false;
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, ANN), 403);
}

static void a_guest_gets_an_hour_if_guests_are_on(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_GUEST, "{\"name\":\"Ann Lee\"}"), 200);
    keys_are(fixture, "access_token token_type expires_in expires_at issued_at username");
    assert_string_equal(member(fixture, "username"), "guest_Ann_Lee");
    assert_string_equal(member(fixture, "expires_in"), "3600");
    struct lsig_claims claims = claims_of(fixture);
    assert_string_equal(claims.sub, "guest_Ann_Lee");
    assert_int_equal(claims.exp - claims.iat, 3600);
    assert_int_equal(claims.token_version, -1);
    lsig_claims_clear(&claims);
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_GUEST, "{\"name\":\" \"}"), 422);
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_GUEST, "{\"name\":7}"), 422);
    struct lsig_account old = {
        .username = "guest_old", .email = "o@b.cd", .is_active = true, .role = "user"};
    import(fixture, old);
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_GUEST, "{\"name\":\"old\"}"), 400);
    fixture->settings.guests = false;
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_GUEST, "{\"name\":\"Ann\"}"), 404);
    body_is(fixture, "{\"detail\":\"Not Found\"}");
}

static void validate_tells_what_is_known_of_the_bearer(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, ANN), 200);
    char token[8192];
    snprintf(token, sizeof(token), "%s", member(fixture, "access_token"));
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_VALIDATE, token), 200);
    assert_string_equal(member(fixture, "username"), "ann");
    assert_string_equal(member(fixture, "email"), "ann@example.org");
    assert_string_equal(member(fixture, "role"), "user");
    assert_string_equal(member(fixture, "is_verified"), "false");
    assert_int_equal(atoll(member(fixture, "expires_at")) - atoll(member(fixture, "issued_at")),
                     1800);
    token[strlen(token) - 3] ^= 1;
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_VALIDATE, token), 200);
    keys_are(fixture, "token reason");
    assert_string_equal(member(fixture, "token"), "invalid");
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_VALIDATE, ""), 200);
    assert_string_equal(member(fixture, "token"), "invalid");
}

static const char *token_of(struct fixture *fixture, struct lsig_token_claims claims)
{
    static char text[1024];
    char *token = NULL;
    claims.iat = time(NULL) - 100;
    claims.exp = claims.exp == 0 ? time(NULL) + 100 : claims.exp;
    assert_int_equal(lsig_token_make(fixture->keyring, &claims, &token), LSIG_OK);
    snprintf(text, sizeof(text), "%s", token);
    free(token);
    return text;
}

static void validate_looks_at_the_account_of_that_very_name(void **state)
{
    struct fixture *fixture = *state;
    struct lsig_account account = {.username = "old",
                                   .email = "old@b.cd",
                                   .is_active = true,
                                   .role = "admin",
                                   .token_version = 4};
    import(fixture, account);
    struct lsig_token_claims claims = {.sub = "old", .token_version = 3};
    ask(fixture, LSIG_ACCOUNT_VALIDATE, token_of(fixture, claims));
    body_is(fixture, "{\"token\":\"invalid\",\"reason\":\"the token has been revoked\"}");
    claims.token_version = -1;
    ask(fixture, LSIG_ACCOUNT_VALIDATE, token_of(fixture, claims));
    assert_string_equal(member(fixture, "role"), "admin");
    claims.sub = "old@b.cd"; // somebody else's name that looks like an address
    ask(fixture, LSIG_ACCOUNT_VALIDATE, token_of(fixture, claims));
    assert_string_equal(member(fixture, "username"), "old@b.cd");
    assert_string_equal(member(fixture, "role"), "null");
    assert_string_equal(member(fixture, "email"), "null");
    fixture->settings.auth_require_account = true;
    ask(fixture, LSIG_ACCOUNT_VALIDATE, token_of(fixture, claims));
    assert_string_equal(member(fixture, "token"), "invalid");
    claims.exp = time(NULL) - 31;
    ask(fixture, LSIG_ACCOUNT_VALIDATE, token_of(fixture, claims));
    body_is(fixture, "{\"token\":\"invalid\",\"reason\":\"the token has expired\"}");
}

static void a_full_hash_queue_is_503_with_retry_after(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 200; i++) {
        char body[256];
        snprintf(body, sizeof(body),
                 "{\"username\":\"user%d\",\"email\":\"u%d@b.cd\",\"password\":\"" PASSWORD "\"}",
                 i, i);
        char address[16];
        snprintf(address, sizeof(address), "a%d", i); // one address would be too many for one
        open_from(fixture, LSIG_ACCOUNT_REGISTER, "", body, address);
    }
    assert_true(fixture->by_status[503] > 0);
    assert_true(fixture->retry_after_s > 0);
    while (fixture->answers < 200) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_int_equal(fixture->by_status[200] + fixture->by_status[503], 200);
    assert_true(fixture->by_status[200] >= LSIG_PASSWORDS_WAITING_MAX);
}

static void an_abandoned_request_is_not_answered_and_not_leaked(void **state)
{
    struct fixture *fixture = *state;
    struct lsig_account_request *request = open_from(fixture, LSIG_ACCOUNT_REGISTER, "", ANN, "a");
    assert_non_null(request);
    lsig_account_abandon(request);
    request = open_from(fixture, LSIG_ACCOUNT_LOGIN, "",
                        "{\"username\":\"ann\",\"password\":\"x\"}", "a");
    lsig_account_abandon(request);
    // That all of them are gone is asserted by lsig_accounts_free.
    assert_int_equal(log_in(fixture, "nobody", "x"), 401);
    assert_int_equal(fixture->answers, 1);
}

static void a_shutdown_answers_everything_that_is_under_way(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 40; i++) {
        char body[256];
        snprintf(body, sizeof(body),
                 "{\"username\":\"user%d\",\"email\":\"u%d@b.cd\",\"password\":\"" PASSWORD "\"}",
                 i, i);
        open_from(fixture, LSIG_ACCOUNT_REGISTER, "", body, "a");
        open_from(fixture, LSIG_ACCOUNT_LOGIN, "", body, "a");
        open_from(fixture, LSIG_ACCOUNT_GUEST, "", "{\"name\":\"g\"}", "a");
    }
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    struct lsig_accounts *accounts = fixture->accounts;
    lsig_accounts_close(accounts);
    assert_int_equal(ask(fixture, LSIG_ACCOUNT_REGISTER, ANN), 503);
    body_is(fixture, "{\"detail\":\"The server is shutting down\"}");
    shut_down(fixture);
    assert_int_equal(fixture->answers, 121);
    assert_true(fixture->by_status[503] > 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(registering_gives_a_token_that_can_be_used_at_once),
        TEST(a_taken_name_or_email_is_400_whatever_its_case),
        TEST(weak_passwords_and_reserved_names_are_400),
        TEST(wrong_shapes_are_422_with_a_line_for_each_field_and_without_the_password),
        TEST(registration_can_be_closed),
        TEST(a_guest_gets_an_hour_if_guests_are_on),
        TEST(validate_tells_what_is_known_of_the_bearer),
        TEST(validate_looks_at_the_account_of_that_very_name),
        TEST(a_full_hash_queue_is_503_with_retry_after),
        TEST(an_abandoned_request_is_not_answered_and_not_leaked),
        TEST(a_shutdown_answers_everything_that_is_under_way),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
