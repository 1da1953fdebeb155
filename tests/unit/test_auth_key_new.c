#include "pkeys_fixture.h"

static void a_private_key_checks_as_well_and_its_private_half_is_not_kept(void **state)
{
    struct fixture *f = *state;
    for (enum lsig_algorithm a = LSIG_RS256; a < LSIG_ALGORITHM_COUNT; a++) {
        char problem[1024];
        unsigned char signature[1024];
        char *text = private_pem(pkey_of(f, a));
        size_t len = sign_raw(pkey_of(f, a), NULL, a, "a.b", signature);
        struct lsig_key *key = key_of(a, text, LSIG_KEY_CHECKS, problem);
        assert_string_equal(problem, "");
        assert_true(verify(key, "a.b", signature, len));
        assert_null(key->bytes);
        BIGNUM *half = NULL;
        assert_int_equal(
            EVP_PKEY_get_bn_param(key->public_key, a <= LSIG_RS512 ? "d" : "priv", &half), 0);
        ERR_clear_error();
        lsig_key_free(key);
        key = key_of(a, text, LSIG_KEY_SIGNS, problem);
        assert_string_equal((const char *)key->bytes, text);
        lsig_key_free(key);
        free(text);
        text = public_pem(pkey_of(f, a));
        assert_null(key_of(a, text, LSIG_KEY_SIGNS, problem));
        assert_non_null(strstr(problem, "public key, which signs nothing"));
        free(text);
    }
}

static void each_form_of_pem_that_openssl_writes_is_read(void **state)
{
    struct fixture *f = *state;
    char problem[1024];
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, f->rsa, NULL, NULL, 0, NULL, NULL),
                     1);
    char *text = take_bio(bio);
    assert_non_null(strstr(text, "BEGIN RSA PRIVATE KEY"));
    lsig_key_free(key_of(LSIG_RS256, text, LSIG_KEY_CHECKS, problem));
    assert_string_equal(problem, "");
    free(text);
    bio = BIO_new(BIO_s_mem());
    // `openssl ecparam -genkey` writes the curve in front, and people write notes above.
    BIO_puts(bio, "a note: key of the app\n-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
                  "-----END EC PARAMETERS-----\n");
    assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, f->ec[0], NULL, NULL, 0, NULL, NULL),
                     1);
    text = take_bio(bio);
    assert_non_null(strstr(text, "BEGIN EC PRIVATE KEY"));
    lsig_key_free(key_of(LSIG_ES256, text, LSIG_KEY_SIGNS, problem));
    assert_string_equal(problem, "");
    free(text);
    unsigned char *der = NULL;
    int len = i2d_PublicKey(f->rsa, &der);
    bio = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio(bio, "RSA PUBLIC KEY", "", der, len) > 0);
    OPENSSL_free(der);
    text = take_bio(bio);
    lsig_key_free(key_of(LSIG_RS512, text, LSIG_KEY_CHECKS, problem));
    assert_string_equal(problem, "");
    free(text);
}

static void a_key_of_another_kind_or_curve_is_refused_with_what_to_do(void **state)
{
    struct fixture *f = *state;
    char *rsa = public_pem(f->rsa);
    for (enum lsig_algorithm a = LSIG_ES256; a <= LSIG_ES512; a++) {
        refused(a, rsa, "needs an EC key and this is none: write the alg of the key");
        char *ec = public_pem(f->ec[a - LSIG_ES256]);
        for (enum lsig_algorithm b = LSIG_RS256; b < LSIG_ALGORITHM_COUNT; b++) {
            if (b <= LSIG_RS512) {
                refused(b, ec, "needs an RSA key and this is none: write the alg of the key");
            } else if (b != a) {
                refused(b, ec, "the EC key is on the curve");
            }
        }
        free(ec);
    }
    free(rsa);
    EVP_PKEY *bitcoin = make_ec("secp256k1");
    char *text = private_pem(bitcoin);
    refused(LSIG_ES256, text,
            "the EC key is on the curve secp256k1, ES256 needs P-256: make a new one with `openssl "
            "ecparam -genkey -noout -name prime256v1`");
    free(text);
    EVP_PKEY_free(bitcoin);
    EVP_PKEY *edwards = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    text = public_pem(edwards);
    refused(LSIG_ES256, text, "needs an EC key");
    refused(LSIG_RS256, text, "needs an RSA key");
    free(text);
    text = private_pem(edwards);
    refused(LSIG_ES256, text, "needs an EC key");
    free(text);
    EVP_PKEY_free(edwards);
    EVP_PKEY *pss = EVP_PKEY_Q_keygen(NULL, NULL, "RSA-PSS", (size_t)2048);
    if (pss != NULL) {
        text = public_pem(pss);
        refused(LSIG_RS256, text, "needs an RSA key");
        free(text);
    }
    EVP_PKEY_free(pss);
    ERR_clear_error();
}

