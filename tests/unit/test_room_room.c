#include "test_room_fixture.h"

static void several_connections_of_a_user_are_one_member(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[3] = {0};
    struct lsig_member *ann = enter(room, &c[0], "ann");
    assert_ptr_equal(enter(room, &c[1], "ann"), ann);
    assert_ptr_equal(enter(room, &c[2], "ann"), ann);
    assert_int_equal(room->member_count, 1);
    assert_int_equal(room->connection_count, 3);
    assert_int_equal(ann->connection_count, 3);
    // Newest first.
    assert_ptr_equal(ann->connections, &c[2]);
    assert_ptr_equal(c[2].next, &c[1]);
    assert_ptr_equal(c[1].next, &c[0]);
    struct lsig_departure departure = lsig_room_leave(&c[1], at_ms(0));
    assert_null(departure.left); // still there by two connections
    assert_ptr_equal(c[2].next, &c[0]);
    leave(&c[2]);
    assert_true(ann->present);
    departure = lsig_room_leave(&c[0], at_ms(0));
    assert_ptr_equal(departure.left, ann);
    assert_false(ann->present);
    lsig_member_unref(ann);
    assert_int_equal(room->member_count, 0);
    assert_int_equal(room->connection_count, 0);
}

static void every_connection_gets_a_higher_join_seq(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[2] = {0};
    uint64_t last = 0;
    enter(room, &c[0], "ann");
    for (int i = 0; i < 20; i++) {
        enter(room, &c[1], i % 2 == 0 ? "ann" : "bob");
        assert_true(c[1].join_seq > c[0].join_seq);
        assert_true(c[1].join_seq > last);
        last = c[1].join_seq;
        leave(&c[1]);
    }
    leave(&c[0]);
    enter(room, &c[0], "ann"); // an empty room does not begin anew
    assert_true(c[0].join_seq > last);
    leave(&c[0]);
}

static void a_connection_is_found_by_its_peer_id_until_it_leaves(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[8] = {0};
    char user[8];
    for (int i = 0; i < 8; i++) {
        snprintf(user, sizeof(user), "u%d", i / 2);
        enter(room, &c[i], user);
        assert_int_equal(strlen(c[i].peer_id), LSIG_PEER_ID_SIZE - 1);
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(c[i].peer_id, c[k].peer_id);
        }
    }
    for (int i = 0; i < 8; i++) {
        assert_ptr_equal(lsig_room_peer(room, lsig_span_of(c[i].peer_id)), &c[i]);
        leave(&c[i]);
        assert_null(lsig_room_peer(room, lsig_span_of(c[i].peer_id)));
    }
}

static void members_stand_in_the_order_of_their_joining(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[4] = {0};
    enter(room, &c[0], "ann");
    enter(room, &c[1], "bob");
    enter(room, &c[2], "cid");
    leave(&c[1]);
    enter(room, &c[1], "bob");
    enter(room, &c[3], "ann");
    static const char *const order[] = {"ann", "cid", "bob"};
    const struct lsig_member *at = room->first;
    for (int i = 0; i < 3; i++, at = at->next) {
        assert_string_equal(at->id, order[i]);
    }
    assert_null(at);
    assert_string_equal(room->last->id, "bob");
    assert_string_equal(room->last->previous->id, "cid");
    for (int i = 0; i < 4; i++) {
        leave(&c[i]);
    }
    assert_null(room->first);
    assert_null(room->last);
}

static void the_revision_rises_with_every_change(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[2] = {0};
    uint64_t before = room->revision;
    enter(room, &c[0], "ann");
    assert_true(room->revision > before);
    before = room->revision;
    enter(room, &c[1], "ann");
    assert_true(room->revision > before);
    before = room->revision;
    leave(&c[0]);
    assert_true(room->revision > before);
    before = room->revision;
    leave(&c[1]);
    assert_true(room->revision > before);
}

