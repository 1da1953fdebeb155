// await_options.h - options of functions that wait: read without raising (await.h).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lua_State;

// False, with (false, text) on the stack: the value at index is neither nil nor a table with only
// these names (NULL ends them).
bool lsig_await_check_options(struct lua_State *L,
                              const char *function,
                              int index,
                              const char *const *known);
// Leaves the option, or nil, on top of the stack; its index.
int lsig_await_push_option(struct lua_State *L, int index, const char *name);
// The option ttl: when what is written at now_ms expires; 0 without one. False as above.
bool lsig_await_read_ttl(
    struct lua_State *L, const char *function, int index, int64_t now_ms, int64_t *expires_ms);
