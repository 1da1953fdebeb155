// A test that fails says where, what it wanted, and what happened before.
#include "test_scenario_fixture.h"

#define TWO "local ann, bob = t:client 'ann', t:client 'bob'\nann:joins 'r1' bob:joins 'r1'\n"

// The report without what differs each time: peer ids and so on, the rest of long lines.
static void a_failure_has_the_line_the_difference_and_what_happened(void **state)
{
    struct fixture *f = *state;
    fixture_fails(f,
                  "sig.test('one', function(t)\n" TWO "ann:sends('say', { n = 1 })\n"
                  "t:advance '1500ms'\n"
                  "bob:receives('say', { n = 2 })\n"
                  "end)",
                  "policy.lua:7: test \"one\": bob:receives: nothing like this came: "
                  "{\"type\":\"say\",\"payload\":{\"n\":2}}\n"
                  "    nearest: say: payload.n is 1, not 2\n"
                  "    unread: say\n"
                  "    what happened, in virtual time:\n"
                  "       0.000 s  ann -> joins r1\n"
                  "       0.000 s  ann <- room-state ann (host)\n");
    assert_reports(f, "       0.000 s  ann -> say {\"n\":1}\n"
                      "       0.000 s  bob <- say {\"n\":1}\n"
                      "       0.000 s  -- 1.500 s pass --\n"
                      "    seed 1\n");
}

static void the_line_of_the_policy_that_refused_is_told(void **state)
{
    struct fixture *f = *state;
    fixture_fails(f,
                  "sig.on('message:say', function()\nreturn sig.deny('NO', 'not now')\nend)\n"
                  "sig.test('one', function(t)\n" TWO "ann:sends('say', { n = 1 })\n"
                  "bob:receives 'say'\n"
                  "end)",
                  "policy.lua:9: test \"one\": bob:receives: nothing like this came: ");
    assert_reports(f, "       0.000 s  ann -> say {\"n\":1}\n"
                      "       0.000 s  policy.lua:3 refuses ann say: NO\n"
                      "       0.000 s  ann <- error {\"code\":\"NO\",\"message\":\"not now\"");
}

// A hook may have the name of a test: its failures are its own.
static void a_hook_with_the_name_of_the_test_fails_it(void **state)
{
    fixture_fails(*state,
                  "sig.on('leave', function()\nerror 'boom'\nend)\n"
                  "sig.test('leave', function(t) local ann = t:client 'ann' "
                  "ann:joins 'r1' ann:leaves() end)",
                  "policy.lua:3: test \"leave\": the hook \"leave\" failed: policy.lua:3: boom");
}

static void options_in_place_of_a_payload_are_no_payload(void **state)
{
    fixture_fails_test(*state, TWO "bob:receives_nothing('say', { within = '5s' })",
                       "bob:receives_nothing: this stands for a payload: write { type = ");
    fixture_fails_test(*state, TWO "bob:receives_nothing('say', {}, '5s')",
                       "bob:receives_nothing: options are a table: { within = \"5s\" }");
    fixture_fails_test(*state, TWO "bob:receives_nothing('say', {}, { wthin = '5s' })",
                       "there is no 'wthin'; did you mean 'within'?");
    fixture_fails_test(*state, "t:client { claims = { 'a' } }",
                       "client: claims are a table of names: { plan = \"pro\" }");
}

static void patterns_are_shown_as_they_were_written(void **state)
{
    fixture_fails_test(*state,
                       TWO "bob:receives('say', { a = t.match '^x', b = { t.exactly {}, t.any } })",
                       "t.match \"^x\"");
    fixture_fails_test(*state, TWO "bob:receives('say', { b = { t.exactly {}, t.any } })",
                       "{\"b\":[t.exactly {},t.any]}");
}

static void only_the_last_frames_are_told(void **state)
{
    struct fixture *f = *state;
    fixture_fails_test(f,
                       TWO "for i = 1, 30 do ann:sends('say', { n = i, long = ('x'):rep(500) }) "
                           "end bob:receives 'whisper'",
                       "earlier ones are left out)\n");
    size_t lines = 0;
    for (const char *at = f->report.data; *at != '\0'; lines++) {
        size_t len = strcspn(at, "\n");
        assert_true(len < 200);
        at += len + (at[len] == '\n');
    }
    assert_in_range(lines, 20, 26);
}

static void the_code_of_the_test_itself_may_fail(void **state)
{
    fixture_fails(*state, "sig.test('it', function(t)\nlocal x = nil + 1\nend)",
                  "policy.lua:3: test \"it\": attempt to perform arithmetic on a nil value\n");
    fixture_fails(*state, "sig.test('it', function(t)\nassert(false, 'no')\nend)",
                  "test \"it\": no\n");
}

