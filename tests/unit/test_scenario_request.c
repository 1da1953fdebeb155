// HTTP requests of a test: the routes of policies, with what the server checks before them.
#include "test_scenario_fixture.h"

static const char routes[] =
    "sig.route('GET /webrtc/rooms/:room/queue', { auth = true }, function(request, room) "
    "return 200, { who = request.user, room = room.id, ip = request.ip, agent = "
    "request:header 'user-agent' }, { ['x-queue'] = 'yes' } end) "
    "sig.route('POST /echo/:word', { auth = false, rate = '2/min burst 2 per ip', "
    "body = sig.object { n = sig.integer() } }, function(request) "
    "return 201, { n = request.body.n + 1, word = request.params.word, q = request.query.q } end) "
    "sig.route('GET /host/:room', { roles = { 'host' } }, function() return 204 end) "
    "sig.route('GET /slow', { auth = false }, function() sig.sleep('1s') return 200, "
    "tostring(sig.now()) end) "
    "sig.route('GET /never', { auth = false }, function() sig.sleep('1h') end) "
    "sig.route('POST /text', { auth = false }, function(request) return 200, 'got ' .. "
    "tostring(request.body) end) "
    "sig.route('GET /denied', { auth = false }, function() return sig.deny('NO', 'not you') end) "
    "sig.route('GET /broken', { auth = false }, function() error('route broke') end) "
    "sig.route('GET /tells/:room', { auth = false }, function(request, room) "
    "room:send('say', { from = 'http' }) return 204 end) ";

static void passes(void **state, const char *body)
{
    fixture_passes_test(*state, routes, body);
}

static void fails(void **state, const char *body, const char *wanted)
{
    struct lsig_buf text;
    lsig_buf_init(&text, 1024 * 1024);
    lsig_buf_append_format(&text, "%s sig.test('it', function(t) %s end)", routes, body);
    fixture_fails(*state, text.data, wanted);
    lsig_buf_clear(&text);
}

static void a_client_asks_with_its_own_token(void **state)
{
    passes(state, "local ann = t:client { user = 'ann', address = '198.51.100.7' } "
                  "local answer = ann:requests 'GET /webrtc/rooms/r1/queue' "
                  "assert(answer.status == 200 and answer.body.who == 'ann') "
                  "assert(answer.body.room == 'r1' and answer.body.ip == '198.51.100.7') "
                  "assert(answer.headers['x-queue'] == 'yes') "
                  "assert(answer.headers['content-type'] == 'application/json')");
}

static void a_route_that_wants_a_token_refuses_without_a_good_one(void **state)
{
    passes(state,
           "local path = '/webrtc/rooms/r1/queue' "
           "local answer = t:request { path = path } "
           "assert(answer.status == 401 and answer.body.detail == 'Not authenticated') "
           "assert(answer.headers['www-authenticate'] == 'Bearer') "
           "local function ask(token) return t:request { path = path, token = token }.status end "
           "assert(ask(t:token { user = 'eve' }) == 200) "
           "assert(ask(t:token { user = 'eve', expires = '-1h' }) == 401) "
           "assert(ask(t:token { user = 'eve', key = 'other' }) == 401) "
           "assert(ask 'nonsense' == 401) "
           "local late = t:token { user = 'eve', expires = '1min' } assert(ask(late) == 200) "
           "t:advance '2min' assert(ask(late) == 401)");
}

static void bodies_and_queries_are_checked_as_the_route_declares_them(void **state)
{
    passes(state, "local answer = t:request('POST /echo/a%20b?q=1%2B1', { n = 2 }) "
                  "assert(answer.status == 201 and answer.body.n == 3) "
                  "assert(answer.body.word == 'a b' and answer.body.q == '1+1') "
                  "assert(t:request('POST /echo/x', { n = 'two' }).status == 422) "
                  "answer = t:request('POST /echo/x', { n = 1 }) " // the rate counts all
                  "assert(answer.status == 429 and answer.body.code == 'RATE_LIMIT_EXCEEDED') "
                  "assert(answer.headers['retry-after'] == '30') "
                  "assert(t:request('POST /echo/x', { n = 1 }, { address = '192.0.2.9' }).status "
                  "== 201) "
                  "t:advance '30s' assert(t:request('POST /echo/x', { n = 1 }).status == 201)");
}

