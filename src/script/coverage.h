// coverage.h - which lines of the policies' files ran, and which can.
//
// Whoever runs tests has one, names it in the options of its script (struct lsig_script_options),
// and reads it when the script is gone. Several scripts of one thread, without a loop (loads are in
// another thread else), may count in the same one, one after the other or at once: what they load
// under the same real path is one file. Without one nothing is counted, and nothing costs time.
//
// A line counts whenever Lua comes to it: from another line, by a jump back, and by the return from
// a function that it calls, if it goes on behind that. A call that is written over several lines
// comes to its first one twice: at its beginning, and with the call itself. Which machine and which
// coroutine it is in does not matter. A line that is counted takes 60 to 110 ns, so that limits of
// processor time are LSIG_COVERAGE_SLOWER times as long meanwhile (budget.c).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lsig_coverage;
struct lsig_policy;
struct lua_State;

enum {
    LSIG_COVERAGE_FILES_MAX = 10000, // more are not counted
    LSIG_COVERAGE_SLOWER = 20,       // loops of short lines take so much longer at worst
};

struct lsig_coverage_line {
    uint64_t runs;
    bool code;     // it can run
    bool left_out; // of a test's function
};

struct lsig_coverage_file {
    char *name; // as errors name it: "std/chat.lua"
    char *path; // real path
    bool library;
    bool scenario; // it declares tests and nothing else: none of its lines counts
    struct lsig_coverage_line *lines;
    size_t line_count; // of lines[0], which is no line, to the last one that can run
};

struct lsig_coverage *lsig_coverage_new(void);
// No script that has it may be left.
void lsig_coverage_free(struct lsig_coverage *coverage);
// In the order in which they were first loaded; NULL: there are no more.
const struct lsig_coverage_file *lsig_coverage_file(const struct lsig_coverage *coverage,
                                                    size_t number);
// Whether there were more files than are counted.
bool lsig_coverage_is_full(const struct lsig_coverage *coverage);

// --- for the files of script/

// From here on lines are counted in the machine, if the options of the policy say so.
void lsig_coverage_begin(struct lsig_policy *policy);
// The newest of the policy's files is compiled: its function is on top of the stack. Raises
// nothing.
void lsig_coverage_add_file(struct lua_State *L, struct lsig_policy *policy);
// All files have run, or the load has failed: what they declared tells what is of tests.
void lsig_coverage_leave_out_tests(struct lsig_policy *policy);
// Puts the machine's debug hook back to where it counts lines, or to none.
void lsig_coverage_set_hook(struct lua_State *L);

// coverage_lines.c: marks the lines of the compiled file on top of the stack that can run.
struct lsig_opcodes;
void lsig_coverage_find_lines(struct lua_State *L,
                              const struct lsig_opcodes *opcodes, // NULL: not known
                              struct lsig_coverage_file *file);
