// migrate.h - bringing what policies remember of a room into the form that their declaration has
// now, before a hook is entered.
//
// A policy version that is in force and finds a room's state of an older version runs its own
// migrate[n].up, step by step; one that finds a newer state (after a rollback) runs migrate[n].down
// of the policy version that made it. A room is migrated wholly or not at all, and its failure is
// its own: other rooms do not notice. The functions run in the machine's processor budget, each
// step anew, and may not wait.
//
// With the same version on both sides nothing is run: containers that are new start empty, those
// that are gone stay as they are, so that a rollback finds them.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "codec/refusal.h"
#include "room/state.h"
#include "script/policy.h"

// Whether this policy version has yet to look at some state of the room. Cheap.
static inline bool lsig_migrate_is_due(const struct lsig_policy *policy,
                                       const struct lsig_room *room)
{
    for (const struct lsig_state *state = room != NULL ? room->states : NULL; state != NULL;
         state = state->next) {
        if (state->prepared != policy->version) {
            return true;
        }
    }
    return false;
}

// Called before a run enters its first hook; no Lua runs, and nothing is in its journal. A policy
// that is no longer in force changes nothing: its hooks hear of a migrated state when they touch
// it, and so does a hook that goes on after a wait. LSIG_POLICY_ERROR: the refusal names policy,
// room and versions, the log also file and line; the state is as it was.
LSIG_MUST_USE enum lsig_status lsig_migrate_prepare(struct lsig_policy *policy,
                                                    struct lsig_room *room,
                                                    struct lsig_refusal *refusal);

// Whether rooms can go from any state that `newer` may have made to what `older` declares: each
// step has its `down`, or its `up` where `older` declares the higher version, and no container has
// another kind under the same version. False: why has a line for each hindrance.
bool lsig_migrate_can_return(const struct lsig_policy *newer,
                             const struct lsig_policy *older,
                             struct lsig_buf *why);
