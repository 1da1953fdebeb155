#include "flow/account_rates.h"

#include "room/rate_table.h"

static const struct lsig_rate_spec specs[LSIG_ACCOUNT_RATE_COUNT] = {
    [LSIG_ACCOUNT_RATE_REGISTER] = {.count = 20, .period_ms = 60000, .burst = 60},
    [LSIG_ACCOUNT_RATE_GUEST] = {.count = 5, .period_ms = 1000, .burst = 300},
    [LSIG_ACCOUNT_RATE_REFRESH] = {.count = 20, .period_ms = 60000, .burst = 60},
};

struct lsig_rate_table *lsig_account_rates_new(void)
{
    return lsig_rate_table_new(specs, LSIG_ACCOUNT_RATE_COUNT, LSIG_ACCOUNT_RATES_MAX);
}

static int64_t seconds(int64_t ms)
{
    return (ms + 999) / 1000;
}

int64_t lsig_account_rates_take(struct lsig_rate_table *rates,
                                enum lsig_account_rate which,
                                struct lsig_span address,
                                int64_t mono_ms)
{
    return seconds(lsig_rate_table_take(rates, which, address, mono_ms));
}

int64_t lsig_account_rates_check(const struct lsig_rate_table *rates,
                                 enum lsig_account_rate which,
                                 struct lsig_span address,
                                 int64_t mono_ms)
{
    return seconds(lsig_rate_table_check(rates, which, address, mono_ms));
}
