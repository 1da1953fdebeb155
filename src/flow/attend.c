#include "flow/attend.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/random.h"
#include "codec/json.h"
#include "flow/announce.h"
#include "flow/authenticate.h"
#include "flow/dispatch.h"
#include "flow/door.h"
#include "flow/introduce.h"
#include "flow/limits.h"
#include "flow/line.h"
#include "flow/notice.h"
#include "flow/observer.h"
#include "flow/room_state.h"
#include "flow/tell.h"

static void
refuse_join(struct lsig_client *client, enum lsig_status status, struct lsig_refusal *refusal)
{
    if (refusal->close_code == 0) {
        refusal->close_code = 1008;
    }
    lsig_log(LSIG_INFO, "join-refused", LSIG_LOG_TEXT("room", client->room->id),
             LSIG_LOG_TEXT("user", client->member->id),
             LSIG_LOG_TEXT("status", lsig_status_wire_code(status)),
             LSIG_LOG_TEXT("code", refusal->code), LSIG_LOG_TEXT("at", refusal->where));
    if (client->flow->observers != NULL) {
        lsig_observe(client->flow, &(struct lsig_event){.kind = LSIG_EVENT_REFUSED,
                                                        .room = client->room,
                                                        .member = client->member,
                                                        .connection = &client->connection,
                                                        .type = lsig_span_of("join"),
                                                        .refusal = refusal});
    }
    lsig_line_refuse(client, refusal);
}

static void observe(struct lsig_client *client, enum lsig_event_kind kind, const char *reason)
{
    struct lsig_event event = {
        .kind = kind,
        .room = client->room,
        .member = client->member,
        .connection = &client->connection,
        .reason = reason,
    };
    if (client->flow->observers != NULL) {
        lsig_observe(client->flow, &event);
    }
}

static void welcome(struct lsig_client *client, bool is_new)
{
    struct lsig_flow *flow = client->flow;
    const struct lsig_room *room = client->room;
    struct lsig_arrival arrival = {.asked = client->resume_asked};
    client->state = LSIG_CLIENT_PRESENT;
    lsig_room_state_welcome(client, &arrival);
    if (!is_new) {
        lsig_announce_peer(client);
        observe(client, LSIG_EVENT_CONNECTED, NULL);
        return;
    }
    flow->metrics->joins += 1;
    bool waits = client->member->waiting;
    lsig_log(LSIG_INFO, waits ? "waiting" : "joined", LSIG_LOG_TEXT("room", room->id),
             LSIG_LOG_TEXT("user", client->member->id),
             LSIG_LOG_TEXT("connection", client->connection.peer_id),
             LSIG_LOG_TEXT("role", lsig_role_name((enum lsig_role)client->member->role)),
             LSIG_LOG_NUMBER("members", room->member_count));
    lsig_announce_joined(flow, client->member);
    if (room->member_count == 1) {
        observe(client, LSIG_EVENT_ROOM_OPENED, NULL);
        lsig_tell_room(flow, LSIG_HOOK_ROOM_OPEN, client->room);
    }
    observe(client, LSIG_EVENT_JOINED, NULL);
    if (waits) {
        observe(client, LSIG_EVENT_WAITING, NULL);
    }
    observe(client, LSIG_EVENT_CONNECTED, NULL);
    lsig_tell_member(flow, waits ? LSIG_HOOK_WAITING : LSIG_HOOK_JOINED, client->member);
}

// seats: how many members the room may have for this one to come in.
static void enter(struct lsig_client *client, uint32_t seats)
{
    if (lsig_door_is_refused(client)) { // since it came through the door
        lsig_attend_end(client, LSIG_TOKEN_INVALID, "the token is no longer good");
        return;
    }
    struct lsig_flow *flow = client->flow;
    struct lsig_room *room = client->room;
    // Another connection of the same user may have entered while a hook of this one waited.
    struct lsig_member *present = lsig_room_member(room, lsig_span_of(client->member->id));
    if (present != NULL && present != client->member) {
        lsig_member_unref(client->member);
        client->member = lsig_member_ref(present);
    }
    bool was_away = present != NULL && present->away;
    enum lsig_status status =
        lsig_room_enter(room, client->member, &client->connection, seats, flow->now);
    if (status != LSIG_OK) {
        struct lsig_refusal refusal;
        lsig_refuse(&refusal, status);
        lsig_refusal_add_number(&refusal, "limit", (double)seats);
        refuse_join(client, status, &refusal);
        return;
    }
    lsig_door_add_client(client);
    welcome(client, present == NULL);
    if (was_away) {
        lsig_announce_away(flow, client->member, false);
    }
}

