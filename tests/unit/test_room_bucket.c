#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "room/bucket.h"

enum { START = 5000000 };

static struct lsig_rate_spec rate(const char *text)
{
    struct lsig_rate_spec spec;
    const char *what = NULL;
    assert_true(lsig_rate_spec_parse(&spec, lsig_span_of(text), false, &what));
    return spec;
}

static int64_t taken(struct lsig_bucket *bucket, const struct lsig_rate_spec *spec, int64_t at)
{
    int64_t count = 0;
    while (lsig_bucket_take(bucket, spec, 1, at, NULL)) {
        count += 1;
        assert_true(count <= 1000000);
    }
    return count;
}

static void an_empty_bucket_lets_exactly_the_burst_pass(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t burst;
    } cases[] = {{"10/s burst 100", 100}, {"10", 100},
                 {"3/s burst 7", 7},      {"1/s burst 1", 1},
                 {"7/min burst 30", 30},  {"50/s burst 1000", 1000},
                 {"9/h burst 11", 11},    {"1000/s burst 1", 1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lsig_rate_spec spec = rate(cases[i].text);
        struct lsig_bucket bucket = {0};
        assert_int_equal(taken(&bucket, &spec, START), cases[i].burst);
    }
}

static void after_the_burst_the_rate_passes_and_no_more(void **state)
{
    (void)state;
    struct lsig_rate_spec spec = rate("10/s burst 20");
    struct lsig_bucket bucket = {0};
    assert_int_equal(taken(&bucket, &spec, START), 20);
    assert_int_equal(taken(&bucket, &spec, START + 99), 0);
    assert_int_equal(taken(&bucket, &spec, START + 100), 1);
    assert_int_equal(taken(&bucket, &spec, START + 1000), 9);
    int64_t passed = 0;
    for (int64_t ms = 1; ms <= 60000; ms++) {
        passed += taken(&bucket, &spec, START + 1000 + ms);
    }
    assert_int_equal(passed, 600);
}

static void a_pause_fills_the_burst_again_and_not_more(void **state)
{
    (void)state;
    struct lsig_rate_spec spec = rate("10/s burst 20");
    struct lsig_bucket bucket = {0};
    assert_int_equal(taken(&bucket, &spec, START), 20);
    assert_int_equal(taken(&bucket, &spec, START + 2000), 20);
    assert_int_equal(taken(&bucket, &spec, START + 100000), 20);
}

static void the_retry_time_is_the_first_at_which_it_passes(void **state)
{
    (void)state;
    static const char *const texts[] = {"10/s burst 20", "3/s burst 5", "7/min burst 2",
                                        "11/h burst 1"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct lsig_rate_spec spec = rate(texts[i]);
        struct lsig_bucket bucket = {0};
        taken(&bucket, &spec, START);
        int64_t retry_ms = -1;
        assert_false(lsig_bucket_take(&bucket, &spec, 1, START, &retry_ms));
        assert_true(retry_ms > 0);
        assert_false(lsig_bucket_take(&bucket, &spec, 1, START + retry_ms - 1, NULL));
        assert_true(lsig_bucket_take(&bucket, &spec, 1, START + retry_ms, NULL));
    }
}

static void what_is_refused_costs_nothing(void **state)
{
    (void)state;
    struct lsig_rate_spec spec = rate("1/s burst 3");
    struct lsig_bucket bucket = {0};
    assert_true(lsig_bucket_take(&bucket, &spec, 2, START, NULL));
    struct lsig_bucket before = bucket;
    assert_false(lsig_bucket_take(&bucket, &spec, 2, START, NULL));
    assert_int_equal(bucket.full_until_us, before.full_until_us);
    assert_true(lsig_bucket_take(&bucket, &spec, 1, START, NULL)); // a smaller one still fits
}

static void an_amount_counts_as_so_many(void **state)
{
    (void)state;
    struct lsig_rate_spec spec = rate("256 KiB/s burst 2 MiB");
    struct lsig_bucket bucket = {0};
    int64_t retry_ms = 0;
    for (int i = 0; i < 32; i++) {
        assert_true(lsig_bucket_take(&bucket, &spec, 65536, START, &retry_ms));
    }
    assert_false(lsig_bucket_take(&bucket, &spec, 65536, START, &retry_ms));
    assert_int_equal(retry_ms, 250); // a quarter of a second's bytes
    assert_true(lsig_bucket_take(&bucket, &spec, 65536, START + 250, NULL));
    assert_true(lsig_bucket_take(&bucket, &spec, 0, START + 250, NULL));
}

static void a_rate_of_zero_switches_it_off(void **state)
{
    (void)state;
    struct lsig_rate_spec spec = rate("0");
    struct lsig_bucket bucket = {0};
    for (int i = 0; i < 100000; i++) {
        assert_true(lsig_bucket_take(&bucket, &spec, 1000000, START, NULL));
    }
    assert_int_equal(bucket.full_until_us, 0);
}

static void looking_tells_what_would_pass_and_takes_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"10/s burst 20", "3/s burst 7", "7/min burst 30",
                                        "9/h burst 11", "1/s burst 1"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct lsig_rate_spec spec = rate(texts[i]);
        struct lsig_bucket bucket = {0};
        assert_int_equal(lsig_bucket_look(NULL, &spec, START).remaining, spec.burst);
        for (int64_t left = spec.burst; left > 0; left--) {
            struct lsig_bucket_view view = lsig_bucket_look(&bucket, &spec, START);
            assert_int_equal(view.remaining, left);
            assert_int_equal(view.retry_ms, 0);
            assert_true(lsig_bucket_take(&bucket, &spec, 1, START, NULL));
        }
        int64_t retry_ms;
        assert_false(lsig_bucket_take(&bucket, &spec, 1, START, &retry_ms));
        struct lsig_bucket_view view = lsig_bucket_look(&bucket, &spec, START);
        assert_int_equal(view.remaining, 0);
        assert_int_equal(view.retry_ms, retry_ms);
        int64_t full = START + view.reset_ms;
        assert_int_equal(lsig_bucket_look(&bucket, &spec, full).remaining, spec.burst);
        assert_int_equal(lsig_bucket_look(&bucket, &spec, full).reset_ms, 0);
        assert_true(lsig_bucket_look(&bucket, &spec, full - 2).reset_ms > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_bucket_lets_exactly_the_burst_pass),
        cmocka_unit_test(after_the_burst_the_rate_passes_and_no_more),
        cmocka_unit_test(a_pause_fills_the_burst_again_and_not_more),
        cmocka_unit_test(the_retry_time_is_the_first_at_which_it_passes),
        cmocka_unit_test(what_is_refused_costs_nothing),
        cmocka_unit_test(an_amount_counts_as_so_many),
        cmocka_unit_test(a_rate_of_zero_switches_it_off),
        cmocka_unit_test(looking_tells_what_would_pass_and_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
