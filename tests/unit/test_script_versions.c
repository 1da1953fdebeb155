#include "test_script_versions_fixture.h"

static void a_loaded_version_waits_until_it_is_used(void **state)
{
    struct fixture *f = *state;
    begin(f);
    assert_int_equal(reload(f, SAYS("ONE")).version, 1);
    struct outcome outcome = load(f, SAYS("TWO"));
    assert_int_equal(outcome.status, LSIG_OK);
    assert_int_equal(outcome.version, 2);
    assert_int_equal(outcome.in_force, 1);
    assert_string_equal(code_of(f), "ONE");
    expect_list(f, "1 in force, 2 ready");
    assert_int_equal(use(f, 2), LSIG_OK);
    assert_string_equal(code_of(f), "TWO");
    assert_int_equal(lsig_script_version(f->script), 2);
    assert_int_equal(f->metrics.policy_version, 2);
    expect_list(f, "1 warm, 2 in force");
    assert_int_equal(use(f, 2), LSIG_OK);
    assert_int_equal(use(f, 3), LSIG_NOT_FOUND);
    assert_string_equal(f->report.data, "there is no version 3\n");
}

static void a_refused_version_has_no_number_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    begin(f);
    reload(f, SAYS("ONE"));
    struct outcome outcome = load(f, TYPES "\nlocal x = = 1");
    assert_int_equal(outcome.status, LSIG_INVALID_MESSAGE);
    assert_int_equal(outcome.version, 0);
    assert_int_equal(outcome.in_force, 1);
    assert_non_null(strstr(outcome.report, "policy.lua:2: "));
    assert_int_equal(load(f, SAYS("TWO")).version, 2);
    expect_list(f, "1 in force, 2 ready");
}

static void rollback_goes_back_one_version_at_a_time(void **state)
{
    struct fixture *f = *state;
    begin(f);
    assert_int_equal(rollback(f), LSIG_NOT_FOUND);
    reload(f, SAYS("ONE"));
    assert_int_equal(rollback(f), LSIG_NOT_FOUND);
    reload(f, SAYS("TWO"));
    load(f, SAYS("NEVER"));
    reload(f, SAYS("FOUR"));
    assert_int_equal(rollback(f), LSIG_OK);
    assert_string_equal(code_of(f), "TWO");
    assert_int_equal(rollback(f), LSIG_OK);
    assert_string_equal(code_of(f), "ONE");
    assert_int_equal(rollback(f), LSIG_NOT_FOUND);
    assert_string_equal(code_of(f), "ONE");
    expect_list(f, "1 in force, 2 warm, 3 ready, 4 warm");
    assert_int_equal(use(f, 4), LSIG_OK);
    assert_int_equal(rollback(f), LSIG_OK);
    assert_string_equal(code_of(f), "ONE");
}

static void rollback_passes_over_what_is_gone(void **state)
{
    struct fixture *f = *state;
    begin(f);
    reload(f, SAYS("ONE"));
    reload(f, SAYS("TWO"));
    reload(f, SAYS("THREE"));
    assert_int_equal(discard(f, 2), LSIG_OK);
    assert_int_equal(rollback(f), LSIG_OK);
    assert_string_equal(code_of(f), "ONE");
    settle(f);
}

static void what_is_in_force_is_not_discarded(void **state)
{
    struct fixture *f = *state;
    begin(f);
    reload(f, SAYS("ONE"));
    load(f, SAYS("TWO"));
    assert_int_equal(discard(f, 1), LSIG_EXISTS);
    assert_string_equal(f->report.data, "version 1 is in force\n");
    assert_int_equal(discard(f, 2), LSIG_OK);
    assert_int_equal(discard(f, 2), LSIG_NOT_FOUND);
    assert_int_equal(use(f, 2), LSIG_NOT_FOUND);
    assert_string_equal(code_of(f), "ONE");
}

static void a_discarded_version_drains_until_its_last_hook_has_ended(void **state)
{
    struct fixture *f = *state;
    struct ending end = {0};
    begin(f);
    reload(f, TYPES "sig.on('message', function() sig.sleep('300ms') return sig.deny('OLD') end)");
    assert_int_equal(fixture_message(f, TALK, fixture_on_done, &end), LSIG_WAITING);
    reload(f, SAYS("NEW"));
    assert_int_equal(list(f).views[0].suspended, 1);
    assert_int_equal(discard(f, 1), LSIG_OK);
    settle(f);
    expect_list(f, "1 draining, 2 in force");
    assert_int_equal(list(f).views[0].suspended, 1);
    fixture_wait_for(f, &end.calls, 1);
    assert_string_equal(end.code, "OLD");
    wait_until_listed(f, "2 in force");
}

