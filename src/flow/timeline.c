#include "flow/timeline.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "flow/timeline_entries.h"
#include "flow/timeline_recent.h"

enum {
    LOOK_BACK = 8,          // entries that one more may be counted with
    NAMES_OF_AN_EVENT = 5,  // at most
    TOUCHED_AGAIN_MS = 5000 // the order of rooms need not be exact
};

// What is kept with the name of a message type, besides enum lsig_signal.
enum { NOTE_UNKNOWN, NOTE_SIGNAL, NOTE_ALIAS = 64 };

struct lsig_timelines {
    struct lsig_observer observer; // first
    struct lsig_flow *flow;
    struct lsig_map rooms;
    struct lsig_timeline *last;      // that was found last; NULL: none
    struct lsig_timeline *oldest[2]; // open, closed
    struct lsig_timeline *newest[2];
    uint32_t entries_max;
    size_t bytes;
    size_t bytes_max;
    struct lsig_recents recents;
};

// --- rooms, by how long ago something happened

static void unlink_timeline(struct lsig_timelines *timelines, struct lsig_timeline *timeline)
{
    int list = timeline->closed;
    *(timeline->previous != NULL ? &timeline->previous->next : &timelines->oldest[list]) =
        timeline->next;
    *(timeline->next != NULL ? &timeline->next->previous : &timelines->newest[list]) =
        timeline->previous;
}

static void link_timeline(struct lsig_timelines *timelines, struct lsig_timeline *timeline)
{
    int list = timeline->closed;
    timeline->next = NULL;
    timeline->previous = timelines->newest[list];
    *(timeline->previous != NULL ? &timeline->previous->next : &timelines->oldest[list]) = timeline;
    timelines->newest[list] = timeline;
}

static void drop(struct lsig_timelines *timelines, struct lsig_timeline *timeline)
{
    unlink_timeline(timelines, timeline);
    lsig_map_remove(&timelines->rooms, lsig_span_of(timeline->room_id));
    timelines->last = timelines->last == timeline ? NULL : timelines->last;
    timelines->bytes -= timeline->bytes;
    lsig_recents_forget(&timelines->recents, timeline);
    for (uint32_t i = 0; i < timeline->count; i++) {
        free(timeline->entries[(timeline->first + i) % timeline->capacity].verdict);
    }
    free(timeline->entries);
    lsig_names_clear(&timeline->names);
    lsig_pairs_clear(&timeline->pairs);
    free(timeline);
}

static void touch(struct lsig_timelines *timelines, struct lsig_timeline *timeline, bool closed)
{
    int64_t now_ms = timelines->flow->now.mono_ms;
    if (closed == timeline->closed && now_ms - timeline->touched_ms < TOUCHED_AGAIN_MS) {
        return;
    }
    unlink_timeline(timelines, timeline);
    timeline->closed = closed;
    timeline->touched_ms = now_ms;
    link_timeline(timelines, timeline);
}

static size_t bytes_of(const struct lsig_timeline *timeline)
{
    return sizeof(*timeline) + LSIG_ROOM_ID_MAX +
           timeline->capacity * sizeof(timeline->entries[0]) + timeline->names.bytes +
           timeline->pairs.capacity * sizeof(timeline->pairs.items[0]) + timeline->verdict_bytes;
}

static void weigh(struct lsig_timelines *timelines, struct lsig_timeline *timeline)
{
    size_t bytes = bytes_of(timeline);
    timelines->bytes += bytes - timeline->bytes;
    timeline->bytes = bytes;
    while (timelines->bytes > timelines->bytes_max) {
        struct lsig_timeline *oldest =
            timelines->oldest[1] != NULL ? timelines->oldest[1] : timelines->oldest[0];
        if (oldest == timeline) {
            oldest = timeline->next != NULL ? timeline->next : timelines->oldest[0];
        }
        if (oldest == NULL || oldest == timeline) {
            return; // one room alone has its own bounds
        }
        drop(timelines, oldest);
    }
}

static struct lsig_timeline *find_room(struct lsig_timelines *timelines, const char *room_id)
{
    if (timelines->last == NULL || strcmp(timelines->last->room_id, room_id) != 0) {
        timelines->last = lsig_map_find(&timelines->rooms, lsig_span_of(room_id));
    }
    return timelines->last;
}

static struct lsig_timeline *add_room(struct lsig_timelines *timelines, const char *room_id)
{
    size_t len = strlen(room_id);
    struct lsig_timeline *timeline = lsig_alloc(sizeof(*timeline) + len + 1);
    memcpy(timeline->room_id, room_id, len);
    lsig_names_init(&timeline->names);
    timeline->touched_ms = timelines->flow->now.mono_ms;
    lsig_map_add(&timelines->rooms, lsig_span_of(timeline->room_id), timeline);
    link_timeline(timelines, timeline);
    timelines->last = timeline;
    return timeline;
}

