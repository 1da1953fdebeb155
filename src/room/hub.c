#include "room/hub.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "room/former.h"

enum { FORMERS_KEPT_MAX = 64 };

struct lsig_hub {
    struct lsig_map rooms; // by id: rooms that are referenced, and rooms that are kept
    struct lsig_room *kept_oldest;
    struct lsig_room *kept_newest;
    size_t kept_count;
    size_t occupied_count;
    size_t member_count;
};

struct lsig_hub *lsig_hub_new(void)
{
    struct lsig_hub *hub = lsig_alloc(sizeof(*hub));
    lsig_map_init(&hub->rooms);
    return hub;
}

static void room_free(struct lsig_hub *hub, struct lsig_room *room)
{
    assert(room->refs == 0 && !room->kept && room->announcements == NULL);
    assert(room->directory == NULL);
    void *removed = lsig_map_remove(&hub->rooms, lsig_span_of(room->id));
    assert(removed == room);
    while (room->oldest_former != NULL) {
        lsig_former_remove(room, room->oldest_former);
    }
    lsig_map_clear(&room->formers);
    free(room->connections);
    free(room->id);
    free(room);
}

static void kept_remove(struct lsig_hub *hub, struct lsig_room *room)
{
    assert(room->kept);
    *(room->kept_previous != NULL ? &room->kept_previous->kept_next : &hub->kept_oldest) =
        room->kept_next;
    *(room->kept_next != NULL ? &room->kept_next->kept_previous : &hub->kept_newest) =
        room->kept_previous;
    room->kept_next = NULL;
    room->kept_previous = NULL;
    room->kept = false;
    hub->kept_count -= 1;
}

static void kept_add(struct lsig_hub *hub, struct lsig_room *room)
{
    if (hub->kept_count == LSIG_KEPT_ROOMS_MAX) {
        struct lsig_room *oldest = hub->kept_oldest;
        kept_remove(hub, oldest);
        room_free(hub, oldest);
    }
    // A room that was only looked at goes back to where its time puts it: the list stays in order.
    struct lsig_room *before = hub->kept_newest;
    while (before != NULL && before->empty_since_ms > room->empty_since_ms) {
        before = before->kept_previous;
    }
    room->kept = true;
    room->kept_previous = before;
    room->kept_next = before != NULL ? before->kept_next : hub->kept_oldest;
    *(before != NULL ? &before->kept_next : &hub->kept_oldest) = room;
    *(room->kept_next != NULL ? &room->kept_next->kept_previous : &hub->kept_newest) = room;
    hub->kept_count += 1;
}

void lsig_hub_free(struct lsig_hub *hub)
{
    if (hub == NULL) {
        return;
    }
    while (hub->kept_oldest != NULL) {
        struct lsig_room *room = hub->kept_oldest;
        kept_remove(hub, room);
        room_free(hub, room);
    }
    assert(hub->rooms.count == 0);
    lsig_map_clear(&hub->rooms);
    free(hub);
}

struct lsig_room *lsig_hub_open(struct lsig_hub *hub, struct lsig_span room_id)
{
    assert(lsig_hub_room_id_ok(room_id));
    struct lsig_room *room = lsig_map_find(&hub->rooms, room_id);
    if (room != NULL) {
        if (room->kept) {
            kept_remove(hub, room);
        }
        return lsig_room_ref(room);
    }
    room = lsig_alloc(sizeof(*room));
    room->refs = 1;
    room->hub = hub;
    room->id = lsig_strndup(room_id.data, room_id.len);
    lsig_map_init(&room->formers);
    lsig_map_add(&hub->rooms, lsig_span_of(room->id), room);
    return room;
}

struct lsig_room *lsig_hub_find(const struct lsig_hub *hub, struct lsig_span room_id)
{
    return lsig_map_find(&hub->rooms, room_id);
}

struct lsig_room *lsig_hub_next(const struct lsig_hub *hub, size_t *cursor)
{
    return lsig_map_next(&hub->rooms, cursor);
}

bool lsig_hub_room_id_ok(struct lsig_span room_id)
{
    if (room_id.len == 0 || room_id.len > LSIG_ROOM_ID_MAX) {
        return false;
    }
    for (size_t i = 0; i < room_id.len; i++) {
        char c = room_id.data[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-';
        if (!ok) {
            return false;
        }
    }
    return true;
}

void lsig_hub_expire(struct lsig_hub *hub, struct lsig_time now)
{
    while (hub->kept_oldest != NULL &&
           now.mono_ms - hub->kept_oldest->empty_since_ms >= LSIG_KEPT_MS) {
        struct lsig_room *room = hub->kept_oldest;
        kept_remove(hub, room);
        room_free(hub, room);
    }
}

size_t lsig_hub_room_count(const struct lsig_hub *hub)
{
    return hub->occupied_count;
}

size_t lsig_hub_member_count(const struct lsig_hub *hub)
{
    return hub->member_count;
}

void lsig_hub_on_members(struct lsig_hub *hub, struct lsig_room *room, int change)
{
    assert(change == 1 || change == -1);
    if (change == 1) {
        hub->member_count += 1;
        hub->occupied_count += room->member_count == 1;
    } else {
        hub->member_count -= 1;
        hub->occupied_count -= room->member_count == 0;
    }
}

void lsig_hub_on_unreferenced(struct lsig_hub *hub, struct lsig_room *room)
{
    lsig_former_trim(room, FORMERS_KEPT_MAX);
    if (room->formers.count > 0) {
        kept_add(hub, room);
    } else {
        room_free(hub, room);
    }
}
