#include "test_script_state_fixture.h"

#include "room/hub.h"

#define ONE                                                                                        \
    "sig.room_state { hands = sig.set {}, queue = sig.list {}, votes = sig.map {},"                \
    " polls = sig.counter {}, locked = sig.value {} }"
#define FILL                                                                                       \
    "local s = room.state s.hands:add('b') s.hands:add('a') s.queue:push('q') s.queue:push(2)"     \
    " s.votes:set('z', 1) s.votes:set('c', 2) s.votes:set('a', 3) s.polls:incr(7) s.locked = "     \
    "'yes'"

// Version 2: the hands are a list, the votes doubled, the polls gone; a title is new.
#define TWO_STATE                                                                                  \
    "hands = sig.list {}, queue = sig.list {}, votes = sig.map { value = sig.integer },"           \
    " title = sig.value { type = sig.string, default = 'none' }, locked = sig.value {}"
#define UP                                                                                         \
    "function(old) for k, v in pairs(old.votes) do old.votes[k] = v * 2 end"                       \
    " old.votes.new = old.polls old.votes.new3 = 0 old.votes.new10 = 0 old.polls = nil return "    \
    "old end"
#define DOWN "function(new) new.votes = {} new.title = nil new.polls = 5 return new end"
#define TWO                                                                                        \
    "sig.room_state { version = 2, " TWO_STATE ", migrate = { [1] = { up = " UP ", down = " DOWN   \
    " } } }"
#define SHOW_TWO                                                                                   \
    "local s = room.state return table.concat(s.hands:copy(), ',') .. ' ' .. s.votes:get('z')"     \
    " .. s.votes:get('a') .. s.votes:get('new') .. ' ' .. s.title .. ' ' .. s.locked .. ' '"       \
    " .. table.concat(s.votes:keys(), ',')"

// The fixture's script keeps no version but the one in force.
static void keep_versions(struct fixture *f)
{
    f->options.versions_kept = 4;
    lsig_script_free(f->script, NULL, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    f->script = lsig_script_new(&f->options);
}

static int64_t version_of(const struct fixture *f)
{
    const struct lsig_state *state = lsig_state_find(f->room, lsig_span_of("policy"));
    return state != NULL ? state->version : 0;
}

// Joins, and the migration has to fail with an error in the log; details name what is to be named.
static void fails(struct fixture *f, const char *declare, int64_t version)
{
    int64_t errors = f->metrics.hook_errors;
    fixture_load_body(f, declare, "return 'entered'");
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, fixture_joiner(f), NULL, NULL),
                     LSIG_POLICY_ERROR);
    assert_non_null(strstr(f->refusal.details, "\"policy\":\"policy\""));
    assert_non_null(strstr(f->refusal.details, "\"room\":\"r1\""));
    assert_non_null(strstr(f->refusal.details, "\"from\":1"));
    assert_int_equal(f->metrics.hook_errors, errors + 1);
    assert_int_equal(version_of(f), version);
}

static void a_room_is_migrated_before_the_first_hook_of_the_new_version(void **state)
{
    struct fixture *f = *state;
    fixture_tells(f, ONE, FILL, "nil");
    assert_int_equal(version_of(f), 1);
    fixture_tells(f, TWO, SHOW_TWO, "b,a 267 none yes z,c,a,new,new10,new3");
    assert_int_equal(version_of(f), 2);
    fixture_tells(f, TWO, SHOW_TWO, "b,a 267 none yes z,c,a,new,new10,new3");
}

static void steps_are_gone_one_after_the_other(void **state)
{
    struct fixture *f = *state;
    fixture_tells(f, "sig.room_state { n = sig.value {} }", "room.state.n = '1'", "nil");
    fixture_tells(
        f,
        "local function to(n) return function(old) return { n = old.n .. n } end end "
        "sig.room_state { version = 4, n = sig.value {}, migrate = { [1] = { up = to(2) },"
        " [2] = { up = to(3) }, [3] = { up = to(4) } } }",
        "return room.state.n", "1234");
}

static void a_step_sees_empty_containers_and_may_leave_out_what_is_to_be_empty(void **state)
{
    struct fixture *f = *state;
    fixture_tells(f, ONE, "room.state.polls:incr()", "nil");
    fixture_tells(
        f,
        "sig.room_state { version = 2, a = sig.set {}, b = sig.value { default = 3 }, c = "
        "sig.counter "
        "{}, seen = sig.value {}, migrate = { [1] = { up = function(old) return { seen = "
        "#old.hands .. #old.queue .. type(next(old.votes)) .. old.polls .. tostring(old.locked) } "
        "end } } }",
        "local s = room.state return s.seen .. s.a:count() .. s.b .. s.c:get()", "00nil1nil030");
}

