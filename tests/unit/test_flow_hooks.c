// Which hook hears of what, when, and what it may answer.
#include "test_flow_fixture.h"

#include "room/timers.h"

// What hooks have heard goes to everybody as `heard`.
#define TELL "local function tell(room, what) room:send('heard', { n = 0, what = what }) end "

static void away_back_and_resume_hear_of_a_lost_socket_and_its_return(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, TELL "for _, name in ipairs { 'away', 'back', 'resume' } do "
                        "sig.on(name, function(room, member) "
                        "tell(room, name .. ' ' .. member.id .. ' ' .. tostring(member.away)) end) "
                        "end");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    assert_true(fixture_lose(ann));
    assert_has(fixture_last(bob, "heard"), "away ann true");
    fixture_return(f, "ann", LSIG_V1, fixture_resume_token(ann), 0);
    assert_heard(bob, "heard(null 0) heard(null 0) heard(null 0)");
    assert_has(fixture_last(bob, "heard"), "resume ann false");
}

static void room_open_and_room_close_hear_of_the_first_and_the_last_member(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, TELL "sig.on('room_open', function(room) tell(room, 'open ' .. room.count) end) "
                        "sig.on('room_close', function(room) "
                        "sig.log('info', 'closed ' .. room.id .. room.count) end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    assert_has(fixture_last(ann, "heard"), "open 1");
    fixture_join(f, "bob", LSIG_V1);
    assert_int_equal(f->metrics.hook_calls, 1);
    fixture_leave(ann, "bye");
    assert_int_equal(f->metrics.hook_calls, 1);
    fixture_leave(&f->peers[1], "bye");
    assert_int_equal(f->metrics.hook_calls, 2);
    assert_int_equal(f->metrics.hook_errors, 0);
}

static void a_leave_hook_hears_the_reason(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, TELL "sig.on('leave', function(room, member, reason) "
                        "tell(room, member.id .. ' ' .. reason .. tostring(member.present)) end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_leave(ann, "kicked");
    assert_has(fixture_last(bob, "heard"), "ann kickedfalse");
}

