#include "test_room_fixture.h"

#include "room/state.h"

static struct lsig_span text(const char *chars)
{
    return lsig_span_of(chars);
}

static const struct lsig_span none = {NULL, 0};

static struct lsig_state_field *
open_field(const struct place *place, const char *name, enum lsig_state_kind kind, uint32_t max)
{
    struct lsig_state *state = lsig_state_open(place->room, text("p"), 1);
    struct lsig_state_field *field = lsig_state_field_open(state, text(name), kind, max);
    assert_non_null(field);
    return field;
}

static int teardown(void **state)
{
    struct place *place = *state;
    lsig_state_clear(place->room);
    assert_int_equal(place->room->state_bytes, 0);
    return place_teardown(state);
}

#define state_test(name) cmocka_unit_test_setup_teardown(name, place_setup, teardown)

// The entries in order: "key=value key=value".
static const char *entries(const struct lsig_state_field *field)
{
    static char out[4096];
    size_t cursor = 0;
    size_t len = 0;
    struct lsig_span key;
    struct lsig_span value;
    out[0] = '\0';
    while (lsig_state_next(field, &cursor, &key, &value)) {
        len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%.*s%s%.*s", len > 0 ? " " : "",
                                LSIG_SPAN_ARG(key), key.data != NULL && value.data ? "=" : "",
                                LSIG_SPAN_ARG(value));
    }
    return out;
}

static void bound_state(const struct place *place, size_t bytes)
{
    struct lsig_room_bounds bounds = *lsig_hub_bounds(place->hub);
    bounds.state_bytes = bytes;
    lsig_hub_set_bounds(place->hub, &bounds);
}

static void each_policy_has_its_own(void **state)
{
    struct place *place = *state;
    assert_null(lsig_state_find(place->room, text("p")));
    struct lsig_state *one = lsig_state_open(place->room, text("p"), 3);
    struct lsig_state *other = lsig_state_open(place->room, text("q"), 1);
    assert_ptr_not_equal(one, other);
    assert_ptr_equal(lsig_state_open(place->room, text("p"), 9), one);
    assert_int_equal(one->version, 3);
    assert_int_equal(one->prepared, 0);
    lsig_state_field_open(one, text("f"), LSIG_STATE_SET, 5);
    assert_null(lsig_state_field_find(other, text("f")));
    lsig_state_drop(one);
    assert_null(lsig_state_find(place->room, text("p")));
    assert_ptr_equal(lsig_state_find(place->room, text("q")), other);
}

static void a_field_has_one_kind(void **state)
{
    struct place *place = *state;
    struct lsig_state_field *field = open_field(place, "f", LSIG_STATE_LIST, 5);
    struct lsig_state *of = lsig_state_find(place->room, text("p"));
    assert_null(lsig_state_field_open(of, text("f"), LSIG_STATE_SET, 5));
    assert_ptr_equal(lsig_state_field_open(of, text("f"), LSIG_STATE_LIST, 7), field);
    assert_int_equal(lsig_state_field_kind(field), LSIG_STATE_LIST);
    assert_true(lsig_span_is(lsig_state_field_name(field), "f"));
    lsig_state_field_drop(of, field);
    assert_null(lsig_state_field_find(of, text("f")));
    assert_non_null(lsig_state_field_open(of, text("f"), LSIG_STATE_SET, 5));
}

static void a_policy_has_at_most_64_fields(void **state)
{
    struct place *place = *state;
    struct lsig_state *of = lsig_state_open(place->room, text("p"), 1);
    char name[8];
    for (int i = 0; i < LSIG_STATE_FIELDS_MAX; i++) {
        snprintf(name, sizeof(name), "f%d", i);
        assert_non_null(lsig_state_field_open(of, text(name), LSIG_STATE_SET, 1));
    }
    assert_null(lsig_state_field_open(of, text("more"), LSIG_STATE_SET, 1));
    assert_non_null(lsig_state_field_open(of, text("f9"), LSIG_STATE_SET, 1));
}

