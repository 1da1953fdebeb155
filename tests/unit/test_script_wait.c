#include "test_script_fixture.h"

#define TYPES "sig.type 'talk' {} "
#define TALK "{\"type\":\"talk\",\"payload\":{\"text\":\"hello\"}}"
#define QUIT "{\"type\":\"talk\",\"payload\":{\"text\":\"quit\"}}"

static void a_hook_waits_and_goes_on_with_its_message(void **state)
{
    struct fixture *f = *state;
    struct ending end = {0};
    fixture_use(f, TYPES "sig.on('message:talk', function(room, member, message)"
                         "  sig.sleep('10ms') sig.sleep(0.01) sig.sleep(0)"
                         "  return sig.deny('WAITED', message.payload.text)"
                         "end)");
    fixture_enter(f, 0, "ann");
    int64_t started = lsig_clock_now().mono_ms;
    assert_int_equal(fixture_message(f, TALK, fixture_on_done, &end), LSIG_WAITING);
    assert_non_null(f->run);
    assert_int_equal(f->metrics.hooks_waiting, 1);
    assert_int_equal(end.calls, 0);
    fixture_wait_for(f, &end.calls, 1);
    assert_true(lsig_clock_now().mono_ms - started >= 20);
    assert_int_equal(end.status, LSIG_POLICY_DENIED);
    assert_string_equal(end.code, "WAITED");
    assert_int_equal(f->metrics.hooks_waiting, 0);
    assert_int_equal(f->metrics.hook_calls, 1);
}

static void later_hooks_of_the_event_run_after_the_wait(void **state)
{
    struct fixture *f = *state;
    struct ending end = {0};
    fixture_use(
        f, TYPES
        "local log = {}"
        "sig.on('message', function() log[#log + 1] = 1 sig.sleep('5ms') log[#log + 1] = 2 end)"
        "sig.on('message:talk', function() log[#log + 1] = 3 sig.sleep('5ms') log[#log + 1] = 4 "
        "end)"
        "sig.on('message:talk', function() return sig.deny('ORDER_' .. table.concat(log)) end)");
    fixture_enter(f, 0, "ann");
    assert_int_equal(fixture_message(f, TALK, fixture_on_done, &end), LSIG_WAITING);
    fixture_wait_for(f, &end.calls, 1);
    assert_string_equal(end.code, "ORDER_1234");
}

struct order {
    int calls;
    int seen[4];
};
struct numbered {
    struct order *order;
    int number;
};

static void note_order(void *arg, enum lsig_status status, struct lsig_hook_result *result)
{
    (void)status;
    (void)result;
    struct numbered *one = arg;
    one->order->seen[one->order->calls++] = one->number;
}

static void other_hooks_go_on_while_one_waits(void **state)
{
    struct fixture *f = *state;
    struct order order = {0};
    struct numbered waits[] = {{&order, 0}, {&order, 1}, {&order, 2}};
    struct lsig_envelope envelopes[3];
    fixture_use(f,
                TYPES "local delays = { '60ms', '20ms', '40ms' } local at = { n = 0 }"
                      " sig.on('message', function() at.n = at.n + 1 sig.sleep(delays[at.n]) end)");
    fixture_enter(f, 0, "ann");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fixture_message_to(f, &envelopes[i], TALK, note_order, &waits[i]),
                         LSIG_WAITING);
    }
    assert_int_equal(f->metrics.hooks_waiting, 3);
    fixture_wait_for(f, &order.calls, 3);
    assert_int_equal(order.seen[0], 1);
    assert_int_equal(order.seen[1], 2);
    assert_int_equal(order.seen[2], 0);
}

static void a_member_that_left_meanwhile_is_not_present(void **state)
{
    struct fixture *f = *state;
    struct ending end = {0};
    fixture_use(f, TYPES "sig.on('message', function(room, member)"
                         "  local bob = room:member('bob') assert(bob.present and member.present)"
                         "  sig.sleep('10ms')"
                         "  return sig.deny('P', tostring(bob.present) .. bob.id), assert(not "
                         "bob.present and not room:member('bob'))"
                         "end)");
    fixture_enter(f, 0, "ann");
    fixture_enter(f, 1, "bob");
    assert_int_equal(fixture_message(f, TALK, fixture_on_done, &end), LSIG_WAITING);
    lsig_member_unref(lsig_room_leave(&f->connections[1], lsig_clock_now()).left);
    lsig_member_unref(f->members[1]); // only the hook holds it now
    f->members[1] = NULL;
    fixture_wait_for(f, &end.calls, 1);
    assert_int_equal(end.status, LSIG_POLICY_DENIED);
}

