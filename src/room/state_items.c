#include "room/state_items.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { FIRST_CAPACITY = 2 };

struct lsig_state_item *lsig_state_item_new(struct lsig_span key, struct lsig_span value)
{
    struct lsig_state_item *item = lsig_alloc(sizeof(*item) + key.len);
    if (key.data != NULL) {
        memcpy(item->text, key.data, key.len);
        item->key = (struct lsig_span){item->text, key.len};
    }
    if (value.data != NULL) {
        item->value = (struct lsig_span){lsig_strndup(value.data, value.len), value.len};
    }
    return item;
}

void lsig_state_item_free(struct lsig_state_item *item)
{
    free((char *)(uintptr_t)item->value.data);
    free(item);
}

struct lsig_state_item *lsig_state_items_at(const struct lsig_state_items *items, size_t at)
{
    assert(at < items->count);
    return items->at[items->first + at];
}

struct lsig_state_item *lsig_state_items_find(const struct lsig_state_items *items,
                                              struct lsig_span key)
{
    if (items->index != NULL) {
        return lsig_map_find(items->index, key);
    }
    for (size_t i = 0; i < items->count; i++) {
        struct lsig_state_item *item = lsig_state_items_at(items, i);
        if (lsig_span_equal(item->key, key)) {
            return item;
        }
    }
    return NULL;
}

size_t lsig_state_items_position(const struct lsig_state_items *items,
                                 const struct lsig_state_item *item)
{
    size_t at = 0;
    while (lsig_state_items_at(items, at) != item) {
        at++;
    }
    return at;
}

// Room at the front and at the end: as much at each as there are entries, so that a move is paid
// for by the many that need none.
static void make_room(struct lsig_state_items *items)
{
    uint32_t capacity = items->count * 2 < items->capacity ? items->capacity : items->capacity * 2;
    capacity = capacity == 0 ? FIRST_CAPACITY : capacity;
    struct lsig_state_item **at = lsig_alloc(capacity * sizeof(struct lsig_state_item *));
    uint32_t first = (capacity - items->count) / 2;
    if (items->count > 0) {
        memcpy(at + first, items->at + items->first, items->count * sizeof(items->at[0]));
    }
    free(items->at);
    items->at = at;
    items->first = first;
    items->capacity = capacity;
}

static void make_index(struct lsig_state_items *items)
{
    items->index = lsig_alloc(sizeof(*items->index));
    lsig_map_init(items->index);
    for (size_t i = 0; i < items->count; i++) {
        struct lsig_state_item *item = lsig_state_items_at(items, i);
        lsig_map_add(items->index, item->key, item);
    }
}

void lsig_state_items_insert(struct lsig_state_items *items,
                             size_t at,
                             struct lsig_state_item *item)
{
    assert(at <= items->count);
    bool front = at < items->count - at; // the shorter way
    if (front ? items->first == 0 : items->first + items->count == items->capacity) {
        make_room(items);
    }
    struct lsig_state_item **place = items->at + items->first;
    if (front) {
        items->first -= 1;
        memmove(place - 1, place, at * sizeof(items->at[0]));
    } else {
        memmove(place + at + 1, place + at, (items->count - at) * sizeof(items->at[0]));
    }
    items->at[items->first + at] = item;
    items->count += 1;
    if (items->index != NULL) {
        lsig_map_add(items->index, item->key, item);
    } else if (item->key.data != NULL && items->count >= LSIG_STATE_INDEXED_FROM) {
        make_index(items);
    }
}

struct lsig_state_item *lsig_state_items_take(struct lsig_state_items *items, size_t at)
{
    struct lsig_state_item *item = lsig_state_items_at(items, at);
    if (items->index != NULL) {
        lsig_map_remove(items->index, item->key);
    }
    items->count -= 1;
    struct lsig_state_item **place = items->at + items->first;
    if (at < items->count - at) {
        items->first += 1;
        memmove(place + 1, place, at * sizeof(items->at[0]));
    } else {
        memmove(place + at, place + at + 1, (items->count - at) * sizeof(items->at[0]));
    }
    if (items->count == 0) {
        lsig_state_items_clear(items);
    }
    return item;
}

void lsig_state_items_clear(struct lsig_state_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        lsig_state_item_free(lsig_state_items_at(items, i));
    }
    if (items->index != NULL) {
        lsig_map_clear(items->index);
        free(items->index);
    }
    free(items->at);
    *items = (struct lsig_state_items){0};
}
