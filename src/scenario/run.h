// run.h - runs the tests that a bundle carries (sig.test) when it is loaded; bundle.h runs them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "script/script.h"

// Loads the bundle anew in a machine of its own, with these options but for the loop, the clock and
// what it counts in; settings are the defaults. Runs its tests one after the other, for limit_ms of
// real time in all, but for slow ones. True: all passed, or there are none. False: the report has a
// line beginning "file:line: " for each that failed, each followed by indented lines that explain
// it.
//
// Keeps to the calling thread and to nothing that is shared: what is logged meanwhile goes to the
// report alone.
bool lsig_scenario_run(const struct lsig_script_options *base,
                       const char *policy_dir,
                       int64_t limit_ms,
                       struct lsig_buf *report);
// The same as lsig_script_options.run_tests; self is not looked at.
bool lsig_scenario_run_tests(void *self,
                             const struct lsig_script_options *base,
                             const char *policy_dir,
                             int64_t limit_ms,
                             struct lsig_buf *report);
