#include "test_flow_fixture.h"

#include "flow/observer.h"

static void a_lost_v1_client_stays_away_and_v1_members_hear_of_it(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    struct peer *cat = fixture_join(f, "cat", LSIG_COMPAT);
    fixture_forget_all(f);
    assert_true(fixture_lose(bob));
    assert_heard(ann, "user-away(bob)");
    assert_heard(cat, "");
    assert_heard(bob, "");
    assert_has(fixture_last(ann, "user-away"), "\"revision\":4,\"timestamp\":\"2027-01-15T");
    assert_int_equal(f->metrics.away, 1);
    fixture_send(ann, "say", 1); // is kept for him
    assert_heard(bob, "say(ann 1)");
}

static void after_the_window_it_has_left(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    assert_true(fixture_lose(bob));
    fixture_forget_all(f);
    fixture_pass(f, 30 * 1000 - 1);
    lsig_attend_check_time(&bob->client);
    assert_int_equal(bob->close_code, 0);
    fixture_pass(f, 1);
    lsig_attend_check_time(&bob->client);
    assert_int_equal(bob->close_code, LSIG_ATTEND_LOST);
    lsig_attend_check_time(&bob->client); // once
    fixture_leave(bob, "timeout");
    assert_heard(ann, "user-left(bob timeout)");
    assert_int_equal(f->metrics.away, 0);
    assert_null(bob->client.flow);
}

static void without_a_window_it_leaves_at_once_and_gets_no_token(void **state)
{
    struct fixture *f = *state;
    f->settings.resume_window_s = 0;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    assert_has_not(fixture_last(bob, "room-state"), "session");
    fixture_forget_all(f);
    assert_false(fixture_lose(bob));
    assert_heard(ann, "user-left(bob timeout)");
}

static void a_token_brings_the_client_back_where_it_was(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    char peer_id[LSIG_PEER_ID_SIZE];
    memcpy(peer_id, bob->client.connection.peer_id, sizeof(peer_id));
    assert_true(fixture_lose(bob));
    fixture_forget_all(f);
    bob->replays = 3;
    struct peer *fresh = fixture_return(f, "bob", LSIG_V1, fixture_resume_token(bob), 7);
    assert_ptr_equal(bob->took_over, fresh);
    assert_null(fresh->client.flow);
    assert_int_equal(bob->rewound, 7);
    assert_heard(fresh, "");
    assert_heard(bob, "room-state(2)");
    assert_int_equal(bob->sent_first, 1);
    assert_has(fixture_last(bob, "room-state"), "\"resumed\":true");
    assert_has_not(fixture_last(bob, "room-state"), "\"away\"");
    assert_has(fixture_last(bob, "room-state"), peer_id);
    assert_heard(ann, "user-back(bob)");
    assert_int_equal(bob->client.state, LSIG_CLIENT_PRESENT);
    fixture_send(bob, "say", 1);
    assert_heard(ann, "say(bob 1)");
    assert_int_equal(f->metrics.away, 0);
    assert_int_equal(f->metrics.resumes, 1);
}

static void a_token_is_good_until_the_client_is_heard_on_its_new_socket(void **state)
{
    struct fixture *f = *state;
    fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    char first[LSIG_RESUME_TOKEN_SIZE];
    snprintf(first, sizeof(first), "%s", fixture_resume_token(bob));
    assert_true(fixture_lose(bob));
    fixture_return(f, "bob", LSIG_V1, first, 0);
    char second[LSIG_RESUME_TOKEN_SIZE];
    snprintf(second, sizeof(second), "%s", fixture_resume_token(bob));
    assert_string_not_equal(second, first);
    assert_true(fixture_lose(bob)); // before the room-state with the second one came to it
    struct peer *again = fixture_return(f, "bob", LSIG_V1, first, 0);
    assert_ptr_equal(bob->took_over, again);
    char third[LSIG_RESUME_TOKEN_SIZE];
    snprintf(third, sizeof(third), "%s", fixture_resume_token(bob));
    fixture_send(bob, "say", 1); // it has come
    assert_true(fixture_lose(bob));
    const char *used[] = {first, second};
    for (size_t i = 0; i < 2; i++) {
        struct peer *other = fixture_return(f, "bob", LSIG_V1, used[i], 0);
        assert_ptr_not_equal(bob->took_over, other);
        assert_has(fixture_last(other, "room-state"), "\"resumed\":false");
    }
    again = fixture_return(f, "bob", LSIG_V1, third, 0);
    assert_ptr_equal(bob->took_over, again);
}