static void a_full_room_refuses_members_and_changes_nothing(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[3] = {0};
    assert_int_equal(try_enter(room, &c[0], "ann", 2), LSIG_OK);
    assert_int_equal(try_enter(room, &c[1], "bob", 2), LSIG_OK);
    uint64_t revision = room->revision;
    assert_int_equal(try_enter(room, &c[2], "cid", 2), LSIG_ROOM_FULL);
    assert_null(c[2].member);
    assert_int_equal(room->member_count, 2);
    assert_int_equal(room->connection_count, 2);
    assert_int_equal(room->revision, revision);
    assert_null(lsig_room_member(room, lsig_span_of("cid")));
    leave(&c[1]);
    assert_int_equal(try_enter(room, &c[2], "cid", 2), LSIG_OK);
    leave(&c[2]);
    leave(&c[0]);
}

static void a_second_connection_of_a_member_takes_no_seat(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[3] = {0};
    assert_int_equal(try_enter(room, &c[0], "ann", 1), LSIG_OK);
    assert_int_equal(try_enter(room, &c[1], "ann", 1), LSIG_OK);
    assert_int_equal(try_enter(room, &c[2], "bob", 1), LSIG_ROOM_FULL);
    leave(&c[0]);
    assert_int_equal(try_enter(room, &c[2], "bob", 1), LSIG_ROOM_FULL);
    leave(&c[1]);
    assert_int_equal(try_enter(room, &c[2], "bob", 1), LSIG_OK);
    leave(&c[2]);
}

static void a_refused_user_keeps_the_role_that_is_remembered(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[2] = {0};
    enter(room, &c[0], "ann");
    enter(room, &c[1], "bob")->role = LSIG_OBSERVER;
    leave(&c[1]);
    assert_int_equal(try_enter(room, &c[1], "bob", 1), LSIG_ROOM_FULL);
    assert_int_equal(enter(room, &c[1], "bob")->role, LSIG_OBSERVER);
    leave(&c[1]);
    leave(&c[0]);
}

static void a_member_outlives_its_place_in_the_room_while_referenced(void **state)
{
    struct place *place = *state;
    struct lsig_connection c = {0};
    struct lsig_room *room = lsig_hub_open(place->hub, lsig_span_of("green"));
    struct lsig_member *ann = lsig_member_ref(enter(room, &c, "ann"));
    lsig_room_unref(room); // held by its member from here on
    assert_ptr_equal(lsig_hub_find(place->hub, lsig_span_of("green")), room);
    leave(&c);
    assert_false(ann->present);
    assert_string_equal(ann->id, "ann");
    assert_ptr_equal(ann->room, room);
    assert_ptr_equal(lsig_hub_find(place->hub, lsig_span_of("green")), room);
    // Somebody of the same name who comes meanwhile is another member.
    struct lsig_member *other = enter(room, &c, "ann");
    assert_ptr_not_equal(other, ann);
    assert_false(ann->present);
    lsig_member_unref(ann);
    assert_ptr_equal(lsig_room_member(room, lsig_span_of("ann")), other);
    leave(&c);
}

static void a_name_may_hold_any_bytes_up_to_the_bound(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[2] = {0};
    char name[LSIG_USER_ID_MAX + 1];
    memset(name, 'x', LSIG_USER_ID_MAX);
    name[LSIG_USER_ID_MAX] = '\0';
    enter(room, &c[0], name);
    enter(room, &c[1], "\xc3\xa4 \"\\");
    assert_ptr_equal(lsig_room_member(room, lsig_span_of(name)), c[0].member);
    name[LSIG_USER_ID_MAX - 1] = 'y';
    assert_null(lsig_room_member(room, lsig_span_of(name)));
    leave(&c[0]);
    leave(&c[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(several_connections_of_a_user_are_one_member),
        room_test(every_connection_gets_a_higher_join_seq),
        room_test(a_connection_is_found_by_its_peer_id_until_it_leaves),
        room_test(members_stand_in_the_order_of_their_joining),
        room_test(the_revision_rises_with_every_change),
        room_test(a_full_room_refuses_members_and_changes_nothing),
        room_test(a_second_connection_of_a_member_takes_no_seat),
        room_test(a_refused_user_keeps_the_role_that_is_remembered),
        room_test(a_member_outlives_its_place_in_the_room_while_referenced),
        room_test(a_name_may_hold_any_bytes_up_to_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