static void a_set_keeps_the_order_of_adding(void **state)
{
    struct place *place = *state;
    struct lsig_state_field *set = open_field(place, "f", LSIG_STATE_SET, 5);
    assert_int_equal(lsig_state_put(set, text("c"), none, NULL), LSIG_OK);
    assert_int_equal(lsig_state_put(set, text("a"), none, NULL), LSIG_OK);
    assert_int_equal(lsig_state_put(set, text("c"), none, NULL), LSIG_OK);
    assert_string_equal(entries(set), "c a");
    assert_true(lsig_state_has(set, text("a")));
    assert_false(lsig_state_has(set, text("b")));
    assert_true(lsig_state_remove(set, text("c"), NULL));
    assert_false(lsig_state_remove(set, text("c"), NULL));
    assert_string_equal(entries(set), "a");
    assert_int_equal(lsig_state_count(set), 1);
}

static void a_map_replaces_in_place(void **state)
{
    struct place *place = *state;
    struct lsig_journal journal = {NULL};
    struct lsig_state_field *map = open_field(place, "f", LSIG_STATE_MAP, 5);
    assert_int_equal(lsig_state_put(map, text("a"), text("1"), NULL), LSIG_OK);
    assert_int_equal(lsig_state_put(map, text("b"), text("2"), NULL), LSIG_OK);
    assert_int_equal(lsig_state_put(map, text("a"), text("[3]"), &journal), LSIG_OK);
    assert_int_equal(lsig_state_put(map, text("a"), text("44"), &journal), LSIG_OK);
    assert_string_equal(entries(map), "a=44 b=2");
    assert_true(lsig_span_is(lsig_state_get(map, text("a")), "44"));
    assert_null(lsig_state_get(map, text("c")).data);
    lsig_journal_rollback(&journal);
    assert_string_equal(entries(map), "a=1 b=2");
}

static void keys_are_bytes(void **state)
{
    struct place *place = *state;
    struct lsig_state_field *set = open_field(place, "f", LSIG_STATE_SET, 50);
    char key[LSIG_STATE_KEY_MAX] = "a";
    for (size_t len = 1; len <= 40; len++) {
        assert_int_equal(lsig_state_put(set, (struct lsig_span){key, len}, none, NULL), LSIG_OK);
    }
    assert_int_equal(lsig_state_count(set), 40);
    assert_int_equal(lsig_state_put(set, (struct lsig_span){key, sizeof(key)}, none, NULL),
                     LSIG_OK);
    assert_true(lsig_state_remove(set, (struct lsig_span){key, 17}, NULL));
    assert_false(lsig_state_has(set, (struct lsig_span){key, 17}));
    assert_true(lsig_state_has(set, (struct lsig_span){key, 18}));
}

static void a_list_grows_and_shrinks_at_any_place(void **state)
{
    struct place *place = *state;
    struct lsig_journal journal = {NULL};
    struct lsig_state_field *list = open_field(place, "f", LSIG_STATE_LIST, 6);
    assert_int_equal(lsig_state_push(list, text("1"), NULL), LSIG_OK);
    assert_int_equal(lsig_state_push(list, text("2"), NULL), LSIG_OK);
    assert_int_equal(lsig_state_insert(list, 0, text("0"), &journal), LSIG_OK);
    assert_int_equal(lsig_state_insert(list, 2, text("1.5"), &journal), LSIG_OK);
    assert_string_equal(entries(list), "0 1 1.5 2");
    assert_true(lsig_span_is(lsig_state_at(list, 2), "1.5"));
    assert_int_equal(lsig_state_replace(list, 1, text("one"), &journal), LSIG_OK);
    lsig_state_take(list, 0, &journal);
    lsig_state_take(list, 2, &journal);
    assert_string_equal(entries(list), "one 1.5");
    lsig_journal_rollback(&journal);
    assert_string_equal(entries(list), "1 2");
}