static void one_place_is_enough_to_take_over_a_socket_that_looks_open(void **state)
{
    struct fixture *f = *state;
    f->settings.user_connections_max = 1;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *fresh = fixture_connect(f, "r1");
    char *token = fixture_token(f, "ann", 600);
    char *text = NULL;
    assert_true(
        asprintf(&text,
                 "{\"type\":\"auth\",\"payload\":{\"token\":\"%s\",\"resume\":\"%s\",\"seq\":3}}",
                 token, fixture_resume_token(ann)) > 0);
    fixture_frame(fresh, text);
    free(text);
    free(token);
    assert_ptr_equal(ann->took_over, fresh);
    assert_int_equal(ann->rewound, 3);
    assert_false(lsig_door_take_place(&f->flow, lsig_span_of("ann")));
}

static void a_token_of_another_user_room_or_dialect_is_an_ordinary_join(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    struct peer *far = fixture_join_room(f, "r2", "bob", LSIG_V1);
    assert_true(fixture_lose(bob));
    fixture_forget_all(f);
    const char *strange[] = {fixture_resume_token(ann), "", "0", "\xff"};
    char own[LSIG_RESUME_TOKEN_SIZE];
    for (size_t i = 0; i < 4; i++) {
        snprintf(own, sizeof(own), "%s", strange[i]);
        struct peer *peer = fixture_return(f, "bob", LSIG_V1, own, 0);
        assert_has(fixture_last(peer, "room-state"), "\"resumed\":false");
        fixture_leave(peer, "bye");
    }
    snprintf(own, sizeof(own), "%s", fixture_resume_token(far));
    fixture_leave(fixture_return(f, "bob", LSIG_V1, own, 0), "bye");
    snprintf(own, sizeof(own), "%s", fixture_resume_token(bob));
    fixture_leave(fixture_return(f, "bob", LSIG_COMPAT, own, 0), "bye");
    assert_null(bob->took_over);
    assert_int_equal(ann->client.state, LSIG_CLIENT_PRESENT);
}

static void a_socket_that_still_looks_open_is_taken_over(void **state)
{
    struct fixture *f = *state;
    f->settings.user_connections_max = 2;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_forget_all(f);
    struct peer *fresh = fixture_return(f, "bob", LSIG_V1, fixture_resume_token(bob), 2);
    assert_ptr_equal(bob->took_over, fresh);
    assert_heard(ann, ""); // nobody was away
    assert_heard(bob, "room-state(2)");
    // One place is taken, not two.
    assert_true(lsig_door_take_place(&f->flow, lsig_span_of("bob")));
    assert_false(lsig_door_take_place(&f->flow, lsig_span_of("bob")));
    lsig_door_give_place(&f->flow, lsig_span_of("bob"));
}

static void what_is_no_longer_kept_makes_an_honest_snapshot(void **state)
{
    struct fixture *f = *state;
    fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    assert_true(fixture_lose(bob));
    bob->replays = -1;
    fixture_forget_all(f);
    fixture_return(f, "bob", LSIG_V1, fixture_resume_token(bob), 1);
    assert_heard(bob, "room-state(2)");
    assert_int_equal(bob->sent_first, 0); // it has a seq: the next one
    assert_has(fixture_last(bob, "room-state"), "\"resumed\":false");
    assert_int_equal(f->metrics.resumes_lossy, 1);
}

static void a_compat_client_returns_as_the_same_user_within_the_window(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    assert_true(fixture_lose(bob));
    fixture_forget_all(f);
    bob->replays = 2;
    struct peer *fresh = fixture_return(f, "bob", LSIG_COMPAT, NULL, 0);
    assert_ptr_equal(bob->took_over, fresh);
    assert_heard(bob, "room-state(2)");
    assert_has(fixture_last(bob, "room-state"), "\"reconnected\":true,\"missed_message_count\":2");
    assert_heard(ann, "");
    // Another one of him, while he is there, is another connection.
    struct peer *second = fixture_return(f, "bob", LSIG_COMPAT, NULL, 0);
    assert_heard(second, "room-state(2)");
    assert_has_not(fixture_last(second, "room-state"), "reconnected");
}

