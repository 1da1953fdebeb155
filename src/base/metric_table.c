#include "base/metric_table.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/metrics.h"

#define DROPPED "lunasig_policy_metrics_dropped_total"

enum {
    TEXT_MAX = LSIG_METRIC_LABELS_MAX * (LSIG_METRIC_LABEL_MAX + 1) // with the commas
};

// One set of label values. The text is what stands between the braces, and the key in the map.
struct sample {
    double value;
    size_t len;
    char text[];
};

struct lsig_metric {
    char *name;
    char *help;
    enum lsig_metric_kind kind;
    char *labels[LSIG_METRIC_LABELS_MAX];
    size_t label_count;
    size_t opened;
    struct sample **samples; // in the order in which they came
    size_t count;
    struct lsig_map by_text;
};

struct lsig_metric_table {
    pthread_mutex_t lock;
    size_t refs;
    struct lsig_metric *metrics[LSIG_METRICS_MAX]; // in the order in which they came
    size_t count;
    size_t sets;
    uint64_t dropped;
};

bool lsig_metric_table_name_ok(const char *name)
{
    return name[0] != '\0' && (name[0] < '0' || name[0] > '9') &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

// --- the table

struct lsig_metric_table *lsig_metric_table_new(void)
{
    struct lsig_metric_table *table = lsig_alloc(sizeof(*table));
    pthread_mutex_init(&table->lock, NULL);
    table->refs = 1;
    return table;
}

static void metric_free(struct lsig_metric *metric)
{
    lsig_map_clear(&metric->by_text);
    for (size_t i = 0; i < metric->count; i++) {
        free(metric->samples[i]);
    }
    for (size_t i = 0; i < metric->label_count; i++) {
        free(metric->labels[i]);
    }
    free(metric->samples);
    free(metric->name);
    free(metric->help);
    free(metric);
}

void lsig_metric_table_ref(struct lsig_metric_table *table)
{
    pthread_mutex_lock(&table->lock);
    table->refs++;
    pthread_mutex_unlock(&table->lock);
}

void lsig_metric_table_unref(struct lsig_metric_table *table)
{
    if (table == NULL) {
        return;
    }
    pthread_mutex_lock(&table->lock);
    size_t left = --table->refs;
    pthread_mutex_unlock(&table->lock);
    if (left > 0) {
        return;
    }
    for (size_t i = 0; i < table->count; i++) {
        metric_free(table->metrics[i]);
    }
    pthread_mutex_destroy(&table->lock);
    free(table);
}

// --- metrics

static bool is_reserved(const char *name)
{
    static const char *const names[] = {DROPPED, "lunasig_refused_total",
#define X(field, kind, name, help) name,
                                        LSIG_METRICS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static struct lsig_metric *find(struct lsig_metric_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->metrics[i]->name, name) == 0) {
            return table->metrics[i];
        }
    }
    return NULL;
}

static bool is_same(const struct lsig_metric *metric, const struct lsig_metric_spec *spec)
{
    bool same = metric->kind == spec->kind && metric->label_count == spec->label_count;
    for (size_t i = 0; same && i < spec->label_count; i++) {
        same = strcmp(metric->labels[i], spec->labels[i]) == 0;
    }
    return same;
}

static struct lsig_metric *metric_new(const struct lsig_metric_spec *spec)
{
    struct lsig_metric *metric = lsig_alloc(sizeof(*metric));
    metric->name = lsig_strdup(spec->name);
    metric->help = lsig_strdup("");
    metric->kind = spec->kind;
    metric->label_count = spec->label_count;
    for (size_t i = 0; i < spec->label_count; i++) {
        metric->labels[i] = lsig_strdup(spec->labels[i]);
    }
    lsig_map_init(&metric->by_text);
    return metric;
}

static void check_spec(const struct lsig_metric_spec *spec)
{
    assert(lsig_metric_table_name_ok(spec->name) && strlen(spec->name) <= LSIG_METRIC_NAME_MAX);
    assert(strlen(spec->help) <= LSIG_METRIC_HELP_MAX && strchr(spec->help, '\n') == NULL);
    assert(spec->label_count <= LSIG_METRIC_LABELS_MAX);
    for (size_t i = 0; i < spec->label_count; i++) {
        assert(lsig_metric_table_name_ok(spec->labels[i]));
        assert(strlen(spec->labels[i]) <= LSIG_METRIC_LABEL_NAME_MAX);
    }
}

