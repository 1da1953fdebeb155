// sig.route: what may be declared, which route answers, what its function gets and may answer.
#include "script/request_copy.h"
#include "script/route.h"
#include "script/route_query.h"
#include "test_script_fixture.h"

#define NOTHING "function() end"
#define JSON_HEADER                                                                                \
    {                                                                                              \
        {"content-type", 12},                                                                      \
        {                                                                                          \
            "application/json", 16                                                                 \
        }                                                                                          \
    }

// The pattern that answers; NULL: none does.
static const char *found(struct fixture *f, const char *method, const char *path)
{
    struct lsig_route_match match;
    lsig_route_find(f->script, method, path, &match);
    return match.route != NULL ? match.route->pattern : NULL;
}

static struct lsig_script_request request_of(const char *method, const char *path)
{
    return (struct lsig_script_request){.method = method,
                                        .path = path,
                                        .address = "192.0.2.1",
                                        .origin = "",
                                        .room_id = "",
                                        .dialect = ""};
}

// Calls the route of the request, as flow/route_request.c does.
static enum lsig_status call_route(struct fixture *f, struct lsig_script_request *request)
{
    struct lsig_route_match match;
    lsig_route_find(f->script, request->method, request->path, &match);
    assert_non_null(match.route);
    request->param_count = match.param_count;
    memcpy(request->params, match.params, sizeof(match.params));
    struct lsig_hook_event event = {.kind = LSIG_HOOK_ROUTE,
                                    .room = match.room.data != NULL ? f->room : NULL,
                                    .request = request,
                                    .only = match.route->hook};
    return fixture_call(f, &event, NULL, NULL);
}

// `GET /x` with that function is called.
static enum lsig_status answer(struct fixture *f, const char *body)
{
    struct lsig_buf text;
    struct lsig_script_request request = request_of("GET", "/x");
    lsig_buf_init(&text, 65536);
    lsig_buf_append_format(&text, "sig.route('GET /x', function(request, room) %s end)", body);
    fixture_use(f, text.data);
    lsig_buf_clear(&text);
    return call_route(f, &request);
}

static void assert_answers(struct fixture *f, const char *body, int status, const char *json)
{
    if (answer(f, body) != LSIG_OK) {
        fail_msg("%s: %s", body, f->refusal.message);
    }
    assert_int_equal(f->result.http_status, status);
    assert_string_equal(lsig_buf_span(&f->result.json).data, json);
}

// --- which route answers

static void a_parameter_matches_one_segment_of_1_to_128_bytes(void **state)
{
    struct fixture *f = *state;
    char path[256] = "/a/";
    fixture_use(f, "sig.route('GET /a/:id', " NOTHING ")");
    assert_non_null(found(f, "GET", "/a/x"));
    assert_non_null(found(f, "GET", "/a/\xc3\xa4 b"));
    assert_null(found(f, "GET", "/a/"));
    assert_null(found(f, "GET", "/a"));
    assert_null(found(f, "GET", "/a/x/"));
    assert_null(found(f, "GET", "/a/x/y"));
    assert_null(found(f, "GET", "/b/x"));
    assert_null(found(f, "GET", "/a/\xff"));
    assert_null(found(f, "GET", "/a/\x01"));
    memset(path + 3, 'x', 128);
    assert_non_null(found(f, "GET", path));
    path[131] = 'x';
    assert_null(found(f, "GET", path));
}

static void a_literal_segment_goes_before_a_parameter_from_the_left(void **state)
{
    struct fixture *f = *state;
    fixture_use(f,
                "for _, path in ipairs { '/:a/c', '/b/:y', '/b/c/d', '/b/:x/:y', '/:p/c/:y' } do "
                "sig.route('GET ' .. path, " NOTHING ") end");
    assert_string_equal(found(f, "GET", "/b/c"), "/b/:y");
    assert_string_equal(found(f, "GET", "/a/c"), "/:a/c");
    assert_string_equal(found(f, "GET", "/b/c/d"), "/b/c/d");
    assert_string_equal(found(f, "GET", "/b/c/e"), "/b/:x/:y");
    assert_string_equal(found(f, "GET", "/a/c/e"), "/:p/c/:y");
    assert_null(found(f, "GET", "/a/x/e"));
}