static void of_two_compat_clients_the_one_lost_last_returns(void **state)
{
    struct fixture *f = *state;
    struct peer *first = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *second = fixture_join(f, "ann", LSIG_COMPAT);
    assert_true(fixture_lose(second));
    fixture_pass(f, 5000);
    assert_true(fixture_lose(first));
    struct peer *fresh = fixture_return(f, "ann", LSIG_COMPAT, NULL, 0);
    assert_ptr_equal(first->took_over, fresh);
    assert_null(second->took_over);
}

static void who_was_sent_away_or_said_goodbye_cannot_resume(void **state)
{
    struct fixture *f = *state;
    fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    char token[LSIG_RESUME_TOKEN_SIZE];
    snprintf(token, sizeof(token), "%s", fixture_resume_token(bob));
    lsig_attend_end(&bob->client, LSIG_KICKED, "out");
    assert_int_equal(bob->close_code, 4403);
    assert_false(fixture_lose(bob));
    struct peer *fresh = fixture_return(f, "bob", LSIG_V1, token, 0);
    assert_has(fixture_last(fresh, "room-state"), "\"resumed\":false");
}

static void one_that_is_away_can_be_sent_away(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    char token[LSIG_RESUME_TOKEN_SIZE];
    snprintf(token, sizeof(token), "%s", fixture_resume_token(bob));
    assert_true(fixture_lose(bob));
    fixture_forget_all(f);
    lsig_attend_end(&bob->client, LSIG_KICKED, "out");
    assert_int_equal(bob->close_code, 4403);
    struct peer *fresh = fixture_return(f, "bob", LSIG_V1, token, 0);
    assert_null(bob->took_over);
    fixture_leave(bob, "kicked");
    fixture_leave(fresh, "bye");
    assert_heard(ann, "peer-joined(bob) user-back(bob) peer-left(bob) user-left(bob bye)");
}

static void a_member_is_away_when_all_its_connections_are(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *desk = fixture_join(f, "bob", LSIG_V1);
    struct peer *phone = fixture_join(f, "bob", LSIG_V1);
    fixture_forget_all(f);
    assert_true(fixture_lose(desk));
    assert_heard(ann, "");
    fixture_leave(phone, "bye"); // the one that is left is away
    assert_heard(ann, "peer-left(bob) user-away(bob)");
    struct peer *cat = fixture_join(f, "cat", LSIG_V1);
    assert_has(fixture_last(cat, "room-state"), "\"away\":true");
    fixture_forget_all(f);
    fixture_join(f, "bob", LSIG_V1); // a new one of him
    assert_heard(ann, "peer-joined(bob) user-back(bob)");
}

static void the_lost_do_not_count_as_connections_but_are_bounded(void **state)
{
    struct fixture *f = *state;
    f->settings.user_connections_max = 2;
    struct peer *one = fixture_join(f, "ann", LSIG_V1);
    struct peer *two = fixture_join_room(f, "r2", "ann", LSIG_V1);
    assert_true(fixture_lose(one));
    assert_true(fixture_lose(two));
    struct peer *three = fixture_join_room(f, "r3", "ann", LSIG_V1);
    assert_false(fixture_lose(three));
    assert_int_equal(f->metrics.away, 2);
    fixture_leave(one, "timeout");
    fixture_leave(two, "timeout");
    assert_int_equal(f->flow.user_connections.count, 0);
}

static void limits_survive_the_loss(void **state)
{
    struct fixture *f = *state;
    fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    for (int i = 0; i < 100; i++) {
        fixture_send(bob, "say", i);
    }
    assert_true(fixture_lose(bob));
    fixture_return(f, "bob", LSIG_V1, fixture_resume_token(bob), 0);
    fixture_forget_all(f);
    fixture_send(bob, "say", 1);
    assert_heard(bob, "error(RATE_LIMIT_EXCEEDED)");
}

