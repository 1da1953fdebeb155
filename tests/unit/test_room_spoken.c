#include "test_room_fixture.h"

#include <malloc.h>

static void without_a_word_the_newest_connection_is_meant(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection ann = {0};
    struct lsig_connection bob[3] = {0};
    enter(room, &ann, "ann");
    for (int i = 0; i < 3; i++) {
        enter(room, &bob[i], "bob");
        assert_ptr_equal(lsig_room_spoken_to(bob[i].member, ann.member), &bob[i]);
    }
    leave(&bob[2]);
    assert_ptr_equal(lsig_room_spoken_to(bob[0].member, ann.member), &bob[1]);
    leave(&bob[1]);
    leave(&bob[0]);
    leave(&ann);
}

static void the_connection_that_spoke_last_is_meant(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection ann = {0};
    struct lsig_connection cid = {0};
    struct lsig_connection bob[3] = {0};
    enter(room, &ann, "ann");
    enter(room, &cid, "cid");
    for (int i = 0; i < 3; i++) {
        enter(room, &bob[i], "bob");
    }
    struct lsig_member *user = bob[0].member;
    lsig_room_note_spoken(&bob[0], ann.member);
    assert_ptr_equal(lsig_room_spoken_to(user, ann.member), &bob[0]);
    lsig_room_note_spoken(&bob[1], cid.member); // to somebody else
    assert_ptr_equal(lsig_room_spoken_to(user, ann.member), &bob[0]);
    assert_ptr_equal(lsig_room_spoken_to(user, cid.member), &bob[1]);
    lsig_room_note_spoken(&bob[1], ann.member);
    assert_ptr_equal(lsig_room_spoken_to(user, ann.member), &bob[1]);
    lsig_room_note_spoken(&bob[0], ann.member);
    assert_ptr_equal(lsig_room_spoken_to(user, ann.member), &bob[0]);
    leave(&bob[0]); // the next best is the one that spoke before
    assert_ptr_equal(lsig_room_spoken_to(user, ann.member), &bob[1]);
    leave(&bob[1]);
    assert_ptr_equal(lsig_room_spoken_to(user, ann.member), &bob[2]);
    leave(&bob[2]);
    leave(&ann);
    leave(&cid);
}

static void a_connection_that_is_away_is_meant_only_if_all_are(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection ann = {0};
    struct lsig_connection bob[2] = {0};
    enter(room, &ann, "ann");
    enter(room, &bob[0], "bob");
    enter(room, &bob[1], "bob");
    struct lsig_member *user = bob[0].member;
    lsig_room_note_spoken(&bob[1], ann.member);
    assert_false(lsig_room_set_away(&bob[1], true));
    assert_ptr_equal(lsig_room_spoken_to(user, ann.member), &bob[0]);
    assert_true(lsig_room_set_away(&bob[0], true));
    assert_ptr_equal(lsig_room_spoken_to(user, ann.member), &bob[1]);
    assert_true(lsig_room_set_away(&bob[0], false));
    assert_ptr_equal(lsig_room_spoken_to(user, ann.member), &bob[0]);
    leave(&bob[1]);
    leave(&bob[0]);
    leave(&ann);
}

static void what_was_said_to_one_who_left_is_forgotten(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection ann = {0};
    struct lsig_connection bob[2] = {0};
    enter(room, &bob[0], "bob");
    enter(room, &bob[1], "bob");
    // Over and over: notes about members that are gone neither pile up nor point to freed memory.
    for (int i = 0; i < 200; i++) {
        enter(room, &ann, "ann");
        assert_ptr_equal(lsig_room_spoken_to(bob[0].member, ann.member), &bob[1]);
        lsig_room_note_spoken(&bob[0], ann.member);
        assert_ptr_equal(lsig_room_spoken_to(bob[0].member, ann.member), &bob[0]);
        leave(&ann);
    }
    assert_true(malloc_usable_size(bob[0].spoken) < 256);
    leave(&bob[0]);
    leave(&bob[1]);
}

static void one_connection_speaks_to_a_whole_room(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection bob[2] = {0};
    struct lsig_connection c[40] = {0};
    char user[8];
    enter(room, &bob[0], "bob");
    enter(room, &bob[1], "bob");
    for (int i = 0; i < 40; i++) {
        snprintf(user, sizeof(user), "u%d", i);
        enter(room, &c[i], user);
        lsig_room_note_spoken(&bob[i % 2], c[i].member);
    }
    for (int i = 0; i < 40; i += 3) {
        leave(&c[i]);
    }
    for (int i = 0; i < 40; i++) {
        if (i % 3 != 0) {
            assert_ptr_equal(lsig_room_spoken_to(bob[0].member, c[i].member), &bob[i % 2]);
            leave(&c[i]);
        }
    }
    leave(&bob[0]);
    leave(&bob[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(without_a_word_the_newest_connection_is_meant),
        room_test(the_connection_that_spoke_last_is_meant),
        room_test(a_connection_that_is_away_is_meant_only_if_all_are),
        room_test(what_was_said_to_one_who_left_is_forgotten),
        room_test(one_connection_speaks_to_a_whole_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
