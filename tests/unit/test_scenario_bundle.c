// Running the tests of a bundle one by one, and what each comes to.
#include "test_scenario_fixture.h"

#include "scenario/bundle.h"

struct running {
    struct lsig_bundle *bundle;
    struct lsig_bundle_result result;
    struct lsig_bundle_run how;
};

static struct lsig_bundle *open_bundle(struct fixture *f, const char *lua)
{
    struct lsig_buf text;
    struct lsig_bundle_options options = {.script = &f->options, .folder = f->folder};
    lsig_buf_init(&text, 1024 * 1024);
    lsig_buf_append_text(&text, fixture_types);
    lsig_buf_append_text(&text, lua);
    fixture_write(f, "policy.lua", text.data);
    lsig_buf_clear(&text);
    return lsig_bundle_open(&options, &f->report);
}

static void begin(struct running *running, struct fixture *f, const char *lua)
{
    running->bundle = open_bundle(f, lua);
    if (running->bundle == NULL) {
        fail_msg("%s", f->report.data);
    }
    lsig_bundle_result_init(&running->result);
    running->how = (struct lsig_bundle_run){
        .seed = 3,
        .end_us = lsig_clock_mono_us() + 60000000,
        .late = "it took too long",
    };
}

// The test of that number, from 0.
static const struct lsig_bundle_result *run(struct running *running, int number)
{
    struct lsig_test test;
    size_t cursor = 0;
    for (int i = 0; i <= number; i++) {
        assert_true(lsig_bundle_next(running->bundle, &cursor, &test));
    }
    lsig_bundle_run(running->bundle, &test, &running->how, &running->result);
    return &running->result;
}

static void end(struct running *running)
{
    lsig_bundle_result_clear(&running->result);
    lsig_bundle_close(running->bundle);
}

static const char *text_of(const struct lsig_bundle_result *result)
{
    return lsig_buf_span(&result->text).data;
}

static const char *details_of(const struct lsig_bundle_result *result)
{
    return lsig_buf_span(&result->details).data;
}

static void a_result_says_what_where_and_how_long(void **state)
{
    struct running running;
    begin(&running, *state,
          "sig.test('one', function(t) t:advance '90s' end)\n"
          "sig.test('two', function(t)\n local ann = t:client 'ann' ann:joins 'r1'\n"
          "ann:receives 'say' end)");
    const struct lsig_bundle_result *result = run(&running, 0);
    assert_int_equal(result->verdict, LSIG_BUNDLE_PASSED);
    assert_string_equal(result->name, "one");
    assert_string_equal(result->where, "policy.lua:2");
    assert_string_equal(text_of(result), "");
    assert_int_equal(result->virtual_ms, 90000);
    assert_true(result->real_us > 0);
    result = run(&running, 1);
    assert_int_equal(result->verdict, LSIG_BUNDLE_FAILED);
    assert_string_equal(result->name, "two");
    assert_string_equal(result->declared, "policy.lua:3");
    assert_string_equal(result->where, "policy.lua:5");
    assert_non_null(strstr(text_of(result), "ann:receives: nothing like this came"));
    assert_null(strchr(text_of(result), '\n'));
    assert_non_null(strstr(details_of(result), "    what happened, in virtual time:\n"));
    assert_non_null(strstr(details_of(result), "    seed 3\n"));
    assert_false(result->late);
    result = run(&running, 0); // in any order, and again
    assert_int_equal(result->verdict, LSIG_BUNDLE_PASSED);
    assert_string_equal(details_of(result), "");
    end(&running);
}

static void a_bundle_that_does_not_load_is_told(void **state)
{
    struct fixture *f = *state;
    assert_null(open_bundle(f, "local x = = 1"));
    assert_non_null(strstr(f->report.data, "policy.lua:2: unexpected symbol"));
}

