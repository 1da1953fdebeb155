#include "net/metrics_text.h"

#include "base/metric_table.h"

enum kind { COUNTER, GAUGE, MILLISECONDS, MICROSECONDS };

static void
print_one(struct lsig_buf *out, const char *name, enum kind kind, const char *help, int64_t value)
{
    lsig_buf_append_format(out, "# HELP %s %s.\n# TYPE %s %s\n", name, help, name,
                           kind == COUNTER ? "counter" : "gauge");
    if (kind == MILLISECONDS) {
        lsig_buf_append_format(out, "%s %.3f\n", name, (double)value / 1000.0);
    } else if (kind == MICROSECONDS) {
        lsig_buf_append_format(out, "%s %.6f\n", name, (double)value / 1e6);
    } else {
        lsig_buf_append_format(out, "%s %lld\n", name, (long long)value);
    }
}

void lsig_metrics_print(struct lsig_buf *out, const struct lsig_metrics *metrics)
{
#define X(field, kind, name, help) print_one(out, name, kind, help, metrics->field);
    LSIG_METRICS(X)
#undef X
    lsig_buf_append_text(out, "# HELP lunasig_refused_total Messages and joins refused, by code.\n"
                              "# TYPE lunasig_refused_total counter\n");
    for (int i = LSIG_HANDLED + 1; i < LSIG_STATUS_COUNT; i++) {
        lsig_buf_append_format(out, "lunasig_refused_total{code=\"%s\"} %lld\n",
                               lsig_status_wire_code((enum lsig_status)i),
                               (long long)metrics->refused[i]);
    }
    if (metrics->policy != NULL) {
        lsig_metric_table_print(metrics->policy, out);
    }
}