static void auth_is_asked_before_the_join_and_may_refuse(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('auth', function(request, claims) "
                   "if claims.sub == 'eve' then return sig.deny('NOT_YOU', 'go away') end end) "
                   "sig.on('join', function(room, member) assert(member.id ~= 'eve') end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    assert_int_equal(ann->client.state, LSIG_CLIENT_PRESENT);
    struct peer *eve = fixture_join(f, "eve", LSIG_V1);
    assert_heard(eve, "error(NOT_YOU)");
    assert_int_equal(eve->close_code, 4401);
    assert_int_equal(f->metrics.hook_errors, 0);
}

static void auth_may_wait_and_the_join_comes_after_it(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('auth', function(request, claims) sig.sleep('5ms') "
                   "if claims.sub == 'eve' then return sig.deny('NOT_YOU') end end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *eve = fixture_join(f, "eve", LSIG_V1);
    assert_int_equal(ann->client.state, LSIG_CLIENT_JOINING);
    fixture_send(ann, "say", 1);
    fixture_settle(f);
    assert_int_equal(ann->client.state, LSIG_CLIENT_PRESENT);
    assert_heard(eve, "error(NOT_YOU)");
    assert_int_equal(f->metrics.messages_relayed, 1);
}

static void who_goes_while_auth_waits_gives_the_place_back(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('auth', function() sig.sleep('5ms') end)");
    for (int i = 0; i < 3 * f->settings.user_connections_max; i++) {
        struct peer *ann = fixture_join(f, "ann", LSIG_V1);
        assert_int_equal(ann->client.state, LSIG_CLIENT_JOINING);
        fixture_leave(ann, "bye");
    }
    fixture_settle(f);
    assert_int_equal(f->flow.user_connections.count, 0);
}

static void a_session_resumes_behind_an_auth_hook_that_waits(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('auth', function() sig.sleep('5ms') end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    fixture_settle(f);
    assert_true(fixture_lose(ann));
    fixture_return(f, "ann", LSIG_V1, fixture_resume_token(ann), 1);
    assert_null(ann->took_over);
    fixture_settle(f);
    assert_non_null(ann->took_over);
    assert_int_equal(ann->client.state, LSIG_CLIENT_PRESENT);
}

static void the_smallest_seat_of_all_policies_holds(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('join', function() sig.seat { max = 2 } end) "
                   "sig.on('join', function() sig.seat { max = 9 } end)");
    fixture_join(f, "ann", LSIG_V1);
    fixture_join(f, "bob", LSIG_V1);
    struct peer *eve = fixture_join(f, "eve", LSIG_V1);
    assert_heard(eve, "error(ROOM_FULL)");
    assert_int_equal(eve->close_code, 1008);
}

static void the_seat_is_claimed_after_the_last_join_hook(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('join', function() sig.seat { max = 1 } sig.sleep('5ms') end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_settle(f);
    assert_int_equal(ann->client.state, LSIG_CLIENT_PRESENT);
    assert_int_equal(bob->close_code, 1008);
}

static void rate_exceeded_counts_and_may_close(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.type 'slow' { rate = '1/s burst 1 per connection' } "
                   "sig.on('rate_exceeded', function(room, member, rule, times) "
                   "assert(rule == 'slow per connection', rule) "
                   "if times == 3 then return sig.deny('SLOWLY', 'please', { times = times }) end "
                   "if times > 4 then return sig.close(4429, 'flooding') end end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    fixture_forget_all(f);
    for (int i = 0; i < 4; i++) {
        fixture_send(ann, "slow", i);
    }
    assert_heard(ann, "error(RATE_LIMIT_EXCEEDED) error(SLOWLY)");
    assert_int_equal(ann->close_code, 0);
    fixture_send(ann, "slow", 5);
    fixture_send(ann, "slow", 6);
    assert_int_equal(ann->close_code, 4429);
    assert_int_equal(f->metrics.hook_errors, 0);
}

static void a_rate_exceeded_hook_that_waits_may_close_later(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.type 'slow' { rate = '1/s burst 1 per connection' } "
                   "sig.on('rate_exceeded', function() sig.sleep('5ms') "
                   "return sig.close(4429, 'flooding') end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    for (int i = 0; i < 3; i++) {
        fixture_send(ann, "slow", i);
        fixture_send(bob, "slow", i);
    }
    fixture_leave(bob, "bye");
    fixture_settle(f);
    assert_int_equal(ann->close_code, 4429);
    assert_int_equal(f->metrics.hook_calls, 2);
}

static void token_expiring_hears_how_many_seconds_are_left(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('token_expiring', function(member, seconds) "
                   "member:send('heard', { n = seconds }) end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_pass(f, (LIFE_S - 61) * 1000);
    lsig_attend_check_time(&ann->client);
    assert_heard(ann, "");
    fixture_pass(f, 1000);
    lsig_attend_check_time(&ann->client);
    lsig_attend_check_time(&ann->client);
    assert_heard(ann, "heard(null 60)");
}

static void ice_servers_may_be_changed_for_a_member(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('ice_servers', function(member, list) "
                   "list[#list + 1] = { urls = 'turn:near.' .. member.id } return list end) "
                   "sig.on('ice_servers', function(member, list) assert(#list == 2) end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    assert_has(fixture_last(ann, "room-state"), "\"urls\":\"turn:near.ann\"");
    fixture_use(f, "sig.on('ice_servers', function(member, list) error('oh') end)");
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    assert_has(fixture_last(bob, "room-state"), "stun:");
    assert_int_equal(f->metrics.hook_errors, 1);
}

static void a_timer_runs_its_hook_in_its_room_with_its_argument(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('timer:ring', function(room, arg) "
                   "room:send('heard', { n = arg.n, what = room.id }) end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    fixture_forget_all(f);
    assert_int_equal(lsig_timer_set(ann->client.room, lsig_span_of("ring"), f->now.mono_ms + 1000,
                                    lsig_span_of("{\"n\":7}"), NULL),
                     LSIG_OK);
    assert_int_equal(lsig_flow_due_ms(&f->flow), f->now.mono_ms + 1000);
    fixture_tick(f, 999);
    assert_heard(ann, "");
    fixture_tick(f, 1);
    assert_heard(ann, "heard(null 7)");
    assert_int_equal(lsig_flow_due_ms(&f->flow), -1);
}

static void hooks_that_cannot_refuse_say_so(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('away', function() return sig.deny('NO') end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    assert_true(fixture_lose(ann));
    assert_int_equal(f->metrics.hook_errors, 1);
    assert_int_equal(ann->client.state, LSIG_CLIENT_AWAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(away_back_and_resume_hear_of_a_lost_socket_and_its_return),
        FLOW_TEST(room_open_and_room_close_hear_of_the_first_and_the_last_member),
        FLOW_TEST(a_leave_hook_hears_the_reason),
        FLOW_TEST(auth_is_asked_before_the_join_and_may_refuse),
        FLOW_TEST(auth_may_wait_and_the_join_comes_after_it),
        FLOW_TEST(who_goes_while_auth_waits_gives_the_place_back),
        FLOW_TEST(a_session_resumes_behind_an_auth_hook_that_waits),
        FLOW_TEST(the_smallest_seat_of_all_policies_holds),
        FLOW_TEST(the_seat_is_claimed_after_the_last_join_hook),
        FLOW_TEST(rate_exceeded_counts_and_may_close),
        FLOW_TEST(a_rate_exceeded_hook_that_waits_may_close_later),
        FLOW_TEST(token_expiring_hears_how_many_seconds_are_left),
        FLOW_TEST(ice_servers_may_be_changed_for_a_member),
        FLOW_TEST(a_timer_runs_its_hook_in_its_room_with_its_argument),
        FLOW_TEST(hooks_that_cannot_refuse_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
