#include "test_script_coverage_fixture.h"

static void required_files_and_those_of_the_library_count_by_their_names(void **state)
{
    struct fixture *f = *state;
    fixture_write(f, f->folder, "lib/one.lua",
                  "local M = {}\nfunction M.f()\n  return 1\nend\n"
                  "function M.g()\n  return 2\nend\nreturn M\n");
    fixture_write(f, f->library, "std/two.lua", "local x = 1\nif x == 2 then\n  x = 3\nend\n");
    counts(f,
           "local one = require 'lib.one'\n"
           "require 'std.two'\n"
           "one.g()\n",
           "1:1 2:1 3:2");
    expect(f, "lib/one.lua", "1:1 2:1 3:0 4:1 5:1 6:1 7:1 8:1");
    expect(f, "std/two.lua", "1:1 2:1 3:0 4:1");
    assert_false(find(f, "lib/one.lua")->library);
    assert_true(find(f, "std/two.lua")->library);
    char path[128];
    snprintf(path, sizeof(path), "%s/lib/one.lua", f->folder);
    assert_string_equal(find(f, "lib/one.lua")->path, path);
}

static void coroutines_count_as_everything_else_does(void **state)
{
    struct fixture *f = *state;
    counts(f,
           "local made = coroutine.wrap(function(a)\n"
           "  local b = coroutine.yield(a)\n"
           "  local inner = coroutine.create(function()\n"
           "    return b\n"
           "  end)\n"
           "  coroutine.resume(inner)\n"
           "  coroutine.yield(b)\n"
           "  b = 3\n"
           "end)\n"
           "made(1)\n"
           "made(2)\n",
           "1:2 2:1 3:2 4:1 5:1 6:1 7:1 8:0 9:1 10:1 11:2");
}

#define HOOK                                                                                       \
    SIG "sig.type 'talk' {}\n"                                                                     \
        "sig.on('message', function(room, member, message)\n"                                      \
        "  if message.payload.text == 'wait' then\n"                                               \
        "    sig.sleep('1s')\n"                                                                    \
        "    return sig.deny('LATE')\n"                                                            \
        "  end\n"                                                                                  \
        "  return sig.deny('SOON')\n"                                                              \
        "end)\n"
#define TALK(text) "{\"type\":\"talk\",\"payload\":{\"text\":\"" text "\"}}"

static void hooks_count_also_when_they_wait(void **state)
{
    struct fixture *f = *state;
    struct ending end = {0};
    counts(f, HOOK, "1:1 2:1 3:2 4:0 5:0 6:0 8:0 9:2");
    fixture_enter(f, 0, "ann");
    assert_int_equal(fixture_message(f, TALK("hi"), NULL, NULL), LSIG_POLICY_DENIED);
    expect(f, "policy.lua", "1:1 2:1 3:2 4:1 5:0 6:0 8:1 9:2");
    assert_int_equal(fixture_message(f, TALK("wait"), fixture_on_done, &end), LSIG_WAITING);
    expect(f, "policy.lua", "1:1 2:1 3:2 4:2 5:1 6:0 8:1 9:2");
    lsig_script_tick(f->script, lsig_clock_now().mono_ms + 1500);
    assert_int_equal(end.calls, 1);
    assert_string_equal(end.code, "LATE");
    expect(f, "policy.lua", "1:1 2:1 3:2 4:2 5:1 6:1 8:1 9:2");
}

static void two_versions_of_one_file_are_summed_up(void **state)
{
    struct fixture *f = *state;
    struct ending end = {0};
    counts(f, HOOK, "1:1 2:1 3:2 4:0 5:0 6:0 8:0 9:2");
    fixture_enter(f, 0, "ann");
    assert_int_equal(fixture_message(f, TALK("wait"), fixture_on_done, &end), LSIG_WAITING);
    assert_int_equal(fixture_load(f, HOOK), LSIG_OK);
    lsig_script_tick(f->script, lsig_clock_now().mono_ms + 1500); // in the first one's machine
    assert_int_equal(end.calls, 1);
    assert_int_equal(fixture_message(f, TALK("hi"), NULL, NULL), LSIG_POLICY_DENIED);
    expect(f, "policy.lua", "1:2 2:2 3:4 4:2 5:1 6:1 8:1 9:4");
}

