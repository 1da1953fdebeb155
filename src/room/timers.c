#include "room/timers.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { TIMER_COST = 64 }; // bytes that a timer counts besides its argument

struct timer_undo {
    struct lsig_undo undo;
    struct lsig_room *room;   // a reference
    struct lsig_timer *was;   // stopped by the change; NULL: none
    struct lsig_timer *began; // by the change; NULL: none
};

static size_t bytes_of(const struct lsig_timer *timer)
{
    return TIMER_COST + (timer->arg != NULL ? strlen(timer->arg) : 0);
}

static struct lsig_timer *find(const struct lsig_room *room, struct lsig_span name)
{
    for (struct lsig_timer *at = room->timers; at != NULL; at = at->next) {
        if (lsig_span_is(name, at->name)) {
            return at;
        }
    }
    return NULL;
}

// Lets a timer run that is in the heap and has a reference of its room.
static void start(struct lsig_timer *timer)
{
    struct lsig_room *room = timer->room;
    struct lsig_timer **link = &room->timers;
    while (*link != NULL && (*link)->due.order < timer->due.order) {
        link = &(*link)->next;
    }
    timer->next = *link;
    *link = timer;
    room->timer_count += 1;
    room->state_bytes += bytes_of(timer);
    lsig_hub_on_timers(room->hub, room);
}

// Takes a timer out; its reference of the room is the caller's.
static void stop(struct lsig_timer *timer)
{
    struct lsig_room *room = timer->room;
    struct lsig_timer **link = &room->timers;
    while (*link != timer) {
        link = &(*link)->next;
    }
    *link = timer->next;
    timer->next = NULL;
    room->timer_count -= 1;
    room->state_bytes -= bytes_of(timer);
    lsig_heap_remove(lsig_hub_timers(room->hub), &timer->due);
    lsig_hub_on_timers(room->hub, room);
}

static void undo_clear(struct lsig_undo *undo)
{
    struct timer_undo *note = (struct timer_undo *)undo;
    if (note->was != NULL) {
        lsig_timer_free(note->was);
    }
    lsig_room_unref(note->room);
}

static void undo_back(struct lsig_undo *undo)
{
    struct timer_undo *note = (struct timer_undo *)undo;
    if (note->began != NULL) {
        stop(note->began);
        lsig_timer_free(note->began);
    }
    if (note->was != NULL) {
        lsig_heap_put_back(lsig_hub_timers(note->room->hub), &note->was->due);
        start(note->was);
    }
    lsig_room_unref(note->room);
}

static void note_change(struct lsig_journal *journal,
                        struct lsig_room *room,
                        struct lsig_timer *was,
                        struct lsig_timer *began)
{
    struct timer_undo *note = lsig_journal_note(journal, sizeof(*note), undo_back, undo_clear);
    if (note == NULL) {
        if (was != NULL) {
            lsig_timer_free(was);
        }
        return;
    }
    note->room = lsig_room_ref(room);
    note->was = was;
    note->began = began;
}

enum lsig_status lsig_timer_set(struct lsig_room *room,
                                struct lsig_span name,
                                int64_t due_ms,
                                struct lsig_span arg,
                                struct lsig_journal *journal)
{
    const struct lsig_room_bounds *bounds = lsig_hub_bounds(room->hub);
    struct lsig_timer *was = find(room, name);
    size_t freed = was != NULL ? bytes_of(was) : 0;
    assert(name.len > 0 && name.len <= LSIG_TIMER_NAME_MAX);
    if ((was == NULL && room->timer_count >= bounds->timers_max) ||
        room->state_bytes - freed + TIMER_COST + arg.len > bounds->state_bytes) {
        return LSIG_TOO_BIG;
    }
    struct lsig_timer *timer = lsig_alloc(sizeof(*timer));
    timer->room = lsig_room_ref(room);
    timer->arg = arg.data != NULL ? lsig_strndup(arg.data, arg.len) : NULL;
    memcpy(timer->name, name.data, name.len);
    if (was != NULL) {
        stop(was);
    }
    lsig_heap_add(lsig_hub_timers(room->hub), &timer->due, due_ms);
    start(timer);
    note_change(journal, room, was, timer);
    return LSIG_OK;
}

bool lsig_timer_remove(struct lsig_room *room, struct lsig_span name, struct lsig_journal *journal)
{
    struct lsig_timer *timer = find(room, name);
    if (timer == NULL) {
        return false;
    }
    stop(timer);
    note_change(journal, room, timer, NULL);
    return true;
}

const struct lsig_timer *lsig_timer_find(const struct lsig_room *room, struct lsig_span name)
{
    return find(room, name);
}

int64_t lsig_timer_next_due(const struct lsig_hub *hub)
{
    const struct lsig_heap_item *first = lsig_heap_first(lsig_hub_timers(hub));
    return first != NULL ? first->due : -1;
}

struct lsig_timer *lsig_timer_take_due(struct lsig_hub *hub, int64_t now_ms)
{
    struct lsig_heap_item *first = lsig_heap_first(lsig_hub_timers(hub));
    if (first == NULL || first->due > now_ms) {
        return NULL;
    }
    struct lsig_timer *timer = (struct lsig_timer *)first;
    stop(timer);
    return timer;
}

void lsig_timer_free(struct lsig_timer *timer)
{
    struct lsig_room *room = timer->room;
    free(timer->arg);
    free(timer);
    lsig_room_unref(room);
}

void lsig_timer_clear(struct lsig_room *room)
{
    lsig_room_ref(room);
    while (room->timers != NULL) {
        struct lsig_timer *timer = room->timers;
        stop(timer);
        lsig_timer_free(timer);
    }
    lsig_room_unref(room);
}
