#include "token_fixture.h"

static void a_token_that_is_made_here_is_accepted_and_says_what_it_should(void **state)
{
    (void)state;
    struct lsig_keyring *ring = open_ring("lunasig", "calls");
    struct lsig_token_claims wanted = {
        .sub = "j\xc3\xb6rg", .user_id = "17", .iat = NOW, .exp = NOW + 60, .token_version = 3};
    char *token = NULL;
    assert_int_equal(lsig_token_make(ring, &wanted, &token), LSIG_OK);
    struct lsig_claims claims;
    assert_int_equal(check(ring, token, &claims), LSIG_OK);
    assert_string_equal(claims.sub, "j\xc3\xb6rg");
    assert_string_equal(claims.username, "j\xc3\xb6rg");
    assert_string_equal(claims.user_id, "17");
    assert_int_equal(strlen(claims.jti), 32);
    assert_int_equal(claims.token_version, 3);
    assert_int_equal(claims.iat, NOW);
    assert_int_equal(claims.exp, NOW + 60);
    assert_int_equal(claims.json_len, strlen(claims.json));
    assert_non_null(strstr(claims.json, "\"type\":\"access\""));
    assert_non_null(strstr(claims.json, "\"iss\":\"lunasig\""));
    assert_non_null(strstr(claims.json, "\"aud\":\"calls\""));
    lsig_claims_clear(&claims);
    free(token);
    lsig_keyring_free(ring);
}

static void every_token_has_its_own_jti(void **state)
{
    (void)state;
    struct lsig_keyring *ring = open_ring("", "");
    struct lsig_token_claims wanted = {
        .sub = "ann", .iat = NOW, .exp = NOW + 60, .token_version = -1};
    char *a = NULL;
    char *b = NULL;
    assert_int_equal(lsig_token_make(ring, &wanted, &a), LSIG_OK);
    assert_int_equal(lsig_token_make(ring, &wanted, &b), LSIG_OK);
    assert_string_not_equal(a, b);
    struct lsig_claims claims;
    assert_int_equal(check(ring, a, &claims), LSIG_OK);
    assert_int_equal(claims.token_version, -1);
    assert_null(strstr(claims.json, "iss"));
    assert_string_equal(claims.user_id, "ann");
    lsig_claims_clear(&claims);
    free(a);
    free(b);
    lsig_keyring_free(ring);
}

static void claims_of_the_callers_are_signed_and_what_is_missing_is_added(void **state)
{
    (void)state;
    struct lsig_keyring *ring = open_ring("lunasig", "calls");
    char json[200];
    snprintf(json, sizeof(json),
             "{\"sub\":\"ann\",\"iat\":%d,\"exp\":%d,\"plan\":{\"seats\":[1,2]},\"jti\":\"own\"}",
             (int)NOW, (int)NOW + 60);
    char *token = NULL;
    assert_int_equal(lsig_token_sign(ring, lsig_span_of(json), &token), LSIG_OK);
    struct lsig_claims claims;
    assert_int_equal(check(ring, token, &claims), LSIG_OK);
    assert_string_equal(claims.sub, "ann");
    assert_string_equal(claims.jti, "own");
    assert_int_equal(claims.exp, NOW + 60);
    assert_non_null(strstr(claims.json, "\"plan\":{\"seats\":[1,2]}"));
    assert_non_null(strstr(claims.json, "\"type\":\"access\""));
    assert_non_null(strstr(claims.json, "\"iss\":\"lunasig\""));
    assert_non_null(strstr(claims.json, "\"aud\":\"calls\""));
    lsig_claims_clear(&claims);
    free(token);
    lsig_keyring_free(ring);
}

static void names_out_of_bounds_make_no_token(void **state)
{
    (void)state;
    struct lsig_keyring *ring = open_ring("", "");
    char longest[130];
    memset(longest, 'a', 129);
    longest[129] = '\0';
    const char *bad[] = {"", longest, "a{b", "a}b", "a\nb", "a\x7f", "a\xc2\x85", "\xff"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct lsig_token_claims wanted = {.sub = bad[i], .iat = NOW, .exp = NOW + 60};
        char *token = NULL;
        assert_int_equal(lsig_token_make(ring, &wanted, &token), LSIG_INVALID_MESSAGE);
        assert_null(token);
    }
    lsig_keyring_free(ring);
}

static void a_foreign_token_needs_sub_and_exp_only(void **state)
{
    (void)state;
    struct lsig_keyring *ring = open_ring("", "");
    struct lsig_claims claims;
    assert_int_equal(
        check(ring, forge("{\"alg\":\"HS256\"}", "{\"sub\":\"ann\",\"exp\":1800000100}"), &claims),
        LSIG_OK);
    assert_string_equal(claims.sub, "ann");
    assert_string_equal(claims.username, "ann");
    assert_string_equal(claims.user_id, "ann");
    assert_string_equal(claims.jti, "");
    assert_int_equal(claims.iat, 0);
    assert_int_equal(claims.token_version, -1);
    lsig_claims_clear(&claims);
    assert_int_equal(claims_of(ring, "{\"sub\":\"ann\"}"), LSIG_TOKEN_INVALID);
    assert_int_equal(claims_of(ring, "{\"exp\":1800000100}"), LSIG_TOKEN_INVALID);
    lsig_keyring_free(ring);
}

