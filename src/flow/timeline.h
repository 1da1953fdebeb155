// timeline.h - what has happened in each room of late: who came and went, which messages went from
// whom to whom, what was refused and by which line of which policy. `lunasig ctl call` shows it.
//
// It observes the flow (observer.h). Names, types and counts, never what is in a message. Messages
// of one type from one to another that follow within LSIG_TIMELINE_MERGE_MS count as one entry, but
// for offers and answers.
//
// Bounds: TIMELINE_ENTRIES a room, the oldest are overwritten; LSIG_PAIRS_MAX pairs a room;
// TIMELINE_BYTES for all, the rooms that closed first go first, then those that were quiet for the
// longest. A room that has closed is forgotten after LSIG_TIMELINE_KEEP_MS. In memory only: of
// what was before its start a server knows who is still there. Idle rooms take nothing: a timeline
// begins when something happens but joins, with an entry for each member who is there.
#pragma once

#include "flow/observer.h"
#include "flow/timeline_names.h"
#include "flow/timeline_pairs.h"
#include "flow/timeline_verdict.h"

enum {
    LSIG_TIMELINE_MERGE_MS = 1000,
    LSIG_TIMELINE_KEEP_MS = 10 * 60 * 1000,
};

struct lsig_timeline_entry {
    int64_t at_ms;    // wall clock, of the first
    uint32_t span_ms; // up to the last one
    uint32_t count;
    uint8_t kind;                          // enum lsig_event_kind
    uint8_t role;                          // enum lsig_role; JOINED, ROLE, REFUSED
    bool handled;                          // MESSAGE: verdict says by whom
    bool renegotiation;                    // MESSAGE
    uint16_t who;                          // names; 0: nobody is known
    uint16_t whom;                         // 0: everybody
    uint16_t what;                         // type of a message, or the reason; 0: none
    struct lsig_timeline_verdict *verdict; // NULL: none
};

struct lsig_timeline {
    struct lsig_timeline *previous; // of those that are open, or closed; the oldest first
    struct lsig_timeline *next;
    bool closed;        // nobody is in the room
    int64_t touched_ms; // monotonic; of a closed one since when it is
    struct lsig_names names;
    struct lsig_timeline_entry *entries; // a ring
    uint32_t capacity;
    uint32_t count;
    uint32_t first; // the oldest
    uint32_t added; // entries so far, over its end
    uint32_t turn;  // +1 whenever somebody comes or goes
    uint64_t lost;  // entries that were overwritten
    struct lsig_pairs pairs;
    size_t verdict_bytes;
    size_t bytes; // all of its memory, about
    char room_id[];
};

struct lsig_timelines;

// Observes the flow from now on. NULL where TIMELINE_ENTRIES is 0.
struct lsig_timelines *lsig_timelines_open(struct lsig_flow *flow);
void lsig_timelines_close(struct lsig_timelines *timelines); // NULL is fine
// What is known of a room, be it only who is in it; NULL: nothing. Until the next turn of the loop.
const struct lsig_timeline *lsig_timelines_find(struct lsig_timelines *timelines,
                                                struct lsig_span room_id);
// Forgets what has been closed for long enough.
void lsig_timelines_sweep(struct lsig_timelines *timelines);
// i: from 0, the oldest, below count.
const struct lsig_timeline_entry *lsig_timeline_entry(const struct lsig_timeline *timeline,
                                                      uint32_t i);
size_t lsig_timelines_bytes(const struct lsig_timelines *timelines); // of all of them
