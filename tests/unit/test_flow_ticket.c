#include "test_flow_fixture.h"

#include "flow/revoke.h"
#include "flow/ticket.h"

static int set_up(void **state)
{
    int result = fixture_setup(state);
    struct fixture *f = *state;
    f->flow.tickets = lsig_tickets_new();
    return result;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    lsig_tickets_free(f->flow.tickets);
    return fixture_teardown(state);
}

static struct lsig_claims claims_of(struct fixture *f, const char *user, int64_t life_s)
{
    struct lsig_claims claims;
    struct lsig_refusal refusal;
    char *token = fixture_token(f, user, life_s);
    assert_int_equal(lsig_door_check_token(&f->flow, lsig_span_of(token), &claims, &refusal),
                     LSIG_OK);
    free(token);
    return claims;
}

static enum lsig_status
make(struct fixture *f, const char *user, const char *room, char out[LSIG_TICKET_SIZE])
{
    struct lsig_claims claims = claims_of(f, user, LIFE_S);
    enum lsig_status status = lsig_ticket_make(&f->flow, &claims, lsig_span_of(room), out);
    lsig_claims_clear(&claims); // the ticket has a copy
    return status;
}

static enum lsig_status take(struct fixture *f, const char *ticket, const char *room)
{
    struct lsig_claims claims = {.token_version = -1};
    struct lsig_refusal refusal;
    enum lsig_status status =
        lsig_ticket_take(&f->flow, lsig_span_of(ticket), lsig_span_of(room), &claims, &refusal);
    if (status == LSIG_OK) {
        lsig_claims_clear(&claims);
    } else {
        assert_int_equal(refusal.status, status);
    }
    return status;
}

static void a_ticket_stands_for_its_token_once(void **state)
{
    struct fixture *f = *state;
    char ticket[LSIG_TICKET_SIZE];
    struct lsig_claims wanted = claims_of(f, "ann", LIFE_S);
    assert_int_equal(lsig_ticket_make(&f->flow, &wanted, lsig_span_of(NULL), ticket), LSIG_OK);
    assert_int_equal(strlen(ticket), 43);
    struct lsig_claims claims;
    struct lsig_refusal refusal;
    assert_int_equal(
        lsig_ticket_take(&f->flow, lsig_span_of(ticket), lsig_span_of("r1"), &claims, &refusal),
        LSIG_OK);
    assert_string_equal(claims.sub, "ann");
    assert_string_equal(claims.jti, wanted.jti);
    assert_int_equal(claims.exp, wanted.exp);
    assert_int_equal(claims.iat, wanted.iat);
    assert_string_equal(claims.json, wanted.json);
    lsig_claims_clear(&claims);
    lsig_claims_clear(&wanted);
    assert_int_equal(take(f, ticket, "r1"), LSIG_TOKEN_INVALID);
    assert_int_equal(lsig_tickets_count(f->flow.tickets), 0);
}

static void what_is_no_ticket_is_refused(void **state)
{
    struct fixture *f = *state;
    char ticket[LSIG_TICKET_SIZE];
    assert_int_equal(make(f, "ann", NULL, ticket), LSIG_OK);
    char changed[LSIG_TICKET_SIZE];
    memcpy(changed, ticket, sizeof(changed));
    changed[5] = changed[5] == 'A' ? 'B' : 'A';
    assert_int_equal(take(f, changed, "r1"), LSIG_TOKEN_INVALID);
    assert_int_equal(take(f, "", "r1"), LSIG_TOKEN_INVALID);
    assert_int_equal(take(f, ticket, "r1"), LSIG_OK);
}

static void a_ticket_lives_for_30_seconds(void **state)
{
    struct fixture *f = *state;
    char first[LSIG_TICKET_SIZE];
    char second[LSIG_TICKET_SIZE];
    assert_int_equal(make(f, "ann", NULL, first), LSIG_OK);
    assert_int_equal(make(f, "ann", NULL, second), LSIG_OK);
    fixture_pass(f, 29999);
    assert_int_equal(take(f, first, "r1"), LSIG_OK);
    fixture_pass(f, 1);
    assert_int_equal(take(f, second, "r1"), LSIG_TOKEN_INVALID);
    assert_int_equal(lsig_tickets_count(f->flow.tickets), 0);
}