static void a_machine_that_is_replaced_goes_on_counting(void **state)
{
    struct fixture *f = *state;
    f->options.memory_bytes = 4 * 1024 * 1024;
    f->options.cpu_ms = 1000;
    lsig_script_free(f->script, NULL, NULL);
    f->script = lsig_script_new(&f->options);
    assert_int_equal(fixture_load(f, SIG "sig.type 'talk' {}\n"
                                         "local t = {}\n"
                                         "sig.on('message', function()\n"
                                         "  for i = 1, 200 do t[#t + 1] = { i } end\n"
                                         "  return sig.deny('HAS' .. #t)\n"
                                         "end)\n"),
                     LSIG_OK);
    fixture_enter(f, 0, "ann");
    int calls = 0;
    int64_t now_ms = lsig_clock_now().mono_ms;
    while (f->metrics.policy_vm_replaced == 0 && calls < 10000) {
        assert_int_not_equal(fixture_message(f, TALK("hi"), NULL, NULL), LSIG_WAITING);
        calls++;
        lsig_script_tick(f->script, now_ms++);
    }
    assert_int_equal(f->metrics.policy_vm_replaced, 1);
    assert_int_equal(find(f, "policy.lua")->lines[3].runs, 2);
    uint64_t before = find(f, "policy.lua")->lines[6].runs;
    assert_true(before > 100);
    assert_int_equal(fixture_message(f, TALK("hi"), NULL, NULL), LSIG_POLICY_DENIED);
    assert_string_equal(f->refusal.code, "HAS200");
    assert_int_equal(find(f, "policy.lua")->lines[6].runs, before + 1);
}

static void migrations_count(void **state)
{
    struct fixture *f = *state;
    fixture_enter(f, 0, "ann");
    assert_int_equal(fixture_load(f, SIG "sig.type 'talk' {}\n"
                                         "sig.room_state { n = sig.counter {} }\n"
                                         "sig.on('message', function(room)\n"
                                         "  room.state.n:incr(1)\n"
                                         "end)\n"),
                     LSIG_OK);
    assert_int_equal(fixture_message(f, TALK("hi"), NULL, NULL), LSIG_OK);
    assert_int_equal(fixture_load(f, SIG "sig.type 'talk' {}\n\n\n\n\n"
                                         "sig.room_state { version = 2, n = sig.counter {},\n"
                                         "  migrate = { [1] = {\n"
                                         "    up = function(old)\n"
                                         "      return old\n"
                                         "    end,\n"
                                         "    down = function(new)\n"
                                         "      return new\n"
                                         "    end,\n"
                                         "  } } }\n"
                                         "sig.on('message', function(room)\n"
                                         "  room.state.n:incr(1)\n"
                                         "end)\n"),
                     LSIG_OK);
    assert_int_equal(fixture_message(f, TALK("hi"), NULL, NULL), LSIG_OK);
    assert_int_equal(find(f, "policy.lua")->lines[10].runs, 1);
    assert_int_equal(find(f, "policy.lua")->lines[13].runs, 0);
    assert_true(find(f, "policy.lua")->lines[13].code);
}

static void a_file_of_tests_alone_is_a_scenario(void **state)
{
    struct fixture *f = *state;
    fixture_write(f, f->folder, "waiting.lua", SIG "sig.type 'talk' {}\n");
    counts(f,
           SIG "sig.use 'waiting'\n"
               "sig.test('it', function(t)\n"
               "  t.advance('1s')\n"
               "end)\n",
           "1:1 2:1");
    assert_true(find(f, "policy.lua")->scenario);
    assert_false(find(f, "waiting.lua")->scenario);
    expect(f, "waiting.lua", "1:1 2:1");
}

static void the_functions_of_tests_beside_a_policy_are_left_out(void **state)
{
    struct fixture *f = *state;
    counts(f,
           SIG "sig.type 'talk' {}\n"
               "sig.test('it', { slow = true }, function(t)\n"
               "  local function help()\n"
               "    t.advance('1s')\n"
               "  end\n"
               "  help()\n"
               "end)\n"
               "local x = 1\n",
           "1:1 2:1 9:1");
    assert_false(find(f, "policy.lua")->scenario);
}