static void the_names_of_a_token_are_read(void **state)
{
    (void)state;
    struct lsig_keyring *ring = open_ring("", "");
    struct lsig_claims claims;
    const char *json = " {\"s\\u0075b\":\"ann\",\"exp\":1800000100.75,\"username\":\"Ann \\u00e9\","
                       "\"user_id\":507,\"jti\":\"x\",\"token_version\":0,\"iat\":1.8e9} ";
    assert_int_equal(check(ring, forge(HEADER, json), &claims), LSIG_OK);
    assert_string_equal(claims.username, "Ann \xc3\xa9");
    assert_string_equal(claims.user_id, "507");
    assert_string_equal(claims.jti, "x");
    assert_int_equal(claims.token_version, 0);
    assert_int_equal(claims.exp, 1800000100);
    assert_int_equal(claims.iat, 1800000000);
    assert_int_equal(claims.json[0], '{');
    assert_int_equal(claims.json[claims.json_len - 1], '}');
    lsig_claims_clear(&claims);
    assert_int_equal(claims_of(ring, "{\"sub\":\"a\",\"exp\":1800000100,\"username\":null,"
                                     "\"user_id\":null,\"jti\":null,\"token_version\":null}"),
                     LSIG_OK);
    lsig_keyring_free(ring);
}

static void a_token_ends_at_exp_plus_leeway(void **state)
{
    (void)state;
    struct lsig_keyring *ring = open_ring("", "");
    assert_int_equal(claims_of(ring, "{\"sub\":\"a\",\"exp\":1799999971}"), LSIG_OK);
    assert_int_equal(claims_of(ring, "{\"sub\":\"a\",\"exp\":1799999970}"), LSIG_TOKEN_EXPIRED);
    assert_int_equal(claims_of(ring, "{\"sub\":\"a\",\"exp\":0}"), LSIG_TOKEN_EXPIRED);
    lsig_keyring_free(ring);
}

static void expired_is_said_only_of_a_token_that_is_right_otherwise(void **state)
{
    (void)state;
    struct lsig_keyring *ring = open_ring("", "");
    assert_int_equal(claims_of(ring, "{\"sub\":\"a\",\"exp\":1,\"type\":\"refresh\"}"),
                     LSIG_TOKEN_INVALID);
    lsig_keyring_free(ring);
}

static void not_before_and_issued_at_hold_with_leeway(void **state)
{
    (void)state;
    struct lsig_keyring *ring = open_ring("", "");
    assert_int_equal(claims_of(ring, "{\"sub\":\"a\",\"exp\":1900000000,\"nbf\":1800000030}"),
                     LSIG_OK);
    assert_int_equal(claims_of(ring, "{\"sub\":\"a\",\"exp\":1900000000,\"nbf\":1800000031}"),
                     LSIG_TOKEN_INVALID);
    assert_int_equal(claims_of(ring, "{\"sub\":\"a\",\"exp\":1900000000,\"iat\":1800000030}"),
                     LSIG_OK);
    assert_int_equal(claims_of(ring, "{\"sub\":\"a\",\"exp\":1900000000,\"iat\":1800000031}"),
                     LSIG_TOKEN_INVALID);
    lsig_keyring_free(ring);
}

