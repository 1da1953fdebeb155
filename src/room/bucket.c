#include "room/bucket.h"

#include <assert.h>

bool lsig_bucket_take(struct lsig_bucket *bucket,
                      const struct lsig_rate_spec *spec,
                      int64_t amount,
                      int64_t mono_ms,
                      int64_t *retry_ms)
{
    if (spec->count == 0) {
        return true;
    }
    assert(spec->period_ms > 0 && spec->burst > 0 && amount >= 0);
    // One thing drains in `drain` microseconds; the bucket may reach `burst` things ahead of the
    // clock.
    double drain = (double)spec->period_ms * 1000.0 / (double)spec->count;
    int64_t now_us = mono_ms * 1000;
    int64_t start = bucket->full_until_us > now_us ? bucket->full_until_us : now_us;
    int64_t wanted = start + (int64_t)((double)amount * drain);
    int64_t limit = now_us + (int64_t)((double)spec->burst * drain);
    if (wanted > limit) {
        if (retry_ms != NULL) {
            *retry_ms = (wanted - limit + 999) / 1000;
        }
        return false;
    }
    bucket->full_until_us = wanted;
    return true;
}
