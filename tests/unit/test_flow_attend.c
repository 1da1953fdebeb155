// The line a member walks: opening, join hooks, entering, leaving.
#include "test_flow_fixture.h"

#define JOIN_WAITS "sig.on('join', function() sig.sleep('3ms') end) "

static void auth(struct peer *peer, const char *token)
{
    char text[2048];
    snprintf(text, sizeof(text), "{\"type\":\"auth\",\"payload\":{\"token\":\"%s\"}}", token);
    fixture_frame(peer, text);
}

static void auth_as(struct fixture *f, struct peer *peer, const char *user, int64_t life_s)
{
    char *token = fixture_token(f, user, life_s);
    auth(peer, token);
    free(token);
}

static void a_join_hook_that_refuses_closes_and_nobody_else_hears_of_it(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('join', function(room, member)"
                   " if member.id == 'eve' then return sig.deny('BANNED', 'not you') end end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    fixture_forget_all(f);
    struct peer *eve = fixture_join(f, "eve", LSIG_COMPAT);
    assert_heard(eve, "error(BANNED)");
    assert_int_equal(eve->close_code, 1008);
    assert_null(eve->client.connection.member);
    fixture_send(eve, "say", 1);
    fixture_leave(eve, "closed");
    assert_heard(ann, "");
    assert_int_equal(f->metrics.joins, 1);
    fixture_send_to(ann, "whisper", 1, "eve");
    assert_heard(ann, "error(TARGET_NOT_FOUND)");
}

static void a_join_hook_that_fails_refuses(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('join', function() error('oh') end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    assert_heard(ann, "error(POLICY_ERROR)");
    assert_int_equal(ann->close_code, 1008);
}

static void while_a_join_hook_waits_nobody_is_there_and_frames_are_kept(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    fixture_use(f, JOIN_WAITS);
    fixture_forget_all(f);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_send(bob, "say", 1);
    fixture_send(ann, "say", 2);
    assert_heard(ann, "");
    assert_heard(bob, "");
    assert_int_equal(bob->client.state, LSIG_CLIENT_JOINING);
    fixture_settle(f);
    assert_heard(bob, "room-state(2)");
    assert_heard(ann, "room-state(2) user-joined(bob) say(bob 1)");
}

static void a_join_that_is_refused_after_a_wait_drops_what_was_kept(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    fixture_use(f, "sig.on('join', function() sig.sleep('3ms')"
                   " return sig.deny('LATE', 'too late') end)");
    fixture_forget_all(f);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_send(bob, "say", 1);
    fixture_settle(f);
    assert_heard(bob, "error(LATE)");
    assert_int_equal(bob->close_code, 1008);
    assert_heard(ann, "");
}

static void a_client_that_ends_while_its_join_waits_never_enters(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, JOIN_WAITS);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    fixture_send(ann, "say", 1);
    fixture_leave(ann, "bye");
    assert_int_equal(f->flow.user_connections.count, 0);
    fixture_settle(f);
    assert_int_equal(f->metrics.joins, 0);
    assert_int_equal(ann->frame_count, 0);
    assert_int_equal(lsig_hub_member_count(f->flow.hub), 0);
}

static void a_further_connection_of_a_member_is_not_asked_again(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    fixture_use(f, "sig.on('join', function() return sig.deny('NO', 'no') end)");
    struct peer *desk = fixture_join(f, "ann", LSIG_V1);
    assert_heard(desk, "room-state(1)");
    assert_ptr_equal(desk->client.member, ann->client.member);
    assert_int_equal(f->metrics.joins, 1);
}

static void two_connections_whose_joins_wait_become_one_member(void **state)
{
    struct fixture *f = *state;
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_use(f, JOIN_WAITS);
    fixture_forget_all(f);
    struct peer *phone = fixture_join(f, "ann", LSIG_V1);
    struct peer *desk = fixture_join(f, "ann", LSIG_V1);
    fixture_settle(f);
    assert_heard(bob, "user-joined(ann) peer-joined(ann)");
    assert_ptr_equal(phone->client.member, desk->client.member);
    assert_int_equal(phone->client.member->connection_count, 2);
    fixture_leave(phone, "bye");
    fixture_leave(desk, "bye");
    assert_heard(bob, "peer-left(ann) user-left(ann bye)");
    assert_int_equal(f->flow.user_connections.count, 1);
}

static void a_full_room_accepts_says_so_and_closes(void **state)
{
    struct fixture *f = *state;
    f->settings.room_members_max = 2;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    struct peer *cid = fixture_join(f, "cid", LSIG_V1);
    assert_heard(cid, "error(ROOM_FULL)");
    assert_has(fixture_last(cid, "error"), "\"details\":{\"limit\":2}");
    assert_int_equal(cid->close_code, 1008);
    assert_heard(ann, "");
    struct peer *desk = fixture_join(f, "ann", LSIG_COMPAT); // takes no seat
    assert_heard(desk, "room-state(2)");
    fixture_leave(bob, "bye");
    struct peer *dan = fixture_join(f, "dan", LSIG_COMPAT);
    assert_heard(dan, "room-state(2)");
}

static void a_room_that_fills_while_a_join_waits_is_full(void **state)
{
    struct fixture *f = *state;
    f->settings.room_members_max = 1;
    fixture_use(f, JOIN_WAITS);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    fixture_use(f, "");
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    assert_heard(bob, "room-state(1)");
    fixture_settle(f);
    assert_heard(ann, "error(ROOM_FULL)");
    assert_int_equal(ann->close_code, 1008);
    assert_heard(bob, "");
}

static void a_first_message_with_a_good_token_opens_the_room(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_connect(f, "r1");
    fixture_forget_all(f);
    fixture_send(ann, "say", 1);
    assert_heard(bob, ""); // of the room nothing is heard before
    auth_as(f, bob, "bob", 600);
    fixture_send(bob, "say", 2);
    assert_heard(bob, "room-state(2)");
    assert_heard(ann, "room-state(2) user-joined(bob) say(bob 2)");
    assert_has(fixture_last(bob, "room-state"), "\"self\":{\"user_id\":\"bob\"");
    fixture_pass(f, 10000);
    lsig_attend_check_time(&bob->client); // the wait for a token is over, the token is not
    assert_int_equal(bob->close_code, 0);
    fixture_pass(f, 620000 - 1);
    lsig_attend_check_time(&bob->client);
    assert_int_equal(bob->close_code, 0);
    fixture_pass(f, 1);
    lsig_attend_check_time(&bob->client);
    assert_int_equal(bob->close_code, 4401);
}

static void a_first_message_without_a_good_token_closes_with_4401(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *frame;
        const char *heard;
    } bad[] = {
        {"{\"type\":\"auth\",\"payload\":{\"token\":\"a.b.c\"}}", "error(TOKEN_INVALID)"},
        {"{\"type\":\"auth\",\"payload\":{\"token\":7}}", "error(TOKEN_INVALID)"},
        {"{\"type\":\"auth\",\"payload\":{}}", "error(TOKEN_INVALID)"},
        {"{\"type\":\"say\",\"payload\":{\"n\":1}}", "error(TOKEN_INVALID)"},
        {"{\"type\":\"auth\"}", "error(INVALID_MESSAGE)"},
        {"hello", "error(INVALID_JSON)"},
    };
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    fixture_forget_all(f);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct peer *peer = fixture_connect(f, "r1");
        fixture_frame(peer, bad[i].frame);
        assert_heard(peer, bad[i].heard);
        assert_int_equal(peer->close_code, 4401);
        auth_as(f, peer, "bob", 600); // there is no second try
        assert_heard(peer, "");
    }
    struct peer *late = fixture_connect(f, "r1");
    auth_as(f, late, "bob", -31);
    assert_heard(late, "error(TOKEN_EXPIRED)");
    assert_int_equal(late->close_code, 4401);
    assert_heard(ann, "");
    assert_int_equal(f->flow.user_connections.count, 1);
}

