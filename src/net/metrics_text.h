// metrics_text.h - the counters in Prometheus' text format (version 0.0.4).
#pragma once

#include "base/buf.h"
#include "base/metrics.h"

// With what policies count.
void lsig_metrics_print(struct lsig_buf *out, const struct lsig_metrics *metrics);
