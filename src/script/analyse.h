// analyse.h - mistakes in the files of a bundle that Lua itself would find too late or never, found
// in the compiled code when the bundle is loaded:
//
// - a global that the sandbox does not have, read or written anywhere in a file, also in functions
//   that nobody calls;
// - a local outside of a hook, route or step of migrate that is written from inside of it, or from
// a
//   function that it reaches: the next reload would lose what it holds;
// - room:after with a name that no hook handles.
//
// Functions reach others by their upvalues, by functions inside of them, and by fields of tables in
// their upvalues that they name. Where the Lua library's code is of a form that is not known here
// (opcodes.h), the log says so and nothing is found.
#pragma once

#include <stdbool.h>

struct lsig_analysis;
struct lsig_buf;
struct lsig_policy;
struct lua_State;

enum { LSIG_ANALYSIS_TOLD_MAX = 20 }; // problems of one load; of the others the number is told

// Looks at the function that a file was compiled to, which is on top of the stack and stays there.
// Raises only where there is no memory; what it holds is the policy's then.
void lsig_analyse_file(struct lua_State *L, struct lsig_policy *policy);
// After all files ran: what only the whole tells.
void lsig_analyse_whole(struct lsig_policy *policy);
// Appends a line for each problem; false: there were some.
bool lsig_analyse_report(const struct lsig_policy *policy, struct lsig_buf *report);
// Whether a message that begins with "FILE:LINE:" is about a place that is told already.
bool lsig_analyse_tells(const struct lsig_policy *policy, const char *message);
void lsig_analyse_free(struct lsig_policy *policy);
