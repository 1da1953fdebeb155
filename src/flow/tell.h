// tell.h - policies hear of what happened to rooms and members, and say what is due by time.
//
// None of these can be refused. Without a hook they cost a look.
#pragma once

#include "flow/flow.h"

// JOINED, WAITING, AWAY, BACK, RESUME of a member.
void lsig_tell_member(struct lsig_flow *flow, enum lsig_hook_kind kind, struct lsig_member *member);
// JOINED or WAITING in the next turn of the loop, if it is still so then: for what a hook itself
// has brought about.
void lsig_tell_later(struct lsig_flow *flow, enum lsig_hook_kind kind, struct lsig_member *member);
void lsig_tell_due(struct lsig_flow *flow);    // those that wait for this turn
void lsig_tell_forget(struct lsig_flow *flow); // the flow ends: nobody hears of them
void lsig_tell_left(struct lsig_flow *flow, struct lsig_member *member, const char *reason);
void lsig_tell_room(struct lsig_flow *flow,
                    enum lsig_hook_kind kind, // ROOM_OPEN, ROOM_CLOSE
                    struct lsig_room *room);
void lsig_tell_token_expiring(struct lsig_client *client, int64_t seconds);
// A message was refused for a rate. LSIG_OK; LSIG_POLICY_DENIED: *refusal is what the client is to
// be told instead. A hook that waits speaks for itself later.
LSIG_MUST_USE enum lsig_status lsig_tell_rate_exceeded(struct lsig_client *client,
                                                       struct lsig_refusal *refusal);
void lsig_tell_drop(struct lsig_client *client); // the client goes: nobody waits for such a hook
// Timers of rooms whose time has come, at most LSIG_TELL_TIMERS of them at once.
enum { LSIG_TELL_TIMERS = 50 };
void lsig_tell_timers(struct lsig_flow *flow);
