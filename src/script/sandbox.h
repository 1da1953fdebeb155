// sandbox.h - what a policy can reach: an allow-list, read-only.
//
// The functions of Lua's own libraries are taken over one by one; what is not listed is not there.
// Where one call in C could run for long, it is replaced by a bounded one (lib_string.c,
// lib_table.c, lib_coroutine.c). Policies get the list through proxies, so that a global that is
// assigned by mistake is an error that says so.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct lua_State;

enum {
    LSIG_SANDBOX_TEXT_MAX = 1024 * 1024
}; // bytes that one call of the string and table libraries makes or reads

// Opens the environment in a fresh state and leaves its proxy on the stack. `print` and `require`
// are missing yet: see set. Raises.
void lsig_sandbox_open(struct lua_State *L);
// Adds the function on top of the stack (which is popped) to the environment as `name`. Raises.
void lsig_sandbox_set(struct lua_State *L, const char *name);
// Why policies do not have a global of Lua's, for messages: "it reaches into the memory of the
// server". NULL: for no reason of its own.
const char *lsig_sandbox_why_absent(const char *name);
// Leaves the environment's proxy on the stack: the environment of every chunk.
void lsig_sandbox_push(struct lua_State *L);
// Replaces the table on top of the stack by a read-only proxy of it. `what` names it in messages:
// "table", "sig". Reading a name that it does not have is an error that names the nearest. Raises.
void lsig_sandbox_protect(struct lua_State *L, const char *what);
// Some names of a table, and who is told when one is read, before it is given: then level 1 is the
// reader. Lives for ever.
struct lsig_sandbox_watch {
    const char *const *names;
    size_t count;
    void (*on_read)(struct lua_State *L);
};
// The same for a table whose names are watched, which costs nothing where others are read. Raises.
void lsig_sandbox_protect_watched(struct lua_State *L,
                                  const char *what,
                                  const struct lsig_sandbox_watch *watch);
// What math.random gives from here on. Raises.
void lsig_sandbox_seed(struct lua_State *L, uint32_t seed);
