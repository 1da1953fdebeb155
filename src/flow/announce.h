// announce.h - what the room hears about its members: room-state, user-joined, user-left,
// peer-joined, peer-left, user-away, user-back, role-updated.
//
// Compat clients get `room-state` before `user-joined` and `user-left`. In rooms above
// LSIG_MERGE_MEMBERS these are gathered for LSIG_MERGE_MS, so that filling a room does not cost the
// square of its size; nothing by or about a member overtakes his own announcement. lunasig.v1
// clients get every event at once and no room-state. Members who wait hear none of it, and nothing
// is said about them.
#pragma once

#include "flow/flow.h"

enum { LSIG_MERGE_MEMBERS = 25, LSIG_MERGE_MS = 100, LSIG_MERGE_EVENTS_MAX = 64 };

struct lsig_announcements; // of one room

void lsig_announce_joined(struct lsig_flow *flow, const struct lsig_member *member); // new in it
void lsig_announce_peer(struct lsig_client *client); // a further connection of a member
// After lsig_room_leave. member is gone, or still present with other connections;
// connection is the one that went.
void lsig_announce_left(struct lsig_flow *flow,
                        const struct lsig_member *member,
                        const struct lsig_connection *connection,
                        const char *reason);
// One who was in has to wait: to the others he has left.
void lsig_announce_held(struct lsig_flow *flow, const struct lsig_member *member);
// The member's last connection was lost, or the first is there again (lsig_room_set_away):
// lunasig.v1 hears `user-away` or `user-back`, and the policies' hooks are told.
void lsig_announce_away(struct lsig_flow *flow, struct lsig_member *member, bool away);
void lsig_announce_role(struct lsig_flow *flow,
                        const struct lsig_member *member,
                        const char *updated_by);
// Before anything by `member` is relayed: everybody hears of him first.
void lsig_announce_settle(struct lsig_flow *flow, const struct lsig_member *member);
void lsig_announce_flush(struct lsig_flow *flow, struct lsig_room *room);
int64_t lsig_announce_tick(
    struct lsig_flow *flow); // flushes what is due; milliseconds until the next, or -1
