#include "test_room_fixture.h"

static void a_member_is_away_when_its_last_connection_is(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection ann[2] = {0};
    enter(room, &ann[0], "ann");
    enter(room, &ann[1], "ann");
    uint64_t revision = room->revision;
    assert_false(lsig_room_set_away(&ann[0], true));
    assert_false(ann[0].member->away);
    assert_int_equal(room->revision, revision);
    assert_true(lsig_room_set_away(&ann[1], true));
    assert_true(ann[0].member->away);
    assert_int_equal(room->revision, revision + 1);
    assert_true(lsig_room_set_away(&ann[0], false));
    assert_false(lsig_room_set_away(&ann[1], false));
    assert_int_equal(room->revision, revision + 2);
    leave(&ann[0]);
    leave(&ann[1]);
}

static void coming_and_going_of_connections_keeps_it_right(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection ann[3] = {0};
    enter(room, &ann[0], "ann");
    struct lsig_member *member = ann[0].member;
    lsig_room_set_away(&ann[0], true);
    assert_true(member->away);
    enter(room, &ann[1], "ann"); // a new one of the same user
    assert_false(member->away);
    leave(&ann[1]);
    assert_true(member->away);
    enter(room, &ann[2], "ann");
    leave(&ann[0]);
    assert_false(member->away);
    leave(&ann[2]);
}

static void who_is_away_has_its_seat_and_its_role(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection ann = {0};
    struct lsig_connection bob = {0};
    struct lsig_connection cid = {0};
    enter(room, &ann, "ann");
    enter(room, &bob, "bob");
    lsig_room_set_away(&ann, true);
    assert_int_equal(role_of(room, "ann"), LSIG_HOST);
    assert_int_equal(try_enter(room, &cid, "cid", 2), LSIG_ROOM_FULL);
    assert_ptr_equal(lsig_room_peer(room, lsig_span_of(ann.peer_id)), &ann);
    leave(&bob);
    leave(&ann);
}

static void an_heir_is_there_if_anybody_of_its_role_is(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[4] = {0};
    enter(room, &c[0], "ann");
    enter(room, &c[1], "bob");
    enter(room, &c[2], "cid");
    enter(room, &c[3], "dan");
    lsig_room_set_away(&c[1], true);
    assert_string_equal(leave(&c[0]), "cid");
    // A moderator who is away is still before a participant who is there.
    c[1].member->role = LSIG_MODERATOR;
    assert_string_equal(leave(&c[2]), "bob");
    leave(&c[1]);
    assert_int_equal(role_of(room, "dan"), LSIG_HOST);
    leave(&c[3]);
}

static void what_is_restored_is_as_it_was(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection first = {.join_seq = 4, .peer_id = "00000000000000aa", .away = true};
    struct lsig_connection second = {.join_seq = 9, .peer_id = "00000000000000bb", .away = true};
    room->revision = 17;
    room->join_seq = 9;
    struct lsig_member *ann = lsig_member_new(room, lsig_span_of("ann"), lsig_span_of("Ann"));
    ann->role = LSIG_MODERATOR;
    ann->joined_ms = 12345;
    lsig_room_restore(room, ann, &first);
    lsig_room_restore(room, ann, &second);
    lsig_member_unref(ann);
    assert_true(ann->present && ann->away);
    assert_int_equal(room->member_count, 1);
    assert_int_equal(room->revision, 17);
    assert_ptr_equal(lsig_room_peer(room, lsig_span_of("00000000000000aa")), &first);
    assert_ptr_equal(ann->connections, &second); // newest first
    assert_int_equal(role_of(room, "ann"), LSIG_MODERATOR);
    assert_int_equal(ann->joined_ms, 12345);
    struct lsig_connection next = {0};
    enter(room, &next, "bob");
    assert_int_equal(next.join_seq, 10);
    leave(&next);
    leave(&first);
    leave(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(a_member_is_away_when_its_last_connection_is),
        room_test(coming_and_going_of_connections_keeps_it_right),
        room_test(who_is_away_has_its_seat_and_its_role),
        room_test(an_heir_is_there_if_anybody_of_its_role_is),
        room_test(what_is_restored_is_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
