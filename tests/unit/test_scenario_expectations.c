// What tests can expect: frames by pattern, nothing, refusals, closes, errors of hooks, state.
#include "test_scenario_fixture.h"

#define TWO "local ann, bob = t:client 'ann', t:client 'bob' ann:joins 'r1' bob:joins 'r1' "

static void a_pattern_names_what_it_wants_and_no_more(void **state)
{
    fixture_passes_test(
        *state, "",
        TWO
        "ann:sends('say', { list = { 1, 'two', { deep = true } }, text = 'hello', n = 1.5 }) "
        "bob:receives('say', { list = { 1, t.any, { deep = true } }, text = t.match '^h.*o$' }) "
        "ann:sends('say', { a = 1 }) "
        "bob:receives { type = 'say', payload = t.exactly { a = 1 }, sender_id = 'ann' }");
    fixture_fails_test(*state,
                       TWO "ann:sends('say', { a = 1, b = 2 }) "
                           "bob:receives('say', t.exactly { a = 1 })",
                       "nearest: say: payload has 2 members, not 1\n");
    fixture_fails_test(*state,
                       TWO "ann:sends('say', { a = { 1, 2 } }) bob:receives('say', { a = { 1 } })",
                       "nearest: say: payload.a has 2 elements, not 1\n");
    fixture_fails_test(
        *state, TWO "ann:sends('say', { a = 'x' }) bob:receives('say', { a = t.match '^y' })",
        "nearest: say: payload.a is \"x\", which does not match \"^y\"\n");
    fixture_fails_test(*state, TWO "ann:sends('say', {}) bob:receives('say', { a = t.any })",
                       "nearest: say: payload.a is not there\n");
}

static void a_capture_stands_for_the_same_value_from_then_on(void **state)
{
    fixture_passes_test(*state, "",
                        TWO "ann:sends('say', { id = 'x1' }) ann:sends('say', { id = 'x2' }) "
                            "ann:sends('say', { id = 'x1' }) "
                            "bob:receives('say', { id = t.capture 'id' }) "
                            "assert(t:captured 'id' == 'x1') "
                            "bob:receives('say', { id = t.capture 'id' }) "
                            "bob:receives_nothing()");
    fixture_fails_test(*state, "t:captured 'nothing'", "nothing has been captured as \"nothing\"");
}

static void frames_are_read_in_their_order(void **state)
{
    fixture_fails_test(
        *state,
        TWO "ann:sends('say', { n = 1 }) ann:sends('say', { n = 2 }) "
            "bob:receives('say', { n = 2 }) bob:receives('say', { n = 1 })",
        "it came before, at 0.000 s: an earlier line has read it, or passed over it");
}

static void nothing_means_that_no_unread_frame_fits(void **state)
{
    fixture_passes_test(*state, "",
                        TWO
                        "ann:sends('say', { n = 1 }) bob:receives_nothing 'whisper' "
                        "bob:receives_nothing('say', { n = 2 }) bob:receives('say', { n = 1 })");
    fixture_fails_test(*state, TWO "ann:sends('say', { n = 1 }) bob:receives_nothing 'say'",
                       "bob:receives_nothing: this came: {");
}

static void time_passes_for_an_expectation_only_if_it_says_so(void **state)
{
    const char *slow = "sig.on('message:say', function() sig.sleep '1s' end)";
    fixture_passes_test(*state, slow,
                        TWO
                        "ann:sends('say', {}) bob:receives_nothing() "
                        "bob:receives { type = 'say', within = '2s' } assert(sig.now() % 60 == 1)");
    fixture_passes_test(*state, slow,
                        TWO "ann:sends('say', {}) bob:receives_nothing { within = '900ms' } "
                            "bob:receives('say', {}, { within = '100ms' })");
    fixture_fails_test(*state, TWO "bob:receives { type = 'say', within = '5s' }",
                       "nothing like this came: {\"type\":\"say\"}");
}

static void write_locked(char out[512], const char *rest)
{
    snprintf(out, 512,
             "sig.on('join', function() return sig.deny('LOCKED', 'come back later') end)\n"
             "sig.test('it', function(t) local ann = t:client 'ann'\n"
             "ann:joins 'r1'\n"
             "%s end)",
             rest);
}

