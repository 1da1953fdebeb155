// What happens around a message whose hook waits.
#include "test_flow_fixture.h"

// A message with n = 0 waits in its hook, all others pass it.
#define ZERO_WAITS                                                                                 \
    "sig.on('message', function(room, member, message)"                                            \
    " if message.payload.n == 0 then sig.sleep('3ms') end end) "

static void use_waiting(struct fixture *f)
{
    fixture_use(f, ZERO_WAITS);
    f->settings.message_rate.count = 0;
}

static void messages_of_a_client_keep_their_order_behind_a_waiting_hook(void **state)
{
    struct fixture *f = *state;
    use_waiting(f);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_forget_all(f);
    fixture_send(ann, "say", 0);
    fixture_send(ann, "say", 1);
    fixture_send(ann, "nonsense", 2);
    fixture_send(ann, "shout", 3);
    assert_heard(bob, "");
    assert_heard(ann, "");
    fixture_settle(f);
    assert_heard(bob, "say(ann 0) say(ann 1) shout(ann 3)");
    assert_heard(ann, "error(UNKNOWN_TYPE)");
    fixture_send(ann, "say", 4);
    assert_heard(bob, "say(ann 4)");
}

static void a_queued_message_may_wait_in_its_turn(void **state)
{
    struct fixture *f = *state;
    use_waiting(f);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send(ann, "say", 0);
    fixture_send(ann, "say", 1);
    fixture_send(ann, "shout", 0);
    fixture_send(ann, "shout", 0);
    fixture_send(ann, "say", 2);
    fixture_settle(f);
    assert_heard(bob, "say(ann 0) say(ann 1) shout(ann 0) shout(ann 0) say(ann 2)");
}

static void other_clients_do_not_wait(void **state)
{
    struct fixture *f = *state;
    use_waiting(f);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *desk = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send(ann, "say", 0);
    fixture_send(desk, "say", 1);
    fixture_send(bob, "say", 2);
    assert_heard(bob, "say(ann 1)");
    assert_heard(ann, "say(bob 2)");
    fixture_settle(f);
    assert_heard(bob, "say(ann 0)");
}

static void the_verdict_of_a_hook_that_waited_counts(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('message:say', function(room, member, message) sig.sleep('1ms')"
                   " if message.payload.n == 1 then return sig.deny('NOT_NOW', 'later') end"
                   " if message.payload.n == 2 then return sig.handled() end"
                   " if message.payload.n == 3 then error('oh') end end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    for (int n = 0; n < 5; n++) {
        fixture_send(ann, "say", n);
    }
    fixture_settle(f);
    assert_heard(bob, "say(ann 0) say(ann 4)");
    assert_heard(ann, "error(NOT_NOW) error(POLICY_ERROR)");
    assert_int_equal(ann->close_code, 0);
}

static void target_and_role_are_looked_at_again_after_a_wait(void **state)
{
    struct fixture *f = *state;
    use_waiting(f);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    struct peer *cid = fixture_join(f, "cid", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send_to(ann, "say", 0, "bob");
    fixture_leave(bob, "bye");
    fixture_settle(f);
    assert_heard(ann, "room-state(2) user-left(bob bye) error(TARGET_NOT_FOUND)");
    fixture_send(ann, "boss", 0);
    ann->client.member->role = LSIG_PARTICIPANT;
    fixture_settle(f);
    assert_heard(ann, "error(PERMISSION_DENIED)");
    assert_heard(cid, "room-state(2) user-left(bob bye)");
}

static void a_new_policy_is_asked_again_after_a_wait(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, ZERO_WAITS "sig.type 'fad' { payload = sig.object({}, { extra = true }) }");
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send(ann, "fad", 0);
    fixture_use(f, "");
    fixture_settle(f);
    assert_heard(ann, "error(UNKNOWN_TYPE)");
    assert_heard(bob, "");
}

