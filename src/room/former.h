// former.h - whom a room remembers: users who were members and left, with their role. Bounded; the
// oldest is forgotten first.
#pragma once

#include "room/room.h"

struct lsig_former {
    struct lsig_former *older;
    struct lsig_former *newer;
    enum lsig_role role;
    bool was_here; // and left; else its role was only set for the time when it comes
    uint32_t id_len;
    char id[];
};

struct lsig_former *lsig_former_find(const struct lsig_room *room, struct lsig_span user_id);
// Remembers the user as having left with that role; not yet remembered (asserted). The caller may
// change was_here of what it gets.
struct lsig_former *
lsig_former_add(struct lsig_room *room, struct lsig_span user_id, enum lsig_role role);
void lsig_former_remove(struct lsig_room *room, struct lsig_former *former); // frees it
// What an empty room keeps: only roles other than participant, at most `max` of them, the latest.
void lsig_former_trim(struct lsig_room *room, size_t max);