// --- events

// By what one entry is told from another.
static bool is_like(const struct lsig_timeline_entry *entry,
                    const struct lsig_timeline_entry *fresh,
                    const struct lsig_timeline_decision *decision)
{
    return entry->kind == fresh->kind && entry->who == fresh->who && entry->whom == fresh->whom &&
           entry->what == fresh->what && entry->handled == fresh->handled &&
           fresh->at_ms - entry->at_ms - entry->span_ms <= LSIG_TIMELINE_MERGE_MS &&
           fresh->at_ms >= entry->at_ms + entry->span_ms &&
           lsig_timeline_verdict_is(entry->verdict, decision);
}

// Counts a message like one of the last few, which most are.
static bool count_again(struct lsig_timelines *timelines,
                        struct lsig_timeline *timeline,
                        const struct lsig_event *event)
{
    const struct lsig_recent *recent =
        lsig_recents_find(&timelines->recents, timeline, timeline->turn, event);
    if (recent == NULL) {
        return false;
    }
    uint32_t back = timeline->added - recent->entry;
    if (back >= LOOK_BACK || back >= timeline->count) {
        return false;
    }
    int64_t now_ms = timelines->flow->now.wall_ms;
    uint32_t at = timeline->first + timeline->count - 1 - back;
    at = at < timeline->capacity ? at : at - timeline->capacity;
    struct lsig_timeline_entry *entry = &timeline->entries[at];
    int64_t since_ms = now_ms - entry->at_ms - entry->span_ms;
    if (since_ms < 0 || since_ms > LSIG_TIMELINE_MERGE_MS) {
        return false;
    }
    entry->count += 1;
    entry->span_ms += (uint32_t)since_ms;
    if (recent->signal != LSIG_SIGNAL_NONE) {
        lsig_pairs_note(&timeline->pairs, (enum lsig_signal)recent->signal, recent->who,
                        recent->whom, timelines->flow->now);
    }
    return true;
}

// Whether it is counted with one of the last few entries; *added: timeline->added of that one.
static bool merge(struct lsig_timeline *timeline,
                  const struct lsig_timeline_entry *fresh,
                  const struct lsig_timeline_decision *decision,
                  uint32_t *added)
{
    for (uint32_t back = 1; back <= LOOK_BACK && back <= timeline->count; back++) {
        uint32_t at = (timeline->first + timeline->count - back) % timeline->capacity;
        struct lsig_timeline_entry *entry = &timeline->entries[at];
        if (entry->kind != LSIG_EVENT_MESSAGE && entry->kind != LSIG_EVENT_REFUSED) {
            return false; // somebody came or went in between
        }
        if (is_like(entry, fresh, decision)) {
            entry->count += 1;
            entry->span_ms = (uint32_t)(fresh->at_ms - entry->at_ms);
            *added = timeline->added - (back - 1);
            return true;
        }
    }
    return false;
}

// The number of a type by its own name, where it came under an alias, and what it means for a call.
static uint16_t add_type(struct lsig_timelines *timelines,
                         struct lsig_timeline *timeline,
                         struct lsig_span type,
                         enum lsig_signal *signal)
{
    static const struct {
        const char *name;
        enum lsig_signal signal;
    } signals[] = {{"offer", LSIG_SIGNAL_OFFER},
                   {"answer", LSIG_SIGNAL_ANSWER},
                   {"ice-candidate", LSIG_SIGNAL_CANDIDATE}};
    uint16_t number = lsig_names_add(&timeline->names, type);
    uint8_t *note = number != 0 ? lsig_names_note(&timeline->names, number) : NULL;
    *signal = LSIG_SIGNAL_NONE;
    if (note == NULL) {
        return 0;
    }
    if (*note == NOTE_UNKNOWN || *note == NOTE_ALIAS) {
        const struct lsig_rule *rule = lsig_script_rule(timelines->flow->script, type);
        if (rule != NULL && !lsig_span_is(type, rule->name)) {
            *note = NOTE_ALIAS;
            return add_type(timelines, timeline, lsig_span_of(rule->name), signal);
        }
        *note = NOTE_SIGNAL;
        for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
            if (lsig_span_is(type, signals[i].name)) {
                *note = (uint8_t)(NOTE_SIGNAL + signals[i].signal);
            }
        }
    }
    *signal = (enum lsig_signal)(*note - NOTE_SIGNAL);
    return number;
}

