// pattern.h - Lua's patterns (Lua 5.1 reference manual, section 5.4.1), counting their steps.
//
// A pattern can backtrack for hours in one call that no debug hook interrupts. This matcher finds
// what LuaJIT's own finds, raises the same errors, and gives up after LSIG_PATTERN_STEPS_MAX steps;
// on the way it looks at the processor budget. A step is one item of the pattern tried at one place
// of the text; a set costs as many more as it has bytes.
//
// As in Lua 5.1 a pattern ends at its first zero byte, and nothing is checked before it is reached:
// "a[" is an error only where the text has an "a".
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

struct lua_State;

enum {
    LSIG_PATTERN_STEPS_MAX = 4000000, // of one call: some 20 ms
    LSIG_PATTERN_CAPTURES_MAX = 32,
    LSIG_PATTERN_DEPTH_MAX = 200, // captures and repetitions within each other (LuaJIT's own bound)
};

// The work of one call of a function that Lua calls. Text and pattern are held by L's stack.
struct lsig_pattern {
    struct lua_State *L;
    const char *function; // for messages: "string.find"
    const char *text;
    const char *text_end;
    const char *pattern; // behind its anchor
    const char *pattern_end;
    bool anchored; // it began with ^ (not if `anchors` was false at init)
    int steps;     // that were looked at: those of finished rounds
    int left;      // steps until it is looked at again
    int depth;
    int level; // captures that are open or closed
    struct {
        const char *start;
        ptrdiff_t len; // or one of two negative marks
    } captures[LSIG_PATTERN_CAPTURES_MAX];
};

// anchors: a ^ in front is an anchor, and not a byte like others.
void lsig_pattern_init(struct lsig_pattern *pattern,
                       struct lua_State *L,
                       const char *function,
                       struct lsig_span text,
                       struct lsig_span source,
                       bool anchors);
// Matches at `at`, which is in the text or its end. Returns the end of the match, or NULL. Raises
// where the pattern is malformed or the steps or the budget are used up.
const char *lsig_pattern_match(struct lsig_pattern *pattern, const char *at);
// Pushes what the last match from start to end captured, or all of it when it has no captures, and
// returns how many values. `whole` false: nothing instead of all of it. Raises.
int lsig_pattern_push_captures(struct lsig_pattern *pattern,
                               const char *start,
                               const char *end,
                               bool whole);
// Pushes one of them, counted from 0. Raises when there is no such capture.
void lsig_pattern_push_capture(struct lsig_pattern *pattern,
                               int index,
                               const char *start,
                               const char *end);
// Whether the text has a byte that means more than itself, as string.find asks.
bool lsig_pattern_is_special(struct lsig_span source);