static void a_refused_join_fails_unless_the_test_says_so(void **state)
{
    char text[512];
    const char *refused = "policy.lua:4: test \"it\": ann was refused: LOCKED: come back later\n";
    write_locked(text, "t:advance '1s'");
    fixture_fails(*state, text, refused);
    write_locked(text, "");
    fixture_fails(*state, text, refused);
    write_locked(text, "ann:is_refused 'FULL'");
    fixture_fails(*state, text,
                  "policy.lua:5: test \"it\": ann:is_refused: it was refused with LOCKED, not with "
                  "\"FULL\"\n");
    write_locked(text, "ann:is_refused 'LOCKED' ann:is_closed(1008)");
    fixture_passes(*state, text);
}

static void an_error_of_a_hook_fails_the_test_unless_it_is_expected(void **state)
{
    const char *policy = "sig.on('message:say', function() error 'boom' end)";
    fixture_passes_test(*state, policy,
                        TWO "t:expects_error 'boom$' ann:sends('say', {}) "
                            "ann:is_refused 'POLICY_ERROR' bob:receives_nothing()");
    char text[512];
    snprintf(text, sizeof(text), "%s\nsig.test('it', function(t) %s ann:sends('say', {}) end)",
             policy, TWO);
    fixture_fails(
        *state, text,
        "policy.lua:2: test \"it\": the hook \"message:say\" failed: policy.lua:2: boom\n");
    fixture_fails_test(*state, "t:expects_error 'boom'",
                       "expects_error: no hook failed with \"boom\"");
}

static void an_error_in_a_hook_is_named_beside_a_failed_expectation(void **state)
{
    fixture_fails(*state,
                  "sig.on('message:say', function() error 'boom' end)\n"
                  "sig.test('it', function(t) " TWO "ann:sends('say', {}) bob:receives 'say' end)",
                  "    also: the hook \"message:say\" failed: policy.lua:2: boom\n");
}

static void state_and_rooms_can_be_looked_at(void **state)
{
    fixture_passes_test(
        *state,
        "sig.room_state { hands = sig.set { max = 5 }, turns = sig.list { max = 5 }, "
        "votes = sig.map { max = 5 }, count = sig.counter {}, "
        "locked = sig.value { type = sig.boolean, default = false } } "
        "sig.on('message:say', function(room, member, message) "
        "local state = room.state state.hands:add(member.id) state.turns:push(member.id) "
        "state.votes:set(member.id, { yes = true }) state.count:incr() state.locked = true "
        "member.attr.mood = 'fine' end)",
        TWO "ann:sends('say', {}) bob:sends('say', {}) "
            "local state, room = t:state 'r1', t:room 'r1' "
            "assert(state.hands[2] == 'bob' and #state.turns == 2 and state.votes.ann.yes) "
            "assert(state.count == 2 and state.locked == true) "
            "assert(room.count == 2 and room.host == 'ann') "
            "assert(room.members[2].id == 'bob' and room.members[2].role == 'participant') "
            "assert(room.members[1].attr.mood == 'fine' and not room.members[1].away) "
            "assert(t:room 'r2' == nil and t:state 'r2' == nil)");
}

static void a_failure_that_is_caught_is_none(void **state)
{
    fixture_passes_test(*state, "",
                        TWO "local fine, text = pcall(function() bob:receives 'say' end) "
                            "assert(not fine and text:find 'nothing like this came')");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(a_pattern_names_what_it_wants_and_no_more),
        SCENARIO_TEST(a_capture_stands_for_the_same_value_from_then_on),
        SCENARIO_TEST(frames_are_read_in_their_order),
        SCENARIO_TEST(nothing_means_that_no_unread_frame_fits),
        SCENARIO_TEST(time_passes_for_an_expectation_only_if_it_says_so),
        SCENARIO_TEST(a_refused_join_fails_unless_the_test_says_so),
        SCENARIO_TEST(an_error_of_a_hook_fails_the_test_unless_it_is_expected),
        SCENARIO_TEST(an_error_in_a_hook_is_named_beside_a_failed_expectation),
        SCENARIO_TEST(state_and_rooms_can_be_looked_at),
        SCENARIO_TEST(a_failure_that_is_caught_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
