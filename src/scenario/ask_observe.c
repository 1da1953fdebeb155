// What the server counts and logs.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/metric_table.h"
#include "codec/json.h"
#include "codec/nearest.h"
#include "codec/number.h"
#include "codec/scan.h"
#include "scenario/ask.h"
#include "script/lib_metric.h"

enum {
    NAME_SIZE = LSIG_METRIC_NAME_MAX + 1,
    NAMES_MAX = 256, // of metrics
    PAIR_SIZE = LSIG_METRIC_LABEL_MAX + 1,
    SHOWN_SETS = 10,
    SHOWN_EVENTS = 12,
    SHOWN_MAX = 300,
    PATTERN_MAX = 1024 * 1024,
};

// --- metrics

// One metric of those that are there, as /metrics has them.
struct metric {
    struct lsig_asking *asking;
    struct lsig_span labels; // JSON object of those that count; data NULL: all
    char name[2 * NAME_SIZE];
    bool counter;
    double value;        // of all sets that have the labels
    size_t sets;         // of them
    size_t all_sets;     // that there are
    struct lsig_buf now; // all metrics
};

static struct lsig_span next_line(struct lsig_span *text)
{
    const char *end = memchr(text->data, '\n', text->len);
    struct lsig_span line = {text->data, end != NULL ? (size_t)(end - text->data) : text->len};
    size_t skip = line.len + (end != NULL);
    *text = (struct lsig_span){text->data + skip, text->len - skip};
    return line;
}

// "# TYPE name counter"; False: another line.
static bool read_type(struct lsig_span line, char name[NAME_SIZE], bool *counter)
{
    char type[16];
    char text[NAME_SIZE + 64];
    if (line.len >= sizeof(text) || line.len < 7 || strncmp(line.data, "# TYPE ", 7) != 0) {
        return false;
    }
    snprintf(text, sizeof(text), "%.*s", LSIG_SPAN_ARG(line));
    if (sscanf(text, "# TYPE %96s %15s", name, type) != 2) {
        return false;
    }
    *counter = strcmp(type, "counter") == 0;
    return true;
}

static bool has_name(const struct metric *metric, const char *wanted, bool *counter)
{
    struct lsig_span text = lsig_buf_span(&metric->now);
    char name[NAME_SIZE];
    while (text.len > 0) {
        struct lsig_span line = next_line(&text);
        if (read_type(line, name, counter) && strcmp(name, wanted) == 0) {
            return true;
        }
    }
    return false;
}

static bool fail_unknown(const struct metric *metric, const char *wanted)
{
    struct lsig_span text = lsig_buf_span(&metric->now);
    char(*names)[NAME_SIZE] = lsig_alloc(NAMES_MAX * sizeof(*names));
    const char *words[NAMES_MAX];
    size_t count = 0;
    while (text.len > 0 && count + 1 < NAMES_MAX) {
        bool counter;
        struct lsig_span line = next_line(&text);
        if (!read_type(line, names[count], &counter)) {
            continue;
        }
        size_t prefix = sizeof(LSIG_LIB_METRIC_PREFIX) - 1;
        bool own = strncmp(names[count], LSIG_LIB_METRIC_PREFIX, prefix) == 0 &&
                   strncmp(wanted, LSIG_LIB_METRIC_PREFIX, prefix) != 0;
        words[count] = names[count] + (own ? prefix : 0);
        count += strlen(words[count]) <= LSIG_NEAREST_WORD_MAX;
    }
    const char *nearest = lsig_nearest_find(wanted, words, count);
    if (nearest != NULL) {
        lsig_ask_fail(metric->asking, "there is no metric '%s'; did you mean '%s'?", wanted,
                      nearest);
    } else {
        lsig_ask_fail(metric->asking,
                      "there is no metric '%s': /metrics has lunasig_… of the server, and "
                      "lunasig_policy_NAME for what sig.metric has declared as NAME",
                      wanted);
    }
    free(names);
    return false;
}

// As /metrics has it, or as a policy declares it.
static bool find_metric(struct metric *metric, const char *wanted)
{
    static const struct {
        const char *before;
        const char *behind;
    } forms[] = {{"", ""}, {LSIG_LIB_METRIC_PREFIX, ""}, {LSIG_LIB_METRIC_PREFIX, "_total"}};
    char name[2 * NAME_SIZE];
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        snprintf(name, sizeof(name), "%s%s%s", forms[i].before, wanted, forms[i].behind);
        if (has_name(metric, name, &metric->counter)) {
            snprintf(metric->name, sizeof(metric->name), "%s", name);
            return true;
        }
    }
    return fail_unknown(metric, wanted);
}

