// Several nodes in one test: each has rooms and policies of its own, and one that dies takes them
// with it.
#include "test_scenario_fixture.h"

static void a_room_is_each_nodes_own(void **state)
{
    fixture_passes_test(
        *state, "",
        "t:node { name = 'n2' } "
        "local ann, bob = t:client 'ann', t:client { user = 'bob', node = 'n2' } "
        "ann:joins 'r1' bob:joins 'r1' "
        "assert(t:room('r1').count == 1 and t:room('r1').members[1].id == 'ann') "
        "local there = t:room('r1', { node = 'n2' }) "
        "assert(there.count == 1 and there.members[1].id == 'bob') "
        "ann:sends('say', { n = 1 }) "
        "bob:receives_nothing() "
        "assert(t:metric 'lunasig_rooms' == 2 and t:metric 'lunasig_members' == 2)");
}

static void clients_of_another_node_speak_with_each_other(void **state)
{
    fixture_passes_test(*state, "",
                        "t:node { name = 'n2' } "
                        "local ann, bob = t:client 'ann', t:client 'bob' "
                        "ann:joins('r1', { node = 'n2' }) bob:joins('r1', { node = 'n2' }) "
                        "assert(t:room 'r1' == nil) "
                        "ann:sends('say', { n = 1 }) "
                        "bob:receives('say', { n = 1 })");
}

static void each_node_has_a_machine_of_its_own(void **state)
{
    fixture_passes_test(*state,
                        "local seen = {} sig.on('message:say', function() seen[#seen + 1] = 1 "
                        "sig.log('info', 'seen ' .. #seen) end)",
                        "t:node { name = 'n2' } "
                        "local ann, bob = t:client 'ann', t:client { user = 'bob', node = 'n2' } "
                        "ann:joins 'r1' bob:joins 'r1' "
                        "ann:sends('say', {}) ann:sends('say', {}) bob:sends('say', {}) "
                        "t:logged { event = 'policy-log', text = 'seen 2' } "
                        "t:logged { event = 'policy-log', text = 'seen 1' } "
                        "t:logged { event = 'policy-log', text = 'seen 1' }");
}

static const char store_policy[] =
    "local notes = sig.store 'notes' "
    "sig.on('message:say', function(room, member, message) "
    "  if message.payload.put then notes:put('k', { n = message.payload.put }) "
    "  else room:send('whisper', notes:get 'k' or { n = 0 }) end end)";

static void the_database_is_shared(void **state)
{
    fixture_passes_test(*state, store_policy,
                        "t:node { name = 'n2' } "
                        "local ann, bob = t:client 'ann', t:client { user = 'bob', node = 'n2' } "
                        "ann:joins 'r1' bob:joins 'r1' "
                        "ann:sends('say', { put = 7 }) bob:sends('say', {}) "
                        "bob:receives('whisper', { n = 7 })");
}

static void the_sockets_of_a_dead_node_break_and_nobody_hears_of_a_leaving(void **state)
{
    fixture_passes_test(*state,
                        "sig.on('leave', function() sig.log('info', 'left') end) "
                        "sig.on('room_close', function() sig.log('info', 'closed') end)",
                        "t:node { name = 'n2' } "
                        "local ann, bob = t:client { user = 'ann', node = 'n2' }, t:client 'bob' "
                        "ann:joins 'r1' bob:joins 'r1' "
                        "t:kill 'n2' "
                        "ann:is_closed(1006) "
                        "t:advance '5min' "
                        "t:logged_nothing { event = 'policy-log' } "
                        "bob:sends('say', {}) assert(t:room('r1').count == 1)");
}

static void who_was_away_on_a_dead_node_is_gone_with_it(void **state)
{
    fixture_passes_test(*state, "",
                        "t:node { name = 'n2' } "
                        "local ann = t:client { user = 'ann', node = 'n2' } "
                        "ann:joins 'r1' ann:drops() "
                        "t:kill 'n2' "
                        "local frame = ann:resumes { node = 'n1' } "
                        "assert(frame.payload.self.user_id == 'ann') "
                        "assert(t:metric 'lunasig_connections_away' == 0) "
                        "assert(t:room('r1').count == 1)");
}

static void the_first_node_dies_and_the_test_goes_on(void **state)
{
    fixture_passes_test(
        *state, "sig.on('message:say', function() sig.sleep '1s' sig.log('info', 'late') end)",
        "t:node { name = 'n2' } "
        "local ann = t:client 'ann' "
        "ann:joins 'r1' ann:sends('say', {}) "
        "t:kill 'n1' "
        "t:advance '1min' "
        "t:logged_nothing { event = 'policy-log' } "
        "ann:joins('r1', { node = 'n2' }) "
        "assert(t:room('r1', { node = 'n2' }).count == 1) "
        "sig.sleep '1s' "
        "ann:sends('say', {}) t:advance '2s' "
        "t:logged { event = 'policy-log', text = 'late' }");
}

static void a_dead_node_starts_anew_with_nothing(void **state)
{
    fixture_passes_test(*state,
                        "local starts = {} sig.on('start', function() starts[#starts + 1] = 1 "
                        "sig.log('info', 'start ' .. #starts) end)",
                        "local ann = t:client 'ann' "
                        "ann:joins 'r1' "
                        "t:kill 'n1' t:node { name = 'n1' } "
                        "t:logged { event = 'policy-log', text = 'start 1' } "
                        "t:logged { event = 'policy-log', text = 'start 1' } "
                        "assert(t:room 'r1' == nil) "
                        "ann:resumes() "
                        "assert(t:room('r1').count == 1) "
                        "t:kill 'n1'");
}

