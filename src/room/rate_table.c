#include "room/rate_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"

struct entry {
    struct entry *older;
    struct entry *newer;
    char *name; // behind the buckets
    size_t len;
    struct lsig_bucket buckets[];
};

struct lsig_rate_table {
    const struct lsig_rate_spec *specs;
    size_t spec_count;
    size_t max;
    struct lsig_map by_name;
    struct entry *oldest;
    struct entry *newest;
};

struct lsig_rate_table *
lsig_rate_table_new(const struct lsig_rate_spec *specs, size_t spec_count, size_t max)
{
    struct lsig_rate_table *table = lsig_alloc(sizeof(*table));
    table->specs = specs;
    table->spec_count = spec_count;
    table->max = max;
    lsig_map_init(&table->by_name);
    return table;
}

static void unlink_entry(struct lsig_rate_table *table, struct entry *entry)
{
    *(entry->older != NULL ? &entry->older->newer : &table->oldest) = entry->newer;
    *(entry->newer != NULL ? &entry->newer->older : &table->newest) = entry->older;
}

static void link_newest(struct lsig_rate_table *table, struct entry *entry)
{
    entry->older = table->newest;
    entry->newer = NULL;
    *(entry->older != NULL ? &entry->older->newer : &table->oldest) = entry;
    table->newest = entry;
}

static void forget_oldest(struct lsig_rate_table *table)
{
    struct entry *entry = table->oldest;
    unlink_entry(table, entry);
    lsig_map_remove(&table->by_name, (struct lsig_span){entry->name, entry->len});
    free(entry);
}

void lsig_rate_table_free(struct lsig_rate_table *table)
{
    if (table == NULL) {
        return;
    }
    while (table->oldest != NULL) {
        forget_oldest(table);
    }
    lsig_map_clear(&table->by_name);
    free(table);
}

size_t lsig_rate_table_count(const struct lsig_rate_table *table)
{
    return table->by_name.count;
}

static int64_t take(const struct lsig_rate_spec *spec, struct lsig_bucket *bucket, int64_t mono_ms)
{
    int64_t retry_ms = 0;
    return lsig_bucket_take(bucket, spec, 1, mono_ms, &retry_ms) ? 0 : retry_ms;
}

int64_t lsig_rate_table_check(const struct lsig_rate_table *table,
                              size_t which,
                              struct lsig_span name,
                              int64_t mono_ms)
{
    const struct entry *entry = lsig_map_find(&table->by_name, name);
    if (entry == NULL) {
        return 0;
    }
    struct lsig_bucket copy = entry->buckets[which];
    return take(&table->specs[which], &copy, mono_ms);
}

static struct entry *entry_add(struct lsig_rate_table *table, struct lsig_span name)
{
    if (table->by_name.count >= table->max) {
        forget_oldest(table);
    }
    size_t buckets_size = table->spec_count * sizeof(struct lsig_bucket);
    struct entry *entry = lsig_alloc(sizeof(*entry) + buckets_size + name.len);
    entry->name = (char *)entry->buckets + buckets_size;
    entry->len = name.len;
    if (name.len > 0) {
        memcpy(entry->name, name.data, name.len);
    }
    lsig_map_add(&table->by_name, (struct lsig_span){entry->name, entry->len}, entry);
    return entry;
}

// The entry of that name, the newest now.
static struct entry *entry_use(struct lsig_rate_table *table, struct lsig_span name)
{
    struct entry *entry = lsig_map_find(&table->by_name, name);
    if (entry != NULL) {
        unlink_entry(table, entry);
    } else {
        entry = entry_add(table, name);
    }
    link_newest(table, entry);
    return entry;
}

int64_t lsig_rate_table_take(struct lsig_rate_table *table,
                             size_t which,
                             struct lsig_span name,
                             int64_t mono_ms)
{
    return take(&table->specs[which], &entry_use(table, name)->buckets[which], mono_ms);
}

int64_t lsig_rate_table_take_by(struct lsig_rate_table *table,
                                const struct lsig_rate_spec *spec,
                                struct lsig_span name,
                                int64_t mono_ms)
{
    return take(spec, &entry_use(table, name)->buckets[0], mono_ms);
}