static void a_text_goes_out_as_it_is(void **state)
{
    passes(state, "local answer = t:request('POST /text', 'plain', "
                  "{ headers = { ['Content-Type'] = 'text/plain' } }) "
                  "assert(answer.status == 200 and answer.body == 'got plain') "
                  "assert(answer.headers['content-type']:find 'text/plain') "
                  "assert(t:request('POST /text', '{broken').status == 422)");
}

static void roles_are_those_of_the_room(void **state)
{
    passes(state, "local ann, bob = t:client 'ann', t:client 'bob' ann:joins 'r1' bob:joins 'r1' "
                  "assert(ann:requests('GET /host/r1').status == 204) "
                  "local answer = bob:requests('GET /host/r1') "
                  "assert(answer.status == 403 and answer.body.code == 'PERMISSION_DENIED') "
                  "assert(ann:requests('GET /host/r%20x').status == 400)");
}

static void time_passes_while_a_route_waits(void **state)
{
    passes(state, "local before = os.time() local answer = t:request '/slow' "
                  "assert(answer.status == 200 and os.time() == before + 1)");
    fails(state, "t:request '/never'", "a hook may wait 2000 ms in all");
}

static void what_a_route_sends_is_heard(void **state)
{
    passes(state, "local ann = t:client 'ann' ann:joins 'r1' "
                  "local answer = t:request 'GET /tells/r1' "
                  "assert(answer.status == 204 and answer.body == nil) "
                  "ann:receives('say', { from = 'http' })");
}

static void refusals_and_failures_of_routes_are_answers(void **state)
{
    passes(state, "local answer = t:request '/denied' "
                  "assert(answer.status == 403 and answer.body.code == 'NO') "
                  "t:expects_error 'route broke' answer = t:request '/broken' "
                  "assert(answer.status == 500 and answer.body.code == 'POLICY_ERROR') "
                  "assert(t:request('/nowhere').status == 404) "
                  "answer = t:request('DELETE /slow') "
                  "assert(answer.status == 405 and answer.headers.allow == 'GET, HEAD') "
                  "answer = t:request('HEAD /denied') "
                  "assert(answer.status == 403 and answer.body == nil)");
}

static void the_servers_own_simple_answers_are_there(void **state)
{
    passes(state, "assert(t:request('/health').body.status == 'healthy') "
                  "assert(t:request('/live').body.status == 'alive') "
                  "assert(t:request('POST /health').status == 405) "
                  "assert(t:request('/webrtc/config').status == 401) "
                  "local ann = t:client 'ann' "
                  "local answer = ann:requests '/webrtc/config' "
                  "assert(answer.status == 200 and type(answer.body.ice_servers) == 'table') "
                  "t:expects_metric('lunasig_http_requests_total', 5)");
}

static void what_cannot_be_asked_says_so(void **state)
{
    fails(state, "t:request('POST /auth/login', {})", "`lunasig test --real URL` asks a server");
    fails(state, "t:request '/metrics'", "t:metric reads what /metrics says");
    fails(state, "t:request 'FETCH /x'", "the method is GET, HEAD, POST");
    fails(state, "t:request()", "write a method and a path");
    fails(state, "t:request { pth = '/x' }", "there is no 'pth'; did you mean 'path'?");
    fails(state, "t:request('/x', nil, { headers = 'a' })", "headers are a table");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(a_client_asks_with_its_own_token),
        SCENARIO_TEST(a_route_that_wants_a_token_refuses_without_a_good_one),
        SCENARIO_TEST(bodies_and_queries_are_checked_as_the_route_declares_them),
        SCENARIO_TEST(a_text_goes_out_as_it_is),
        SCENARIO_TEST(roles_are_those_of_the_room),
        SCENARIO_TEST(time_passes_while_a_route_waits),
        SCENARIO_TEST(what_a_route_sends_is_heard),
        SCENARIO_TEST(refusals_and_failures_of_routes_are_answers),
        SCENARIO_TEST(the_servers_own_simple_answers_are_there),
        SCENARIO_TEST(what_cannot_be_asked_says_so),
    };
    return cmocka_run_group_tests_name("scenario/request", tests, NULL, NULL);
}