// To whom a message goes: a peer of lunasig.v1 stands for its user.
static uint16_t add_target(struct lsig_timeline *timeline, const struct lsig_event *event)
{
    struct lsig_span target = event->target;
    if (target.data == NULL) {
        return 0;
    }
    if (event->connection != NULL && event->connection->dialect == LSIG_V1) {
        const struct lsig_connection *peer = lsig_room_peer(event->room, target);
        target = peer != NULL ? lsig_span_of(peer->member->id) : target;
    }
    return lsig_names_add(&timeline->names, target);
}

// The one who is meant by everybody; 0: there are several, or none.
static uint16_t add_other(struct lsig_timeline *timeline,
                          const struct lsig_room *room,
                          const struct lsig_member *own)
{
    if (room->member_count != 2 || room->waiting_count > 0) {
        return 0;
    }
    const struct lsig_member *other = room->first != own ? room->first : room->last;
    return lsig_names_add(&timeline->names, lsig_span_of(other->id));
}

static void note_message(struct lsig_timelines *timelines,
                         struct lsig_timeline *timeline,
                         const struct lsig_event *event,
                         struct lsig_timeline_entry *entry)
{
    enum lsig_signal signal;
    struct lsig_timeline_decision decision;
    struct lsig_recent recent = {.timeline = timeline, .turn = timeline->turn, .who = entry->who};
    bool decided = event->refusal != NULL || event->handled;
    entry->whom = add_target(timeline, event);
    entry->what = add_type(timelines, timeline, event->type, &signal);
    if (decided) {
        lsig_timeline_decide(&decision, timelines->flow, event);
    } else if (signal != LSIG_SIGNAL_NONE && entry->who != 0) {
        recent.whom =
            entry->whom != 0 ? entry->whom : add_other(timeline, event->room, event->member);
        entry->renegotiation = lsig_pairs_note(&timeline->pairs, signal, entry->who, recent.whom,
                                               timelines->flow->now);
    }
    bool alone = !decided && (signal == LSIG_SIGNAL_OFFER || signal == LSIG_SIGNAL_ANSWER);
    if (alone || !merge(timeline, entry, decided ? &decision : NULL, &recent.entry)) {
        struct lsig_timeline_entry *place =
            lsig_timeline_add_entry(timeline, timelines->entries_max);
        *place = *entry;
        recent.entry = timeline->added;
        if (decided) {
            place->verdict = lsig_timeline_verdict_new(&decision);
            timeline->verdict_bytes += place->verdict->size;
        }
    }
    if (!decided && !alone) {
        recent.signal = (uint8_t)signal;
        lsig_recents_note(&timelines->recents, event, &recent);
    }
}

static void note_member(struct lsig_timelines *timelines,
                        struct lsig_timeline *timeline,
                        const struct lsig_event *event,
                        struct lsig_timeline_entry *entry)
{
    timeline->turn += 1;
    entry->what = lsig_names_add(&timeline->names, lsig_span_of(event->reason));
    if (event->kind == LSIG_EVENT_LEFT) {
        lsig_pairs_leave(&timeline->pairs, entry->who, timelines->flow->now);
    }
    *lsig_timeline_add_entry(timeline, timelines->entries_max) = *entry;
}

// --- who was there before anything else happened

// The entry of a member who joined before the timeline began, in its place by time.
static void add_earlier(struct lsig_timelines *timelines,
                        struct lsig_timeline *timeline,
                        const struct lsig_member *member)
{
    if (lsig_names_is_full(&timeline->names, NAMES_OF_AN_EVENT)) {
        lsig_timeline_collect_names(timeline);
    }
    struct lsig_timeline_entry entry = {
        .at_ms = member->joined_ms,
        .count = 1,
        .kind = LSIG_EVENT_JOINED,
        .role = member->role,
        .who = lsig_names_add(&timeline->names, lsig_span_of(member->id)),
    };
    *lsig_timeline_add_entry(timeline, timelines->entries_max) = entry;
    lsig_timeline_sort_in(timeline);
}

// Rooms in which members have only joined have no timeline: idle ones are many, and the room itself
// knows when its members came.
static struct lsig_timeline *begin_room(struct lsig_timelines *timelines,
                                        const struct lsig_room *room)
{
    struct lsig_timeline *timeline = add_room(timelines, room->id);
    for (const struct lsig_member *at = room->first; at != NULL; at = at->next) {
        add_earlier(timelines, timeline, at);
    }
    return timeline;
}