static void
a_dropped_run_goes_on_to_its_end_without_its_message_and_without_calling_back(void **state)
{
    struct fixture *f = *state;
    struct ending end = {0};
    fixture_use(f, TYPES "local last = { said = 'nothing' }"
                         " sig.on('message', function(room, member, message)"
                         "  local text = message.payload.text if text == 'quit' then return "
                         "sig.deny('LAST', last.said) end"
                         "  sig.sleep('10ms')"
                         "  local ok, said = pcall(function() return message.size end)"
                         "  last.said = message.payload.text .. ' ' .. message.type .. ' ' .. "
                         "tostring(said) .. member.id "
                         "end)");
    fixture_enter(f, 0, "ann");
    struct lsig_envelope *gone = lsig_alloc(sizeof(*gone));
    assert_int_equal(fixture_message_to(f, gone, TALK, fixture_on_done, &end), LSIG_WAITING);
    lsig_script_drop(f->run);
    free(gone);
    int idle = 1;
    while (f->metrics.hooks_waiting > 0) {
        lsig_script_tick(f->script, lsig_clock_now().mono_ms);
    }
    fixture_wait_for(f, &idle, 1);
    assert_int_equal(end.calls, 0);
    assert_int_equal(fixture_message(f, QUIT, NULL, NULL), LSIG_POLICY_DENIED);
    assert_non_null(strstr(f->refusal.message, "hello talk"));
    assert_non_null(strstr(f->refusal.message, "the message is gone"));
}

static void waiting_is_bounded_per_hook_call(void **state)
{
    struct fixture *f = *state;
    struct ending end = {0};
    fixture_use(f, TYPES "sig.limits { wait_ms = 50 } sig.on('message', function() "
                         "sig.sleep('30ms') sig.sleep('30ms') end)");
    fixture_enter(f, 0, "ann");
    assert_int_equal(fixture_message(f, TALK, fixture_on_done, &end), LSIG_WAITING);
    fixture_wait_for(f, &end.calls, 1);
    assert_int_equal(end.status, LSIG_POLICY_ERROR);
    assert_string_equal(end.code, "POLICY_ERROR");
    assert_int_equal(f->metrics.hook_wait_exceeded, 1);
    assert_int_equal(f->metrics.hook_errors, 1);
    fixture_says(f, "sig.sleep('1h')", "a hook may wait 2000 ms in all, and this would be more");
}

static void the_number_of_waiting_hooks_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct ending ends[3] = {{0}};
    struct lsig_envelope envelopes[3];
    f->options.waiting_max = 2;
    lsig_script_free(f->script, NULL, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    f->script = lsig_script_new(&f->options);
    fixture_use(f, TYPES "sig.on('message', function() sig.sleep('10ms') end)");
    fixture_enter(f, 0, "ann");
    assert_int_equal(fixture_message_to(f, &envelopes[0], TALK, fixture_on_done, &ends[0]),
                     LSIG_WAITING);
    assert_int_equal(fixture_message_to(f, &envelopes[1], TALK, fixture_on_done, &ends[1]),
                     LSIG_WAITING);
    assert_int_equal(fixture_message_to(f, &envelopes[2], TALK, fixture_on_done, &ends[2]),
                     LSIG_POLICY_ERROR);
    fixture_wait_for(f, &ends[1].calls, 1);
    assert_int_equal(ends[1].status, LSIG_OK);
    assert_int_equal(fixture_message_to(f, &envelopes[2], TALK, fixture_on_done, &ends[2]),
                     LSIG_WAITING);
    fixture_wait_for(f, &ends[2].calls, 1);
}

static void a_comparator_may_not_wait_and_a_protected_call_may(void **state)
{
    struct fixture *f = *state;
    struct ending end = {0};
    fixture_says(f, "table.sort({ 2, 1 }, function(a, b) sig.sleep(0) return a < b end)",
                 "sig.sleep: a comparator of table.sort may not wait");
    fixture_says(f, "sig.sleep('soon')", "sig.sleep: write a time like \"100ms\"");
    fixture_says(f, "sig.sleep(-1)", "sig.sleep: write a time like");
    fixture_says(f, "sig.sleep('5 s')", "sig.sleep: write a time like");
    fixture_use(
        f,
        TYPES "sig.on('message', function()"
              "  local ok, said = pcall(function() sig.sleep('5ms') error('after', 0) end)"
              "  for _ in (function() sig.sleep(0) return nil end) do end"
              "  local t = setmetatable({}, { __index = function(_, k) sig.sleep(0) return k end })"
              "  return sig.deny('SAID_' .. said:upper() .. '_' .. t.X) end)");
    fixture_enter(f, 0, "ann");
    assert_int_equal(fixture_message(f, TALK, fixture_on_done, &end), LSIG_WAITING);
    fixture_wait_for(f, &end.calls, 1);
    assert_string_equal(end.code, "SAID_AFTER_X");
}

