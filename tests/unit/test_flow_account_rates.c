#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "flow/account_rates.h"

enum { NOW = 1000000 };

static int64_t take(struct lsig_rate_table *rates, const char *address, int64_t ms)
{
    return lsig_account_rates_take(rates, LSIG_ACCOUNT_RATE_REGISTER, lsig_span_of(address), ms);
}

static void an_address_has_a_burst_and_then_a_rate(void **state)
{
    (void)state;
    struct lsig_rate_table *rates = lsig_account_rates_new();
    for (int i = 0; i < 60; i++) {
        assert_int_equal(take(rates, "a", NOW), 0);
    }
    assert_int_equal(take(rates, "a", NOW), 3);
    assert_int_equal(take(rates, "a", NOW + 2999), 1);
    assert_int_equal(take(rates, "a", NOW + 3000), 0);
    assert_int_equal(take(rates, "a", NOW + 3000), 3);
    assert_int_equal(take(rates, "b", NOW), 0);
    assert_int_equal(
        lsig_account_rates_take(rates, LSIG_ACCOUNT_RATE_GUEST, lsig_span_of("a"), NOW), 0);
    lsig_rate_table_free(rates);
}

static void asking_counts_nothing(void **state)
{
    (void)state;
    struct lsig_rate_table *rates = lsig_account_rates_new();
    struct lsig_span a = lsig_span_of("a");
    for (int i = 0; i < 100; i++) {
        assert_int_equal(lsig_account_rates_check(rates, LSIG_ACCOUNT_RATE_REFRESH, a, NOW), 0);
    }
    for (int i = 0; i < 60; i++) {
        assert_int_equal(lsig_account_rates_take(rates, LSIG_ACCOUNT_RATE_REFRESH, a, NOW), 0);
    }
    assert_int_equal(lsig_account_rates_check(rates, LSIG_ACCOUNT_RATE_REFRESH, a, NOW), 3);
    lsig_rate_table_free(rates);
}

static void the_table_is_bounded_and_forgets_who_came_longest_ago(void **state)
{
    (void)state;
    struct lsig_rate_table *rates = lsig_account_rates_new();
    for (int i = 0; i < 60; i++) {
        take(rates, "first", NOW);
        take(rates, "second", NOW);
    }
    char address[32];
    for (int i = 0; i < LSIG_ACCOUNT_RATES_MAX - 2; i++) {
        snprintf(address, sizeof(address), "%d", i);
        assert_int_equal(take(rates, address, NOW), 0);
    }
    assert_true(take(rates, "first", NOW) > 0);
    assert_int_equal(take(rates, "one more", NOW), 0);
    assert_int_equal(lsig_rate_table_count(rates), LSIG_ACCOUNT_RATES_MAX);
    assert_true(take(rates, "first", NOW) > 0);
    assert_int_equal(take(rates, "second", NOW), 0);
    lsig_rate_table_free(rates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_a_burst_and_then_a_rate),
        cmocka_unit_test(asking_counts_nothing),
        cmocka_unit_test(the_table_is_bounded_and_forgets_who_came_longest_ago),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
