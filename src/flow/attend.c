#include "flow/attend.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "flow/announce.h"
#include "flow/dispatch.h"
#include "flow/door.h"
#include "flow/limits.h"
#include "flow/line.h"

static void
refuse_join(struct lsig_client *client, enum lsig_status status, struct lsig_refusal *refusal)
{
    if (refusal->close_code == 0) {
        refusal->close_code = 1008;
    }
    lsig_log(LSIG_INFO, "join-refused", LSIG_LOG_TEXT("room", client->room->id),
             LSIG_LOG_TEXT("user", client->member->id),
             LSIG_LOG_TEXT("status", lsig_status_wire_code(status)),
             LSIG_LOG_TEXT("code", refusal->code));
    lsig_line_refuse(client, refusal);
}

static void enter(struct lsig_client *client)
{
    struct lsig_flow *flow = client->flow;
    struct lsig_room *room = client->room;
    // Another connection of the same user may have entered while a hook of this one waited.
    struct lsig_member *present = lsig_room_member(room, lsig_span_of(client->member->id));
    if (present != NULL && present != client->member) {
        lsig_member_unref(client->member);
        client->member = lsig_member_ref(present);
    }
    enum lsig_status status =
        lsig_room_enter(room, client->member, &client->connection,
                        (uint32_t)flow->settings->room_members_max, flow->now);
    if (status != LSIG_OK) {
        struct lsig_refusal refusal;
        lsig_refuse(&refusal, status);
        lsig_refusal_add_number(&refusal, "limit", (double)flow->settings->room_members_max);
        refuse_join(client, status, &refusal);
        return;
    }
    client->state = LSIG_CLIENT_PRESENT;
    lsig_announce_welcome(client);
    if (present == NULL) {
        flow->metrics->joins += 1;
        lsig_log(LSIG_INFO, "joined", LSIG_LOG_TEXT("room", room->id),
                 LSIG_LOG_TEXT("user", client->member->id),
                 LSIG_LOG_TEXT("connection", client->connection.peer_id),
                 LSIG_LOG_TEXT("role", lsig_role_name((enum lsig_role)client->member->role)),
                 LSIG_LOG_NUMBER("members", room->member_count));
        lsig_announce_joined(client);
    } else {
        lsig_announce_peer(client);
    }
}

static void conclude_join(struct lsig_client *client,
                          enum lsig_status status,
                          const struct lsig_refusal *refusal)
{
    if (status == LSIG_OK) {
        enter(client);
        return;
    }
    struct lsig_refusal own = *refusal;
    refuse_join(client, status, &own);
}

static void
on_join_hooks_done(void *arg, enum lsig_status status, const struct lsig_refusal *refusal)
{
    struct lsig_client *client = arg;
    client->run = NULL;
    if (client->state != LSIG_CLIENT_JOINING) {
        return;
    }
    conclude_join(client, status, refusal);
    lsig_line_resume(client);
}

static void begin_join(struct lsig_client *client)
{
    struct lsig_script *script = client->flow->script;
    client->state = LSIG_CLIENT_JOINING;
    if (client->member->present || !lsig_script_has_hooks(script, LSIG_HOOK_JOIN)) {
        enter(client);
        return;
    }
    struct lsig_refusal refusal;
    struct lsig_hook_event event = {.kind = LSIG_HOOK_JOIN, .member = client->member};
    enum lsig_status status =
        lsig_script_call(script, &event, &refusal, on_join_hooks_done, client, &client->run);
    if (status != LSIG_WAITING) {
        client->run = NULL;
        conclude_join(client, status, &refusal);
    }
}

static void identify(struct lsig_client *client, const struct lsig_claims *claims)
{
    struct lsig_span id = lsig_span_of(claims->sub);
    struct lsig_member *present = lsig_room_member(client->room, id);
    if (present != NULL) {
        client->member = lsig_member_ref(present);
    } else {
        client->member = lsig_member_new(client->room, id, lsig_span_of(claims->username));
        client->member->claims = lsig_strndup(claims->json, claims->json_len);
    }
    client->has_place = true;
    client->deadline_s = claims->exp + client->flow->settings->jwt_leeway_s;
}

