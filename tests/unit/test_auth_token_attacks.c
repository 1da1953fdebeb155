// What RFC 8725 warns of, against a ring with keys of all kinds.
#include "ring_fixture.h"

// RFC 8725 section 2.1, 3.1, 3.2.
static void alg_none_is_refused_in_all_spellings_signed_or_not(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"none",  "None",       "NONE", "nOnE", "none ",
                                        " none", "no\\u006ee", "",     "null"};
    static const char *const with[] = {"",
                                       ",\"kid\":\"h3\"",
                                       ",\"kid\":\"r2\"",
                                       ",\"kid\":\"e2\"",
                                       ",\"kid\":\"none\"",
                                       ",\"kid\":\"\""};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (size_t j = 0; j < sizeof(with) / sizeof(with[0]); j++) {
            char header[128];
            snprintf(header, sizeof(header), "{\"alg\":\"%s\"%s}", names[i], with[j]);
            char *token = message_of(header, CLAIMS);
            refused(f, token, header);
            strcat(token, ".");
            refused(f, token, header);
            strcat(token, "AA");
            refused(f, token, header);
            refused(f, signed_by(f, LSIG_HS256, header, CLAIMS), header);
        }
    }
    static const char *const bad[] = {"{\"alg\":null}",  "{\"alg\":0}",    "{\"alg\":[\"HS256\"]}",
                                      "{\"alg\":{}}",    "{\"alg\":true}", "{}",
                                      "{\"kid\":\"h3\"}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        refused(f, signed_by(f, LSIG_HS256, bad[i], CLAIMS), bad[i]);
    }
}

// The classic: the public key is public, and a library that believes the header uses it as secret.
static void a_public_key_is_no_hmac_secret(void **state)
{
    struct fixture *f = *state;
    const char *pems[] = {f->rsa_pem, f->ec_pem};
    static const char *const names[] = {"r2", "e2"};
    for (int i = 0; i < 2; i++) {
        for (enum lsig_algorithm a = LSIG_HS256; a <= LSIG_HS512; a++) {
            char header[128];
            snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%s\"}",
                     lsig_algorithm_name(a), names[i]);
            refused(f, sign_token(NULL, pems[i], a, header, CLAIMS), header);
            // Without the line break at the end, and as the DER inside.
            char trimmed[2048];
            snprintf(trimmed, sizeof(trimmed), "%.*s", (int)strlen(pems[i]) - 1, pems[i]);
            refused(f, sign_token(NULL, trimmed, a, header, CLAIMS), header);
            snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", lsig_algorithm_name(a));
            refused(f, sign_token(NULL, pems[i], a, header, CLAIMS), header);
        }
    }
}

static void the_alg_is_the_one_of_the_key_and_of_no_other(void **state)
{
    struct fixture *f = *state;
    for (enum lsig_algorithm signer = 0; signer < LSIG_ALGORITHM_COUNT; signer++) {
        for (enum lsig_algorithm named = 0; named < LSIG_ALGORITHM_COUNT; named++) {
            for (enum lsig_algorithm alg = 0; alg < LSIG_ALGORITHM_COUNT; alg++) {
                if (signer == named && named == alg) {
                    continue;
                }
                char header[128];
                snprintf(header, sizeof(header), "{\"alg\":\"%s\"%s%s%s}", lsig_algorithm_name(alg),
                         named == LSIG_HS256 ? "" : ",\"kid\":\"", kids[named],
                         named == LSIG_HS256 ? "" : "\"");
                refused(f, signed_by(f, signer, header, CLAIMS), header);
            }
        }
    }
    // The right key under another alg of its family.
    refused(f, sign_token(f->pkeys[LSIG_RS256], NULL, LSIG_RS512, KID("RS512", "r2"), CLAIMS),
            "RS512 for RS256");
    refused(f, sign_token(f->pkeys[LSIG_RS256], NULL, LSIG_RS512, KID("RS256", "r2"), CLAIMS),
            "RS512 as RS256");
    refused(f, sign_token(NULL, SECRET, LSIG_HS512, KID("HS512", "h5"), CLAIMS), "wrong secret");
    refused(f, sign_token(NULL, secrets[2], LSIG_HS256, KID("HS256", "h5"), CLAIMS),
            "HS256 for 512");
    static const char *const spellings[] = {"rs256",        "RS256 ",        "Rs256", "PS256",
                                            "RS256\\u0000", "SHA256withRSA", "ES256", "HS256"};
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        char header[128];
        snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"r2\"}", spellings[i]);
        refused(f, signed_by(f, LSIG_RS256, header, CLAIMS), header);
    }
}

