// Virtual time: everything that the server does by time obeys it, and nothing else passes.
#include "test_scenario_fixture.h"

static void timers_and_waits_happen_on_the_way(void **state)
{
    fixture_passes_test(
        *state,
        "sig.on('message:say', function(room) room:after('90s', 'ring', { n = 1 }) "
        "sig.sleep '500ms' end) "
        "sig.on('timer:ring', function(room, arg) room:send('say', { rang = arg.n }) end)",
        "local ann, bob = t:client 'ann', t:client 'bob' ann:joins 'r1' bob:joins 'r1' "
        "ann:sends('say', { n = 1 }) t:advance '499ms' bob:receives_nothing() "
        "t:advance '1ms' bob:receives('say', { n = 1 }) "
        "t:advance '89.499s' bob:receives_nothing() "
        "t:advance '1ms' bob:receives('say', { rang = 1 }) ann:receives('say', { rang = 1 })");
}

static void rates_fill_up_again_as_time_passes(void **state)
{
    fixture_passes_test(*state, "",
                        "local ann, bob = t:client 'ann', t:client 'bob' "
                        "ann:joins 'r1' bob:joins 'r1' "
                        "for i = 1, 3 do ann:sends('quick', { n = i }) end "
                        "ann:is_refused 'RATE_LIMIT_EXCEEDED' bob:receives('quick', { n = 2 }) "
                        "bob:receives_nothing() t:advance '1s' ann:sends('quick', { n = 4 }) "
                        "bob:receives('quick', { n = 4 })");
}

static void a_token_ends_at_its_time(void **state)
{
    fixture_passes_test(
        *state,
        "sig.on('token_expiring', function(member, seconds) member:send('say', { left = seconds }) "
        "end)",
        "local ann = t:client { user = 'ann', expires = '1h' } ann:joins 'r1' "
        "t:advance '58min' ann:receives_nothing() "
        "ann:receives { type = 'token-expiring', within = '1min' } ann:receives('say', { left = 60 "
        "}) "
        "t:advance '89s' ann:receives_nothing() "
        "t:advance '1s' ann:is_refused 'TOKEN_EXPIRED' ann:is_closed(4401)");
}

static void all_clocks_of_a_policy_follow(void **state)
{
    fixture_passes_test(
        *state, "",
        "assert(os.date('!%A %H:%M:%S') == 'Monday 12:00:00') "
        "local began, clock = os.time(), os.clock() assert(sig.now() == began) "
        "t:advance '1h' "
        "assert(os.time() == began + 3600 and sig.now() == began + 3600) "
        "assert(os.date('!%H:%M') == '13:00' and os.clock() == clock + 3600) "
        "assert(os.date('!%H', 0) == '00') sig.sleep '30s' assert(sig.now() == began + 3630)");
}

static void each_test_begins_anew(void **state)
{
    fixture_passes(*state, "sig.room_state { count = sig.counter {} } "
                           "sig.on('join', function(room) room.state.count:incr() end) "
                           "local numbers = {} "
                           "for i = 1, 3 do sig.test('test ' .. i, function(t) "
                           "assert(os.date('!%H:%M:%S') == '12:00:00') "
                           "t:client('ann'):joins 'r1' assert(t:state('r1').count == 1) "
                           "numbers[i] = math.random(1000000) assert(numbers[i] == numbers[1]) "
                           "t:advance '1h' end) end");
}

static void the_store_is_in_memory_and_empty_at_first(void **state)
{
    fixture_passes(
        *state,
        "local notes = sig.store 'notes' "
        "sig.on('start', function() notes:incr 'starts' end) "
        "sig.on('message:say', function(room, member, message) "
        "local seen = notes:incr(member.id) "
        "notes:put('last', { by = member.id, seen = seen }, { ttl = '1h' }) "
        "room:send('say', { last = notes:get 'last', starts = notes:count 'starts' }) end) "
        "for i = 1, 2 do sig.test('test ' .. i, function(t) "
        "local ann = t:client 'ann' ann:joins 'r1' "
        "ann:sends('say', {}) ann:receives('say', { last = { by = 'ann', seen = 1 }, starts = 1 }) "
        "ann:sends('say', {}) ann:receives('say', { last = { by = 'ann', seen = 2 } }) "
        "end) end");
}

static void random_numbers_are_the_same_each_time(void **state)
{
    fixture_passes(*state, "local first "
                           "for i = 1, 3 do sig.test('test ' .. i, function(t) "
                           "local id = sig.random.id() .. sig.random.integer(1, 1000000) "
                           "first = first or id assert(id == first and sig.random.id() ~= id) "
                           "end) end");
}

static void timers_that_go_on_without_time_are_a_failure(void **state)
{
    fixture_fails(*state,
                  "sig.on('message:say', function(room) room:after(0, 'again') end) "
                  "sig.on('timer:again', function(room) room:after(0, 'again') end) "
                  "sig.test('it', function(t) local ann = t:client 'ann' ann:joins 'r1' "
                  "ann:sends('say', {}) end)",
                  "it never ends: timers or waits go on without time passing");
}

static void a_virtual_day_is_short(void **state)
{
    struct fixture *f = *state;
    fixture_passes_test(f, "",
                        "local ann = t:client { user = 'ann', expires = '3d' } ann:joins 'r1' "
                        "t:advance '1d' assert(t:room('r1').count == 1)");
    assert_true(f->took_us < 2000000); // 15 ms on a machine that does nothing else
}

static void a_thousand_small_tests_are_run_in_seconds(void **state)
{
    struct fixture *f = *state;
    fixture_passes(f, "for i = 1, 1000 do sig.test('number ' .. i, function(t) "
                      "local ann, bob = t:client 'ann', t:client 'bob' "
                      "ann:joins 'r1' bob:joins 'r1' ann:sends('say', { n = i }) "
                      "bob:receives('say', { n = i }) end) end");
    assert_true(f->took_us < 20000000); // 0.2 s likewise
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(timers_and_waits_happen_on_the_way),
        SCENARIO_TEST(rates_fill_up_again_as_time_passes),
        SCENARIO_TEST(a_token_ends_at_its_time),
        SCENARIO_TEST(all_clocks_of_a_policy_follow),
        SCENARIO_TEST(each_test_begins_anew),
        SCENARIO_TEST(the_store_is_in_memory_and_empty_at_first),
        SCENARIO_TEST(random_numbers_are_the_same_each_time),
        SCENARIO_TEST(timers_that_go_on_without_time_are_a_failure),
        SCENARIO_TEST(a_virtual_day_is_short),
        SCENARIO_TEST(a_thousand_small_tests_are_run_in_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
