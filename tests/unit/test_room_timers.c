#include "test_room_fixture.h"

#include "room/journal.h"
#include "room/timers.h"

static void set(struct lsig_room *room, const char *name, int64_t due, struct lsig_journal *journal)
{
    assert_int_equal(
        lsig_timer_set(room, lsig_span_of(name), due, lsig_span_of("{\"a\":1}"), journal), LSIG_OK);
}

static void takes(struct lsig_hub *hub, int64_t now_ms, const char *name)
{
    struct lsig_timer *timer = lsig_timer_take_due(hub, now_ms);
    if (name == NULL) {
        assert_null(timer);
        return;
    }
    assert_non_null(timer);
    assert_string_equal(timer->name, name);
    lsig_timer_free(timer);
}

static void timers_are_due_in_the_order_of_their_times_and_of_their_setting(void **state)
{
    struct place *place = *state;
    assert_int_equal(lsig_timer_next_due(place->hub), -1);
    set(place->room, "late", 900, NULL);
    const char *const names[] = {"d", "a", "c", "b"};
    for (size_t i = 0; i < 4; i++) {
        set(place->room, names[i], 500, NULL);
    }
    assert_int_equal(lsig_timer_next_due(place->hub), 500);
    takes(place->hub, 499, NULL);
    for (size_t i = 0; i < 4; i++) {
        takes(place->hub, 500, names[i]);
    }
    takes(place->hub, 500, NULL);
    takes(place->hub, 900, "late");
    assert_int_equal(place->room->state_bytes, 0);
}

static void a_timer_that_is_set_again_replaces_itself_and_is_the_last_one_set(void **state)
{
    struct place *place = *state;
    set(place->room, "a", 500, NULL);
    set(place->room, "b", 500, NULL);
    set(place->room, "a", 500, NULL);
    assert_int_equal(place->room->timer_count, 2);
    takes(place->hub, 500, "b");
    takes(place->hub, 500, "a");
    takes(place->hub, 500, NULL);
}

static void a_removed_timer_is_never_due(void **state)
{
    struct place *place = *state;
    set(place->room, "a", 500, NULL);
    assert_true(lsig_timer_remove(place->room, lsig_span_of("a"), NULL));
    assert_false(lsig_timer_remove(place->room, lsig_span_of("a"), NULL));
    takes(place->hub, 500, NULL);
}

static void the_bounds_hold_and_what_fails_changes_nothing(void **state)
{
    struct place *place = *state;
    struct lsig_room_bounds bounds = {.state_bytes = 200, .keep_bytes = 100, .timers_max = 2};
    lsig_hub_set_bounds(place->hub, &bounds);
    struct lsig_span none = {NULL, 0};
    set(place->room, "a", 500, NULL);
    size_t bytes = place->room->state_bytes;
    char long_arg[150];
    memset(long_arg, '1', sizeof(long_arg));
    struct lsig_span arg = {long_arg, sizeof(long_arg)};
    assert_int_equal(lsig_timer_set(place->room, lsig_span_of("b"), 1, arg, NULL), LSIG_TOO_BIG);
    assert_int_equal(lsig_timer_set(place->room, lsig_span_of("a"), 1, arg, NULL), LSIG_TOO_BIG);
    assert_int_equal(place->room->state_bytes, bytes);
    set(place->room, "b", 600, NULL);
    assert_int_equal(lsig_timer_set(place->room, lsig_span_of("c"), 1, none, NULL), LSIG_TOO_BIG);
    set(place->room, "b", 700, NULL); // a replacement needs no further place
    takes(place->hub, 500, "a");
    takes(place->hub, 650, NULL);
    takes(place->hub, 700, "b");
}

static void a_rollback_restores_times_arguments_and_order(void **state)
{
    struct place *place = *state;
    struct lsig_journal journal = {0};
    set(place->room, "a", 500, NULL);
    set(place->room, "b", 500, NULL);
    set(place->room, "c", 500, NULL);
    size_t bytes = place->room->state_bytes;
    struct lsig_span none = {NULL, 0};
    assert_true(lsig_timer_remove(place->room, lsig_span_of("a"), &journal));
    assert_int_equal(lsig_timer_set(place->room, lsig_span_of("b"), 100, none, &journal), LSIG_OK);
    set(place->room, "d", 500, &journal);
    set(place->room, "a", 1, &journal);
    lsig_journal_rollback(&journal);
    assert_int_equal(place->room->timer_count, 3);
    assert_int_equal(place->room->state_bytes, bytes);
    assert_null(lsig_timer_find(place->room, lsig_span_of("d")));
    assert_string_equal(lsig_timer_find(place->room, lsig_span_of("b"))->arg, "{\"a\":1}");
    assert_int_equal(lsig_timer_next_due(place->hub), 500);
    takes(place->hub, 500, "a");
    takes(place->hub, 500, "b");
    takes(place->hub, 500, "c");
    takes(place->hub, 500, NULL);
}

static void a_commit_keeps_the_changes(void **state)
{
    struct place *place = *state;
    struct lsig_journal journal = {0};
    set(place->room, "a", 500, &journal);
    set(place->room, "a", 600, &journal);
    set(place->room, "b", 700, &journal);
    assert_true(lsig_timer_remove(place->room, lsig_span_of("b"), &journal));
    lsig_journal_commit(&journal);
    assert_int_equal(place->room->timer_count, 1);
    takes(place->hub, 600, "a");
}

static void a_timer_keeps_its_room_for_an_hour_at_most(void **state)
{
    struct place *place = *state;
    struct lsig_hub *hub = place->hub;
    lsig_hub_expire(hub, at_ms(1000));
    struct lsig_room *room = lsig_hub_open(hub, lsig_span_of("green"));
    set(room, "day", 24LL * 3600 * 1000, NULL);
    set(room, "soon", 60 * 1000, NULL);
    lsig_room_unref(room);
    assert_ptr_equal(lsig_hub_find(hub, lsig_span_of("green")), room);
    takes(hub, 60 * 1000, "soon");
    lsig_hub_expire(hub, at_ms(1000 + LSIG_KEPT_MS - 1));
    assert_non_null(lsig_hub_find(hub, lsig_span_of("green")));
    lsig_hub_expire(hub, at_ms(1000 + LSIG_KEPT_MS));
    assert_null(lsig_hub_find(hub, lsig_span_of("green")));
    assert_int_equal(lsig_timer_next_due(hub), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(timers_are_due_in_the_order_of_their_times_and_of_their_setting),
        room_test(a_timer_that_is_set_again_replaces_itself_and_is_the_last_one_set),
        room_test(a_removed_timer_is_never_due),
        room_test(the_bounds_hold_and_what_fails_changes_nothing),
        room_test(a_rollback_restores_times_arguments_and_order),
        room_test(a_commit_keeps_the_changes),
        room_test(a_timer_keeps_its_room_for_an_hour_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