static void a_path_says_which_methods_it_has_and_get_answers_head(void **state)
{
    struct fixture *f = *state;
    struct lsig_route_match match;
    char allow[LSIG_ROUTE_ALLOW_SIZE];
    fixture_use(f, "for _, m in ipairs { 'GET', 'PUT', 'DELETE' } do "
                   "sig.route(m .. ' /a/:id', " NOTHING ") end "
                   "sig.route('POST /a/b', " NOTHING ")");
    assert_non_null(found(f, "HEAD", "/a/x"));
    assert_null(found(f, "POST", "/a/x"));
    assert_null(found(f, "get", "/a/x"));
    lsig_route_find(f->script, "PATCH", "/a/b", &match);
    assert_null(match.route);
    lsig_route_print_allow(match.allowed, allow);
    assert_string_equal(allow, "GET, HEAD, POST, PUT, DELETE");
    assert_string_equal(found(f, "GET", "/a/b"), "/a/:id");
    lsig_route_print_allow((1u << LSIG_ROUTE_METHOD_COUNT) - 1, allow);
    assert_string_equal(allow, "GET, HEAD, POST, PUT, PATCH, DELETE");
}

// --- what may be declared

static void two_routes_of_the_same_paths_are_an_error_that_names_both(void **state)
{
    struct fixture *f = *state;
    fixture_refuses(f,
                    "sig.route('GET /a/:x/b', " NOTHING ")\n"
                    "sig.route('POST /a/:x/b', " NOTHING ")\n"
                    "sig.route('GET /a/:other/b', " NOTHING ")",
                    "policy.lua:3: sig.route \"GET /a/:other/b\": GET /a/:x/b at policy.lua:1 "
                    "matches the same paths");
}

static void what_the_server_answers_itself_cannot_be_declared(void **state)
{
    struct fixture *f = *state;
    static const char *const own[] = {"/health",        "/metrics",         "/auth/x", "/auth",
                                      "/webrtc/config", "/webrtc/ws/:room", "/",       "/live",
                                      "/webrtc/ticket", "/webrtc/ws",       "/readyz"};
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "sig.route('POST %s', " NOTHING ")", own[i]);
        fixture_refuses(f, text, "is the server's own");
    }
    fixture_use(f, "sig.route('GET /webrtc/health', " NOTHING ") sig.route('GET /authors', " NOTHING
                   ") sig.route('GET /webrtc/wsx', " NOTHING ")");
}

static void a_declaration_that_means_nothing_is_an_error_at_load(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *declaration;
        const char *wanted;
    } cases[] = {
        {"'GET'", "write a method and a path"},
        {"'FETCH /a'", "write a method and a path"},
        {"'GET a'", "write a method and a path"},
        {"'GET  /a'", "write a method and a path"},
        {"'GET /a/'", "\"\": a segment is"},
        {"'GET //a'", "a segment is"},
        {"'GET /a/../b'", "\"..\": a segment is"},
        {"'GET /a b'", "a segment is"},
        {"'GET /a%2f'", "a segment is"},
        {"'GET /a/:'", "a segment is"},
        {"'GET /a/:x-y'", "a segment is"},
        {"'GET /:x/:x'", ":x is there twice"},
        {"'GET /' .. ('x/'):rep(16) .. 'x'", "at most 16 segments"},
        {"'GET /:a/:b/:c/:d/:e/:f/:g/:h/:i'", "8 of them parameters"},
        {"'GET /' .. ('x'):rep(200)", "at most 200 bytes"},
        {"'GET /a', { aut = true }", "did you mean 'auth'"},
        {"'GET /a', { auth = 'no' }", "auth is true, false or \"open\""},
        {"'GET /a', { roles = 'host' }", "roles need a token and a path with :room"},
        {"'GET /:room', { auth = false, roles = 'host' }", "roles need a token"},
        {"'GET /:room', { roles = 'hots' }", "did you mean 'host'"},
        {"'GET /a', { rate = '5/s' }", "write it per ip"},
        {"'GET /a', { rate = '5/s per room' }", "write it per ip"},
        {"'GET /a', { auth = 'open', rate = '5/s per user' }", "write it per ip"},
        {"'GET /a', { rate = 'often' }", "rate \"often\""},
        {"'GET /a', { max_body = 0 }", "max_body is 1 to"},
        {"'GET /a', { max_body = 1048577 }", "max_body is 1 to"},
        {"'GET /a', { body = sig.object {} }", "a GET has no body"},
        {"'POST /a', { body = {} }", "a schema"},
        {"'GET /a', { query = sig.object {} }", "query is a table"},
        {"'GET /a', { query = { x = sig.array } }", "a query has no other values"},
        {"'GET /a', { query = { sig.string } }", "name = schema"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text), "sig.route(%s, " NOTHING ")", cases[i].declaration);
        fixture_refuses(f, text, cases[i].wanted);
    }
    fixture_refuses(f, "sig.route('GET /a', {})", "a function is missing");
    fixture_refuses(f, "sig.route('GET /a', print)", "a function is missing");
    fixture_refuses(f, "for i = 1, 501 do sig.route('GET /a' .. i, " NOTHING ") end",
                    "more than 500 routes");
}

