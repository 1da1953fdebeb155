// timeline_entries.h - the entries of one timeline: a ring that grows up to its bound.
#pragma once

#include "flow/timeline.h"

// The place of a new entry, for the caller to fill; the oldest is overwritten once there are
// entries_max.
struct lsig_timeline_entry *lsig_timeline_add_entry(struct lsig_timeline *timeline,
                                                    uint32_t entries_max);
// Takes the newest entry back to where it belongs by its time.
void lsig_timeline_sort_in(struct lsig_timeline *timeline);
// Frees the names that neither entries nor pairs have.
void lsig_timeline_collect_names(struct lsig_timeline *timeline);