void lsig_attend_open(struct lsig_flow *flow,
                      struct lsig_client *client,
                      struct lsig_span room_id,
                      enum lsig_dialect dialect,
                      const struct lsig_claims *claims)
{
    assert(client->flow == NULL);
    client->flow = flow;
    client->room = lsig_hub_open(flow->hub, room_id);
    client->connection.dialect = (uint8_t)dialect;
    if (claims == NULL) {
        client->state = LSIG_CLIENT_UNKNOWN;
        client->deadline_s = flow->now.wall_ms / 1000 + LSIG_AUTH_WAIT_S;
        return;
    }
    identify(client, claims);
    begin_join(client);
}

void lsig_attend_on_token(struct lsig_client *client, const struct lsig_claims *claims)
{
    assert(client->state == LSIG_CLIENT_UNKNOWN);
    if (!lsig_door_take_place(client->flow, lsig_span_of(claims->sub))) {
        struct lsig_refusal refusal;
        lsig_refuse_with(&refusal, LSIG_RATE_LIMIT_EXCEEDED, "too many connections of this user");
        refusal.close_code = 1008;
        lsig_line_refuse(client, &refusal);
        return;
    }
    identify(client, claims);
    begin_join(client);
}

void lsig_attend_check_time(struct lsig_client *client)
{
    if (client->flow == NULL || client->state == LSIG_CLIENT_CLOSING ||
        client->flow->now.wall_ms / 1000 < client->deadline_s) {
        return;
    }
    struct lsig_refusal refusal;
    if (client->state == LSIG_CLIENT_UNKNOWN) {
        lsig_refuse_with(&refusal, LSIG_TOKEN_INVALID, "no auth message came within %d s",
                         LSIG_AUTH_WAIT_S);
    } else {
        lsig_refuse(&refusal, LSIG_TOKEN_EXPIRED);
    }
    lsig_line_refuse(client, &refusal);
}

static void call_leave_hooks(struct lsig_flow *flow, struct lsig_member *member, const char *reason)
{
    if (lsig_script_has_hooks(flow->script, LSIG_HOOK_LEAVE)) {
        struct lsig_refusal refusal;
        struct lsig_hook_run *run;
        struct lsig_hook_event event = {
            .kind = LSIG_HOOK_LEAVE, .member = member, .reason = reason};
        // Nothing hangs on the verdict, and a run that waits has a reference of its own.
        enum lsig_status status =
            lsig_script_call(flow->script, &event, &refusal, NULL, NULL, &run);
        (void)status;
    }
    lsig_member_unref(member);
}

static void leave(struct lsig_client *client, const char *reason)
{
    struct lsig_flow *flow = client->flow;
    struct lsig_member *member = lsig_member_ref(client->member);
    struct lsig_departure departure = lsig_room_leave(&client->connection, flow->now);
    lsig_announce_left(flow, member, &client->connection, reason);
    if (departure.heir != NULL) {
        lsig_announce_role(flow, departure.heir, NULL);
    }
    if (departure.left != NULL) {
        lsig_log(LSIG_INFO, "left", LSIG_LOG_TEXT("room", client->room->id),
                 LSIG_LOG_TEXT("user", member->id),
                 LSIG_LOG_TEXT("connection", client->connection.peer_id),
                 LSIG_LOG_TEXT("reason", reason),
                 LSIG_LOG_NUMBER("members", client->room->member_count));
        call_leave_hooks(flow, departure.left, reason);
    }
    lsig_member_unref(member);
}

void lsig_attend_close(struct lsig_client *client, const char *reason)
{
    struct lsig_flow *flow = client->flow;
    if (flow == NULL) {
        return; // refused, or gone, before it opened
    }
    client->state = LSIG_CLIENT_CLOSING;
    lsig_dispatch_drop(client);
    if (client->connection.member != NULL) {
        leave(client, reason);
    }
    if (client->has_place) {
        lsig_door_give_place(flow, lsig_span_of(client->member->id));
    }
    lsig_line_forget(client);
    lsig_limits_free(client->limits);
    lsig_member_unref(client->member);
    lsig_room_unref(client->room);
    memset(client, 0, sizeof(*client));
}
