#include "test_room_fixture.h"

#include "base/alloc.h"
#include "room/journal.h"
#include "room/timers.h"

// What happened to notes, as text: b1 is "note 1 was taken back", c1 "it stays".
struct note {
    struct lsig_undo undo;
    char *told;
    char which;
    void *owned;
};

static void tell(const struct lsig_undo *undo, char what)
{
    const struct note *note = (const struct note *)undo;
    size_t len = strlen(note->told);
    note->told[len] = what;
    note->told[len + 1] = note->which;
}

static void on_back(struct lsig_undo *undo)
{
    tell(undo, 'b');
    free(((struct note *)undo)->owned);
}

static void on_clear(struct lsig_undo *undo)
{
    tell(undo, 'c');
    free(((struct note *)undo)->owned);
}

static void add(struct lsig_journal *journal, char *told, char which)
{
    struct note *note = lsig_journal_note(journal, sizeof(*note), on_back, on_clear);
    note->told = told;
    note->which = which;
    note->owned = lsig_alloc(10);
}

static void changes_are_taken_back_from_the_last_to_the_first(void **state)
{
    (void)state;
    char told[32] = "";
    struct lsig_journal journal = {NULL};
    add(&journal, told, '1');
    add(&journal, told, '2');
    add(&journal, told, '3');
    lsig_journal_rollback(&journal);
    assert_string_equal(told, "b3b2b1");
    assert_null(journal.last);
}

static void what_notes_own_is_freed_when_the_changes_stay(void **state)
{
    (void)state;
    char told[32] = "";
    struct lsig_journal journal = {NULL};
    add(&journal, told, '1');
    add(&journal, told, '2');
    lsig_journal_commit(&journal);
    assert_int_equal(strlen(told), 4);
    assert_null(strchr(told, 'b'));
    assert_null(journal.last);
}

static void an_emptied_journal_can_be_used_again(void **state)
{
    (void)state;
    char told[32] = "";
    struct lsig_journal journal = {NULL};
    lsig_journal_commit(&journal);
    lsig_journal_rollback(&journal);
    add(&journal, told, '1');
    lsig_journal_commit(&journal);
    add(&journal, told, '2');
    lsig_journal_rollback(&journal);
    assert_string_equal(told, "c1b2");
}

static void without_a_journal_there_is_no_note(void **state)
{
    (void)state;
    assert_null(lsig_journal_note(NULL, sizeof(struct note), on_back, on_clear));
}

static void a_note_need_not_own_anything(void **state)
{
    (void)state;
    char told[32] = "";
    struct lsig_journal journal = {NULL};
    struct note *note = lsig_journal_note(&journal, sizeof(*note), on_back, NULL);
    note->told = told;
    note->which = '1';
    lsig_journal_commit(&journal);
    assert_string_equal(told, "");
}

static void a_role_that_was_set_is_taken_back(void **state)
{
    struct place *place = *state;
    struct lsig_connection c[2] = {0};
    struct lsig_journal journal = {NULL};
    enter(place->room, &c[0], "ann");
    struct lsig_member *bob = enter(place->room, &c[1], "bob");
    lsig_room_set_role(bob, LSIG_MODERATOR, &journal);
    lsig_room_set_role(bob, LSIG_OBSERVER, &journal);
    assert_int_equal(bob->role, LSIG_OBSERVER);
    lsig_journal_rollback(&journal);
    assert_int_equal(bob->role, LSIG_PARTICIPANT);
    lsig_room_set_role(bob, LSIG_MODERATOR, &journal);
    lsig_journal_commit(&journal);
    assert_string_equal(leave(&c[0]), "bob");
    leave(&c[1]);
}

