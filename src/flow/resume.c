#include "flow/resume.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "flow/announce.h"
#include "flow/authenticate.h"
#include "flow/door.h"
#include "flow/limits.h"
#include "flow/line.h"
#include "flow/observer.h"
#include "flow/room_state.h"
#include "flow/tell.h"

static void log_client(const struct lsig_client *client, const char *event)
{
    lsig_log(LSIG_INFO, event, LSIG_LOG_TEXT("room", client->room->id),
             LSIG_LOG_TEXT("user", client->member->id),
             LSIG_LOG_TEXT("connection", client->connection.peer_id));
}

// --- the socket is lost

bool lsig_resume_keep(struct lsig_client *client)
{
    struct lsig_flow *flow = client->flow;
    bool keep = flow != NULL && client->connection.member != NULL && client->resumable &&
                flow->settings->resume_window_s > 0 &&
                lsig_door_take_away(flow, lsig_span_of(client->member->id));
    if (!keep) {
        return false;
    }
    if (client->has_place) {
        lsig_door_give_place(flow, lsig_span_of(client->member->id));
        client->has_place = false;
    }
    client->state = LSIG_CLIENT_AWAY;
    client->away_until_ms = flow->now.mono_ms + flow->settings->resume_window_s * 1000;
    client->address = "";
    flow->metrics->away += 1;
    log_client(client, "away");
    if (lsig_room_set_away(&client->connection, true)) {
        lsig_announce_away(flow, client->member, true);
    }
    return true;
}

bool lsig_resume_revive(struct lsig_flow *flow,
                        struct lsig_client *client,
                        struct lsig_room *room,
                        struct lsig_member *member)
{
    client->flow = flow;
    client->member = member;
    // A token that was revoked meanwhile: before it counts as away.
    if (lsig_door_is_refused(client) || !lsig_door_take_away(flow, lsig_span_of(member->id))) {
        client->flow = NULL;
        client->member = NULL;
        return false;
    }
    client->room = lsig_room_ref(room);
    client->member = lsig_member_ref(member);
    client->state = LSIG_CLIENT_AWAY;
    client->resumable = true;
    client->address = "";
    client->entered_revision = room->revision;
    client->away_until_ms = flow->now.mono_ms + flow->settings->resume_window_s * 1000;
    client->connection.away = true;
    flow->metrics->away += 1;
    lsig_room_restore(room, member, &client->connection);
    lsig_door_add_client(client);
    return true;
}

void lsig_resume_forget(struct lsig_client *client)
{
    assert(client->connection.away);
    lsig_door_give_away(client->flow, lsig_span_of(client->member->id));
    client->flow->metrics->away -= 1;
}

// --- it returns

static bool may_return(const struct lsig_client *old,
                       enum lsig_dialect dialect,
                       const struct lsig_resume_request *request)
{
    if (old->connection.dialect != dialect || !old->resumable) {
        return false;
    }
    if (request->token.data != NULL) {
        return lsig_resume_matches(request->token, old->resume_digest) ||
               (old->previous_good && lsig_resume_matches(request->token, old->resume_previous));
    }
    return old->connection.dialect == LSIG_COMPAT && old->state == LSIG_CLIENT_AWAY;
}

struct lsig_client *lsig_resume_find(const struct lsig_room *room,
                                     enum lsig_dialect dialect,
                                     const struct lsig_claims *claims,
                                     const struct lsig_resume_request *request)
{
    const struct lsig_member *member =
        room != NULL ? lsig_room_member(room, lsig_span_of(claims->sub)) : NULL;
    struct lsig_client *best = NULL;
    struct lsig_connection *at = member != NULL ? member->connections : NULL;
    for (; at != NULL; at = at->next) {
        struct lsig_client *client = lsig_client_of(at);
        // Of several compat clients that are away the one that was lost last has missed the least.
        if (may_return(client, dialect, request) &&
            (best == NULL || client->away_until_ms > best->away_until_ms)) {
            best = client;
        }
    }
    return best;
}

bool lsig_resume_take_place(struct lsig_flow *flow,
                            const struct lsig_room *room,
                            enum lsig_dialect dialect,
                            const struct lsig_claims *claims,
                            const struct lsig_resume_request *request)
{
    struct lsig_client *old = lsig_resume_find(room, dialect, claims, request);
    if (old != NULL && old->has_place) {
        lsig_door_give_place(flow, lsig_span_of(claims->sub));
        old->has_place = false;
    }
    return lsig_door_take_place(flow, lsig_span_of(claims->sub));
}

// The place that the new socket has taken is the client's from here on.
static void hand_over_place(struct lsig_client *old)
{
    if (old->has_place) {
        lsig_door_give_place(old->flow, lsig_span_of(old->member->id));
    }
    old->has_place = true;
}

static void empty(struct lsig_client *fresh)
{
    const char *address = fresh->address;
    assert(fresh->run == NULL && fresh->queued == NULL && fresh->member == NULL);
    lsig_limits_free(fresh->limits);
    lsig_room_unref(fresh->room);
    memset(fresh, 0, sizeof(*fresh));
    fresh->address = address;
}

void lsig_resume_take_over(struct lsig_client *old,
                           struct lsig_client *fresh,
                           const struct lsig_claims *claims,
                           const struct lsig_resume_request *request)
{
    struct lsig_flow *flow = old->flow;
    bool v1 = old->connection.dialect == LSIG_V1;
    if (old->state == LSIG_CLIENT_AWAY) {
        lsig_resume_forget(old);
    }
    hand_over_place(old);
    old->state = LSIG_CLIENT_PRESENT;
    const char *address = fresh->address;
    empty(fresh);
    flow->sink.take_over(old, fresh);
    old->address = address;
    lsig_authenticate_note(old, claims);
    if (v1 && lsig_resume_matches(request->token, old->resume_digest)) {
        memcpy(old->resume_previous, old->resume_digest, sizeof(old->resume_previous));
        old->previous_good = true;
    }
    int64_t replayed = flow->sink.rewind(old, v1 ? request->seq : 0);
    struct lsig_arrival arrival = {
        .asked = v1,
        .resumed = v1 ? replayed >= 0 : true,
        .replayed = replayed > 0 ? replayed : 0,
    };
    flow->metrics->resumes += 1;
    flow->metrics->resumes_lossy += replayed < 0;
    log_client(old, replayed < 0 ? "resumed-with-loss" : "resumed");
    bool back = lsig_room_set_away(&old->connection, false);
    lsig_observe(flow, &(struct lsig_event){.kind = LSIG_EVENT_RESUMED,
                                            .room = old->room,
                                            .member = old->member,
                                            .connection = &old->connection,
                                            .reason = replayed < 0 ? "with loss" : NULL});
    lsig_room_state_welcome(old, &arrival);
    if (back) {
        lsig_announce_away(flow, old->member, false);
    }
    lsig_tell_member(flow, LSIG_HOOK_RESUME, old->member);
    lsig_line_resume(old);
}
