// hook.h - running the hooks of an event: one call, over its waits, to its verdict.
//
// A run walks its list of hooks in one coroutine, and may wait in any of them. Whenever a hook
// waits or returns, the changes it made stay and what it asked for is done; when it fails, both are
// taken back. Loop thread only.
#pragma once

#include "script/run.h"

// What runs need in a fresh state; raises.
void lsig_hook_register(struct lsig_policy *policy);
// As lsig_script_call, for the hooks of one policy.
LSIG_MUST_USE enum lsig_status lsig_hook_call(struct lsig_policy *policy,
                                              const struct lsig_hook_event *event,
                                              struct lsig_hook_result *result,
                                              lsig_hook_done done,
                                              void *arg,
                                              struct lsig_hook_run **run);
// Ends all suspended runs with LSIG_DRAINING; without tests_too those of tests go on.
void lsig_hook_close_runs(struct lsig_policy *policy, bool tests_too);
// The wait of a run is over by time.
void lsig_hook_on_due(const struct lsig_heap_item *due);
// Goes on with a run that waits: count values are on top of its coroutine's stack.
void lsig_hook_go_on(struct lsig_hook_run *run, int count);

// hook_arguments.c, raises: pushes the function that is next and its arguments on L; returns how
// many arguments.
int lsig_hook_push_call(struct lua_State *L, struct lsig_hook_run *run);
// hook_verdict.c: reads what the hook under way returned, on its coroutine's stack, into
// run->verdict and run->result. NULL, or what is wrong.
const char *lsig_hook_read_verdict(struct lsig_hook_run *run);

// --- for the functions that Lua calls

// The run whose hook runs; raises outside of hooks.
struct lsig_hook_run *lsig_hook_check_running(struct lua_State *L, const char *function);
// The name of the policy that the running hook is of, and the time that the hook sees.
const char *lsig_hook_policy_name(const struct lsig_hook_run *run);
struct lsig_time lsig_hook_now(const struct lsig_hook_run *run);
// Raises GONE when the member has left meanwhile; the member that joins is not gone.
void lsig_hook_check_member(struct lua_State *L,
                            const struct lsig_hook_run *run,
                            const struct lsig_member *member);
// A new effect of the run; raises when it has too many.
struct lsig_effect *
lsig_hook_add_effect(struct lua_State *L, struct lsig_hook_run *run, enum lsig_effect_kind kind);
// A function that makes verdicts is looked for: notes the line. The call itself, which mostly is
// `return sig.deny(…)`, leaves no trace of it: Lua has forgotten the caller by then.
void lsig_hook_note_verdict(struct lua_State *L);
// Raise when the hook has made a verdict already.
int lsig_hook_push_verdict(struct lua_State *L, enum lsig_verdict verdict);
int lsig_hook_push_denial(struct lua_State *L,
                          struct lsig_hook_run *run,
                          const struct lsig_refusal *refusal);
