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
