#include "room/hub.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "room/former.h"
#include "room/kept.h"
#include "room/state.h"
#include "room/timers.h"

enum { FORMERS_KEPT_MAX = 64 };

// Rooms by the time since when they are empty, through kept_next and kept_previous.
struct room_list {
    struct lsig_room *oldest;
    struct lsig_room *newest;
    size_t count;
};

struct lsig_hub {
    struct lsig_map rooms;    // by id: rooms that are referenced, and rooms that are kept
    struct room_list kept;    // nobody refers to them
    struct room_list timed;   // empty, and their timers refer to them
    struct lsig_heap *timers; // of all rooms
    struct lsig_ranking ranking;
    struct lsig_room_bounds bounds;
    const struct lsig_random_source *random;
    int64_t now_ms; // monotonic, as of the last expire
    size_t occupied_count;
    size_t member_count;
};

struct lsig_hub *lsig_hub_new(void)
{
    struct lsig_hub *hub = lsig_alloc(sizeof(*hub));
    lsig_map_init(&hub->rooms);
    hub->timers = lsig_alloc(sizeof(*hub->timers));
    hub->bounds = (struct lsig_room_bounds){
        .state_bytes = (size_t)64 * 1024, .keep_bytes = (size_t)256 * 1024, .timers_max = 64};
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
    lsig_state_clear(room);
    lsig_kept_clear(room);
    assert(room->timers == NULL && room->state_bytes == 0);
    free(room->connections);
    free(room->id);
    free(room);
}

static void list_remove(struct room_list *list, struct lsig_room *room)
{
    *(room->kept_previous != NULL ? &room->kept_previous->kept_next : &list->oldest) =
        room->kept_next;
    *(room->kept_next != NULL ? &room->kept_next->kept_previous : &list->newest) =
        room->kept_previous;
    room->kept_next = NULL;
    room->kept_previous = NULL;
    list->count -= 1;
}

// A room that was only looked at goes back to where its time puts it: the list stays in order.
static void list_add(struct room_list *list, struct lsig_room *room)
{
    struct lsig_room *before = list->newest;
    while (before != NULL && before->empty_since_ms > room->empty_since_ms) {
        before = before->kept_previous;
    }
    room->kept_previous = before;
    room->kept_next = before != NULL ? before->kept_next : list->oldest;
    *(before != NULL ? &before->kept_next : &list->oldest) = room;
    *(room->kept_next != NULL ? &room->kept_next->kept_previous : &list->newest) = room;
    list->count += 1;
}

static void kept_remove(struct lsig_hub *hub, struct lsig_room *room)
{
    assert(room->kept);
    list_remove(&hub->kept, room);
    room->kept = false;
}

// Of the empty rooms the one that has been so for longest loses its timers, and if nothing else
// refers to it, all that it has.
static void forget_oldest(struct lsig_hub *hub)
{
    struct lsig_room *kept = hub->kept.oldest;
    struct lsig_room *timed = hub->timed.oldest;
    if (timed != NULL && (kept == NULL || timed->empty_since_ms <= kept->empty_since_ms)) {
        lsig_timer_clear(timed); // it may be one of the kept ones now
        return;
    }
    kept_remove(hub, kept);
    room_free(hub, kept);
}

static void make_place(struct lsig_hub *hub)
{
    while (hub->kept.count + hub->timed.count >= LSIG_KEPT_ROOMS_MAX) {
        forget_oldest(hub);
    }
}

static void kept_add(struct lsig_hub *hub, struct lsig_room *room)
{
    make_place(hub);
    list_add(&hub->kept, room);
    room->kept = true;
}

// A room that nobody has ever entered is empty since it was first of use.
static void note_empty(const struct lsig_hub *hub, struct lsig_room *room)
{
    if (room->empty_since_ms < 0) {
        room->empty_since_ms = hub->now_ms;
    }
}

// Rooms that are alive by their timers alone, or also, stand in a list of their own.
static void look_at_timers(struct lsig_hub *hub, struct lsig_room *room)
{
    bool timed = room->member_count == 0 && room->timer_count > 0;
    if (timed == room->timed) {
        return;
    }
    if (timed) {
        note_empty(hub, room);
        make_place(hub);
        list_add(&hub->timed, room);
    } else {
        list_remove(&hub->timed, room);
    }
    room->timed = timed;
}

void lsig_hub_set_bounds(struct lsig_hub *hub, const struct lsig_room_bounds *bounds)
{
    hub->bounds = *bounds;
}

const struct lsig_room_bounds *lsig_hub_bounds(const struct lsig_hub *hub)
{
    return &hub->bounds;
}

struct lsig_heap *lsig_hub_timers(const struct lsig_hub *hub)
{
    return hub->timers;
}

void lsig_hub_on_timers(struct lsig_hub *hub, struct lsig_room *room)
{
    look_at_timers(hub, room);
}

void lsig_hub_set_random(struct lsig_hub *hub, const struct lsig_random_source *random)
{
    hub->random = random;
}

const struct lsig_random_source *lsig_hub_random(const struct lsig_hub *hub)
{
    return hub->random;
}

void lsig_hub_free(struct lsig_hub *hub)
{
    if (hub == NULL) {
        return;
    }
    while (hub->timed.oldest != NULL) {
        lsig_timer_clear(hub->timed.oldest);
    }
    while (hub->kept.oldest != NULL) {
        struct lsig_room *room = hub->kept.oldest;
        kept_remove(hub, room);
        room_free(hub, room);
    }
    assert(hub->rooms.count == 0);
    lsig_ranking_clear(&hub->ranking);
    lsig_heap_clear(hub->timers);
    free(hub->timers);
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
    room->empty_since_ms = -1;
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
    hub->now_ms = now.mono_ms;
    while (hub->timed.oldest != NULL &&
           now.mono_ms - hub->timed.oldest->empty_since_ms >= LSIG_KEPT_MS) {
        lsig_timer_clear(hub->timed.oldest);
    }
    while (hub->kept.oldest != NULL &&
           now.mono_ms - hub->kept.oldest->empty_since_ms >= LSIG_KEPT_MS) {
        struct lsig_room *room = hub->kept.oldest;
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

const struct lsig_ranking *lsig_hub_ranking(const struct lsig_hub *hub)
{
    return &hub->ranking;
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
    lsig_ranking_on_members(&hub->ranking, room, change);
    look_at_timers(hub, room);
}

void lsig_hub_on_unreferenced(struct lsig_hub *hub, struct lsig_room *room)
{
    lsig_former_trim(room, FORMERS_KEPT_MAX);
    // State without entries is as good as none.
    if (room->formers.count > 0 || room->state_bytes > 0 || room->kept_list != NULL) {
        note_empty(hub, room);
        kept_add(hub, room);
    } else {
        room_free(hub, room);
    }
}