static void a_hook_ends_in_its_own_version_over_a_swap_and_back(void **state)
{
    struct fixture *f = *state;
    struct ending ends[2] = {{0}};
    struct lsig_envelope envelopes[2];
    begin(f);
    reload(f, TYPES "local n = { 0 } sig.on('message', function() n[1] = n[1] + 1 local own = n[1] "
                    "sig.sleep('200ms') return sig.deny('OWN' .. own .. '_' .. n[1]) end)");
    assert_int_equal(fixture_message_to(f, &envelopes[0], TALK, fixture_on_done, &ends[0]),
                     LSIG_WAITING);
    reload(f, SAYS("NEW"));
    assert_string_equal(code_of(f), "NEW");
    assert_int_equal(rollback(f), LSIG_OK);
    assert_int_equal(fixture_message_to(f, &envelopes[1], TALK, fixture_on_done, &ends[1]),
                     LSIG_WAITING);
    fixture_wait_for(f, &ends[0].calls, 1);
    fixture_wait_for(f, &ends[1].calls, 1);
    assert_string_equal(ends[0].code, "OWN1_2");
    assert_string_equal(ends[1].code, "OWN2_2");
}

static void the_one_that_was_used_least_lately_is_dropped_when_there_are_too_many(void **state)
{
    struct fixture *f = *state;
    f->options.versions_kept = 2;
    begin(f);
    reload(f, SAYS("ONE"));
    reload(f, SAYS("TWO"));
    reload(f, SAYS("THREE"));
    expect_list(f, "1 warm, 2 warm, 3 in force");
    assert_int_equal(use(f, 1), LSIG_OK);
    reload(f, SAYS("FOUR"));
    wait_until_listed(f, "1 warm, 3 warm, 4 in force");
    load(f, SAYS("FIVE"));
    wait_until_listed(f, "1 warm, 4 in force, 5 ready");
}

static void a_load_says_whether_the_files_are_those_in_force(void **state)
{
    struct fixture *f = *state;
    begin(f);
    assert_false(reload(f, SAYS("ONE")).unchanged);
    assert_true(reload(f, SAYS("ONE")).unchanged);
    assert_false(reload(f, SAYS("TWO")).unchanged);
    struct listing listing = list(f);
    assert_string_equal(listing.views[0].digest, listing.views[1].digest);
    assert_string_not_equal(listing.views[1].digest, listing.views[2].digest);
    assert_int_equal(strlen(listing.views[0].digest), 64);
    assert_int_equal(listing.views[2].types, 1);
    assert_int_equal(listing.views[2].hooks, 1);
    assert_int_equal(listing.views[2].files, 1);
}

static void only_folders_in_the_policys_own_are_loaded(void **state)
{
    struct fixture *f = *state;
    char path[256];
    char link[256];
    begin(f);
    reload(f, SAYS("ONE"));
    fixture_write(f, f->folder, "sub/policy.lua", SAYS("SUB"));
    fixture_write(f, f->library, "policy.lua", SAYS("OUT"));
    snprintf(link, sizeof(link), "%s/link", f->folder);
    assert_int_equal(symlink(f->library, link), 0);
    snprintf(path, sizeof(path), "%s/sub", f->folder);
    assert_int_equal(load_from(f, "sub", false).status, LSIG_OK);
    assert_int_equal(load_from(f, path, false).status, LSIG_OK);
    assert_int_equal(use(f, 3), LSIG_OK);
    assert_string_equal(code_of(f), "SUB");
    assert_string_equal(list(f).views[2].folder, path);
    const char *const outside[] = {"link", "..", "sub/../..", f->library, "/"};
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        struct outcome outcome = load_from(f, outside[i], false);
        assert_int_equal(outcome.status, LSIG_INVALID_MESSAGE);
        assert_non_null(strstr(outcome.report, "lies outside of POLICY_DIR"));
    }
    // A folder whose name only begins alike.
    char alike[100];
    snprintf(alike, sizeof(alike), "%s_alike", f->folder);
    fixture_write(f, alike, "policy.lua", SAYS("OUT"));
    assert_non_null(strstr(load_from(f, alike, false).report, "lies outside"));
    char command[160];
    snprintf(command, sizeof(command), "rm -rf %s", alike);
    assert_int_equal(system(command), 0);
    assert_non_null(strstr(load_from(f, "nothing", false).report, "No such file"));
}

