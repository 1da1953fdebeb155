// bundle.h - a bundle of policies in a machine of its own, and the tests that it carries
// (sig.test), run one by one, each in a world of its own.
//
// Keeps to the calling thread and to nothing that is shared: what is logged while a bundle is open
// goes to the results alone.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "script/lib_test.h"
#include "script/script.h"

struct lsig_bundle;
struct lsig_real;

struct lsig_bundle_options {
    const struct lsig_script_options *script; // all but the loop, the clock and what it counts in
    const char *folder; // of the bundle, in place of what that names; with the other texts it
                        // outlives the bundle, which loads itself again for other nodes
    const struct lsig_real *real; // the running server to test, with the same policies; NULL: none
};

// How one test is run.
struct lsig_bundle_run {
    uint32_t seed;    // unless the test has one of its own
    int64_t end_us;   // real time, of the monotonic clock: it is stopped then
    const char *late; // and says this
};

enum lsig_bundle_verdict { LSIG_BUNDLE_PASSED, LSIG_BUNDLE_FAILED, LSIG_BUNDLE_SKIPPED };

struct lsig_bundle_result {
    enum lsig_bundle_verdict verdict;
    char name[LSIG_TEST_NAME_MAX + 1];
    char declared[LSIG_TEST_WHERE_SIZE]; // "policy.lua:12": the test
    char where[LSIG_TEST_WHERE_SIZE];    // the same, of what failed
    struct lsig_buf text;                // why it failed or was skipped, in one line
    struct lsig_buf details;             // of a failure: indented lines
    uint32_t seed;
    int64_t real_us;    // how long it took
    int64_t virtual_ms; // how much time passed in it
    bool late;          // it was stopped
};

// Loads it. NULL: the report says why not, with file:line.
struct lsig_bundle *lsig_bundle_open(const struct lsig_bundle_options *options,
                                     struct lsig_buf *report);
void lsig_bundle_close(struct lsig_bundle *bundle);
// Walks the tests as lsig_lib_test_next does. A test is good until one is run: the machine may be
// replaced meanwhile.
bool lsig_bundle_next(struct lsig_bundle *bundle, size_t *cursor, struct lsig_test *test);
// Runs one to its end, also if it is slow. The result has been initialized and is emptied first.
void lsig_bundle_run(struct lsig_bundle *bundle,
                     const struct lsig_test *test,
                     const struct lsig_bundle_run *how,
                     struct lsig_bundle_result *result);
// The same for one that is not run.
void lsig_bundle_skip(const struct lsig_test *test,
                      const char *reason,
                      struct lsig_bundle_result *result);

void lsig_bundle_result_init(struct lsig_bundle_result *result);
void lsig_bundle_result_clear(struct lsig_bundle_result *result);
// Of a failure, for people: WHERE: test "NAME": TEXT, and the indented lines.
void lsig_bundle_result_print(const struct lsig_bundle_result *result, struct lsig_buf *out);
