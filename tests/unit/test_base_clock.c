#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

static void assert_iso(int64_t wall_ms, const char *expected)
{
    char out[LSIG_CLOCK_ISO_SIZE];
    lsig_clock_print_iso(out, wall_ms);
    assert_string_equal(out, expected);
}

static void times_are_printed_as_iso_8601_in_utc(void **state)
{
    (void)state;
    assert_iso(0, "1970-01-01T00:00:00.000+00:00");
    assert_iso(1, "1970-01-01T00:00:00.001+00:00");
    assert_iso(1795378504120, "2026-11-22T20:15:04.120+00:00");
    assert_iso(1709208000099, "2024-02-29T12:00:00.099+00:00");
    assert_iso(4102444799999, "2099-12-31T23:59:59.999+00:00");
}

static void monotonic_time_does_not_go_back(void **state)
{
    (void)state;
    struct lsig_time before = lsig_clock_now();
    int64_t us = lsig_clock_mono_us();
    for (int i = 0; i < 1000; i++) {
        struct lsig_time now = lsig_clock_now();
        int64_t now_us = lsig_clock_mono_us();
        assert_true(now.mono_ms >= before.mono_ms);
        assert_true(now_us >= us);
        before = now;
        us = now_us;
    }
    // One clock in two units.
    assert_true(us / 1000 - before.mono_ms <= 1000 && us / 1000 >= before.mono_ms);
}

static void wall_time_is_since_1970(void **state)
{
    (void)state;
    assert_true(lsig_clock_now().wall_ms > 1735689600000); // 2025
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_printed_as_iso_8601_in_utc),
        cmocka_unit_test(monotonic_time_does_not_go_back),
        cmocka_unit_test(wall_time_is_since_1970),
    };
    return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
