#include "room/room.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/random.h"
#include "room/directory.h"
#include "room/former.h"
#include "room/hub.h"
#include "room/journal.h"
#include "room/kept.h"
#include "room/props.h"

enum { FIRST_CONNECTIONS = 2 };

// Whom a connection spoke to, and when: a few entries, so a list that is walked.
struct lsig_spoken {
    uint32_t count;
    uint32_t capacity;
    struct {
        const struct lsig_member *to;
        uint64_t turn;
    } notes[];
};

struct lsig_member *
lsig_member_new(struct lsig_room *room, struct lsig_span id, struct lsig_span username)
{
    assert(id.len > 0 && id.len <= LSIG_USER_ID_MAX);
    struct lsig_member *member = lsig_alloc(sizeof(*member));
    member->refs = 1;
    member->role = LSIG_PARTICIPANT;
    member->room = lsig_room_ref(room);
    member->id = lsig_strndup(id.data, id.len);
    // Mostly the same text: kept once then.
    bool same = lsig_span_equal(id, username);
    member->username = same ? member->id : lsig_strndup(username.data, username.len);
    return member;
}

struct lsig_member *lsig_member_ref(struct lsig_member *member)
{
    assert(member->refs > 0);
    member->refs += 1;
    return member;
}

void lsig_member_unref(struct lsig_member *member)
{
    if (member == NULL) {
        return;
    }
    assert(member->refs > 0);
    member->refs -= 1;
    if (member->refs > 0) {
        return;
    }
    assert(!member->present && member->connections == NULL);
    struct lsig_room *room = member->room;
    if (member->username != member->id) {
        free(member->username);
    }
    free(member->id);
    free(member->claims);
    lsig_props_free(member->attr);
    lsig_props_free(member->data);
    free(member);
    lsig_room_unref(room);
}

struct lsig_room *lsig_room_ref(struct lsig_room *room)
{
    room->refs += 1;
    return room;
}

void lsig_room_unref(struct lsig_room *room)
{
    if (room == NULL) {
        return;
    }
    assert(room->refs > 0);
    room->refs -= 1;
    if (room->refs == 0) {
        assert(room->member_count == 0 && room->connection_count == 0);
        lsig_hub_on_unreferenced(room->hub, room);
    }
}

struct lsig_member *lsig_room_member(const struct lsig_room *room, struct lsig_span user_id)
{
    return lsig_directory_member(room, user_id);
}

struct lsig_connection *lsig_room_peer(const struct lsig_room *room, struct lsig_span peer_id)
{
    return lsig_directory_peer(room, peer_id);
}

bool lsig_room_is_former(const struct lsig_room *room, struct lsig_span user_id)
{
    const struct lsig_former *former = lsig_former_find(room, user_id);
    return former != NULL && former->was_here;
}

struct lsig_member *lsig_room_host(const struct lsig_room *room)
{
    for (struct lsig_member *at = room->first; at != NULL; at = at->next) {
        if (at->role == LSIG_HOST && !at->waiting) {
            return at;
        }
    }
    return NULL;
}

// From now on he is a member like others: what the room remembered is what he is.
static void forget_former(struct lsig_room *room, const struct lsig_member *member)
{
    struct lsig_former *former = lsig_former_find(room, lsig_span_of(member->id));
    if (former != NULL) {
        lsig_former_remove(room, former);
    }
}

// The first who may be host is host.
static void become_host(const struct lsig_room *room, struct lsig_member *member)
{
    if (member->role != LSIG_OBSERVER && lsig_room_host(room) == NULL) {
        member->role = LSIG_HOST;
    }
}

// Who was here before has the role that the room remembers.
static void take_role(struct lsig_room *room, struct lsig_member *member)
{
    const struct lsig_former *former = lsig_former_find(room, lsig_span_of(member->id));
    member->role = (uint8_t)(former != NULL ? former->role : LSIG_PARTICIPANT);
    if (!member->waiting) {
        forget_former(room, member);
        become_host(room, member);
    }
}

static void list_append(struct lsig_room *room, struct lsig_member *member)
{
    member->previous = room->last;
    member->next = NULL;
    if (room->last != NULL) {
        room->last->next = member;
    } else {
        room->first = member;
    }
    room->last = member;
}

static void list_remove(struct lsig_room *room, struct lsig_member *member)
{
    *(member->previous != NULL ? &member->previous->next : &room->first) = member->next;
    *(member->next != NULL ? &member->next->previous : &room->last) = member->previous;
    member->previous = NULL;
    member->next = NULL;
}

static void note_peak(struct lsig_room *room)
{
    uint32_t inside = lsig_room_inside_count(room);
    room->member_peak = inside > room->member_peak ? inside : room->member_peak;
}

static void member_append(struct lsig_room *room, struct lsig_member *member)
{
    list_append(room, member);
    member->present = true;
    room->member_count += 1;
    room->waiting_count += member->waiting;
    note_peak(room);
    lsig_member_ref(member); // the room's
    lsig_hub_on_members(room->hub, room, 1);
}

