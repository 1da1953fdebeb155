// props.h - named JSON values that policies hang on a member: `attr`, which everybody sees, and
// `data`, which nobody sees. They leave with the member.
#pragma once

#include "room/journal.h"
#include "room/room.h"

enum { LSIG_PROP_NAME_MAX = 64, LSIG_PROPS_MAX = 64, LSIG_PROP_COST = 8 };

struct lsig_props; // NULL: none

struct lsig_span lsig_props_get(const struct lsig_props *props,
                                struct lsig_span name); // data NULL: not there
// Walks them in the order in which they were first set: *cursor = 0 at first; false at the end.
bool lsig_props_next(const struct lsig_props *props,
                     size_t *cursor,
                     struct lsig_span *name,
                     struct lsig_span *value);
// value data NULL: takes it away. *props is made on demand. LSIG_TOO_BIG: names and values would
// have more than bytes_max (each counts LSIG_PROP_COST besides), or there are LSIG_PROPS_MAX.
LSIG_MUST_USE enum lsig_status lsig_props_set(struct lsig_props **props,
                                              struct lsig_span name,
                                              struct lsig_span value,
                                              size_t bytes_max,
                                              struct lsig_journal *journal);
void lsig_props_free(struct lsig_props *props); // NULL is fine
