// Bundles of this repository pass their own tests, and the one that ships has none that could keep
// a server from starting.
#include "test_scenario_fixture.h"

static void the_stock_policies_pass_their_tests(void **state)
{
    struct fixture *f = *state;
    bool passed =
        lsig_scenario_run(&f->options, LSIG_SOURCE_DIR "/tests/scenario/stock", 60000, &f->report);
    if (!passed) {
        fail_msg("%s", f->report.data);
    }
}

static void the_policy_that_ships_loads(void **state)
{
    struct fixture *f = *state;
    assert_true(lsig_scenario_run(&f->options, LSIG_SOURCE_DIR "/lua", 60000, &f->report));
}

// The server's own script is told by the options that its tests are to be run.
static void a_bundle_whose_tests_fail_is_not_loaded(void **state)
{
    struct fixture *f = *state;
    f->options.run_tests = lsig_scenario_run_tests;
    f->options.test_ms = 60000;
    fixture_write(f, "policy.lua",
                  "local sig = require 'lunasig' sig.test('it', function(t) error 'no' end)");
    struct lsig_script *script = lsig_script_new(&f->options);
    assert_int_not_equal(lsig_script_load(script, &f->report), LSIG_OK);
    assert_reports(f, "policy.lua:1: test \"it\": no\n");
    assert_int_equal(lsig_script_version(script), 0);
    fixture_write(f, "policy.lua", "local sig = require 'lunasig' sig.test('it', function(t) end)");
    lsig_buf_reset(&f->report);
    assert_int_equal(lsig_script_load(script, &f->report), LSIG_OK);
    assert_int_not_equal(lsig_script_version(script), 0);
    assert_int_equal(f->metrics.joins, 0); // what tests do is not counted
    lsig_script_free(script, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(the_stock_policies_pass_their_tests),
        SCENARIO_TEST(the_policy_that_ships_loads),
        SCENARIO_TEST(a_bundle_whose_tests_fail_is_not_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
