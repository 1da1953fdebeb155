#include "base/map.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/random.h"

enum { FIRST_CAPACITY = 4 }; // most rooms have two members

static uint64_t rotate(uint64_t value, int bits)
{
    return (value << bits) | (value >> (64 - bits));
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

// SipHash with one round per block and three at the end (Aumasson, Bernstein: "SipHash", 2012).
static uint32_t hash_key(const uint64_t seed[2], struct lsig_span key)
{
    uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575u, seed[1] ^ 0x646f72616e646f6du,
                     seed[0] ^ 0x6c7967656e657261u, seed[1] ^ 0x7465646279746573u};
    size_t i = 0;
    for (; i + 8 <= key.len; i += 8) {
        uint64_t block;
        memcpy(&block, key.data + i, 8);
        v[3] ^= block;
        sip_round(v);
        v[0] ^= block;
    }
    uint64_t last = (uint64_t)key.len << 56;
    for (int shift = 0; i < key.len; i++, shift += 8) {
        last |= (uint64_t)(unsigned char)key.data[i] << shift;
    }
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int round = 0; round < 3; round++) {
        sip_round(v);
    }
    uint64_t hash = v[0] ^ v[1] ^ v[2] ^ v[3];
    return (uint32_t)(hash ^ (hash >> 32));
}

void lsig_map_init(struct lsig_map *map)
{
    *map = (struct lsig_map){0};
    lsig_random_bytes(map->seed, sizeof(map->seed));
}

void lsig_map_clear(struct lsig_map *map)
{
    free(map->slots);
    *map = (struct lsig_map){0};
}

// The slot of the key, or the free slot where it would go.
static size_t find_slot(const struct lsig_map *map, struct lsig_span key, uint32_t hash)
{
    size_t mask = map->capacity - 1;
    size_t i = hash & mask;
    while (map->slots[i].value != NULL) {
        const struct lsig_map_slot *slot = &map->slots[i];
        if (slot->hash == hash &&
            lsig_span_equal((struct lsig_span){slot->key, slot->key_len}, key)) {
            break;
        }
        i = (i + 1) & mask;
    }
    return i;
}

static void map_resize(struct lsig_map *map, size_t capacity)
{
    struct lsig_map_slot *old = map->slots;
    size_t old_capacity = map->capacity;
    map->slots = lsig_alloc(capacity * sizeof(map->slots[0]));
    map->capacity = capacity;
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].value != NULL) {
            size_t to = old[i].hash & (capacity - 1);
            while (map->slots[to].value != NULL) {
                to = (to + 1) & (capacity - 1);
            }
            map->slots[to] = old[i];
        }
    }
    free(old);
}

void *lsig_map_find(const struct lsig_map *map, struct lsig_span key)
{
    if (map->count == 0) {
        return NULL;
    }
    return map->slots[find_slot(map, key, hash_key(map->seed, key))].value;
}

void lsig_map_add(struct lsig_map *map, struct lsig_span key, void *value)
{
    assert(value != NULL);
    assert(key.len < UINT32_MAX);
    if ((map->count + 1) * 4 > map->capacity * 3) {
        map_resize(map, map->capacity == 0 ? FIRST_CAPACITY : map->capacity * 2);
    }
    uint32_t hash = hash_key(map->seed, key);
    struct lsig_map_slot *slot = &map->slots[find_slot(map, key, hash)];
    assert(slot->value == NULL);
    *slot = (struct lsig_map_slot){key.data, value, (uint32_t)key.len, hash};
    map->count += 1;
}

void *lsig_map_remove(struct lsig_map *map, struct lsig_span key)
{
    if (map->count == 0) {
        return NULL;
    }
    size_t mask = map->capacity - 1;
    size_t hole = find_slot(map, key, hash_key(map->seed, key));
    void *value = map->slots[hole].value;
    if (value == NULL) {
        return NULL;
    }
    // Close the gap, so that no tombstones pile up: every later slot of the run that may move,
    // moves.
    for (size_t i = (hole + 1) & mask; map->slots[i].value != NULL; i = (i + 1) & mask) {
        size_t home = map->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole] = (struct lsig_map_slot){0};
    map->count -= 1;
    if (map->capacity > FIRST_CAPACITY && map->count * 8 < map->capacity) {
        map_resize(map, map->capacity / 2);
    }
    return value;
}

void *lsig_map_next(const struct lsig_map *map, size_t *cursor)
{
    while (*cursor < map->capacity) {
        void *value = map->slots[(*cursor)++].value;
        if (value != NULL) {
            return value;
        }
    }
    return NULL;
}
