#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/rate_spec.h"

static void rates_are_written_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct lsig_rate_spec expected;
    } cases[] = {
        {"10", {10, 1000, 100, LSIG_PER_CONNECTION}},
        {"10/s", {10, 1000, 100, LSIG_PER_CONNECTION}},
        {"10/s burst 100", {10, 1000, 100, LSIG_PER_CONNECTION}},
        {"10 burst 30", {10, 1000, 30, LSIG_PER_CONNECTION}},
        {"5/min", {5, 60000, 50, LSIG_PER_CONNECTION}},
        {"7/h burst 1", {7, 3600000, 1, LSIG_PER_CONNECTION}},
        {"256 KiB/s burst 2 MiB", {256 * 1024, 1000, 2 * 1024 * 1024, LSIG_PER_CONNECTION}},
        {"256KiB/s burst 2MiB", {256 * 1024, 1000, 2 * 1024 * 1024, LSIG_PER_CONNECTION}},
        {"1 MiB", {1024 * 1024, 1000, 10 * 1024 * 1024, LSIG_PER_CONNECTION}},
        {"2/s burst 5 per user", {2, 1000, 5, LSIG_PER_USER}},
        {"50/s per room", {50, 1000, 500, LSIG_PER_ROOM}},
        {"1/s per ip", {1, 1000, 10, LSIG_PER_IP}},
        {"1/s per connection", {1, 1000, 10, LSIG_PER_CONNECTION}},
        {"0", {0, 1000, 0, LSIG_PER_CONNECTION}},
        {"0/s burst 0", {0, 1000, 0, LSIG_PER_CONNECTION}},
        {"  10/s\tburst  100  ", {10, 1000, 100, LSIG_PER_CONNECTION}},
        {"999999999 MiB",
         {999999999 * 1048576LL, 1000, 9999999990 * 1048576LL, LSIG_PER_CONNECTION}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lsig_rate_spec spec;
        const char *what = NULL;
        if (!lsig_rate_spec_parse(&spec, lsig_span_of(cases[i].text), true, &what)) {
            fail_msg("%s: %s", cases[i].text, what);
        }
        assert_true(spec.count == cases[i].expected.count);
        assert_true(spec.period_ms == cases[i].expected.period_ms);
        assert_true(spec.burst == cases[i].expected.burst);
        assert_int_equal(spec.scope, cases[i].expected.scope);
    }
}

static void everything_else_is_refused_with_what_to_write(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "write a whole number first"},
        {"ten", "write a whole number first"},
        {"-1", "write a whole number first"},
        {"/s", "write a whole number first"},
        {"10.5/s", "write a rate as"},
        {"10/", "write the period as"},
        {"10/sec", "write the period as"},
        {"10/minute", "write the period as"},
        {"10/d", "write the period as"},
        {"10 KB/s", "write a rate as"},
        {"10 kib/s", "write a rate as"},
        {"10/s burst", "write a whole number of at most 9 digits after burst"},
        {"10/s burst many", "write a whole number of at most 9 digits after burst"},
        {"10/s burst 1000000000", "write a whole number of at most 9 digits after burst"},
        {"10/s burst 0", "a burst of 0 lets nothing through"},
        {"1000000000", "a number of a rate has at most 9 digits"},
        {"10/s per", "write per connection"},
        {"10/s per member", "write per connection"},
        {"10/s per users", "write per connection"},
        {"10/s per user burst 5", "write a rate as"},
        {"10/s, 5/s", "write the period as"},
        {"10/s x", "write a rate as"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lsig_rate_spec spec = {1, 2, 3, LSIG_PER_IP};
        const char *what = "";
        if (lsig_rate_spec_parse(&spec, lsig_span_of(cases[i][0]), true, &what)) {
            fail_msg("accepted: %s", cases[i][0]);
        }
        if (strncmp(what, cases[i][1], strlen(cases[i][1])) != 0) {
            fail_msg("%s: %s", cases[i][0], what);
        }
        assert_true(spec.count == 1 && spec.period_ms == 2 && spec.burst == 3 &&
                    spec.scope == LSIG_PER_IP);
    }
}

static void a_scope_is_refused_where_it_means_nothing(void **state)
{
    (void)state;
    struct lsig_rate_spec spec;
    const char *what = "";
    assert_false(lsig_rate_spec_parse(&spec, lsig_span_of("2/s per user"), false, &what));
    assert_string_equal(what, "this rate has its own scope; leave `per` out");
    assert_true(lsig_rate_spec_parse(&spec, lsig_span_of("2/s"), false, &what));
}

static void text_ends_where_its_length_says(void **state)
{
    (void)state;
    struct lsig_rate_spec spec;
    const char *what = "";
    assert_true(lsig_rate_spec_parse(&spec, (struct lsig_span){"10/s burst 100", 12}, true, &what));
    assert_true(spec.burst == 1);
}

static void scopes_have_names(void **state)
{
    (void)state;
    assert_string_equal(lsig_rate_scope_name(LSIG_PER_CONNECTION), "connection");
    assert_string_equal(lsig_rate_scope_name(LSIG_PER_USER), "user");
    assert_string_equal(lsig_rate_scope_name(LSIG_PER_IP), "ip");
    assert_string_equal(lsig_rate_scope_name(LSIG_PER_ROOM), "room");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_written_as_people_write_them),
        cmocka_unit_test(everything_else_is_refused_with_what_to_write),
        cmocka_unit_test(a_scope_is_refused_where_it_means_nothing),
        cmocka_unit_test(text_ends_where_its_length_says),
        cmocka_unit_test(scopes_have_names),
    };
    return cmocka_run_group_tests_name("codec/rate_spec", tests, NULL, NULL);
}
