#include "flow/announce.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "flow/notice.h"
#include "flow/observer.h"
#include "flow/room_state.h"
#include "flow/tell.h"

enum { PAYLOAD_MAX = 8 * 1024 * 1024 };

// What compat clients have yet to hear, in order.
struct event {
    struct lsig_body *body;
    uint64_t revision; // clients that entered with it or later know it from their room-state
    bool of_members;   // the list of members changed: room-state goes before it
    char *joined;      // user id of who joined, or NULL
};

struct lsig_announcements {
    struct lsig_announcements *next;
    struct lsig_announcements *previous;
    struct lsig_room *room; // a reference
    int64_t due_ms;
    size_t count;
    struct event events[LSIG_MERGE_EVENTS_MAX];
};

static bool room_speaks(const struct lsig_room *room, enum lsig_dialect dialect)
{
    for (uint32_t i = 0; i < room->connection_count; i++) {
        if (room->connections[i]->dialect == dialect) {
            return true;
        }
    }
    return false;
}

static struct lsig_announcements *pending_of(struct lsig_flow *flow, struct lsig_room *room)
{
    struct lsig_announcements *pending = room->announcements;
    if (pending == NULL) {
        pending = lsig_alloc(sizeof(*pending));
        pending->room = lsig_room_ref(room);
        pending->due_ms = flow->now.mono_ms + LSIG_MERGE_MS;
        pending->next = flow->pending;
        if (pending->next != NULL) {
            pending->next->previous = pending;
        }
        flow->pending = pending;
        room->announcements = pending;
    }
    return pending;
}

// Queues an event for compat clients; small rooms hear it at once.
static void tell_compat(struct lsig_flow *flow, struct lsig_room *room, struct event event)
{
    if (room->announcements == NULL && !room_speaks(room, LSIG_COMPAT)) {
        lsig_body_unref(event.body);
        free(event.joined);
        return;
    }
    struct lsig_announcements *pending = pending_of(flow, room);
    pending->events[pending->count++] = event;
    if (room->member_count <= LSIG_MERGE_MEMBERS || pending->count == LSIG_MERGE_EVENTS_MAX) {
        lsig_announce_flush(flow, room);
    }
}

static void tell_client(struct lsig_flow *flow,
                        const struct lsig_announcements *pending,
                        struct lsig_client *client,
                        struct lsig_body **state)
{
    bool state_sent = false;
    for (size_t i = 0; i < pending->count; i++) {
        const struct event *event = &pending->events[i];
        if (event->revision <= client->entered_revision) {
            continue;
        }
        if (event->of_members && !state_sent) {
            if (*state == NULL) {
                struct lsig_buf out;
                lsig_buf_init(&out, PAYLOAD_MAX);
                lsig_json_open(&out, NULL, '{');
                lsig_room_state_print(&out, pending->room, LSIG_COMPAT);
                lsig_json_close(&out, '}');
                *state = lsig_notice_print(flow, pending->room, "room-state", lsig_buf_span(&out),
                                           LSIG_COMPAT);
                lsig_buf_clear(&out);
            }
            flow->sink.send(client, *state);
            state_sent = true;
        }
        flow->sink.send(client, event->body);
    }
}

void lsig_announce_flush(struct lsig_flow *flow, struct lsig_room *room)
{
    struct lsig_announcements *pending = room->announcements;
    if (pending == NULL) {
        return;
    }
    struct lsig_body *state = NULL;
    for (uint32_t i = 0; i < room->connection_count; i++) {
        if (room->connections[i]->dialect == LSIG_COMPAT &&
            lsig_room_reaches(room, room->connections[i])) {
            tell_client(flow, pending, lsig_client_of(room->connections[i]), &state);
        }
    }
    lsig_body_unref(state);
    for (size_t i = 0; i < pending->count; i++) {
        lsig_body_unref(pending->events[i].body);
        free(pending->events[i].joined);
    }
    *(pending->previous != NULL ? &pending->previous->next : &flow->pending) = pending->next;
    if (pending->next != NULL) {
        pending->next->previous = pending->previous;
    }
    room->announcements = NULL;
    free(pending);
    lsig_room_unref(room);
}

