#include "script/policy_events.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/metric_table.h"
#include "base/metrics.h"
#include "script/lib_metric.h"

#define EVENTS LSIG_LIB_METRIC_PREFIX "events_total"

enum { LABEL_POLICY, LABEL_VERSION, LABEL_KIND, LABEL_COUNT };

// Opened with the first event and never closed. NULL: there is no room for it.
static struct lsig_metric *metric_of(struct lsig_metric_table *table)
{
    static const struct lsig_metric_spec spec = {
        .name = EVENTS,
        .help = "Hooks that failed or refused, by policy, version and kind.",
        .kind = LSIG_METRIC_COUNTER,
        .labels = {[LABEL_POLICY] = "policy", [LABEL_VERSION] = "version", [LABEL_KIND] = "kind"},
        .label_count = LABEL_COUNT,
    };
    struct lsig_metric *metric = lsig_metric_table_find(table, spec.name);
    if (metric == NULL && lsig_metric_table_open(table, &spec, &metric) != LSIG_OK) {
        return NULL;
    }
    return metric;
}

static struct lsig_span version_text(char out[24], uint64_t version)
{
    return (struct lsig_span){out, (size_t)snprintf(out, 24, "%" PRIu64, version)};
}

void lsig_policy_events_count(struct lsig_metrics *metrics,
                              const char *policy_name,
                              uint64_t version,
                              enum lsig_policy_event event)
{
    static const char *const kinds[] = {"error", "cpu", "memory", "wait", "denied"};
    char name[LSIG_METRIC_LABEL_VALUE_MAX];
    char number[24];
    struct lsig_metric *metric = metrics->policy != NULL ? metric_of(metrics->policy) : NULL;
    if (metric != NULL) {
        struct lsig_span values[LABEL_COUNT] = {
            [LABEL_POLICY] = lsig_lib_metric_label(lsig_span_of(policy_name), name),
            [LABEL_VERSION] = version_text(number, version),
            [LABEL_KIND] = lsig_span_of(kinds[event]),
        };
        (void)lsig_metric_table_add(metrics->policy, metric, values, 1);
    }
}

void lsig_policy_events_forget(struct lsig_metrics *metrics, uint64_t version)
{
    char number[24];
    struct lsig_metric *metric =
        metrics->policy != NULL ? lsig_metric_table_find(metrics->policy, EVENTS) : NULL;
    if (metric != NULL) {
        lsig_metric_table_drop(metrics->policy, metric, LABEL_VERSION,
                               version_text(number, version));
    }
}
