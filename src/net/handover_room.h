// handover_room.h - what rooms remember, in the file of handover.h: former members, state, timers,
// messages that are kept; and what policies hung on members.
#pragma once

#include <stdio.h>

#include "base/span.h"
#include "room/room.h"

// What is being read of a room; each line goes on from the one before.
struct lsig_handover_place {
    struct lsig_room *room;     // NULL: none yet
    struct lsig_member *member; // NULL: none yet
    struct lsig_state *state;
    struct lsig_state_field *field;
    int64_t now_ms;  // monotonic
    int64_t dropped; // entries, timers, messages that no longer fit
};

// Whether the room remembers anything worth a line, also when nobody is in it.
bool lsig_handover_room_matters(const struct lsig_room *room);
// Former members, messages, state and timers.
void lsig_handover_room_write(const struct lsig_room *room, int64_t now_ms, FILE *file);
void lsig_handover_props_write(const struct lsig_member *member, FILE *file);
// Reads a line of one of these kinds (kind: with its quotes). *known: it is one. False: damaged, or
// out of place. What the bounds no longer let in is counted, and left out.
bool lsig_handover_room_read(struct lsig_handover_place *place,
                             struct lsig_span kind,
                             struct lsig_span line,
                             bool *known);
