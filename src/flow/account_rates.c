#include "flow/account_rates.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "room/bucket.h"

struct entry {
    struct entry *older;
    struct entry *newer;
    struct lsig_bucket buckets[LSIG_ACCOUNT_RATE_COUNT];
    size_t len;
    char address[];
};

struct lsig_account_rates {
    struct lsig_map by_address;
    struct entry *oldest;
    struct entry *newest;
};

static const struct lsig_rate_spec specs[LSIG_ACCOUNT_RATE_COUNT] = {
    [LSIG_ACCOUNT_RATE_REGISTER] = {.count = 20, .period_ms = 60000, .burst = 60},
    [LSIG_ACCOUNT_RATE_GUEST] = {.count = 5, .period_ms = 1000, .burst = 300},
    [LSIG_ACCOUNT_RATE_REFRESH] = {.count = 20, .period_ms = 60000, .burst = 60},
};

struct lsig_account_rates *lsig_account_rates_new(void)
{
    struct lsig_account_rates *rates = lsig_alloc(sizeof(*rates));
    lsig_map_init(&rates->by_address);
    return rates;
}

static void unlink_entry(struct lsig_account_rates *rates, struct entry *entry)
{
    *(entry->older != NULL ? &entry->older->newer : &rates->oldest) = entry->newer;
    *(entry->newer != NULL ? &entry->newer->older : &rates->newest) = entry->older;
}

static void link_newest(struct lsig_account_rates *rates, struct entry *entry)
{
    entry->older = rates->newest;
    entry->newer = NULL;
    *(entry->older != NULL ? &entry->older->newer : &rates->oldest) = entry;
    rates->newest = entry;
}

static void forget_oldest(struct lsig_account_rates *rates)
{
    struct entry *entry = rates->oldest;
    unlink_entry(rates, entry);
    lsig_map_remove(&rates->by_address, (struct lsig_span){entry->address, entry->len});
    free(entry);
}

void lsig_account_rates_free(struct lsig_account_rates *rates)
{
    if (rates == NULL) {
        return;
    }
    while (rates->oldest != NULL) {
        forget_oldest(rates);
    }
    lsig_map_clear(&rates->by_address);
    free(rates);
}

size_t lsig_account_rates_count(const struct lsig_account_rates *rates)
{
    return rates->by_address.count;
}

int64_t lsig_account_rates_check(struct lsig_account_rates *rates,
                                 enum lsig_account_rate which,
                                 struct lsig_span address,
                                 int64_t mono_ms)
{
    const struct entry *entry = lsig_map_find(&rates->by_address, address);
    if (entry == NULL) {
        return 0;
    }
    struct lsig_bucket copy = entry->buckets[which];
    int64_t retry_ms = 0;
    return lsig_bucket_take(&copy, &specs[which], 1, mono_ms, &retry_ms) ? 0
                                                                         : (retry_ms + 999) / 1000;
}

int64_t lsig_account_rates_take(struct lsig_account_rates *rates,
                                enum lsig_account_rate which,
                                struct lsig_span address,
                                int64_t mono_ms)
{
    struct entry *entry = lsig_map_find(&rates->by_address, address);
    if (entry != NULL) {
        unlink_entry(rates, entry);
    } else {
        if (rates->by_address.count == LSIG_ACCOUNT_RATES_MAX) {
            forget_oldest(rates);
        }
        entry = lsig_alloc(sizeof(*entry) + address.len);
        entry->len = address.len;
        if (address.len > 0) {
            memcpy(entry->address, address.data, address.len);
        }
        lsig_map_add(&rates->by_address, (struct lsig_span){entry->address, entry->len}, entry);
    }
    link_newest(rates, entry);
    int64_t retry_ms = 0;
    return lsig_bucket_take(&entry->buckets[which], &specs[which], 1, mono_ms, &retry_ms)
               ? 0
               : (retry_ms + 999) / 1000;
}
