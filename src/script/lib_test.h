// lib_test.h - sig.test: tests that travel with a policy, and what their functions can do.
//
// Declared while files are loaded; run one by one by whoever has a port for them (scenario/). A
// test's function runs as a hook of the kind TEST. It has clients that live outside of Lua: what it
// asks of them may run hooks of the same machine, so the function leaves Lua while it is done, and
// goes on with the answer. Without a port, as in a server that runs, test functions never run.
//
// Lua-side documentation: lua/lunasig/_meta/test.lua.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

struct lsig_await;
struct lsig_policy_hook;
struct lsig_script;
struct lsig_settings;
struct lua_State;

enum {
    LSIG_TESTS_MAX = 1000,
    LSIG_TEST_NAME_MAX = 200,              // bytes
    LSIG_TEST_ARGUMENTS_MAX = 1024 * 1024, // bytes of JSON
    LSIG_TEST_ANSWER_MAX = 1024 * 1024,
    LSIG_TEST_CLIENTS_MAX = 1000,
    LSIG_TEST_PROBLEM_SIZE = 256,
    LSIG_TEST_WHERE_SIZE = 80, // with its zero
};

// In a pattern, an object whose first member has this name stands for what cannot be written as a
// value: {"\u0001":"any"}, {"\u0001":"match","pattern":…}, {"\u0001":"capture","name":…},
// {"\u0001":"exactly","value":…}.
#define LSIG_TEST_MATCHER "\001"

// Valid during the call.
struct lsig_test_question {
    const char *operation;      // "joins"
    int client;                 // its number; -1: asked of the test itself
    const char *where;          // "policy.lua:12"
    const char *policy;         // name of the policy that the test is of
    struct lsig_span arguments; // JSON array of what was given
};

struct lsig_test_port {
    void *self;
    // What is answered at once and runs no hook: client (the answer is its number), captured,
    // expects_error, room, state, metric, token. False: *answer is what is wrong, for people.
    bool (*tell)(void *self, const struct lsig_test_question *question, struct lsig_buf *answer);
    // What is done outside of Lua: ends in lsig_lib_test_answer, later.
    void (*ask)(void *self, struct lsig_await *await, const struct lsig_test_question *question);
};

// The answer, as JSON (len 0: none), or why the function fails there. Runs it on, until its next
// question or its end.
void lsig_lib_test_answer(struct lsig_await *await, const char *error, struct lsig_span json);

struct lsig_test {
    const struct lsig_policy_hook *hook; // for struct lsig_hook_event
    const char *name;
    const char *where; // "policy.lua:12"
    bool slow;
    bool is_virtual; // needs virtual time: never over sockets
    bool seeded;
    uint32_t seed;                        // where seeded
    int64_t date_ms;                      // Unix time at which it begins; 0: not said
    const struct lsig_settings *settings; // of its server; NULL: the defaults
};

// Walks the tests of the version in force, in the order of their declaration: *cursor = 0 at first;
// false at the end. Those of the library are left out: they are not this bundle's.
bool lsig_lib_test_next(const struct lsig_script *script, size_t *cursor, struct lsig_test *test);
// Before each test: what is random in the version in force goes by the seed from here on.
void lsig_lib_test_seed(struct lsig_script *script, uint32_t seed);
// Ends all hooks that are suspended in the version in force, also a test's function.
void lsig_lib_test_end_waits(struct lsig_script *script);
// The same for all but a test's function.
void lsig_lib_test_end_hooks(struct lsig_script *script);
// Whether the text has a part that matches the pattern (pattern.h), from outside of any hook.
// False with problem not "": the pattern is none.
bool lsig_lib_test_finds(struct lsig_script *script,
                         struct lsig_span text,
                         struct lsig_span pattern,
                         char problem[LSIG_TEST_PROBLEM_SIZE]);
void lsig_lib_test_register(
    struct lua_State *L); // adds `test` to the table on top of the stack; raises