static void a_full_queue_stops_reading_until_it_is_worked_off(void **state)
{
    struct fixture *f = *state;
    use_waiting(f);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send(ann, "say", 0);
    for (int n = 1; n < LSIG_CLIENT_QUEUE_MAX; n++) {
        fixture_send(ann, "say", n);
    }
    assert_int_equal(ann->pauses, 0);
    fixture_send(ann, "say", 64);
    assert_int_equal(ann->pauses, 1);
    fixture_send(ann, "say", 65); // was in the socket's buffer
    assert_int_equal(ann->pauses, 1);
    assert_int_equal(ann->resumes, 0);
    fixture_settle(f);
    assert_int_equal(ann->pauses, 1);
    assert_int_equal(ann->resumes, 1);
    assert_int_equal(ann->client.queued_count, 0);
    char wanted[2048] = "";
    for (int n = 0; n <= 65; n++) {
        snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "%ssay(ann %d)",
                 n > 0 ? " " : "", n);
    }
    assert_heard(bob, wanted);
    assert_int_equal(bob->pauses, 0);
}

static void reading_stays_stopped_while_the_queue_waits_again(void **state)
{
    struct fixture *f = *state;
    use_waiting(f);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    fixture_send(ann, "say", 0);
    fixture_send(ann, "say", 0);
    for (int n = 1; n < LSIG_CLIENT_QUEUE_MAX; n++) {
        fixture_send(ann, "say", n);
    }
    assert_int_equal(ann->pauses, 1);
    fixture_settle(f);
    assert_int_equal(ann->resumes, 1);
}

static void who_goes_on_sending_into_a_stopped_queue_is_closed(void **state)
{
    struct fixture *f = *state;
    use_waiting(f);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send(ann, "say", 0);
    for (int n = 1; n <= 255; n++) {
        fixture_send(ann, "say", n);
    }
    assert_int_equal(ann->close_code, 0);
    fixture_send(ann, "say", 256);
    assert_int_equal(ann->close_code, 4429);
    fixture_settle(f);
    assert_heard(bob, "");
    assert_int_equal(ann->resumes, 0);
}

// Sends a message of about 30,000 bytes.
static void send_long(struct peer *peer, int n)
{
    enum { LONG = 30000 };
    char *text = lsig_alloc(LONG + 128);
    int len = snprintf(text, 128, "{\"type\":\"say\",\"payload\":{\"n\":%d,\"pad\":\"", n);
    memset(text + len, 'x', LONG);
    memcpy(text + len + LONG, "\"}}", 4);
    fixture_frame(peer, text);
    free(text);
}

static void a_long_queue_is_worked_off_over_several_turns(void **state)
{
    struct fixture *f = *state;
    use_waiting(f);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send(ann, "say", 0);
    for (int n = 1; n <= 8; n++) {
        send_long(ann, n);
    }
    fixture_settle(f);
    assert_heard(bob, "say(ann 0) say(ann 1) say(ann 2) say(ann 3)"); // 65,536 bytes were passed
    fixture_send(ann, "say", 9);                                      // stays behind what was there
    assert_heard(bob, "");
    assert_int_equal(fixture_tick(f, 0), 0); // wants to be called at once
    assert_heard(bob, "say(ann 4) say(ann 5) say(ann 6)");
    assert_true(fixture_tick(f, 0) > 0);
    assert_heard(bob, "say(ann 7) say(ann 8) say(ann 9)");
    assert_null(f->flow.resumable);
}

static void reading_goes_on_only_after_the_last_turn(void **state)
{
    struct fixture *f = *state;
    use_waiting(f);
    f->settings.byte_rate.count = 0;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    fixture_send(ann, "say", 0);
    for (int n = 1; n <= LSIG_CLIENT_QUEUE_MAX; n++) {
        send_long(ann, n);
    }
    fixture_settle(f);
    assert_int_equal(ann->pauses, 1);
    int turns = 1;
    for (; f->flow.resumable != NULL; turns++) {
        assert_int_equal(ann->resumes, 0);
        fixture_tick(f, 1);
    }
    assert_int_equal(turns, 22); // 64 messages, three a turn
    assert_int_equal(ann->resumes, 1);
}

static void a_client_that_ends_between_the_turns_is_forgotten(void **state)
{
    struct fixture *f = *state;
    use_waiting(f);
    struct peer *senders[3];
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    for (int i = 0; i < 3; i++) {
        senders[i] = fixture_join(f, (const char *[]){"ann", "cid", "dan"}[i], LSIG_COMPAT);
    }
    fixture_forget_all(f);
    for (int i = 0; i < 3; i++) {
        fixture_send(senders[i], "say", 0);
        for (int n = 1; n <= 4; n++) {
            send_long(senders[i], n);
        }
    }
    fixture_settle(f);
    assert_int_equal(bob->frame_count - bob->heard, 12);
    fixture_leave(senders[1], "bye"); // from the middle of the list
    fixture_leave(senders[2], "bye"); // and its head
    fixture_forget_all(f);
    fixture_tick(f, 1);
    assert_heard(bob, "say(ann 4)");
    assert_null(f->flow.resumable);
}