static void weak_rsa_keys_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *small = make_rsa(1024);
    char *text = public_pem(small);
    refused(LSIG_RS256, text,
            "the RSA key has 1024 bits, at least 2048 are needed: make a new one with `openssl "
            "genrsa 2048`");
    free(text);
    EVP_PKEY_free(small);
    // Exponent 1: what is signed is its own signature. Modulus above the bound.
    static const struct {
        unsigned bits;
        unsigned long exponent;
        const char *expected;
    } cases[] = {
        {2048, 1, "exponent is no odd number above 1"},
        {2048, 65538, "exponent is no odd number above 1"},
        {8200, 65537, "has 8200 bits, at most 8192 are taken"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned char number[1100];
        memset(number, 0xab, sizeof(number));
        number[0] = 0x80;
        number[cases[i].bits / 8 - 1] = 1;
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
        unsigned char exponent[8];
        memcpy(exponent, &cases[i].exponent, sizeof(exponent)); // native order, as OSSL_PARAM wants
        unsigned char modulus[1100];
        for (unsigned j = 0; j < cases[i].bits / 8; j++) {
            modulus[j] = number[cases[i].bits / 8 - 1 - j];
        }
        OSSL_PARAM params[] = {
            OSSL_PARAM_BN("n", modulus, cases[i].bits / 8),
            OSSL_PARAM_BN("e", exponent, sizeof(exponent)),
            OSSL_PARAM_END,
        };
        EVP_PKEY *pkey = NULL;
        assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
        assert_int_equal(EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params), 1);
        text = public_pem(pkey);
        refused(LSIG_RS256, text, cases[i].expected);
        free(text);
        EVP_PKEY_free(pkey);
        EVP_PKEY_CTX_free(context);
    }
}

static void what_is_no_single_good_pem_key_is_refused_with_what_to_do(void **state)
{
    struct fixture *f = *state;
    char *good = public_pem(f->ec[0]);
    char text[8192];
    refused(LSIG_ES256, "", "this is no PEM text");
    refused(LSIG_ES256, "0123456789abcdef0123456789abcdef", "this is no PEM text");
    snprintf(text, sizeof(text), "%s%s", good, good);
    refused(LSIG_ES256, text, "more than one key");
    for (size_t cut = 30; cut < strlen(good) - 2; cut += 9) {
        snprintf(text, sizeof(text), "%.*s", (int)cut, good);
        refused(LSIG_ES256, text, "the PEM text is damaged");
    }
    snprintf(text, sizeof(text), "%s", good);
    memcpy(strstr(text, "MFkw"), "MFkx", 4);
    refused(LSIG_ES256, text, "damaged or of an unknown kind");
    snprintf(text, sizeof(text), "%s", good);
    memcpy(strchr(text, '\n') + 1, "#", 1);
    refused(LSIG_ES256, text, "the PEM text is damaged");
    refused(LSIG_ES256, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "this is a certificate: give its key, made by `openssl x509 -in FILE -noout -pubkey`");
    refused(LSIG_ES256,
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
            "no RSA or EC key");
    free(good);
    // Bytes behind the key, inside of the text.
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(f->ec[0], &der);
    unsigned char longer[512] = {0};
    memcpy(longer, der, (size_t)len);
    OPENSSL_free(der);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio(bio, "PUBLIC KEY", "", longer, len + 1) > 0);
    good = take_bio(bio);
    refused(LSIG_ES256, good, "damaged or of an unknown kind");
    free(good);
    char *huge = malloc(LSIG_KEY_TEXT_MAX + 2);
    memset(huge, 'x', LSIG_KEY_TEXT_MAX + 1);
    huge[LSIG_KEY_TEXT_MAX + 1] = '\0';
    refused(LSIG_ES256, huge, "longer than 16384 bytes");
    free(huge);
}

// The test would hang at a prompt if OpenSSL were left to ask.
static void a_pass_phrase_is_never_asked_for(void **state)
{
    struct fixture *f = *state;
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey(bio, f->ec[0], EVP_aes_128_cbc(),
                                              (const unsigned char *)"pass", 4, NULL, NULL),
                     1);
    char *text = take_bio(bio);
    refused(LSIG_ES256, text, "the private key has a pass phrase");
    free(text);
    bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, f->rsa, EVP_aes_128_cbc(),
                                                          (const unsigned char *)"pass", 4, NULL,
                                                          NULL),
                     1);
    text = take_bio(bio);
    refused(LSIG_RS256, text, "the private key has a pass phrase");
    free(text);
}

static void a_secret_is_as_long_as_its_hash_and_no_pem(void **state)
{
    struct fixture *f = *state;
    static const size_t least[] = {32, 48, 64};
    for (enum lsig_algorithm a = LSIG_HS256; a <= LSIG_HS512; a++) {
        for (size_t len = 0; len <= 64; len++) {
            char problem[1024];
            char text[65] = "";
            memcpy(text, SECRET_64, len);
            struct lsig_key *key = key_of(a, text, LSIG_KEY_CHECKS, problem);
            assert_true((key != NULL) == (len >= least[a]));
            lsig_key_free(key);
        }
        char *pem = public_pem(f->rsa);
        refused(a, pem, "the secret is a PEM text");
        free(pem);
        refused(a, "your-super-secure-jwt-secret-key", "example of a guide");
        refused(a, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                "one character repeated");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_private_key_checks_as_well_and_its_private_half_is_not_kept),
        cmocka_unit_test(each_form_of_pem_that_openssl_writes_is_read),
        cmocka_unit_test(a_key_of_another_kind_or_curve_is_refused_with_what_to_do),
        cmocka_unit_test(weak_rsa_keys_are_refused),
        cmocka_unit_test(what_is_no_single_good_pem_key_is_refused_with_what_to_do),
        cmocka_unit_test(a_pass_phrase_is_never_asked_for),
        cmocka_unit_test(a_secret_is_as_long_as_its_hash_and_no_pem),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