static void a_client_that_brings_no_token_in_time_is_closed(void **state)
{
    struct fixture *f = *state;
    struct peer *peer = fixture_connect(f, "r1");
    fixture_pass(f, LSIG_AUTH_WAIT_S * 1000 - 1);
    lsig_attend_check_time(&peer->client);
    assert_int_equal(peer->close_code, 0);
    fixture_pass(f, 1);
    lsig_attend_check_time(&peer->client);
    assert_heard(peer, "error(TOKEN_INVALID)");
    assert_int_equal(peer->close_code, 4401);
}

static void a_first_message_at_the_bound_of_places_is_refused(void **state)
{
    struct fixture *f = *state;
    f->settings.user_connections_max = 1;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *desk = fixture_connect(f, "r2");
    auth_as(f, desk, "ann", 600);
    assert_heard(desk, "error(RATE_LIMIT_EXCEEDED)");
    assert_int_equal(desk->close_code, 1008);
    fixture_leave(desk, "closed"); // gives back nothing, since it took nothing
    assert_false(lsig_door_take_place(&f->flow, lsig_span_of("ann")));
    fixture_leave(ann, "bye");
    desk = fixture_connect(f, "r2");
    auth_as(f, desk, "ann", 600);
    assert_heard(desk, "room-state(1)");
    assert_false(lsig_door_take_place(&f->flow, lsig_span_of("ann")));
    fixture_leave(desk, "bye");
    assert_int_equal(f->flow.user_connections.count, 0);
}

static void the_end_of_a_token_closes_in_both_dialects_after_the_leeway(void **state)
{
    struct fixture *f = *state;
    struct peer *peers[] = {fixture_join(f, "ann", LSIG_COMPAT), fixture_join(f, "bob", LSIG_V1)};
    fixture_forget_all(f);
    fixture_pass(f, (LIFE_S + 30) * 1000 - 1);
    for (int i = 0; i < 2; i++) {
        lsig_attend_check_time(&peers[i]->client);
        assert_heard(peers[i], i == 0 ? "" : "token-expiring(null)");
    }
    fixture_pass(f, 1);
    for (int i = 0; i < 2; i++) {
        lsig_attend_check_time(&peers[i]->client);
        assert_heard(peers[i], "error(TOKEN_EXPIRED)");
        assert_int_equal(peers[i]->close_code, 4401);
        lsig_attend_check_time(&peers[i]->client); // once
        assert_heard(peers[i], "");
    }
}