static void a_host_who_is_away_stays_host_and_keeps_his_seat(void **state)
{
    struct fixture *f = *state;
    f->settings.room_members_max = 2;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_forget_all(f);
    assert_true(fixture_lose(ann));
    assert_heard(bob, "user-away(ann)");
    assert_int_equal(ann->client.member->role, LSIG_HOST);
    struct peer *cat = fixture_join(f, "cat", LSIG_V1);
    assert_heard(cat, "error(ROOM_FULL)");
}

static void a_message_whose_hook_waits_is_relayed_though_its_sender_is_lost(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('message:say', function(room, member, message) sig.sleep('20ms') end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_forget_all(f);
    fixture_frame(bob, "{\"type\":\"say\",\"payload\":{\"n\":1},\"id\":1}");
    assert_true(fixture_lose(bob));
    fixture_settle(f);
    assert_heard(ann, "user-away(bob) say(bob 1)");
    assert_heard(bob, "ack(1)");
    assert_int_equal(bob->client.last_id, 1);
}

struct story {
    struct lsig_observer observer; // first
    char text[1024];
};

static void on_event(struct lsig_observer *observer, const struct lsig_event *event)
{
    struct story *story = (struct story *)observer;
    size_t len = strlen(story->text);
    snprintf(story->text + len, sizeof(story->text) - len, "%s%s(%s)", len > 0 ? " " : "",
             lsig_event_name(event->kind), event->member != NULL ? event->member->id : "");
}

static void observers_hear_the_whole_story(void **state)
{
    struct fixture *f = *state;
    struct story story = {.observer = {.on_event = on_event}};
    lsig_observer_add(&f->flow, &story.observer);
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_send(bob, "say", 1); // it does not want messages
    assert_true(fixture_lose(ann));
    fixture_return(f, "ann", LSIG_V1, fixture_resume_token(ann), 0);
    fixture_leave(ann, "bye");
    story.observer.wants_messages = true;
    fixture_send(bob, "say", 2);
    fixture_send(bob, "nonsense", 2);
    fixture_leave(bob, "bye");
    lsig_observer_remove(&f->flow, &story.observer);
    assert_string_equal(
        story.text,
        "room-opened(ann) joined(ann) connected(ann) joined(bob) connected(bob) away(ann) "
        "resumed(ann) back(ann) "
        "role(bob) disconnected(ann) left(ann) message(bob) refused(bob) disconnected(bob) "
        "left(bob) room-closed(bob)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(a_lost_v1_client_stays_away_and_v1_members_hear_of_it),
        FLOW_TEST(after_the_window_it_has_left),
        FLOW_TEST(without_a_window_it_leaves_at_once_and_gets_no_token),
        FLOW_TEST(a_token_brings_the_client_back_where_it_was),
        FLOW_TEST(a_token_is_good_until_the_client_is_heard_on_its_new_socket),
        FLOW_TEST(one_place_is_enough_to_take_over_a_socket_that_looks_open),
        FLOW_TEST(a_token_of_another_user_room_or_dialect_is_an_ordinary_join),
        FLOW_TEST(a_socket_that_still_looks_open_is_taken_over),
        FLOW_TEST(what_is_no_longer_kept_makes_an_honest_snapshot),
        FLOW_TEST(a_compat_client_returns_as_the_same_user_within_the_window),
        FLOW_TEST(of_two_compat_clients_the_one_lost_last_returns),
        FLOW_TEST(who_was_sent_away_or_said_goodbye_cannot_resume),
        FLOW_TEST(one_that_is_away_can_be_sent_away),
        FLOW_TEST(a_member_is_away_when_all_its_connections_are),
        FLOW_TEST(the_lost_do_not_count_as_connections_but_are_bounded),
        FLOW_TEST(limits_survive_the_loss),
        FLOW_TEST(a_host_who_is_away_stays_host_and_keeps_his_seat),
        FLOW_TEST(a_message_whose_hook_waits_is_relayed_though_its_sender_is_lost),
        FLOW_TEST(observers_hear_the_whole_story),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
