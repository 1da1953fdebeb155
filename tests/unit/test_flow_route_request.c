// The line that a request to a policy walks: who may ask, what is asked before the hook, what is
// answered, and who waits.
#include "flow/route_request.h"
#include "test_flow_fixture.h"

#define ROUTES                                                                                     \
    "sig.route('GET /rooms/:room', function(request, room) "                                       \
    "return 200, { room.id, room.count, request.user } end) "                                      \
    "sig.route('GET /rooms/:room/staff', { roles = { 'host', 'moderator' } }, function() end) "    \
    "sig.route('GET /slow', { auth = false }, function(request) sig.sleep '1s' "                   \
    "return 200, request.path end) "                                                               \
    "sig.route('GET /rated', { auth = false, rate = '1/min burst 1 per ip' }, function() end) "

// What came of the latest request.
struct heard {
    int answers;
    int status;
    int64_t retry_after_s;
    char body[512];
    char allow[LSIG_ROUTE_ALLOW_SIZE];
};

static void on_answer(void *arg, const struct lsig_route_answer *answer)
{
    struct heard *heard = arg;
    heard->answers++;
    heard->status = answer->status;
    heard->retry_after_s = answer->retry_after_s;
    snprintf(heard->body, sizeof(heard->body), "%.*s", LSIG_SPAN_ARG(answer->body));
    snprintf(heard->allow, sizeof(heard->allow), "%s", answer->allow != NULL ? answer->allow : "");
}

static struct lsig_route_request *open_request(struct lsig_route_requests *requests,
                                               const char *method,
                                               const char *path,
                                               const char *token,
                                               struct heard *heard)
{
    struct lsig_script_request input = {.method = method,
                                        .path = path,
                                        .address = "192.0.2.1",
                                        .origin = "",
                                        .room_id = "",
                                        .dialect = ""};
    return lsig_route_request_open(requests, &input, lsig_span_of(token), on_answer, heard);
}

// A request that is answered at once.
static int ask(struct lsig_route_requests *requests,
               const char *method,
               const char *path,
               const char *token,
               struct heard *heard)
{
    int before = heard->answers;
    assert_null(open_request(requests, method, path, token, heard));
    assert_int_equal(heard->answers, before + 1);
    return heard->status;
}

static void without_accounts_a_token_is_judged_by_what_memory_knows(void **state)
{
    struct fixture *f = *state;
    struct heard heard = {0};
    fixture_use(f, ROUTES);
    struct lsig_route_requests *requests = lsig_route_requests_new(&f->flow, NULL);
    char *token = fixture_token(f, "ann", LIFE_S);
    assert_int_equal(ask(requests, "GET", "/rooms/r1", NULL, &heard), 401);
    assert_string_equal(heard.body, "{\"detail\":\"Not authenticated\"}");
    assert_int_equal(ask(requests, "GET", "/rooms/r1", "a.b.c", &heard), 401);
    assert_string_equal(heard.body, "{\"detail\":\"Could not validate credentials\"}");
    assert_int_equal(ask(requests, "GET", "/rooms/r1", token, &heard), 200);
    assert_string_equal(heard.body, "[\"r1\",0,\"ann\"]");
    fixture_pass(f, (LIFE_S + 60) * INT64_C(1000));
    assert_int_equal(ask(requests, "GET", "/rooms/r1", token, &heard), 401);
    free(token);
    lsig_route_requests_free(requests);
}

static void an_unknown_path_is_404_and_an_unknown_method_405(void **state)
{
    struct fixture *f = *state;
    struct heard heard = {0};
    fixture_use(f, ROUTES);
    struct lsig_route_requests *requests = lsig_route_requests_new(&f->flow, NULL);
    assert_int_equal(ask(requests, "GET", "/rooms", NULL, &heard), 404);
    assert_int_equal(ask(requests, "POST", "/slow", NULL, &heard), 405);
    assert_string_equal(heard.allow, "GET, HEAD");
    lsig_route_requests_free(requests);
}

static void a_route_that_asks_for_a_room_leaves_none_behind(void **state)
{
    struct fixture *f = *state;
    struct heard heard = {0};
    fixture_use(f, ROUTES);
    struct lsig_route_requests *requests = lsig_route_requests_new(&f->flow, NULL);
    char *token = fixture_token(f, "ann", LIFE_S);
    assert_int_equal(ask(requests, "GET", "/rooms/empty", token, &heard), 200);
    assert_null(lsig_hub_find(f->flow.hub, lsig_span_of("empty")));
    assert_int_equal(ask(requests, "GET", "/rooms/empty/staff", token, &heard), 403);
    assert_null(lsig_hub_find(f->flow.hub, lsig_span_of("empty")));
    free(token);
    lsig_route_requests_free(requests);
}

