#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "auth/lockout.h"

enum { START = 1000, WINDOW_MS = LSIG_LOCKOUT_S * 1000 };

static int64_t left(struct lsig_lockout *lockout, const char *name, const char *address, int64_t at)
{
    return lsig_lockout_check(lockout, lsig_span_of(name), lsig_span_of(address), at);
}

static void add(struct lsig_lockout *lockout, const char *name, const char *address, int64_t at)
{
    lsig_lockout_add(lockout, lsig_span_of(name), lsig_span_of(address), at);
}

static void the_fifth_failure_locks_for_15_minutes(void **state)
{
    (void)state;
    struct lsig_lockout *lockout = lsig_lockout_new();
    for (int i = 0; i < 4; i++) {
        add(lockout, "ann", "::1", START + i);
        assert_int_equal(left(lockout, "ann", "::1", START + i), 0);
    }
    add(lockout, "ann", "::1", START + 10);
    assert_int_equal(left(lockout, "ann", "::1", START + 10), WINDOW_MS);
    add(lockout, "ann", "::1", START + 5000); // made beside the others: no longer lock
    assert_int_equal(left(lockout, "ann", "::1", START + 10 + WINDOW_MS - 1), 1);
    assert_int_equal(left(lockout, "ann", "::1", START + 10 + WINDOW_MS), 0);
    assert_int_equal(lsig_lockout_count(lockout), 0);
    lsig_lockout_free(lockout);
}

static void another_name_and_another_address_are_free(void **state)
{
    (void)state;
    struct lsig_lockout *lockout = lsig_lockout_new();
    for (int i = 0; i < 5; i++) {
        add(lockout, "ann", "1.2.3.4", START);
    }
    assert_true(left(lockout, "ann", "1.2.3.4", START) > 0);
    assert_int_equal(left(lockout, "ann", "1.2.3.5", START), 0);
    assert_int_equal(left(lockout, "bob", "1.2.3.4", START), 0);
    assert_int_equal(left(lockout, "ann1", ".2.3.4", START), 0);
    lsig_lockout_free(lockout);
}

static void a_login_forgets_the_failures(void **state)
{
    (void)state;
    struct lsig_lockout *lockout = lsig_lockout_new();
    for (int i = 0; i < 4; i++) {
        add(lockout, "ann", "a", START);
    }
    lsig_lockout_remove(lockout, lsig_span_of("ann"), lsig_span_of("a"));
    lsig_lockout_remove(lockout, lsig_span_of("ann"), lsig_span_of("a"));
    add(lockout, "ann", "a", START);
    assert_int_equal(left(lockout, "ann", "a", START), 0);
    lsig_lockout_free(lockout);
}

static void failures_that_are_far_apart_do_not_add_up(void **state)
{
    (void)state;
    struct lsig_lockout *lockout = lsig_lockout_new();
    int64_t at = START;
    for (int i = 0; i < 20; i++, at += WINDOW_MS) {
        add(lockout, "ann", "a", at);
        assert_int_equal(left(lockout, "ann", "a", at), 0);
    }
    lsig_lockout_free(lockout);
}

static void at_the_bound_the_oldest_failure_is_forgotten(void **state)
{
    (void)state;
    struct lsig_lockout *lockout = lsig_lockout_new();
    for (int i = 0; i < 5; i++) {
        add(lockout, "first", "a", START);
        add(lockout, "second", "a", START + 1);
    }
    add(lockout, "third", "a", START);
    char name[16];
    for (int i = 0; i < LSIG_LOCKOUT_ENTRIES_MAX - 2; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        add(lockout, name, "a", START + 2);
    }
    assert_int_equal(lsig_lockout_count(lockout), LSIG_LOCKOUT_ENTRIES_MAX);
    assert_int_equal(left(lockout, "first", "a", START + 2), 0);
    assert_true(left(lockout, "second", "a", START + 2) > 0);
    lsig_lockout_free(lockout);
    lsig_lockout_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fifth_failure_locks_for_15_minutes),
        cmocka_unit_test(another_name_and_another_address_are_free),
        cmocka_unit_test(a_login_forgets_the_failures),
        cmocka_unit_test(failures_that_are_far_apart_do_not_add_up),
        cmocka_unit_test(at_the_bound_the_oldest_failure_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
