#include "pkeys_fixture.h"

static void each_algorithm_verifies_what_it_signed_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    for (enum lsig_algorithm a = 0; a < LSIG_ALGORITHM_COUNT; a++) {
        struct lsig_key *key = good_key(f, a);
        unsigned char signature[1024];
        size_t len = sign_raw(pkey_of(f, a), SECRET_64, a, "a.b", signature);
        assert_true(verify(key, "a.b", signature, len));
        assert_false(verify(key, "a.c", signature, len));
        assert_false(verify(key, "", signature, len));
        for (size_t i = 0; i < len; i += 7) {
            signature[i] ^= 1;
            assert_false(verify(key, "a.b", signature, len));
            signature[i] ^= 1;
        }
        for (size_t cut = 0; cut < len; cut += 5) {
            assert_false(verify(key, "a.b", signature, cut));
        }
        memset(signature + len, 0, 4);
        assert_false(verify(key, "a.b", signature, len + 1));
        assert_false(verify(key, "a.b", signature, len + 2));
        memset(signature, 0, len);
        assert_false(verify(key, "a.b", signature, len));
        memset(signature, 0xff, len);
        assert_false(verify(key, "a.b", signature, len));
        lsig_key_free(key);
    }
}

static void a_signature_of_another_algorithm_with_the_same_key_is_none(void **state)
{
    struct fixture *f = *state;
    for (enum lsig_algorithm a = LSIG_HS256; a <= LSIG_RS512; a++) {
        struct lsig_key *key = good_key(f, a);
        for (enum lsig_algorithm b = LSIG_HS256; b <= LSIG_RS512; b++) {
            unsigned char signature[1024];
            size_t len = sign_raw(pkey_of(f, b), SECRET_64, b, "a.b", signature);
            assert_int_equal(verify(key, "a.b", signature, len), a == b);
        }
        lsig_key_free(key);
    }
    // ECDSA over P-256 with SHA-512, which OpenSSL would sign without a word.
    struct lsig_key *key = good_key(f, LSIG_ES256);
    unsigned char der[1024];
    unsigned char raw[1024];
    size_t len = sign_der(f->ec[0], NULL, EVP_sha512(), "a.b", der);
    assert_false(verify(key, "a.b", raw, raw_of_der(der, len, 32, raw)));
    lsig_key_free(key);
}

// RFC 7518 section 3.4 and section 3.3 (PKCS #1 v1.5, not PSS).
static void rsa_pss_signatures_are_not_rs256(void **state)
{
    struct fixture *f = *state;
    struct lsig_key *key = good_key(f, LSIG_RS256);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *inner = NULL;
    unsigned char signature[1024];
    size_t len = sizeof(signature);
    assert_int_equal(EVP_DigestSignInit(context, &inner, EVP_sha256(), NULL, f->rsa), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &len, (const unsigned char *)"a.b", 3), 1);
    EVP_MD_CTX_free(context);
    assert_false(verify(key, "a.b", signature, len));
    lsig_key_free(key);
}

static void an_ecdsa_signature_is_two_numbers_of_fixed_length_and_never_der(void **state)
{
    struct fixture *f = *state;
    for (enum lsig_algorithm a = LSIG_ES256; a <= LSIG_ES512; a++) {
        struct lsig_key *key = good_key(f, a);
        size_t half = half_of(a);
        unsigned char der[1024];
        unsigned char raw[1024];
        size_t der_len = sign_der(pkey_of(f, a), NULL, digest_of(a), "a.b", der);
        size_t len = raw_of_der(der, der_len, half, raw);
        assert_true(verify(key, "a.b", raw, len));
        assert_false(verify(key, "a.b", der, der_len));
        // The same numbers one byte wider, and those of a smaller and a bigger curve in length.
        unsigned char wide[1024];
        assert_false(verify(key, "a.b", wide, raw_of_der(der, der_len, half + 1, wide)));
        static const size_t lengths[] = {0,  1,   63,  64,  65,  95,  96,
                                         97, 128, 130, 131, 132, 133, 256};
        for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            unsigned char other[1024] = {1};
            memcpy(other, raw, len);
            if (lengths[i] != len) {
                assert_false(verify(key, "a.b", other, lengths[i]));
            }
        }
        lsig_key_free(key);
    }
}

// CVE-2022-21449: (0, 0) is a signature of everything where nobody looks at the range.
static void r_and_s_are_neither_zero_nor_the_order_nor_above(void **state)
{
    struct fixture *f = *state;
    static const char *const curves[] = {"P-256", "P-384", "P-521"};
    for (enum lsig_algorithm a = LSIG_ES256; a <= LSIG_ES512; a++) {
        struct lsig_key *key = good_key(f, a);
        size_t half = half_of(a);
        EC_GROUP *group = EC_GROUP_new_by_curve_name(EC_curve_nist2nid(curves[a - LSIG_ES256]));
        unsigned char good[1024];
        unsigned char bad[1024];
        unsigned char order[66];
        size_t len = sign_raw(pkey_of(f, a), NULL, a, "a.b", good);
        assert_true(BN_bn2binpad(EC_GROUP_get0_order(group), order, (int)half) > 0);
        for (int which = 0; which < 3; which++) {
            static const unsigned char zero[66] = {0};
            for (int value = 0; value < 2; value++) {
                const unsigned char *number = value == 0 ? zero : order;
                memcpy(bad, good, len);
                if (which != 1) {
                    memcpy(bad, number, half);
                }
                if (which != 0) {
                    memcpy(bad + half, number, half);
                }
                assert_false(verify(key, "a.b", bad, len));
            }
        }
        // s + n stands for the same number, but is not what the standard calls a signature.
        BIGNUM *s = BN_bin2bn(good + half, (int)half, NULL);
        BN_add(s, s, EC_GROUP_get0_order(group));
        memcpy(bad, good, len);
        if (BN_bn2binpad(s, bad + half, (int)half) > 0) {
            assert_false(verify(key, "a.b", bad, len));
        }
        BN_free(s);
        EC_GROUP_free(group);
        lsig_key_free(key);
    }
}

