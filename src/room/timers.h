// timers.h - timers that policies set in a room: a name, a time, an argument.
//
// A timer keeps its room alive, at most LSIG_KEPT_MS after the last member has left. Times are
// monotonic; over a restart the time that was left is kept. At the end of its time a timer is taken
// out and handed to the caller once.
#pragma once

#include "base/heap.h"
#include "room/hub.h"
#include "room/journal.h"

enum { LSIG_TIMER_NAME_MAX = 64 };

struct lsig_timer {
    struct lsig_heap_item due; // first; monotonic milliseconds, in the hub's heap
    struct lsig_timer *next;   // in room->timers, in the order in which they were set
    struct lsig_room *room;    // a reference while it runs, or while a caller of take_due has it
    char *arg;                 // JSON, or NULL
    char name[LSIG_TIMER_NAME_MAX + 1];
};

// Sets the timer of that name, replacing one that runs. arg: JSON, or data NULL. LSIG_TOO_BIG: the
// room has bounds.timers_max timers, or the argument does not fit into bounds.state_bytes.
LSIG_MUST_USE enum lsig_status lsig_timer_set(struct lsig_room *room,
                                              struct lsig_span name,
                                              int64_t due_ms,
                                              struct lsig_span arg,
                                              struct lsig_journal *journal);
bool lsig_timer_remove(struct lsig_room *room, struct lsig_span name, struct lsig_journal *journal);
const struct lsig_timer *lsig_timer_find(const struct lsig_room *room, struct lsig_span name);
int64_t lsig_timer_next_due(const struct lsig_hub *hub); // monotonic ms; -1: none runs
// A timer whose time has come, the earliest first, and of those due at once the one set first; the
// caller frees it (lsig_timer_free). NULL: none.
struct lsig_timer *lsig_timer_take_due(struct lsig_hub *hub, int64_t now_ms);
void lsig_timer_free(struct lsig_timer *timer); // gives its room back
void lsig_timer_clear(struct lsig_room *room);  // all of the room's: it has been empty for too long