void lsig_announce_settle(struct lsig_flow *flow, const struct lsig_member *member)
{
    const struct lsig_announcements *pending = member->room->announcements;
    for (size_t i = 0; pending != NULL && i < pending->count; i++) {
        if (pending->events[i].joined != NULL &&
            strcmp(pending->events[i].joined, member->id) == 0) {
            lsig_announce_flush(flow, member->room);
            return;
        }
    }
}

int64_t lsig_announce_tick(struct lsig_flow *flow)
{
    int64_t next = -1;
    for (struct lsig_announcements *at = flow->pending; at != NULL;) {
        struct lsig_announcements *following = at->next;
        int64_t left = at->due_ms - flow->now.mono_ms;
        if (left <= 0) {
            lsig_announce_flush(flow, at->room);
        } else if (next < 0 || left < next) {
            next = left;
        }
        at = following;
    }
    return next;
}

// {user_id, username, timestamp, …}: the beginning of the payloads about a member.
static void
open_payload(struct lsig_buf *out, const struct lsig_flow *flow, const struct lsig_member *member)
{
    lsig_buf_init(out, PAYLOAD_MAX);
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "user_id", member->id);
    lsig_json_string(out, "username", member->username);
    lsig_json_string(out, "timestamp", flow->now_iso);
}

static struct lsig_body *close_payload(struct lsig_buf *out,
                                       const struct lsig_flow *flow,
                                       const struct lsig_room *room,
                                       const char *type,
                                       enum lsig_dialect dialect)
{
    lsig_json_close(out, '}');
    struct lsig_body *body = lsig_notice_print(flow, room, type, lsig_buf_span(out), dialect);
    lsig_buf_clear(out);
    return body;
}

// To all lunasig.v1 clients of the room but one; takes over the body.
static void tell_v1(struct lsig_flow *flow,
                    struct lsig_room *room,
                    const struct lsig_connection *except,
                    struct lsig_body *body)
{
    lsig_notice_broadcast(flow, room, LSIG_V1, except, body);
    lsig_body_unref(body);
}

// The same, but for a whole member.
static void
tell_v1_others(struct lsig_flow *flow, const struct lsig_member *member, struct lsig_body *body)
{
    const struct lsig_room *room = member->room;
    for (uint32_t i = 0; i < room->connection_count; i++) {
        struct lsig_connection *to = room->connections[i];
        if (to->dialect == LSIG_V1 && to->member != member && lsig_room_reaches(room, to)) {
            flow->sink.send(lsig_client_of(to), body);
        }
    }
    lsig_body_unref(body);
}

static void tell_v1_away(struct lsig_flow *flow, const struct lsig_member *member, bool away)
{
    struct lsig_room *room = member->room;
    if (member->waiting || !room_speaks(room, LSIG_V1)) {
        return;
    }
    struct lsig_buf out;
    lsig_buf_init(&out, PAYLOAD_MAX);
    lsig_json_open(&out, NULL, '{');
    lsig_json_string(&out, "user_id", member->id);
    lsig_json_integer(&out, "revision", (int64_t)room->revision);
    lsig_json_string(&out, "timestamp", flow->now_iso);
    tell_v1_others(flow, member,
                   close_payload(&out, flow, room, away ? "user-away" : "user-back", LSIG_V1));
}

void lsig_announce_joined(struct lsig_flow *flow, const struct lsig_member *member)
{
    struct lsig_room *room = member->room;
    struct lsig_buf out;
    if (member->waiting || room->connection_count < 2) {
        return;
    }
    open_payload(&out, flow, member);
    tell_compat(flow, room,
                (struct event){.body = close_payload(&out, flow, room, "user-joined", LSIG_COMPAT),
                               .revision = room->revision,
                               .of_members = true,
                               .joined = lsig_strdup(member->id)});
    if (!room_speaks(room, LSIG_V1)) {
        return;
    }
    open_payload(&out, flow, member);
    lsig_json_string(&out, "role", lsig_role_name((enum lsig_role)member->role));
    lsig_json_integer(&out, "revision", (int64_t)room->revision);
    lsig_room_state_print_peers(&out, member);
    tell_v1_others(flow, member, close_payload(&out, flow, room, "user-joined", LSIG_V1));
    if (member->away) { // let in while he was
        tell_v1_away(flow, member, true);
    }
}