static uint32_t seats_of(const struct lsig_client *client, const struct lsig_hook_result *result)
{
    uint32_t seats = (uint32_t)client->flow->settings->room_members_max;
    return result != NULL && result->seat_said && result->seat_max < seats ? result->seat_max
                                                                           : seats;
}

static void conclude_join(struct lsig_client *client,
                          enum lsig_status status,
                          const struct lsig_hook_result *result)
{
    if (status == LSIG_OK) {
        enter(client, seats_of(client, result));
        return;
    }
    struct lsig_refusal own = result->refusal;
    refuse_join(client, status, &own);
}

static void on_join_hooks_done(void *arg, enum lsig_status status, struct lsig_hook_result *result)
{
    struct lsig_client *client = arg;
    client->run = NULL;
    if (client->state != LSIG_CLIENT_JOINING) {
        return;
    }
    conclude_join(client, status, result);
    lsig_line_resume(client);
}

static void begin_join(struct lsig_client *client)
{
    struct lsig_script *script = client->flow->script;
    client->state = LSIG_CLIENT_JOINING;
    if (client->member->present || !lsig_script_has_hooks(script, LSIG_HOOK_JOIN)) {
        enter(client, seats_of(client, NULL));
        return;
    }
    struct lsig_hook_result result;
    struct lsig_hook_event event = {.kind = LSIG_HOOK_JOIN, .member = client->member};
    lsig_hook_result_init(&result);
    enum lsig_status status =
        lsig_script_call(script, &event, &result, on_join_hooks_done, client, &client->run);
    if (status != LSIG_WAITING) {
        client->run = NULL;
        conclude_join(client, status, &result);
    }
    lsig_hook_result_clear(&result);
}

static void identify(struct lsig_client *client, const struct lsig_claims *claims)
{
    struct lsig_span id = lsig_span_of(claims->sub);
    struct lsig_member *present = lsig_room_member(client->room, id);
    if (present != NULL) {
        client->member = lsig_member_ref(present);
    } else {
        client->member = lsig_member_new(client->room, id, lsig_span_of(claims->username));
    }
    client->has_place = true;
    lsig_authenticate_note(client, claims);
}

// Joins, or takes up again what it was.
static void come_in(struct lsig_client *client,
                    const struct lsig_claims *claims,
                    const struct lsig_resume_request *request)
{
    struct lsig_client *old = lsig_resume_find(
        client->room, (enum lsig_dialect)client->connection.dialect, claims, request);
    if (old != NULL) {
        lsig_resume_take_over(old, client, claims, request);
        return;
    }
    client->resume_asked = request->token.data != NULL;
    identify(client, claims);
    begin_join(client);
}

void lsig_attend_open(struct lsig_flow *flow,
                      struct lsig_client *client,
                      struct lsig_span room_id,
                      enum lsig_dialect dialect,
                      const struct lsig_claims *claims,
                      const struct lsig_resume_request *request)
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
    lsig_introduce(client, claims, request, come_in);
}

void lsig_attend_on_token(struct lsig_client *client,
                          const struct lsig_claims *claims,
                          const struct lsig_resume_request *request)
{
    assert(client->state == LSIG_CLIENT_UNKNOWN);
    if (!lsig_resume_take_place(client->flow, client->room,
                                (enum lsig_dialect)client->connection.dialect, claims, request)) {
        struct lsig_refusal refusal;
        lsig_refuse_with(&refusal, LSIG_RATE_LIMIT_EXCEEDED, "too many connections of this user");
        refusal.close_code = 1008;
        lsig_line_refuse(client, &refusal);
        return;
    }
    lsig_introduce(client, claims, request, come_in);
}

void lsig_attend_check_time(struct lsig_client *client)
{
    struct lsig_flow *flow = client->flow;
    if (flow == NULL || client->state == LSIG_CLIENT_CLOSING) {
        return;
    }
    if (client->state == LSIG_CLIENT_AWAY) {
        if (flow->now.mono_ms >= client->away_until_ms) {
            client->state = LSIG_CLIENT_CLOSING;
            flow->sink.close(client, LSIG_ATTEND_LOST, "");
        }
        return;
    }
    if (client->state != LSIG_CLIENT_UNKNOWN) {
        lsig_authenticate_check_time(client);
        return;
    }
    if (flow->now.wall_ms / 1000 >= client->deadline_s) {
        struct lsig_refusal refusal;
        lsig_refuse_with(&refusal, LSIG_TOKEN_INVALID, "no auth message came within %d s",
                         LSIG_AUTH_WAIT_S);
        lsig_line_refuse(client, &refusal);
    }
}

