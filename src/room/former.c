#include "room/former.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "room/journal.h"

struct lsig_former *lsig_former_find(const struct lsig_room *room, struct lsig_span user_id)
{
    return lsig_map_find(&room->formers, user_id);
}

static struct lsig_span id_of(const struct lsig_former *former)
{
    return (struct lsig_span){former->id, former->id_len};
}

struct lsig_former *
lsig_former_add(struct lsig_room *room, struct lsig_span user_id, enum lsig_role role)
{
    if (room->formers.count == LSIG_FORMER_MAX) {
        lsig_former_remove(room, room->oldest_former);
    }
    struct lsig_former *former = lsig_alloc(sizeof(*former) + user_id.len);
    former->role = role;
    former->was_here = true;
    former->id_len = (uint32_t)user_id.len;
    memcpy(former->id, user_id.data, user_id.len);
    former->older = room->newest_former;
    if (former->older != NULL) {
        former->older->newer = former;
    } else {
        room->oldest_former = former;
    }
    room->newest_former = former;
    lsig_map_add(&room->formers, id_of(former), former);
    return former;
}

// Keeps its own pointers: put_back undoes it.
static void take_out(struct lsig_room *room, struct lsig_former *former)
{
    void *removed = lsig_map_remove(&room->formers, id_of(former));
    assert(removed == former);
    *(former->older != NULL ? &former->older->newer : &room->oldest_former) = former->newer;
    *(former->newer != NULL ? &former->newer->older : &room->newest_former) = former->older;
}

// To where it stood; what has come and gone since has been taken back before.
static void put_back(struct lsig_room *room, struct lsig_former *former)
{
    *(former->older != NULL ? &former->older->newer : &room->oldest_former) = former;
    *(former->newer != NULL ? &former->newer->older : &room->newest_former) = former;
    lsig_map_add(&room->formers, id_of(former), former);
}

void lsig_former_remove(struct lsig_room *room, struct lsig_former *former)
{
    take_out(room, former);
    free(former);
}

void lsig_former_trim(struct lsig_room *room, size_t max)
{
    size_t kept = 0;
    for (struct lsig_former *at = room->newest_former; at != NULL;) {
        struct lsig_former *older = at->older;
        if (at->role == LSIG_PARTICIPANT || kept == max) {
            lsig_former_remove(room, at);
        } else {
            kept += 1;
        }
        at = older;
    }
}

bool lsig_room_remembered_role(const struct lsig_room *room,
                               struct lsig_span user_id,
                               enum lsig_role *role)
{
    const struct lsig_former *former = lsig_former_find(room, user_id);
    if (former != NULL) {
        *role = former->role;
    }
    return former != NULL;
}

struct remembered {
    struct lsig_undo undo;
    struct lsig_room *room;
    struct lsig_former *former;
    struct lsig_former *forgotten; // made place for it; NULL: nobody
    bool added;
    enum lsig_role was;
};

static void remembered_clear(struct lsig_undo *undo)
{
    struct remembered *note = (struct remembered *)undo;
    free(note->forgotten);
}

static void remembered_back(struct lsig_undo *undo)
{
    struct remembered *note = (struct remembered *)undo;
    if (note->added) {
        lsig_former_remove(note->room, note->former);
    } else {
        note->former->role = note->was;
    }
    if (note->forgotten != NULL) {
        put_back(note->room, note->forgotten);
    }
}

static struct lsig_former *oldest_participant(const struct lsig_room *room)
{
    struct lsig_former *at = room->oldest_former;
    while (at != NULL && at->role != LSIG_PARTICIPANT) {
        at = at->newer;
    }
    return at;
}

bool lsig_room_remember_role(struct lsig_room *room,
                             struct lsig_span user_id,
                             enum lsig_role role,
                             struct lsig_journal *journal)
{
    struct lsig_former *former = lsig_former_find(room, user_id);
    struct lsig_former *forgotten = NULL;
    if (former == NULL && room->formers.count == LSIG_FORMER_MAX) {
        forgotten = oldest_participant(room);
        if (forgotten == NULL) {
            return false;
        }
        take_out(room, forgotten);
    }
    struct remembered *note =
        lsig_journal_note(journal, sizeof(*note), remembered_back, remembered_clear);
    enum lsig_role was = former != NULL ? former->role : role;
    bool added = former == NULL;
    if (added) {
        former = lsig_former_add(room, user_id, role);
        former->was_here = false;
    }
    former->role = role;
    if (note == NULL) {
        free(forgotten);
        return true;
    }
    note->room = room;
    note->former = former;
    note->forgotten = forgotten;
    note->added = added;
    note->was = was;
    return true;
}
