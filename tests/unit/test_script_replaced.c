#include "test_script_versions_fixture.h"

static void fail_times(struct fixture *f, int times)
{
    for (int i = 0; i < times; i++) {
        assert_string_equal(code_of(f), "POLICY_ERROR");
    }
    settle(f);
}

static void errors_above_the_rate_bring_the_version_before_back(void **state)
{
    struct fixture *f = *state;
    f->options.rollback_errors = (struct lsig_rate_spec){.count = 5, .period_ms = 60000};
    begin(f);
    reload(f, SAYS("ONE"));
    reload(f, FAILS);
    fail_times(f, 5);
    assert_int_equal(lsig_script_version(f->script), 2);
    fail_times(f, 1);
    assert_int_equal(lsig_script_version(f->script), 1);
    assert_string_equal(code_of(f), "ONE");
    assert_int_equal(f->metrics.policy_rollbacks, 1);
    assert_int_equal(list(f).views[1].errors, 6);
    assert_true(list(f).views[1].failed);
}

static void a_version_that_failed_is_not_gone_back_to_by_itself(void **state)
{
    struct fixture *f = *state;
    f->options.rollback_errors = (struct lsig_rate_spec){.count = 2, .period_ms = 60000};
    begin(f);
    reload(f, FAILS);
    fail_times(f, 10); // there is none before it
    assert_int_equal(lsig_script_version(f->script), 1);
    reload(f, FAILS);
    fail_times(f, 3);
    assert_int_equal(lsig_script_version(f->script), 1);
    fail_times(f, 10);
    assert_int_equal(lsig_script_version(f->script), 1);
    assert_int_equal(f->metrics.policy_rollbacks, 1);
    assert_int_equal(use(f, 2), LSIG_OK); // an operator may
    fail_times(f, 2);
    assert_int_equal(lsig_script_version(f->script), 2);
    fail_times(f, 1);
    assert_int_equal(lsig_script_version(f->script), 1);
}

static void errors_count_from_the_time_that_a_version_comes_into_force(void **state)
{
    struct fixture *f = *state;
    struct lsig_time now = lsig_clock_now();
    f->options.clock = &now;
    f->options.rollback_errors = (struct lsig_rate_spec){.count = 3, .period_ms = 60000};
    begin(f);
    reload(f, SAYS("ONE"));
    reload(f, FAILS);
    fail_times(f, 3);
    now.mono_ms += 60000;
    fail_times(f, 3);
    assert_int_equal(lsig_script_version(f->script), 2);
    assert_int_equal(rollback(f), LSIG_OK);
    assert_int_equal(use(f, 2), LSIG_OK);
    fail_times(f, 3);
    assert_int_equal(lsig_script_version(f->script), 2);
    fail_times(f, 1);
    assert_int_equal(lsig_script_version(f->script), 1);
}

static void no_rate_means_no_rollback(void **state)
{
    struct fixture *f = *state;
    begin(f);
    reload(f, SAYS("ONE"));
    reload(f, FAILS);
    fail_times(f, 1000);
    assert_int_equal(lsig_script_version(f->script), 2);
    assert_int_equal(list(f).views[1].errors, 1000);
}

// What stays in it, and what is garbage.
#define HOARDS                                                                                     \
    TYPES "local t = { n = 0 } sig.on('message', function() for i = 1, 5 do "                      \
          "t.list = { t.list } t.n = t.n + 1 end return sig.deny('HAS' .. t.n) end)"
#define WASTES                                                                                     \
    TYPES "sig.on('message', function() for i = 1, 200 do local t = { i, {} } end "                \
          "return sig.deny('WASTE') end)"

