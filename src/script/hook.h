// hook.h - running the hooks of an event: one call, over its waits, to its verdict.
//
// A run walks its list of hooks in one coroutine. Runs and their coroutines are pooled per policy;
// a run's serial changes when it ends, which expires the handles that were made for it. Loop thread
// only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "script/policy.h"
#include "script/script.h"

struct json_t;

enum { LSIG_HOOK_IDLE_MAX = 64 }; // coroutines kept for later

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

void lsig_hook_register(
    struct lsig_policy *policy); // after loading: what a run needs in the state; raises
// As lsig_script_call, for the hooks of one policy.
LSIG_MUST_USE enum lsig_status lsig_hook_call(struct lsig_policy *policy,
                                              const struct lsig_hook_event *event,
                                              struct lsig_refusal *refusal,
                                              lsig_hook_done done,
                                              void *arg,
                                              struct lsig_hook_run **run);
// Ends all suspended runs without calling back and closes their timers; on_closed is called from
// the loop once that is done.
void lsig_hook_close_runs(struct lsig_policy *policy,
                          void (*on_closed)(struct lsig_policy *policy));

// For the functions that Lua calls.
struct lsig_hook_run *lsig_hook_check_running(struct lua_State *L,
                                              const char *function); // raises outside of hooks
int lsig_hook_push_verdict(struct lua_State *L, enum lsig_verdict verdict);
int lsig_hook_push_denial(struct lua_State *L,
                          struct lsig_hook_run *run,
                          const char *code,
                          const char *text,
                          const char *details);
void lsig_hook_prepare_wait(struct lua_State *L,
                            struct lsig_hook_run *run,
                            double ms); // raises when a bound is reached
void lsig_hook_push_anchor(struct lua_State *L, const struct lsig_hook_run *run);
