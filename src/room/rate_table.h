// rate_table.h - rates that are kept by a text, such as an address: some buckets for each.
//
// A bounded table: at its bound the one that was counted longest ago is forgotten.
#pragma once

#include <stddef.h>

#include "base/span.h"
#include "room/bucket.h"

struct lsig_rate_table;

// Each name has a bucket for each of the specs, which outlive the table. At most `max` names.
struct lsig_rate_table *
lsig_rate_table_new(const struct lsig_rate_spec *specs, size_t spec_count, size_t max);
void lsig_rate_table_free(struct lsig_rate_table *table); // NULL is fine
size_t lsig_rate_table_count(const struct lsig_rate_table *table);
// Counts one for this name and the spec of this index. 0, or after how many milliseconds it may be
// tried again: it was not counted then.
int64_t lsig_rate_table_take(struct lsig_rate_table *table,
                             size_t which,
                             struct lsig_span name,
                             int64_t mono_ms);
// The same with a spec of the caller's, for tables whose names say which spec they are counted by.
int64_t lsig_rate_table_take_by(struct lsig_rate_table *table,
                                const struct lsig_rate_spec *spec,
                                struct lsig_span name,
                                int64_t mono_ms);
// The same answer without counting.
int64_t lsig_rate_table_check(const struct lsig_rate_table *table,
                              size_t which,
                              struct lsig_span name,
                              int64_t mono_ms);
