// await_run.h - the wait of a run, as hook.c sees it.
#pragma once

struct lsig_hook_run;

// The run has left Lua and waits for run->await: notes since when, and for how long at most.
void lsig_await_suspend(struct lsig_hook_run *run);
// The run no longer waits for its await, if it has one: whoever finishes it finds nobody.
void lsig_await_forget(struct lsig_hook_run *run);
// For each fresh state; raises.
void lsig_await_register(struct lua_State *L);
