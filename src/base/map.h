// map.h - hash map from bytes to pointers.
//
// The map owns neither keys nor values: the key's bytes live in the value (or beside it) and must
// not change while they are in the map. Keys come from the network, so the hash is keyed with
// random numbers (SipHash-1-3), and nobody can choose names that collide. Removing while iterating
// is not allowed.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct lsig_map_slot {
    const char *key;
    void *value; // NULL: the slot is free
    uint32_t key_len;
    uint32_t hash;
};

struct lsig_map {
    struct lsig_map_slot *slots;
    size_t capacity; // a power of two, or 0
    size_t count;
    uint64_t seed[2];
};

void lsig_map_init(struct lsig_map *map);
void lsig_map_clear(
    struct lsig_map *map); // frees the table, not the values; init is needed before another use
void *lsig_map_find(const struct lsig_map *map, struct lsig_span key);
// The key must not be in the map yet (asserted). key.data stays the caller's.
void lsig_map_add(struct lsig_map *map, struct lsig_span key, void *value);
void *lsig_map_remove(struct lsig_map *map, struct lsig_span key); // the value, or NULL
// Walks the map: start with *cursor = 0; NULL at the end.
void *lsig_map_next(const struct lsig_map *map, size_t *cursor);
