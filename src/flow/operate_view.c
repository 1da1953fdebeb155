#include "flow/operate_view.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "codec/json.h"

// --- the largest rooms

// Whether `one` is listed before `other`: by members, then by name.
static bool is_before(const struct lsig_room *one, const struct lsig_room *other)
{
    return one->member_count != other->member_count ? one->member_count > other->member_count
                                                    : strcmp(one->id, other->id) < 0;
}

// A heap whose root is the room that is listed last.
static void sift_down(struct lsig_room **heap, size_t count, size_t at)
{
    for (;;) {
        size_t last = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++) {
            if (is_before(heap[last], heap[child])) {
                last = child;
            }
        }
        if (last == at) {
            return;
        }
        struct lsig_room *moved = heap[at];
        heap[at] = heap[last];
        heap[last] = moved;
        at = last;
    }
}

static void sift_up(struct lsig_room **heap, size_t at)
{
    while (at > 0 && is_before(heap[(at - 1) / 2], heap[at])) {
        struct lsig_room *moved = heap[at];
        heap[at] = heap[(at - 1) / 2];
        heap[(at - 1) / 2] = moved;
        at = (at - 1) / 2;
    }
}

// There may be very many rooms: only those that are listed are sorted. The caller frees.
static struct lsig_room **find_largest(const struct lsig_hub *hub, size_t limit, size_t *count_out)
{
    size_t rooms = lsig_hub_room_count(hub);
    size_t places = rooms < limit ? rooms : limit;
    struct lsig_room **heap = lsig_alloc((places + 1) * sizeof(struct lsig_room *));
    size_t count = 0;
    size_t cursor = 0;
    struct lsig_room *room;
    while ((room = lsig_hub_next(hub, &cursor)) != NULL) {
        if (room->member_count == 0) {
            continue;
        }
        if (count < places) {
            heap[count] = room;
            sift_up(heap, count++);
        } else if (places > 0 && is_before(room, heap[0])) {
            heap[0] = room;
            sift_down(heap, count, 0);
        }
    }
    for (size_t left = count; left > 1; left--) {
        struct lsig_room *last = heap[0];
        heap[0] = heap[left - 1];
        heap[left - 1] = last;
        sift_down(heap, left - 1, 0);
    }
    *count_out = count;
    return heap;
}

static int64_t count_away(const struct lsig_room *room)
{
    int64_t away = 0;
    for (const struct lsig_member *at = room->first; at != NULL; at = at->next) {
        away += at->away ? 1 : 0;
    }
    return away;
}

void lsig_operate_print_rooms(struct lsig_buf *out, const struct lsig_flow *flow, size_t limit)
{
    size_t count;
    struct lsig_room **rooms = find_largest(flow->hub, limit, &count);
    lsig_json_open(out, NULL, '{');
    lsig_json_open(out, "rooms", '[');
    for (size_t i = 0; i < count; i++) {
        lsig_json_open(out, NULL, '{');
        lsig_json_string(out, "room_id", rooms[i]->id);
        lsig_json_integer(out, "members", rooms[i]->member_count);
        lsig_json_integer(out, "connections", rooms[i]->connection_count);
        lsig_json_integer(out, "away", count_away(rooms[i]));
        lsig_json_integer(out, "waiting", rooms[i]->waiting_count);
        lsig_json_integer(out, "revision", (int64_t)rooms[i]->revision);
        lsig_json_close(out, '}');
    }
    lsig_json_close(out, ']');
    lsig_json_integer(out, "count", (int64_t)lsig_hub_room_count(flow->hub));
    lsig_json_close(out, '}');
    free(rooms);
}

// --- members

static void
print_connection(struct lsig_buf *out, struct lsig_connection *connection, bool addresses)
{
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "peer_id", connection->peer_id);
    lsig_json_string(out, "dialect", connection->dialect == LSIG_V1 ? "lunasig.v1" : "compat");
    lsig_json_boolean(out, "away", connection->away);
    lsig_json_integer(out, "join_seq", (int64_t)connection->join_seq);
    if (addresses) {
        lsig_json_string(out, "address",
                         connection->away ? NULL : lsig_client_of(connection)->address);
    }
    lsig_json_close(out, '}');
}

static void print_presence(struct lsig_buf *out, const struct lsig_member *member, bool addresses)
{
    char joined_at[LSIG_CLOCK_ISO_SIZE];
    lsig_clock_print_iso(joined_at, member->joined_ms);
    lsig_json_string(out, "username", member->username);
    lsig_json_string(out, "role", lsig_role_name((enum lsig_role)member->role));
    lsig_json_string(out, "joined_at", joined_at);
    lsig_json_boolean(out, "away", member->away);
    lsig_json_boolean(out, "waiting", member->waiting);
    lsig_json_open(out, "connections", '[');
    for (struct lsig_connection *at = member->connections; at != NULL; at = at->next) {
        print_connection(out, at, addresses);
    }
    lsig_json_close(out, ']');
}

void lsig_operate_print_room(struct lsig_buf *out,
                             const struct lsig_room *room,
                             size_t limit,
                             bool addresses)
{
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "room_id", room->id);
    lsig_json_integer(out, "revision", (int64_t)room->revision);
    lsig_json_integer(out, "member_count", room->member_count);
    lsig_json_integer(out, "connection_count", room->connection_count);
    lsig_json_integer(out, "waiting_count", room->waiting_count);
    lsig_json_open(out, "members", '[');
    for (const struct lsig_member *at = room->first; at != NULL && limit > 0; at = at->next) {
        limit -= 1;
        lsig_json_open(out, NULL, '{');
        lsig_json_string(out, "user_id", at->id);
        print_presence(out, at, addresses);
        lsig_json_close(out, '}');
    }
    lsig_json_close(out, ']');
    lsig_json_close(out, '}');
}

bool lsig_operate_print_user(struct lsig_buf *out,
                             const struct lsig_flow *flow,
                             struct lsig_span user_id,
                             bool addresses)
{
    bool found = false;
    size_t cursor = 0;
    struct lsig_room *room;
    while ((room = lsig_hub_next(flow->hub, &cursor)) != NULL) {
        const struct lsig_member *member = lsig_room_member(room, user_id);
        if (member == NULL) {
            continue;
        }
        if (!found) {
            lsig_json_open(out, NULL, '{');
            lsig_json_text(out, "user_id", user_id);
            lsig_json_open(out, "rooms", '[');
            found = true;
        }
        lsig_json_open(out, NULL, '{');
        lsig_json_string(out, "room_id", room->id);
        print_presence(out, member, addresses);
        lsig_json_close(out, '}');
    }
    if (found) {
        lsig_json_close(out, ']');
        lsig_json_close(out, '}');
    }
    return found;
}
