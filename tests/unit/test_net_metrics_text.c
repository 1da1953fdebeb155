#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/metrics_text.h"

static struct lsig_metrics filled(void)
{
    struct lsig_metrics metrics = {0};
    int64_t number = 1000;
#define X(field, kind, name, help) metrics.field = ++number;
    LSIG_METRICS(X)
#undef X
    for (int i = 0; i < LSIG_STATUS_COUNT; i++) {
        metrics.refused[i] = 5000 + i;
    }
    return metrics;
}

static char *printed(const struct lsig_metrics *metrics)
{
    struct lsig_buf out;
    lsig_buf_init(&out, 65536);
    lsig_metrics_print(&out, metrics);
    assert_int_equal(lsig_buf_status(&out), LSIG_OK);
    return lsig_buf_take(&out, NULL);
}

static bool has_line(const char *text, const char *line)
{
    size_t len = strlen(line);
    for (const char *at = text; (at = strstr(at, line)) != NULL; at += 1) {
        if ((at == text || at[-1] == '\n') && at[len] == '\n') {
            return true;
        }
    }
    return false;
}

static size_t name_len(const char *text)
{
    size_t len = 0;
    while (isalnum((unsigned char)text[len]) || text[len] == '_' || text[len] == ':') {
        len += 1;
    }
    return len;
}

// name{label="value"} number, of the family that was announced before.
static void check_sample(const char *line, const char *family, bool counter)
{
    size_t len = name_len(line);
    assert_true(len > 0 && !isdigit((unsigned char)line[0]));
    assert_int_equal(len, strlen(family));
    assert_memory_equal(line, family, len);
    const char *at = line + len;
    if (*at == '{') {
        size_t label = name_len(at + 1);
        assert_true(label > 0);
        at += 1 + label;
        assert_memory_equal(at, "=\"", 2);
        at = strchr(at + 2, '"');
        assert_non_null(at);
        assert_int_equal(at[1], '}');
        at += 2;
    }
    assert_int_equal(*at, ' ');
    char *end;
    double value = strtod(at + 1, &end);
    assert_int_equal(*end, '\0');
    assert_true(!counter || value >= 0);
}

static void every_line_is_what_prometheus_reads(void **state)
{
    (void)state;
    struct lsig_metrics metrics = filled();
    char *text = printed(&metrics);
    assert_int_equal(text[strlen(text) - 1], '\n');
    char family[128] = "";
    char kind[16] = "";
    char helped[128] = "";
    int samples = 0;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL && rest != NULL;) {
        if (strncmp(line, "# HELP ", 7) == 0) {
            assert_int_equal(sscanf(line, "# HELP %127s", helped), 1);
            assert_true(strlen(line) > 7 + strlen(helped) + 1); // promtool wants a text
            assert_null(strchr(line, '\\'));
        } else if (strncmp(line, "# TYPE ", 7) == 0) {
            assert_int_equal(sscanf(line, "# TYPE %127s %15s", family, kind), 2);
            assert_string_equal(family, helped);
            bool counter = strcmp(kind, "counter") == 0;
            assert_true(counter || strcmp(kind, "gauge") == 0);
            size_t len = strlen(family);
            // Counters, and they alone, end in _total.
            assert_int_equal(len > 6 && strcmp(family + len - 6, "_total") == 0, counter);
        } else {
            check_sample(line, family, strcmp(kind, "counter") == 0);
            samples += 1;
        }
    }
    int fields = 0;
#define X(field, kind, name, help) fields += 1;
    LSIG_METRICS(X)
#undef X
    assert_int_equal(samples, fields + LSIG_STATUS_COUNT - LSIG_HANDLED - 1);
    free(text);
}

static void every_figure_is_its_own(void **state)
{
    (void)state;
    struct lsig_metrics metrics = filled();
    char *text = printed(&metrics);
    char line[160];
    enum { COUNTER, GAUGE, MILLISECONDS, MICROSECONDS };
#define X(field, kind, name, help)                                                                 \
    if (kind == MILLISECONDS) {                                                                    \
        snprintf(line, sizeof(line), "%s %.3f", name, (double)metrics.field / 1000.0);             \
    } else if (kind == MICROSECONDS) {                                                             \
        snprintf(line, sizeof(line), "%s %.6f", name, (double)metrics.field / 1e6);                \
    } else {                                                                                       \
        snprintf(line, sizeof(line), "%s %lld", name, (long long)metrics.field);                   \
    }                                                                                              \
    assert_true(has_line(text, line));
    LSIG_METRICS(X)
#undef X
    snprintf(line, sizeof(line), "lunasig_refused_total{code=\"ROOM_FULL\"} %d",
             5000 + LSIG_ROOM_FULL);
    assert_true(has_line(text, line));
    assert_null(strstr(text, "code=\"OK\""));
    assert_null(strstr(text, "code=\"WAITING\""));
    free(text);
}

static void no_family_is_announced_twice(void **state)
{
    (void)state;
    struct lsig_metrics metrics = {0};
    char *text = printed(&metrics);
#define X(field, kind, name, help)                                                                 \
    {                                                                                              \
        const char *first = strstr(text, "# TYPE " name " ");                                      \
        assert_non_null(first);                                                                    \
        assert_null(strstr(first + 1, "# TYPE " name " "));                                        \
    }
    LSIG_METRICS(X)
#undef X
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_is_what_prometheus_reads),
        cmocka_unit_test(every_figure_is_its_own),
        cmocka_unit_test(no_family_is_announced_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