static bool refuse_tests(void *self,
                         const struct lsig_script_options *options,
                         const char *policy_dir,
                         int64_t limit_ms,
                         struct lsig_buf *report)
{
    int *calls = self;
    ++*calls;
    assert_non_null(options);
    assert_int_equal(limit_ms, 5000);
    lsig_buf_append_format(report, "policy.lua:7: test \"x\" failed%s\n",
                           strstr(policy_dir, "/tmp/") != NULL ? "" : " oddly");
    return false;
}

static void a_bundle_whose_tests_fail_is_not_loaded(void **state)
{
    struct fixture *f = *state;
    int calls = 0;
    begin(f);
    reload(f, SAYS("ONE"));
    lsig_script_free(f->script, NULL, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    f->options.run_tests = refuse_tests;
    f->options.run_tests_self = &calls;
    f->options.test_ms = 5000;
    f->script = lsig_script_new(&f->options);
    struct outcome outcome = load(f, SAYS("TWO"));
    assert_int_equal(outcome.status, LSIG_INVALID_MESSAGE);
    assert_string_equal(outcome.report, "policy.lua:7: test \"x\" failed\n");
    assert_int_equal(calls, 1);
    outcome = load_from(f, NULL, true);
    assert_int_equal(outcome.status, LSIG_OK);
    assert_true(outcome.tests_skipped);
    assert_true(list(f).views[0].tests_skipped);
    assert_int_equal(calls, 1);
    assert_int_not_equal(fixture_load(f, SAYS("THREE")), LSIG_OK);
    assert_int_equal(calls, 2);
}

static void without_a_loop_everything_is_done_at_once(void **state)
{
    struct fixture *f = *state;
    struct outcome outcome = {0};
    begin(f);
    lsig_script_free(f->script, NULL, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    f->options.loop = NULL;
    f->options.versions_kept = 1;
    f->script = lsig_script_new(&f->options);
    fixture_write(f, f->folder, "policy.lua", SAYS("ONE"));
    lsig_script_reload(f->script, note_outcome, &outcome);
    assert_int_equal(outcome.calls, 1);
    assert_string_equal(code_of(f), "ONE");
    for (int i = 0; i < 3; i++) {
        fixture_write(f, f->folder, "policy.lua", SAYS("TWO"));
        assert_int_equal(lsig_script_load_version(f->script, NULL, false, note_outcome, &outcome),
                         LSIG_OK);
        assert_int_equal(use(f, outcome.version), LSIG_OK);
        assert_string_equal(code_of(f), "TWO");
    }
    expect_list(f, "1 draining, 2 draining, 3 warm, 4 in force");
    lsig_script_tick(f->script, 0);
    expect_list(f, "3 warm, 4 in force");
    f->freed = false;
    lsig_script_free(f->script, fixture_on_freed, f);
    assert_true(f->freed);
    f->freed = false;
    f->options.loop = &f->loop;
    f->script = lsig_script_new(&f->options);
}

static void who_has_gone_is_not_told_of_a_load(void **state)
{
    struct fixture *f = *state;
    struct outcome gone = {0};
    struct outcome there = {0};
    begin(f);
    fixture_write(f, f->folder, "policy.lua", SAYS("ONE"));
    lsig_script_reload(f->script, note_outcome, &gone);
    lsig_script_reload(f->script, note_outcome, &gone);
    lsig_script_reload(f->script, note_outcome, &there);
    lsig_script_forget(f->script, &gone);
    fixture_wait_for(f, &there.calls, 1);
    assert_int_equal(gone.calls, 0);
}

static void too_many_loads_are_refused(void **state)
{
    struct fixture *f = *state;
    struct outcome outcome = {0};
    int accepted = 0;
    begin(f);
    fixture_write(f, f->folder, "policy.lua", SAYS("ONE"));
    while (lsig_script_load_version(f->script, NULL, false, note_outcome, &outcome) == LSIG_OK) {
        accepted++;
        assert_true(accepted < 100);
    }
    assert_int_equal(accepted, 17); // one runs, sixteen wait
    fixture_wait_for(f, &outcome.calls, accepted);
}

static void rate_windows_survive_a_rollback(void **state)
{
    struct fixture *f = *state;
    begin(f);
    reload(f, TYPES "sig.type.extend 'talk' { rate = { '1/s per user', '2/s per room' } }");
    uint16_t user = lsig_script_rule(f->script, lsig_span_of("talk"))->rates[0].slot;
    uint16_t room = lsig_script_rule(f->script, lsig_span_of("talk"))->rates[1].slot;
    reload(f, TYPES
           "sig.type 'other' { rate = '1/s' } sig.type.extend 'talk' { rate = '2/s per room' }");
    assert_int_equal(lsig_script_rule(f->script, lsig_span_of("talk"))->rates[0].slot, room);
    assert_int_equal(rollback(f), LSIG_OK);
    assert_int_equal(lsig_script_rule(f->script, lsig_span_of("talk"))->rates[0].slot, user);
    assert_int_equal(lsig_script_rule(f->script, lsig_span_of("talk"))->rates[1].slot, room);
}

static void
a_version_that_cannot_take_up_the_state_is_refused_unless_it_may_be_dropped(void **state)
{
    struct fixture *f = *state;
    begin(f);
    reload(f, TYPES "sig.room_state { version = 1, hands = sig.set { max = 5 } }");
    reload(f, TYPES "sig.room_state { version = 2, hands = sig.set { max = 5 }, "
                    "migrate = { [1] = { up = function(old) return old end } } }");
    assert_int_equal(lsig_script_version(f->script), 2);
    assert_int_equal(rollback(f), LSIG_POLICY_DENIED);
    assert_non_null(strstr(f->report.data, "migrate[1].down"));
    assert_int_equal(use(f, 1), LSIG_POLICY_DENIED);
    assert_int_equal(lsig_script_version(f->script), 2);
    assert_int_equal(lsig_script_rollback(f->script, true, &f->report), LSIG_OK);
    assert_int_equal(lsig_script_version(f->script), 1);
}

static void the_script_can_be_freed_with_hooks_suspended_in_many_versions(void **state)
{
    struct fixture *f = *state;
    struct ending end = {0};
    struct lsig_envelope envelopes[6];
    begin(f);
    for (int i = 0; i < 6; i++) {
        reload(f, TYPES "sig.on('message', function() sig.sleep(1) end)");
        assert_int_equal(fixture_message_to(f, &envelopes[i], TALK, fixture_on_done, &end),
                         LSIG_WAITING);
    }
    expect_list(f, "1 draining, 2 warm, 3 warm, 4 warm, 5 warm, 6 in force");
    lsig_script_free(f->script, NULL, NULL);
    assert_int_equal(end.calls, 6);
    assert_int_equal(end.status, LSIG_DRAINING);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    f->script = lsig_script_new(&f->options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_loaded_version_waits_until_it_is_used),
        FIXTURE_TEST(a_refused_version_has_no_number_and_changes_nothing),
        FIXTURE_TEST(rollback_goes_back_one_version_at_a_time),
        FIXTURE_TEST(rollback_passes_over_what_is_gone),
        FIXTURE_TEST(what_is_in_force_is_not_discarded),
        FIXTURE_TEST(a_discarded_version_drains_until_its_last_hook_has_ended),
        FIXTURE_TEST(a_hook_ends_in_its_own_version_over_a_swap_and_back),
        FIXTURE_TEST(the_one_that_was_used_least_lately_is_dropped_when_there_are_too_many),
        FIXTURE_TEST(a_load_says_whether_the_files_are_those_in_force),
        FIXTURE_TEST(only_folders_in_the_policys_own_are_loaded),
        FIXTURE_TEST(a_bundle_whose_tests_fail_is_not_loaded),
        FIXTURE_TEST(without_a_loop_everything_is_done_at_once),
        FIXTURE_TEST(who_has_gone_is_not_told_of_a_load),
        FIXTURE_TEST(too_many_loads_are_refused),
        FIXTURE_TEST(rate_windows_survive_a_rollback),
        FIXTURE_TEST(a_version_that_cannot_take_up_the_state_is_refused_unless_it_may_be_dropped),
        FIXTURE_TEST(the_script_can_be_freed_with_hooks_suspended_in_many_versions),
    };
    return cmocka_run_group_tests_name("script/versions", tests, NULL, NULL);
}
