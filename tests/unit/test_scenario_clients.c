// Virtual clients: they come, speak, hear, go and return as real ones do.
#include "test_scenario_fixture.h"

static void a_client_joins_and_hears_what_the_others_say(void **state)
{
    fixture_passes_test(*state, "",
                        "local ann, bob = t:client { user = 'ann' }, t:client { user = 'bob' } "
                        "local welcome = ann:joins 'r1' "
                        "assert(welcome.payload.self.role == 'host') "
                        "bob:joins 'r1' "
                        "ann:receives { type = 'user-joined', payload = { user_id = 'bob' } } "
                        "ann:sends('say', { text = 'hello' }) "
                        "local frame = bob:receives('say', { text = 'hello' }) "
                        "assert(frame.sender_id == 'ann' and frame.room_id == 'r1') "
                        "ann:receives_nothing()");
}

static void both_dialects_are_spoken(void **state)
{
    fixture_passes_test(
        *state, "",
        "local old, new = t:client { user = 'old', dialect = 'compat' }, t:client 'new' "
        "local welcome = old:joins 'r1' "
        "assert(welcome.seq == nil and welcome.payload.self == nil) "
        "assert(new:joins('r1').seq == 1) "
        "old:receives 'room-state' "
        "old:receives { type = 'user-joined', payload = { user_id = 'new' } } "
        "new:sends { type = 'say', payload = { n = 1 }, id = 7 } "
        "new:receives { type = 'ack', payload = { id = 7 } } "
        "old:receives { type = 'say', payload = { n = 1 } }");
}

static void a_message_with_a_target_reaches_that_one_alone(void **state)
{
    fixture_passes_test(
        *state, "",
        "local ann, bob, eve = t:client 'ann', t:client 'bob', t:client 'eve' "
        "ann:joins 'r1' bob:joins 'r1' eve:joins 'r1' "
        "ann:sends { type = 'whisper', target = 'bob', payload = { n = 1 } } "
        "bob:receives 'whisper' eve:receives_nothing 'whisper' "
        "ann:sends('whisper', { n = 2 }, 'nobody') ann:is_refused 'TARGET_NOT_FOUND'");
}

static void claims_are_what_the_policy_reads(void **state)
{
    fixture_passes_test(
        *state,
        "sig.on('join', function(room, member) "
        "if member.claims.plan ~= 'pro' then return sig.deny('NO_PLAN', 'pay first') end end)",
        "local ann = t:client { user = 'ann', claims = { plan = 'pro' } } "
        "local bob = t:client { user = 'bob', claims = { plan = 'free' } } "
        "ann:joins 'r1' "
        "bob:joins 'r1' bob:is_refused 'NO_PLAN' bob:is_closed(1008)");
}

static void a_client_that_leaves_is_gone_at_once(void **state)
{
    fixture_passes_test(
        *state, "",
        "local ann, bob = t:client 'ann', t:client 'bob' "
        "ann:joins 'r1' bob:joins 'r1' ann:leaves() "
        "bob:receives { type = 'user-left', payload = { user_id = 'ann', reason = 'bye' } } "
        "bob:receives { type = 'role-updated', payload = { user_id = 'bob', role = 'host' } } "
        "assert(t:room('r1').count == 1 and t:room('r1').host == 'bob')");
}

static void a_client_that_drops_is_away_and_resumes_with_what_it_missed(void **state)
{
    fixture_passes_test(
        *state, "",
        "local ann, bob = t:client 'ann', t:client 'bob' "
        "ann:joins 'r1' bob:joins 'r1' bob:drops() "
        "ann:receives { type = 'user-away', payload = { user_id = 'bob' } } "
        "ann:sends('say', { n = 1 }) ann:sends('say', { n = 2 }) "
        "local welcome = bob:resumes() "
        "assert(welcome.payload.resumed == true) "
        "bob:receives { type = 'say', payload = { n = 1 } } "
        "bob:receives { type = 'say', payload = { n = 2 } } bob:receives_nothing 'say' "
        "ann:receives { type = 'user-back', payload = { user_id = 'bob' } }");
}

