#include "test_room_fixture.h"

#include "room/journal.h"
#include "room/props.h"

enum { BYTES_MAX = 1000 };

static void
set(struct lsig_props **props, const char *name, const char *value, struct lsig_journal *journal)
{
    struct lsig_span text = {value, value != NULL ? strlen(value) : 0};
    assert_int_equal(lsig_props_set(props, lsig_span_of(name), text, BYTES_MAX, journal), LSIG_OK);
}

// All of them, as "name=value name=value ".
static void holds(const struct lsig_props *props, const char *wanted)
{
    char text[256] = "";
    size_t cursor = 0;
    size_t len = 0;
    struct lsig_span name;
    struct lsig_span value;
    while (lsig_props_next(props, &cursor, &name, &value)) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%.*s=%.*s ", (int)name.len,
                                name.data, (int)value.len, value.data);
    }
    assert_string_equal(text, wanted);
}

static void values_are_kept_in_the_order_in_which_they_were_first_set(void **state)
{
    (void)state;
    struct lsig_props *props = NULL;
    set(&props, "b", "1", NULL);
    set(&props, "a", "2", NULL);
    set(&props, "b", "333", NULL);
    holds(props, "b=333 a=2 ");
    assert_null(lsig_props_get(props, lsig_span_of("c")).data);
    assert_true(lsig_span_is(lsig_props_get(props, lsig_span_of("a")), "2"));
    lsig_props_free(props);
}

static void the_last_one_that_is_taken_away_leaves_nothing(void **state)
{
    (void)state;
    struct lsig_props *props = NULL;
    set(&props, "a", NULL, NULL);
    assert_null(props);
    set(&props, "a", "1", NULL);
    set(&props, "a", NULL, NULL);
    assert_null(props);
    lsig_props_free(props);
}

static void the_bounds_hold_and_what_fails_changes_nothing(void **state)
{
    (void)state;
    struct lsig_props *props = NULL;
    struct lsig_journal journal = {0};
    size_t max = 2 * (LSIG_PROP_COST + 1 + 10);
    struct lsig_span ten = lsig_span_of("1234567890");
    struct lsig_span eleven = lsig_span_of("12345678901");
    assert_int_equal(lsig_props_set(&props, lsig_span_of("a"), ten, max, NULL), LSIG_OK);
    assert_int_equal(lsig_props_set(&props, lsig_span_of("b"), ten, max, NULL), LSIG_OK);
    assert_int_equal(lsig_props_set(&props, lsig_span_of("b"), eleven, max, &journal),
                     LSIG_TOO_BIG);
    assert_int_equal(lsig_props_set(&props, lsig_span_of("c"), lsig_span_of("1"), max, &journal),
                     LSIG_TOO_BIG);
    assert_null(journal.last);
    holds(props, "a=1234567890 b=1234567890 ");
    lsig_props_free(props);
    props = NULL;
    for (int i = 0; i < LSIG_PROPS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%d", i);
        set(&props, name, "1", NULL);
    }
    assert_int_equal(lsig_props_set(&props, lsig_span_of("x"), ten, 100000, NULL), LSIG_TOO_BIG);
    assert_int_equal(lsig_props_set(&props, lsig_span_of("n0"), ten, 100000, NULL), LSIG_OK);
    lsig_props_free(props);
}

static void a_rollback_restores_values_and_order(void **state)
{
    (void)state;
    struct lsig_props *props = NULL;
    struct lsig_journal journal = {0};
    set(&props, "a", "1", NULL);
    set(&props, "b", "2", NULL);
    set(&props, "c", "3", NULL);
    set(&props, "a", NULL, &journal);
    set(&props, "b", "22", &journal);
    set(&props, "d", "4", &journal);
    set(&props, "c", NULL, &journal);
    set(&props, "a", "11", &journal);
    set(&props, "b", NULL, &journal);
    set(&props, "d", NULL, &journal);
    set(&props, "a", NULL, &journal);
    assert_null(props);
    lsig_journal_rollback(&journal);
    holds(props, "a=1 b=2 c=3 ");
    set(&props, "b", NULL, &journal);
    lsig_journal_commit(&journal);
    holds(props, "a=1 c=3 ");
    lsig_props_free(props);
}

static void a_rollback_to_nothing_leaves_nothing(void **state)
{
    (void)state;
    struct lsig_props *props = NULL;
    struct lsig_journal journal = {0};
    set(&props, "a", "1", &journal);
    set(&props, "b", "2", &journal);
    lsig_journal_rollback(&journal);
    assert_null(props);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_kept_in_the_order_in_which_they_were_first_set),
        cmocka_unit_test(the_last_one_that_is_taken_away_leaves_nothing),
        cmocka_unit_test(the_bounds_hold_and_what_fails_changes_nothing),
        cmocka_unit_test(a_rollback_restores_values_and_order),
        cmocka_unit_test(a_rollback_to_nothing_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
