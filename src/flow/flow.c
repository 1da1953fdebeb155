#include "flow/flow.h"

#include <assert.h>

#include "flow/account_standing.h"
#include "flow/announce.h"
#include "flow/limits.h"
#include "flow/line.h"
#include "flow/revoke.h"
#include "flow/tell.h"
#include "flow/timeline.h"
#include "room/timers.h"

enum { IDLE_TICK_MS = 5000, SWEEP_MS = 1000 };

void lsig_flow_init(struct lsig_flow *flow)
{
    lsig_map_init(&flow->shared_buckets);
    lsig_map_init(&flow->user_connections);
    flow->pending = NULL;
    lsig_flow_set_time(flow, lsig_clock_now());
    flow->started_ms = flow->now.mono_ms;
}

void lsig_flow_clear(struct lsig_flow *flow)
{
    lsig_tell_forget(flow);
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
    lsig_tell_due(flow);
    lsig_line_resume_due(flow);
    // Ticks come as often as there is something to say; looking through everything need not.
    if (flow->now.mono_ms - flow->swept_ms >= SWEEP_MS) {
        flow->swept_ms = flow->now.mono_ms;
        lsig_limits_sweep(flow);
        lsig_revoke_tick(flow);
        lsig_standings_tick(flow);
        lsig_hub_expire(flow->hub, flow->now);
        if (flow->timelines != NULL) {
            lsig_timelines_sweep(flow->timelines);
        }
    }
    lsig_tell_timers(flow);
    if (flow->script != NULL) {
        lsig_script_tick(flow->script, flow->now.mono_ms);
    }
    int64_t next = lsig_announce_tick(flow);
    next = next >= 0 ? next : IDLE_TICK_MS;
    int64_t due_ms = lsig_flow_due_ms(flow);
    if (due_ms >= 0 && due_ms - flow->now.mono_ms < next) {
        next = due_ms > flow->now.mono_ms ? due_ms - flow->now.mono_ms : 0;
    }
    return next;
}

static int64_t earlier(int64_t one, int64_t other)
{
    return one < 0 ? other : other < 0 || one < other ? one : other;
}

int64_t lsig_flow_due_ms(const struct lsig_flow *flow)
{
    bool now = flow->resumable != NULL || flow->tell_first != NULL;
    int64_t due_ms = now ? flow->now.mono_ms : -1;
    if (flow->script != NULL) {
        due_ms = earlier(due_ms, lsig_script_due_ms(flow->script));
    }
    return earlier(due_ms, lsig_timer_next_due(flow->hub));
}