static enum lsig_status open_metric(struct lsig_metric_table *table,
                                    const struct lsig_metric_spec *spec,
                                    struct lsig_metric **metric)
{
    struct lsig_metric *found = find(table, spec->name);
    if (is_reserved(spec->name) || (found != NULL && !is_same(found, spec))) {
        return LSIG_EXISTS;
    }
    if (found == NULL && table->count == LSIG_METRICS_MAX) {
        return LSIG_TOO_BIG;
    }
    if (found == NULL) {
        found = metric_new(spec);
        table->metrics[table->count++] = found;
    }
    free(found->help);
    found->help = lsig_strdup(spec->help);
    found->opened++;
    *metric = found;
    return LSIG_OK;
}

enum lsig_status lsig_metric_table_open(struct lsig_metric_table *table,
                                        const struct lsig_metric_spec *spec,
                                        struct lsig_metric **metric)
{
    check_spec(spec);
    *metric = NULL;
    pthread_mutex_lock(&table->lock);
    enum lsig_status status = open_metric(table, spec, metric);
    pthread_mutex_unlock(&table->lock);
    return status;
}

void lsig_metric_table_close(struct lsig_metric_table *table, struct lsig_metric *metric)
{
    pthread_mutex_lock(&table->lock);
    if (--metric->opened == 0) {
        size_t at = 0;
        while (table->metrics[at] != metric) {
            at++;
        }
        table->count--;
        memmove(&table->metrics[at], &table->metrics[at + 1],
                (table->count - at) * sizeof(struct lsig_metric *));
        table->sets -= metric->count;
        metric_free(metric);
    }
    pthread_mutex_unlock(&table->lock);
}

struct lsig_metric *lsig_metric_table_find(struct lsig_metric_table *table, const char *name)
{
    pthread_mutex_lock(&table->lock);
    struct lsig_metric *metric = find(table, name);
    pthread_mutex_unlock(&table->lock);
    return metric;
}

// --- numbers

size_t lsig_metric_print_label(char *out, struct lsig_span name, struct lsig_span value)
{
    assert(name.len <= LSIG_METRIC_LABEL_NAME_MAX && value.len <= LSIG_METRIC_LABEL_VALUE_MAX);
    size_t len = name.len;
    memcpy(out, name.data, len);
    out[len++] = '=';
    out[len++] = '"';
    for (size_t i = 0; i < value.len; i++) {
        char byte = value.data[i];
        if (byte == '\\' || byte == '"' || byte == '\n') {
            out[len++] = '\\';
        }
        out[len++] = (char)(byte == '\n' ? 'n' : byte);
    }
    out[len++] = '"';
    return len;
}

static struct lsig_span
print_set(char out[TEXT_MAX], const struct lsig_metric *metric, const struct lsig_span *values)
{
    size_t len = 0;
    for (size_t i = 0; i < metric->label_count; i++) {
        if (i > 0) {
            out[len++] = ',';
        }
        len += lsig_metric_print_label(out + len, lsig_span_of(metric->labels[i]), values[i]);
    }
    return (struct lsig_span){out, len};
}

// The sample of these values, made if it is not there. NULL: it does not fit.
static struct sample *sample_of(struct lsig_metric_table *table,
                                struct lsig_metric *metric,
                                const struct lsig_span *values)
{
    char buffer[TEXT_MAX];
    struct lsig_span text = print_set(buffer, metric, values);
    struct sample *sample = lsig_map_find(&metric->by_text, text);
    if (sample != NULL) {
        return sample;
    }
    if (metric->count == LSIG_METRIC_SETS_MAX || table->sets == LSIG_METRIC_SETS_ALL_MAX) {
        table->dropped++;
        return NULL;
    }
    sample = lsig_alloc(sizeof(*sample) + text.len);
    sample->len = text.len;
    memcpy(sample->text, text.data, text.len);
    metric->samples = lsig_realloc(metric->samples, (metric->count + 1) * sizeof(struct sample *));
    metric->samples[metric->count++] = sample;
    table->sets++;
    lsig_map_add(&metric->by_text, (struct lsig_span){sample->text, sample->len}, sample);
    return sample;
}

bool lsig_metric_table_add(struct lsig_metric_table *table,
                           struct lsig_metric *metric,
                           const struct lsig_span *values,
                           double by)
{
    pthread_mutex_lock(&table->lock);
    struct sample *sample = sample_of(table, metric, values);
    if (sample != NULL) {
        sample->value += by;
    }
    pthread_mutex_unlock(&table->lock);
    return sample != NULL;
}

