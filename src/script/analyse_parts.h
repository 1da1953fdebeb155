// analyse_parts.h - what the two halves of the analysis share: analyse.c looks at files,
// analyse_writes.c at functions that were registered.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "script/analyse.h"
#include "script/bytecode.h"
#include "script/opcodes.h"
#include "script/policy.h"

struct lsig_problem {
    char *file;
    uint32_t line;
    char *text;
};

struct lsig_timer_use {
    char *file;
    uint32_t line;
    char *name;
};

struct lsig_analysis {
    bool works;
    struct lsig_opcodes opcodes;
    struct lsig_map globals;   // names, its own
    struct lsig_map own_after; // files, its own, that make methods called `after`
    struct lsig_problem problems[LSIG_ANALYSIS_TOLD_MAX];
    size_t problem_count; // also those that are not told
    struct lsig_timer_use *timers;
    size_t timer_count;
};

// The same problem in the same place is told once.
void lsig_analysis_add(struct lsig_analysis *analysis,
                       struct lsig_span file,
                       uint32_t line,
                       const char *text);
// Locals that registered functions write and that outlive their call.
void lsig_analysis_check_writes(struct lsig_analysis *analysis, struct lsig_policy *policy);
