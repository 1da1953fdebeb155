#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/revocation.h"

enum { NOW = 1800000000 };

static struct lsig_revocations *revocations;

static int set_up(void **state)
{
    (void)state;
    revocations = lsig_revocations_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lsig_revocations_free(revocations);
    return 0;
}

static bool covers(uint64_t key, const char *user, int64_t iat)
{
    return lsig_revocations_cover(revocations, key, lsig_span_of(user), iat);
}

static enum lsig_status add_token(uint64_t key, int64_t end)
{
    return lsig_revocations_add_token(revocations, key, end, NOW);
}

static enum lsig_status add_user(const char *user, int64_t up_to)
{
    return lsig_revocations_add_user(revocations, lsig_span_of(user), up_to);
}

static void nothing_is_revoked_at_first(void **state)
{
    (void)state;
    assert_false(covers(1, "ann", NOW));
    assert_false(covers(0, "ann", 0));
}

static void a_token_is_revoked_by_its_key_and_no_other(void **state)
{
    (void)state;
    assert_int_equal(add_token(7, NOW + 10), LSIG_OK);
    assert_true(covers(7, "ann", NOW));
    assert_true(covers(7, "bob", 0)); // whoever shows it
    assert_false(covers(8, "ann", NOW));
    assert_false(covers(0, "ann", NOW));
}

static void a_token_is_forgotten_at_its_end_and_not_before(void **state)
{
    (void)state;
    assert_int_equal(add_token(1, NOW + 10), LSIG_OK);
    assert_int_equal(add_token(2, NOW + 20), LSIG_OK);
    assert_int_equal(lsig_revocations_add_token(revocations, 3, NOW + 30, NOW + 9), LSIG_OK);
    assert_int_equal(lsig_revocations_token_count(revocations), 3);
    assert_int_equal(lsig_revocations_add_token(revocations, 4, NOW + 30, NOW + 10), LSIG_OK);
    assert_int_equal(lsig_revocations_token_count(revocations), 3);
    assert_false(covers(1, "ann", NOW));
    assert_true(covers(2, "ann", NOW) && covers(3, "ann", NOW) && covers(4, "ann", NOW));
}

static void an_end_that_is_over_is_not_kept(void **state)
{
    (void)state;
    assert_int_equal(add_token(1, NOW), LSIG_OK);
    assert_int_equal(lsig_revocations_token_count(revocations), 0);
}

static void a_token_that_is_added_again_keeps_the_later_end(void **state)
{
    (void)state;
    assert_int_equal(add_token(1, NOW + 10), LSIG_OK);
    assert_int_equal(add_token(2, NOW + 15), LSIG_OK);
    assert_int_equal(add_token(1, NOW + 20), LSIG_OK);
    assert_int_equal(add_token(1, NOW + 5), LSIG_OK);
    assert_int_equal(lsig_revocations_token_count(revocations), 2);
    assert_int_equal(lsig_revocations_add_token(revocations, 9, NOW, NOW + 16), LSIG_OK);
    assert_true(covers(1, "ann", NOW));
    assert_false(covers(2, "ann", NOW));
}

static void tokens_end_in_the_order_of_their_ends_however_they_came(void **state)
{
    (void)state;
    bool there[500];
    int64_t ends[500];
    srand(7);
    for (uint64_t key = 1; key <= 500; key++) {
        ends[key - 1] = NOW + 1 + rand() % 300;
        assert_int_equal(add_token(key, ends[key - 1]), LSIG_OK);
    }
    for (int64_t now = NOW; now <= NOW + 301; now += 7) {
        assert_int_equal(lsig_revocations_add_token(revocations, 1000, now, now), LSIG_OK);
        size_t left = 0;
        for (uint64_t key = 1; key <= 500; key++) {
            there[key - 1] = covers(key, "ann", NOW);
            assert_int_equal(there[key - 1], ends[key - 1] > now);
            left += there[key - 1];
        }
        assert_int_equal(lsig_revocations_token_count(revocations), left);
    }
}

static void at_the_bound_a_token_is_refused_and_none_is_forgotten(void **state)
{
    (void)state;
    for (uint64_t key = 1; key <= LSIG_REVOCATION_TOKENS_MAX; key++) {
        assert_int_equal(add_token(key, NOW + 10 + (int64_t)(key % 100)), LSIG_OK);
    }
    uint64_t next = LSIG_REVOCATION_TOKENS_MAX + 1;
    assert_int_equal(add_token(next, NOW + 1000), LSIG_TOO_BIG);
    assert_false(covers(next, "ann", NOW));
    assert_true(covers(1, "ann", NOW) && covers(next - 1, "ann", NOW));
    assert_int_equal(add_token(1, NOW + 1000), LSIG_OK); // one that is there takes no place
    assert_int_equal(lsig_revocations_add_token(revocations, next, NOW + 1000, NOW + 10), LSIG_OK);
    assert_true(covers(next, "ann", NOW));
}

