// test_options.h - what a test wants of its server: sig.test(name, { … }, fn).
//
// Lua-side documentation: lua/lunasig/_meta/test.lua.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct lsig_settings;
struct lua_State;

enum { LSIG_TEST_SETTINGS_MAX = 32 }; // of one test

struct lsig_test_options {
    bool slow;
    bool is_virtual; // needs virtual time: never over sockets
    bool seeded;
    uint32_t seed;                  // where seeded
    int64_t date_ms;                // Unix time at which it begins; 0: not said
    struct lsig_settings *settings; // the defaults but for what was written; NULL: not said
};

// The table at that absolute index; `what` is for messages: `sig.test "name"`.
// The caller frees. Raises what is wrong with it, and then leaves nothing to be freed.
struct lsig_test_options *lsig_test_options_read(struct lua_State *L, int table, const char *what);
void lsig_test_options_free(struct lsig_test_options *options); // NULL is fine
