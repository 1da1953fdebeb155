#include "net/webhook_event.h"

#include <assert.h>

#include "codec/json.h"

static void print_member(struct lsig_buf *out, const struct lsig_member *member)
{
    lsig_json_string(out, "user_id", member->id);
    lsig_json_string(out, "username", member->username);
    lsig_json_string(out, "role", lsig_role_name((enum lsig_role)member->role));
    lsig_json_boolean(out, "waiting", member->waiting);
    lsig_json_integer(out, "connections", member->connection_count);
}

// The members of `data` depend on the type alone, so that a receiver can rely on them.
static void print_data(struct lsig_buf *out, const struct lsig_event *event)
{
    enum lsig_event_kind kind = event->kind;
    bool of_connection = kind == LSIG_EVENT_CONNECTED || kind == LSIG_EVENT_DISCONNECTED;
    lsig_json_string(out, "room_id", event->room->id);
    lsig_json_integer(out, "members", event->room->member_count);
    if (kind == LSIG_EVENT_ROOM_OPENED || kind == LSIG_EVENT_ROOM_CLOSED) {
        return;
    }
    assert(event->member != NULL);
    print_member(out, event->member);
    if (of_connection) {
        assert(event->connection != NULL);
        lsig_json_string(out, "peer_id", event->connection->peer_id);
    }
    if (kind == LSIG_EVENT_LEFT || kind == LSIG_EVENT_DISCONNECTED) {
        lsig_json_string(out, "reason", event->reason);
    }
}

void lsig_webhook_event_print(struct lsig_buf *out,
                              const struct lsig_webhook_origin *origin,
                              const struct lsig_event *event)
{
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "type", lsig_event_name(event->kind));
    lsig_json_string(out, "timestamp", origin->time_iso);
    lsig_json_integer(out, "time_ms", origin->time.wall_ms);
    lsig_json_string(out, "id", origin->id);
    lsig_json_string(out, "node", origin->node);
    lsig_json_integer(out, "seq", origin->seq);
    lsig_json_open(out, "data", '{');
    print_data(out, event);
    lsig_json_close(out, '}');
    lsig_json_close(out, '}');
}
