#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/metric_table.h"

#define NAME "lunasig_policy_hands_total"

static const struct lsig_metric_spec hands = {.name = NAME,
                                              .help = "Hands \\ raised.",
                                              .kind = LSIG_METRIC_COUNTER,
                                              .labels = {"kind", "plan"},
                                              .label_count = 2};

static int set_up(void **state)
{
    *state = lsig_metric_table_new();
    return 0;
}

static int tear_down(void **state)
{
    lsig_metric_table_unref(*state);
    return 0;
}

static struct lsig_metric *open_metric(struct lsig_metric_table *table,
                                       const struct lsig_metric_spec *spec)
{
    struct lsig_metric *metric;
    assert_int_equal(lsig_metric_table_open(table, spec, &metric), LSIG_OK);
    assert_non_null(metric);
    return metric;
}

static bool add(struct lsig_metric_table *table,
                struct lsig_metric *metric,
                const char *kind,
                const char *plan,
                double by)
{
    struct lsig_span values[] = {lsig_span_of(kind), lsig_span_of(plan)};
    return lsig_metric_table_add(table, metric, values, by);
}

static void prints(struct lsig_metric_table *table, const char *wanted, bool there)
{
    struct lsig_buf out;
    lsig_buf_init(&out, LSIG_METRICS_PRINTED_MAX);
    lsig_metric_table_print(table, &out);
    assert_int_equal(lsig_buf_status(&out), LSIG_OK);
    if ((strstr(out.data, wanted) != NULL) != there) {
        fail_msg("%s\n%s: %s", out.data, there ? "missing" : "not wanted", wanted);
    }
    lsig_buf_clear(&out);
}

static void a_counter_is_printed_with_its_labels(void **state)
{
    struct lsig_metric *metric = open_metric(*state, &hands);
    assert_true(add(*state, metric, "a", "pro", 1));
    assert_true(add(*state, metric, "a", "pro", 2));
    assert_true(add(*state, metric, "b", "pro", 0.5));
    prints(*state,
           "# HELP " NAME " Hands \\\\ raised.\n# TYPE " NAME " counter\n" NAME
           "{kind=\"a\",plan=\"pro\"} 3\n" NAME "{kind=\"b\",plan=\"pro\"} 0.5\n",
           true);
}

static void values_are_escaped_as_the_format_wants(void **state)
{
    struct lsig_metric *metric = open_metric(*state, &hands);
    assert_true(add(*state, metric, "a\"b\\c\nd", "", 1));
    prints(*state, NAME "{kind=\"a\\\"b\\\\c\\nd\",plan=\"\"} 1\n", true);
}

static void a_gauge_without_labels_is_set(void **state)
{
    struct lsig_metric_spec spec = {
        .name = "lunasig_policy_open", .help = "", .kind = LSIG_METRIC_GAUGE};
    struct lsig_metric *metric = open_metric(*state, &spec);
    assert_true(lsig_metric_table_set(*state, metric, NULL, 7));
    assert_true(lsig_metric_table_set(*state, metric, NULL, -1.25));
    prints(*state, "# TYPE lunasig_policy_open gauge\nlunasig_policy_open -1.25\n", true);
}

static void numbers_stay_as_long_as_somebody_has_it_open(void **state)
{
    struct lsig_metric *first = open_metric(*state, &hands);
    assert_true(add(*state, first, "a", "b", 5));
    struct lsig_metric *second = open_metric(*state, &hands);
    assert_ptr_equal(first, second);
    lsig_metric_table_close(*state, first);
    assert_true(add(*state, second, "a", "b", 1));
    prints(*state, "} 6\n", true);
    lsig_metric_table_close(*state, second);
    assert_null(lsig_metric_table_find(*state, NAME));
    prints(*state, NAME, false);
}

static void another_kind_other_labels_and_names_of_the_server_are_refused(void **state)
{
    struct lsig_metric *metric = open_metric(*state, &hands);
    struct lsig_metric *none;
    struct lsig_metric_spec other = hands;
    other.kind = LSIG_METRIC_GAUGE;
    assert_int_equal(lsig_metric_table_open(*state, &other, &none), LSIG_EXISTS);
    assert_null(none);
    other = hands;
    other.labels[1] = "colour";
    assert_int_equal(lsig_metric_table_open(*state, &other, &none), LSIG_EXISTS);
    other = hands;
    other.label_count = 1;
    assert_int_equal(lsig_metric_table_open(*state, &other, &none), LSIG_EXISTS);
    static const char *const taken[] = {"lunasig_policy_version", "lunasig_policy_loads_total",
                                        "lunasig_policy_metrics_dropped_total",
                                        "lunasig_refused_total"};
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        other.name = taken[i];
        assert_int_equal(lsig_metric_table_open(*state, &other, &none), LSIG_EXISTS);
    }
    lsig_metric_table_close(*state, metric);
}

static void above_100_metrics_none_is_opened(void **state)
{
    struct lsig_metric *metric;
    for (int i = 0; i <= LSIG_METRICS_MAX; i++) {
        char name[32];
        snprintf(name, sizeof(name), "lunasig_policy_m%d", i);
        struct lsig_metric_spec spec = {.name = name, .help = "", .kind = LSIG_METRIC_GAUGE};
        assert_int_equal(lsig_metric_table_open(*state, &spec, &metric),
                         i < LSIG_METRICS_MAX ? LSIG_OK : LSIG_TOO_BIG);
    }
}

