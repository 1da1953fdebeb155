#include "test_room_fixture.h"

static void the_first_member_is_host_and_the_next_are_participants(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[3] = {0};
    assert_int_equal(enter(room, &c[0], "ann")->role, LSIG_HOST);
    assert_int_equal(enter(room, &c[1], "bob")->role, LSIG_PARTICIPANT);
    assert_int_equal(enter(room, &c[2], "cid")->role, LSIG_PARTICIPANT);
    assert_ptr_equal(lsig_room_host(room), c[0].member);
    assert_null(leave(&c[2]));
    assert_null(leave(&c[1]));
    assert_null(leave(&c[0])); // nobody is left to inherit
    assert_null(lsig_room_host(room));
}

static void the_longest_present_moderator_inherits_before_participants(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[5] = {0};
    static const char *const users[] = {"ann", "bob", "cid", "dot", "eva"};
    for (int i = 0; i < 5; i++) {
        enter(room, &c[i], users[i]);
    }
    c[2].member->role = LSIG_MODERATOR;
    c[3].member->role = LSIG_MODERATOR;
    assert_string_equal(leave(&c[0]), "cid");
    assert_int_equal(role_of(room, "cid"), LSIG_HOST);
    assert_int_equal(role_of(room, "dot"), LSIG_MODERATOR);
    assert_string_equal(leave(&c[2]), "dot");
    assert_string_equal(leave(&c[3]), "bob"); // no moderator any more: the longest present
    assert_string_equal(leave(&c[1]), "eva");
    assert_null(leave(&c[4]));
}

static void observers_do_not_inherit(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[3] = {0};
    enter(room, &c[0], "ann");
    enter(room, &c[1], "bob")->role = LSIG_OBSERVER;
    enter(room, &c[2], "cid");
    assert_string_equal(leave(&c[0]), "cid");
    assert_null(leave(&c[2]));
    assert_int_equal(role_of(room, "bob"), LSIG_OBSERVER);
    assert_null(lsig_room_host(room));
    enter(room, &c[0], "eva"); // among observers only, the next to come is host
    assert_int_equal(role_of(room, "eva"), LSIG_HOST);
    leave(&c[0]);
    leave(&c[1]);
}

static void nobody_inherits_while_the_host_has_another_connection(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[3] = {0};
    enter(room, &c[0], "ann");
    enter(room, &c[1], "bob");
    enter(room, &c[2], "ann");
    assert_null(leave(&c[0]));
    assert_int_equal(role_of(room, "ann"), LSIG_HOST);
    assert_string_equal(leave(&c[2]), "bob");
    leave(&c[1]);
}

static void somebody_else_than_the_host_leaving_changes_no_role(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[3] = {0};
    enter(room, &c[0], "ann");
    enter(room, &c[1], "bob")->role = LSIG_MODERATOR;
    enter(room, &c[2], "cid");
    assert_null(leave(&c[1]));
    assert_int_equal(role_of(room, "ann"), LSIG_HOST);
    assert_int_equal(role_of(room, "cid"), LSIG_PARTICIPANT);
    leave(&c[0]);
    leave(&c[2]);
}

static void a_returning_former_host_is_moderator_beside_another_host(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[2] = {0};
    enter(room, &c[0], "ann");
    enter(room, &c[1], "bob");
    assert_string_equal(leave(&c[0]), "bob");
    assert_int_equal(enter(room, &c[0], "ann")->role, LSIG_MODERATOR);
    assert_ptr_equal(lsig_room_host(room), c[1].member);
    assert_string_equal(leave(&c[1]), "ann");
    leave(&c[0]);
}

static void a_former_host_is_host_again_in_an_empty_room(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[2] = {0};
    enter(room, &c[0], "ann");
    enter(room, &c[1], "bob");
    leave(&c[0]);
    leave(&c[1]);
    assert_int_equal(enter(room, &c[0], "ann")->role, LSIG_HOST);
    assert_int_equal(enter(room, &c[1], "bob")->role, LSIG_MODERATOR); // was the last host
    leave(&c[1]);
    leave(&c[0]);
}

static void remembered_roles_return_with_their_users(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[4] = {0};
    enter(room, &c[0], "ann");
    enter(room, &c[1], "bob")->role = LSIG_MODERATOR;
    enter(room, &c[2], "cid")->role = LSIG_OBSERVER;
    enter(room, &c[3], "dot");
    for (int i = 1; i < 4; i++) {
        leave(&c[i]);
    }
    assert_int_equal(enter(room, &c[1], "bob")->role, LSIG_MODERATOR);
    assert_int_equal(enter(room, &c[2], "cid")->role, LSIG_OBSERVER);
    assert_int_equal(enter(room, &c[3], "dot")->role, LSIG_PARTICIPANT);
    for (int i = 0; i < 4; i++) {
        leave(&c[i]);
    }
}

static void a_remembered_observer_does_not_become_host_of_an_empty_room(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[2] = {0};
    enter(room, &c[0], "ann");
    enter(room, &c[1], "bob")->role = LSIG_OBSERVER;
    leave(&c[1]);
    leave(&c[0]);
    assert_int_equal(enter(room, &c[1], "bob")->role, LSIG_OBSERVER);
    assert_null(lsig_room_host(room));
    assert_int_equal(enter(room, &c[0], "cid")->role, LSIG_HOST);
    leave(&c[0]);
    leave(&c[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(the_first_member_is_host_and_the_next_are_participants),
        room_test(the_longest_present_moderator_inherits_before_participants),
        room_test(observers_do_not_inherit),
        room_test(nobody_inherits_while_the_host_has_another_connection),
        room_test(somebody_else_than_the_host_leaving_changes_no_role),
        room_test(a_returning_former_host_is_moderator_beside_another_host),
        room_test(a_former_host_is_host_again_in_an_empty_room),
        room_test(remembered_roles_return_with_their_users),
        room_test(a_remembered_observer_does_not_become_host_of_an_empty_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