static void claims_of_a_wrong_type_are_refused(void **state)
{
    (void)state;
    struct lsig_keyring *ring = open_ring("", "");
    const char *bad[] = {
        "{\"sub\":\"a\",\"exp\":\"1800000100\"}",
        "{\"sub\":\"a\",\"exp\":null}",
        "{\"sub\":\"a\",\"exp\":true}",
        "{\"sub\":\"a\",\"exp\":[1800000100]}",
        "{\"sub\":\"a\",\"exp\":-1}",
        "{\"sub\":\"a\",\"exp\":9007199254740994}",
        "{\"sub\":\"a\",\"exp\":1e300}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"nbf\":\"0\"}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"nbf\":null}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"iat\":\"0\"}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"iat\":-5}",
        "{\"sub\":7,\"exp\":1800000100}",
        "{\"sub\":null,\"exp\":1800000100}",
        "{\"sub\":\"\",\"exp\":1800000100}",
        "{\"sub\":\"a{b\",\"exp\":1800000100}",
        "{\"sub\":\"a}\",\"exp\":1800000100}",
        "{\"sub\":\"a\\n\",\"exp\":1800000100}",
        "{\"sub\":\"a\\u007f\",\"exp\":1800000100}",
        "{\"sub\":\"a\\u009b\",\"exp\":1800000100}",
        "{\"sub\":\"a\\u0000\",\"exp\":1800000100}",
        "{\"sub\":\"\\ud800\",\"exp\":1800000100}",
        "{\"sub\":\"\xff\",\"exp\":1800000100}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"username\":5}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"username\":\"\"}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"user_id\":{}}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"user_id\":1.5}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"jti\":1}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"token_version\":\"1\"}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"token_version\":1.5}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"token_version\":-1}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"type\":null}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"type\":\"refresh\"}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"type\":\"Access\"}",
        "[\"sub\",\"exp\"]",
        "\"sub\"",
        "null",
        "{\"sub\":\"a\",\"exp\":1800000100",
        "{\"sub\":\"a\",\"exp\":1800000100}x",
        "{\"sub\":\"a\",\"exp\":01800000100}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (claims_of(ring, bad[i]) != LSIG_TOKEN_INVALID) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
    lsig_keyring_free(ring);
}

static void a_claim_that_stands_twice_is_refused(void **state)
{
    (void)state;
    struct lsig_keyring *ring = open_ring("", "");
    assert_int_equal(claims_of(ring, "{\"sub\":\"a\",\"exp\":1800000100,\"sub\":\"b\"}"),
                     LSIG_TOKEN_INVALID);
    assert_int_equal(claims_of(ring, "{\"sub\":\"a\",\"exp\":1800000100,\"s\\u0075b\":\"b\"}"),
                     LSIG_TOKEN_INVALID);
    assert_int_equal(claims_of(ring, "{\"sub\":\"a\",\"exp\":1800000100,\"x\":1,\"x\":2}"),
                     LSIG_OK);
    assert_int_equal(header_of(ring, "{\"alg\":\"HS256\",\"alg\":\"HS256\"}"), LSIG_TOKEN_INVALID);
    lsig_keyring_free(ring);
}

static void the_subject_may_have_128_bytes_and_not_129(void **state)
{
    (void)state;
    struct lsig_keyring *ring = open_ring("", "");
    for (int len = 128; len <= 129; len++) {
        char claims[256];
        char name[130];
        memset(name, 'n', sizeof(name));
        snprintf(claims, sizeof(claims), "{\"sub\":\"%.*s\",\"exp\":1800000100}", len, name);
        assert_int_equal(claims_of(ring, claims), len == 128 ? LSIG_OK : LSIG_TOKEN_INVALID);
    }
    lsig_keyring_free(ring);
}

static void issuer_and_audience_count_only_when_they_are_configured(void **state)
{
    (void)state;
    struct lsig_keyring *any = open_ring("", NULL);
    assert_int_equal(claims_of(any, "{\"sub\":\"a\",\"exp\":1800000100,\"iss\":5,\"aud\":{}}"),
                     LSIG_OK);
    lsig_keyring_free(any);
    struct lsig_keyring *ring = open_ring("us", "calls");
#define CLAIMS(iss, aud) "{\"sub\":\"a\",\"exp\":1800000100,\"iss\":" iss ",\"aud\":" aud "}"
    assert_int_equal(claims_of(ring, CLAIMS("\"us\"", "\"calls\"")), LSIG_OK);
    assert_int_equal(claims_of(ring, CLAIMS("\"us\"", "[\"x\",\"calls\"]")), LSIG_OK);
    const char *bad[] = {
        CLAIMS("\"them\"", "\"calls\""),
        CLAIMS("\"us2\"", "\"calls\""),
        CLAIMS("[\"us\"]", "\"calls\""),
        CLAIMS("\"us\"", "\"call\""),
        CLAIMS("\"us\"", "[\"x\"]"),
        CLAIMS("\"us\"", "[]"),
        CLAIMS("\"us\"", "[1,\"calls\"]"),
        CLAIMS("\"us\"", "null"),
        "{\"sub\":\"a\",\"exp\":1800000100,\"iss\":\"us\"}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"aud\":\"calls\"}",
    };
#undef CLAIMS
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(claims_of(ring, bad[i]), LSIG_TOKEN_INVALID);
    }
    lsig_keyring_free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_that_is_made_here_is_accepted_and_says_what_it_should),
        cmocka_unit_test(every_token_has_its_own_jti),
        cmocka_unit_test(claims_of_the_callers_are_signed_and_what_is_missing_is_added),
        cmocka_unit_test(names_out_of_bounds_make_no_token),
        cmocka_unit_test(a_foreign_token_needs_sub_and_exp_only),
        cmocka_unit_test(the_names_of_a_token_are_read),
        cmocka_unit_test(a_token_ends_at_exp_plus_leeway),
        cmocka_unit_test(expired_is_said_only_of_a_token_that_is_right_otherwise),
        cmocka_unit_test(not_before_and_issued_at_hold_with_leeway),
        cmocka_unit_test(claims_of_a_wrong_type_are_refused),
        cmocka_unit_test(a_claim_that_stands_twice_is_refused),
        cmocka_unit_test(the_subject_may_have_128_bytes_and_not_129),
        cmocka_unit_test(issuer_and_audience_count_only_when_they_are_configured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
