#include "flow/admit.h"

#include "base/log.h"
#include "flow/announce.h"
#include "flow/observer.h"
#include "flow/room_state.h"
#include "flow/tell.h"

static void renew_states(const struct lsig_member *member)
{
    for (struct lsig_connection *at = member->connections; at != NULL; at = at->next) {
        lsig_room_state_renew(lsig_client_of(at));
    }
}

static void note(struct lsig_flow *flow, const struct lsig_member *member, const char *event)
{
    struct lsig_event told = {.kind = member->waiting ? LSIG_EVENT_WAITING : LSIG_EVENT_ADMITTED,
                              .room = member->room,
                              .member = member};
    lsig_observe(flow, &told);
    lsig_log(LSIG_INFO, event, LSIG_LOG_TEXT("room", member->room->id),
             LSIG_LOG_TEXT("user", member->id),
             LSIG_LOG_TEXT("role", lsig_role_name((enum lsig_role)member->role)),
             LSIG_LOG_NUMBER("waiting", member->room->waiting_count));
}

static void admit(struct lsig_flow *flow, struct lsig_member *member)
{
    lsig_room_admit(member, flow->now);
    renew_states(member);
    lsig_announce_joined(flow, member);
    note(flow, member, "admitted");
    lsig_tell_later(flow, LSIG_HOOK_JOINED, member);
}

static void hold(struct lsig_flow *flow, struct lsig_member *member)
{
    lsig_announce_flush(flow, member->room); // he was in when it happened
    const struct lsig_member *heir = lsig_room_hold(member);
    renew_states(member);
    lsig_announce_held(flow, member);
    if (heir != NULL) {
        lsig_announce_role(flow, heir, NULL);
    }
    note(flow, member, "held");
    lsig_tell_later(flow, LSIG_HOOK_WAITING, member);
}

void lsig_admit_follow(struct lsig_flow *flow, struct lsig_member *member)
{
    if (!member->present || member->waiting == member->told_to_wait) {
        return; // he has gone, or two changes of one hook cancel out
    }
    if (member->waiting) {
        admit(flow, member);
    } else {
        hold(flow, member);
    }
}