static bool member_is_away(const struct lsig_member *member)
{
    for (const struct lsig_connection *at = member->connections; at != NULL; at = at->next) {
        if (!at->away) {
            return false;
        }
    }
    return member->connections != NULL;
}

static void connection_append(struct lsig_room *room,
                              struct lsig_member *member,
                              struct lsig_connection *connection)
{
    connection->member = lsig_member_ref(member);
    connection->next = member->connections;
    member->connections = connection;
    member->connection_count += 1;
    member->away = member_is_away(member);
    if (room->connection_count == room->connection_capacity) {
        room->connection_capacity =
            room->connection_capacity == 0 ? FIRST_CONNECTIONS : room->connection_capacity * 2;
        room->connections = lsig_realloc(room->connections, room->connection_capacity *
                                                                sizeof(struct lsig_connection *));
    }
    connection->index = room->connection_count;
    room->connections[room->connection_count++] = connection;
    lsig_directory_add(room, connection);
}

enum lsig_status lsig_room_enter(struct lsig_room *room,
                                 struct lsig_member *member,
                                 struct lsig_connection *connection,
                                 uint32_t members_max,
                                 struct lsig_time now)
{
    assert(connection->member == NULL && member->room == room);
    if (!member->present) {
        assert(lsig_room_member(room, lsig_span_of(member->id)) == NULL);
        if (room->member_count >= members_max) {
            return LSIG_ROOM_FULL;
        }
        member->waiting = member->told_to_wait;
        take_role(room, member);
        member->joined_ms = now.wall_ms;
        member_append(room, member);
    }
    connection->join_seq = ++room->join_seq;
    lsig_random_fill_hex(lsig_hub_random(room->hub), connection->peer_id,
                         (LSIG_PEER_ID_SIZE - 1) / 2);
    connection_append(room, member, connection);
    room->revision += !member->waiting;
    return LSIG_OK;
}

void lsig_room_restore(struct lsig_room *room,
                       struct lsig_member *member,
                       struct lsig_connection *connection)
{
    assert(connection->member == NULL && member->room == room);
    if (!member->present) {
        member_append(room, member);
    }
    connection_append(room, member, connection);
}

bool lsig_room_set_away(struct lsig_connection *connection, bool away)
{
    struct lsig_member *member = connection->member;
    bool was_away = member->away;
    connection->away = away;
    member->away = member_is_away(member);
    if (member->away == was_away) {
        return false;
    }
    member->room->revision += !member->waiting;
    return true;
}

static void forget_spoken_to(const struct lsig_room *room, const struct lsig_member *member)
{
    for (uint32_t i = 0; i < room->connection_count; i++) {
        struct lsig_spoken *spoken = room->connections[i]->spoken;
        for (uint32_t n = 0; spoken != NULL && n < spoken->count; n++) {
            if (spoken->notes[n].to == member) {
                spoken->notes[n] = spoken->notes[--spoken->count];
            }
        }
    }
}

// Of those with the same role somebody who is there before somebody who is away.
static struct lsig_member *find_heir(const struct lsig_room *room)
{
    static const enum lsig_role order[] = {LSIG_MODERATOR, LSIG_PARTICIPANT};
    struct lsig_member *away = NULL;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && away == NULL; i++) {
        for (struct lsig_member *at = room->first; at != NULL; at = at->next) {
            if (at->role != order[i] || at->waiting) {
                continue;
            }
            if (!at->away) {
                return at;
            }
            away = away == NULL ? at : away;
        }
    }
    return away;
}

// He is not one of those who are in any more: the room remembers him, and what he has said per user
// is gone. Returns the heir of a host, or NULL.
static struct lsig_member *go_out(struct lsig_room *room, const struct lsig_member *member)
{
    struct lsig_span id = lsig_span_of(member->id);
    bool was_host = member->role == LSIG_HOST;
    lsig_former_add(room, id, was_host ? LSIG_MODERATOR : (enum lsig_role)member->role);
    lsig_kept_drop_user(room, id);
    struct lsig_member *heir = was_host ? find_heir(room) : NULL;
    if (heir != NULL) {
        heir->role = LSIG_HOST;
    }
    return heir;
}

// Who goes while he waits never was in: what the room remembers of him is of before.
static void give_up_waiting(struct lsig_room *room, const struct lsig_member *member)
{
    struct lsig_former *former = lsig_former_find(room, lsig_span_of(member->id));
    lsig_kept_drop_user(room, lsig_span_of(member->id)); // of what he might say
    room->waiting_count -= 1;
    if (former != NULL) {
        former->role = (enum lsig_role)member->role; // it may have been given another one
    }
}

// Returns the heir of a host who leaves, or NULL.
static struct lsig_member *member_leave(struct lsig_room *room, struct lsig_member *member)
{
    lsig_directory_remove_member(room, member);
    list_remove(room, member);
    member->present = false;
    room->member_count -= 1;
    forget_spoken_to(room, member);
    if (member->waiting) {
        give_up_waiting(room, member);
        return NULL;
    }
    return go_out(room, member);
}

