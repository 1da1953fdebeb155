// hub.h - all rooms of this node, and how many connections each user has over all of them.
#pragma once

#include "base/heap.h"
#include "base/random.h"
#include "room/ranking.h"
#include "room/room.h"

enum { LSIG_KEPT_ROOMS_MAX = 10000, LSIG_KEPT_MS = 3600 * 1000 };

// What rooms may hold; the hub's own defaults are those of the settings.
struct lsig_room_bounds {
    size_t state_bytes; // of one room's state and timers
    size_t keep_bytes;  // of one room's kept messages
    uint32_t timers_max;
};

struct lsig_hub *lsig_hub_new(void);
void lsig_hub_set_bounds(struct lsig_hub *hub, const struct lsig_room_bounds *bounds);
const struct lsig_room_bounds *lsig_hub_bounds(const struct lsig_hub *hub);
// What peer ids are made of; outlives the hub. NULL, as at first: the kernel.
void lsig_hub_set_random(struct lsig_hub *hub, const struct lsig_random_source *random);
const struct lsig_random_source *lsig_hub_random(const struct lsig_hub *hub);
void lsig_hub_free(struct lsig_hub *hub); // no connection may be in a room any more
// The room of that id, made if it is not there. The caller gets a reference. Rooms without members
// and without references are forgotten, unless they remember something (roles, state, messages):
// those are kept for an hour, at most LSIG_KEPT_ROOMS_MAX of them, the oldest dropped first. Timers
// keep their room, but not for longer than that hour.
struct lsig_room *lsig_hub_open(struct lsig_hub *hub, struct lsig_span room_id);
struct lsig_room *lsig_hub_find(const struct lsig_hub *hub,
                                struct lsig_span room_id); // no reference; NULL: none
// Walks the rooms, empty ones that are kept included: start with *cursor = 0; NULL at the end. The
// hub must not change on the way.
struct lsig_room *lsig_hub_next(const struct lsig_hub *hub, size_t *cursor);
bool lsig_hub_room_id_ok(struct lsig_span room_id); // ^[A-Za-z0-9_-]{1,100}$
void lsig_hub_expire(struct lsig_hub *hub,
                     struct lsig_time now);             // forgets rooms that were kept long enough
size_t lsig_hub_room_count(const struct lsig_hub *hub); // with members
size_t lsig_hub_member_count(const struct lsig_hub *hub);
const struct lsig_ranking *lsig_hub_ranking(const struct lsig_hub *hub); // rooms by their size
// For timers.c: the timers of all rooms, by the time at which they are due; and that the room's
// have changed.
struct lsig_heap *lsig_hub_timers(const struct lsig_hub *hub);
void lsig_hub_on_timers(struct lsig_hub *hub, struct lsig_room *room);
// Called by room.c alone.
void lsig_hub_on_members(struct lsig_hub *hub,
                         struct lsig_room *room,
                         int change);                                        // after the change
void lsig_hub_on_unreferenced(struct lsig_hub *hub, struct lsig_room *room); // keeps it or frees it
