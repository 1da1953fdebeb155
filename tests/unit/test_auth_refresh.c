#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "auth/refresh.h"

static void a_refresh_token_is_43_characters_of_base64url_and_looked_up_by_sha256(void **state)
{
    (void)state;
    struct lsig_refresh refresh;
    lsig_refresh_init(&refresh);
    assert_int_equal(strlen(refresh.token), 43);
    assert_int_equal(
        strspn(refresh.token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
        43);
    assert_int_equal(strlen(refresh.family), 32);
    unsigned char digest[LSIG_REFRESH_DIGEST_SIZE];
    lsig_refresh_print_digest(lsig_span_of(refresh.token), digest);
    assert_memory_equal(digest, refresh.digest, sizeof(digest));
    lsig_refresh_clear(&refresh);
    assert_string_equal(refresh.token, "");
}

static void the_digest_is_sha256(void **state)
{
    (void)state;
    unsigned char digest[LSIG_REFRESH_DIGEST_SIZE];
    lsig_refresh_print_digest(lsig_span_of("abc"), digest);
    static const unsigned char expected[4] = {0xba, 0x78, 0x16, 0xbf}; // FIPS 180-4, "abc"
    assert_memory_equal(digest, expected, sizeof(expected));
}

static void no_two_are_the_same(void **state)
{
    (void)state;
    struct lsig_refresh a;
    struct lsig_refresh b;
    lsig_refresh_init(&a);
    lsig_refresh_init(&b);
    assert_string_not_equal(a.token, b.token);
    assert_string_not_equal(a.family, b.family);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refresh_token_is_43_characters_of_base64url_and_looked_up_by_sha256),
        cmocka_unit_test(the_digest_is_sha256),
        cmocka_unit_test(no_two_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
