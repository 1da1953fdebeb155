#include "test_script_fixture.h"

#include <time.h>

#define TYPES "sig.type 'talk' {} "
#define WORKS "{\"type\":\"talk\",\"payload\":{\"text\":\"works\"}}"
#define TALK "{\"type\":\"talk\",\"payload\":{\"text\":\"hello\"}}"

enum {
    CPU_MS = 20,
    LATE_MS = 60
}; // stopped within two ticks after the limit; the rest is for busy test machines

static int64_t cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// The hook `body` has to be stopped, and the next hook has to work.
static void stops(struct fixture *f, const char *body)
{
    struct lsig_buf text;
    lsig_buf_init(&text, 65536);
    lsig_buf_append_format(
        &text,
        TYPES
        "local kept = { calls = 0 } sig.on('message', function(room, member, message)"
        " kept.calls = kept.calls + 1 if kept.calls == 2 then return sig.deny('WORKS') end %s end)",
        body);
    fixture_use(f, text.data);
    lsig_buf_clear(&text);
    if (f->members[0] == NULL) {
        fixture_enter(f, 0, "ann");
    }
    int64_t stopped = f->metrics.hook_cpu_exceeded;
    int64_t started = cpu_ms();
    enum lsig_status status = fixture_message(f, TALK, NULL, NULL);
    int64_t used = cpu_ms() - started;
    if (status != LSIG_POLICY_ERROR || used < CPU_MS - 1 || used > LATE_MS) {
        fail_msg("%s: status %d after %d ms", body, status, (int)used);
    }
    assert_int_equal(f->metrics.hook_cpu_exceeded, stopped + 1);
    assert_int_equal(fixture_message(f, TALK, NULL, NULL), LSIG_POLICY_DENIED);
    assert_string_equal(f->refusal.code, "WORKS");
}

static void endless_hooks_are_stopped_within_the_budget(void **state)
{
    fixture_needs_ticks();
    struct fixture *f = *state;
    stops(f, "while true do end");
    stops(f, "local x = 0 while true do x = x + 1 end");
    stops(f, "while true do pcall(function() while true do end end) end");
    stops(f, "local function g() return g() end g()");
    stops(f, "local function g() pcall(g) pcall(g) end while true do g() end");
    stops(f, "local s = '' while true do s = (s .. 'x'):sub(-1000) end");
    stops(f, "while true do local t = {} for i = 1, 100 do t[i] = { i } end end");
    stops(f, "local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end }) while "
             "true do pcall(function() return t[1] end) end");
    stops(f, "while true do local a = ('x'):rep(1e6):upper():reverse() end");
    stops(f, "while true do local p = message.payload local m = room:members() end");
    stops(f, "local t = {} for i = 1, 1e5 do t[i] = -i end while true do table.sort(t) end");
    stops(
        f,
        "local t = { 1, 2, 3 } while true do table.sort(t, function() while true do end end) end");
    stops(f, "local t = {} while true do table.insert(t, 1, 1) end");
    stops(f, "while true do pcall(error, {}) end");
    stops(f, "while true do pcall(room.member, room, 'x') end");
    stops(f, "while true do print('x') end");
}

static void deep_recursion_is_an_error_of_the_hook_only(void **state)
{
    struct fixture *f = *state;
    fixture_says(f, "local function g() return 1 + g() end return g()", "stack overflow");
    fixture_says(f, "local function s() table.sort({ 1, 2 }, s) end s()",
                 "comparators sort within comparators more than 4 deep");
    fixture_says(f,
                 "local t = setmetatable({}, { __tostring = function(t) return ('%s'):format(t) "
                 "end }) return tostring(t)",
                 "give it tostring(value)");
    fixture_says(f, "return 'fine'", "fine");
}

static void the_budget_counts_over_waits(void **state)
{
    fixture_needs_ticks();
    struct fixture *f = *state;
    struct ending end = {0};
    fixture_use(
        f, TYPES
        "sig.on('message', function() for i = 1, 100 do"
        "  local n = os.clock() + 0.003 while os.clock() < n do end sig.sleep('1ms') end end)");
    fixture_enter(f, 0, "ann");
    assert_int_equal(fixture_message(f, TALK, fixture_on_done, &end), LSIG_WAITING);
    fixture_wait_for(f, &end.calls, 1);
    assert_int_equal(end.status, LSIG_POLICY_ERROR);
    assert_int_equal(f->metrics.hook_cpu_exceeded, 1);
}

static void an_endless_loop_after_a_wait_is_stopped(void **state)
{
    fixture_needs_ticks();
    struct fixture *f = *state;
    struct ending end = {0};
    fixture_use(f, TYPES "sig.on('message', function() sig.sleep('5ms') while true do end end)");
    fixture_enter(f, 0, "ann");
    assert_int_equal(fixture_message(f, TALK, fixture_on_done, &end), LSIG_WAITING);
    int64_t started = cpu_ms();
    fixture_wait_for(f, &end.calls, 1);
    assert_true(cpu_ms() - started <= LATE_MS);
    assert_int_equal(end.status, LSIG_POLICY_ERROR);
    assert_int_equal(f->metrics.hook_cpu_exceeded, 1);
}

