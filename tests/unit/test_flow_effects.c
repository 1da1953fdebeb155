// What hooks ask for: messages of the server's own, other receivers, roles, members sent away.
#include "test_flow_fixture.h"

#define ON_SAY(body) "sig.on('message:say', function(room, member, message) " body " end)"

static void a_room_hears_what_a_hook_sends_when_the_hook_returns(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, ON_SAY("room:send('queue', { n = 1 }) member:send('only', { n = 2 })"
                          "room:send('staff-only', { n = 3 }, { to = 'host' })"
                          "room:send('others', { n = 4 }, { except = member, from = member })"));
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send(bob, "say", 0);
    assert_heard(ann, "queue(null 1) staff-only(null 3) others(bob 4) say(bob 0)");
    assert_heard(bob, "queue(null 1) only(null 2)");
}

static void effects_are_done_at_each_wait_in_order(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, ON_SAY("room:send('one', { n = 1 }) room:send('two', { n = 2 }) "
                          "sig.sleep('5ms') room:send('three', { n = 3 })"));
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    fixture_forget_all(f);
    fixture_send(ann, "say", 0);
    assert_heard(ann, "one(null 1) two(null 2)");
    fixture_settle(f);
    assert_heard(ann, "three(null 3)");
}

static void a_hook_that_fails_loses_what_it_staged_since_its_last_wait(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, ON_SAY("room:send('one', { n = 1 }) sig.sleep('5ms') "
                          "room:send('two', { n = 2 }) member:set_role('observer') error('oh')"));
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    fixture_forget_all(f);
    fixture_send(ann, "say", 0);
    fixture_settle(f);
    assert_heard(ann, "one(null 1) error(POLICY_ERROR)");
    assert_int_equal(ann->client.member->role, LSIG_HOST);
}

static void a_role_is_read_as_it_was_set_and_everybody_is_told(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, ON_SAY("local bob = room:member 'bob' bob:set_role('moderator', { by = 'ann' }) "
                          "assert(bob.role == 'moderator') room:send('role', { n = 1 })"));
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send(ann, "say", 0);
    assert_has(fixture_last(bob, "role-updated"), "\"role\":\"moderator\",\"updated_by\":\"ann\"");
    assert_heard(bob, "role-updated(bob moderator) role(null 1) say(ann 0)");
    assert_int_equal(f->metrics.hook_errors, 0);
}

static void a_kicked_member_is_told_and_closed_with_4403(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, ON_SAY("room:member('bob'):kick('enough')"));
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_forget_all(f);
    fixture_send(ann, "say", 0);
    assert_heard(bob, "error(KICKED)");
    assert_int_equal(bob->close_code, 4403);
    assert_false(bob->client.resumable);
}

static void member_close_closes_all_connections_with_the_code(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, ON_SAY("room:member('bob'):close(4500, 'over')"));
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    const struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    const struct peer *desk = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_send(ann, "say", 0);
    assert_int_equal(bob->close_code, 4500);
    assert_int_equal(desk->close_code, 4500);
}

static void a_replaced_payload_is_relayed_and_seen_by_later_hooks(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, ON_SAY("message:replace { n = message.payload.n + 1 } "
                          "assert(message.payload.n == 6)")
                       ON_SAY("message:replace { n = message.payload.n + 1 }"));
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send(ann, "say", 5);
    assert_heard(bob, "say(ann 7)");
    assert_int_equal(f->metrics.hook_errors, 0);
}

static void a_hook_that_fails_takes_its_replacement_with_it(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, ON_SAY("message:replace { n = 1 }") "sig.on('message:say', { on_error = 'allow' "
                                                       "}, function(room, member, "
                                                       "message) message:replace { n = 2 } "
                                                       "message:to 'nobody' error('oh') end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send(ann, "say", 0);
    assert_heard(bob, "say(ann 1)");
    assert_int_equal(f->metrics.hook_errors, 1);
}

static void get_reads_one_member_of_the_payload_as_the_table_has_it(void **state)
{
    struct fixture *f = *state;
    fixture_use(f,
                ON_SAY("assert(message:get 'n' == 5 and message:get 'none' == nil) "
                       "assert(message:get('deep').list[2] == 'b' and message:get 'empty' == nil) "
                       "local p = message.payload p.n = 6 assert(message:get 'n' == 6) "
                       "message:replace(p) assert(message:get 'n' == 6)"));
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_frame(ann, "{\"type\":\"say\",\"payload\":{\"n\":5,\"deep\":{\"list\":[\"a\",\"b\"]},"
                       "\"empty\":null}}");
    assert_heard(bob, "say(ann 6)");
    assert_int_equal(f->metrics.hook_errors, 0);
}

