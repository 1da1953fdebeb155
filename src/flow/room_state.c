#include "flow/room_state.h"

#include <stdio.h>

#include "codec/json.h"
#include "flow/ice.h"
#include "flow/notice.h"
#include "room/kept.h"
#include "room/props.h"

static void print_peer(struct lsig_buf *out, const char *name, const struct lsig_connection *peer)
{
    lsig_json_open(out, name, '{');
    lsig_json_string(out, "peer_id", peer->peer_id);
    lsig_json_integer(out, "join_seq", (int64_t)peer->join_seq);
    lsig_json_close(out, '}');
}

void lsig_room_state_print_peers(struct lsig_buf *out, const struct lsig_member *member)
{
    lsig_json_open(out, "peers", '[');
    for (const struct lsig_connection *at = member->connections; at != NULL; at = at->next) {
        print_peer(out, NULL, at);
    }
    lsig_json_close(out, ']');
}

static void print_attr(struct lsig_buf *out, const struct lsig_member *member)
{
    size_t cursor = 0;
    struct lsig_span name;
    struct lsig_span value;
    if (member->attr == NULL) {
        return;
    }
    lsig_json_open(out, "attr", '{');
    while (lsig_props_next(member->attr, &cursor, &name, &value)) {
        char text[LSIG_PROP_NAME_MAX + 1];
        snprintf(text, sizeof(text), "%.*s", LSIG_SPAN_ARG(name));
        lsig_json_raw(out, text, value);
    }
    lsig_json_close(out, '}');
}

// What the room keeps for those who come later, oldest first.
static void
print_kept(struct lsig_buf *out, const struct lsig_room *room, enum lsig_dialect dialect)
{
    const struct lsig_kept_message *at = lsig_kept_oldest(room);
    if (at == NULL) {
        return;
    }
    lsig_json_open(out, "kept", '[');
    for (; at != NULL; at = at->newer) {
        lsig_json_open(out, NULL, '{');
        lsig_json_string(out, "type", at->type);
        lsig_json_raw(out, "payload", lsig_span_of(at->payload));
        lsig_json_string(out, "sender_id", at->user_id);
        if (dialect == LSIG_V1) {
            lsig_json_string(out, "sender_peer_id", at->peer_id);
        }
        lsig_json_string(out, "timestamp", at->timestamp);
        lsig_json_close(out, '}');
    }
    lsig_json_close(out, ']');
}

static void
print_participant(struct lsig_buf *out, const struct lsig_member *member, enum lsig_dialect dialect)
{
    char joined_at[LSIG_CLOCK_ISO_SIZE];
    lsig_clock_print_iso(joined_at, member->joined_ms);
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "user_id", member->id);
    lsig_json_string(out, "username", member->username);
    lsig_json_string(out, "joined_at", joined_at);
    lsig_json_string(out, "role", lsig_role_name((enum lsig_role)member->role));
    print_attr(out, member);
    if (dialect == LSIG_V1) {
        lsig_room_state_print_peers(out, member);
        if (member->away) {
            lsig_json_boolean(out, "away", true);
        }
    }
    if (member->waiting) {
        lsig_json_boolean(out, "waiting", true);
    }
    lsig_json_close(out, '}');
}

void lsig_room_state_print(struct lsig_buf *out,
                           const struct lsig_room *room,
                           enum lsig_dialect dialect)
{
    lsig_json_string(out, "room_id", room->id);
    lsig_json_open(out, "participants", '[');
    for (const struct lsig_member *at = room->first; at != NULL; at = at->next) {
        if (!at->waiting) {
            print_participant(out, at, dialect);
        }
    }
    lsig_json_close(out, ']');
    lsig_json_integer(out, "participant_count", lsig_room_inside_count(room));
}

// What one who waits is shown.
static void
print_alone(struct lsig_buf *out, const struct lsig_member *member, enum lsig_dialect dialect)
{
    lsig_json_string(out, "room_id", member->room->id);
    lsig_json_open(out, "participants", '[');
    print_participant(out, member, dialect);
    lsig_json_close(out, ']');
    lsig_json_integer(out, "participant_count", 1);
}

static void print_self(struct lsig_buf *out, const struct lsig_client *client)
{
    const struct lsig_member *member = client->member;
    lsig_json_open(out, "self", '{');
    lsig_json_string(out, "user_id", member->id);
    lsig_json_string(out, "peer_id", client->connection.peer_id);
    lsig_json_integer(out, "join_seq", (int64_t)client->connection.join_seq);
    lsig_json_string(out, "role", lsig_role_name((enum lsig_role)member->role));
    if (member->waiting) {
        lsig_json_boolean(out, "waiting", true);
    }
    lsig_json_close(out, '}');
}

