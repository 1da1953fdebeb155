// budget.h - the processor time that a call into Lua may use on the thread that owns the budget.
//
// A POSIX timer on the thread's own CPU clock ticks every LSIG_BUDGET_TICK_US of CPU time, so an
// idle thread is never woken. Its signal handler runs on the same thread: it looks whether Lua is
// being run, and once the limit is used up it sets a debug hook that leaves Lua at the next
// instruction, call or return, and goes on doing so until C takes it away: no pcall holds it. The
// first tick starts the clock, so a call is never stopped early and is stopped at most two ticks
// late.
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct lua_State;

enum { LSIG_BUDGET_TICK_US = 5000, LSIG_BUDGET_TEXT_SIZE = 128 };

struct lsig_budget {
    timer_t timer;
    struct lua_State *volatile L; // being run now; NULL: none
    volatile int64_t started_us;  // of the thread's CPU clock; 0: no tick yet
    volatile int64_t limit_us;
    volatile sig_atomic_t exceeded;
    int64_t told_ms;                  // the limit as people set it, for the error text
    char text[LSIG_BUDGET_TEXT_SIZE]; // once Lua was left because of the limit: where, with
                                      // file:line
};

// Opens on the calling thread; all other functions are called on the same one. False: the system
// gives no timer.
bool lsig_budget_open(struct lsig_budget *budget);
void lsig_budget_close(struct lsig_budget *budget);
// Lua is entered; left_us may be used. Forgets that memory was refused in an earlier call. `exact`
// reads the clock at once instead of at the first tick (0.7 us).
void lsig_budget_enter(struct lsig_budget *budget,
                       struct lua_State *L,
                       int64_t left_us,
                       bool exact);
// Lua was left: removes the debug hook and returns the CPU time used, as far as it was seen.
// `exceeded` stays until the next enter.
int64_t lsig_budget_leave(struct lsig_budget *budget);
// For loops in C functions that Lua calls: raises when the limit is used up.
void lsig_budget_poll(struct lua_State *L);