static void a_message_goes_where_a_hook_says(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, ON_SAY("local n = message.payload.n "
                          "if n == 1 then message:to 'bob' "
                          "elseif n == 2 then message:to { 'bob', room:member 'cat', 'dog' } "
                          "elseif n == 3 then message:to { role = 'host' } "
                          "elseif n == 4 then message:to(member) end") "sig.on('message:note', "
                                                                       "function(room, member, "
                                                                       "message) message:to "
                                                                       "'room' end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    struct peer *cat = fixture_join(f, "cat", LSIG_V1);
    fixture_forget_all(f);
    fixture_send(cat, "say", 1);
    fixture_send(ann, "say", 2);
    fixture_send(bob, "say", 3);
    fixture_send(cat, "say", 4);
    fixture_send(bob, "note", 5);
    assert_heard(ann, "say(bob 3) note(bob 5)");
    assert_heard(bob, "say(cat 1) say(ann 2)");
    assert_heard(cat, "say(ann 2) say(cat 4) note(bob 5)");
}

static void a_hook_may_ask_for_so_much_and_no_more(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, ON_SAY("for i = 1, message.payload.n do room:send('x', { n = i }) end"));
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_forget_all(f);
    size_t before = bob->frame_count;
    fixture_send(ann, "say", 1000);
    assert_int_equal(bob->frame_count - before, 1001);
    before = bob->frame_count;
    fixture_send(ann, "say", 1001);
    assert_int_equal(bob->frame_count, before);
    assert_has(fixture_last(ann, "error"), "POLICY_ERROR");
    assert_int_equal(f->metrics.hook_effects_exceeded, 1);
}

static void writes_to_a_member_who_has_left_raise_gone(void **state)
{
    struct fixture *f = *state;
    fixture_use(f,
                ON_SAY("local bob = room:member 'bob' sig.sleep('5ms') "
                       "assert(not bob.present) for _, f in ipairs { "
                       "function() bob:send('x') end, function() bob:set_role 'host' end, "
                       "function() bob:kick() end, function() bob:close(4000) end } do "
                       "local ok, err = pcall(f) assert(not ok and err:find('GONE', 1, true), err) "
                       "end room:send('fine', { n = 1 })"));
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_send(ann, "say", 0);
    fixture_leave(bob, "bye");
    fixture_forget_all(f);
    fixture_settle(f);
    assert_heard(ann, "fine(null 1)");
    assert_int_equal(f->metrics.hook_errors, 0);
}

static void what_only_the_server_says_cannot_be_sent_by_a_hook(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, ON_SAY("room:send('room-state', {})"));
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    fixture_send(ann, "say", 0);
    assert_int_equal(f->metrics.hook_errors, 1);
}

static void what_a_type_keeps_is_told_to_those_who_come_later(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.type 'slide' { keep = 'latest' } sig.type 'mood' { keep = 'latest per "
                   "user' } sig.type 'line' { keep = 'log 2' } " ON_SAY("room:send('slide', { n = "
                                                                        "9 })"));
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    for (int n = 1; n < 4; n++) {
        fixture_send(ann, "slide", n);
        fixture_send(ann, "mood", n);
        fixture_send(bob, "mood", 10 + n);
        fixture_send(ann, "line", n);
    }
    fixture_send_to(ann, "line", 77, "bob");
    struct peer *cat = fixture_join(f, "cat", LSIG_V1);
    const char *heard = fixture_last(cat, "room-state");
    assert_has(heard, "\"kept\":[");
    assert_has(heard, "\"n\":13");
    assert_has_not(heard, "\"n\":12");
    assert_has_not(heard, "\"n\":1}");
    assert_has_not(heard, "\"n\":77");
    fixture_leave(bob, "bye");
    fixture_send(ann, "say", 0);
    struct peer *dog = fixture_join(f, "dog", LSIG_COMPAT);
    heard = fixture_last(dog, "room-state");
    assert_has_not(heard, "\"n\":13"); // what is kept per user goes with the user
    assert_has(heard, "\"n\":9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(a_room_hears_what_a_hook_sends_when_the_hook_returns),
        FLOW_TEST(effects_are_done_at_each_wait_in_order),
        FLOW_TEST(a_hook_that_fails_loses_what_it_staged_since_its_last_wait),
        FLOW_TEST(a_role_is_read_as_it_was_set_and_everybody_is_told),
        FLOW_TEST(a_kicked_member_is_told_and_closed_with_4403),
        FLOW_TEST(member_close_closes_all_connections_with_the_code),
        FLOW_TEST(a_replaced_payload_is_relayed_and_seen_by_later_hooks),
        FLOW_TEST(a_hook_that_fails_takes_its_replacement_with_it),
        FLOW_TEST(get_reads_one_member_of_the_payload_as_the_table_has_it),
        FLOW_TEST(a_message_goes_where_a_hook_says),
        FLOW_TEST(a_hook_may_ask_for_so_much_and_no_more),
        FLOW_TEST(writes_to_a_member_who_has_left_raise_gone),
        FLOW_TEST(what_only_the_server_says_cannot_be_sent_by_a_hook),
        FLOW_TEST(what_a_type_keeps_is_told_to_those_who_come_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
