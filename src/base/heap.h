// heap.h - what is due first: a binary heap of items that stand in the caller's own structs. Of
// those that are due at the same time, the one that was added first.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct lsig_heap_item {
    int64_t due;
    uint64_t order; // by time of adding
    size_t at;      // in the heap
};

struct lsig_heap {
    struct lsig_heap_item **items;
    size_t count;
    size_t capacity;
    uint64_t added; // so far
};

void lsig_heap_clear(struct lsig_heap *heap); // frees its own memory, not the items'
void lsig_heap_add(struct lsig_heap *heap, struct lsig_heap_item *item, int64_t due);
// Puts back what was removed, with its time and its place among those of the same time.
void lsig_heap_put_back(struct lsig_heap *heap, struct lsig_heap_item *item);
void lsig_heap_remove(struct lsig_heap *heap, struct lsig_heap_item *item); // it is in the heap
struct lsig_heap_item *lsig_heap_first(const struct lsig_heap *heap);       // NULL: empty