void lsig_attend_drain(struct lsig_client *client)
{
    uint32_t random;
    if (client->state != LSIG_CLIENT_PRESENT || client->connection.dialect != LSIG_V1) {
        return;
    }
    // Clients that all came back in the same moment would meet a server that is just starting.
    lsig_random_fill(lsig_hub_random(client->flow->hub), &random, sizeof(random));
    struct lsig_buf out;
    lsig_buf_init(&out, 256);
    lsig_json_open(&out, NULL, '{');
    lsig_json_integer(&out, "retry_after_ms",
                      random % (client->flow->settings->drain_retry_ms + 1));
    lsig_json_close(&out, '}');
    lsig_notice_send(client, "draining", lsig_buf_span(&out));
    lsig_buf_clear(&out);
}

void lsig_attend_end(struct lsig_client *client, enum lsig_status why, const char *text)
{
    struct lsig_refusal refusal;
    lsig_refuse_with(&refusal, why, "%s", text);
    refusal.close_code = lsig_status_close_code(why);
    if (refusal.close_code == 0) {
        refusal.close_code = 1008;
    }
    lsig_line_refuse(client, &refusal);
}

static void leave(struct lsig_client *client, const char *reason)
{
    struct lsig_flow *flow = client->flow;
    struct lsig_room *room = client->room;
    struct lsig_member *member = lsig_member_ref(client->member);
    bool was_away = member->away;
    struct lsig_departure departure = lsig_room_leave(&client->connection, flow->now);
    lsig_announce_left(flow, member, &client->connection, reason);
    if (departure.heir != NULL) {
        lsig_announce_role(flow, departure.heir, NULL);
    }
    observe(client, LSIG_EVENT_DISCONNECTED, reason);
    if (departure.left != NULL) {
        lsig_log(LSIG_INFO, "left", LSIG_LOG_TEXT("room", room->id),
                 LSIG_LOG_TEXT("user", member->id),
                 LSIG_LOG_TEXT("connection", client->connection.peer_id),
                 LSIG_LOG_TEXT("reason", reason), LSIG_LOG_NUMBER("members", room->member_count));
        observe(client, LSIG_EVENT_LEFT, reason);
        if (room->member_count == 0) {
            observe(client, LSIG_EVENT_ROOM_CLOSED, NULL);
        }
        lsig_tell_left(flow, member, reason);
        if (room->member_count == 0) {
            lsig_tell_room(flow, LSIG_HOOK_ROOM_CLOSE, room);
        }
        lsig_member_unref(departure.left);
    } else if (member->away && !was_away) {
        lsig_announce_away(flow, member, true); // those of its connections that are left are away
    }
    lsig_member_unref(member);
}

static void let_go(struct lsig_client *client)
{
    struct lsig_flow *flow = client->flow;
    if (client->has_place) {
        lsig_door_give_place(flow, lsig_span_of(client->member->id));
    }
    lsig_introduce_forget(client);
    lsig_tell_drop(client);
    lsig_line_forget(client);
    lsig_limits_free(client->limits);
    lsig_member_unref(client->member);
    lsig_room_unref(client->room);
    memset(client, 0, sizeof(*client));
}

void lsig_attend_close(struct lsig_client *client, const char *reason)
{
    if (client->flow == NULL) {
        return; // refused, or gone, before it opened
    }
    client->state = LSIG_CLIENT_CLOSING;
    lsig_dispatch_drop(client);
    if (client->connection.away) {
        lsig_resume_forget(client);
    }
    if (client->connection.member != NULL) {
        lsig_door_remove_client(client);
        leave(client, reason);
    }
    let_go(client);
}

void lsig_attend_forget(struct lsig_client *client)
{
    if (client->flow == NULL) {
        return;
    }
    client->state = LSIG_CLIENT_CLOSING;
    lsig_dispatch_drop(client);
    if (client->connection.away) {
        lsig_resume_forget(client);
    }
    if (client->connection.member != NULL) {
        lsig_door_remove_client(client);
        struct lsig_departure departure = lsig_room_leave(&client->connection, client->flow->now);
        if (departure.left != NULL) {
            lsig_announce_flush(client->flow, client->room);
            lsig_member_unref(departure.left);
        }
    }
    let_go(client);
}
