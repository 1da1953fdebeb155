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

struct lsig_bucket_view lsig_bucket_look(const struct lsig_bucket *bucket,
                                         const struct lsig_rate_spec *spec,
                                         int64_t mono_ms)
{
    assert(spec->count > 0 && spec->period_ms > 0 && spec->burst > 0);
    // In the same whole microseconds as lsig_bucket_take.
    double drain = (double)spec->period_ms * 1000.0 / (double)spec->count;
    int64_t one_us = (int64_t)drain;
    int64_t limit_us = (int64_t)((double)spec->burst * drain);
    int64_t until_us = bucket != NULL ? bucket->full_until_us : 0;
    int64_t ahead_us = until_us > mono_ms * 1000 ? until_us - mono_ms * 1000 : 0;
    int64_t left_us = limit_us - ahead_us;
    struct lsig_bucket_view view = {.reset_ms = (ahead_us + 999) / 1000};
    if (left_us < one_us) {
        view.retry_ms = (one_us - left_us + 999) / 1000;
    } else {
        int64_t fit = one_us > 0 ? left_us / one_us : spec->burst;
        view.remaining = fit < spec->burst ? fit : spec->burst;
    }
    return view;
}
