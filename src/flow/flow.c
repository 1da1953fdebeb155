#include "flow/flow.h"

#include <assert.h>

#include "flow/account_standing.h"
#include "flow/announce.h"
#include "flow/limits.h"
#include "flow/line.h"
#include "flow/revoke.h"

enum { IDLE_TICK_MS = 5000, SWEEP_MS = 1000 };

void lsig_flow_init(struct lsig_flow *flow)
{
    lsig_map_init(&flow->shared_buckets);
    lsig_map_init(&flow->user_connections);
    flow->pending = NULL;
    lsig_flow_set_time(flow, lsig_clock_now());
}

void lsig_flow_clear(struct lsig_flow *flow)
{
    assert(flow->user_connections.count == 0 && flow->pending == NULL && flow->resumable == NULL);
    lsig_limits_clear(flow);
    lsig_map_clear(&flow->shared_buckets);
    lsig_map_clear(&flow->user_connections);
}

void lsig_flow_set_time(struct lsig_flow *flow, struct lsig_time now)
{
    if (now.wall_ms != flow->now.wall_ms || flow->now_iso[0] == '\0') {
        lsig_clock_print_iso(flow->now_iso, now.wall_ms);
    }
    flow->now = now;
}

int64_t lsig_flow_tick(struct lsig_flow *flow)
{
    lsig_line_resume_due(flow);
    // Ticks come as often as there is something to say; looking through everything need not.
    if (flow->now.mono_ms - flow->swept_ms >= SWEEP_MS) {
        flow->swept_ms = flow->now.mono_ms;
        lsig_limits_sweep(flow);
        lsig_revoke_tick(flow);
        lsig_standings_tick(flow);
        lsig_hub_expire(flow->hub, flow->now);
    }
    int64_t next = lsig_announce_tick(flow);
    return flow->resumable != NULL ? 0 : next >= 0 ? next : IDLE_TICK_MS;
}
