#include "ring_fixture.h"

#include "auth/token_text.h"

static void each_key_verifies_its_tokens_and_is_named(void **state)
{
    struct fixture *f = *state;
    for (enum lsig_algorithm a = 0; a < LSIG_ALGORITHM_COUNT; a++) {
        struct lsig_claims claims;
        char header[128];
        header_for(header, a);
        assert_int_equal(check(f->ring, signed_by(f, a, header, CLAIMS), &claims), LSIG_OK);
        assert_string_equal(claims.sub, "ann");
        assert_string_equal(claims.kid, kids[a]);
        assert_int_equal(claims.algorithm, a);
        lsig_claims_clear(&claims);
        // The end of life counts for all.
        char *late = signed_by(f, a, header, "{\"sub\":\"ann\",\"exp\":1}");
        assert_int_equal(status_of(f->ring, late), LSIG_TOKEN_EXPIRED);
    }
}

static void a_signature_has_no_byte_more_or_less_and_one_spelling(void **state)
{
    struct fixture *f = *state;
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (enum lsig_algorithm a = 0; a < LSIG_ALGORITHM_COUNT; a++) {
        char header[128];
        char good[2048];
        char bad[4096];
        header_for(header, a);
        snprintf(good, sizeof(good), "%s", signed_by(f, a, header, CLAIMS));
        assert_int_equal(status_of(f->ring, good), LSIG_OK);
        size_t len = strlen(good);
        size_t start = (size_t)(strrchr(good, '.') - good) + 1;
        for (size_t cut = start; cut < len; cut += 3) {
            snprintf(bad, sizeof(bad), "%.*s", (int)cut, good);
            refused(f, bad, "a shorter signature");
        }
        static const char *const tails[] = {"A",   "AA", "AAA", "AAAA", "=", "==", ".",
                                            ".AA", " ",  "\n",  "%00",  "?", "\\"};
        for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
            snprintf(bad, sizeof(bad), "%s%s", good, tails[i]);
            refused(f, bad, "something behind the signature");
        }
        snprintf(bad, sizeof(bad), "%.*sAAAA%s", (int)start, good, good + start);
        refused(f, bad, "something in front of the signature");
        // The bits of the last letter that mean nothing (RFC 4648 section 3.5), and those that do.
        for (const char *c = alphabet; *c != '\0'; c++) {
            memcpy(bad, good, len + 1);
            bad[len - 1] = *c;
            assert_int_equal(status_of(f->ring, bad),
                             *c == good[len - 1] ? LSIG_OK : LSIG_TOKEN_INVALID);
        }
        // The same letter for all, which is no signature of anything.
        memset(bad + start, 'A', len - start);
        refused(f, bad, "zeros");
    }
}

static void an_ecdsa_signature_in_der_is_refused(void **state)
{
    struct fixture *f = *state;
    for (enum lsig_algorithm a = LSIG_ES256; a <= LSIG_ES512; a++) {
        char header[128];
        unsigned char der[1024];
        unsigned char raw[1024];
        header_for(header, a);
        char *token = message_of(header, CLAIMS);
        size_t message_len = strlen(token);
        size_t der_len = sign_der(f->pkeys[a], NULL, digest_of(a), token, der);
        struct {
            const unsigned char *bytes;
            size_t len;
            enum lsig_status status;
        } cases[] = {
            {der, der_len, LSIG_TOKEN_INVALID},
            {raw, 2 * half_of(a), LSIG_OK},
            {raw, 2 * half_of(a) - 1, LSIG_TOKEN_INVALID},
            {raw + half_of(a), half_of(a), LSIG_TOKEN_INVALID},
        };
        raw_of_der(der, der_len, half_of(a), raw);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            token[message_len] = '\0';
            strcat(token, ".");
            append_base64url(token, cases[i].bytes, cases[i].len);
            assert_int_equal(status_of(f->ring, token), cases[i].status);
        }
        // Numbers without their leading zeros, as some libraries write them: too short by then.
        raw_of_der(der, der_len, half_of(a) + 1, raw);
        token[message_len] = '\0';
        strcat(token, ".");
        append_base64url(token, raw, 2 * half_of(a) + 2);
        refused(f, token, "two numbers that are too wide");
    }
}

static void claims_are_looked_at_with_every_kind_of_key(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {
        "{\"sub\":\"a\"}",
        "{\"sub\":\"a\",\"exp\":\"1800000100\"}",
        "{\"sub\":\"a\",\"exp\":9007199254740994}",
        "{\"sub\":\"a\",\"exp\":-1}",
        "{\"sub\":\"a\",\"exp\":1e400}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"exp\":1800000100}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"nbf\":1800000100}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"iat\":1800000100}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"type\":\"refresh\"}",
        "{\"sub\":\"a\",\"exp\":1800000100,\"sub\":\"b\"}",
        "{\"exp\":1800000100}",
        "[]",
        "{",
    };
    for (enum lsig_algorithm a = 0; a < LSIG_ALGORITHM_COUNT; a++) {
        char header[128];
        header_for(header, a);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            refused(f, signed_by(f, a, header, bad[i]), bad[i]);
        }
        assert_int_equal(
            status_of(f->ring, signed_by(f, a, header, "{\"sub\":\"a\",\"exp\":1800000100.5}")),
            LSIG_OK);
    }
}

