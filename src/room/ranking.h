// ranking.h - rooms by how many members they have: how many there are of each size, and the largest
// ones. Kept with every change, so that asking costs no walk over all rooms.
#pragma once

#include "base/heap.h"
#include "room/room.h"

enum { LSIG_RANKING_TOP_MAX = 10 };

enum lsig_room_size {
    LSIG_ROOMS_TO_5, // 1 to 5 members
    LSIG_ROOMS_TO_10,
    LSIG_ROOMS_TO_25,
    LSIG_ROOMS_TO_50,
    LSIG_ROOMS_ABOVE,
    LSIG_ROOM_SIZE_COUNT
};

struct lsig_ranking {
    struct lsig_heap rooms; // with members, by room.ranked, the largest first
    size_t by_size[LSIG_ROOM_SIZE_COUNT];
};

void lsig_ranking_clear(struct lsig_ranking *ranking); // no room may have members
// room->member_count has just changed by +1 or -1. Takes time in the logarithm of the rooms.
void lsig_ranking_on_members(struct lsig_ranking *ranking, struct lsig_room *room, int change);
// The largest rooms, the larger first and of equal ones the one that has had members for longer; at
// most LSIG_RANKING_TOP_MAX. Returns how many. Valid until a room changes.
size_t lsig_ranking_top(const struct lsig_ranking *ranking,
                        const struct lsig_room *top[LSIG_RANKING_TOP_MAX]);
const char *lsig_ranking_size_name(enum lsig_room_size size); // "1-5", …, "51+"
