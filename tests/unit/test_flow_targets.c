// The table of targets: who is named, in which dialect the sender speaks, and who hears it.
#include "test_flow_fixture.h"

#define SDP "v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nt=0 0\\r\\n"

static void a_member_who_is_present_hears_it_alone_in_both_dialects(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    struct peer *cid = fixture_join(f, "cid", LSIG_COMPAT);
    struct peer *dan = fixture_join(f, "dan", LSIG_V1);
    fixture_forget_all(f);
    fixture_send_to(ann, "say", 1, "bob");
    fixture_send_to(ann, "say", 2, "cid");
    fixture_send_to(bob, "shout", 3, "cid");
    fixture_send_to(bob, "whisper", 4, "dan");
    assert_heard(ann, "");
    assert_heard(bob, "say(ann 1)");
    assert_heard(cid, "say(ann 2) shout(bob 3)");
    assert_heard(dan, "whisper(bob 4)");
}

static void who_was_a_member_and_left_is_not_found_in_both_dialects(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    struct peer *cid = fixture_join(f, "cid", LSIG_COMPAT);
    fixture_leave(cid, "bye");
    fixture_forget_all(f);
    fixture_send_to(ann, "say", 1, "cid");
    fixture_send_to(bob, "say", 2, "cid");
    fixture_send_to(ann, "whisper", 3, "cid");
    assert_heard(ann, "error(TARGET_NOT_FOUND) error(TARGET_NOT_FOUND)");
    assert_heard(bob, "error(TARGET_NOT_FOUND)");
    assert_has(fixture_last(ann, "error"), "\"target\":\"cid\"");
    assert_int_equal(ann->close_code, 0);
}