static void a_token_above_8_kib_is_refused_before_anything_is_computed(void **state)
{
    struct fixture *f = *state;
    char claims[9000];
    for (int filler = 5800; filler <= 6000; filler += 200) {
        int head = snprintf(claims, sizeof(claims), "{\"sub\":\"a\",\"exp\":1800000100,\"x\":\"");
        memset(claims + head, 'x', (size_t)filler);
        strcpy(claims + head + filler, "\"}");
        const char *token = signed_by(f, LSIG_RS256, KID("RS256", "r2"), claims);
        struct lsig_claims out;
        struct lsig_refusal refusal;
        bool fits = strlen(token) <= LSIG_TOKEN_MAX;
        assert_int_equal(fits, filler == 5800 && strlen(token) > LSIG_TOKEN_MAX - 500);
        assert_int_equal(lsig_token_check(f->ring, lsig_span_of(token), NOW, &out, &refusal),
                         fits ? LSIG_OK : LSIG_TOKEN_INVALID);
        assert_true(fits || strstr(refusal.message, "form of a JWT") != NULL);
        lsig_claims_clear(&out);
    }
}

static void a_key_that_a_reload_has_taken_away_opens_nothing(void **state)
{
    struct fixture *f = *state;
    char old[2048];
    snprintf(old, sizeof(old), "%s", signed_by(f, LSIG_RS256, KID("RS256", "r2"), CLAIMS));
    assert_int_equal(status_of(f->ring, old), LSIG_OK);
    char text[4096];
    snprintf(text, sizeof(text), "{\"keys\":[{\"kid\":\"e2\",\"alg\":\"ES256\",\"pem\":\"%s\"}]}",
             escaped(f->ec_pem));
    write_file(&f->folder, "keys.json", text);
    assert_int_equal(lsig_keyring_reload(f->ring, &f->folder.notes), LSIG_OK);
    refused(f, old, "a token of a key that is gone");
    assert_int_equal(status_of(f->ring, signed_by(f, LSIG_ES256, KID("ES256", "e2"), CLAIMS)),
                     LSIG_OK);
    assert_int_equal(status_of(f->ring, signed_by(f, LSIG_HS256, HEADER, CLAIMS)), LSIG_OK);
}

static void a_token_is_made_with_a_private_key_and_names_it(void **state)
{
    struct fixture *f = *state;
    for (enum lsig_algorithm a = 0; a < LSIG_ALGORITHM_COUNT; a++) {
        struct lsig_buf problem;
        lsig_buf_init(&problem, 1000);
        EVP_PKEY *pkey = f->pkeys[a];
        char *text = pkey != NULL ? private_pem(pkey) : strdup(secrets[a]);
        struct lsig_key *key = lsig_key_new(a, lsig_span_of(text), LSIG_KEY_SIGNS, &problem);
        assert_non_null(key);
        free(text);
        strcpy(key->kid, "k \xc3\xa9\"");
        struct lsig_keyring_options options = {.key = key, .issuer = "us"};
        const char *what = NULL;
        struct lsig_keyring *ring = lsig_keyring_new(&options, &what);
        struct lsig_token_claims wanted = {
            .sub = "ann", .iat = NOW, .exp = NOW + 60, .token_version = -1};
        for (int i = 0; i < 20; i++) { // r and s with leading zeros come by, too
            char *token = NULL;
            struct lsig_claims claims;
            assert_int_equal(lsig_token_make(ring, &wanted, &token), LSIG_OK);
            assert_int_equal(check(ring, token, &claims), LSIG_OK);
            assert_string_equal(claims.kid, "k \xc3\xa9\"");
            struct lsig_token_parts parts;
            struct lsig_token_member kid = {"kid", {NULL, 0}};
            struct lsig_span header;
            assert_true(lsig_token_text_split(lsig_span_of(token), &parts));
            char *header_text = lsig_token_text_decode(parts.header, &header);
            assert_non_null(header_text);
            assert_true(lsig_token_text_read(header, &kid, 1));
            assert_true(lsig_token_text_is(kid.value, "k \xc3\xa9\"", false));
            free(header_text);
            lsig_claims_clear(&claims);
            free(token);
        }
        lsig_keyring_free(ring);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_verifies_its_tokens_and_is_named),
        cmocka_unit_test(a_signature_has_no_byte_more_or_less_and_one_spelling),
        cmocka_unit_test(an_ecdsa_signature_in_der_is_refused),
        cmocka_unit_test(claims_are_looked_at_with_every_kind_of_key),
        cmocka_unit_test(a_token_above_8_kib_is_refused_before_anything_is_computed),
        cmocka_unit_test_setup_teardown(a_key_that_a_reload_has_taken_away_opens_nothing, set_up,
                                        tear_down),
        cmocka_unit_test(a_token_is_made_with_a_private_key_and_names_it),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