static void a_kid_is_a_name_and_nothing_that_is_looked_up_elsewhere(void **state)
{
    struct fixture *f = *state;
    static const char *const values[] = {
        "\"../../../../dev/null\"",
        "\"/dev/null\"",
        "\"keys.json\"",
        "\"file:///etc/passwd\"",
        "\"http://127.0.0.1/k\"",
        "\"' OR 1=1 --\"",
        "\"h3' UNION SELECT 'x\"",
        "\"; rm -rf /\"",
        "\"$(id)\"",
        "\"%s%s%n\"",
        "\"r2\\u0000\"",
        "\"r2\\n\"",
        "\"R2\"",
        "\"r2 \"",
        "\" r2\"",
        "\"r\"",
        "\"\"",
        "null",
        "2",
        "[\"r2\"]",
        "{\"r2\":1}",
        "true",
        "\"unknown\"",
        "\"\\ud800\"",
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        for (enum lsig_algorithm a = LSIG_HS256; a <= LSIG_ES256; a += 3) {
            char header[256];
            snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":%s}", lsig_algorithm_name(a),
                     values[i]);
            refused(f, signed_by(f, a, header, CLAIMS), header);
            // An empty secret is what a file that is empty would be.
            refused(f, sign_token(NULL, "", LSIG_HS256, header, CLAIMS), header);
        }
    }
    static char header[6000];
    char kid[5001];
    memset(kid, 'r', sizeof(kid));
    kid[5000] = '\0';
    static const size_t lengths[] = {128, 129, 255, 256, 257, 5000};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        snprintf(header, sizeof(header), "{\"alg\":\"RS256\",\"kid\":\"%.*s\"}", (int)lengths[i],
                 kid);
        refused(f, signed_by(f, LSIG_RS256, header, CLAIMS), "a long kid");
    }
    refused(f,
            signed_by(f, LSIG_RS256, "{\"alg\":\"RS256\",\"kid\":\"r3\",\"kid\":\"r2\"}", CLAIMS),
            "two kids");
    refused(
        f,
        signed_by(f, LSIG_RS256, "{\"alg\":\"RS256\",\"kid\":\"r2\",\"k\\u0069d\":\"r2\"}", CLAIMS),
        "two kids, one escaped");
    refused(
        f, signed_by(f, LSIG_RS256, "{\"alg\":\"HS256\",\"kid\":\"r2\",\"alg\":\"RS256\"}", CLAIMS),
        "two algs");
    // A kid is compared after unescaping, as every other text.
    assert_int_equal(
        status_of(f->ring, signed_by(f, LSIG_RS256, KID("RS256", "\\u0072\\u0032"), CLAIMS)),
        LSIG_OK);
}

// RFC 8725 section 3.10: what a token brings or points to is no key.
static void keys_in_the_header_or_named_by_it_are_not_looked_at(void **state)
{
    struct fixture *f = *state;
    EVP_PKEY *attacker = make_ec("P-256");
    static const char *const extra[] = {
        "\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}",
        "\"jku\":\"https://attacker.example/jwks.json\"",
        "\"x5u\":\"https://attacker.example/cert.pem\"",
        "\"x5c\":[\"AAAA\"]",
    };
    for (size_t i = 0; i < sizeof(extra) / sizeof(extra[0]); i++) {
        char header[256];
        snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"e2\",%s}", extra[i]);
        refused(f, sign_token(attacker, NULL, LSIG_ES256, header, CLAIMS), header);
        assert_int_equal(status_of(f->ring, signed_by(f, LSIG_ES256, header, CLAIMS)), LSIG_OK);
        snprintf(header, sizeof(header), "{\"alg\":\"ES256\",%s}", extra[i]);
        refused(f, sign_token(attacker, NULL, LSIG_ES256, header, CLAIMS), header);
    }
    EVP_PKEY_free(attacker);
}