static void a_machine_that_stays_full_is_replaced_by_a_fresh_one(void **state)
{
    struct fixture *f = *state;
    f->options.memory_bytes = 4 * 1024 * 1024;
    begin(f);
    reload(f, HOARDS);
    fixture_write(f, f->folder, "policy.lua", "what became of the file makes no difference");
    int calls = 0;
    int64_t until_ms = lsig_clock_now().mono_ms + DEADLINE_MS;
    while (f->metrics.policy_vm_replaced == 0 && lsig_clock_now().mono_ms < until_ms) {
        code_of(f); // it may run out of memory meanwhile
        calls++;
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(f->metrics.policy_vm_replaced, 1);
    assert_true(calls > 100);
    assert_string_equal(code_of(f), "HAS5");
    assert_int_equal(lsig_script_version(f->script), 1);
    expect_list(f, "1 in force");
    settle(f);
    assert_string_equal(code_of(f), "HAS10");
}

#define LOOK "{\"type\":\"talk\",\"payload\":{\"text\":\"look\"}}"

static void a_hook_suspended_over_a_replacement_ends_in_its_own_machine(void **state)
{
    struct fixture *f = *state;
    struct ending end = {0};
    struct lsig_envelope envelope;
    f->options.memory_bytes = 4 * 1024 * 1024;
    f->options.wait_ms = 60000;
    begin(f);
    reload(f, TYPES "local t = {} sig.on('message', function(room, member, message) "
                    "if message.payload.text == 'wait' then sig.sleep('50s') "
                    "elseif message.payload.text ~= 'look' then "
                    "for i = 1, 200 do t[#t + 1] = { i } end end "
                    "return sig.deny('HAS' .. #t) end)");
    code_of(f);
    assert_int_equal(fixture_message_to(f, &envelope,
                                        "{\"type\":\"talk\",\"payload\":{\"text\":\"wait\"}}",
                                        fixture_on_done, &end),
                     LSIG_WAITING);
    int64_t until_ms = lsig_clock_now().mono_ms + DEADLINE_MS;
    while (f->metrics.policy_vm_replaced == 0 && lsig_clock_now().mono_ms < until_ms) {
        // Above the mark it is filled no further: who waits in it shall have room to go on.
        if (list(f).views[0].memory_bytes < (size_t)f->options.memory_bytes * 85 / 100) {
            code_of(f);
        } else {
            assert_int_equal(fixture_message(f, LOOK, NULL, NULL), LSIG_POLICY_DENIED);
        }
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_string_equal(code_of(f), "HAS200");
    assert_int_equal(list(f).views[0].suspended, 1);
    lsig_script_tick(f->script, lsig_clock_now().mono_ms + 55000);
    assert_int_equal(end.calls, 1);
    assert_int_equal(strncmp(end.code, "HAS", 3), 0);
    assert_true(atoi(end.code + 3) > 1000);
    settle(f);
    assert_int_equal(list(f).views[0].suspended, 0);
}

static void garbage_alone_replaces_no_machine(void **state)
{
    struct fixture *f = *state;
    f->options.memory_bytes = 4 * 1024 * 1024;
    begin(f);
    reload(f, WASTES);
    for (int i = 0; i < 5000; i++) {
        assert_string_equal(code_of(f), "WASTE");
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(f->metrics.policy_vm_replaced, 0);
}

static void a_machine_that_is_full_from_the_start_is_replaced_once(void **state)
{
    struct fixture *f = *state;
    struct lsig_time now = lsig_clock_now();
    f->options.clock = &now;
    f->options.memory_bytes = 4 * 1024 * 1024;
    begin(f);
    assert_int_equal(
        reload(f, TYPES "local t = {} for i = 1, 40000 do t[i] = { i, i } end "
                        "sig.on('message', function() return sig.deny(t[1] and 'X' or 'Y') end)")
            .status,
        LSIG_OK);
    for (int i = 0; i < 200; i++) {
        now.mono_ms += 5000;
        assert_string_equal(code_of(f), "X");
        settle(f);
    }
    assert_true(f->metrics.policy_vm_replaced <= 1);
}

// The collector of Lua alone begins when there is a fifth more than was left: more than fits.
static void a_machine_that_is_nearly_full_has_room_for_its_garbage(void **state)
{
    struct fixture *f = *state;
    f->options.memory_bytes = 4 * 1024 * 1024;
    begin(f);
    assert_int_equal(reload(f, TYPES "local t = {} for i = 1, 37000 do t[i] = { i, i } end "
                                     "sig.on('message', function() for i = 1, 50 do "
                                     "local s = { t[i], {} } end return sig.deny('X') end)")
                         .status,
                     LSIG_OK);
    size_t max = (size_t)f->options.memory_bytes;
    assert_in_range(list(f).views[0].memory_bytes, max * 90 / 100, max * 98 / 100);
    for (int i = 0; i < 3000; i++) {
        assert_string_equal(code_of(f), "X");
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(f->metrics.hook_memory_exceeded, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(errors_above_the_rate_bring_the_version_before_back),
        FIXTURE_TEST(a_version_that_failed_is_not_gone_back_to_by_itself),
        FIXTURE_TEST(errors_count_from_the_time_that_a_version_comes_into_force),
        FIXTURE_TEST(no_rate_means_no_rollback),
        FIXTURE_TEST(a_machine_that_stays_full_is_replaced_by_a_fresh_one),
        FIXTURE_TEST(a_hook_suspended_over_a_replacement_ends_in_its_own_machine),
        FIXTURE_TEST(garbage_alone_replaces_no_machine),
        FIXTURE_TEST(a_machine_that_is_full_from_the_start_is_replaced_once),
        FIXTURE_TEST(a_machine_that_is_nearly_full_has_room_for_its_garbage),
    };
    return cmocka_run_group_tests_name("script/replaced", tests, NULL, NULL);
}
