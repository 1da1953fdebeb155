#include "test_room_fixture.h"

static struct lsig_room *find(const struct place *place, const char *id)
{
    return lsig_hub_find(place->hub, lsig_span_of(id));
}

// A room that had a host who left at that time, and that nobody refers to.
static void leave_behind(const struct place *place, const char *id, int64_t mono_ms)
{
    struct lsig_connection c = {0};
    struct lsig_room *room = lsig_hub_open(place->hub, lsig_span_of(id));
    enter(room, &c, "host");
    leave_at(&c, mono_ms);
    lsig_room_unref(room);
}

static void a_room_id_has_1_to_100_letters_digits_and_dashes(void **state)
{
    (void)state;
    char text[128];
    memset(text, 'a', sizeof(text));
    for (size_t len = 0; len < sizeof(text); len++) {
        assert_int_equal(lsig_hub_room_id_ok((struct lsig_span){text, len}),
                         len >= 1 && len <= LSIG_ROOM_ID_MAX);
    }
    for (int c = 0; c < 256; c++) {
        char one = (char)c;
        bool ok = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  c == '_' || c == '-';
        assert_int_equal(lsig_hub_room_id_ok((struct lsig_span){&one, 1}), ok);
    }
}

static void opening_finds_the_room_that_is_there(void **state)
{
    struct place *place = *state;
    struct lsig_room *again = lsig_hub_open(place->hub, lsig_span_of("blue"));
    assert_ptr_equal(again, place->room);
    struct lsig_room *other = lsig_hub_open(place->hub, lsig_span_of("Blue"));
    assert_ptr_not_equal(other, place->room);
    lsig_room_unref(other);
    assert_null(find(place, "Blue"));
    lsig_room_unref(again);
    assert_ptr_equal(find(place, "blue"), place->room);
}

static void rooms_and_members_are_counted(void **state)
{
    struct place *place = *state;
    struct lsig_connection c[4] = {0};
    struct lsig_room *other = lsig_hub_open(place->hub, lsig_span_of("other"));
    assert_int_equal(lsig_hub_room_count(place->hub), 0);
    enter(place->room, &c[0], "ann");
    enter(place->room, &c[1], "ann");
    enter(place->room, &c[2], "bob");
    enter(other, &c[3], "ann");
    assert_int_equal(lsig_hub_room_count(place->hub), 2);
    assert_int_equal(lsig_hub_member_count(place->hub), 3);
    leave(&c[0]);
    assert_int_equal(lsig_hub_member_count(place->hub), 3);
    leave(&c[1]);
    leave(&c[3]);
    assert_int_equal(lsig_hub_room_count(place->hub), 1);
    assert_int_equal(lsig_hub_member_count(place->hub), 1);
    leave(&c[2]);
    assert_int_equal(lsig_hub_room_count(place->hub), 0);
    assert_int_equal(lsig_hub_member_count(place->hub), 0);
    lsig_room_unref(other);
}

static void an_empty_room_keeps_its_roles_for_an_hour(void **state)
{
    struct place *place = *state;
    struct lsig_connection c[2] = {0};
    leave_behind(place, "kept", 1000);
    assert_non_null(find(place, "kept"));
    lsig_hub_expire(place->hub, at_ms(1000 + LSIG_KEPT_MS - 1));
    struct lsig_room *room = lsig_hub_open(place->hub, lsig_span_of("kept"));
    enter(room, &c[0], "ann");
    assert_int_equal(enter(room, &c[1], "host")->role, LSIG_MODERATOR);
    lsig_hub_expire(place->hub, at_ms(10 * LSIG_KEPT_MS)); // it has members: nothing to forget
    assert_ptr_equal(find(place, "kept"), room);
    leave_at(&c[0], 1000);
    leave_at(&c[1], 5000); // the hour begins when the last one leaves
    lsig_room_unref(room);
    lsig_hub_expire(place->hub, at_ms(5000 + LSIG_KEPT_MS - 1));
    assert_non_null(find(place, "kept"));
    lsig_hub_expire(place->hub, at_ms(5000 + LSIG_KEPT_MS));
    assert_null(find(place, "kept"));
}

