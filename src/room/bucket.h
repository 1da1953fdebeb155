// bucket.h - a rate limit as one number (generic cell rate algorithm, ITU-T I.371): the time at
// which the bucket is empty again.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/rate_spec.h"

struct lsig_bucket {
    int64_t full_until_us; // 0: empty
};

// Takes `amount` things at mono_ms if they fit. On false nothing is taken and *retry_ms (may be
// NULL) says when they would fit. A spec with count 0 lets everything pass.
bool lsig_bucket_take(struct lsig_bucket *bucket,
                      const struct lsig_rate_spec *spec,
                      int64_t amount,
                      int64_t mono_ms,
                      int64_t *retry_ms);

struct lsig_bucket_view {
    int64_t remaining; // things that would pass now
    int64_t retry_ms;  // when one would pass; 0: now
    int64_t reset_ms;  // when the whole burst would; 0: now
};
// How it stands, without taking anything. The count of the spec is not 0. NULL: nothing was taken
// from it yet.
struct lsig_bucket_view lsig_bucket_look(const struct lsig_bucket *bucket,
                                         const struct lsig_rate_spec *spec,
                                         int64_t mono_ms);