static void a_counter_counts_up_and_down(void **state)
{
    struct place *place = *state;
    struct lsig_journal journal = {NULL};
    struct lsig_state_field *counter = open_field(place, "f", LSIG_STATE_COUNTER, 1);
    assert_int_equal(lsig_state_number(counter), 0);
    assert_int_equal(lsig_state_count(counter), 0);
    assert_int_equal(lsig_state_set_number(counter, -7, NULL), LSIG_OK);
    assert_int_equal(lsig_state_set_number(counter, 0, &journal), LSIG_OK);
    assert_int_equal(lsig_state_set_number(counter, (int64_t)1 << 53, &journal), LSIG_OK);
    assert_int_equal(lsig_state_count(counter), 1);
    lsig_journal_rollback(&journal);
    assert_int_equal(lsig_state_number(counter), -7);
    lsig_state_empty(counter, NULL);
    assert_int_equal(lsig_state_number(counter), 0);
}

static void a_value_is_set_and_unset(void **state)
{
    struct place *place = *state;
    struct lsig_journal journal = {NULL};
    struct lsig_state_field *value = open_field(place, "f", LSIG_STATE_VALUE, 1);
    assert_null(lsig_state_value(value).data);
    assert_int_equal(lsig_state_set_value(value, text("true"), NULL), LSIG_OK);
    assert_int_equal(lsig_state_set_value(value, none, &journal), LSIG_OK);
    assert_null(lsig_state_value(value).data);
    assert_int_equal(lsig_state_set_value(value, none, &journal), LSIG_OK);
    assert_int_equal(lsig_state_set_value(value, text("7"), &journal), LSIG_OK);
    assert_int_equal(lsig_state_count(value), 1);
    lsig_journal_rollback(&journal);
    assert_true(lsig_span_is(lsig_state_value(value), "true"));
    assert_int_equal(place->room->state_bytes, LSIG_STATE_ENTRY_COST + 4);
}

static void no_container_has_more_than_its_max(void **state)
{
    struct place *place = *state;
    struct lsig_state_field *map = open_field(place, "m", LSIG_STATE_MAP, 2);
    struct lsig_state_field *list = open_field(place, "l", LSIG_STATE_LIST, 1);
    assert_int_equal(lsig_state_put(map, text("a"), text("1"), NULL), LSIG_OK);
    assert_int_equal(lsig_state_put(map, text("b"), text("1"), NULL), LSIG_OK);
    assert_int_equal(lsig_state_put(map, text("c"), text("1"), NULL), LSIG_TOO_BIG);
    assert_int_equal(lsig_state_put(map, text("b"), text("2"), NULL), LSIG_OK);
    assert_string_equal(entries(map), "a=1 b=2");
    assert_int_equal(lsig_state_push(list, text("1"), NULL), LSIG_OK);
    assert_int_equal(lsig_state_push(list, text("2"), NULL), LSIG_TOO_BIG);
    assert_int_equal(lsig_state_replace(list, 0, text("3"), NULL), LSIG_OK);
    // Less from now on than there are: nothing is lost, nothing can be added.
    open_field(place, "m", LSIG_STATE_MAP, 1);
    assert_int_equal(lsig_state_count(map), 2);
    assert_true(lsig_state_remove(map, text("a"), NULL));
    assert_int_equal(lsig_state_put(map, text("a"), text("1"), NULL), LSIG_TOO_BIG);
}

static void all_policies_of_a_room_share_its_bytes(void **state)
{
    struct place *place = *state;
    struct lsig_state *other = lsig_state_open(place->room, text("q"), 1);
    struct lsig_state_field *value = open_field(place, "v", LSIG_STATE_VALUE, 1);
    struct lsig_state_field *list = lsig_state_field_open(other, text("l"), LSIG_STATE_LIST, 100);
    bound_state(place, 2 * LSIG_STATE_ENTRY_COST + 10);
    assert_int_equal(lsig_state_push(list, text("12345"), NULL), LSIG_OK);
    assert_int_equal(lsig_state_set_value(value, text("123456"), NULL), LSIG_TOO_BIG);
    assert_null(lsig_state_value(value).data);
    assert_int_equal(lsig_state_set_value(value, text("12345"), NULL), LSIG_OK);
    assert_int_equal(lsig_state_replace(list, 0, text("123456"), NULL), LSIG_TOO_BIG);
    assert_true(lsig_span_is(lsig_state_at(list, 0), "12345"));
    assert_int_equal(lsig_state_push(list, text("1"), NULL), LSIG_TOO_BIG);
    lsig_state_drop(other);
    assert_int_equal(lsig_state_set_value(value, text("123456"), NULL), LSIG_OK);
}