static void a_compat_client_returns_by_joining_again(void **state)
{
    fixture_passes_test(*state, "",
                        "local ann = t:client 'ann' "
                        "local bob = t:client { user = 'bob', dialect = 'compat' } "
                        "ann:joins 'r1' bob:joins 'r1' bob:drops() ann:sends('say', { n = 1 }) "
                        "assert(bob:joins('r1').payload.reconnected == true) "
                        "bob:receives('say', { n = 1 }) "
                        "ann:receives 'user-back'");
}

static void a_client_that_vanishes_is_noticed_by_its_silence(void **state)
{
    fixture_passes_test(
        *state, "",
        "local ann, bob = t:client 'ann', t:client 'bob' "
        "ann:joins 'r1' bob:joins 'r1' ann:vanishes() "
        "t:advance '24s' bob:receives_nothing 'user-away' "
        "t:advance '1s' bob:receives { type = 'user-away', payload = { user_id = 'ann' } } "
        "t:advance '29s' bob:receives_nothing 'user-left' "
        "t:advance '1s' bob:receives('user-left', { user_id = 'ann', reason = 'timeout' })");
}

static void one_that_vanished_takes_its_session_over_before_it_is_noticed(void **state)
{
    fixture_passes_test(*state, "",
                        "local ann, bob = t:client 'ann', t:client 'bob' "
                        "ann:joins 'r1' bob:joins 'r1' bob:vanishes() ann:sends('say', { n = 1 }) "
                        "bob:receives_nothing 'say' "
                        "assert(bob:resumes().payload.resumed == true) "
                        "bob:receives('say', { n = 1 }) ann:receives_nothing 'user-away' "
                        "t:advance '2min' ann:receives_nothing 'user-away'");
}

static void connect_and_auth_hooks_see_the_handshake(void **state)
{
    fixture_passes_test(
        *state,
        "sig.on('connect', function(request) "
        "if request.ip == '192.0.2.66' then return sig.deny('BAD_ADDRESS', 'no') end end) "
        "sig.on('auth', function(request, claims) sig.sleep '200ms' "
        "if claims.banned then return sig.deny('BANNED', 'go away') end end)",
        "local ann = t:client { user = 'ann', address = '192.0.2.66' } "
        "ann:joins 'r1' ann:is_refused 'BAD_ADDRESS' "
        "local bob = t:client { user = 'bob', claims = { banned = true } } "
        "bob:joins 'r1' bob:is_refused 'BANNED' bob:is_closed(4401) "
        "t:client 'eve':joins 'r1'");
}

static void the_sixth_connection_of_a_user_is_refused(void **state)
{
    fixture_passes_test(*state, "",
                        "for _ = 1, 5 do t:client('ann'):joins 'r1' end "
                        "local ann = t:client 'ann' ann:joins 'r1' ann:is_refused(429) "
                        "assert(t:room('r1').members[1].connections == 5)");
}

static void a_bad_frame_is_answered_as_on_a_real_socket(void **state)
{
    fixture_passes_test(*state, "",
                        "local ann = t:client 'ann' ann:joins 'r1' "
                        "ann:sends_raw '{nonsense' ann:is_refused 'INVALID_JSON' "
                        "ann:sends 'no-such-type' ann:is_refused 'UNKNOWN_TYPE' "
                        "ann:sends('say', { text = ('x'):rep(70000) }) ann:is_closed(1009)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(a_client_joins_and_hears_what_the_others_say),
        SCENARIO_TEST(both_dialects_are_spoken),
        SCENARIO_TEST(a_message_with_a_target_reaches_that_one_alone),
        SCENARIO_TEST(claims_are_what_the_policy_reads),
        SCENARIO_TEST(a_client_that_leaves_is_gone_at_once),
        SCENARIO_TEST(a_client_that_drops_is_away_and_resumes_with_what_it_missed),
        SCENARIO_TEST(a_compat_client_returns_by_joining_again),
        SCENARIO_TEST(a_client_that_vanishes_is_noticed_by_its_silence),
        SCENARIO_TEST(one_that_vanished_takes_its_session_over_before_it_is_noticed),
        SCENARIO_TEST(connect_and_auth_hooks_see_the_handshake),
        SCENARIO_TEST(the_sixth_connection_of_a_user_is_refused),
        SCENARIO_TEST(a_bad_frame_is_answered_as_on_a_real_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