static void handles_of_a_waiting_hook_are_no_use_to_another(void **state)
{
    struct fixture *f = *state;
    struct ending end = {0};
    fixture_use(f, TYPES "local kept = {} sig.on('message', function(room, member, message)"
                         "  if message.payload.text == 'quit' then return sig.deny('X', select(2, "
                         "pcall(function() return kept.room.id end))) end"
                         "  kept.room = room sig.sleep('10ms') assert(kept.room.id == 'r1') end)");
    fixture_enter(f, 0, "ann");
    assert_int_equal(fixture_message(f, TALK, fixture_on_done, &end), LSIG_WAITING);
    struct lsig_envelope other;
    struct lsig_hook_run *run = f->run;
    assert_int_equal(fixture_message_to(f, &other, QUIT, NULL, NULL), LSIG_POLICY_DENIED);
    assert_ptr_equal(f->run, run);
    assert_non_null(strstr(f->refusal.message, "room used in another hook than its own"));
    fixture_wait_for(f, &end.calls, 1);
    assert_int_equal(end.status, LSIG_OK);
}

static void suspended_runs_end_with_the_script(void **state)
{
    struct fixture *f = *state;
    struct ending end = {0};
    fixture_use(f, TYPES "sig.on('message', function() sig.sleep('2s') end)");
    uint32_t refs = fixture_enter(f, 0, "ann")->refs;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fixture_message(f, TALK, fixture_on_done, &end), LSIG_WAITING);
    }
    int64_t started = lsig_clock_now().mono_ms;
    lsig_script_free(f->script, NULL, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    f->script = lsig_script_new(&f->options);
    assert_true(lsig_clock_now().mono_ms - started < 1000);
    assert_int_equal(end.calls, 3);
    assert_int_equal(end.status, LSIG_DRAINING);
    assert_int_equal(f->members[0]->refs, refs);
}

static void many_hooks_wait_at_once_and_their_memory_comes_back(void **state)
{
    struct fixture *f = *state;
    enum { MANY = 500 };
    struct ending end = {0};
    fixture_use(f, TYPES "sig.on('message', function(room) local all = room:members() "
                         "sig.sleep('20ms') assert(all[1].id) end)");
    fixture_enter(f, 0, "ann");
    uint32_t refs = fixture_enter(f, 1, "bob")->refs;
    int64_t memory = 0;
    for (int round = 1; round <= 20; round++) {
        for (int i = 0; i < MANY; i++) {
            assert_int_equal(fixture_message(f, TALK, fixture_on_done, &end), LSIG_WAITING);
        }
        assert_int_equal(f->metrics.hooks_waiting, MANY);
        fixture_wait_for(f, &end.calls, MANY * round);
        if (round == 5) {
            memory = f->metrics.policy_memory;
        }
    }
    assert_int_equal(end.status, LSIG_OK);
    assert_true(f->metrics.policy_memory < memory * 3 / 2);
    assert_int_equal(f->members[1]->refs, refs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_hook_waits_and_goes_on_with_its_message),
        FIXTURE_TEST(later_hooks_of_the_event_run_after_the_wait),
        FIXTURE_TEST(other_hooks_go_on_while_one_waits),
        FIXTURE_TEST(a_member_that_left_meanwhile_is_not_present),
        FIXTURE_TEST(a_dropped_run_goes_on_to_its_end_without_its_message_and_without_calling_back),
        FIXTURE_TEST(waiting_is_bounded_per_hook_call),
        FIXTURE_TEST(the_number_of_waiting_hooks_is_bounded),
        FIXTURE_TEST(a_comparator_may_not_wait_and_a_protected_call_may),
        FIXTURE_TEST(handles_of_a_waiting_hook_are_no_use_to_another),
        FIXTURE_TEST(suspended_runs_end_with_the_script),
        FIXTURE_TEST(many_hooks_wait_at_once_and_their_memory_comes_back),
    };
    return cmocka_run_group_tests_name("script/wait", tests, NULL, NULL);
}
