// run.h - one call of the hooks of an event, from its beginning to its verdict: the state of it,
// and the pool it comes from.
//
// Runs and their coroutines are pooled per policy. A run's serial changes when it ends, which
// expires the handles that were made for it. The memory of a run lives as long as its policy, so
// that a stale handle can be told from a fresh one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "script/policy.h"
#include "script/script.h"

struct json_t;

enum { LSIG_RUN_IDLE_MAX = 64 }; // coroutines kept for later

enum lsig_verdict {
    LSIG_VERDICT_NONE,
    LSIG_VERDICT_ACCEPT,
    LSIG_VERDICT_HANDLED,
    LSIG_VERDICT_DENY
};

struct lsig_hook_run {
    struct lsig_policy *policy;
    struct lsig_hook_run *next_all;
    struct lsig_hook_run *next; // of the idle or bare ones
    struct lua_State *co;       // NULL: none
    int co_reference;
    int anchor_reference; // a table that holds the run's handles and what they were asked for
    uint64_t serial;
    bool anchored_more; // the anchor holds more than the handles
    bool inside;        // a hook has begun and not returned
    bool waiting;
    struct lsig_hook_event event; // member is referenced; message NULL once dropped
    size_t at;                    // number of the hook in the lists, one behind the other
    enum lsig_verdict verdict;    // made by sig.deny and so on, not yet returned
    struct lsig_refusal denial;
    int64_t cpu_us;   // used before the last wait
    double waited_ms; // also what the present wait was asked for
    double wait_ms;   // of the present wait
    bool wait_exceeded;
    lsig_hook_done done; // NULL: nobody is interested any more
    void *arg;
    uv_timer_t timer;
    bool timer_open;
    struct json_t *tree; // while it is turned into Lua values
};

// Where things stand in the anchor. Members that were looked up stand under their address (light
// userdata), claims under their handle.
enum {
    LSIG_ANCHOR_ROOM = 1,
    LSIG_ANCHOR_MEMBER,
    LSIG_ANCHOR_MESSAGE,
    LSIG_ANCHOR_REASON,
    LSIG_ANCHOR_PAYLOAD,
    LSIG_ANCHOR_COUNT
};

struct lsig_hook_run *lsig_run_take(struct lsig_policy *policy); // with no event yet
// The call is over: expires its handles, gives everything back and returns it to the pool.
void lsig_run_end(struct lsig_hook_run *run);
void lsig_run_make_coroutine(struct lua_State *L,
                             struct lsig_hook_run *run); // and the anchor; raises
void lsig_run_drop_coroutine(struct lsig_hook_run *run); // after an error it cannot run again
void lsig_run_push_anchor(struct lua_State *L, const struct lsig_hook_run *run);
