#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "auth/keyring.h"

static const char *refusal_of(const char *secret)
{
    struct lsig_keyring_options options = {.secret = lsig_span_of(secret)};
    const char *what = NULL;
    struct lsig_keyring *ring = lsig_keyring_new(&options, &what);
    assert_true((ring == NULL) == (what != NULL));
    lsig_keyring_free(ring);
    return what;
}

static void a_secret_has_at_least_32_bytes(void **state)
{
    (void)state;
    assert_non_null(refusal_of(NULL));
    assert_non_null(refusal_of(""));
    assert_non_null(refusal_of("0123456789012345678901234567890"));
    assert_null(refusal_of("01234567890123456789012345678901"));
}

static void secrets_that_everybody_knows_are_refused_with_what_to_write(void **state)
{
    (void)state;
    const char *bad[] = {
        "your-super-secure-jwt-secret-key",
        "use-a-strong-randomly-generated-secret-key-here",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *what = refusal_of(bad[i]);
        assert_non_null(what);
        assert_non_null(strstr(what, "openssl rand -hex 32"));
    }
}

static void the_ring_keeps_its_own_copies(void **state)
{
    (void)state;
    char secret[] = "01234567890123456789012345678901";
    struct lsig_keyring_options options = {
        .secret = {secret, 32}, .issuer = "us", .audience = NULL, .leeway_s = 7};
    const char *what = NULL;
    struct lsig_keyring *ring = lsig_keyring_new(&options, &what);
    memset(secret, 'x', 32);
    const struct lsig_key *key = lsig_keyring_signing_key(ring);
    assert_memory_equal(key->bytes, "01234567890123456789012345678901", 32);
    assert_int_equal(key->len, 32);
    assert_int_equal(key->algorithm, LSIG_HS256);
    assert_ptr_equal(lsig_keyring_find(ring, lsig_span_of("\"any\"")), key);
    assert_string_equal(lsig_keyring_issuer(ring), "us");
    assert_string_equal(lsig_keyring_audience(ring), "");
    assert_int_equal(lsig_keyring_leeway_s(ring), 7);
    lsig_keyring_free(ring);
    lsig_keyring_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_has_at_least_32_bytes),
        cmocka_unit_test(secrets_that_everybody_knows_are_refused_with_what_to_write),
        cmocka_unit_test(the_ring_keeps_its_own_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