static void a_route_is_declared_while_files_load_only(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(answer(f, "sig.route('GET /y', function() end)"), LSIG_POLICY_ERROR);
    assert_null(found(f, "GET", "/y"));
}

static void a_route_whose_declaration_failed_does_not_answer(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "pcall(sig.route, 'GET /a', { max_body = -1 }, " NOTHING ")");
    assert_null(found(f, "GET", "/a"));
}

// --- what the function gets

static void the_request_has_params_query_body_claims_and_headers(void **state)
{
    struct fixture *f = *state;
    struct lsig_script_request request = request_of("POST", "/rooms/r1/x/b%");
    request.query = lsig_span_of("a=1&b=%C3%A4+c&a=2&=x&d");
    request.body = lsig_span_of(" {\"n\":[1,{\"m\":null}]} ");
    request.claims = "{\"sub\":\"ann\",\"plan\":\"pro\"}";
    request.headers[0] = (struct lsig_request_pair)JSON_HEADER;
    request.header_count = 1;
    fixture_use(
        f, "sig.route('POST /rooms/:room/x/:id', function(request, room) return 200, table.concat({"
           "request.method, request.path, request.params.room, request.params.id, room.id,"
           "request.query.a, request.query.b, request.query.d, tostring(request.query.x),"
           "request.body.n[1], request.claims.plan, request.user, request.ip,"
           "tostring(request.origin), tostring(request.room_id), tostring(request.dialect),"
           "request:header('Content-Type'), tostring(request:header('user-agent'))}, '|') end)");
    assert_int_equal(call_route(f, &request), LSIG_OK);
    assert_string_equal(f->result.json.data,
                        "POST|/rooms/r1/x/b%|r1|b%|r1|1|\xc3\xa4 c||nil|1|pro|ann|192.0.2.1|nil|nil"
                        "|nil|application/json|nil");
}

static void what_the_request_has_not_is_nil(void **state)
{
    struct fixture *f = *state;
    assert_answers(f,
                   "return 200, { tostring(request.body), tostring(request.claims),"
                   "tostring(request.user), tostring(room), next(request.params) == nil,"
                   "next(request.query) == nil }",
                   200, "[\"nil\",\"nil\",\"nil\",\"nil\",true,true]");
}

static void a_body_that_is_no_json_is_a_text(void **state)
{
    struct fixture *f = *state;
    struct lsig_script_request request = request_of("PUT", "/x");
    request.body = lsig_span_of("a=1");
    request.headers[0] = (struct lsig_request_pair){{"content-type", 12}, {"text/plain", 10}};
    request.header_count = 1;
    fixture_use(f, "sig.route('PUT /x', function(request) return 201, request.body end)");
    assert_int_equal(call_route(f, &request), LSIG_OK);
    assert_string_equal(f->result.json.data, "a=1");
}

static void a_header_that_may_be_a_secret_and_an_unknown_field_are_errors(void **state)
{
    struct fixture *f = *state;
    assert_answers(f,
                   "local ok, said = pcall(request.header, request, 'Authorization') "
                   "local known, why = pcall(function() return request.boody end) "
                   "local set, cannot = pcall(function() request.body = 1 end) "
                   "return 200, { ok, said:find('policies see', 1, true) ~= nil, known,"
                   "why:find(\"did you mean 'body'\", 1, true) ~= nil, set }",
                   200, "[false,true,false,true,false]");
}

static void a_request_is_gone_with_its_hook(void **state)
{
    struct fixture *f = *state;
    struct lsig_script_request request = request_of("GET", "/x");
    fixture_use(f,
                "local kept = {} sig.route('GET /x', function(request) if kept[1] then return 200, "
                "select(2, pcall(function() return kept[1].path end)) end kept[1] = request end)");
    assert_int_equal(call_route(f, &request), LSIG_OK);
    assert_int_equal(f->result.http_status, 204);
    assert_int_equal(call_route(f, &request), LSIG_OK);
    assert_non_null(strstr(f->result.json.data, "request used after its hook returned"));
}

