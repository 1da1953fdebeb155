// await.h - how a function that Lua calls waits for something without holding the loop.
//
// The C function begins its work and leaves Lua; whoever has the outcome finishes the wait from the
// loop, and the hook goes on where it called. A function that waits is made by lsig_await_wrap and
// never raises: what is wrong before it waits it returns by lsig_await_refuse, so that the error
// names the line of the policy. Hooks that wait are counted (waiting_max) and have wait_ms in all.
//
//   static int store_get(lua_State *L)                   // wrapped
//   {
//       struct lsig_await *await = lsig_await_begin(L, "sig.store:get", NULL, NULL);
//       if (await == NULL) {
//           return lsig_await_refused(L);                 // why is on the stack
//       }
//       start_reading(key, await);                        // ends in lsig_await_finish
//       return lsig_await_yield(L);
//   }
#pragma once

#include <stdbool.h>

struct lsig_await;
struct lua_State;

// Takes the C function on top of the stack and leaves one there that waits for it. Raises.
void lsig_await_wrap(struct lua_State *L);
// Begins a wait in the hook that runs. NULL: it may not wait here (at the top level, in a hook that
// may not wait, in a comparator or a callback of gsub, too many wait), and (false, text) is on the
// stack. cancel (may be NULL) is called when nobody waits any more (the time is up, the server
// ends); lsig_await_finish has still to be called, and then does nothing but free.
struct lsig_await *
lsig_await_begin(struct lua_State *L, const char *function, void (*cancel)(void *arg), void *arg);
// What a wrapped function returns: after begin; after a begin that gave NULL; for another fault
// (before begin), with a text like printf's; with the values on top of the stack, without a wait.
int lsig_await_yield(struct lua_State *L);
int lsig_await_refused(struct lua_State *L);
int lsig_await_refuse(struct lua_State *L, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int lsig_await_return(struct lua_State *L, int count);

// The outcome, once, from the loop and never from within the call that began. error NULL: push (may
// be NULL: nothing) is called protected, leaves the values that the function returns on L's stack
// and says how many; it may raise. Otherwise the function raises the error's text at the line of
// the policy. Both are called before finish returns, or not at all. Frees the await.
void lsig_await_finish(struct lsig_await *await,
                       const char *error,
                       int (*push)(struct lua_State *L, void *arg),
                       void *arg);
// A wait for time only, with the same rules.
int lsig_await_sleep(struct lua_State *L, const char *function, double ms);

// What the top coroutine of a hook yields while it waits: one light userdata. A resume that gets it
// from an inner coroutine yields it on, and gives the inner one what comes back.
void lsig_await_push_token(struct lua_State *L);
bool lsig_await_is_token(struct lua_State *L, int index);
