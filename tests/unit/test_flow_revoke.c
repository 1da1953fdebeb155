#include "test_flow_fixture.h"

#include "flow/revoke.h"
#include "flow/ticket.h"

enum { KEPT_MAX = 8192 };

// A database that notes what it is given, and answers when the test says so.
static struct {
    bool refuses; // at once
    struct lsig_account_call calls[KEPT_MAX];
    struct lsig_revocation kept[KEPT_MAX];
    size_t count;
    size_t answered;
    struct lsig_revocation at_start[4];
    size_t at_start_count;
    enum lsig_status load_status;
} database;

static enum lsig_status save_revocation(void *self,
                                        const struct lsig_revocation *revocation,
                                        int64_t now,
                                        struct lsig_account_call call)
{
    assert_ptr_equal(self, &database);
    assert_true(now > 0);
    if (database.refuses) {
        return LSIG_BUSY;
    }
    assert_true(database.count < KEPT_MAX);
    database.kept[database.count] = *revocation;
    database.calls[database.count++] = call;
    return LSIG_OK;
}

static enum lsig_status
load_revocations(void *self,
                 int64_t now,
                 void (*on_revocation)(void *arg, const struct lsig_revocation *revocation),
                 void *arg)
{
    (void)self;
    (void)now;
    for (size_t i = 0; i < database.at_start_count; i++) {
        on_revocation(arg, &database.at_start[i]);
    }
    return database.load_status;
}

static void database_answers(enum lsig_status status)
{
    while (database.answered < database.count) {
        struct lsig_account_call call = database.calls[database.answered++];
        call.on_done(call.arg, status, NULL);
    }
}

static const struct lsig_account_store store = {
    .self = &database, .save_revocation = save_revocation, .load_revocations = load_revocations};

static int set_up(void **state)
{
    int result = fixture_setup(state);
    struct fixture *f = *state;
    memset(&database, 0, sizeof(database));
    assert_int_equal(lsig_revoke_new(&f->flow.revoke, store, 30), LSIG_OK);
    f->flow.tickets = lsig_tickets_new();
    return result;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    database_answers(LSIG_OK);
    struct lsig_revoke *revoke = f->flow.revoke;
    lsig_tickets_free(f->flow.tickets);
    int result = fixture_teardown(state);
    lsig_revoke_free(revoke);
    return result;
}

static enum lsig_status check(struct fixture *f, const char *token, struct lsig_claims *out)
{
    struct lsig_claims claims;
    struct lsig_refusal refusal;
    enum lsig_status status =
        lsig_door_check_token(&f->flow, lsig_span_of(token), &claims, &refusal);
    if (status != LSIG_OK) {
        assert_int_equal(refusal.close_code, 4401);
        return status;
    }
    if (out != NULL) {
        *out = claims; // without its text
        out->json = NULL;
    }
    lsig_claims_clear(&claims);
    return LSIG_OK;
}

// A client in a room that came with this token.
static struct peer *join_with(struct fixture *f, const char *room, const char *user, uint64_t key)
{
    struct peer *peer = fixture_join_room(f, room, user, LSIG_V1);
    peer->client.token_key = key;
    peer->client.token_iat = f->now.wall_ms / 1000;
    return peer;
}

static void a_revoked_token_is_no_good_up_to_its_end_and_the_leeway(void **state)
{
    struct fixture *f = *state;
    char *token = fixture_token(f, "ann", 60);
    char *other = fixture_token(f, "ann", 60);
    struct lsig_claims claims;
    assert_int_equal(check(f, token, &claims), LSIG_OK);
    assert_int_equal(lsig_revoke_token(&f->flow, lsig_span_of(claims.jti), claims.exp, NULL),
                     LSIG_OK);
    assert_int_equal(check(f, token, NULL), LSIG_TOKEN_INVALID);
    assert_int_equal(check(f, other, NULL), LSIG_OK);
    assert_int_equal(database.kept[0].kind, LSIG_REVOKED_TOKEN);
    assert_int_equal(database.kept[0].key, lsig_token_key(&claims));
    assert_true(database.kept[0].at >= claims.exp + 30);
    fixture_pass(f, 90 * 1000 - 1);
    // Something else is revoked meanwhile, which forgets what has ended.
    assert_int_equal(lsig_revoke_token(&f->flow, lsig_span_of("x"), claims.exp + 999, NULL),
                     LSIG_OK);
    assert_int_equal(check(f, token, NULL), LSIG_TOKEN_INVALID);
    fixture_pass(f, 1);
    assert_int_equal(check(f, token, NULL), LSIG_TOKEN_EXPIRED);
    free(token);
    free(other);
}