static void
each_hook_has_the_budget_and_an_allowed_failure_does_not_take_the_next_ones(void **state)
{
    fixture_needs_ticks();
    struct fixture *f = *state;
    fixture_use(
        f, TYPES
        "sig.on('message', { on_error = 'allow' }, function() while true do end end)"
        "sig.on('message', function() local n = os.clock() + 0.01 while os.clock() < n do end end)"
        "sig.on('message', function() local n = os.clock() + 0.01 while os.clock() < n do end "
        "return sig.deny('THIRD') end)");
    fixture_enter(f, 0, "ann");
    assert_int_equal(fixture_message(f, TALK, NULL, NULL), LSIG_POLICY_DENIED);
    assert_string_equal(f->refusal.code, "THIRD");
}

static void short_hooks_are_never_stopped(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, TYPES "sig.limits { cpu_ms = 1 } sig.on('message', function(room, member, "
                         "message) local x = message.payload.text end)");
    fixture_enter(f, 0, "ann");
    for (int64_t started = cpu_ms(); cpu_ms() - started < 300;) {
        assert_int_equal(fixture_message(f, TALK, NULL, NULL), LSIG_OK);
    }
    assert_int_equal(f->metrics.hook_errors, 0);
}

static void fixture_set_cpu_ms(struct fixture *f, int64_t ms)
{
    f->options.cpu_ms = ms;
    lsig_script_free(f->script, NULL, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    f->script = lsig_script_new(&f->options);
}

static void a_memory_bomb_is_stopped_and_the_state_works_again(void **state)
{
    struct fixture *f = *state;
    fixture_set_cpu_ms(f, 1000);
    static const char *const bombs[] = {
        "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end",
        "local s = 'x' while true do s = s .. s end",
        "local t = {} while true do t[#t + 1] = {} end",
        "local t = {} for i = 1, 1e9 do t[i] = i end",
        "local t = {} for i = 1, 1e9 do t['k' .. i] = function() return t end end",
    };
    for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
        struct lsig_buf text;
        lsig_buf_init(&text, 65536);
        lsig_buf_append_format(&text,
                               TYPES "sig.on('message', function(room, member, message)"
                                     " if message.payload.text == 'works' then return "
                                     "sig.deny('WORKS', message.payload.text) end %s end)",
                               bombs[i]);
        fixture_use(f, text.data);
        lsig_buf_clear(&text);
        if (f->members[0] == NULL) {
            fixture_enter(f, 0, "ann");
        }
        for (int round = 0; round < 3; round++) {
            assert_int_equal(fixture_message(f, TALK, NULL, NULL), LSIG_POLICY_ERROR);
            assert_int_equal(fixture_message(f, WORKS, NULL, NULL), LSIG_POLICY_DENIED);
            assert_string_equal(f->refusal.message, "works");
        }
    }
    assert_int_equal(f->metrics.hook_cpu_exceeded, 0);
    // What the bombs left is collected in slices, between turns of the loop.
    int64_t until_ms = lsig_clock_now().mono_ms + DEADLINE_MS;
    while (f->metrics.policy_memory >= 4 * 1024 * 1024 && lsig_clock_now().mono_ms < until_ms) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        assert_int_equal(fixture_message(f, WORKS, NULL, NULL), LSIG_POLICY_DENIED);
    }
    assert_true(f->metrics.policy_memory < 4 * 1024 * 1024);
}

static void garbage_does_not_count_as_memory_used(void **state)
{
    struct fixture *f = *state;
    fixture_set_cpu_ms(f, 1000); // this is about memory
    fixture_use(
        f,
        TYPES
        "local kept = {} for i = 1, 100 do kept[i] = ('x'):rep(200000) .. i end" // 20 MB of 32
        " sig.on('message', function() local s = ('y'):rep(100000) .. math.random() end)");
    fixture_enter(f, 0, "ann");
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(fixture_message(f, TALK, NULL, NULL), LSIG_OK);
    }
    assert_int_equal(f->metrics.hook_errors, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(endless_hooks_are_stopped_within_the_budget),
        FIXTURE_TEST(deep_recursion_is_an_error_of_the_hook_only),
        FIXTURE_TEST(the_budget_counts_over_waits),
        FIXTURE_TEST(an_endless_loop_after_a_wait_is_stopped),
        FIXTURE_TEST(each_hook_has_the_budget_and_an_allowed_failure_does_not_take_the_next_ones),
        FIXTURE_TEST(short_hooks_are_never_stopped),
        FIXTURE_TEST(a_memory_bomb_is_stopped_and_the_state_works_again),
        FIXTURE_TEST(garbage_does_not_count_as_memory_used),
    };
    return cmocka_run_group_tests_name("script/budget", tests, NULL, NULL);
}