static void who_left_counts_by_the_role_with_which_he_would_return(void **state)
{
    struct fixture *f = *state;
    struct heard heard = {0};
    fixture_use(f, "sig.route('GET /rooms/:room/host', { roles = 'host' }, function() end) "
                   "sig.route('GET /rooms/:room/mod', { roles = 'moderator' }, function() end)");
    struct lsig_route_requests *requests = lsig_route_requests_new(&f->flow, NULL);
    char *ann_token = fixture_token(f, "ann", LIFE_S);
    char *bob_token = fixture_token(f, "bob", LIFE_S);
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    assert_int_equal(ask(requests, "GET", "/rooms/r1/host", ann_token, &heard), 204);
    assert_int_equal(ask(requests, "GET", "/rooms/r1/host", bob_token, &heard), 403);
    assert_string_equal(
        heard.body, "{\"detail\":\"This role may not do that\",\"code\":\"PERMISSION_DENIED\"}");
    fixture_leave(ann, "bye");
    assert_int_equal(ask(requests, "GET", "/rooms/r1/host", bob_token, &heard), 204);
    assert_int_equal(ask(requests, "GET", "/rooms/r1/host", ann_token, &heard), 403);
    assert_int_equal(ask(requests, "GET", "/rooms/r1/mod", ann_token, &heard), 204);
    fixture_leave(bob, "bye");
    assert_int_equal(ask(requests, "GET", "/rooms/r1/host", ann_token, &heard), 204); // nobody is
    assert_int_equal(ask(requests, "GET", "/rooms/r2/host", ann_token, &heard), 403);
    free(ann_token);
    free(bob_token);
    lsig_route_requests_free(requests);
}

static void a_rate_is_kept_over_a_reload_and_says_when_to_come_back(void **state)
{
    struct fixture *f = *state;
    struct heard heard = {0};
    fixture_use(f, ROUTES);
    struct lsig_route_requests *requests = lsig_route_requests_new(&f->flow, NULL);
    assert_int_equal(ask(requests, "GET", "/rated", NULL, &heard), 204);
    fixture_use(f, ROUTES);
    assert_int_equal(ask(requests, "GET", "/rated", NULL, &heard), 429);
    assert_int_equal(heard.retry_after_s, 60);
    fixture_pass(f, 60000);
    assert_int_equal(ask(requests, "GET", "/rated", NULL, &heard), 204);
    lsig_route_requests_free(requests);
}

static void requests_that_wait_have_a_bound_and_one_that_goes_makes_room(void **state)
{
    struct fixture *f = *state;
    static struct heard heard[LSIG_ROUTE_REQUESTS_WAITING_MAX + 1];
    struct lsig_route_request *waiting[LSIG_ROUTE_REQUESTS_WAITING_MAX];
    memset(heard, 0, sizeof(heard));
    fixture_use(f, ROUTES);
    struct lsig_route_requests *requests = lsig_route_requests_new(&f->flow, NULL);
    for (int i = 0; i < LSIG_ROUTE_REQUESTS_WAITING_MAX; i++) {
        waiting[i] = open_request(requests, "GET", "/slow", NULL, &heard[i]);
        assert_non_null(waiting[i]);
    }
    assert_int_equal(lsig_route_requests_waiting(requests), LSIG_ROUTE_REQUESTS_WAITING_MAX);
    struct heard *late = &heard[LSIG_ROUTE_REQUESTS_WAITING_MAX];
    assert_int_equal(ask(requests, "GET", "/slow", NULL, late), 503);
    assert_int_equal(late->retry_after_s, 1);
    lsig_route_request_abandon(waiting[0]);
    struct lsig_route_request *next = open_request(requests, "GET", "/slow", NULL, late);
    assert_non_null(next);
    fixture_settle(f);
    assert_int_equal(lsig_route_requests_waiting(requests), 0);
    assert_int_equal(heard[0].answers, 0); // it has gone
    assert_int_equal(heard[1].status, 200);
    assert_string_equal(heard[1].body, "/slow");
    assert_int_equal(late->status, 200);
    assert_int_equal(f->metrics.hook_errors, 1); // of the one whose request has gone
    lsig_route_requests_free(requests);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(without_accounts_a_token_is_judged_by_what_memory_knows),
        FLOW_TEST(an_unknown_path_is_404_and_an_unknown_method_405),
        FLOW_TEST(a_route_that_asks_for_a_room_leaves_none_behind),
        FLOW_TEST(who_left_counts_by_the_role_with_which_he_would_return),
        FLOW_TEST(a_rate_is_kept_over_a_reload_and_says_when_to_come_back),
        FLOW_TEST(requests_that_wait_have_a_bound_and_one_that_goes_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