bool lsig_metric_table_set(struct lsig_metric_table *table,
                           struct lsig_metric *metric,
                           const struct lsig_span *values,
                           double value)
{
    pthread_mutex_lock(&table->lock);
    struct sample *sample = sample_of(table, metric, values);
    if (sample != NULL) {
        sample->value = value;
    }
    pthread_mutex_unlock(&table->lock);
    return sample != NULL;
}

// Whether the set has the pair. Quotes inside of values are escaped, so that a pair is found
// nowhere else.
static bool has_pair(const struct sample *sample, struct lsig_span pair)
{
    struct lsig_span left = {sample->text, sample->len};
    while (left.len >= pair.len) {
        const char *found = memmem(left.data, left.len, pair.data, pair.len);
        if (found == NULL) {
            return false;
        }
        const char *behind = found + pair.len;
        bool begins = found == sample->text || found[-1] == ',';
        bool ends = behind == sample->text + sample->len || *behind == ',';
        if (begins && ends) {
            return true;
        }
        left.len -= (size_t)(found + 1 - left.data);
        left.data = found + 1;
    }
    return false;
}

void lsig_metric_table_drop(struct lsig_metric_table *table,
                            struct lsig_metric *metric,
                            size_t label,
                            struct lsig_span value)
{
    char buffer[TEXT_MAX];
    assert(label < metric->label_count);
    struct lsig_span name = lsig_span_of(metric->labels[label]);
    struct lsig_span pair = {buffer, lsig_metric_print_label(buffer, name, value)};
    pthread_mutex_lock(&table->lock);
    size_t kept = 0;
    for (size_t i = 0; i < metric->count; i++) {
        struct sample *sample = metric->samples[i];
        if (has_pair(sample, pair)) {
            lsig_map_remove(&metric->by_text, (struct lsig_span){sample->text, sample->len});
            free(sample);
            table->sets--;
        } else {
            metric->samples[kept++] = sample;
        }
    }
    metric->count = kept;
    pthread_mutex_unlock(&table->lock);
}

// --- printing

static void print_number(struct lsig_buf *out, double value)
{
    if (isnan(value)) {
        lsig_buf_append_text(out, "NaN");
    } else if (isinf(value)) {
        lsig_buf_append_text(out, value > 0 ? "+Inf" : "-Inf");
    } else if (fabs(value) < 9007199254740992.0 && value == floor(value)) {
        lsig_buf_append_format(out, "%lld", (long long)value);
    } else {
        lsig_buf_append_format(out, "%.17g", value);
    }
}

static void
print_sample(struct lsig_buf *out, const struct lsig_metric *metric, const struct sample *sample)
{
    lsig_buf_append_text(out, metric->name);
    if (sample->len > 0) {
        lsig_buf_append(out, "{", 1);
        lsig_buf_append(out, sample->text, sample->len);
        lsig_buf_append(out, "}", 1);
    }
    lsig_buf_append(out, " ", 1);
    print_number(out, sample->value);
    lsig_buf_append(out, "\n", 1);
}

static void print_head(struct lsig_buf *out, const struct lsig_metric *metric)
{
    lsig_buf_append_format(out, "# HELP %s ", metric->name);
    if (metric->help[0] == '\0') { // promtool wants a text
        lsig_buf_append_text(out, "Counted by a policy.");
    }
    for (const char *at = metric->help; *at != '\0'; at++) {
        lsig_buf_append(out, at, 1);
        if (*at == '\\') {
            lsig_buf_append(out, at, 1);
        }
    }
    lsig_buf_append_format(out, "\n# TYPE %s %s\n", metric->name,
                           metric->kind == LSIG_METRIC_COUNTER ? "counter" : "gauge");
}

void lsig_metric_table_print(struct lsig_metric_table *table, struct lsig_buf *out)
{
    pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < table->count; i++) {
        const struct lsig_metric *metric = table->metrics[i];
        print_head(out, metric);
        for (size_t j = 0; j < metric->count; j++) {
            print_sample(out, metric, metric->samples[j]);
        }
    }
    lsig_buf_append_format(out,
                           "# HELP " DROPPED " Changes of policies' metrics dropped because "
                           "there were too many label values.\n# TYPE " DROPPED " counter\n" DROPPED
                           " %llu\n",
                           (unsigned long long)table->dropped);
    pthread_mutex_unlock(&table->lock);
}
