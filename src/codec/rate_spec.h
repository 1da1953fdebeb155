// rate_spec.h - a rate as people write it: `10`, `10/s burst 100`, `5/min`, `256 KiB/s burst 2
// MiB`, `2/s burst 5 per user`.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

enum lsig_rate_scope {
    LSIG_PER_CONNECTION,
    LSIG_PER_USER,
    LSIG_PER_IP,
    LSIG_PER_ROOM,
    LSIG_RATE_SCOPE_COUNT
};

struct lsig_rate_spec {
    int64_t count;     // things per period; 0: switched off
    int64_t period_ms; // 1,000, 60,000 or 3,600,000
    int64_t burst;     // things at once; ten times count where it is not written
    enum lsig_rate_scope scope;
};

// N[KiB|MiB][/(s|min|h)] [burst B[KiB|MiB]] [per connection|user|ip|room]; `per` only where
// scope_allowed. On failure *what is a static text that says what to write.
bool lsig_rate_spec_parse(struct lsig_rate_spec *spec,
                          struct lsig_span text,
                          bool scope_allowed,
                          const char **what);
const char *lsig_rate_scope_name(enum lsig_rate_scope scope); // "connection", "user", "ip", "room"
