#include "test_flow_fixture.h"

static bool take(struct fixture *f, const char *user)
{
    return lsig_door_take_place(&f->flow, lsig_span_of(user));
}

static void a_user_has_as_many_places_as_the_setting_says_over_all_rooms(void **state)
{
    struct fixture *f = *state;
    f->settings.user_connections_max = 3;
    fixture_join_room(f, "r1", "ann", LSIG_COMPAT);
    fixture_join_room(f, "r2", "ann", LSIG_V1);
    fixture_join_room(f, "r2", "ann", LSIG_V1);
    assert_false(take(f, "ann"));
    assert_true(take(f, "bob")); // of another user's places nothing is taken
    lsig_door_give_place(&f->flow, lsig_span_of("bob"));
}

static void a_connection_that_ends_gives_its_place_back(void **state)
{
    struct fixture *f = *state;
    f->settings.user_connections_max = 1;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    assert_false(take(f, "ann"));
    assert_false(take(f, "ann")); // being refused takes nothing
    fixture_leave(ann, "bye");
    assert_int_equal(f->flow.user_connections.count, 0);
    fixture_join(f, "ann", LSIG_COMPAT);
    assert_false(take(f, "ann"));
}

static void a_refused_join_keeps_its_place_until_its_socket_has_ended(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('join', function() return sig.deny('NO', 'no') end)");
    f->settings.user_connections_max = 1;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    assert_int_equal(ann->close_code, 1008);
    assert_false(take(f, "ann"));
    fixture_leave(ann, "closed");
    assert_int_equal(f->flow.user_connections.count, 0);
}

static void zero_places_means_no_bound(void **state)
{
    struct fixture *f = *state;
    f->settings.user_connections_max = 0;
    for (int i = 0; i < 20; i++) {
        fixture_join(f, "ann", LSIG_COMPAT);
    }
    assert_true(take(f, "ann"));
    lsig_door_give_place(&f->flow, lsig_span_of("ann"));
}

static void a_token_is_checked_at_the_time_of_the_turn(void **state)
{
    struct fixture *f = *state;
    char *token = fixture_token(f, "ann", 60);
    struct lsig_claims claims;
    struct lsig_refusal refusal;
    assert_int_equal(lsig_door_check_token(&f->flow, lsig_span_of(token), &claims, &refusal),
                     LSIG_OK);
    assert_string_equal(claims.sub, "ann");
    lsig_claims_clear(&claims);
    fixture_pass(f, 90 * 1000 - 1); // 60 s of life and the leeway of 30 s
    assert_int_equal(lsig_door_check_token(&f->flow, lsig_span_of(token), &claims, &refusal),
                     LSIG_OK);
    lsig_claims_clear(&claims);
    fixture_pass(f, 1);
    assert_int_equal(lsig_door_check_token(&f->flow, lsig_span_of(token), &claims, &refusal),
                     LSIG_TOKEN_EXPIRED);
    assert_int_equal(refusal.close_code, 4401);
    token[strlen(token) - 4] ^= 1;
    assert_int_equal(lsig_door_check_token(&f->flow, lsig_span_of(token), &claims, &refusal),
                     LSIG_TOKEN_INVALID);
    free(token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(a_user_has_as_many_places_as_the_setting_says_over_all_rooms),
        FLOW_TEST(a_connection_that_ends_gives_its_place_back),
        FLOW_TEST(a_refused_join_keeps_its_place_until_its_socket_has_ended),
        FLOW_TEST(zero_places_means_no_bound),
        FLOW_TEST(a_token_is_checked_at_the_time_of_the_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
