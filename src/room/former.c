#include "room/former.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

struct lsig_former *lsig_former_find(const struct lsig_room *room, struct lsig_span user_id)
{
    return lsig_map_find(&room->formers, user_id);
}

void lsig_former_add(struct lsig_room *room, struct lsig_span user_id, enum lsig_role role)
{
    if (room->formers.count == LSIG_FORMER_MAX) {
        lsig_former_remove(room, room->oldest_former);
    }
    struct lsig_former *former = lsig_alloc(sizeof(*former) + user_id.len);
    former->role = role;
    former->id_len = (uint32_t)user_id.len;
    memcpy(former->id, user_id.data, user_id.len);
    former->older = room->newest_former;
    if (former->older != NULL) {
        former->older->newer = former;
    } else {
        room->oldest_former = former;
    }
    room->newest_former = former;
    lsig_map_add(&room->formers, (struct lsig_span){former->id, former->id_len}, former);
}

void lsig_former_remove(struct lsig_room *room, struct lsig_former *former)
{
    void *removed = lsig_map_remove(&room->formers, (struct lsig_span){former->id, former->id_len});
    assert(removed == former);
    if (former->older != NULL) {
        former->older->newer = former->newer;
    } else {
        room->oldest_former = former->newer;
    }
    if (former->newer != NULL) {
        former->newer->older = former->older;
    } else {
        room->newest_former = former->older;
    }
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
