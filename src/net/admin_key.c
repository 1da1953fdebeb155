#include "net/admin_key.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "room/rate_table.h"

struct lsig_admin_key {
    const char *text;
    struct lsig_rate_table *wrong; // by address
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
    made->wrong = lsig_rate_table_new(&wrong_rate, 1, LSIG_ADMIN_ADDRESSES_MAX);
    return made;
}

void lsig_admin_key_free(struct lsig_admin_key *key)
{
    if (key != NULL) {
        lsig_rate_table_free(key->wrong);
        free(key);
    }
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
    struct lsig_span name = lsig_span_of(address);
    int64_t wait_ms = lsig_rate_table_check(key->wrong, 0, name, mono_ms);
    if (wait_ms == 0) {
        if (is_key(key->text, given)) {
            return LSIG_OK;
        }
        wait_ms = lsig_rate_table_take(key->wrong, 0, name, mono_ms);
    }
    if (wait_ms == 0) {
        return LSIG_TOKEN_INVALID;
    }
    *retry_ms = wait_ms;
    return LSIG_RATE_LIMIT_EXCEEDED;
}
