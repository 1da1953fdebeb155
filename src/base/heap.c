#include "base/heap.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"

static void place(struct lsig_heap *heap, struct lsig_heap_item *item, size_t at)
{
    heap->items[at] = item;
    item->at = at;
}

static bool before(const struct lsig_heap_item *a, const struct lsig_heap_item *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void rise(struct lsig_heap *heap, struct lsig_heap_item *item)
{
    size_t at = item->at;
    while (at > 0 && before(item, heap->items[(at - 1) / 2])) {
        place(heap, heap->items[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    place(heap, item, at);
}

static void sink(struct lsig_heap *heap, struct lsig_heap_item *item)
{
    size_t at = item->at;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < heap->count && before(heap->items[child + 1], heap->items[child])) {
            child += 1;
        }
        if (child >= heap->count || before(item, heap->items[child])) {
            break;
        }
        place(heap, heap->items[child], at);
        at = child;
    }
    place(heap, item, at);
}

void lsig_heap_clear(struct lsig_heap *heap)
{
    free(heap->items);
    *heap = (struct lsig_heap){0};
}

void lsig_heap_put_back(struct lsig_heap *heap, struct lsig_heap_item *item)
{
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity == 0 ? 16 : heap->capacity * 2;
        heap->items = lsig_realloc(heap->items, heap->capacity * sizeof(struct lsig_heap_item *));
    }
    item->at = heap->count++;
    rise(heap, item);
}

void lsig_heap_add(struct lsig_heap *heap, struct lsig_heap_item *item, int64_t due)
{
    item->due = due;
    item->order = heap->added++;
    lsig_heap_put_back(heap, item);
}

void lsig_heap_remove(struct lsig_heap *heap, struct lsig_heap_item *item)
{
    assert(item->at < heap->count && heap->items[item->at] == item);
    struct lsig_heap_item *last = heap->items[--heap->count];
    if (last == item) {
        return;
    }
    last->at = item->at;
    rise(heap, last);
    sink(heap, last);
}

struct lsig_heap_item *lsig_heap_first(const struct lsig_heap *heap)
{
    return heap->count > 0 ? heap->items[0] : NULL;
}
