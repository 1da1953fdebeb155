// room_state.h - `room-state`: who is in the room, and for the one who enters all that it needs.
#pragma once

#include "flow/flow.h"

enum { LSIG_ROOM_STATE_MAX = 8 * 1024 * 1024 }; // bytes of a payload

// The members room_id, participants and participant_count, into an open object. Members who wait
// are not among them.
void lsig_room_state_print(struct lsig_buf *out,
                           const struct lsig_room *room,
                           enum lsig_dialect dialect);
void lsig_room_state_print_peers(struct lsig_buf *out, const struct lsig_member *member);

// How a client has come.
struct lsig_arrival {
    bool asked;       // it has asked to resume
    bool resumed;     // lunasig.v1: exactly what it missed follows. compat: it was away
    int64_t replayed; // frames that follow
};

// The client's own room-state: the first frame it gets. With a new resume token each time; one that
// resumes in lunasig.v1, or returns in compat, gets it in front of what waits for it. One who waits
// to be let in sees himself alone.
void lsig_room_state_welcome(struct lsig_client *client, const struct lsig_arrival *arrival);
// What the client of a member who is let in, or has to wait again, gets as any other frame: its
// session goes on, so it keeps its resume token.
void lsig_room_state_renew(struct lsig_client *client);