static void a_token_that_ends_while_a_join_waits_ends_the_join(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, JOIN_WAITS);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    fixture_pass(f, (LIFE_S + 30) * INT64_C(1000));
    lsig_attend_check_time(&ann->client);
    fixture_settle(f);
    assert_heard(ann, "error(TOKEN_EXPIRED)");
    assert_int_equal(ann->close_code, 4401);
    assert_int_equal(f->metrics.joins, 0);
}

static void leave_hooks_hear_who_left_and_why_after_the_last_connection(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "local kept = { said = 'left: ' } "
                   "sig.on('leave', function(room, member, reason)"
                   " kept.said = kept.said .. member.id .. ' ' .. reason .. ';' end) "
                   "sig.on('message:note', function() return sig.deny('SAID', kept.said) end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *phone = fixture_join(f, "bob", LSIG_COMPAT);
    struct peer *desk = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_leave(phone, "bye");
    fixture_send(ann, "note", 1);
    assert_has(fixture_last(ann, "error"), "\"message\":\"left: \"");
    fixture_leave(desk, "timeout");
    fixture_send(ann, "note", 1);
    assert_has(fixture_last(ann, "error"), "\"message\":\"left: bob timeout;\"");
}

static void others_go_on_while_a_leave_hook_waits(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('leave', function() sig.sleep('5ms') end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    struct peer *cid = fixture_join(f, "cid", LSIG_V1);
    fixture_forget_all(f);
    fixture_leave(ann, "bye");
    assert_int_equal(f->metrics.hooks_waiting, 1);
    assert_heard(bob, "room-state(2) user-left(ann bye) role-updated(bob host)");
    fixture_send(bob, "say", 1);
    assert_heard(cid, "user-left(ann bye) role-updated(bob host) say(bob 1)");
    fixture_send_to(bob, "say", 2, "ann");
    assert_heard(bob, "error(TARGET_NOT_FOUND)");
    struct peer *again = fixture_join(f, "ann", LSIG_COMPAT);
    assert_heard(again, "room-state(3)");
    fixture_settle(f);
    fixture_send_to(bob, "say", 3, "ann");
    assert_heard(again, "say(bob 3)");
    assert_int_equal(f->flow.user_connections.count, 3);
}

static void a_room_that_everybody_left_lives_until_its_leave_hooks_have_ended(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('leave', function(room, member) sig.sleep('3ms')"
                   " local _ = room.id .. member.id end)");
    fixture_leave(fixture_join(f, "ann", LSIG_COMPAT), "bye");
    assert_int_equal(lsig_hub_member_count(f->flow.hub), 0);
    fixture_settle(f);
    assert_int_equal(f->metrics.hook_errors, 0);
}

static void an_end_before_the_beginning_is_no_end(void **state)
{
    struct fixture *f = *state;
    struct lsig_client client = {.address = "192.0.2.1"};
    lsig_attend_check_time(&client);
    lsig_attend_close(&client, "closed");
    struct peer *peer = fixture_connect(f, "r1");
    fixture_leave(peer, "closed");
    assert_null(peer->client.flow);
    assert_null(peer->client.room);
    assert_null(lsig_hub_find(f->flow.hub, lsig_span_of("r1")));
    fixture_leave(peer, "closed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(a_join_hook_that_refuses_closes_and_nobody_else_hears_of_it),
        FLOW_TEST(a_join_hook_that_fails_refuses),
        FLOW_TEST(while_a_join_hook_waits_nobody_is_there_and_frames_are_kept),
        FLOW_TEST(a_join_that_is_refused_after_a_wait_drops_what_was_kept),
        FLOW_TEST(a_client_that_ends_while_its_join_waits_never_enters),
        FLOW_TEST(a_further_connection_of_a_member_is_not_asked_again),
        FLOW_TEST(two_connections_whose_joins_wait_become_one_member),
        FLOW_TEST(a_full_room_accepts_says_so_and_closes),
        FLOW_TEST(a_room_that_fills_while_a_join_waits_is_full),
        FLOW_TEST(a_first_message_with_a_good_token_opens_the_room),
        FLOW_TEST(a_first_message_without_a_good_token_closes_with_4401),
        FLOW_TEST(a_client_that_brings_no_token_in_time_is_closed),
        FLOW_TEST(a_first_message_at_the_bound_of_places_is_refused),
        FLOW_TEST(the_end_of_a_token_closes_in_both_dialects_after_the_leeway),
        FLOW_TEST(a_token_that_ends_while_a_join_waits_ends_the_join),
        FLOW_TEST(leave_hooks_hear_who_left_and_why_after_the_last_connection),
        FLOW_TEST(others_go_on_while_a_leave_hook_waits),
        FLOW_TEST(a_room_that_everybody_left_lives_until_its_leave_hooks_have_ended),
        FLOW_TEST(an_end_before_the_beginning_is_no_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