static void revoking_a_token_ends_the_sockets_that_came_with_it(void **state)
{
    struct fixture *f = *state;
    struct lsig_claims claims = {.jti = "the token"};
    uint64_t key = lsig_token_key(&claims);
    struct peer *ann = join_with(f, "r1", "ann", key);
    struct peer *again = join_with(f, "r2", "ann", key);
    struct peer *other = join_with(f, "r1", "ann", 7);
    struct peer *bob = join_with(f, "r1", "bob", 8);
    fixture_forget_all(f);
    size_t ended = 0;
    int64_t exp = f->now.wall_ms / 1000 + 100;
    assert_int_equal(lsig_revoke_token(&f->flow, lsig_span_of("the token"), exp, &ended), LSIG_OK);
    assert_int_equal(ended, 2);
    assert_heard(ann, "error(TOKEN_INVALID)");
    assert_int_equal(ann->close_code, 4401);
    assert_int_equal(again->close_code, 4401);
    assert_int_equal(other->close_code, 0);
    assert_int_equal(bob->close_code, 0);
    assert_int_equal(lsig_revoke_token(&f->flow, lsig_span_of("the token"), exp, &ended), LSIG_OK);
    assert_int_equal(ended, 0); // those that are closing count once
}

static void revoking_a_user_ends_all_that_he_has(void **state)
{
    struct fixture *f = *state;
    int64_t now_s = f->now.wall_ms / 1000;
    struct peer *one = join_with(f, "r1", "ann", 1);
    struct peer *two = join_with(f, "r2", "ann", 0);
    two->client.token_iat = 0;
    struct peer *young = join_with(f, "r3", "ann", 2);
    young->client.token_iat = now_s + 1; // of an issuer whose clock is ahead
    struct peer *bob = join_with(f, "r1", "bob", 3);
    char *token = fixture_token(f, "ann", 60);
    size_t ended = 0;
    assert_int_equal(lsig_revoke_user(&f->flow, lsig_span_of("ann"), &ended), LSIG_OK);
    assert_int_equal(ended, 2);
    assert_int_equal(one->close_code, 4401);
    assert_int_equal(two->close_code, 4401);
    assert_int_equal(young->close_code, 0);
    assert_int_equal(bob->close_code, 0);
    assert_int_equal(check(f, token, NULL), LSIG_TOKEN_INVALID);
    assert_int_equal(database.kept[0].kind, LSIG_REVOKED_USER);
    assert_string_equal(database.kept[0].user, "ann");
    assert_int_equal(database.kept[0].at, now_s);
    assert_int_equal(lsig_revoke_first_good(&f->flow, "ann", now_s), now_s + 1);
    assert_true(lsig_revoke_covers_time(&f->flow, "ann", now_s));
    assert_false(lsig_revoke_covers_time(&f->flow, "ann", now_s + 1));
    free(token);
}

static void revoking_by_time_ends_what_was_issued_before(void **state)
{
    struct fixture *f = *state;
    int64_t now_s = f->now.wall_ms / 1000;
    struct peer *ann = join_with(f, "r1", "ann", 1);
    struct peer *bob = join_with(f, "r1", "bob", 2);
    ann->client.token_iat = now_s - 11;
    bob->client.token_iat = now_s - 10;
    size_t ended = 0;
    assert_int_equal(lsig_revoke_before(&f->flow, now_s - 10, &ended), LSIG_OK);
    assert_int_equal(ended, 1);
    assert_int_equal(ann->close_code, 4401);
    assert_int_equal(bob->close_code, 0);
    assert_int_equal(database.kept[0].kind, LSIG_REVOKED_TIME);
    assert_int_equal(database.kept[0].at, now_s - 10);
}

static void arguments_out_of_bounds_do_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t now_s = f->now.wall_ms / 1000;
    char big[200];
    memset(big, 'a', sizeof(big));
    struct lsig_span bad[] = {{"", 0}, {big, 129}, {"a\0b", 3}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(lsig_revoke_token(&f->flow, bad[i], now_s + 1, NULL),
                         LSIG_INVALID_MESSAGE);
        assert_int_equal(lsig_revoke_user(&f->flow, bad[i], NULL), LSIG_INVALID_MESSAGE);
    }
    assert_int_equal(lsig_revoke_token(&f->flow, lsig_span_of("x"), -1, NULL),
                     LSIG_INVALID_MESSAGE);
    assert_int_equal(lsig_revoke_before(&f->flow, now_s + 1, NULL), LSIG_INVALID_MESSAGE);
    assert_int_equal(lsig_revoke_before(&f->flow, 0, NULL), LSIG_INVALID_MESSAGE);
    assert_int_equal(database.count, 0);
    assert_int_equal(lsig_revoke_token(&f->flow, lsig_span_of("x"), 0, NULL), LSIG_OK);
    assert_int_equal(database.kept[0].at, now_s + LSIG_REVOCATION_UNKNOWN_S);
}

