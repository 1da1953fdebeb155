// policy_events.h - lunasig_policy_events_total: what went wrong in the hooks of which policy, in
// which version.
#pragma once

#include <stdint.h>

struct lsig_metrics;

enum lsig_policy_event {
    LSIG_POLICY_EVENT_ERROR,
    LSIG_POLICY_EVENT_CPU,
    LSIG_POLICY_EVENT_MEMORY,
    LSIG_POLICY_EVENT_WAIT,
    LSIG_POLICY_EVENT_DENIED,
};

// Counts one. Nothing happens where nobody prints what policies count.
void lsig_policy_events_count(struct lsig_metrics *metrics,
                              const char *policy_name,
                              uint64_t version,
                              enum lsig_policy_event event);
// The version is no longer kept: its numbers go.
void lsig_policy_events_forget(struct lsig_metrics *metrics, uint64_t version);