static int shorter(size_t name_len)
{
    return name_len < LSIG_METRIC_LABEL_NAME_MAX ? (int)name_len : LSIG_METRIC_LABEL_NAME_MAX;
}

// `name="value"`, as the set of a sample has it.
static void print_pair(char out[PAIR_SIZE], struct lsig_span key, struct lsig_span value)
{
    char text[LSIG_METRIC_LABEL_VALUE_MAX + 1];
    if (lsig_scan_type(value) == LSIG_JSON_STRING) {
        lsig_match_text(value, text, sizeof(text));
    } else {
        snprintf(text, sizeof(text), "%.*s", LSIG_SPAN_ARG(value));
    }
    key.len = (size_t)shorter(key.len);
    out[lsig_metric_print_label(out, key, lsig_span_of(text))] = '\0';
}

// Whether the part stands in the set, between its commas. Quotes inside of values are escaped.
static bool set_has(struct lsig_span set, const char *part, bool whole)
{
    size_t len = strlen(part);
    for (size_t i = 0; i + len <= set.len; i++) {
        bool begins = i == 0 || (set.data[i - 1] == ',' && i > 1 && set.data[i - 2] == '"');
        bool ends = !whole || i + len == set.len || set.data[i + len] == ',';
        if (begins && ends && memcmp(set.data + i, part, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_labels(const struct metric *metric, struct lsig_span set)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    while (metric->labels.data != NULL && lsig_scan_member(metric->labels, &cursor, &key, &value)) {
        char pair[PAIR_SIZE];
        print_pair(pair, key, value);
        if (!set_has(set, pair, true)) {
            return false;
        }
    }
    return true;
}

// The next sample of the metric; set is what stands in its braces.
static bool
next_sample(struct lsig_span *text, const char *name, struct lsig_span *set, double *value)
{
    size_t len = strlen(name);
    while (text->len > 0) {
        struct lsig_span line = next_line(text);
        if (line.len <= len + 1 || memcmp(line.data, name, len) != 0 ||
            (line.data[len] != ' ' && line.data[len] != '{')) {
            continue;
        }
        const char *space = memrchr(line.data, ' ', line.len);
        char number[40];
        size_t number_len = (size_t)(line.data + line.len - space - 1);
        snprintf(number, sizeof(number), "%.*s", (int)number_len, space + 1);
        *value = strtod(number, NULL);
        *set = (struct lsig_span){"", 0};
        if (line.data[len] == '{') {
            *set = (struct lsig_span){line.data + len + 1, (size_t)(space - line.data) - len - 2};
        }
        return true;
    }
    return false;
}

// A label that no set has.
static bool check_labels(struct metric *metric)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    while (metric->labels.data != NULL && lsig_scan_member(metric->labels, &cursor, &key, &value)) {
        char begin[LSIG_METRIC_LABEL_NAME_MAX + 4];
        struct lsig_span text = lsig_buf_span(&metric->now);
        struct lsig_span set;
        double number;
        size_t sets = 0;
        bool found = false;
        snprintf(begin, sizeof(begin), "%.*s=\"", shorter(key.len), key.data);
        while (next_sample(&text, metric->name, &set, &number)) {
            found = found || set_has(set, begin, false);
            sets++;
        }
        if (sets > 0 && !found) {
            return lsig_ask_fail(metric->asking, "%s has no label '%.*s'", metric->name,
                                 LSIG_SPAN_ARG(key));
        }
    }
    return true;
}

static void add_up(struct metric *metric, struct lsig_span text, double sign)
{
    struct lsig_span set;
    double value;
    while (next_sample(&text, metric->name, &set, &value)) {
        metric->all_sets += sign > 0;
        if (has_labels(metric, set)) {
            metric->value += sign * value;
            metric->sets += sign > 0;
        }
    }
}

// A counter counts from the test's beginning on; a gauge is what it is.
static bool read_metric(struct metric *metric, size_t labels)
{
    struct lsig_asking *asking = metric->asking;
    char wanted[NAME_SIZE] = "";
    if (asking->arguments[0].data != NULL) {
        lsig_match_text(asking->arguments[0], wanted, sizeof(wanted));
    }
    if (wanted[0] == '\0') {
        return lsig_ask_fail(asking, "write the name of a metric, such as lunasig_joins_total");
    }
    metric->labels = asking->arguments[labels];
    if (metric->labels.data != NULL && lsig_scan_type(metric->labels) != LSIG_JSON_OBJECT) {
        return lsig_ask_fail(asking, "labels are a table, such as { code = \"ROOM_FULL\" }");
    }
    lsig_witness_print_metrics(asking->world, &metric->now);
    if (!find_metric(metric, wanted) || !check_labels(metric)) {
        return false;
    }
    add_up(metric, lsig_buf_span(&metric->now), 1);
    if (metric->counter) {
        add_up(metric, lsig_span_of(asking->world->witness.metrics_before), -1);
    }
    return true;
}

static void print_value(struct lsig_buf *out, double value)
{
    if (fabs(value) < 9007199254740992.0 && value == floor(value)) {
        lsig_buf_append_format(out, "%lld", (long long)value);
    } else {
        lsig_buf_append_format(out, "%.17g", value);
    }
}

bool lsig_ask_metric(struct lsig_asking *asking)
{
    struct metric metric = {.asking = asking};
    lsig_buf_init(&metric.now, LSIG_WITNESS_METRICS_MAX);
    bool fine = read_metric(&metric, 1);
    if (fine) {
        print_value(asking->answer, metric.value);
    }
    lsig_buf_clear(&metric.now);
    return fine;
}

static void say_sets(const struct metric *metric)
{
    struct lsig_buf *out = metric->asking->answer;
    struct lsig_span text = lsig_buf_span(&metric->now);
    struct lsig_span set;
    double value;
    size_t shown = 0;
    while (next_sample(&text, metric->name, &set, &value)) {
        bool zero = value == 0 && set.len > 0; // the server has one for each code
        if (set.len > 0 && !zero && shown++ < SHOWN_SETS) {
            lsig_buf_append_format(out, "\n    %s{%.*s} ", metric->name, LSIG_SPAN_ARG(set));
            print_value(out, value);
        }
    }
    if (shown > SHOWN_SETS) {
        lsig_buf_append_format(out, "\n    and %zu more", shown - SHOWN_SETS);
    }
}

static bool compare(const struct metric *metric)
{
    struct lsig_asking *asking = metric->asking;
    struct lsig_span wanted = asking->arguments[1];
    char difference[LSIG_MATCH_DIFFERENCE_SIZE];
    struct lsig_buf value;
    bool same;
    lsig_buf_init(&value, NAME_SIZE);
    print_value(&value, metric->value);
    if (lsig_scan_type(wanted) == LSIG_JSON_NUMBER) {
        same = lsig_number_real(wanted) == metric->value;
    } else {
        same = lsig_match(wanted, lsig_buf_span(&value), &asking->world->captures, difference);
    }
    if (!same) {
        bool some = metric->labels.data != NULL;
        lsig_ask_fail(asking, "%s is %s, not %.*s%s%.*s", metric->name, value.data,
                      LSIG_SPAN_ARG(wanted), some ? ", for the labels " : "",
                      some ? (int)metric->labels.len : 0, some ? metric->labels.data : "");
        say_sets(metric);
    }
    lsig_buf_clear(&value);
    return same;
}

bool lsig_ask_expects_metric(struct lsig_asking *asking)
{
    struct metric metric = {.asking = asking};
    if (asking->arguments[1].data == NULL ||
        lsig_scan_type(asking->arguments[1]) == LSIG_JSON_STRING) {
        return lsig_ask_fail(asking,
                             "write a number behind the name: t:expects_metric(\"hands\", 1)");
    }
    lsig_buf_init(&metric.now, LSIG_WITNESS_METRICS_MAX);
    bool fine = read_metric(&metric, 2) && compare(&metric);
    lsig_buf_clear(&metric.now);
    return fine;
}

// --- the log

struct log_expectation {
    struct lsig_asking *asking;
    struct lsig_buf pattern; // JSON
    int64_t within_ms;
    size_t at; // of events that were compared: the next one
    size_t found;
    bool matched;
    char nearest[LSIG_MATCH_DIFFERENCE_SIZE]; // how the nearest event differs
};

static bool read_pattern(struct log_expectation *expectation)
{
    struct lsig_asking *asking = expectation->asking;
    struct lsig_buf *out = &expectation->pattern;
    struct lsig_span given = asking->arguments[0];
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    lsig_buf_init(out, PATTERN_MAX);
    lsig_json_open(out, NULL, '{');
    if (given.data != NULL && lsig_scan_type(given) == LSIG_JSON_STRING) {
        lsig_json_raw(out, "event", given);
    } else if (given.data != NULL && lsig_scan_type(given) != LSIG_JSON_OBJECT) {
        return lsig_ask_fail(asking, "write an event: t:logged { event = \"policy-log\", text = "
                                     "t.match \"raised\" }");
    }
    while (given.data != NULL && lsig_scan_type(given) == LSIG_JSON_OBJECT &&
           lsig_scan_member(given, &cursor, &key, &value)) {
        if (!lsig_span_is(key, "within")) {
            lsig_buf_append_format(out, "%s\"%.*s\":%.*s", out->len > 1 ? "," : "",
                                   LSIG_SPAN_ARG(key), LSIG_SPAN_ARG(value));
        }
    }
    lsig_json_close(out, '}');
    return lsig_ask_read_time(asking, lsig_ask_option(asking, 0, "within"),
                              &expectation->within_ms);
}

// Compares the events that have come since.
static bool look(void *arg)
{
    struct log_expectation *expectation = arg;
    struct lsig_world *world = expectation->asking->world;
    struct lsig_span pattern = lsig_buf_span(&expectation->pattern);
    struct lsig_span wanted = lsig_match_member(pattern, "event");
    for (; !expectation->matched && expectation->at < world->witness.count; expectation->at++) {
        const struct lsig_witness_event *event = &world->witness.events[expectation->at];
        struct lsig_span json = {event->json, event->len};
        char difference[LSIG_MATCH_DIFFERENCE_SIZE];
        if (event->taken) {
            continue;
        }
        if (lsig_match(pattern, json, &world->captures, difference)) {
            expectation->matched = true;
            expectation->found = expectation->at;
        } else if (wanted.data == NULL ||
                   lsig_span_equal(wanted, lsig_match_member(json, "event"))) {
            memcpy(expectation->nearest, difference, sizeof(difference));
        }
    }
    return expectation->matched;
}

// The last events, a line each.
static void say_events(const struct lsig_witness *witness, struct lsig_buf *out)
{
    size_t first = witness->count > SHOWN_EVENTS ? witness->count - SHOWN_EVENTS : 0;
    if (witness->count == 0) {
        lsig_buf_append_text(out, "\n    logged: nothing");
    }
    for (size_t i = first; i < witness->count; i++) {
        const struct lsig_witness_event *event = &witness->events[i];
        lsig_buf_append_format(out, "\n    logged%s: %.*s%s", event->taken ? " (expected)" : "",
                               event->len < SHOWN_MAX ? (int)event->len : SHOWN_MAX, event->json,
                               event->len < SHOWN_MAX ? "" : "...");
    }
    if (witness->lost > 0) {
        lsig_buf_append_format(out, "\n    later ones were not kept (%zu)", witness->lost);
    }
}

static bool await(struct log_expectation *expectation)
{
    return look(expectation) || expectation->within_ms == 0 ||
           lsig_ask_pass(expectation->asking, expectation->within_ms, look, expectation);
}

static bool logged(struct log_expectation *expectation)
{
    struct lsig_asking *asking = expectation->asking;
    struct lsig_witness *witness = &asking->world->witness;
    if (!read_pattern(expectation) || !await(expectation)) {
        return false;
    }
    if (expectation->matched) {
        struct lsig_witness_event *event = &witness->events[expectation->found];
        event->taken = true;
        lsig_buf_append(asking->answer, event->json, event->len);
        return true;
    }
    lsig_ask_fail(asking, "nothing like this was logged: %.*s",
                  expectation->pattern.len < SHOWN_MAX ? (int)expectation->pattern.len : SHOWN_MAX,
                  expectation->pattern.data);
    if (expectation->nearest[0] != '\0') {
        lsig_buf_append_format(asking->answer, "\n    nearest: %s", expectation->nearest);
    }
    say_events(witness, asking->answer);
    return false;
}

bool lsig_ask_logged(struct lsig_asking *asking)
{
    struct log_expectation expectation = {.asking = asking};
    if (asking->arguments[0].data == NULL) {
        return lsig_ask_fail(asking, "write what: t:logged { event = \"policy-log\" }");
    }
    bool fine = logged(&expectation);
    lsig_buf_clear(&expectation.pattern);
    return fine;
}

bool lsig_ask_logged_nothing(struct lsig_asking *asking)
{
    struct log_expectation expectation = {.asking = asking};
    bool fine = read_pattern(&expectation) && await(&expectation);
    if (fine && expectation.matched) {
        const struct lsig_witness_event *event = &asking->world->witness.events[expectation.found];
        fine = lsig_ask_fail(asking, "this was logged: %.*s%s",
                             event->len < SHOWN_MAX ? (int)event->len : SHOWN_MAX, event->json,
                             event->len < SHOWN_MAX ? "" : "...");
    }
    lsig_buf_clear(&expectation.pattern);
    return fine;
}
