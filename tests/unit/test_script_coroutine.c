#include "test_script_fixture.h"

#define TYPES "sig.type 'talk' {} "
#define TALK "{\"type\":\"talk\",\"payload\":{\"text\":\"hello\"}}"

static void coroutines_pass_values_both_ways(void **state)
{
    struct fixture *f = *state;
    static const char *const cases[][2] = {
        {"local c = coroutine.wrap(function(a, b) local d = coroutine.yield(a + b) return d * 2 "
         "end) "
         "return c(1, 2) .. ' ' .. c(21)",
         "3 42"},
        {"local c = coroutine.create(function(...) return select('#', ...) end) "
         "return select(2, coroutine.resume(c, nil, nil, nil))",
         "3"},
        {"local c = coroutine.create(function() end) return select('#', coroutine.resume(c))", "1"},
        {"local c = coroutine.create(function() coroutine.yield(nil, nil) end) "
         "return select('#', coroutine.resume(c))",
         "3"},
        {"local c = coroutine.wrap(function() return select('#', coroutine.yield()) end) c() "
         "return c(nil, nil)",
         "2"},
        {"local t = {} for i in coroutine.wrap(function() for i = 1, 5 do coroutine.yield(i) end "
         "end) "
         "do t[#t + 1] = i end return table.concat(t)",
         "12345"},
        {"local c c = coroutine.create(function() return coroutine.status(c) end) "
         "local before = coroutine.status(c) local _, within = coroutine.resume(c) "
         "return before .. within .. coroutine.status(c)",
         "suspendedrunningdead"},
        {"local c = coroutine.create(function() coroutine.yield() end) coroutine.resume(c) "
         "return coroutine.status(c)",
         "suspended"},
        {"local outer outer = coroutine.create(function() "
         "return coroutine.wrap(function() return coroutine.status(outer) end)() end) "
         "return select(2, coroutine.resume(outer))",
         "normal"},
        {"return tostring(coroutine.running())", "nil"},
        {"return coroutine.wrap(function() return type(coroutine.running()) end)()", "thread"},
        {"return tostring(coroutine.isyieldable())", "false"},
        {"return tostring(coroutine.wrap(function() return coroutine.isyieldable() end)())",
         "true"},
        {"local c = coroutine.wrap(function() return pcall(function() "
         "return coroutine.yield(1) + 1 end) end) c() return select(2, c(41))",
         "42"},
        {"local m = { __add = function(a, b) return coroutine.yield(5) end } "
         "local c = coroutine.wrap(function() return setmetatable({}, m) + 1 end) "
         "return c() .. c(6)",
         "56"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_says(f, cases[i][0], cases[i][1]);
    }
}

static void errors_come_out_of_coroutines_with_their_place(void **state)
{
    struct fixture *f = *state;
    fixture_says(
        f,
        "local ok, said = coroutine.resume(coroutine.create(function() error('mine') end)) "
        "return tostring(ok) .. said",
        "falsepolicy.lua:1: mine");
    fixture_says(f, "local c = coroutine.wrap(function()\nerror('mine') end)\nlocal x = c()",
                 "policy.lua:2: mine");
    fixture_says(
        f, "local ok, said = pcall(coroutine.wrap(function() error({ 7 }) end)) return said[1]",
        "7");
    fixture_says(f, "local c = coroutine.wrap(function() end) c() c()",
                 "policy.lua:1: cannot resume dead coroutine");
    fixture_says(f,
                 "local c c = coroutine.create(function() return coroutine.resume(c) end) "
                 "return select(3, coroutine.resume(c))",
                 "cannot resume running coroutine");
    fixture_says(f, "coroutine.create(7)", "policy.lua:1: coroutine.create: expected a function");
    fixture_says(f, "coroutine.wrap()", "policy.lua:1: coroutine.wrap: expected a function");
    fixture_says(f, "coroutine.resume({})", "policy.lua:1: coroutine.resume: expected a coroutine");
    fixture_says(f, "coroutine.yield()",
                 "policy.lua:1: coroutine.yield: only in a coroutine of the policy's own");
    fixture_says(f,
                 "coroutine.wrap(function() table.sort({ 1, 2 }, function() coroutine.yield() end) "
                 "end)()",
                 "coroutine.yield: not in a comparator of table.sort or a callback of string.gsub");
    fixture_says(f, "coroutine.wrap(function() ('x'):gsub('x', coroutine.yield) end)()",
                 "coroutine.yield: not in a comparator");
}

static void xpcall_has_the_stock_handler_only(void **state)
{
    struct fixture *f = *state;
    fixture_says(f, "return select(2, xpcall(function() error('mine') end))",
                 "policy.lua:1: mine\nstack traceback:");
    fixture_says(f, "return select(2, xpcall(function(a, b) return a + b end, nil, 40, 2))", "42");
    fixture_says(f, "return select(2, xpcall(error, nil, { 7 }))[1]", "7");
    fixture_says(f, "xpcall(error, print)",
                 "policy.lua:1: xpcall: there is one handler, which adds a traceback; write "
                 "xpcall(fn), or xpcall(fn, nil, arguments)");
    fixture_says(f, "return tostring((xpcall()))", "false");
    fixture_says(f,
                 "local function g() return 1 + g() end local ok, said = xpcall(g) "
                 "return #said < 4000 and said",
                 "stack overflow");
}

static void run_to_denial(struct fixture *f, const char *body, const char *wanted)
{
    struct lsig_buf text;
    struct ending end = {0};
    lsig_buf_init(&text, 65536);
    lsig_buf_append_format(&text, TYPES "sig.on('message', function(room, member, message) %s end)",
                           body);
    fixture_use(f, text.data);
    lsig_buf_clear(&text);
    if (f->members[0] == NULL) {
        fixture_enter(f, 0, "ann");
    }
    assert_int_equal(fixture_message(f, TALK, fixture_on_done, &end), LSIG_WAITING);
    fixture_wait_for(f, &end.calls, 1);
    assert_int_equal(end.status, LSIG_POLICY_DENIED);
    assert_string_equal(end.code, wanted);
}

static void a_hook_waits_from_within_coroutines_at_any_depth(void **state)
{
    struct fixture *f = *state;
    run_to_denial(
        f,
        "local c = coroutine.wrap(function(a) sig.sleep('2ms') local b = coroutine.yield(a) "
        "sig.sleep('2ms') return a .. b end) local first = c('A') "
        "return sig.deny(first .. c('B'))",
        "AAB");
    run_to_denial(f,
                  "local function nest(n) if n == 0 then sig.sleep('2ms') return 'DEEP' end "
                  "return coroutine.wrap(nest)(n - 1) end return sig.deny(nest(100))",
                  "DEEP");
    run_to_denial(f,
                  "local c = coroutine.create(function() local ok, said = pcall(function() "
                  "sig.sleep('2ms') error({ code = 'CAUGHT' }) end) sig.sleep('2ms') "
                  "return said.code end) return sig.deny(select(2, coroutine.resume(c)))",
                  "CAUGHT");
    run_to_denial(
        f,
        "local t = {} for i in coroutine.wrap(function() for i = 1, 3 do sig.sleep('1ms') "
        "coroutine.yield(i) end end) do t[#t + 1] = i end "
        "return sig.deny('N' .. table.concat(t))",
        "N123");
    run_to_denial(f, "xpcall(function() sig.sleep('2ms') end) return sig.deny('X')", "X");
}

static void two_hooks_may_wait_in_coroutines_of_the_same_depth(void **state)
{
    struct fixture *f = *state;
    struct ending first = {0};
    struct ending second = {0};
    fixture_use(f, TYPES "sig.on('message', function() "
                         "local c = coroutine.wrap(function() sig.sleep('5ms') return 'DONE' end) "
                         "return sig.deny(c()) end)");
    fixture_enter(f, 0, "ann");
    assert_int_equal(fixture_message(f, TALK, fixture_on_done, &first), LSIG_WAITING);
    struct lsig_envelope other;
    assert_int_equal(fixture_message_to(f, &other, TALK, fixture_on_done, &second), LSIG_WAITING);
    fixture_wait_for(f, &first.calls, 1);
    fixture_wait_for(f, &second.calls, 1);
    assert_string_equal(first.code, "DONE");
    assert_string_equal(second.code, "DONE");
}

static void nobody_resumes_a_coroutine_that_waits_for_another_hook(void **state)
{
    struct fixture *f = *state;
    struct ending end = {0};
    fixture_use(f,
                TYPES "local kept = {} sig.on('message', function() "
                      "if kept.c then local ok, said = coroutine.resume(kept.c, true) "
                      "return sig.deny('REFUSED', said) end "
                      "kept.c = coroutine.create(function() sig.sleep('20ms') return 'FIRST' end) "
                      "return sig.deny(select(2, coroutine.resume(kept.c))) end)");
    fixture_enter(f, 0, "ann");
    assert_int_equal(fixture_message(f, TALK, fixture_on_done, &end), LSIG_WAITING);
    struct lsig_envelope other;
    assert_int_equal(fixture_message_to(f, &other, TALK, NULL, NULL), LSIG_POLICY_DENIED);
    assert_string_equal(f->refusal.code, "REFUSED");
    assert_string_equal(f->refusal.message, "cannot resume a coroutine that waits");
    fixture_wait_for(f, &end.calls, 1);
    assert_string_equal(end.code, "FIRST");
}

static void nothing_waits_below_a_comparator_or_a_callback(void **state)
{
    struct fixture *f = *state;
    fixture_says(f, "table.sort({ 1, 2 }, function() sig.sleep('1ms') end)", "may not wait");
    fixture_says(f, "('x'):gsub('x', function() sig.sleep('1ms') end)", "may not wait");
    fixture_says(f,
                 "('x'):gsub('x', setmetatable({}, { __index = function() sig.sleep('1ms') end }))",
                 "may not wait");
    fixture_says(
        f, "table.sort({ 1, 2 }, function() coroutine.wrap(function() sig.sleep('1ms') end)() end)",
        "may not wait");
    fixture_says(f,
                 "('x'):gsub('x', function() coroutine.wrap(function() coroutine.wrap(function() "
                 "sig.sleep('1ms') end)() end)() end)",
                 "may not wait");
}

static void coroutines_that_ended_or_were_dropped_do_not_count(void **state)
{
    struct fixture *f = *state;
    f->options.cpu_ms = 5000;
    lsig_script_free(f->script, NULL, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    f->script = lsig_script_new(&f->options);
    fixture_says(f, "for i = 1, 50000 do coroutine.wrap(function() end)() end return 'fine'",
                 "fine");
    fixture_says(f,
                 "for i = 1, 50000 do coroutine.wrap(function() error('x') end) end return 'fine'",
                 "fine");
    fixture_says(f,
                 "for i = 1, 50000 do coroutine.wrap(function() coroutine.yield() end)() end "
                 "return 'fine'",
                 "fine");
    fixture_says(f, "local t = {} for i = 1, 20000 do t[i] = coroutine.create(print) end",
                 "policy.lua:1: coroutine.create: there are 10000 coroutines already, which is the "
                 "limit");
    fixture_says(f, "local t = {} for i = 1, 20000 do t[i] = coroutine.wrap(print) end",
                 "policy.lua:1: coroutine.wrap: there are 10000 coroutines already");
    fixture_says(
        f,
        "local t = {} for n = 1, 3 do for i = 1, 9000 do t[i] = coroutine.create(print) end "
        "end return 'fine'",
        "fine");
}

static void nesting_is_bounded_and_counts_only_who_resumed_whom(void **state)
{
    struct fixture *f = *state;
    fixture_says(
        f, "local function nest(n) if n > 0 then coroutine.wrap(nest)(n - 1) end end nest(101)",
        "coroutine.wrap: more than 100 coroutines within each other");
    fixture_says(f,
                 "local function nest(n) if n > 0 then coroutine.wrap(nest)(n - 1) end end "
                 "for i = 1, 20 do nest(100) end return 'fine'",
                 "fine");
    // One that is resumed from ever deeper places, and tries to resume those above it.
    fixture_says(f,
                 "local a, b b = coroutine.create(function() while true do "
                 "coroutine.resume(a) coroutine.yield() end end) "
                 "a = coroutine.create(function() for i = 1, 1000 do coroutine.resume(b) end "
                 "return 'fine' end) return select(2, coroutine.resume(a))",
                 "fine");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(coroutines_pass_values_both_ways),
        FIXTURE_TEST(errors_come_out_of_coroutines_with_their_place),
        FIXTURE_TEST(xpcall_has_the_stock_handler_only),
        FIXTURE_TEST(a_hook_waits_from_within_coroutines_at_any_depth),
        FIXTURE_TEST(two_hooks_may_wait_in_coroutines_of_the_same_depth),
        FIXTURE_TEST(nobody_resumes_a_coroutine_that_waits_for_another_hook),
        FIXTURE_TEST(nothing_waits_below_a_comparator_or_a_callback),
        FIXTURE_TEST(coroutines_that_ended_or_were_dropped_do_not_count),
        FIXTURE_TEST(nesting_is_bounded_and_counts_only_who_resumed_whom),
    };
    return cmocka_run_group_tests_name("script/coroutine", tests, NULL, NULL);
}