// A token is good for one return: each room-state brings the next one.
static void print_session(struct lsig_buf *out, struct lsig_client *client)
{
    int64_t window_s = client->flow->settings->resume_window_s;
    if (window_s == 0) {
        return;
    }
    char token[LSIG_RESUME_TOKEN_SIZE];
    lsig_resume_make(lsig_hub_random(client->flow->hub), token, client->resume_digest);
    client->resumable = true;
    lsig_json_open(out, "session", '{');
    lsig_json_string(out, "id", client->connection.peer_id);
    lsig_json_string(out, "resume_token", token);
    lsig_json_integer(out, "expires_in", window_s);
    if (client->connection.dialect == LSIG_V1) {
        lsig_json_integer(out, "last_id", client->last_id);
    }
    lsig_json_close(out, '}');
    explicit_bzero(token, sizeof(token));
}

static void print_v1(struct lsig_buf *out, struct lsig_client *client)
{
    struct lsig_flow *flow = client->flow;
    int64_t now_s = flow->now.wall_ms / 1000;
    int64_t token_exp_s = client->deadline_s - flow->settings->jwt_leeway_s;
    print_self(out, client);
    lsig_json_integer(out, "revision", (int64_t)client->room->revision);
    lsig_ice_print_for_member(out, "ice_servers", flow, client->member, token_exp_s);
    lsig_ice_print_policies(out, flow->settings);
    client->ice_until_s = lsig_ice_expires_at(flow->settings, now_s, token_exp_s);
}

// What the room is to this client, into a fresh buffer.
static void open_state(struct lsig_buf *out, struct lsig_client *client)
{
    enum lsig_dialect dialect = (enum lsig_dialect)client->connection.dialect;
    lsig_buf_init(out, LSIG_ROOM_STATE_MAX);
    lsig_json_open(out, NULL, '{');
    if (client->member->waiting) {
        print_alone(out, client->member, dialect);
    } else {
        lsig_room_state_print(out, client->room, dialect);
    }
    if (dialect == LSIG_V1) {
        print_v1(out, client);
    }
}

// The frame of such a buffer, which is wiped. The caller has the reference.
static struct lsig_body *close_state(struct lsig_buf *out, struct lsig_client *client)
{
    lsig_json_close(out, '}');
    client->entered_revision = client->room->revision;
    struct lsig_body *body =
        lsig_notice_print(client->flow, client->room, "room-state", lsig_buf_span(out),
                          (enum lsig_dialect)client->connection.dialect);
    explicit_bzero(out->data, out->len); // may hold a TURN credential, and a resume token
    lsig_buf_clear(out);
    return body;
}

void lsig_room_state_welcome(struct lsig_client *client, const struct lsig_arrival *arrival)
{
    const struct lsig_flow *flow = client->flow;
    enum lsig_dialect dialect = (enum lsig_dialect)client->connection.dialect;
    struct lsig_buf out;
    open_state(&out, client);
    if (dialect == LSIG_V1) {
        if (arrival->asked) {
            lsig_json_boolean(&out, "resumed", arrival->resumed);
        }
    } else if (arrival->resumed) {
        lsig_json_boolean(&out, "reconnected", true);
        lsig_json_integer(&out, "missed_message_count", arrival->replayed);
    }
    if (!arrival->resumed && !client->member->waiting) { // else it has heard them, or they follow
        print_kept(&out, client->room, dialect);
    }
    print_session(&out, client);
    struct lsig_body *body = close_state(&out, client);
    body->once = true; // it brings the token without which nothing can be asked for again
    (arrival->resumed ? flow->sink.send_first : flow->sink.send)(client, body);
    lsig_body_unref(body);
}

void lsig_room_state_renew(struct lsig_client *client)
{
    struct lsig_buf out;
    if (client->state == LSIG_CLIENT_CLOSING) {
        return;
    }
    open_state(&out, client);
    if (!client->member->waiting) {
        print_kept(&out, client->room, (enum lsig_dialect)client->connection.dialect);
    }
    struct lsig_body *body = close_state(&out, client);
    client->flow->sink.send(client, body);
    lsig_body_unref(body);
}