static void a_wrong_call_says_what_to_write(void **state)
{
    fixture_fails_test(*state, "t:client { usr = 'ann' }",
                       "client: there is no 'usr'; did you mean 'user'?");
    fixture_fails_test(*state, "t.advance '1s'", "advance: is there a `:` before its name?");
    fixture_fails_test(*state, "t:advance '1 parsec'", "advance: write a time like \"100ms\"");
    fixture_fails_test(*state, "t:client('ann'):sends('say', {})",
                       "ann:sends: it has not joined a room yet");
    fixture_fails_test(*state, "t:client('ann'):joins 'no room'",
                       "ann:joins: a room is a text of 1 to 100 letters, digits, - and _");
    fixture_fails_test(*state, "t:client { dialect = 'v2' }",
                       "client: dialect is \"lunasig.v1\" or \"compat\"");
    fixture_fails_test(*state, TWO "ann:sends { typ = 'say' }",
                       "ann:sends: there is no 'typ'; did you mean 'type'?");
    fixture_fails_test(*state, TWO "ann:sends('say', { f = print })",
                       "sends: a value is neither text, number, boolean nor table");
    fixture_fails_test(*state, TWO "ann:joins 'r2'", "it is in \"r1\" already");
}

static void tests_are_declared_while_files_load_each_name_once(void **state)
{
    fixture_fails(*state, "sig.test('it', function(t) end)\nsig.test('it', function(t) end)",
                  "policy.lua:3: sig.test \"it\": there is a test of this name at policy.lua:2");
    fixture_fails(*state, "sig.test('it')", "policy.lua:2: sig.test \"it\": a function is missing");
    fixture_fails_test(*state, "sig.test('other', function() end)",
                       "sig.test: only while files are loaded, not in a hook");
}

static void an_endless_loop_is_stopped(void **state)
{
    fixture_fails(*state, "sig.test('it', function(t)\nwhile true do end\nend)",
                  "policy.lua:3: test \"it\": stopped after 1000 ms of processor time\n");
}

static void the_time_for_all_tests_is_held(void **state)
{
    struct fixture *f = *state;
    bool passed = fixture_run_for(f,
                                  "sig.test('one', function(t)\n"
                                  "while true do t:advance '300d' end\nend)\n"
                                  "sig.test('two', function(t) end)",
                                  300);
    assert_false(passed);
    assert_reports(f, "policy.lua:3: test \"one\": stopped here: the tests of a bundle may take "
                      "300 ms together (POLICY_TEST_S)\n");
    assert_reports(f, "    1 tests behind it were not run\n");
    assert_true(f->took_us < 3000000);
}

static void the_others_are_run_when_one_fails(void **state)
{
    struct fixture *f = *state;
    fixture_fails(f,
                  "sig.on('message:say', function() sig.sleep '1s' end)\n"
                  "sig.test('one', function(t) " TWO "ann:sends('say', {}) error 'first' end)\n"
                  "sig.test('two', function(t) " TWO
                  "ann:sends('say', {}) bob:receives { type = 'say', within = '1s' } end)\n"
                  "sig.test('three', function(t) error 'third' end)",
                  "test \"one\": first\n");
    assert_reports(f, "policy.lua:9: test \"three\": third\n");
    assert_null(strstr(f->report.data, "\"two\""));
}

static void a_bundle_that_does_not_load_says_why(void **state)
{
    fixture_fails(*state, "sig.on('jion', function() end)", "policy.lua:2: unknown hook \"jion\"");
}

static void tests_of_the_library_are_not_run(void **state)
{
    struct fixture *f = *state;
    fixture_write(f, "own.lua", "require('lunasig').test('own', function() error 'own' end)");
    fixture_fails(f, "require 'own'", "own.lua:1: test \"own\": own\n");
    f->options.library_dir = f->folder;
    char folder[128];
    snprintf(folder, sizeof(folder), "%s/bundle", f->folder);
    fixture_write(f, "policy.lua", "");
    char command[160];
    snprintf(command, sizeof(command), "mkdir %s", folder);
    assert_int_equal(system(command), 0);
    fixture_write(f, "bundle/policy.lua", "require 'own'");
    lsig_buf_reset(&f->report);
    assert_true(lsig_scenario_run(&f->options, folder, 60000, &f->report));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(a_failure_has_the_line_the_difference_and_what_happened),
        SCENARIO_TEST(the_line_of_the_policy_that_refused_is_told),
        SCENARIO_TEST(a_hook_with_the_name_of_the_test_fails_it),
        SCENARIO_TEST(options_in_place_of_a_payload_are_no_payload),
        SCENARIO_TEST(patterns_are_shown_as_they_were_written),
        SCENARIO_TEST(only_the_last_frames_are_told),
        SCENARIO_TEST(the_code_of_the_test_itself_may_fail),
        SCENARIO_TEST(a_wrong_call_says_what_to_write),
        SCENARIO_TEST(tests_are_declared_while_files_load_each_name_once),
        SCENARIO_TEST(an_endless_loop_is_stopped),
        SCENARIO_TEST(the_time_for_all_tests_is_held),
        SCENARIO_TEST(the_others_are_run_when_one_fails),
        SCENARIO_TEST(a_bundle_that_does_not_load_says_why),
        SCENARIO_TEST(tests_of_the_library_are_not_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
