#include "token_fixture.h"

static void the_algorithm_is_the_key_s_and_not_the_token_s(void **state)
{
    (void)state;
    struct lsig_keyring *ring = open_ring("", "");
    const char *claims = "{\"sub\":\"ann\",\"exp\":1800000100}";
    // Rightly signed with HS512, and with nothing: the key is for HS256 alone.
    char token[1024] = "";
    append_base64url(token, "{\"alg\":\"HS512\"}", 15);
    strcat(token, ".");
    append_base64url(token, claims, strlen(claims));
    append_mac(token, EVP_sha512(), SECRET);
    assert_int_equal(status_of(ring, token), LSIG_TOKEN_INVALID);
    token[0] = '\0';
    append_base64url(token, "{\"alg\":\"none\"}", 14);
    strcat(token, ".");
    append_base64url(token, claims, strlen(claims));
    strcat(token, ".");
    assert_int_equal(status_of(ring, token), LSIG_TOKEN_INVALID);
    const char *bad[] = {
        "{\"alg\":\"none\"}",
        "{\"alg\":\"hs256\"}",
        "{\"alg\":\"RS256\"}",
        "{\"alg\":\"HS256 \"}",
        "{\"alg\":null}",
        "{\"alg\":256}",
        "{}",
        "{\"ALG\":\"HS256\"}",
        "[]",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (header_of(ring, bad[i]) != LSIG_TOKEN_INVALID) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
    lsig_keyring_free(ring);
}

static void critical_extensions_and_other_types_are_refused(void **state)
{
    (void)state;
    struct lsig_keyring *ring = open_ring("", "");
    assert_int_equal(header_of(ring, "{\"alg\":\"HS256\",\"typ\":\"jwt\"}"), LSIG_OK);
    assert_int_equal(header_of(ring, "{\"alg\":\"HS256\",\"typ\":\"AT+JWT\",\"kid\":\"7\"}"),
                     LSIG_OK);
    const char *bad[] = {
        "{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}",
        "{\"alg\":\"HS256\",\"crit\":[]}",
        "{\"alg\":\"HS256\",\"crit\":null}",
        "{\"alg\":\"HS256\",\"typ\":\"dpop+jwt\"}",
        "{\"alg\":\"HS256\",\"typ\":\"\"}",
        "{\"alg\":\"HS256\",\"typ\":null}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (header_of(ring, bad[i]) != LSIG_TOKEN_INVALID) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
    lsig_keyring_free(ring);
}

static void no_byte_of_a_token_can_be_changed(void **state)
{
    (void)state;
    struct lsig_keyring *ring = open_ring("", "");
    const char *good = forge(HEADER, "{\"sub\":\"ann\",\"exp\":1800000100}");
    size_t len = strlen(good);
    char token[512];
    for (size_t i = 0; i < len; i++) {
        memcpy(token, good, len + 1);
        token[i] = (char)(token[i] == 'A' ? 'B' : 'A');
        if (status_of(ring, token) != LSIG_TOKEN_INVALID) {
            fail_msg("byte %zu", i);
        }
    }
    for (size_t cut = 0; cut < len; cut++) {
        memcpy(token, good, len + 1);
        token[cut] = '\0';
        assert_int_equal(status_of(ring, token), LSIG_TOKEN_INVALID);
    }
    lsig_keyring_free(ring);
}

static void the_form_is_three_parts_of_base64url_without_anything_else(void **state)
{
    (void)state;
    struct lsig_keyring *ring = open_ring("", "");
    const char *good = forge(HEADER, "{\"sub\":\"an\",\"exp\":1800000100}");
    assert_int_equal(status_of(ring, good), LSIG_OK);
    char token[1024];
    const char *formats[] = {" %s", "%s ",  "%s\n",      "%s=", "%s.",
                             ".%s", "%s.x", "Bearer %s", "%s\t"};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(token, sizeof(token), formats[i], good);
#pragma GCC diagnostic pop
        if (status_of(ring, token) != LSIG_TOKEN_INVALID) {
            fail_msg("accepted: %s", formats[i]);
        }
    }
    const char *bad[] = {"", ".", "..", "...", "a.b.c", "e30.e30.e30", "e30.e30", "\xff.\xff.\xff"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(status_of(ring, bad[i]), LSIG_TOKEN_INVALID);
    }
    // Padded, in the standard alphabet, with bits left over: rightly signed, and still not
    // base64url.
    const char *headers[] = {"eyJhbGciOiJIUzI1NiJ9=", "eyJhbGciOiJIUzI1NiIsICIiOiI+In0",
                             "eyJhbGciOiJIUzI1NiJ9 ", "eyJhbGciOiJIUzI1NiIgfR"};
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        snprintf(token, sizeof(token), "%s.eyJzdWIiOiJhIiwiZXhwIjoxODAwMDAwMTAwfQ", headers[i]);
        append_mac(token, EVP_sha256(), SECRET);
        assert_int_equal(status_of(ring, token), LSIG_TOKEN_INVALID);
    }
    struct lsig_claims claims;
    struct lsig_refusal refusal;
    assert_int_equal(lsig_token_check(ring, (struct lsig_span){NULL, 0}, NOW, &claims, &refusal),
                     LSIG_TOKEN_INVALID);
    assert_int_equal(
        lsig_token_check(ring, (struct lsig_span){"a.b\0c.d", 7}, NOW, &claims, &refusal),
        LSIG_TOKEN_INVALID);
    lsig_keyring_free(ring);
}

static void a_token_of_8_kib_passes_and_a_longer_one_does_not(void **state)
{
    (void)state;
    struct lsig_keyring *ring = open_ring("", "");
    char claims[12000];
    bool passed = false;
    bool refused = false;
    for (int filler = 6040; filler <= 6100; filler++) {
        int head = snprintf(claims, sizeof(claims), "{\"sub\":\"a\",\"exp\":1800000100,\"x\":\"");
        memset(claims + head, 'x', (size_t)filler);
        strcpy(claims + head + filler, "\"}");
        const char *token = forge(HEADER, claims);
        bool fits = strlen(token) <= 8192;
        assert_int_equal(status_of(ring, token), fits ? LSIG_OK : LSIG_TOKEN_INVALID);
        passed = passed || fits;
        refused = refused || !fits;
    }
    assert_true(passed && refused);
    lsig_keyring_free(ring);
}

static void a_token_of_another_secret_is_refused_without_a_look_at_its_claims(void **state)
{
    (void)state;
    struct lsig_keyring_options options = {.secret =
                                               lsig_span_of("another secret of thirty-two byte")};
    const char *what = NULL;
    struct lsig_keyring *ring = lsig_keyring_new(&options, &what);
    struct lsig_claims claims;
    struct lsig_refusal refusal;
    const char *token = forge(HEADER, "{\"sub\":\"ann\",\"exp\":\"never\"}");
    assert_int_equal(lsig_token_check(ring, lsig_span_of(token), NOW, &claims, &refusal),
                     LSIG_TOKEN_INVALID);
    assert_non_null(strstr(refusal.message, "signature"));
    assert_string_equal(claims.sub, "");
    lsig_keyring_free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_algorithm_is_the_key_s_and_not_the_token_s),
        cmocka_unit_test(critical_extensions_and_other_types_are_refused),
        cmocka_unit_test(no_byte_of_a_token_can_be_changed),
        cmocka_unit_test(the_form_is_three_parts_of_base64url_without_anything_else),
        cmocka_unit_test(a_token_of_8_kib_passes_and_a_longer_one_does_not),
        cmocka_unit_test(a_token_of_another_secret_is_refused_without_a_look_at_its_claims),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