static void a_test_is_stopped_at_its_end_and_the_next_one_runs(void **state)
{
    struct running running;
    begin(&running, *state,
          "sig.test('long', function(t) t:client('ann'):joins 'r1' t:advance '400d' end)\n"
          "sig.test('short', function(t) end)");
    running.how.end_us = lsig_clock_mono_us() + 20000;
    const struct lsig_bundle_result *result = run(&running, 0);
    assert_int_equal(result->verdict, LSIG_BUNDLE_FAILED);
    assert_true(result->late);
    assert_string_equal(text_of(result), "it took too long");
    running.how.end_us = lsig_clock_mono_us() + 60000000;
    result = run(&running, 1);
    assert_int_equal(result->verdict, LSIG_BUNDLE_PASSED);
    assert_false(result->late);
    end(&running);
}

static void a_seed_of_its_own_wins(void **state)
{
    struct running running;
    begin(&running, *state,
          "local first\n"
          "sig.test('own', { seed = 9 }, function(t) local n = math.random()\n"
          "first = first or n assert(n == first) end)\n"
          "sig.test('round', function(t) assert(math.random() == first) end)");
    assert_int_equal(run(&running, 0)->verdict, LSIG_BUNDLE_PASSED);
    assert_int_equal(running.result.seed, 9);
    assert_int_equal(run(&running, 1)->verdict, LSIG_BUNDLE_FAILED);
    assert_int_equal(running.result.seed, 3);
    running.how.seed = 9;
    assert_int_equal(run(&running, 1)->verdict, LSIG_BUNDLE_PASSED);
    running.how.seed = 4;
    assert_int_equal(run(&running, 0)->verdict, LSIG_BUNDLE_PASSED);
    end(&running);
}

static void a_slow_test_is_told_so_and_runs_when_asked_for(void **state)
{
    struct running running;
    struct lsig_test test;
    size_t cursor = 0;
    begin(&running, *state, "sig.test('long', { slow = true }, function(t) end)");
    assert_true(lsig_bundle_next(running.bundle, &cursor, &test));
    assert_true(test.slow);
    lsig_bundle_skip(&test, "not today", &running.result);
    assert_int_equal(running.result.verdict, LSIG_BUNDLE_SKIPPED);
    assert_string_equal(text_of(&running.result), "not today");
    assert_int_equal(run(&running, 0)->verdict, LSIG_BUNDLE_PASSED);
    assert_string_equal(text_of(&running.result), "");
    end(&running);
}

static void a_slow_test_does_not_run_at_load(void **state)
{
    fixture_passes(*state, "sig.test('long', { slow = true }, function(t) error 'it ran' end)");
}

static void settings_of_a_test_hold_for_it_alone(void **state)
{
    struct running running;
    begin(&running, *state,
          "local function flood(t)\n"
          "  local ann = t:client 'ann' ann:joins 'r1'\n"
          "  for i = 1, 3 do ann:sends('say', {}) end return ann\n"
          "end\n"
          "sig.test('few', { settings = { WEBSOCKET_MESSAGE_RATE_LIMIT = '10/s burst 2' } },\n"
          "function(t) flood(t):is_refused 'RATE_LIMIT_EXCEEDED' end)\n"
          "sig.test('many', function(t) flood(t) end)");
    for (int i = 0; i < 4; i++) {
        assert_int_equal(run(&running, i % 2)->verdict, LSIG_BUNDLE_PASSED);
    }
    end(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(a_result_says_what_where_and_how_long),
        SCENARIO_TEST(a_bundle_that_does_not_load_is_told),
        SCENARIO_TEST(a_test_is_stopped_at_its_end_and_the_next_one_runs),
        SCENARIO_TEST(a_seed_of_its_own_wins),
        SCENARIO_TEST(a_slow_test_is_told_so_and_runs_when_asked_for),
        SCENARIO_TEST(a_slow_test_does_not_run_at_load),
        SCENARIO_TEST(settings_of_a_test_hold_for_it_alone),
    };
    return cmocka_run_group_tests_name("scenario/bundle", tests, NULL, NULL);
}