static void who_never_was_a_member_means_everybody_in_compat(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    struct peer *cid = fixture_join(f, "cid", LSIG_COMPAT);
    fixture_join_room(f, "r2", "eve", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send_to(ann, "say", 1, "nobody");
    fixture_send_to(ann, "say", 2, "eve"); // in another room is not in this one
    fixture_frame(ann, "{\"type\":\"offer\",\"payload\":{\"sdp\":\"v=0\",\"type\":\"offer\","
                       "\"n\":3,\"target_user_id\":\"nobody\"}}");
    assert_heard(ann, "");
    assert_heard(bob, "say(ann 1) say(ann 2) offer(ann 3)");
    assert_heard(cid, "say(ann 1) say(ann 2) offer(ann 3)");
}

static void who_never_was_a_member_is_not_found_in_v1(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send_to(ann, "say", 1, "nobody");
    fixture_send_to(ann, "shout", 2, "0123456789abcdef");
    assert_heard(ann, "error(TARGET_NOT_FOUND) error(TARGET_NOT_FOUND)");
    assert_heard(bob, "");
}

static void keys_are_never_broadcast_for_want_of_their_recipient(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_frame(ann, "{\"type\":\"e2ee-ratchet-update\",\"payload\":{\"recipient_user_id\":"
                       "\"nobody\",\"chain_key\":\"k\",\"n\":1}}");
    fixture_send_to(ann, "whisper", 2, "nobody");
    assert_heard(ann, "error(TARGET_NOT_FOUND) error(TARGET_NOT_FOUND)");
    assert_heard(bob, "");
}

static void a_member_who_came_back_is_found_again(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    fixture_leave(fixture_join(f, "bob", LSIG_COMPAT), "bye");
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send_to(ann, "say", 1, "bob");
    assert_heard(bob, "say(ann 1)");
}

static void the_first_name_of_a_target_that_is_not_null_decides(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    struct peer *cid = fixture_join(f, "cid", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_frame(ann, "{\"type\":\"say\",\"payload\":{\"n\":1,\"target_user_id\":\"cid\"},"
                       "\"target_id\":null,\"to\":\"bob\"}");
    fixture_frame(ann, "{\"type\":\"say\",\"payload\":{\"n\":2,\"receiver_id\":\"cid\"}}");
    fixture_frame(ann, "{\"type\":\"say\",\"payload\":{\"n\":3,\"target_user_id\":null},"
                       "\"target\":null}");
    fixture_frame(ann, "{\"type\":\"say\",\"payload\":{\"n\":4},\"target\":7}");
    assert_heard(bob, "say(ann 1) say(ann 3)");
    assert_heard(cid, "say(ann 2) say(ann 3)");
    assert_heard(ann, "error(INVALID_MESSAGE)");
}

static void in_v1_a_peer_id_means_that_connection_alone(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *phone = fixture_join(f, "bob", LSIG_V1);
    struct peer *desk = fixture_join(f, "bob", LSIG_COMPAT);
    struct peer *tab = fixture_join(f, "bob", LSIG_V1);
    fixture_forget_all(f);
    fixture_send_to(ann, "say", 1, phone->client.connection.peer_id);
    fixture_send_to(ann, "whisper", 2, desk->client.connection.peer_id);
    assert_heard(phone, "say(ann 1)");
    assert_heard(desk, "whisper(ann 2)");
    assert_heard(tab, "");
}

static void in_v1_a_peer_id_goes_before_a_user_of_that_name(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    char name[LSIG_PEER_ID_SIZE];
    snprintf(name, sizeof(name), "%s", bob->client.connection.peer_id);
    struct peer *liar = fixture_join(f, name, LSIG_V1);
    struct peer *cid = fixture_join(f, "cid", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send_to(ann, "say", 1, name);
    assert_heard(bob, "say(ann 1)");
    assert_heard(liar, "");
    fixture_send_to(cid, "say", 2, name); // compat knows users alone
    assert_heard(bob, "");
    assert_heard(liar, "say(cid 2)");
}

static void in_compat_a_peer_id_is_somebody_who_never_was_here(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    struct peer *cid = fixture_join(f, "cid", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_send_to(ann, "say", 1, bob->client.connection.peer_id);
    assert_heard(bob, "say(ann 1)");
    assert_heard(cid, "say(ann 1)");
}

static void in_v1_a_user_means_all_his_connections(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *phone = fixture_join(f, "bob", LSIG_V1);
    struct peer *desk = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_frame(ann, "{\"type\":\"offer\",\"payload\":{\"sdp\":\"" SDP "\",\"type\":\"offer\"},"
                       "\"to\":\"bob\"}");
    fixture_send_to(ann, "say", 2, "bob");
    assert_heard(phone, "offer(ann) say(ann 2)");
    assert_heard(desk, "offer(ann) say(ann 2)");
}

static void candidate_to(struct peer *from, int n, const char *target)
{
    char text[256];
    snprintf(text, sizeof(text),
             "{\"type\":\"ice-candidate\",\"payload\":{\"candidate\":null,\"n\":%d,"
             "\"target_user_id\":\"%s\"}}",
             n, target);
    fixture_frame(from, text);
}

static void in_compat_candidates_go_to_the_newest_of_several_connections(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *phone = fixture_join(f, "bob", LSIG_COMPAT);
    struct peer *desk = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    candidate_to(ann, 1, "bob");
    assert_heard(phone, "");
    assert_heard(desk, "ice-candidate(ann 1)");
    fixture_send_to(ann, "say", 2, "bob"); // other types go to all of them
    assert_heard(phone, "say(ann 2)");
    assert_heard(desk, "say(ann 2)");
}

static void in_compat_candidates_go_to_the_connection_that_last_spoke_to_the_sender(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *cid = fixture_join(f, "cid", LSIG_COMPAT);
    struct peer *phone = fixture_join(f, "bob", LSIG_COMPAT);
    struct peer *desk = fixture_join(f, "bob", LSIG_COMPAT);
    candidate_to(phone, 1, "ann");
    fixture_forget_all(f);
    candidate_to(ann, 2, "bob");
    candidate_to(cid, 3, "bob"); // to him nobody has spoken
    assert_heard(phone, "ice-candidate(ann 2)");
    assert_heard(desk, "ice-candidate(cid 3)");
    candidate_to(desk, 4, "ann");
    candidate_to(ann, 5, "bob");
    assert_heard(phone, "");
    assert_heard(desk, "ice-candidate(ann 5)");
    candidate_to(phone, 6, "ann");
    fixture_leave(phone, "bye"); // and goes: the other one is left
    candidate_to(ann, 7, "bob");
    assert_heard(desk, "ice-candidate(ann 7)");
}

static void nothing_is_echoed_to_who_names_himself(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    struct peer *desk = fixture_join(f, "bob", LSIG_V1);
    fixture_forget_all(f);
    fixture_send_to(ann, "say", 1, "ann");
    candidate_to(ann, 2, "ann");
    assert_heard(ann, "");
    fixture_send_to(bob, "say", 3, bob->client.connection.peer_id);
    assert_heard(bob, "");
    assert_heard(desk, "");
    fixture_send_to(bob, "say", 4, "bob");
    fixture_send_to(bob, "say", 5, desk->client.connection.peer_id);
    assert_heard(bob, "");
    assert_heard(desk, "say(bob 4) say(bob 5)");
    assert_heard(ann, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(a_member_who_is_present_hears_it_alone_in_both_dialects),
        FLOW_TEST(who_was_a_member_and_left_is_not_found_in_both_dialects),
        FLOW_TEST(who_never_was_a_member_means_everybody_in_compat),
        FLOW_TEST(who_never_was_a_member_is_not_found_in_v1),
        FLOW_TEST(keys_are_never_broadcast_for_want_of_their_recipient),
        FLOW_TEST(a_member_who_came_back_is_found_again),
        FLOW_TEST(the_first_name_of_a_target_that_is_not_null_decides),
        FLOW_TEST(in_v1_a_peer_id_means_that_connection_alone),
        FLOW_TEST(in_v1_a_peer_id_goes_before_a_user_of_that_name),
        FLOW_TEST(in_compat_a_peer_id_is_somebody_who_never_was_here),
        FLOW_TEST(in_v1_a_user_means_all_his_connections),
        FLOW_TEST(in_compat_candidates_go_to_the_newest_of_several_connections),
        FLOW_TEST(in_compat_candidates_go_to_the_connection_that_last_spoke_to_the_sender),
        FLOW_TEST(nothing_is_echoed_to_who_names_himself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