static void connection_leave(struct lsig_room *room, struct lsig_connection *connection)
{
    room->connection_count -= 1;
    struct lsig_connection *moved = room->connections[room->connection_count];
    moved->index = connection->index;
    room->connections[connection->index] = moved;
    lsig_directory_remove_peer(room, connection);
    struct lsig_connection **link = &connection->member->connections;
    while (*link != connection) {
        link = &(*link)->next;
    }
    *link = connection->next;
    connection->next = NULL;
    connection->member->connection_count -= 1;
    connection->member->away = member_is_away(connection->member);
    free(connection->spoken);
    connection->spoken = NULL;
    room->revision += !connection->member->waiting;
}

struct lsig_departure lsig_room_leave(struct lsig_connection *connection, struct lsig_time now)
{
    struct lsig_member *member = connection->member;
    struct lsig_room *room = lsig_room_ref(member->room);
    struct lsig_departure departure = {NULL, NULL};
    connection_leave(room, connection);
    connection->member = NULL;
    if (member->connection_count == 0) {
        departure.heir = member_leave(room, member);
        departure.left = member; // the room's reference goes to the caller
        if (room->member_count == 0) {
            room->empty_since_ms = now.mono_ms;
        }
        lsig_hub_on_members(room->hub, room, -1);
    }
    lsig_member_unref(member); // the connection's own reference
    lsig_room_unref(room);
    return departure;
}

void lsig_room_admit(struct lsig_member *member, struct lsig_time now)
{
    struct lsig_room *room = member->room;
    assert(member->present && member->waiting);
    become_host(room, member);
    forget_former(room, member);
    list_remove(room, member);
    list_append(room, member);
    member->waiting = false;
    member->joined_ms = now.wall_ms;
    room->waiting_count -= 1;
    note_peak(room);
    room->revision += 1;
}

struct lsig_member *lsig_room_hold(struct lsig_member *member)
{
    struct lsig_room *room = member->room;
    assert(member->present && !member->waiting);
    member->waiting = true;
    room->waiting_count += 1;
    room->revision += 1;
    struct lsig_member *heir = go_out(room, member);
    if (member->role == LSIG_HOST) {
        member->role = LSIG_MODERATOR;
    }
    return heir;
}

struct wait_change {
    struct lsig_undo undo;
    struct lsig_member *member;
    bool was;
};

static void wait_back(struct lsig_undo *undo)
{
    const struct wait_change *change = (const struct wait_change *)undo;
    change->member->told_to_wait = change->was;
}

void lsig_room_tell_to_wait(struct lsig_member *member, bool wait, struct lsig_journal *journal)
{
    struct wait_change *change = lsig_journal_note(journal, sizeof(*change), wait_back, NULL);
    if (change != NULL) {
        change->member = member;
        change->was = member->told_to_wait;
    }
    member->told_to_wait = wait;
}

struct role_change {
    struct lsig_undo undo;
    struct lsig_member *member;
    uint8_t was;
};

static void role_back(struct lsig_undo *undo)
{
    const struct role_change *change = (const struct role_change *)undo;
    change->member->role = change->was;
}

void lsig_room_set_role(struct lsig_member *member,
                        enum lsig_role role,
                        struct lsig_journal *journal)
{
    struct role_change *change = lsig_journal_note(journal, sizeof(*change), role_back, NULL);
    if (change != NULL) {
        change->member = member;
        change->was = member->role;
    }
    member->role = (uint8_t)role;
}

void lsig_room_note_spoken(struct lsig_connection *from, const struct lsig_member *to)
{
    uint64_t turn = ++to->room->spoken_turn;
    struct lsig_spoken *spoken = from->spoken;
    uint32_t count = spoken != NULL ? spoken->count : 0;
    for (uint32_t i = 0; i < count; i++) {
        if (spoken->notes[i].to == to) {
            spoken->notes[i].turn = turn;
            return;
        }
    }
    if (spoken == NULL || count == spoken->capacity) {
        uint32_t capacity = spoken == NULL ? 2 : spoken->capacity * 2;
        spoken = lsig_realloc(spoken, sizeof(*spoken) + capacity * sizeof(spoken->notes[0]));
        spoken->capacity = capacity;
        from->spoken = spoken;
    }
    spoken->notes[count].to = to;
    spoken->notes[count].turn = turn;
    spoken->count = count + 1;
}

struct lsig_connection *lsig_room_spoken_to(const struct lsig_member *user,
                                            const struct lsig_member *to)
{
    struct lsig_connection *best = NULL;
    uint64_t best_turn = 0;
    for (struct lsig_connection *at = user->connections; at != NULL; at = at->next) {
        if (at->away && !user->away) {
            continue; // another one hears it now
        }
        if (best == NULL) {
            best = at; // the newest
        }
        for (uint32_t i = 0; at->spoken != NULL && i < at->spoken->count; i++) {
            if (at->spoken->notes[i].to == to && at->spoken->notes[i].turn > best_turn) {
                best = at;
                best_turn = at->spoken->notes[i].turn;
            }
        }
    }
    return best;
}