static void a_client_that_goes_takes_its_request_from_the_hook_that_waits(void **state)
{
    struct fixture *f = *state;
    struct lsig_script_request request = request_of("GET", "/x");
    fixture_use(f,
                "sig.type 'talk' {} sig.route('GET /x', function(request) sig.sleep '1ms' "
                "local ok, why = pcall(function() return request.path end) "
                "if ok or not why:find('the request is gone', 1, true) then error('no') end end)");
    assert_int_equal(call_route(f, &request), LSIG_WAITING);
    lsig_script_drop(f->run);
    int64_t until_ms = lsig_clock_now().mono_ms + DEADLINE_MS;
    while (f->metrics.hooks_waiting > 0 && lsig_clock_now().mono_ms < until_ms) {
        lsig_script_tick(f->script, lsig_clock_now().mono_ms);
    }
    assert_int_equal(f->metrics.hooks_waiting, 0);
    assert_int_equal(f->metrics.hook_errors, 0);
}

// --- what it may answer

static void an_answer_is_status_body_and_headers(void **state)
{
    struct fixture *f = *state;
    assert_answers(f, "return 200, { a = 1 }", 200, "{\"a\":1}");
    assert_answers(f, "return 404, { detail = 'no' }", 404, "{\"detail\":\"no\"}");
    assert_answers(f, "return 200, { 1, 2 }", 200, "[1,2]");
    assert_answers(f, "return 200, true", 200, "true");
    assert_answers(f, "return 202", 202, "");
    assert_answers(f, "", 204, "");
    assert_answers(f, "return nil", 204, "");
    assert_answers(f, "return sig.accept()", 0, "");
    assert_answers(f, "return 200, {}, { ['x-a'] = 'b', ['retry-after'] = 3 }", 200, "{}");
    assert_non_null(strstr(f->result.headers.data, "x-a: b\r\n"));
    assert_non_null(strstr(f->result.headers.data, "retry-after: 3\r\n"));
}

static void a_text_is_plain_text_unless_the_headers_say_otherwise(void **state)
{
    struct fixture *f = *state;
    assert_answers(f, "return 200, 'hello'", 200, "hello");
    assert_string_equal(f->result.headers.data, "content-type: text/plain; charset=utf-8\r\n");
    assert_answers(f, "return 200, 'a,b', { ['content-type'] = 'text/csv' }", 200, "a,b");
    assert_string_equal(f->result.headers.data, "content-type: text/csv\r\n");
}

static void an_answer_that_http_does_not_allow_is_an_error(void **state)
{
    struct fixture *f = *state;
    static const char *const bodies[] = {
        "return 100, {}",
        "return 199, {}",
        "return 600, {}",
        "return 200.5, {}",
        "return '200', {}",
        "return {}",
        "return nil, {}",
        "return 204, {}",
        "return 304, 'x'",
        "return 200, print",
        "return 200, { f = print }",
        "return 200, ('x'):rep(1024 * 1024 - 1) .. 'xx'",
        "return 200, {}, 'x'",
        "return 200, {}, { 'x' }",
        "return 200, {}, { ['X-Big'] = 'x' }",
        "return 200, {}, { ['a b'] = 'x' }",
        "return 200, {}, { [''] = 'x' }",
        "return 200, {}, { a = 'b\\r\\nc: d' }",
        "return 200, {}, { a = 'b\\0' }",
        "return 200, {}, { a = '\\195\\164' }",
        "return 200, {}, { a = {} }",
        "return 200, {}, { ['content-length'] = '1' }",
        "return 200, {}, { ['transfer-encoding'] = 'chunked' }",
        "return 200, {}, { ['access-control-allow-origin'] = '*' }",
        "return 200, {}, { ['set-cookie'] = 'a=b' }",
        "return 200, {}, { a = ('x'):rep(2048) }",
        "local h = {} for i = 1, 17 do h['h' .. i] = 'x' end return 200, {}, h",
        "sig.deny('NO')",
        "sig.deny('NO') return 200, {}",
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        if (answer(f, bodies[i]) != LSIG_POLICY_ERROR) {
            fail_msg("%s: passed with %d", bodies[i], f->result.http_status);
        }
        assert_string_equal(f->refusal.code, "POLICY_ERROR");
    }
}

static void a_route_refuses_like_other_hooks(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(answer(f, "return sig.deny('LOCKED', 'not now')"), LSIG_POLICY_DENIED);
    assert_string_equal(f->refusal.code, "LOCKED");
    assert_string_equal(f->refusal.message, "not now");
    assert_int_equal(answer(f, "error('x')"), LSIG_POLICY_ERROR);
    assert_non_null(strstr(f->refusal.details, "\"version\":"));
}

// --- the query

static void assert_query(const struct lsig_schema *declared, const char *query, const char *json)
{
    struct lsig_buf out;
    lsig_buf_init(&out, 4096);
    lsig_route_query_print(declared, lsig_span_of(query), &out);
    assert_string_equal(out.data, json);
    lsig_buf_clear(&out);
}

