// admit.h - a member who waits is let in, or one who is in has to wait again (member.waiting of
// policies).
//
// Who is let in gets a full room-state, and the room hears of him as of somebody who has just
// joined; the hooks `joined` are asked then. Who has to wait again gets a room-state with himself
// alone, and has left for the others; the hooks `waiting` are asked. All of it without a change of
// his connections and his session.
#pragma once

#include "flow/flow.h"

// Policies have said something about the member: does what is not done yet. Hooks are asked in the
// next turn of the loop, since this is called at the end of one.
void lsig_admit_follow(struct lsig_flow *flow, struct lsig_member *member);