static void what_the_database_does_not_take_is_in_force_and_given_to_it_again(void **state)
{
    struct fixture *f = *state;
    char *token = fixture_token(f, "ann", 60);
    assert_int_equal(lsig_revoke_user(&f->flow, lsig_span_of("ann"), NULL), LSIG_OK);
    database_answers(LSIG_INTERNAL_ERROR);
    database.refuses = true;
    assert_int_equal(lsig_revoke_user(&f->flow, lsig_span_of("bob"), NULL), LSIG_OK);
    assert_int_equal(check(f, token, NULL), LSIG_TOKEN_INVALID);
    fixture_tick(f, 1000);
    assert_int_equal(database.count, 1);
    database.refuses = false;
    fixture_tick(f, 1000);
    assert_int_equal(database.count, 3);
    assert_string_equal(database.kept[1].user, "ann");
    assert_string_equal(database.kept[2].user, "bob");
    database_answers(LSIG_OK);
    fixture_tick(f, 1000);
    assert_int_equal(database.count, 3);
    free(token);
}

static void when_much_is_unsaved_more_is_refused(void **state)
{
    struct fixture *f = *state;
    char user[32];
    database.refuses = true;
    for (int i = 0; i < LSIG_REVOKE_UNSAVED_MAX; i++) {
        snprintf(user, sizeof(user), "user%d", i);
        assert_int_equal(lsig_revoke_user(&f->flow, lsig_span_of(user), NULL), LSIG_OK);
    }
    assert_int_equal(lsig_revoke_user(&f->flow, lsig_span_of("ann"), NULL), LSIG_BUSY);
    char *token = fixture_token(f, "ann", 60);
    assert_int_equal(check(f, token, NULL), LSIG_OK);
    free(token);
    database.refuses = false;
    fixture_tick(f, 1000);
    database_answers(LSIG_OK);
    assert_int_equal(lsig_revoke_user(&f->flow, lsig_span_of("ann"), NULL), LSIG_OK);
}

static void what_the_database_has_is_in_force_from_the_start(void **state)
{
    struct fixture *f = *state;
    char *ann = fixture_token(f, "ann", 60);
    char *bob = fixture_token(f, "bob", 60);
    struct lsig_claims claims;
    assert_int_equal(check(f, ann, &claims), LSIG_OK);
    database.at_start[0] = (struct lsig_revocation){
        .kind = LSIG_REVOKED_TOKEN, .key = lsig_token_key(&claims), .at = claims.exp + 31};
    database.at_start[1] = (struct lsig_revocation){
        .kind = LSIG_REVOKED_USER, .user = "bob", .at = f->now.wall_ms / 1000};
    database.at_start_count = 2;
    lsig_revoke_free(f->flow.revoke);
    assert_int_equal(lsig_revoke_new(&f->flow.revoke, store, 30), LSIG_OK);
    assert_int_equal(check(f, ann, NULL), LSIG_TOKEN_INVALID);
    assert_int_equal(check(f, bob, NULL), LSIG_TOKEN_INVALID);
    struct lsig_revoke *none = f->flow.revoke;
    database.load_status = LSIG_INTERNAL_ERROR;
    assert_int_equal(lsig_revoke_new(&none, store, 30), LSIG_INTERNAL_ERROR);
    assert_null(none);
    free(ann);
    free(bob);
}

static void a_client_without_a_token_yet_is_met_when_it_brings_one(void **state)
{
    struct fixture *f = *state;
    char *token = fixture_token(f, "ann", 60);
    char frame[8192];
    struct peer *peer = fixture_connect(f, "r1");
    size_t ended = 0;
    assert_int_equal(lsig_revoke_user(&f->flow, lsig_span_of("ann"), &ended), LSIG_OK);
    assert_int_equal(ended, 0);
    assert_int_equal(peer->close_code, 0);
    snprintf(frame, sizeof(frame), "{\"type\":\"auth\",\"payload\":{\"token\":\"%s\"}}", token);
    fixture_frame(peer, frame);
    assert_heard(peer, "error(TOKEN_INVALID)");
    assert_int_equal(peer->close_code, 4401);
    free(token);
}