static void hooks_of_a_dead_node_that_wait_for_the_store_come_to_nothing(void **state)
{
    fixture_passes_test(*state,
                        "local notes = sig.store 'notes' "
                        "sig.on('message:say', function(room) notes:put('k', { n = 1 }) "
                        "sig.log('info', 'put') end)",
                        "t:node { name = 'n2' } "
                        "local ann = t:client { user = 'ann', node = 'n2' } "
                        "ann:joins 'r1' t:store 'slow' ann:sends('say', {}) "
                        "t:kill 'n2' t:store 'up' t:advance '1min' "
                        "t:logged_nothing { event = 'policy-log' }");
}

static void timers_of_a_dead_node_never_come(void **state)
{
    fixture_passes_test(*state,
                        "sig.on('join', function(room) room:after('30s', 'tick') end) "
                        "sig.on('timer:tick', function() sig.log('info', 'tick') end)",
                        "t:node { name = 'n2' } "
                        "t:client({ user = 'ann', node = 'n2' }):joins 'r1' "
                        "t:client('bob'):joins 'r1' "
                        "t:kill 'n2' t:advance '29s' "
                        "t:logged_nothing { event = 'policy-log' } "
                        "t:advance '2s' t:logged { event = 'policy-log' } "
                        "t:logged_nothing { event = 'policy-log' }");
}

static void what_a_policy_remembers_is_read_from_the_node(void **state)
{
    fixture_passes_test(*state,
                        "sig.room_state { counts = sig.counter {} } "
                        "sig.on('message:say', function(room) room.state.counts:incr() end)",
                        "t:node { name = 'n2' } "
                        "local ann = t:client { user = 'ann', node = 'n2' } "
                        "ann:joins 'r1' ann:sends('say', {}) "
                        "assert(t:state 'r1' == nil) "
                        "assert(t:state('r1', { node = 'n2' }).counts == 1) "
                        "assert(t:state('r1', 'test', { node = 'n2' }).counts == 1)");
}

static void what_cannot_be_is_said(void **state)
{
    struct fixture *f = *state;
    fixture_fails_test(f, "t:redis 'down'", "nodes are not linked over Redis");
    fixture_fails_test(f, "t:node {}", "write its name: t:node { name = \"n2\" }");
    fixture_fails_test(f, "t:node { name = 'n1' }", "there is a node \"n1\" already");
    fixture_fails_test(f, "t:node { name = 'a b' }", "a node's name is a text of 1 to 32 letters");
    fixture_fails_test(f, "t:node { nam = 'n2' }", "write its name");
    fixture_fails_test(f, "t:kill 'n2'", "there is no node \"n2\"; t:node { name = \"n2\" }");
    fixture_fails_test(f, "t:kill()", "which one? t:kill \"n2\"");
    fixture_fails_test(f, "t:drain 'n2'", "there is no node \"n2\"; t:node { name = \"n2\" }");
    fixture_fails_test(f, "t:drain() t:drain 'n1'", "the node \"n1\" drains already");
    fixture_fails_test(f, "t:kill 'n1' t:drain()", "the node \"n1\" is dead");
    fixture_fails_test(f, "t:client { user = 'ann', node = 'n3' }", "there is no node \"n3\"");
    fixture_fails_test(f, "t:client('ann'):joins('r1', { nod = 'n3' })", "did you mean 'node'?");
    fixture_fails_test(f, "t:kill 'n1' t:client('ann'):joins 'r1'",
                       "the node \"n1\" is dead; t:node { name = \"n1\" } starts it anew");
    fixture_fails_test(f, "t:kill 'n1' t:room 'r1'", "the node \"n1\" is dead");
    fixture_fails_test(f, "for i = 2, 9 do t:node { name = 'n' .. i } end",
                       "a test has at most 8 nodes");
    fixture_fails_test(f,
                       "local ann = t:client 'ann' ann:joins 'r1' t:kill 'n1' ann:sends('say', {})",
                       "its connection was closed: 1006");
}

static void one_node_without_another_costs_no_machine(void **state)
{
    struct fixture *f = *state;
    fixture_passes(f, "for i = 1, 200 do sig.test('t' .. i, function(t) "
                      "t:client('ann'):joins 'r1' end) end");
    int64_t alone_us = f->took_us;
    fixture_passes(f, "for i = 1, 200 do sig.test('t' .. i, function(t) "
                      "t:node { name = 'n2' } t:client('ann'):joins 'r1' end) end");
    assert_true(alone_us < f->took_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(a_room_is_each_nodes_own),
        SCENARIO_TEST(clients_of_another_node_speak_with_each_other),
        SCENARIO_TEST(each_node_has_a_machine_of_its_own),
        SCENARIO_TEST(the_database_is_shared),
        SCENARIO_TEST(the_sockets_of_a_dead_node_break_and_nobody_hears_of_a_leaving),
        SCENARIO_TEST(who_was_away_on_a_dead_node_is_gone_with_it),
        SCENARIO_TEST(the_first_node_dies_and_the_test_goes_on),
        SCENARIO_TEST(a_dead_node_starts_anew_with_nothing),
        SCENARIO_TEST(hooks_of_a_dead_node_that_wait_for_the_store_come_to_nothing),
        SCENARIO_TEST(timers_of_a_dead_node_never_come),
        SCENARIO_TEST(what_a_policy_remembers_is_read_from_the_node),
        SCENARIO_TEST(what_cannot_be_is_said),
        SCENARIO_TEST(one_node_without_another_costs_no_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