static void tell_peer(struct lsig_flow *flow,
                      const struct lsig_member *member,
                      const struct lsig_connection *connection,
                      const char *type)
{
    struct lsig_buf out;
    lsig_buf_init(&out, PAYLOAD_MAX);
    lsig_json_open(&out, NULL, '{');
    lsig_json_string(&out, "user_id", member->id);
    lsig_json_string(&out, "peer_id", connection->peer_id);
    lsig_json_integer(&out, "join_seq", (int64_t)connection->join_seq);
    lsig_json_integer(&out, "revision", (int64_t)member->room->revision);
    tell_v1(flow, member->room, connection, close_payload(&out, flow, member->room, type, LSIG_V1));
}

void lsig_announce_peer(struct lsig_client *client)
{
    if (!client->member->waiting && room_speaks(client->room, LSIG_V1)) {
        tell_peer(client->flow, client->member, &client->connection, "peer-joined");
    }
}

static void tell_left(struct lsig_flow *flow, const struct lsig_member *member, const char *reason)
{
    struct lsig_room *room = member->room;
    struct lsig_buf out;
    open_payload(&out, flow, member);
    lsig_json_string(&out, "reason", reason);
    tell_compat(flow, room,
                (struct event){.body = close_payload(&out, flow, room, "user-left", LSIG_COMPAT),
                               .revision = room->revision,
                               .of_members = true});
    open_payload(&out, flow, member);
    lsig_json_string(&out, "reason", reason);
    lsig_json_integer(&out, "revision", (int64_t)room->revision);
    tell_v1(flow, room, NULL, close_payload(&out, flow, room, "user-left", LSIG_V1));
}

void lsig_announce_held(struct lsig_flow *flow, const struct lsig_member *member)
{
    tell_left(flow, member, "waiting");
}

void lsig_announce_left(struct lsig_flow *flow,
                        const struct lsig_member *member,
                        const struct lsig_connection *connection,
                        const char *reason)
{
    struct lsig_room *room = member->room;
    if (member->present) {
        if (!member->waiting && room_speaks(room, LSIG_V1)) {
            tell_peer(flow, member, connection, "peer-left");
        }
        return;
    }
    if (room->connection_count == 0) {
        lsig_announce_flush(flow, room); // nobody is left to hear it
    } else if (!member->waiting) {
        tell_left(flow, member, reason);
    }
}

void lsig_announce_away(struct lsig_flow *flow, struct lsig_member *member, bool away)
{
    struct lsig_event event = {
        .kind = away ? LSIG_EVENT_AWAY : LSIG_EVENT_BACK, .room = member->room, .member = member};
    lsig_observe(flow, &event);
    tell_v1_away(flow, member, away);
    lsig_tell_member(flow, away ? LSIG_HOOK_AWAY : LSIG_HOOK_BACK, member);
}

void lsig_announce_role(struct lsig_flow *flow,
                        const struct lsig_member *member,
                        const char *updated_by)
{
    struct lsig_room *room = member->room;
    room->revision += 1;
    struct lsig_buf out;
    lsig_buf_init(&out, PAYLOAD_MAX);
    lsig_json_open(&out, NULL, '{');
    lsig_json_string(&out, "user_id", member->id);
    lsig_json_string(&out, "role", lsig_role_name((enum lsig_role)member->role));
    lsig_json_string(&out, "updated_by", updated_by);
    lsig_json_string(&out, "timestamp", flow->now_iso);
    lsig_json_close(&out, '}');
    struct lsig_event told = {.kind = LSIG_EVENT_ROLE, .room = room, .member = member};
    lsig_observe(flow, &told);
    struct lsig_span payload = lsig_buf_span(&out);
    struct event event = {
        .body = lsig_notice_print(flow, room, "role-updated", payload, LSIG_COMPAT),
        .revision = room->revision,
    };
    tell_compat(flow, room, event);
    tell_v1(flow, room, NULL, lsig_notice_print(flow, room, "role-updated", payload, LSIG_V1));
    lsig_buf_clear(&out);
}
