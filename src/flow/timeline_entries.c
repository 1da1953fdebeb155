#include "flow/timeline_entries.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { FIRST_CAPACITY = 8 };

const struct lsig_timeline_entry *lsig_timeline_entry(const struct lsig_timeline *timeline,
                                                      uint32_t i)
{
    assert(i < timeline->count);
    return &timeline->entries[(timeline->first + i) % timeline->capacity];
}

static void drop_verdict(struct lsig_timeline *timeline, struct lsig_timeline_entry *entry)
{
    if (entry->verdict != NULL) {
        timeline->verdict_bytes -= entry->verdict->size;
        free(entry->verdict);
    }
}

struct lsig_timeline_entry *lsig_timeline_add_entry(struct lsig_timeline *timeline,
                                                    uint32_t entries_max)
{
    if (timeline->count == timeline->capacity && timeline->capacity < entries_max) {
        uint32_t capacity = timeline->capacity == 0 ? FIRST_CAPACITY : timeline->capacity * 2;
        capacity = capacity < entries_max ? capacity : entries_max;
        // Nothing was overwritten yet, so the ring begins at 0.
        timeline->entries =
            lsig_realloc(timeline->entries, capacity * sizeof(timeline->entries[0]));
        timeline->capacity = capacity;
    }
    timeline->added += 1;
    if (timeline->count < timeline->capacity) {
        return &timeline->entries[timeline->count++];
    }
    struct lsig_timeline_entry *entry = &timeline->entries[timeline->first];
    drop_verdict(timeline, entry);
    timeline->first = (timeline->first + 1) % timeline->capacity;
    timeline->lost += 1;
    return entry;
}

void lsig_timeline_collect_names(struct lsig_timeline *timeline)
{
    for (uint32_t i = 0; i < timeline->count; i++) {
        const struct lsig_timeline_entry *entry = lsig_timeline_entry(timeline, i);
        lsig_names_mark(&timeline->names, entry->who);
        lsig_names_mark(&timeline->names, entry->whom);
        lsig_names_mark(&timeline->names, entry->what);
    }
    for (uint32_t i = 0; i < timeline->pairs.count; i++) {
        lsig_names_mark(&timeline->names, timeline->pairs.items[i].who[0]);
        lsig_names_mark(&timeline->names, timeline->pairs.items[i].who[1]);
    }
    lsig_names_collect(&timeline->names);
}

void lsig_timeline_sort_in(struct lsig_timeline *timeline)
{
    for (uint32_t i = timeline->count - 1; i > 0; i--) {
        struct lsig_timeline_entry *entry =
            &timeline->entries[(timeline->first + i) % timeline->capacity];
        struct lsig_timeline_entry *before =
            &timeline->entries[(timeline->first + i - 1) % timeline->capacity];
        if (before->at_ms <= entry->at_ms) {
            return;
        }
        struct lsig_timeline_entry moved = *before;
        *before = *entry;
        *entry = moved;
    }
}
