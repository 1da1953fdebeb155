#include "test_room_fixture.h"

#include "room/former.h"

static bool was_here(const struct lsig_room *room, const char *user)
{
    return lsig_room_is_former(room, lsig_span_of(user));
}

static void who_left_is_remembered_until_he_is_back(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[2] = {0};
    enter(room, &c[0], "ann");
    assert_false(was_here(room, "bob"));
    enter(room, &c[1], "bob");
    assert_false(was_here(room, "bob")); // is here
    leave(&c[1]);
    assert_true(was_here(room, "bob"));
    assert_false(was_here(room, "ann"));
    assert_false(was_here(room, "bo"));
    enter(room, &c[1], "bob");
    assert_false(was_here(room, "bob"));
    leave(&c[1]);
    leave(&c[0]);
}

static void one_connection_of_several_that_goes_makes_nobody_former(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[2] = {0};
    enter(room, &c[0], "ann");
    enter(room, &c[1], "ann");
    leave(&c[0]);
    assert_false(was_here(room, "ann"));
    leave(&c[1]);
    assert_true(was_here(room, "ann"));
}

static void at_the_bound_the_one_who_left_first_is_forgotten(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection host = {0};
    struct lsig_connection c = {0};
    char user[16];
    enter(room, &host, "host");
    for (int i = 0; i < LSIG_FORMER_MAX; i++) {
        snprintf(user, sizeof(user), "u%d", i);
        enter(room, &c, user);
        leave(&c);
    }
    assert_int_equal(room->formers.count, LSIG_FORMER_MAX);
    enter(room, &c, "u0"); // is the latest now
    leave(&c);
    assert_int_equal(room->formers.count, LSIG_FORMER_MAX);
    enter(room, &c, "more");
    leave(&c);
    assert_int_equal(room->formers.count, LSIG_FORMER_MAX);
    assert_true(was_here(room, "u0"));
    assert_false(was_here(room, "u1"));
    assert_true(was_here(room, "u2"));
    assert_true(was_here(room, "more"));
    leave(&host);
}

static void trimming_keeps_the_latest_roles_that_are_not_participant(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    static const enum lsig_role roles[] = {LSIG_MODERATOR, LSIG_PARTICIPANT, LSIG_OBSERVER,
                                           LSIG_PARTICIPANT, LSIG_MODERATOR};
    static const char *const users[] = {"ann", "bob", "cid", "dot", "eva"};
    for (int i = 0; i < 5; i++) {
        lsig_former_add(room, lsig_span_of(users[i]), roles[i]);
    }
    lsig_former_trim(room, 2);
    assert_false(was_here(room, "ann"));
    assert_false(was_here(room, "bob"));
    assert_true(was_here(room, "cid"));
    assert_false(was_here(room, "dot"));
    assert_true(was_here(room, "eva"));
    assert_int_equal(lsig_former_find(room, lsig_span_of("cid"))->role, LSIG_OBSERVER);
    lsig_former_remove(room, lsig_former_find(room, lsig_span_of("eva")));
    lsig_former_remove(room, lsig_former_find(room, lsig_span_of("cid")));
    assert_null(room->oldest_former);
    assert_null(room->newest_former);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(who_left_is_remembered_until_he_is_back),
        room_test(one_connection_of_several_that_goes_makes_nobody_former),
        room_test(at_the_bound_the_one_who_left_first_is_forgotten),
        room_test(trimming_keeps_the_latest_roles_that_are_not_participant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