static void a_role_is_remembered_for_somebody_who_is_not_here(void **state)
{
    struct place *place = *state;
    struct lsig_span cid = lsig_span_of("cid");
    struct lsig_journal journal = {NULL};
    struct lsig_connection c[2] = {0};
    enum lsig_role role = LSIG_HOST;
    assert_false(lsig_room_remembered_role(place->room, cid, &role));
    assert_true(lsig_room_remember_role(place->room, cid, LSIG_MODERATOR, &journal));
    assert_true(lsig_room_remember_role(place->room, cid, LSIG_OBSERVER, &journal));
    assert_true(lsig_room_remembered_role(place->room, cid, &role));
    assert_int_equal(role, LSIG_OBSERVER);
    lsig_journal_rollback(&journal);
    assert_false(lsig_room_remembered_role(place->room, cid, &role));
    assert_true(lsig_room_remember_role(place->room, cid, LSIG_MODERATOR, NULL));
    enter(place->room, &c[0], "ann");
    assert_int_equal(enter(place->room, &c[1], "cid")->role, LSIG_MODERATOR);
    assert_false(lsig_room_remembered_role(place->room, cid, &role));
    leave(&c[1]);
    leave(&c[0]);
}

static void who_only_has_a_role_waiting_was_not_here(void **state)
{
    struct place *place = *state;
    struct lsig_span cid = lsig_span_of("cid");
    assert_true(lsig_room_remember_role(place->room, cid, LSIG_MODERATOR, NULL));
    assert_false(lsig_room_is_former(place->room, cid));
    struct lsig_connection c = {0};
    enter(place->room, &c, "cid");
    leave(&c);
    assert_true(lsig_room_is_former(place->room, cid));
    assert_true(lsig_room_remember_role(place->room, cid, LSIG_OBSERVER, NULL));
    assert_true(lsig_room_is_former(place->room, cid));
}

static void fill_with_formers(struct lsig_room *room, enum lsig_role role)
{
    for (int i = 0; i < LSIG_FORMER_MAX; i++) {
        char id[16];
        struct lsig_connection c = {0};
        snprintf(id, sizeof(id), "u%d", i);
        enter(room, &c, id)->role = (uint8_t)role;
        leave(&c);
    }
}

static void a_remembered_role_takes_the_place_of_the_oldest_without_one(void **state)
{
    struct place *place = *state;
    struct lsig_journal journal = {NULL};
    struct lsig_span cid = lsig_span_of("cid");
    fill_with_formers(place->room, LSIG_PARTICIPANT);
    assert_true(lsig_room_remember_role(place->room, cid, LSIG_MODERATOR, &journal));
    assert_true(lsig_room_remember_role(place->room, lsig_span_of("dee"), LSIG_OBSERVER, &journal));
    assert_false(lsig_room_is_former(place->room, lsig_span_of("u0")));
    assert_false(lsig_room_is_former(place->room, lsig_span_of("u1")));
    lsig_journal_rollback(&journal);
    enum lsig_role role;
    assert_false(lsig_room_remembered_role(place->room, cid, &role));
    // They stand where they stood: the oldest is the first to be forgotten again.
    struct lsig_connection c[2] = {0};
    for (int i = 0; i < 2; i++) {
        enter(place->room, &c[i], i == 0 ? "eve" : "fay");
    }
    leave(&c[0]);
    assert_false(lsig_room_is_former(place->room, lsig_span_of("u0")));
    assert_true(lsig_room_is_former(place->room, lsig_span_of("u1")));
    leave(&c[1]);
    assert_false(lsig_room_is_former(place->room, lsig_span_of("u1")));
}

static void no_role_is_forgotten_for_another(void **state)
{
    struct place *place = *state;
    fill_with_formers(place->room, LSIG_OBSERVER);
    assert_false(lsig_room_remember_role(place->room, lsig_span_of("cid"), LSIG_MODERATOR, NULL));
    assert_true(lsig_room_remember_role(place->room, lsig_span_of("u7"), LSIG_MODERATOR, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_taken_back_from_the_last_to_the_first),
        cmocka_unit_test(what_notes_own_is_freed_when_the_changes_stay),
        cmocka_unit_test(an_emptied_journal_can_be_used_again),
        cmocka_unit_test(without_a_journal_there_is_no_note),
        cmocka_unit_test(a_note_need_not_own_anything),
        room_test(a_role_that_was_set_is_taken_back),
        room_test(a_role_is_remembered_for_somebody_who_is_not_here),
        room_test(who_only_has_a_role_waiting_was_not_here),
        room_test(a_remembered_role_takes_the_place_of_the_oldest_without_one),
        room_test(no_role_is_forgotten_for_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
