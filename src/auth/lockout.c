#include "auth/lockout.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"

struct entry {
    struct entry *older;
    struct entry *newer;
    int64_t last_ms; // of the last failure that counted
    int failures;
    size_t key_len;
    char key[]; // name, NUL, address
};

struct lsig_lockout {
    struct lsig_map by_key;
    struct entry *oldest;
    struct entry *newest;
};

struct key {
    char bytes[LSIG_LOCKOUT_KEY_MAX + 1];
    size_t len;
};

static struct lsig_span key_print(struct key *key, struct lsig_span name, struct lsig_span address)
{
    assert(name.len + address.len <= LSIG_LOCKOUT_KEY_MAX);
    memcpy(key->bytes, name.data, name.len);
    key->bytes[name.len] = '\0';
    if (address.len > 0) {
        memcpy(key->bytes + name.len + 1, address.data, address.len);
    }
    key->len = name.len + 1 + address.len;
    return (struct lsig_span){key->bytes, key->len};
}

struct lsig_lockout *lsig_lockout_new(void)
{
    struct lsig_lockout *lockout = lsig_alloc(sizeof(*lockout));
    lsig_map_init(&lockout->by_key);
    return lockout;
}

static void unlink_entry(struct lsig_lockout *lockout, struct entry *entry)
{
    *(entry->older != NULL ? &entry->older->newer : &lockout->oldest) = entry->newer;
    *(entry->newer != NULL ? &entry->newer->older : &lockout->newest) = entry->older;
}

static void link_newest(struct lsig_lockout *lockout, struct entry *entry)
{
    entry->older = lockout->newest;
    entry->newer = NULL;
    *(entry->older != NULL ? &entry->older->newer : &lockout->oldest) = entry;
    lockout->newest = entry;
}

static void forget(struct lsig_lockout *lockout, struct entry *entry)
{
    unlink_entry(lockout, entry);
    lsig_map_remove(&lockout->by_key, (struct lsig_span){entry->key, entry->key_len});
    free(entry);
}

void lsig_lockout_free(struct lsig_lockout *lockout)
{
    if (lockout == NULL) {
        return;
    }
    while (lockout->oldest != NULL) {
        forget(lockout, lockout->oldest);
    }
    lsig_map_clear(&lockout->by_key);
    free(lockout);
}

size_t lsig_lockout_count(const struct lsig_lockout *lockout)
{
    return lockout->by_key.count;
}

static void forget_stale(struct lsig_lockout *lockout, int64_t mono_ms)
{
    while (lockout->oldest != NULL &&
           mono_ms - lockout->oldest->last_ms >= (int64_t)LSIG_LOCKOUT_S * 1000) {
        forget(lockout, lockout->oldest);
    }
}

int64_t lsig_lockout_check(struct lsig_lockout *lockout,
                           struct lsig_span name,
                           struct lsig_span address,
                           int64_t mono_ms)
{
    forget_stale(lockout, mono_ms);
    struct key key;
    const struct entry *entry = lsig_map_find(&lockout->by_key, key_print(&key, name, address));
    if (entry == NULL || entry->failures < LSIG_LOCKOUT_FAILURES) {
        return 0;
    }
    return entry->last_ms + (int64_t)LSIG_LOCKOUT_S * 1000 - mono_ms;
}

void lsig_lockout_add(struct lsig_lockout *lockout,
                      struct lsig_span name,
                      struct lsig_span address,
                      int64_t mono_ms)
{
    forget_stale(lockout, mono_ms);
    struct key key;
    struct lsig_span span = key_print(&key, name, address);
    struct entry *entry = lsig_map_find(&lockout->by_key, span);
    if (entry == NULL) {
        if (lockout->by_key.count == LSIG_LOCKOUT_ENTRIES_MAX) {
            forget(lockout, lockout->oldest);
        }
        entry = lsig_alloc(sizeof(*entry) + span.len);
        memcpy(entry->key, span.data, span.len);
        entry->key_len = span.len;
        lsig_map_add(&lockout->by_key, (struct lsig_span){entry->key, entry->key_len}, entry);
    } else if (entry->failures == LSIG_LOCKOUT_FAILURES) {
        return;
    } else {
        unlink_entry(lockout, entry);
    }
    entry->failures++;
    entry->last_ms = mono_ms;
    link_newest(lockout, entry);
}

void lsig_lockout_remove(struct lsig_lockout *lockout,
                         struct lsig_span name,
                         struct lsig_span address)
{
    struct key key;
    struct entry *entry = lsig_map_find(&lockout->by_key, key_print(&key, name, address));
    if (entry != NULL) {
        forget(lockout, entry);
    }
}