static void a_failing_step_fails_the_event_and_leaves_the_room_as_it_was(void **state)
{
    struct fixture *f = *state;
    fixture_tells(f, ONE, FILL, "nil");
    static const char *const bad[] = {
        "error('broken')",
        "return 5",
        "return { hands = { 1 } }",
        "return { hands = { 'a', 'b', 'c', 'd' } }",
        "return { hands = 'a' }",
        "return { hands = { x = 'a' } }",
        "return { hnds = {} }",
        "return { [1] = 2 }",
        "return { n = 1.5 }",
        "return { votes = { a = 'x' } }",
        "return { votes = { [3] = 1 } }",
        "return { note = print }",
        "return { note = ('x'):rep(70000) }",
        "sig.sleep('1ms') return {}",
        "coroutine.yield() return {}",
        "local t = {} while true do t[#t + 1] = ('x'):rep(100000) end",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char declare[600];
        snprintf(declare, sizeof(declare),
                 "sig.room_state { version = 2, hands = sig.set { max = 3 }, n = sig.counter {},"
                 " votes = sig.map { value = sig.integer }, note = sig.value {},"
                 " migrate = { [1] = { up = function(old) %s end } } }",
                 bad[i]);
        fails(f, declare, 1);
    }
    fixture_tells(f,
                  "sig.room_state { version = 2, hands = sig.set {}, migrate = { [1] = { up = "
                  "function(old) return { hands = old.hands } end } } }",
                  "return table.concat(room.state.hands:copy(), ',')", "b,a");
}

static void a_step_has_the_processor_time_of_a_hook(void **state)
{
    fixture_needs_ticks();
    struct fixture *f = *state;
    fixture_tells(f, ONE, FILL, "nil");
    fails(f,
          "sig.room_state { version = 2, migrate = { [1] = { up = function() while true do "
          "pcall(function() while true do end end) end end } } }",
          1);
    assert_int_equal(f->metrics.hook_cpu_exceeded, 1);
}

static void rooms_fail_for_themselves(void **state)
{
    struct fixture *f = *state;
    fixture_tells(f, ONE, "room.state.locked = 'bad'", "nil");
    struct lsig_room *other = lsig_hub_open(f->hub, lsig_span_of("r2"));
    struct lsig_member *joiner = lsig_member_new(other, lsig_span_of("joe"), lsig_span_of("joe"));
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, joiner, NULL, NULL), LSIG_POLICY_DENIED);
    lsig_state_drop(other->states);
    fixture_load_body(f, ONE, "room.state.locked = 'good'");
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, joiner, NULL, NULL), LSIG_POLICY_DENIED);
    fails(f,
          "sig.room_state { version = 2, locked = sig.value {}, migrate = { [1] = { up = "
          "function(old) if old.locked == 'bad' then error('no') end return { locked = 'fine' } "
          "end } } }",
          1);
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, joiner, NULL, NULL), LSIG_POLICY_DENIED);
    assert_int_equal(other->states->version, 2);
    lsig_member_unref(joiner);
    lsig_room_unref(other);
}

static void a_rollback_runs_the_way_back_of_the_newer_version(void **state)
{
    struct fixture *f = *state;
    keep_versions(f);
    fixture_tells(f, ONE, FILL, "nil");
    fixture_load_body(
        f, ONE,
        "local s = room.state return table.concat(s.hands:copy(), ',') .. s.polls:get()"
        " .. s.votes:count() .. s.locked .. s.queue:at(2)");
    uint64_t one = lsig_script_version(f->script);
    fixture_tells(f, TWO, "room.state.title = 'new' room.state.hands:push('x')", "nil");
    assert_int_equal(version_of(f), 2);
    lsig_buf_reset(&f->report);
    assert_int_equal(lsig_script_use(f->script, one, false, &f->report), LSIG_OK);
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, fixture_joiner(f), NULL, NULL),
                     LSIG_POLICY_DENIED);
    assert_string_equal(f->refusal.message, "b,a,x50yes2");
    assert_int_equal(version_of(f), 1);
}

#define TWO_WITHOUT_DOWN                                                                           \
    "sig.room_state { version = 2, " TWO_STATE ", migrate = { [1] = { up = " UP " } } }"

