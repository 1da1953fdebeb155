#include "room/member_name.h"

#include "room/journal.h"
#include "test_room_fixture.h"

static void a_name_is_copied_and_may_be_the_id(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_member *member = lsig_member_new(room, lsig_span_of("u1"), lsig_span_of("<b>Ann"));
    char text[] = "Ann";
    lsig_member_name_set(member, lsig_span_of(text), NULL);
    text[0] = 'x';
    assert_string_equal(member->username, "Ann");
    lsig_member_name_set(member, lsig_span_of("u1"), NULL);
    assert_string_equal(member->username, "u1");
    assert_ptr_equal(member->username, member->id);
    lsig_member_name_set(member, lsig_span_of("Eve"), NULL);
    assert_string_equal(member->username, "Eve");
    assert_string_equal(member->id, "u1");
    lsig_member_unref(member);
}

static void a_hook_that_fails_leaves_the_name_as_it_was(void **state)
{
    struct lsig_room *room = ((struct place *)*state)->room;
    struct lsig_journal journal = {NULL};
    struct lsig_member *member = lsig_member_new(room, lsig_span_of("u1"), lsig_span_of("Ann"));
    lsig_member_name_set(member, lsig_span_of("Bob"), &journal);
    lsig_member_name_set(member, lsig_span_of("u1"), &journal);
    lsig_member_name_set(member, lsig_span_of("Eve"), &journal);
    lsig_journal_rollback(&journal);
    assert_string_equal(member->username, "Ann");
    lsig_member_name_set(member, lsig_span_of("u1"), &journal);
    lsig_member_name_set(member, lsig_span_of("Bob"), &journal);
    lsig_journal_commit(&journal);
    assert_string_equal(member->username, "Bob");
    lsig_member_unref(member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(a_name_is_copied_and_may_be_the_id),
        room_test(a_hook_that_fails_leaves_the_name_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