static void nothing_is_relayed_for_a_client_that_ended_while_its_message_waited(void **state)
{
    struct fixture *f = *state;
    fixture_use(
        f, "local kept = { ended = 0 } "
           "sig.on('message:say', function() sig.sleep('3ms') kept.ended = kept.ended + 1 end) "
           "sig.on('message:note', function()"
           " return sig.deny('ENDED', tostring(kept.ended)) end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_send(ann, "say", 1);
    fixture_send(ann, "say", 2);
    fixture_leave(ann, "bye");
    fixture_forget_all(f);
    fixture_settle(f);
    assert_heard(bob, "");
    fixture_send(bob, "note", 1);
    assert_has(fixture_last(bob, "error"), "\"code\":\"ENDED\",\"message\":\"1\"");
}

static void a_token_that_ends_while_a_message_waits_ends_the_message(void **state)
{
    struct fixture *f = *state;
    use_waiting(f);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    fixture_pass(f, 60000);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send(ann, "say", 0);
    fixture_send(ann, "say", 1);
    fixture_pass(f, (LIFE_S + 30) * 1000 - 60000);
    lsig_attend_check_time(&ann->client);
    lsig_attend_check_time(&bob->client);
    fixture_settle(f);
    assert_heard(ann, "error(TOKEN_EXPIRED)");
    assert_heard(bob, "");
}

static void a_client_that_came_back_is_not_taken_for_the_one_that_waited(void **state)
{
    struct fixture *f = *state;
    use_waiting(f);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    fixture_send(ann, "say", 0);
    fixture_leave(ann, "bye");
    ann->client.address = "192.0.2.1";
    ann->used = false; // its memory is used again
    fixture_join(f, "bart", LSIG_COMPAT);
    assert_ptr_equal(&f->peers[1], ann);
    fixture_forget_all(f);
    fixture_send(ann, "say", 5);
    fixture_settle(f);
    assert_heard(bob, "say(bart 5)");
}

static void a_client_that_is_being_closed_is_not_listened_to(void **state)
{
    struct fixture *f = *state;
    use_waiting(f);
    f->settings.bad_frames_max = 1;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send(ann, "say", 0);
    fixture_send(ann, "say", 1);
    fixture_frame(ann, "{");
    fixture_send(ann, "say", 2);
    fixture_settle(f);
    assert_int_equal(ann->close_code, 1008);
    assert_heard(bob, "say(ann 0) say(ann 1)");
    fixture_send(ann, "say", 3);
    assert_heard(bob, "");
    assert_int_equal(ann->client.state, LSIG_CLIENT_CLOSING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(messages_of_a_client_keep_their_order_behind_a_waiting_hook),
        FLOW_TEST(a_queued_message_may_wait_in_its_turn),
        FLOW_TEST(other_clients_do_not_wait),
        FLOW_TEST(the_verdict_of_a_hook_that_waited_counts),
        FLOW_TEST(target_and_role_are_looked_at_again_after_a_wait),
        FLOW_TEST(a_new_policy_is_asked_again_after_a_wait),
        FLOW_TEST(a_full_queue_stops_reading_until_it_is_worked_off),
        FLOW_TEST(reading_stays_stopped_while_the_queue_waits_again),
        FLOW_TEST(who_goes_on_sending_into_a_stopped_queue_is_closed),
        FLOW_TEST(a_long_queue_is_worked_off_over_several_turns),
        FLOW_TEST(reading_goes_on_only_after_the_last_turn),
        FLOW_TEST(a_client_that_ends_between_the_turns_is_forgotten),
        FLOW_TEST(nothing_is_relayed_for_a_client_that_ended_while_its_message_waited),
        FLOW_TEST(a_token_that_ends_while_a_message_waits_ends_the_message),
        FLOW_TEST(a_client_that_came_back_is_not_taken_for_the_one_that_waited),
        FLOW_TEST(a_client_that_is_being_closed_is_not_listened_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
