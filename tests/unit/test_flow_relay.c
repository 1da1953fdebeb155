#include "test_flow_fixture.h"

static void everybody_in_the_room_hears_a_message_but_its_sender_does_not(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    struct peer *cid = fixture_join(f, "cid", LSIG_V1);
    struct peer *far = fixture_join_room(f, "r2", "eve", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send(ann, "say", 1);
    assert_heard(ann, "");
    assert_heard(bob, "say(ann 1)");
    assert_heard(cid, "say(ann 1)");
    assert_heard(far, "");
    assert_int_equal(f->metrics.messages_in, 1);
    assert_int_equal(f->metrics.messages_relayed, 1);
}

static void every_receiver_hears_the_messages_in_the_order_in_which_they_came(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    struct peer *cid = fixture_join(f, "cid", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send(ann, "say", 1);
    fixture_send(bob, "shout", 2);
    fixture_send(ann, "no-such-type", 3); // refused: told to its sender alone
    fixture_send(bob, "say", 4);
    fixture_send(ann, "say", 5);
    assert_heard(cid, "say(ann 1) shout(bob 2) say(bob 4) say(ann 5)");
    assert_heard(bob, "say(ann 1) say(ann 5)");
    assert_heard(ann, "shout(bob 2) error(UNKNOWN_TYPE) say(bob 4)");
}

static void of_the_senders_other_connections_only_v1_ones_hear_it(void **state)
{
    struct fixture *f = *state;
    struct peer *phone = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *desk = fixture_join(f, "ann", LSIG_V1);
    struct peer *tab = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send(phone, "say", 1);
    assert_heard(phone, "");
    assert_heard(tab, "");
    assert_heard(desk, "say(ann 1)");
    assert_heard(bob, "say(ann 1)");
    fixture_send(desk, "say", 2);
    assert_heard(phone, "");
    assert_heard(tab, "");
    assert_heard(desk, "");
    assert_heard(bob, "say(ann 2)");
}

static void what_is_for_others_reaches_no_connection_of_the_sender(void **state)
{
    struct fixture *f = *state;
    struct peer *phone = fixture_join(f, "ann", LSIG_V1);
    struct peer *desk = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_forget_all(f);
    fixture_send(phone, "shout", 1);
    assert_heard(phone, "");
    assert_heard(desk, "");
    assert_heard(bob, "shout(ann 1)");
}

static void what_is_for_roles_reaches_members_with_these_roles_alone(void **state)
{
    struct fixture *f = *state;
    struct peer *host = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *moderator = fixture_join(f, "bob", LSIG_V1);
    struct peer *cid = fixture_join(f, "cid", LSIG_COMPAT);
    struct peer *dan = fixture_join(f, "dan", LSIG_V1);
    moderator->client.member->role = LSIG_MODERATOR;
    fixture_forget_all(f);
    fixture_send(cid, "staff", 1);
    assert_heard(host, "staff(cid 1)");
    assert_heard(moderator, "staff(cid 1)");
    assert_heard(cid, "");
    assert_heard(dan, "");
    fixture_send_to(cid, "staff", 2, "dan"); // a target changes nothing about it
    assert_heard(host, "staff(cid 2)");
    assert_heard(moderator, "staff(cid 2)");
    assert_heard(dan, "");
    fixture_send(host, "staff", 3);
    assert_heard(host, "");
    assert_heard(moderator, "staff(ann 3)");
}

static void what_is_for_the_server_reaches_nobody_and_is_no_error(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_forget_all(f);
    fixture_send(bob, "note", 1);
    fixture_send_to(bob, "note", 2, "ann");
    assert_heard(ann, "");
    assert_heard(bob, "");
    assert_int_equal(f->metrics.messages_relayed, 2);
}

static void what_is_for_a_target_is_refused_without_one(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    struct peer *cid = fixture_join(f, "cid", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send_to(ann, "whisper", 1, "bob");
    fixture_send(ann, "whisper", 2);
    fixture_send(bob, "whisper", 3);
    assert_heard(ann, "error(INVALID_MESSAGE)");
    assert_heard(bob, "whisper(ann 1) error(INVALID_MESSAGE)");
    assert_heard(cid, "");
}

static void a_type_that_a_role_may_not_send_is_refused_and_not_relayed(void **state)
{
    struct fixture *f = *state;
    struct peer *host = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send(bob, "boss", 1);
    assert_heard(host, "");
    assert_heard(bob, "error(PERMISSION_DENIED)");
    assert_has(fixture_last(bob, "error"),
               "\"details\":{\"type\":\"boss\",\"role\":\"participant\"}");
    fixture_send(host, "boss", 2);
    assert_heard(bob, "boss(ann 2)");
}

static void forged_and_unknown_types_are_refused_and_not_relayed(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_forget_all(f);
    fixture_send(ann, "user_left", 1);
    fixture_send(ann, "error", 2);
    fixture_send(ann, "no-such-type", 3);
    assert_heard(ann, "error(FORBIDDEN_TYPE) error(FORBIDDEN_TYPE) error(UNKNOWN_TYPE)");
    assert_heard(bob, "");
    assert_int_equal(ann->close_code, 0);
}

static void the_server_says_who_sent_it_and_where_whatever_the_frame_says(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    struct peer *cid = fixture_join(f, "cid", LSIG_V1);
    fixture_frame(ann,
                  "{\"type\":\"say\",\"payload\":{\"n\":1,\"deep\":[1, 2]},\"sender_id\":\"eve\","
                  "\"room_id\":\"r9\",\"extra\":true,\"timestamp\":\"then\"}");
    char wanted[512];
    snprintf(wanted, sizeof(wanted), "%s",
             "{\"type\":\"say\",\"payload\":{\"n\":1,\"deep\":[1, 2]},\"sender_id\":\"ann\","
             "\"room_id\":\"r1\",\"timestamp\":\"then\"}");
    assert_string_equal(fixture_last(bob, "say"), wanted);
    snprintf(wanted, sizeof(wanted),
             "{\"type\":\"say\",\"payload\":{\"n\":1,\"deep\":[1, 2]},\"sender_id\":\"ann\","
             "\"room_id\":\"r1\",\"timestamp\":\"then\",\"sender_peer_id\":\"%s\"}",
             ann->client.connection.peer_id);
    assert_string_equal(fixture_last(cid, "say"), wanted);
}

static void a_message_without_a_timestamp_gets_the_time_of_the_turn(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_send(ann, "say", 1);
    assert_has(fixture_last(bob, "say"), "\"timestamp\":\"2027-01-15T08:00:00.000+00:00\"");
    fixture_pass(f, 1250);
    fixture_send(ann, "say", 2);
    assert_has(fixture_last(bob, "say"), "\"timestamp\":\"2027-01-15T08:00:01.250+00:00\"");
}

static void an_alias_is_delivered_under_the_name_of_the_type(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_frame(ann, "{\"type\":\"ice_candidate\",\"payload\":{\"candidate\":null,\"n\":1}}");
    assert_heard(bob, "ice-candidate(ann 1)");
}

static void one_text_serves_all_receivers_of_a_dialect(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    struct peer *cid = fixture_join(f, "cid", LSIG_COMPAT);
    struct peer *dan = fixture_join(f, "dan", LSIG_V1);
    fixture_send(ann, "say", 1);
    const struct lsig_body *body = bob->frames[bob->frame_count - 1];
    assert_ptr_equal(body, cid->frames[cid->frame_count - 1]);
    assert_ptr_not_equal(body, dan->frames[dan->frame_count - 1]);
    assert_int_equal(body->refs, 2); // the two queues; the flow has given back its own
}

static void a_payload_is_checked_leniently_in_compat_and_strictly_in_v1(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_forget_all(f);
    const char *missing = "{\"type\":\"shaped\",\"payload\":{}}";
    const char *extra = "{\"type\":\"shaped\",\"payload\":{\"n\":1,\"more\":2}}";
    const char *wrong = "{\"type\":\"shaped\",\"payload\":{\"n\":\"x\"}}";
    fixture_frame(ann, missing);
    fixture_frame(ann, extra);
    assert_heard(bob, "shaped(ann) shaped(ann 1)");
    fixture_frame(ann, wrong);
    assert_heard(ann, "error(INVALID_MESSAGE)");
    assert_heard(bob, "");
    fixture_frame(bob, missing);
    fixture_frame(bob, extra);
    fixture_frame(bob, wrong);
    assert_heard(bob, "error(INVALID_MESSAGE) error(INVALID_MESSAGE) error(INVALID_MESSAGE)");
    assert_heard(ann, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(everybody_in_the_room_hears_a_message_but_its_sender_does_not),
        FLOW_TEST(every_receiver_hears_the_messages_in_the_order_in_which_they_came),
        FLOW_TEST(of_the_senders_other_connections_only_v1_ones_hear_it),
        FLOW_TEST(what_is_for_others_reaches_no_connection_of_the_sender),
        FLOW_TEST(what_is_for_roles_reaches_members_with_these_roles_alone),
        FLOW_TEST(what_is_for_the_server_reaches_nobody_and_is_no_error),
        FLOW_TEST(what_is_for_a_target_is_refused_without_one),
        FLOW_TEST(a_type_that_a_role_may_not_send_is_refused_and_not_relayed),
        FLOW_TEST(forged_and_unknown_types_are_refused_and_not_relayed),
        FLOW_TEST(the_server_says_who_sent_it_and_where_whatever_the_frame_says),
        FLOW_TEST(a_message_without_a_timestamp_gets_the_time_of_the_turn),
        FLOW_TEST(an_alias_is_delivered_under_the_name_of_the_type),
        FLOW_TEST(one_text_serves_all_receivers_of_a_dialect),
        FLOW_TEST(a_payload_is_checked_leniently_in_compat_and_strictly_in_v1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
