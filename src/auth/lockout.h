// lockout.h - names that failed to log in too often from an address. Pure: time is passed in.
//
// Counts name and address together, so that nobody can lock somebody else's account from afar. A
// bounded table: at 10,000 pairs the one that failed longest ago is forgotten. Names are counted
// whether or not an account has them.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum {
    LSIG_LOCKOUT_FAILURES = 5, // in LSIG_LOCKOUT_S, then locked
    LSIG_LOCKOUT_S =
        900, // how long failures count, and how long a lock lasts from the last of them
    LSIG_LOCKOUT_ENTRIES_MAX = 10000,
    LSIG_LOCKOUT_KEY_MAX = 510, // bytes of name and address together
};

struct lsig_lockout;

struct lsig_lockout *lsig_lockout_new(void);
void lsig_lockout_free(struct lsig_lockout *lockout); // NULL is fine
size_t lsig_lockout_count(const struct lsig_lockout *lockout);

// Milliseconds until the pair may try again; 0: not locked. name in lower case; both within
// LSIG_LOCKOUT_KEY_MAX (asserted).
int64_t lsig_lockout_check(struct lsig_lockout *lockout,
                           struct lsig_span name,
                           struct lsig_span address,
                           int64_t mono_ms);
// One more failure. Those that come while the pair is locked do not make the lock longer.
void lsig_lockout_add(struct lsig_lockout *lockout,
                      struct lsig_span name,
                      struct lsig_span address,
                      int64_t mono_ms);
// The pair has logged in: its failures are forgotten.
void lsig_lockout_remove(struct lsig_lockout *lockout,
                         struct lsig_span name,
                         struct lsig_span address);
