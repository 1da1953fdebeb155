#include "room/ranking.h"

#include <assert.h>

static const struct {
    uint32_t members_max;
    const char *name;
} sizes[LSIG_ROOM_SIZE_COUNT] = {
    [LSIG_ROOMS_TO_5] = {5, "1-5"},           [LSIG_ROOMS_TO_10] = {10, "6-10"},
    [LSIG_ROOMS_TO_25] = {25, "11-25"},       [LSIG_ROOMS_TO_50] = {50, "26-50"},
    [LSIG_ROOMS_ABOVE] = {UINT32_MAX, "51+"},
};

const char *lsig_ranking_size_name(enum lsig_room_size size)
{
    return sizes[size].name;
}

static enum lsig_room_size size_of(uint32_t members)
{
    int size = 0;
    while (members > sizes[size].members_max) {
        size++;
    }
    return (enum lsig_room_size)size;
}

void lsig_ranking_clear(struct lsig_ranking *ranking)
{
    assert(ranking->rooms.count == 0);
    lsig_heap_clear(&ranking->rooms);
}

void lsig_ranking_on_members(struct lsig_ranking *ranking, struct lsig_room *room, int change)
{
    uint32_t now = room->member_count;
    uint32_t before = change > 0 ? now - 1 : now + 1;
    if (before > 0) {
        ranking->by_size[size_of(before)] -= 1;
        lsig_heap_remove(&ranking->rooms, &room->ranked);
    }
    if (now == 0) {
        return;
    }
    ranking->by_size[size_of(now)] += 1;
    if (before == 0) {
        lsig_heap_add(&ranking->rooms, &room->ranked, -(int64_t)now);
    } else {
        room->ranked.due = -(int64_t)now;
        lsig_heap_put_back(&ranking->rooms, &room->ranked);
    }
}

static const struct lsig_room *room_of(const struct lsig_heap_item *item)
{
    return (const struct lsig_room *)((const char *)item - offsetof(struct lsig_room, ranked));
}

// Whether `a` is in front of `b`, as in the heap.
static bool before(const struct lsig_heap_item *a, const struct lsig_heap_item *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

// What comes next in a heap is among the children of what has come: nothing else is looked at.
size_t lsig_ranking_top(const struct lsig_ranking *ranking,
                        const struct lsig_room *top[LSIG_RANKING_TOP_MAX])
{
    const struct lsig_heap *heap = &ranking->rooms;
    const struct lsig_heap_item *next[LSIG_RANKING_TOP_MAX + 1];
    size_t next_count = 0;
    size_t count = 0;
    if (heap->count > 0) {
        next[next_count++] = heap->items[0];
    }
    while (count < LSIG_RANKING_TOP_MAX && next_count > 0) {
        size_t best = 0;
        for (size_t i = 1; i < next_count; i++) {
            best = before(next[i], next[best]) ? i : best;
        }
        const struct lsig_heap_item *item = next[best];
        next[best] = next[--next_count];
        top[count++] = room_of(item);
        for (size_t child = 2 * item->at + 1; child <= 2 * item->at + 2 && child < heap->count;
             child++) {
            next[next_count++] = heap->items[child];
        }
    }
    return count;
}