static void
a_client_whose_join_hook_waits_does_not_enter_with_a_token_that_was_revoked(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('join', function() sig.sleep(0.05) end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    assert_int_equal(ann->client.state, LSIG_CLIENT_JOINING);
    assert_false(lsig_revoke_covers_client(&ann->client));
    assert_int_equal(lsig_revoke_user(&f->flow, lsig_span_of("ann"), NULL), LSIG_OK);
    assert_true(lsig_revoke_covers_client(&ann->client));
    fixture_settle(f);
    assert_heard(ann, "error(TOKEN_INVALID)");
    assert_int_equal(ann->close_code, 4401);
    assert_null(lsig_room_member(ann->client.room, lsig_span_of("ann")));
}

static void a_ticket_of_a_revoked_token_is_dead(void **state)
{
    struct fixture *f = *state;
    char ticket[LSIG_TICKET_SIZE];
    char *token = fixture_token(f, "ann", 60);
    struct lsig_claims claims;
    struct lsig_refusal refusal;
    assert_int_equal(lsig_door_check_token(&f->flow, lsig_span_of(token), &claims, &refusal),
                     LSIG_OK);
    assert_int_equal(lsig_ticket_make(&f->flow, &claims, lsig_span_of(NULL), ticket), LSIG_OK);
    assert_int_equal(lsig_revoke_token(&f->flow, lsig_span_of(claims.jti), claims.exp, NULL),
                     LSIG_OK);
    lsig_claims_clear(&claims);
    assert_int_equal(
        lsig_ticket_take(&f->flow, lsig_span_of(ticket), lsig_span_of("r1"), &claims, &refusal),
        LSIG_TOKEN_INVALID);
    free(token);
}

static void what_the_store_revoked_with_a_family_is_in_force_without_being_saved_again(void **state)
{
    struct fixture *f = *state;
    int64_t end = f->now.wall_ms / 1000 + 100;
    struct peer *one = join_with(f, "r1", "ann", 11);
    struct peer *two = join_with(f, "r1", "ann", 12);
    struct peer *three = join_with(f, "r1", "ann", 13);
    struct lsig_access_mark marks[] = {{11, end}, {12, end}};
    assert_int_equal(lsig_revoke_on_stored(&f->flow, lsig_span_of("ann"), NULL, marks, 2), 2);
    assert_int_equal(one->close_code, 4401);
    assert_int_equal(two->close_code, 4401);
    assert_int_equal(three->close_code, 0);
    assert_int_equal(database.count, 0);
}

static void when_a_family_does_not_fit_its_user_is_revoked(void **state)
{
    struct fixture *f = *state;
    int64_t end = f->now.wall_ms / 1000 + 100;
    struct peer *ann = join_with(f, "r1", "ann", 1);
    struct peer *bob = join_with(f, "r1", "bob", 2);
    struct lsig_access_mark *marks = calloc(LSIG_REVOCATION_TOKENS_MAX, sizeof(*marks));
    for (size_t i = 0; i < LSIG_REVOCATION_TOKENS_MAX; i++) {
        marks[i] = (struct lsig_access_mark){i + 1000, end};
    }
    assert_true(lsig_revoke_has_room(f->flow.revoke, LSIG_REVOKED_TOKEN));
    assert_int_equal(lsig_revoke_on_stored(&f->flow, lsig_span_of("eve"), NULL, marks,
                                           LSIG_REVOCATION_TOKENS_MAX),
                     0);
    assert_false(lsig_revoke_has_room(f->flow.revoke, LSIG_REVOKED_TOKEN));
    struct lsig_access_mark one_more = {1, end};
    assert_int_equal(lsig_revoke_on_stored(&f->flow, lsig_span_of("ann"), NULL, &one_more, 1), 1);
    assert_int_equal(ann->close_code, 4401);
    assert_int_equal(bob->close_code, 0);
    assert_string_equal(database.kept[0].user, "ann");
    assert_int_equal(lsig_revoke_token(&f->flow, lsig_span_of("x"), end, NULL), LSIG_TOO_BIG);
    free(marks);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_revoked_token_is_no_good_up_to_its_end_and_the_leeway),
        TEST(revoking_a_token_ends_the_sockets_that_came_with_it),
        TEST(revoking_a_user_ends_all_that_he_has),
        TEST(revoking_by_time_ends_what_was_issued_before),
        TEST(arguments_out_of_bounds_do_nothing),
        TEST(what_the_database_does_not_take_is_in_force_and_given_to_it_again),
        TEST(when_much_is_unsaved_more_is_refused),
        TEST(what_the_database_has_is_in_force_from_the_start),
        TEST(a_client_without_a_token_yet_is_met_when_it_brings_one),
        TEST(a_client_whose_join_hook_waits_does_not_enter_with_a_token_that_was_revoked),
        TEST(a_ticket_of_a_revoked_token_is_dead),
        TEST(what_the_store_revoked_with_a_family_is_in_force_without_being_saved_again),
        TEST(when_a_family_does_not_fit_its_user_is_revoked),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