static void crit_typ_and_nested_tokens_are_refused_with_every_kind_of_key(void **state)
{
    struct fixture *f = *state;
    static const char *const members[] = {
        "\"crit\":[\"exp\"]",
        "\"crit\":[]",
        "\"crit\":null",
        "\"crit\":\"b64\"",
        "\"crit\":[\"b64\"],\"b64\":false",
        "\"typ\":\"secevent+jwt\"",
        "\"typ\":\"JOSE\"",
        "\"typ\":\"id+jwt\"",
        "\"typ\":\"refresh+jwt\"",
        "\"typ\":1",
        "\"typ\":null",
        "\"typ\":[\"JWT\"]",
    };
    for (enum lsig_algorithm a = 0; a < LSIG_ALGORITHM_COUNT; a++) {
        char header[256];
        char plain[128];
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
            snprintf(header, sizeof(header), "{\"alg\":\"%s\",%s%s%s%s}", lsig_algorithm_name(a),
                     a == LSIG_HS256 ? "" : "\"kid\":\"", kids[a], a == LSIG_HS256 ? "" : "\",",
                     members[i]);
            refused(f, signed_by(f, a, header, CLAIMS), header);
        }
        header_for(plain, a);
        char inner[2048];
        snprintf(inner, sizeof(inner), "%s", signed_by(f, a, plain, CLAIMS));
        refused(f, signed_by(f, a, plain, inner), "a token in a token");
        char text[2100];
        snprintf(text, sizeof(text), "\"%s\"", inner);
        refused(f, signed_by(f, a, plain, text), "a token as a string in a token");
        snprintf(header, sizeof(header), "{\"cty\":\"JWT\",%s", plain + 1);
        refused(f, signed_by(f, a, header, inner), "a nested token");
    }
    // Five parts: encrypted (RFC 7516). We have no key for that.
    refused(f, "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.AAAA.AAAA.AAAA.AAAA", "a JWE");
}

static void a_weak_secret_that_signed_a_token_is_not_the_ring_s(void **state)
{
    struct fixture *f = *state;
    static const char *const weak[] = {"", "x", "secret", "0", "null", "changeme"};
    for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++) {
        refused(f, sign_token(NULL, weak[i], LSIG_HS256, HEADER, CLAIMS), weak[i]);
        refused(f, sign_token(NULL, weak[i], LSIG_HS512, KID("HS512", "h5"), CLAIMS), weak[i]);
    }
}

static void the_refusal_says_which_rule_and_never_the_token(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *header;
        const char *message;
    } cases[] = {
        {KID("RS256", "r9"), "the token names a key (kid) that there is not"},
        {KID("ES256", "r2"), "the token's alg is not the one of its key"},
        {"{\"alg\":\"RS256\",\"kid\":\"r2\",\"typ\":\"x\"}",
         "the token's typ is none of an access token"},
        {"{\"alg\":\"RS256\",\"kid\":\"r2\",\"crit\":[]}",
         "the token has critical extensions (crit)"},
        {"{\"alg\":\"RS256\",\"kid\":\"r2\",\"kid\":\"r2\"}",
         "the token's header has a member twice"},
        {"[]", "the token's header is no JSON object within the limits"},
        {KID("RS256", "r2"), "the token's signature does not hold"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lsig_claims claims;
        struct lsig_refusal refusal;
        const char *token = signed_by(f, LSIG_HS256, cases[i].header, CLAIMS);
        assert_int_equal(lsig_token_check(f->ring, lsig_span_of(token), NOW, &claims, &refusal),
                         LSIG_TOKEN_INVALID);
        assert_string_equal(refusal.message, cases[i].message);
        assert_string_equal(claims.kid, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alg_none_is_refused_in_all_spellings_signed_or_not),
        cmocka_unit_test(a_public_key_is_no_hmac_secret),
        cmocka_unit_test(the_alg_is_the_one_of_the_key_and_of_no_other),
        cmocka_unit_test(a_kid_is_a_name_and_nothing_that_is_looked_up_elsewhere),
        cmocka_unit_test(keys_in_the_header_or_named_by_it_are_not_looked_at),
        cmocka_unit_test(crit_typ_and_nested_tokens_are_refused_with_every_kind_of_key),
        cmocka_unit_test(a_weak_secret_that_signed_a_token_is_not_the_ring_s),
        cmocka_unit_test(the_refusal_says_which_rule_and_never_the_token),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