static void sets_above_the_bound_are_dropped_and_counted(void **state)
{
    struct lsig_metric *metric = open_metric(*state, &hands);
    for (int i = 0; i < LSIG_METRIC_SETS_MAX + 3; i++) {
        char kind[16];
        snprintf(kind, sizeof(kind), "%d", i);
        assert_int_equal(add(*state, metric, kind, "", 1), i < LSIG_METRIC_SETS_MAX);
    }
    assert_true(add(*state, metric, "0", "", 1)); // those that are there go on
    prints(*state, "lunasig_policy_metrics_dropped_total 3\n", true);
}

static void sets_of_a_label_value_are_forgotten(void **state)
{
    struct lsig_metric *metric = open_metric(*state, &hands);
    assert_true(add(*state, metric, "1", "x", 1));
    assert_true(add(*state, metric, "2", "1", 2));
    assert_true(add(*state, metric, "11", "1", 3));
    assert_true(add(*state, metric, "q\",kind=\"1\"", "x", 4)); // looks like it
    lsig_metric_table_drop(*state, metric, 0, lsig_span_of("1"));
    prints(*state, "{kind=\"1\",", false);
    prints(*state, "{kind=\"2\",plan=\"1\"} 2\n", true);
    prints(*state, "{kind=\"11\",plan=\"1\"} 3\n", true);
    prints(*state, " 4\n", true);
    lsig_metric_table_drop(*state, metric, 1, lsig_span_of("1"));
    prints(*state, "plan=\"1\"", false);
    assert_true(add(*state, metric, "1", "x", 1)); // begins again
    prints(*state, "{kind=\"1\",plan=\"x\"} 1\n", true);
}

static void all_of_it_at_its_longest_fits_the_print(void **state)
{
    enum { METRICS = LSIG_METRIC_SETS_ALL_MAX / LSIG_METRIC_SETS_MAX };
    char value[LSIG_METRIC_LABEL_VALUE_MAX + 1];
    char labels[LSIG_METRIC_LABELS_MAX][LSIG_METRIC_LABEL_NAME_MAX + 1];
    struct lsig_metric_spec spec = {
        .help = "", .kind = LSIG_METRIC_GAUGE, .label_count = LSIG_METRIC_LABELS_MAX};
    for (int i = 0; i < LSIG_METRIC_LABELS_MAX; i++) {
        memset(labels[i], 'a' + i, LSIG_METRIC_LABEL_NAME_MAX);
        labels[i][LSIG_METRIC_LABEL_NAME_MAX] = '\0';
        spec.labels[i] = labels[i];
    }
    for (int i = 0; i < METRICS; i++) {
        char name[LSIG_METRIC_NAME_MAX + 1];
        memset(name, 'n', LSIG_METRIC_NAME_MAX);
        name[LSIG_METRIC_NAME_MAX] = '\0';
        name[0] = (char)('a' + i);
        spec.name = name;
        struct lsig_metric *metric = open_metric(*state, &spec);
        for (int j = 0; j < LSIG_METRIC_SETS_MAX; j++) {
            memset(value, '"', LSIG_METRIC_LABEL_VALUE_MAX);
            value[LSIG_METRIC_LABEL_VALUE_MAX] = '\0';
            char number[16];
            memcpy(value, number, (size_t)snprintf(number, sizeof(number), "%d", j));
            struct lsig_span span = {value, LSIG_METRIC_LABEL_VALUE_MAX};
            struct lsig_span values[] = {span, span, span, span};
            assert_true(lsig_metric_table_set(*state, metric, values, -1.0 / 3));
        }
    }
    prints(*state, "lunasig_policy_metrics_dropped_total 0\n", true);
}

static void *open_and_close(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        struct lsig_metric *metric;
        assert_int_equal(lsig_metric_table_open(arg, &hands, &metric), LSIG_OK);
        lsig_metric_table_close(arg, metric);
    }
    return NULL;
}

static void versions_may_be_loaded_in_another_thread(void **state)
{
    pthread_t thread;
    struct lsig_metric *metric = open_metric(*state, &hands);
    assert_int_equal(pthread_create(&thread, NULL, open_and_close, *state), 0);
    for (int i = 0; i < 2000; i++) {
        assert_true(add(*state, metric, "a", "b", 1));
    }
    pthread_join(thread, NULL);
    prints(*state, "} 2000\n", true);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_counter_is_printed_with_its_labels),
        TEST(values_are_escaped_as_the_format_wants),
        TEST(a_gauge_without_labels_is_set),
        TEST(numbers_stay_as_long_as_somebody_has_it_open),
        TEST(another_kind_other_labels_and_names_of_the_server_are_refused),
        TEST(above_100_metrics_none_is_opened),
        TEST(sets_above_the_bound_are_dropped_and_counted),
        TEST(sets_of_a_label_value_are_forgotten),
        TEST(all_of_it_at_its_longest_fits_the_print),
        TEST(versions_may_be_loaded_in_another_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
