// metric_table.h - metrics that are named while the server runs: what policies count.
//
// A metric is opened by everybody who counts in it and is there, with its numbers, until the last
// of them has closed it: a version of the policies that counts on where the one before stopped
// finds them. Bounded in every way; what does not fit is dropped and counted. Any thread: a lock is
// held for the time of a call.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "base/status.h"

enum {
    LSIG_METRIC_NAME_MAX = 96, // bytes, with what stands in front of it
    LSIG_METRIC_HELP_MAX = 200,
    LSIG_METRIC_LABELS_MAX = 4,
    LSIG_METRIC_LABEL_NAME_MAX = 32,
    LSIG_METRIC_LABEL_VALUE_MAX = 64, // bytes before they are escaped; asserted
    LSIG_METRIC_LABEL_MAX = LSIG_METRIC_LABEL_NAME_MAX + 2 * LSIG_METRIC_LABEL_VALUE_MAX + 3,
    LSIG_METRICS_MAX = 100,
    LSIG_METRIC_SETS_MAX = 1000,      // sets of label values of one metric
    LSIG_METRIC_SETS_ALL_MAX = 10000, // of all together: what one scrape can print in some ms
    LSIG_METRICS_PRINTED_MAX = 8 * 1024 * 1024, // bytes: all of it fits
};

enum lsig_metric_kind { LSIG_METRIC_COUNTER, LSIG_METRIC_GAUGE };

// Names as Prometheus wants them: [a-z_][a-z0-9_]*, asserted. A counter's ends in _total.
struct lsig_metric_spec {
    const char *name;
    const char *help; // one line of UTF-8; "" is fine
    enum lsig_metric_kind kind;
    const char *labels[LSIG_METRIC_LABELS_MAX]; // all different
    size_t label_count;
};

struct lsig_metric;
struct lsig_metric_table;

bool lsig_metric_table_name_ok(const char *name);

struct lsig_metric_table *lsig_metric_table_new(void);
void lsig_metric_table_ref(struct lsig_metric_table *table);
void lsig_metric_table_unref(struct lsig_metric_table *table); // NULL is fine; the last one frees

// LSIG_EXISTS: the name is one of the server's own (metrics.h), or of a metric of another kind or
// with other labels. LSIG_TOO_BIG: there are LSIG_METRICS_MAX. *metric is NULL then. The help that
// was given last counts.
LSIG_MUST_USE enum lsig_status lsig_metric_table_open(struct lsig_metric_table *table,
                                                      const struct lsig_metric_spec *spec,
                                                      struct lsig_metric **metric);
void lsig_metric_table_close(struct lsig_metric_table *table, struct lsig_metric *metric);
// One that somebody has open, or NULL.
struct lsig_metric *lsig_metric_table_find(struct lsig_metric_table *table, const char *name);

// `values` has one UTF-8 text for each label. False: there are too many sets of values already, and
// this one was dropped and counted. A set begins at 0.
bool lsig_metric_table_add(struct lsig_metric_table *table,
                           struct lsig_metric *metric,
                           const struct lsig_span *values,
                           double by);
bool lsig_metric_table_set(struct lsig_metric_table *table,
                           struct lsig_metric *metric,
                           const struct lsig_span *values,
                           double value);
// Forgets all sets in which that label has that value.
void lsig_metric_table_drop(struct lsig_metric_table *table,
                            struct lsig_metric *metric,
                            size_t label,
                            struct lsig_span value);
// Prometheus' text format (version 0.0.4), with lunasig_policy_metrics_dropped_total last.
// NAME="VALUE", with the three escapes of the format. out has place for LSIG_METRIC_LABEL_MAX
// bytes; returns how many there are. No NUL behind them.
size_t lsig_metric_print_label(char *out, struct lsig_span name, struct lsig_span value);
void lsig_metric_table_print(struct lsig_metric_table *table, struct lsig_buf *out);