static void a_ticket_never_outlives_its_token(void **state)
{
    struct fixture *f = *state;
    char ticket[LSIG_TICKET_SIZE];
    struct lsig_claims claims = claims_of(f, "ann", -20); // 10 s of its leeway are left
    assert_int_equal(lsig_ticket_make(&f->flow, &claims, lsig_span_of(NULL), ticket), LSIG_OK);
    lsig_claims_clear(&claims);
    fixture_pass(f, 10000);
    assert_int_equal(take(f, ticket, "r1"), LSIG_TOKEN_EXPIRED);
    assert_int_equal(take(f, ticket, "r1"), LSIG_TOKEN_INVALID);
}

static void a_ticket_for_a_room_is_good_there_only_and_used_up_anywhere(void **state)
{
    struct fixture *f = *state;
    char ticket[LSIG_TICKET_SIZE];
    assert_int_equal(make(f, "ann", "r1", ticket), LSIG_OK);
    assert_int_equal(take(f, ticket, "r1"), LSIG_OK);
    assert_int_equal(make(f, "ann", "r1", ticket), LSIG_OK);
    assert_int_equal(take(f, ticket, "r11"), LSIG_TOKEN_INVALID);
    assert_int_equal(take(f, ticket, "r1"), LSIG_TOKEN_INVALID);
}

static void a_users_ninth_ticket_takes_the_place_of_his_oldest(void **state)
{
    struct fixture *f = *state;
    char tickets[LSIG_TICKETS_PER_USER_MAX + 1][LSIG_TICKET_SIZE];
    char others[LSIG_TICKET_SIZE];
    assert_int_equal(make(f, "bob", NULL, others), LSIG_OK);
    for (int i = 0; i <= LSIG_TICKETS_PER_USER_MAX; i++) {
        assert_int_equal(make(f, "ann", NULL, tickets[i]), LSIG_OK);
    }
    assert_int_equal(lsig_tickets_count(f->flow.tickets), LSIG_TICKETS_PER_USER_MAX + 1);
    assert_int_equal(take(f, tickets[0], "r1"), LSIG_TOKEN_INVALID);
    for (int i = 1; i <= LSIG_TICKETS_PER_USER_MAX; i++) {
        assert_int_equal(take(f, tickets[i], "r1"), LSIG_OK);
    }
    assert_int_equal(take(f, others, "r1"), LSIG_OK);
}

static void at_the_bound_of_all_a_new_one_is_refused_until_the_oldest_have_ended(void **state)
{
    struct fixture *f = *state;
    char first[LSIG_TICKET_SIZE];
    char ticket[LSIG_TICKET_SIZE];
    char user[32];
    struct lsig_claims claims = claims_of(f, "ann", LIFE_S);
    assert_int_equal(lsig_ticket_make(&f->flow, &claims, lsig_span_of(NULL), first), LSIG_OK);
    for (int i = 1; i < LSIG_TICKETS_MAX; i++) {
        snprintf(user, sizeof(user), "user%d", i);
        memcpy(claims.sub, user, sizeof(user));
        assert_int_equal(lsig_ticket_make(&f->flow, &claims, lsig_span_of(NULL), ticket), LSIG_OK);
    }
    assert_int_equal(make(f, "bob", NULL, ticket), LSIG_BUSY);
    assert_int_equal(make(f, "user7", NULL, ticket), LSIG_BUSY);
    assert_int_equal(take(f, first, "r1"), LSIG_OK);
    assert_int_equal(make(f, "bob", NULL, ticket), LSIG_OK);
    assert_int_equal(make(f, "bob", NULL, ticket), LSIG_BUSY);
    fixture_pass(f, LSIG_TICKET_S * 1000);
    assert_int_equal(make(f, "bob", NULL, ticket), LSIG_OK);
    assert_int_equal(lsig_tickets_count(f->flow.tickets), 1);
    lsig_claims_clear(&claims);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_ticket_stands_for_its_token_once),
        TEST(what_is_no_ticket_is_refused),
        TEST(a_ticket_lives_for_30_seconds),
        TEST(a_ticket_never_outlives_its_token),
        TEST(a_ticket_for_a_room_is_good_there_only_and_used_up_anywhere),
        TEST(a_users_ninth_ticket_takes_the_place_of_his_oldest),
        TEST(at_the_bound_of_all_a_new_one_is_refused_until_the_oldest_have_ended),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
