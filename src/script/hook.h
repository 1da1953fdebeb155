// hook.h - running the hooks of an event: one call, over its waits, to its verdict.
//
// A run walks its list of hooks in one coroutine, and may wait in any of them. Loop thread only.
#pragma once

#include "script/run.h"

// What runs need in a fresh state; raises.
void lsig_hook_register(struct lsig_policy *policy);
// As lsig_script_call, for the hooks of one policy.
LSIG_MUST_USE enum lsig_status lsig_hook_call(struct lsig_policy *policy,
                                              const struct lsig_hook_event *event,
                                              struct lsig_refusal *refusal,
                                              lsig_hook_done done,
                                              void *arg,
                                              struct lsig_hook_run **run);
// Ends all suspended runs with LSIG_DRAINING and closes their timers; on_closed is called from
// the loop once that is done.
void lsig_hook_close_runs(struct lsig_policy *policy,
                          void (*on_closed)(struct lsig_policy *policy));

// For the functions that Lua calls. check_running raises outside of hooks, prepare_wait when a
// bound is reached, the others when the hook has made a verdict already.
struct lsig_hook_run *lsig_hook_check_running(struct lua_State *L, const char *function);
void lsig_hook_prepare_wait(struct lua_State *L, struct lsig_hook_run *run, double ms);
int lsig_hook_push_verdict(struct lua_State *L, enum lsig_verdict verdict);
int lsig_hook_push_denial(struct lua_State *L,
                          struct lsig_hook_run *run,
                          const char *code,
                          const char *text,
                          const char *details);