// The timeline that an event belongs to; NULL: it needs none. What would only say again what
// another entry says, or happens all the time, needs none.
static struct lsig_timeline *find_or_begin(struct lsig_timelines *timelines,
                                           const struct lsig_event *event)
{
    struct lsig_timeline *timeline = find_room(timelines, event->room->id);
    bool idle = false;
    switch (event->kind) {
    case LSIG_EVENT_ROOM_OPENED:
        return NULL;
    case LSIG_EVENT_JOINED:
        return timeline;
    case LSIG_EVENT_CONNECTED:
        idle = event->member->connection_count < 2;
        break;
    case LSIG_EVENT_DISCONNECTED:
        idle = !event->member->present;
        break;
    case LSIG_EVENT_MESSAGE:
        idle = lsig_span_is(event->type, "ping") && event->connection->dialect == LSIG_V1;
        break;
    default:
        break;
    }
    return idle ? NULL : timeline != NULL ? timeline : begin_room(timelines, event->room);
}

static void on_event(struct lsig_observer *observer, const struct lsig_event *event)
{
    struct lsig_timelines *timelines = (struct lsig_timelines *)observer;
    struct lsig_timeline *timeline = find_or_begin(timelines, event);
    if (timeline == NULL) {
        return;
    }
    if (event->kind == LSIG_EVENT_MESSAGE && !event->handled &&
        count_again(timelines, timeline, event)) {
        touch(timelines, timeline, false);
        return;
    }
    if (event->kind == LSIG_EVENT_LEFT &&
        lsig_names_find(&timeline->names, lsig_span_of(event->member->id)) == 0) {
        add_earlier(timelines, timeline, event->member);
    }
    if (lsig_names_is_full(&timeline->names, NAMES_OF_AN_EVENT)) {
        lsig_timeline_collect_names(timeline);
    }
    bool message = event->kind == LSIG_EVENT_MESSAGE || event->kind == LSIG_EVENT_REFUSED;
    struct lsig_timeline_entry entry = {
        .at_ms = timelines->flow->now.wall_ms,
        .count = 1,
        .kind = (uint8_t)event->kind,
        .handled = event->handled,
    };
    if (event->member != NULL && event->kind != LSIG_EVENT_ROOM_CLOSED) {
        entry.role = event->member->role;
        entry.who = lsig_names_add(&timeline->names, lsig_span_of(event->member->id));
    } else if (event->member == NULL) {
        entry.who = lsig_names_add(&timeline->names, event->user);
    }
    if (message) {
        note_message(timelines, timeline, event, &entry);
    } else {
        note_member(timelines, timeline, event, &entry);
    }
    touch(timelines, timeline, event->room->member_count == 0);
    weigh(timelines, timeline);
}

// --- all of them

struct lsig_timelines *lsig_timelines_open(struct lsig_flow *flow)
{
    if (flow->settings->timeline_entries == 0) {
        return NULL;
    }
    struct lsig_timelines *timelines = lsig_alloc(sizeof(*timelines));
    timelines->observer = (struct lsig_observer){.wants_messages = true, .on_event = on_event};
    timelines->flow = flow;
    timelines->entries_max = (uint32_t)flow->settings->timeline_entries;
    timelines->bytes_max = (size_t)flow->settings->timeline_bytes;
    lsig_map_init(&timelines->rooms);
    lsig_observer_add(flow, &timelines->observer);
    return timelines;
}

void lsig_timelines_close(struct lsig_timelines *timelines)
{
    if (timelines == NULL) {
        return;
    }
    lsig_observer_remove(timelines->flow, &timelines->observer);
    for (int list = 0; list < 2; list++) {
        while (timelines->oldest[list] != NULL) {
            drop(timelines, timelines->oldest[list]);
        }
    }
    lsig_map_clear(&timelines->rooms);
    free(timelines);
}

const struct lsig_timeline *lsig_timelines_find(struct lsig_timelines *timelines,
                                                struct lsig_span room_id)
{
    struct lsig_timeline *timeline = lsig_map_find(&timelines->rooms, room_id);
    const struct lsig_room *room = lsig_hub_find(timelines->flow->hub, room_id);
    if (timeline == NULL && room != NULL && room->member_count > 0) {
        timeline = begin_room(timelines, room);
        weigh(timelines, timeline);
    }
    return timeline;
}

void lsig_timelines_sweep(struct lsig_timelines *timelines)
{
    int64_t before_ms = timelines->flow->now.mono_ms - LSIG_TIMELINE_KEEP_MS;
    while (timelines->oldest[1] != NULL && timelines->oldest[1]->touched_ms <= before_ms) {
        drop(timelines, timelines->oldest[1]);
    }
}

size_t lsig_timelines_bytes(const struct lsig_timelines *timelines)
{
    return timelines->bytes;
}
