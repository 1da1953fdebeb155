// failure.h - what a hook that failed leaves: a line in the log, a count, and a state that works
// again.
#pragma once

#include <stdbool.h>

#include "codec/refusal.h"

struct lsig_member;
struct lsig_policy;
struct lsig_policy_hook;
struct lsig_room;
struct lua_State;

enum { LSIG_FAILURE_TEXT_SIZE = 400, LSIG_FAILURE_TRACE_SIZE = 1024 };

struct lsig_failure {
    const struct lsig_policy_hook *hook;
    const struct lsig_room *room;      // NULL: of none
    const struct lsig_member *member;  // NULL: of none
    bool cpu;                          // stopped for its processor time
    bool memory;                       // the state's memory was used up
    char text[LSIG_FAILURE_TEXT_SIZE]; // one line, with file:line
    char trace[LSIG_FAILURE_TRACE_SIZE];
};

// Reads what the coroutine ended with (an error on top of its stack, or `cpu`) and its traceback.
void lsig_failure_read(struct lsig_failure *failure,
                       struct lsig_policy *policy,
                       struct lua_State *co);
// The file:line that the text begins with, else that of the hook.
void lsig_failure_print_where(const struct lsig_failure *failure,
                              char out[LSIG_REFUSAL_WHERE_SIZE]);
void lsig_failure_log(const struct lsig_failure *failure,
                      struct lsig_policy *policy); // and counts it
// Collects garbage after memory ran out, so that the next hook finds room.
void lsig_failure_recover(const struct lsig_failure *failure, struct lsig_policy *policy);