static void state_above_a_lowered_bound_can_become_less(void **state)
{
    struct place *place = *state;
    struct lsig_state_field *map = open_field(place, "m", LSIG_STATE_MAP, 10);
    assert_int_equal(lsig_state_put(map, text("a"), text("\"long text\""), NULL), LSIG_OK);
    bound_state(place, 10);
    assert_int_equal(lsig_state_put(map, text("a"), text("\"longer text\""), NULL), LSIG_TOO_BIG);
    assert_int_equal(lsig_state_put(map, text("a"), text("1"), NULL), LSIG_OK);
    assert_int_equal(lsig_state_put(map, text("b"), text("1"), NULL), LSIG_TOO_BIG);
}

static void what_fails_leaves_no_note(void **state)
{
    struct place *place = *state;
    struct lsig_journal journal = {NULL};
    struct lsig_state_field *set = open_field(place, "s", LSIG_STATE_SET, 0);
    assert_int_equal(lsig_state_put(set, text("a"), none, &journal), LSIG_TOO_BIG);
    assert_false(lsig_state_remove(set, text("a"), &journal));
    assert_null(journal.last);
}

static void emptying_is_taken_back_as_well(void **state)
{
    struct place *place = *state;
    struct lsig_journal journal = {NULL};
    struct lsig_state_field *map = open_field(place, "m", LSIG_STATE_MAP, 10);
    for (char key[2] = "a"; key[0] <= 'j'; key[0]++) {
        assert_int_equal(lsig_state_put(map, text(key), text("1"), NULL), LSIG_OK);
    }
    size_t bytes = place->room->state_bytes;
    lsig_state_empty(map, &journal);
    assert_int_equal(place->room->state_bytes, 0);
    assert_int_equal(lsig_state_put(map, text("z"), text("9"), &journal), LSIG_OK);
    lsig_journal_rollback(&journal);
    assert_string_equal(entries(map), "a=1 b=1 c=1 d=1 e=1 f=1 g=1 h=1 i=1 j=1");
    assert_int_equal(place->room->state_bytes, bytes);
}

static void a_list_is_walked_from_either_end_with_10000_entries(void **state)
{
    struct place *place = *state;
    bound_state(place, 1 << 20);
    struct lsig_state_field *list = open_field(place, "l", LSIG_STATE_LIST, LSIG_STATE_ITEMS_MAX);
    char number[16];
    for (int i = 0; i < LSIG_STATE_ITEMS_MAX; i++) {
        snprintf(number, sizeof(number), "%d", i);
        assert_int_equal(lsig_state_insert(list, 0, text(number), NULL), LSIG_OK);
    }
    assert_int_equal(lsig_state_push(list, text("1"), NULL), LSIG_TOO_BIG);
    for (int turn = 0; turn < 50000; turn++) { // round and round
        snprintf(number, sizeof(number), "%d", LSIG_STATE_ITEMS_MAX - 1 - turn % 10000);
        assert_true(lsig_span_is(lsig_state_at(list, 0), number));
        lsig_state_take(list, 0, NULL);
        assert_int_equal(lsig_state_push(list, text(number), NULL), LSIG_OK);
    }
    assert_true(lsig_span_is(lsig_state_at(list, 0), "9999"));
    assert_true(lsig_span_is(lsig_state_at(list, 9999), "0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(each_policy_has_its_own),
        state_test(a_field_has_one_kind),
        state_test(a_policy_has_at_most_64_fields),
        state_test(a_set_keeps_the_order_of_adding),
        state_test(a_map_replaces_in_place),
        state_test(keys_are_bytes),
        state_test(a_list_grows_and_shrinks_at_any_place),
        state_test(a_counter_counts_up_and_down),
        state_test(a_value_is_set_and_unset),
        state_test(no_container_has_more_than_its_max),
        state_test(all_policies_of_a_room_share_its_bytes),
        state_test(state_above_a_lowered_bound_can_become_less),
        state_test(what_fails_leaves_no_note),
        state_test(emptying_is_taken_back_as_well),
        state_test(a_list_is_walked_from_either_end_with_10000_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
