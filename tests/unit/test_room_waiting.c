#include "room/former.h"
#include "room/journal.h"
#include "test_room_fixture.h"

// A new member who is told to wait before he enters.
static struct lsig_member *
enter_waiting(struct lsig_room *room, struct lsig_connection *connection, const char *user)
{
    struct lsig_member *member = lsig_member_new(room, lsig_span_of(user), lsig_span_of(user));
    lsig_room_tell_to_wait(member, true, NULL);
    assert_int_equal(lsig_room_enter(room, member, connection, NO_LIMIT, at_ms(0)), LSIG_OK);
    lsig_member_unref(member);
    return connection->member;
}

static void who_waits_is_not_host_and_is_not_counted(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[2] = {0};
    const struct lsig_member *eve = enter_waiting(room, &c[0], "eve");
    assert_true(eve->present && eve->waiting);
    assert_int_equal(eve->role, LSIG_PARTICIPANT);
    assert_null(lsig_room_host(room));
    assert_int_equal(room->member_count, 1);
    assert_int_equal(lsig_room_inside_count(room), 0);
    assert_int_equal(enter(room, &c[1], "ann")->role, LSIG_HOST);
    assert_int_equal(lsig_room_inside_count(room), 1);
    assert_false(lsig_room_reaches(room, &c[0]));
    assert_true(lsig_room_reaches(room, &c[1]));
    leave(&c[1]);
    leave(&c[0]);
    assert_int_equal(room->waiting_count, 0);
}

static void who_is_let_in_enters_last_and_is_host_where_there_is_none(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[3] = {0};
    struct lsig_member *eve = enter_waiting(room, &c[0], "eve");
    struct lsig_member *max = enter_waiting(room, &c[1], "max");
    lsig_room_admit(max, at_ms(5));
    assert_int_equal(max->role, LSIG_HOST);
    assert_int_equal(max->joined_ms, at_ms(5).wall_ms);
    lsig_room_admit(eve, at_ms(6));
    assert_int_equal(eve->role, LSIG_PARTICIPANT);
    assert_ptr_equal(room->first, max);
    assert_ptr_equal(room->last, eve);
    assert_null(eve->next);
    assert_int_equal(room->waiting_count, 0);
    leave(&c[1]);
    leave(&c[0]);
}

static void no_succession_falls_to_who_waits(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[3] = {0};
    enter(room, &c[0], "ann");
    enter_waiting(room, &c[1], "eve")->role = LSIG_MODERATOR;
    enter(room, &c[2], "bob");
    assert_string_equal(leave(&c[0]), "bob");
    assert_null(leave(&c[2]));
    assert_int_equal(role_of(room, "eve"), LSIG_MODERATOR);
    leave(&c[1]);
}

static void only_what_those_who_are_in_do_raises_the_revision(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[2] = {0};
    enter(room, &c[0], "ann");
    uint64_t revision = room->revision;
    struct lsig_member *eve = enter_waiting(room, &c[1], "eve");
    assert_true(lsig_room_set_away(&c[1], true));
    assert_true(lsig_room_set_away(&c[1], false));
    assert_int_equal(room->revision, revision);
    lsig_room_admit(eve, at_ms(0));
    assert_int_equal(room->revision, revision + 1);
    assert_null(lsig_room_hold(eve));
    assert_int_equal(room->revision, revision + 2);
    leave(&c[1]);
    assert_int_equal(room->revision, revision + 2);
    leave(&c[0]);
}

static void a_room_does_not_remember_who_was_never_in(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[2] = {0};
    enum lsig_role role;
    enter(room, &c[0], "ann");
    enter_waiting(room, &c[1], "eve");
    leave(&c[1]);
    assert_false(lsig_room_is_former(room, lsig_span_of("eve")));
    assert_false(lsig_room_remembered_role(room, lsig_span_of("eve"), &role));
    leave(&c[0]);
}

static void what_it_remembers_of_who_waits_stays_until_he_is_let_in(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[2] = {0};
    enum lsig_role role;
    enter(room, &c[0], "ann");
    enter(room, &c[1], "eve")->role = LSIG_MODERATOR;
    leave(&c[1]);
    struct lsig_member *eve = enter_waiting(room, &c[1], "eve");
    assert_int_equal(eve->role, LSIG_MODERATOR);
    assert_non_null(lsig_former_find(room, lsig_span_of("eve")));
    lsig_room_set_role(eve, LSIG_OBSERVER, NULL);
    leave(&c[1]);
    assert_true(lsig_room_remembered_role(room, lsig_span_of("eve"), &role));
    assert_int_equal(role, LSIG_OBSERVER);
    eve = enter_waiting(room, &c[1], "eve");
    lsig_room_admit(eve, at_ms(0));
    assert_null(lsig_former_find(room, lsig_span_of("eve")));
    leave(&c[1]);
    leave(&c[0]);
}

static void a_host_who_has_to_wait_hands_over_and_is_remembered(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[2] = {0};
    struct lsig_member *ann = enter(room, &c[0], "ann");
    enter(room, &c[1], "bob");
    assert_string_equal(lsig_room_hold(ann)->id, "bob");
    assert_int_equal(role_of(room, "bob"), LSIG_HOST);
    assert_int_equal(ann->role, LSIG_MODERATOR);
    assert_int_equal(room->waiting_count, 1);
    leave(&c[0]);
    assert_true(lsig_room_is_former(room, lsig_span_of("ann")));
    leave(&c[1]);
}

static void who_waits_has_a_seat(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c[3] = {0};
    enter(room, &c[0], "ann");
    struct lsig_member *eve = enter_waiting(room, &c[1], "eve");
    assert_int_equal(try_enter(room, &c[2], "bob", 2), LSIG_ROOM_FULL);
    lsig_room_admit(eve, at_ms(0));
    assert_int_equal(lsig_room_inside_count(room), 2);
    leave(&c[1]);
    leave(&c[0]);
}

static void what_a_failing_hook_has_said_is_taken_back(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_connection c = {0};
    struct lsig_journal journal = {0};
    struct lsig_member *eve = enter_waiting(room, &c, "eve");
    lsig_room_tell_to_wait(eve, false, &journal);
    lsig_room_tell_to_wait(eve, true, &journal);
    lsig_room_tell_to_wait(eve, false, &journal);
    assert_true(eve->waiting && !eve->told_to_wait);
    lsig_journal_rollback(&journal);
    assert_true(eve->waiting && eve->told_to_wait);
    leave(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(who_waits_is_not_host_and_is_not_counted),
        room_test(who_is_let_in_enters_last_and_is_host_where_there_is_none),
        room_test(no_succession_falls_to_who_waits),
        room_test(only_what_those_who_are_in_do_raises_the_revision),
        room_test(a_room_does_not_remember_who_was_never_in),
        room_test(what_it_remembers_of_who_waits_stays_until_he_is_let_in),
        room_test(a_host_who_has_to_wait_hands_over_and_is_remembered),
        room_test(who_waits_has_a_seat),
        room_test(what_a_failing_hook_has_said_is_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
