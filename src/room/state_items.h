// state_items.h - the entries of one container, in order: an array with room at both ends, and from
// STATE_INDEXED_FROM on a map by key. For state.c alone.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "base/span.h"

enum { LSIG_STATE_INDEXED_FROM = 9 }; // entries with keys: a map is made

struct lsig_state_item {
    struct lsig_span key;   // data NULL: it has none; else text[]
    struct lsig_span value; // data NULL: it has none
    char text[];
};

// Small, for rooms are many and their containers mostly short.
struct lsig_state_items {
    struct lsig_state_item **at; // count of them, from `first` on
    struct lsig_map *index;      // NULL: none
    uint32_t first;
    uint32_t count;
    uint32_t capacity;
};

struct lsig_state_item *lsig_state_item_new(struct lsig_span key, struct lsig_span value); // copies
void lsig_state_item_free(struct lsig_state_item *item);
struct lsig_state_item *lsig_state_items_at(const struct lsig_state_items *items, size_t at);
struct lsig_state_item *lsig_state_items_find(const struct lsig_state_items *items,
                                              struct lsig_span key); // NULL: none
size_t lsig_state_items_position(const struct lsig_state_items *items,
                                 const struct lsig_state_item *item);
// The item belongs to the items; its key is not in them yet.
void lsig_state_items_insert(struct lsig_state_items *items,
                             size_t at,
                             struct lsig_state_item *item);
struct lsig_state_item *lsig_state_items_take(struct lsig_state_items *items, size_t at);
void lsig_state_items_clear(struct lsig_state_items *items); // frees all of them
