// account_rates.h - how often an address may ask for what is cheap to ask and dear to give: new
// accounts, guest tokens, and refreshes that fail.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "room/rate_table.h"

enum { LSIG_ACCOUNT_RATES_MAX = 10000 };

enum lsig_account_rate {
    LSIG_ACCOUNT_RATE_REGISTER, // 20 a minute, 60 at once: each costs a password hash
    LSIG_ACCOUNT_RATE_GUEST,    // 5 a second, 300 at once: a class behind one address
    LSIG_ACCOUNT_RATE_REFRESH,  // 20 failures a minute, 60 at once
    LSIG_ACCOUNT_RATE_COUNT
};

// For at most LSIG_ACCOUNT_RATES_MAX addresses.
struct lsig_rate_table *lsig_account_rates_new(void);

// Counts one. 0, or after how many seconds it may be tried again: it was not counted then.
int64_t lsig_account_rates_take(struct lsig_rate_table *rates,
                                enum lsig_account_rate which,
                                struct lsig_span address,
                                int64_t mono_ms);
// The same answer without counting.
int64_t lsig_account_rates_check(const struct lsig_rate_table *rates,
                                 enum lsig_account_rate which,
                                 struct lsig_span address,
                                 int64_t mono_ms);