static void a_query_without_a_declaration_is_texts(void **state)
{
    (void)state;
    assert_query(NULL, "", "{}");
    assert_query(NULL, "a=1&b", "{\"a\":\"1\",\"b\":\"\"}");
    assert_query(NULL, "a=%3D%26&a=2&&=3", "{\"a\":\"=&\"}");
    assert_query(NULL, "a=%zz%4", "{\"a\":\"%zz%4\"}");
    assert_query(NULL, "a=%00&b=x", "{\"b\":\"x\"}");
    assert_query(NULL, "a=%FF&%22=\"", "{\"a\":\"\xef\xbf\xbd\",\"\\\"\":\"\\\"\"}");
}

static void a_declared_query_has_the_declared_names_and_types(void **state)
{
    (void)state;
    struct lsig_schema *declared = lsig_schema_new(LSIG_JSON_OBJECT);
    struct lsig_schema *limit = lsig_schema_new(LSIG_JSON_NUMBER);
    limit->integer = true;
    lsig_schema_add_field(declared, lsig_span_of("limit"), limit);
    lsig_schema_add_field(declared, lsig_span_of("raised"), lsig_schema_new(LSIG_JSON_BOOLEAN));
    lsig_schema_add_field(declared, lsig_span_of("name"), lsig_schema_new(LSIG_JSON_STRING));
    assert_query(declared, "limit=5&raised=TRUE&name=7&other=1",
                 "{\"limit\":5,\"raised\":true,\"name\":\"7\"}");
    assert_query(declared, "raised=off&limit=-1.5e3", "{\"limit\":-1.5e3,\"raised\":false}");
    assert_query(declared, "raised=2&limit=0x10", "{\"limit\":\"0x10\",\"raised\":\"2\"}");
    assert_query(declared, "limit=5%20&limit=6", "{\"limit\":\"5 \"}");
    assert_query(declared, "limit=", "{\"limit\":\"\"}");
    lsig_schema_free(declared);
}

// --- copies

static void a_copy_of_a_request_has_its_own_texts(void **state)
{
    (void)state;
    char path[] = "/x/y";
    char value[] = "y";
    struct lsig_script_request request = request_of("GET", path);
    request.body = (struct lsig_span){"a\0b", 3};
    request.params[0] = (struct lsig_request_pair){{"id", 2}, {value, 1}};
    request.param_count = 1;
    struct lsig_script_request *copy = lsig_request_copy(&request);
    memset(path, '-', 4);
    value[0] = '-';
    assert_string_equal(copy->path, "/x/y");
    assert_null(copy->claims);
    assert_null(copy->query.data);
    assert_int_equal(copy->body.len, 3);
    assert_memory_equal(copy->body.data, "a\0b", 3);
    assert_true(lsig_span_is(copy->params[0].value, "y"));
    lsig_request_free(copy);
    lsig_request_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_parameter_matches_one_segment_of_1_to_128_bytes),
        FIXTURE_TEST(a_literal_segment_goes_before_a_parameter_from_the_left),
        FIXTURE_TEST(a_path_says_which_methods_it_has_and_get_answers_head),
        FIXTURE_TEST(two_routes_of_the_same_paths_are_an_error_that_names_both),
        FIXTURE_TEST(what_the_server_answers_itself_cannot_be_declared),
        FIXTURE_TEST(a_declaration_that_means_nothing_is_an_error_at_load),
        FIXTURE_TEST(a_route_is_declared_while_files_load_only),
        FIXTURE_TEST(a_route_whose_declaration_failed_does_not_answer),
        FIXTURE_TEST(the_request_has_params_query_body_claims_and_headers),
        FIXTURE_TEST(what_the_request_has_not_is_nil),
        FIXTURE_TEST(a_body_that_is_no_json_is_a_text),
        FIXTURE_TEST(a_header_that_may_be_a_secret_and_an_unknown_field_are_errors),
        FIXTURE_TEST(a_request_is_gone_with_its_hook),
        FIXTURE_TEST(a_client_that_goes_takes_its_request_from_the_hook_that_waits),
        FIXTURE_TEST(an_answer_is_status_body_and_headers),
        FIXTURE_TEST(a_text_is_plain_text_unless_the_headers_say_otherwise),
        FIXTURE_TEST(an_answer_that_http_does_not_allow_is_an_error),
        FIXTURE_TEST(a_route_refuses_like_other_hooks),
        cmocka_unit_test(a_query_without_a_declaration_is_texts),
        cmocka_unit_test(a_declared_query_has_the_declared_names_and_types),
        cmocka_unit_test(a_copy_of_a_request_has_its_own_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
