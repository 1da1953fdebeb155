// renew.h - a machine whose memory stays full is replaced by a fresh one of the same version.
//
// When a hook leaves a machine above LSIG_RENEW_PERCENT of its memory, garbage is collected in
// slices, so that the loop goes on meanwhile. A machine that is still above it then is made anew
// from the texts that its version was loaded from. Hooks that are suspended in the old one end in
// it.
//
// Until then, and where a version needs so much from its start, garbage is collected whenever it
// has filled half of what was free: Lua's own collector would begin too late, and hooks would run
// out of memory that nobody uses.
#pragma once

#include "script/policy.h"

enum {
    LSIG_RENEW_PERCENT = 80,
    LSIG_RENEW_LOOK_MS = 1000,  // at most so often
    LSIG_RENEW_PAUSE_MS = 10000 // at most so often for one version
};

struct lsig_renewal {
    struct lsig_policy *looked_at; // its garbage is collected now; NULL: none
    int cycles;                    // of the collector that have ended
    bool loading;                  // a fresh machine is made
    int64_t looked_ms;             // monotonic; 0: never
};

// Begins to collect garbage, unless that was done just now and there is room.
void lsig_renew_begin(struct lsig_policy *policy);
// Begins to collect garbage in any case: a collection that was cut short goes on.
void lsig_renew_go_on(struct lsig_policy *policy);
// After a hook of the policy. Cheap.
static inline void lsig_renew_look(struct lsig_policy *policy)
{
    if (policy->vm.used > policy->vm.max / 100 * LSIG_RENEW_PERCENT) {
        lsig_renew_begin(policy);
    }
}
// One slice. Whether there is more to do.
bool lsig_renew_do_chores(struct lsig_script *script);
// The machine is going to be closed.
void lsig_renew_forget(struct lsig_script *script, const struct lsig_policy *policy);
// policy NULL: the report says why there is none.
void lsig_renew_on_loaded(struct lsig_version *version,
                          struct lsig_policy *policy,
                          const struct lsig_buf *report);
