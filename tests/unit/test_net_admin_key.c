#include "net/admin_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

static const char the_key[] = "aBcdefghijklmnopqrstuvwxyz0123456789";

static enum lsig_status
check(struct lsig_admin_key *key, const char *given, const char *address, int64_t mono_ms)
{
    int64_t retry_ms = -1;
    enum lsig_status status =
        lsig_admin_key_check(key, lsig_span_of(given), address, mono_ms, &retry_ms);
    assert_int_equal(retry_ms > 0, status == LSIG_RATE_LIMIT_EXCEEDED);
    return status;
}

static void only_the_whole_key_is_the_key(void **state)
{
    (void)state;
    struct lsig_admin_key *key = lsig_admin_key_new(the_key);
    assert_int_equal(check(key, the_key, "a", 0), LSIG_OK);
    assert_int_equal(check(key, "", "a", 0), LSIG_TOKEN_INVALID);
    assert_int_equal(check(key, "aBcdefghijklmnopqrstuvwxyz012345678", "a", 0), LSIG_TOKEN_INVALID);
    assert_int_equal(check(key, "aBcdefghijklmnopqrstuvwxyz012345678x", "a", 0),
                     LSIG_TOKEN_INVALID);
    assert_int_equal(check(key, "aBcdefghijklmnopqrstuvwxyz0123456789a", "a", 0),
                     LSIG_TOKEN_INVALID);
    assert_int_equal(check(key,
                           "aBcdefghijklmnopqrstuvwxyz0123456789"
                           "aBcdefghijklmnopqrstuvwxyz0123456789",
                           "a", 0),
                     LSIG_TOKEN_INVALID);
    lsig_admin_key_free(key);
}

static void an_address_that_was_wrong_too_often_has_to_wait_also_with_the_right_key(void **state)
{
    (void)state;
    struct lsig_admin_key *key = lsig_admin_key_new(the_key);
    for (int i = 0; i < LSIG_ADMIN_WRONG_PER_MINUTE; i++) {
        assert_int_equal(check(key, "wrong", "a", 1000), LSIG_TOKEN_INVALID);
    }
    assert_int_equal(check(key, "wrong", "a", 1000), LSIG_RATE_LIMIT_EXCEEDED);
    assert_int_equal(check(key, the_key, "a", 1000), LSIG_RATE_LIMIT_EXCEEDED);
    assert_int_equal(check(key, the_key, "b", 1000), LSIG_OK);
    assert_int_equal(check(key, the_key, "a", 1000 + 60000 / LSIG_ADMIN_WRONG_PER_MINUTE), LSIG_OK);
    // The right key takes nothing away.
    for (int i = 0; i < 100; i++) {
        assert_int_equal(check(key, the_key, "a", 8000), LSIG_OK);
    }
    lsig_admin_key_free(key);
}

static void of_very_many_addresses_the_first_are_forgotten(void **state)
{
    (void)state;
    struct lsig_admin_key *key = lsig_admin_key_new(the_key);
    char address[32];
    for (int i = 0; i < LSIG_ADMIN_WRONG_PER_MINUTE; i++) {
        assert_int_equal(check(key, "wrong", "first", 0), LSIG_TOKEN_INVALID);
    }
    for (int i = 0; i < LSIG_ADMIN_ADDRESSES_MAX - 1; i++) {
        snprintf(address, sizeof(address), "n%d", i);
        assert_int_equal(check(key, "wrong", address, 0), LSIG_TOKEN_INVALID);
    }
    assert_int_equal(check(key, "wrong", "first", 0), LSIG_RATE_LIMIT_EXCEEDED);
    assert_int_equal(check(key, "wrong", "one more", 0), LSIG_TOKEN_INVALID);
    assert_int_equal(check(key, "wrong", "first", 0), LSIG_TOKEN_INVALID);
    lsig_admin_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_whole_key_is_the_key),
        cmocka_unit_test(an_address_that_was_wrong_too_often_has_to_wait_also_with_the_right_key),
        cmocka_unit_test(of_very_many_addresses_the_first_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