static void an_empty_room_forgets_plain_participants(void **state)
{
    struct place *place = *state;
    struct lsig_connection c[2] = {0};
    struct lsig_room *room = lsig_hub_open(place->hub, lsig_span_of("kept"));
    enter(room, &c[0], "ann");
    enter(room, &c[1], "bob");
    leave(&c[1]);
    leave(&c[0]);
    assert_true(lsig_room_is_former(room, lsig_span_of("bob")));
    lsig_room_unref(room);
    room = find(place, "kept");
    assert_true(lsig_room_is_former(room, lsig_span_of("ann")));
    assert_false(lsig_room_is_former(room, lsig_span_of("bob")));
}

static void a_room_without_roles_to_remember_is_forgotten_at_once(void **state)
{
    struct place *place = *state;
    struct lsig_room *room = lsig_hub_open(place->hub, lsig_span_of("brief"));
    lsig_room_unref(room); // nobody entered
    assert_null(find(place, "brief"));
    struct lsig_connection c = {0};
    room = lsig_hub_open(place->hub, lsig_span_of("brief"));
    enter(room, &c, "ann")->role = LSIG_PARTICIPANT;
    leave(&c);
    lsig_room_unref(room);
    assert_null(find(place, "brief"));
}

static void a_room_that_is_referenced_is_not_forgotten(void **state)
{
    struct place *place = *state;
    leave_behind(place, "kept", 0);
    struct lsig_room *room = lsig_hub_open(place->hub, lsig_span_of("kept"));
    lsig_hub_expire(place->hub, at_ms(2 * LSIG_KEPT_MS));
    assert_ptr_equal(find(place, "kept"), room);
    lsig_room_unref(room);
    lsig_hub_expire(place->hub, at_ms(2 * LSIG_KEPT_MS));
    assert_null(find(place, "kept"));
}

static void only_so_many_rooms_are_kept_and_the_oldest_goes_first(void **state)
{
    struct place *place = *state;
    char id[16];
    for (int i = 0; i < LSIG_KEPT_ROOMS_MAX; i++) {
        snprintf(id, sizeof(id), "r%d", i);
        leave_behind(place, id, i);
    }
    assert_non_null(find(place, "r0"));
    leave_behind(place, "r0", LSIG_KEPT_ROOMS_MAX); // was used again: the newest now
    leave_behind(place, "one-more", LSIG_KEPT_ROOMS_MAX + 1);
    assert_non_null(find(place, "r0"));
    assert_null(find(place, "r1"));
    assert_non_null(find(place, "r2"));
    lsig_hub_expire(place->hub, at_ms(LSIG_KEPT_MS + 5000));
    assert_null(find(place, "r5000"));
    assert_non_null(find(place, "r5001"));
}

static void looking_at_a_kept_room_does_not_keep_it_longer(void **state)
{
    struct place *place = *state;
    leave_behind(place, "old", 0);
    leave_behind(place, "middle", 1000);
    leave_behind(place, "new", 2000);
    lsig_room_unref(lsig_hub_open(place->hub, lsig_span_of("old")));
    lsig_room_unref(lsig_hub_open(place->hub, lsig_span_of("new")));
    lsig_hub_expire(place->hub, at_ms(LSIG_KEPT_MS));
    assert_null(find(place, "old"));
    assert_non_null(find(place, "middle"));
    lsig_hub_expire(place->hub, at_ms(LSIG_KEPT_MS + 1000));
    assert_null(find(place, "middle"));
    assert_non_null(find(place, "new"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(a_room_id_has_1_to_100_letters_digits_and_dashes),
        room_test(opening_finds_the_room_that_is_there),
        room_test(rooms_and_members_are_counted),
        room_test(an_empty_room_keeps_its_roles_for_an_hour),
        room_test(an_empty_room_forgets_plain_participants),
        room_test(a_room_without_roles_to_remember_is_forgotten_at_once),
        room_test(a_room_that_is_referenced_is_not_forgotten),
        room_test(looking_at_a_kept_room_does_not_keep_it_longer),
        room_test(only_so_many_rooms_are_kept_and_the_oldest_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
