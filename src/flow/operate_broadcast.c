#include "flow/operate_broadcast.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "flow/notice.h"
#include "flow/operate_answer.h"

struct broadcast {
    struct broadcast *next;
    char *type;
    char *payload;
    struct lsig_room **rooms; // references, from `at` on
    size_t count;
    size_t at;
};

struct lsig_broadcasts {
    struct lsig_flow *flow;
    struct broadcast *first; // oldest first
    struct broadcast *last;
    size_t count;
};

struct lsig_broadcasts *lsig_broadcasts_new(struct lsig_flow *flow)
{
    struct lsig_broadcasts *broadcasts = lsig_alloc(sizeof(*broadcasts));
    broadcasts->flow = flow;
    return broadcasts;
}

static void drop_first(struct lsig_broadcasts *broadcasts)
{
    struct broadcast *first = broadcasts->first;
    broadcasts->first = first->next;
    broadcasts->last = first->next != NULL ? broadcasts->last : NULL;
    broadcasts->count -= 1;
    for (size_t i = first->at; i < first->count; i++) {
        lsig_room_unref(first->rooms[i]);
    }
    free(first->rooms);
    free(first->type);
    free(first->payload);
    free(first);
}

void lsig_broadcasts_free(struct lsig_broadcasts *broadcasts)
{
    while (broadcasts->first != NULL) {
        drop_first(broadcasts);
    }
    free(broadcasts);
}

static void tell_room(struct lsig_flow *flow,
                      struct lsig_room *room,
                      const char *type,
                      struct lsig_span payload)
{
    for (int i = 0; i < LSIG_DIALECT_COUNT; i++) {
        enum lsig_dialect dialect = (enum lsig_dialect)i;
        struct lsig_body *body = lsig_notice_print(flow, room, type, payload, dialect);
        lsig_notice_broadcast(flow, room, dialect, NULL, body);
        lsig_body_unref(body);
    }
}

void lsig_broadcasts_tick(struct lsig_broadcasts *broadcasts)
{
    struct broadcast *first = broadcasts->first;
    size_t done = 0;
    if (first == NULL) {
        return;
    }
    while (first->at < first->count && done < LSIG_BROADCAST_SLICE) {
        struct lsig_room *room = first->rooms[first->at++];
        done += 1 + room->connection_count;
        tell_room(broadcasts->flow, room, first->type, lsig_span_of(first->payload));
        lsig_room_unref(room);
    }
    if (first->at == first->count) {
        drop_first(broadcasts);
    }
}

bool lsig_broadcasts_due(const struct lsig_broadcasts *broadcasts)
{
    return broadcasts->first != NULL;
}

static void take_room(struct broadcast *broadcast, struct lsig_room *room)
{
    broadcast->rooms[broadcast->count++] = lsig_room_ref(room);
}

static struct broadcast *begin(struct lsig_broadcasts *broadcasts,
                               const struct lsig_operate_request *request,
                               struct lsig_room *only,
                               const char *type)
{
    const struct lsig_hub *hub = broadcasts->flow->hub;
    struct broadcast *broadcast = lsig_alloc(sizeof(*broadcast));
    size_t rooms_max = only != NULL ? 1 : lsig_hub_room_count(hub);
    broadcast->rooms = lsig_alloc((rooms_max + 1) * sizeof(struct lsig_room *));
    broadcast->type = lsig_strdup(type);
    broadcast->payload = lsig_strndup(request->payload.data, request->payload.len);
    size_t cursor = 0;
    struct lsig_room *room;
    if (only != NULL) {
        take_room(broadcast, only);
    } else {
        while ((room = lsig_hub_next(hub, &cursor)) != NULL) {
            if (room->member_count > 0) {
                take_room(broadcast, room);
            }
        }
    }
    assert(broadcast->count <= rooms_max);
    *(broadcasts->last != NULL ? &broadcasts->last->next : &broadcasts->first) = broadcast;
    broadcasts->last = broadcast;
    broadcasts->count += 1;
    return broadcast;
}

// 200, or the refusal is written.
static int check_message(const struct lsig_flow *flow,
                         const struct lsig_operate_request *request,
                         const struct lsig_rule *rule,
                         struct lsig_buf *out)
{
    struct lsig_refusal refusal;
    if (rule == NULL) {
        return lsig_operate_refuse(out, 400, "no policy declares the type %s", request->type);
    }
    if ((int64_t)request->payload.len > flow->settings->frame_bytes_max) {
        return lsig_operate_refuse(out, 413, "the payload is above WEBSOCKET_FRAME_BYTES");
    }
    if (rule->payload != NULL &&
        lsig_schema_check(rule->payload, request->payload, true, &refusal) != LSIG_OK) {
        return lsig_operate_refuse(out, 400, "the payload has not the shape of %s: %s %s",
                                   rule->name, refusal.message, refusal.details);
    }
    return 200;
}

// Those who wait to be let in do not hear it.
static int64_t count_reached(const struct lsig_room *room)
{
    int64_t reached = 0;
    if (room->waiting_count == 0) {
        return room->connection_count;
    }
    for (uint32_t i = 0; i < room->connection_count; i++) {
        reached += lsig_room_reaches(room, room->connections[i]);
    }
    return reached;
}

int lsig_broadcasts_add(struct lsig_broadcasts *broadcasts,
                        const struct lsig_operate_request *request,
                        struct lsig_buf *out)
{
    struct lsig_flow *flow = broadcasts->flow;
    const struct lsig_rule *rule = lsig_script_rule(flow->script, lsig_span_of(request->type));
    int status = check_message(flow, request, rule, out);
    if (status != 200) {
        return status;
    }
    struct lsig_room *only = NULL;
    if (!request->all) {
        only = lsig_hub_find(flow->hub, lsig_span_of(request->room_id));
        if (only == NULL || only->member_count == 0) {
            return lsig_operate_refuse(out, 404, "nobody is in a room %s", request->room_id);
        }
    }
    if (broadcasts->count >= LSIG_BROADCASTS_MAX) {
        return lsig_operate_refuse(out, 503, "%d broadcasts are under way", LSIG_BROADCASTS_MAX);
    }
    const struct broadcast *broadcast = begin(broadcasts, request, only, rule->name);
    int64_t connections = 0;
    for (size_t i = 0; i < broadcast->count; i++) {
        connections += count_reached(broadcast->rooms[i]);
    }
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "type", broadcast->type);
    lsig_json_integer(out, "rooms", (int64_t)broadcast->count);
    lsig_json_integer(out, "connections", connections);
    lsig_json_close(out, '}');
    if (broadcasts->count == 1) {
        lsig_broadcasts_tick(broadcasts);
    }
    return 200;
}