static void the_examples_of_rfc_7515_hold(void **state)
{
    (void)state;
    static const struct {
        enum lsig_algorithm algorithm;
        const char *pem;
        const char *message;
        const char *signature;
    } cases[] = {
        {LSIG_ES256, // A.3
         "-----BEGIN PUBLIC KEY-----\n"
         "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
         "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
         "-----END PUBLIC KEY-----\n",
         "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
         "LmNvbS9pc19yb290Ijp0cnVlfQ",
         "DtEhU3ljbEg8L38VWAfUAqOyKAM6+Xx+F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3+Kg6NU1Q="
         "="},
        {LSIG_ES512, // A.4
         "-----BEGIN PUBLIC KEY-----\n"
         "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQB6SkFDxJPxrxVx9U5M2Xfne9KsMIs\n"
         "sleY+TTrBOPGuuNwGlenkQ6dgb82MVno68sVXWNJ9L22zPipTFxZx6rBAaQANKZE\n"
         "DjdnUNI3H9G9wsjztx0vTuXqNDLIFcyjFWD+XZOH7HdLVYOGMOXLv1qMvgqR3QBk\n"
         "xpmaH25uZ/rd7eTIyPY=\n"
         "-----END PUBLIC KEY-----\n",
         "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",
         "AdwMgeerwtHoh+l192l60hp9wAHZFVJbLfD/UxMi70cwnZOYaRI1bKPWROc+mZZqwqT2SI+KGDKB34XO0aw/7Xdt"
         "AG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO/"
         "Jn"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char problem[1024];
        unsigned char signature[256];
        int len = EVP_DecodeBlock(signature, (const unsigned char *)cases[i].signature,
                                  (int)strlen(cases[i].signature));
        struct lsig_key *key = key_of(cases[i].algorithm, cases[i].pem, LSIG_KEY_CHECKS, problem);
        assert_string_equal(problem, "");
        assert_true(len > 0);
        assert_true(verify(key, cases[i].message, signature, 2 * half_of(cases[i].algorithm)));
        lsig_key_free(key);
    }
}

static void keys_are_the_same_when_their_secret_or_public_half_is(void **state)
{
    struct fixture *f = *state;
    char problem[1024];
    struct lsig_key *hs = good_key(f, LSIG_HS256);
    struct lsig_key *longer = good_key(f, LSIG_HS512);
    struct lsig_key *other =
        key_of(LSIG_HS256, "another secret of thirty-two byte", LSIG_KEY_CHECKS, problem);
    struct lsig_key *rs = good_key(f, LSIG_RS256);
    struct lsig_key *rs512 = good_key(f, LSIG_RS512);
    struct lsig_key *es = good_key(f, LSIG_ES256);
    struct lsig_key *es384 = good_key(f, LSIG_ES384);
    assert_true(lsig_key_is_same(hs, longer));
    assert_false(lsig_key_is_same(hs, other));
    assert_true(lsig_key_is_same(rs, rs512));
    assert_false(lsig_key_is_same(rs, es));
    assert_false(lsig_key_is_same(es, es384));
    assert_false(lsig_key_is_same(hs, rs));
    assert_false(lsig_key_is_same(rs, hs));
    struct lsig_key *all[] = {hs, longer, other, rs, rs512, es, es384};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        lsig_key_free(all[i]);
    }
}

static void algorithms_are_found_by_their_exact_name(void **state)
{
    (void)state;
    enum lsig_algorithm algorithm = LSIG_HS256;
    for (enum lsig_algorithm a = 0; a < LSIG_ALGORITHM_COUNT; a++) {
        assert_true(lsig_algorithm_find(lsig_span_of(lsig_algorithm_name(a)), &algorithm));
        assert_int_equal(algorithm, a);
    }
    static const char *const bad[] = {"",     "none",  "None",  "rs256",  "RS256 ",
                                      "RS25", "PS256", "EdDSA", "ES256K", "HS1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(lsig_algorithm_find(lsig_span_of(bad[i]), &algorithm));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_algorithm_verifies_what_it_signed_and_nothing_else),
        cmocka_unit_test(a_signature_of_another_algorithm_with_the_same_key_is_none),
        cmocka_unit_test(rsa_pss_signatures_are_not_rs256),
        cmocka_unit_test(an_ecdsa_signature_is_two_numbers_of_fixed_length_and_never_der),
        cmocka_unit_test(r_and_s_are_neither_zero_nor_the_order_nor_above),
        cmocka_unit_test(the_examples_of_rfc_7515_hold),
        cmocka_unit_test(keys_are_the_same_when_their_secret_or_public_half_is),
        cmocka_unit_test(algorithms_are_found_by_their_exact_name),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
