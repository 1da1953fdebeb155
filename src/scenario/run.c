#include "scenario/run.h"

#include <stdio.h>

#include "base/clock.h"
#include "scenario/bundle.h"

enum { SEED = 1, TESTS_TOLD_MAX = 20 };

static void run_all(struct lsig_bundle *bundle,
                    const struct lsig_bundle_run *how,
                    size_t *failed,
                    struct lsig_buf *report)
{
    struct lsig_test test;
    struct lsig_bundle_result result;
    size_t cursor = 0;
    size_t left = 0;
    bool late = false;
    lsig_bundle_result_init(&result);
    while (lsig_bundle_next(bundle, &cursor, &test)) {
        if (late) {
            left++;
            continue;
        }
        if (test.slow) {
            continue;
        }
        lsig_bundle_run(bundle, &test, how, &result);
        late = result.late;
        *failed += result.verdict == LSIG_BUNDLE_FAILED;
        if (result.verdict == LSIG_BUNDLE_FAILED && *failed <= TESTS_TOLD_MAX) {
            lsig_bundle_result_print(&result, report);
        }
    }
    lsig_bundle_result_clear(&result);
    if (left > 0) {
        lsig_buf_append_format(report, "    %zu tests behind it were not run\n", left);
    }
    if (*failed > TESTS_TOLD_MAX) {
        lsig_buf_append_format(report, "    %zu more tests failed\n", *failed - TESTS_TOLD_MAX);
    }
}

bool lsig_scenario_run(const struct lsig_script_options *base,
                       const char *policy_dir,
                       int64_t limit_ms,
                       struct lsig_buf *report)
{
    char late[200];
    struct lsig_bundle_options options = {.script = base, .folder = policy_dir};
    snprintf(late, sizeof(late),
             "stopped here: the tests of a bundle may take %lld ms together (POLICY_TEST_S)",
             (long long)limit_ms);
    struct lsig_bundle_run how = {
        .seed = SEED,
        .end_us = lsig_clock_mono_us() + limit_ms * 1000,
        .late = late,
    };
    struct lsig_bundle *bundle = lsig_bundle_open(&options, report);
    if (bundle == NULL) {
        return false;
    }
    size_t failed = 0;
    run_all(bundle, &how, &failed, report);
    lsig_bundle_close(bundle);
    return failed == 0;
}

bool lsig_scenario_run_tests(void *self,
                             const struct lsig_script_options *base,
                             const char *policy_dir,
                             int64_t limit_ms,
                             struct lsig_buf *report)
{
    (void)self;
    return lsig_scenario_run(base, policy_dir, limit_ms, report);
}
