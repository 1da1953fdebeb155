#include "net/admin_key.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "net/address.h"
#include "room/bucket.h"

struct wrong {
    struct wrong *next;
    char address[LSIG_ADDRESS_SIZE];
    struct lsig_bucket bucket;
};

struct lsig_admin_key {
    const char *text;
    struct lsig_map addresses;
    struct wrong *first; // oldest first
    struct wrong *last;
};

static const struct lsig_rate_spec wrong_rate = {
    .count = LSIG_ADMIN_WRONG_PER_MINUTE,
    .period_ms = 60000,
    .burst = LSIG_ADMIN_WRONG_PER_MINUTE,
};

struct lsig_admin_key *lsig_admin_key_new(const char *key)
{
    struct lsig_admin_key *made = lsig_alloc(sizeof(*made));
    made->text = key;
    lsig_map_init(&made->addresses);
    return made;
}

static void forget_first(struct lsig_admin_key *key)
{
    struct wrong *first = key->first;
    key->first = first->next;
    key->last = first->next != NULL ? key->last : NULL;
    lsig_map_remove(&key->addresses, lsig_span_of(first->address));
    free(first);
}

void lsig_admin_key_free(struct lsig_admin_key *key)
{
    if (key == NULL) {
        return;
    }
    while (key->first != NULL) {
        forget_first(key);
    }
    lsig_map_clear(&key->addresses);
    free(key);
}

static struct wrong *add(struct lsig_admin_key *key, const char *address)
{
    struct wrong *wrong = lsig_alloc(sizeof(*wrong));
    if (key->addresses.count >= LSIG_ADMIN_ADDRESSES_MAX) {
        forget_first(key);
    }
    memcpy(wrong->address, address, strnlen(address, sizeof(wrong->address) - 1));
    *(key->last != NULL ? &key->last->next : &key->first) = wrong;
    key->last = wrong;
    lsig_map_add(&key->addresses, lsig_span_of(wrong->address), wrong);
    return wrong;
}

static bool is_key(const char *text, struct lsig_span given)
{
    size_t len = strlen(text);
    volatile unsigned char differs = len != given.len;
    for (size_t i = 0; i < given.len; i++) {
        differs |= (unsigned char)(given.data[i] ^ text[i % len]);
    }
    return differs == 0;
}

enum lsig_status lsig_admin_key_check(struct lsig_admin_key *key,
                                      struct lsig_span given,
                                      const char *address,
                                      int64_t mono_ms,
                                      int64_t *retry_ms)
{
    struct wrong *wrong = lsig_map_find(&key->addresses, lsig_span_of(address));
    if (wrong != NULL) {
        struct lsig_bucket copy = wrong->bucket;
        if (!lsig_bucket_take(&copy, &wrong_rate, 1, mono_ms, retry_ms)) {
            return LSIG_RATE_LIMIT_EXCEEDED;
        }
    }
    if (is_key(key->text, given)) {
        return LSIG_OK;
    }
    wrong = wrong != NULL ? wrong : add(key, address);
    return lsig_bucket_take(&wrong->bucket, &wrong_rate, 1, mono_ms, retry_ms)
               ? LSIG_TOKEN_INVALID
               : LSIG_RATE_LIMIT_EXCEEDED;
}