static void a_rollback_without_a_way_back_is_refused_unless_told_to_drop_the_state(void **state)
{
    struct fixture *f = *state;
    keep_versions(f);
    fixture_tells(f, ONE, FILL, "nil");
    fixture_load_body(f, ONE, "return room.state.hands:count() .. room.state.polls:get()");
    uint64_t one = lsig_script_version(f->script);
    fixture_tells(f, TWO_WITHOUT_DOWN, "return room.state.hands:count()", "2");
    lsig_buf_reset(&f->report);
    assert_int_not_equal(lsig_script_use(f->script, one, false, &f->report), LSIG_OK);
    assert_non_null(
        strstr(f->report.data, "policy.lua:1: the state of policy: there is no migrate[1].down"));
    assert_int_equal(lsig_script_use(f->script, one, true, &f->report), LSIG_OK);
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, fixture_joiner(f), NULL, NULL),
                     LSIG_POLICY_DENIED);
    assert_string_equal(f->refusal.message, "00");
    assert_int_equal(version_of(f), 0);
}

static void a_suspended_hook_of_the_older_version_hears_that_the_state_is_migrated(void **state)
{
    struct fixture *f = *state;
    struct ending end = {0};
    fixture_use(f, ONE "sig.on('join', function(room) room.state.polls:incr() sig.sleep('30ms')"
                       " local ok, said = pcall(function() room.state.polls:incr() end)"
                       " if said:find('has been migrated to version 2 by a newer policy', 1, true)"
                       " then return sig.deny('TOLD') end end)");
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, fixture_joiner(f), fixture_on_done, &end),
                     LSIG_WAITING);
    fixture_tells(f, TWO, "return room.state.votes:get('new')", "1");
    fixture_wait_for(f, &end.calls, 1);
    assert_string_equal(end.code, "TOLD");
    assert_int_equal(version_of(f), 2);
    fixture_tells(f, TWO, "return room.state.votes:get('new')", "1");
}

static void under_one_version_new_containers_are_empty_and_gone_ones_stay(void **state)
{
    struct fixture *f = *state;
    fixture_tells(f, "sig.room_state { a = sig.set {}, b = sig.counter {} }",
                  "room.state.a:add('x') room.state.b:incr()", "nil");
    fixture_tells(f, "sig.room_state { b = sig.counter {}, c = sig.list {} }",
                  "return room.state.b:get() .. room.state.c:count()", "10");
    fixture_tells(f, "sig.room_state { a = sig.set {} }", "return room.state.a:copy()[1]", "x");
}

static void a_state_that_nobody_declares_any_more_stays(void **state)
{
    struct fixture *f = *state;
    fixture_tells(f, ONE, FILL, "nil");
    fixture_tells(f, "", "return 'fine'", "fine");
    fixture_tells(f, ONE, "return room.state.polls:get()", "7");
}

static void a_kind_that_changed_under_one_version_is_refused_at_load(void **state)
{
    struct fixture *f = *state;
    fixture_tells(f, ONE, FILL, "nil");
    fixture_refuses(
        f, "sig.room_state { hands = sig.list {} }",
        "the state of policy: hands is a set here and a list in the other version, under "
        "the same number 1");
}

static void a_step_that_is_missing_for_what_rooms_have_is_refused_at_load(void **state)
{
    struct fixture *f = *state;
    fixture_tells(f, ONE, FILL, "nil");
    fixture_refuses(
        f,
        "sig.room_state { version = 3, migrate = { [2] = { up = function(old) return {} "
        "end } } }",
        "policy.lua:1: the state of policy: there is no migrate[1].up");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_room_is_migrated_before_the_first_hook_of_the_new_version),
        FIXTURE_TEST(steps_are_gone_one_after_the_other),
        FIXTURE_TEST(a_step_sees_empty_containers_and_may_leave_out_what_is_to_be_empty),
        FIXTURE_TEST(a_failing_step_fails_the_event_and_leaves_the_room_as_it_was),
        FIXTURE_TEST(a_step_has_the_processor_time_of_a_hook),
        FIXTURE_TEST(rooms_fail_for_themselves),
        FIXTURE_TEST(a_rollback_runs_the_way_back_of_the_newer_version),
        FIXTURE_TEST(a_rollback_without_a_way_back_is_refused_unless_told_to_drop_the_state),
        FIXTURE_TEST(a_suspended_hook_of_the_older_version_hears_that_the_state_is_migrated),
        FIXTURE_TEST(under_one_version_new_containers_are_empty_and_gone_ones_stay),
        FIXTURE_TEST(a_state_that_nobody_declares_any_more_stays),
        FIXTURE_TEST(a_kind_that_changed_under_one_version_is_refused_at_load),
        FIXTURE_TEST(a_step_that_is_missing_for_what_rooms_have_is_refused_at_load),
    };
    return cmocka_run_group_tests_name("script/migrate", tests, NULL, NULL);
}