static void endless_loops_are_stopped_and_counting_goes_on(void **state)
{
    struct fixture *f = *state;
    fixture_needs_ticks();
    static const char *const loops[] = {
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do coroutine.wrap(function() while true do end end)() end",
        "local t = {} for i = 1, 50 do t[i] = i end\n"
        "table.sort(t, function(a, b) while true do end end)",
    };
    for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
        char text[1000];
        snprintf(text, sizeof(text),
                 SIG "sig.type 'talk' {} sig.on('message', function(room, member, message)\n"
                     "if message.payload.text == 'hi' then return sig.deny('FINE') end\n"
                     "%s end)\n",
                 loops[i]);
        assert_int_equal(fixture_load(f, text), LSIG_OK);
        if (f->members[0] == NULL) {
            fixture_enter(f, 0, "ann");
        }
        int64_t began_ms = lsig_clock_now().mono_ms;
        assert_int_equal(fixture_message(f, TALK("loop"), NULL, NULL), LSIG_POLICY_ERROR);
        assert_true(lsig_clock_now().mono_ms - began_ms < DEADLINE_MS);
        assert_int_equal(f->metrics.hook_cpu_exceeded, i + 1);
        uint64_t before = find(f, "policy.lua")->lines[3].runs;
        assert_int_equal(fixture_message(f, TALK("hi"), NULL, NULL), LSIG_POLICY_DENIED);
        assert_int_equal(find(f, "policy.lua")->lines[3].runs, before + 1);
    }
}

static void a_hook_may_take_as_many_times_longer_as_counting_makes_it(void **state)
{
    struct fixture *f = *state;
    fixture_needs_ticks();
    assert_int_equal(fixture_load(f, SIG "sig.type 'talk' {}\n"
                                         "sig.limits { cpu_ms = 20 }\n"
                                         "sig.on('message', function()\n"
                                         "  local x = 0\n"
                                         "  for i = 1, 300000 do\n"
                                         "    x = x + i\n"
                                         "    x = x - 1\n"
                                         "    x = x * 1\n"
                                         "  end\n"
                                         "end)\n"),
                     LSIG_OK);
    fixture_enter(f, 0, "ann");
    for (int i = 0; i < 5; i++) {
        assert_int_equal(fixture_message(f, TALK("hi"), NULL, NULL), LSIG_OK);
    }
    assert_int_equal(find(f, "policy.lua")->lines[7].runs, 1500000);
}

static void a_file_that_does_not_load_leaves_nothing_behind_that_hurts(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_load(f, "local x = = 1\n"), LSIG_INVALID_MESSAGE);
    assert_null(lsig_coverage_file(f->options.coverage, 0));
    assert_int_equal(fixture_load(f, "local x = 1\nerror('bad')\nlocal y = 2\n"),
                     LSIG_INVALID_MESSAGE);
    expect(f, "policy.lua", "1:1 2:1 3:0");
    counts(f, "local x = 1\n\nlocal y = 2\n", "1:2 2:1 3:1");
    assert_false(lsig_coverage_is_full(f->options.coverage));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        COVERAGE_TEST(required_files_and_those_of_the_library_count_by_their_names),
        COVERAGE_TEST(coroutines_count_as_everything_else_does),
        COVERAGE_TEST(hooks_count_also_when_they_wait),
        COVERAGE_TEST(two_versions_of_one_file_are_summed_up),
        COVERAGE_TEST(a_machine_that_is_replaced_goes_on_counting),
        COVERAGE_TEST(migrations_count),
        COVERAGE_TEST(a_file_of_tests_alone_is_a_scenario),
        COVERAGE_TEST(the_functions_of_tests_beside_a_policy_are_left_out),
        COVERAGE_TEST(endless_loops_are_stopped_and_counting_goes_on),
        COVERAGE_TEST(a_hook_may_take_as_many_times_longer_as_counting_makes_it),
        COVERAGE_TEST(a_file_that_does_not_load_leaves_nothing_behind_that_hurts),
    };
    return cmocka_run_group_tests_name("script/coverage", tests, NULL, NULL);
}