static void what_is_read_back_may_be_more_than_the_bound(void **state)
{
    (void)state;
    lsig_revocations_allow(revocations, 2, 1);
    assert_int_equal(add_token(1, NOW + 1), LSIG_OK);
    assert_int_equal(add_token(2, NOW + 1), LSIG_OK);
    assert_int_equal(add_user("ann", NOW), LSIG_OK);
    assert_int_equal(add_token(3, NOW + 1), LSIG_TOO_BIG);
    assert_int_equal(add_user("bob", NOW), LSIG_TOO_BIG);
    lsig_revocations_allow(revocations, 3, 2);
    assert_int_equal(add_token(3, NOW + 1), LSIG_OK);
    assert_int_equal(add_user("bob", NOW), LSIG_OK);
    lsig_revocations_allow(revocations, 1, 1);
    assert_int_equal(add_token(4, NOW + 1), LSIG_TOO_BIG);
    assert_true(covers(1, "x", NOW) && covers(2, "x", NOW) && covers(3, "x", NOW));
    assert_true(covers(0, "ann", NOW) && covers(0, "bob", NOW));
}

static void a_user_is_revoked_up_to_a_second_and_what_does_not_say_when_counts_as_old(void **state)
{
    (void)state;
    assert_int_equal(add_user("ann", NOW), LSIG_OK);
    assert_true(covers(1, "ann", NOW));
    assert_true(covers(0, "ann", NOW - 1000));
    assert_true(covers(0, "ann", 0));
    assert_false(covers(1, "ann", NOW + 1));
    assert_false(covers(1, "bob", NOW));
    assert_false(covers(1, "anne", NOW));
    assert_int_equal(add_user("ann", NOW - 5), LSIG_OK); // an earlier second takes nothing back
    assert_true(covers(1, "ann", NOW));
    assert_int_equal(add_user("ann", NOW + 5), LSIG_OK);
    assert_true(covers(1, "ann", NOW + 5));
    assert_int_equal(lsig_revocations_user_count(revocations), 1);
}

static void a_time_revokes_what_was_issued_before_it(void **state)
{
    (void)state;
    lsig_revocations_add_time(revocations, NOW);
    assert_true(covers(1, "ann", NOW - 1));
    assert_true(covers(0, "bob", 0));
    assert_false(covers(1, "ann", NOW));
    lsig_revocations_add_time(revocations, NOW - 10);
    assert_true(covers(1, "ann", NOW - 1));
    assert_int_equal(lsig_revocations_time(revocations), NOW);
}

static void at_the_bound_a_user_is_refused_until_a_time_makes_room(void **state)
{
    (void)state;
    char name[16];
    for (int i = 0; i < LSIG_REVOCATION_USERS_MAX; i++) {
        snprintf(name, sizeof(name), "user%d", i);
        assert_int_equal(add_user(name, NOW + i % 2), LSIG_OK);
    }
    assert_int_equal(add_user("ann", NOW), LSIG_TOO_BIG);
    assert_int_equal(add_user("user7", NOW + 9), LSIG_OK);
    assert_false(covers(0, "ann", NOW));
    lsig_revocations_add_time(revocations, NOW + 1); // covers the even ones
    assert_int_equal(lsig_revocations_user_count(revocations), LSIG_REVOCATION_USERS_MAX / 2);
    assert_true(covers(0, "user0", NOW));
    assert_true(covers(0, "user1", NOW + 1));
    assert_false(covers(0, "user0", NOW + 1));
    assert_true(covers(0, "user7", NOW + 9));
    assert_int_equal(add_user("ann", NOW), LSIG_OK); // covered: takes no place
    assert_int_equal(lsig_revocations_user_count(revocations), LSIG_REVOCATION_USERS_MAX / 2);
    assert_int_equal(add_user("ann", NOW + 3), LSIG_OK);
    assert_true(covers(0, "ann", NOW + 3));
}

static void a_new_token_is_issued_when_nothing_covers_it(void **state)
{
    (void)state;
    struct lsig_span ann = lsig_span_of("ann");
    assert_int_equal(lsig_revocations_first_good(revocations, ann, NOW), NOW);
    assert_int_equal(add_user("ann", NOW), LSIG_OK);
    assert_int_equal(lsig_revocations_first_good(revocations, ann, NOW), NOW + 1);
    assert_int_equal(lsig_revocations_first_good(revocations, ann, NOW + 1), NOW + 1);
    lsig_revocations_add_time(revocations, NOW + 5);
    assert_int_equal(lsig_revocations_first_good(revocations, ann, NOW), NOW + 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_revoked_at_first),
        TEST(a_token_is_revoked_by_its_key_and_no_other),
        TEST(a_token_is_forgotten_at_its_end_and_not_before),
        TEST(an_end_that_is_over_is_not_kept),
        TEST(a_token_that_is_added_again_keeps_the_later_end),
        TEST(tokens_end_in_the_order_of_their_ends_however_they_came),
        TEST(at_the_bound_a_token_is_refused_and_none_is_forgotten),
        TEST(what_is_read_back_may_be_more_than_the_bound),
        TEST(a_user_is_revoked_up_to_a_second_and_what_does_not_say_when_counts_as_old),
        TEST(a_time_revokes_what_was_issued_before_it),
        TEST(at_the_bound_a_user_is_refused_until_a_time_makes_room),
        TEST(a_new_token_is_issued_when_nothing_covers_it),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
