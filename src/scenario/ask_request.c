// HTTP requests, as clients make them beside their WebSocket.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "codec/scan.h"
#include "flow/route_request.h"
#include "scenario/ask_core.h"
#include "scenario/ask_token.h"
#include "scenario/real.h"
#include "script/request_media.h"

enum {
    REQUEST_WAIT_MS = 120 * 1000, // virtual; hooks wait a minute each at most
    LINE_SIZE = 4096,
    METHOD_SIZE = 16,
    ADDRESS_SIZE = 64,
    HEADER_SIZE = LSIG_REQUEST_HEADER_MAX + 1,
    ANSWER_MAX = 4 * 1024 * 1024,
    SHOWN_MAX = 120,
};

// One request, and its answer.
struct exchange {
    struct lsig_asking *asking;
    struct lsig_node *node;   // that is asked
    struct lsig_span options; // JSON object; data NULL: none
    char method[METHOD_SIZE];
    char line[LINE_SIZE]; // path and query as they were written
    char path[LINE_SIZE]; // decoded
    const char *query;
    char address[ADDRESS_SIZE];
    char *token; // NULL: none
    struct lsig_buf body;
    char names[LSIG_REQUEST_HEADERS_MAX][HEADER_SIZE];
    char values[LSIG_REQUEST_HEADERS_MAX][HEADER_SIZE];
    struct lsig_script_request request;
    struct lsig_route_request *open;
    bool answered;
    int status;
    char type[HEADER_SIZE];
    struct lsig_buf answer;
    struct lsig_buf headers; // JSON object, open
};

// --- the request

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static void decode_path(const char *from, size_t len, char *out)
{
    size_t at = 0;
    for (size_t i = 0; i < len; i++) {
        int high = from[i] == '%' && i + 2 < len ? hex_value(from[i + 1]) : -1;
        int low = high >= 0 ? hex_value(from[i + 2]) : -1;
        if (low >= 0 && high * 16 + low != 0) {
            out[at++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[at++] = from[i];
        }
    }
    out[at] = '\0';
}

static bool read_method(struct exchange *exchange, const char *text)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcmp(methods[i], text) == 0) {
            snprintf(exchange->method, sizeof(exchange->method), "%s", text);
            return true;
        }
    }
    return lsig_ask_fail(exchange->asking,
                         "the method is GET, HEAD, POST, PUT, PATCH or DELETE, not '%.20s'", text);
}

// "POST /path?query"; without a method: GET.
static bool read_line(struct exchange *exchange, struct lsig_span value)
{
    char text[LINE_SIZE] = "";
    if (value.data != NULL) {
        lsig_match_text(value, text, sizeof(text));
    }
    char *path = text;
    char *space = strchr(text, ' ');
    if (space != NULL) {
        *space = '\0';
        path = space + 1;
        if (!read_method(exchange, text)) {
            return false;
        }
    }
    if (path[0] != '/') {
        return lsig_ask_fail(exchange->asking,
                             "write a method and a path: \"POST /webrtc/rooms/r1/poll\"");
    }
    snprintf(exchange->line, sizeof(exchange->line), "%s", path);
    size_t len = strcspn(exchange->line, "?");
    exchange->query = exchange->line + len + (exchange->line[len] == '?');
    decode_path(exchange->line, len, exchange->path);
    return true;
}

static void add_header(struct exchange *exchange, const char *name, const char *value)
{
    struct lsig_script_request *request = &exchange->request;
    size_t i = request->header_count;
    if (i == LSIG_REQUEST_HEADERS_MAX || !lsig_request_media_allows(lsig_span_of(name))) {
        return; // policies never see it
    }
    for (size_t at = 0; at <= strlen(name); at++) {
        bool capital = name[at] >= 'A' && name[at] <= 'Z';
        exchange->names[i][at] = (char)(capital ? name[at] + 32 : name[at]);
    }
    snprintf(exchange->values[i], HEADER_SIZE, "%s", value);
    request->headers[i].name = lsig_span_of(exchange->names[i]);
    request->headers[i].value = lsig_span_of(exchange->values[i]);
    request->header_count++;
}

static bool read_headers(struct exchange *exchange)
{
    struct lsig_span headers = exchange->options.data != NULL
                                   ? lsig_match_member(exchange->options, "headers")
                                   : (struct lsig_span){NULL, 0};
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    if (headers.data != NULL && lsig_scan_type(headers) != LSIG_JSON_OBJECT) {
        return lsig_ask_fail(exchange->asking,
                             "headers are a table: { [\"content-type\"] = \"text/plain\" }");
    }
    while (headers.data != NULL && lsig_scan_member(headers, &cursor, &key, &value)) {
        char name[HEADER_SIZE];
        char text[HEADER_SIZE];
        snprintf(name, sizeof(name), "%.*s", LSIG_SPAN_ARG(key));
        lsig_match_text(value, text, sizeof(text));
        add_header(exchange, name, text);
    }
    return true;
}

static struct lsig_span option(const struct exchange *exchange, const char *name)
{
    return exchange->options.data != NULL ? lsig_match_member(exchange->options, name)
                                          : (struct lsig_span){NULL, 0};
}

// A table goes out as JSON, a text as it is.
static void read_body(struct exchange *exchange, struct lsig_span value)
{
    static const char type[] = "content-type";
    if (value.data == NULL) {
        return;
    }
    if (lsig_scan_type(value) != LSIG_JSON_STRING) {
        lsig_buf_append_span(&exchange->body, value);
        if (lsig_request_media_find(&exchange->request, lsig_span_of(type)).data == NULL) {
            add_header(exchange, type, "application/json");
        }
        return;
    }
    size_t len = 0;
    char *text = lsig_alloc(value.len);
    if (lsig_scan_unescape((struct lsig_span){value.data + 1, value.len - 2}, text, value.len,
                           &len)) {
        lsig_buf_append(&exchange->body, text, len);
    }
    free(text);
}

// The client's own unless it is written; "" is none.
static void read_token(struct exchange *exchange)
{
    struct lsig_span value = option(exchange, "token");
    struct lsig_player *player = exchange->asking->player;
    if (value.data != NULL) {
        char *text = lsig_alloc(value.len + 1);
        lsig_match_text(value, text, value.len + 1);
        exchange->token = text;
    } else if (player != NULL) {
        exchange->token = lsig_ask_make_token(player);
    }
    if (exchange->token != NULL && exchange->token[0] == '\0') {
        free(exchange->token);
        exchange->token = NULL;
    }
}

static bool read_request(struct exchange *exchange)
{
    static const char *const known[] = {"method", "path", "body", "token", "headers", "address"};
    struct lsig_asking *asking = exchange->asking;
    struct lsig_span first = asking->arguments[0];
    struct lsig_span body = asking->arguments[1];
    bool object = first.data != NULL && lsig_scan_type(first) == LSIG_JSON_OBJECT;
    size_t at = object ? 0 : 2;
    char text[ADDRESS_SIZE];
    exchange->options = asking->arguments[at];
    if (exchange->options.data != NULL &&
        !lsig_ask_check_options(asking, at, known, sizeof(known) / sizeof(known[0]))) {
        return false;
    }
    exchange->node = asking->player != NULL ? asking->player->node : asking->world->nodes;
    if (!lsig_ask_read_node(asking, at, &exchange->node) ||
        (option(exchange, "node").data == NULL && !lsig_ask_check_node(asking))) {
        return false;
    }
    struct lsig_span method = option(exchange, "method");
    if (method.data != NULL) {
        lsig_match_text(method, text, sizeof(text));
    }
    if ((method.data != NULL && !read_method(exchange, text)) ||
        !read_line(exchange, object ? option(exchange, "path") : first) ||
        !read_headers(exchange)) {
        return false;
    }
    read_body(exchange, object ? option(exchange, "body") : body);
    struct lsig_span address = option(exchange, "address");
    if (address.data != NULL && asking->world->stage != NULL) {
        return lsig_real_skip(asking, "a request has the address of this machine");
    }
    snprintf(exchange->address, ADDRESS_SIZE, "%s",
             asking->player != NULL ? asking->player->address : "192.0.2.1");
    if (address.data != NULL) {
        lsig_match_text(address, exchange->address, ADDRESS_SIZE);
    }
    read_token(exchange);
    return true;
}

// --- the answer

static void on_answer(void *arg, const struct lsig_route_answer *answer)
{
    struct exchange *exchange = arg;
    exchange->open = NULL;
    exchange->answered = true;
    exchange->status = answer->status;
    snprintf(exchange->type, sizeof(exchange->type), "%.*s", (int)answer->content_type.len,
             answer->content_type.data != NULL ? answer->content_type.data : "");
    if (strcmp(exchange->method, "HEAD") != 0) {
        lsig_buf_append_span(&exchange->answer, answer->body);
    }
    if (answer->allow != NULL) {
        lsig_json_string(&exchange->headers, "allow", answer->allow);
    }
    if (answer->retry_after_s > 0) {
        char number[32];
        snprintf(number, sizeof(number), "%lld", (long long)answer->retry_after_s);
        lsig_json_string(&exchange->headers, "retry-after", number);
    }
    if (answer->status == 401) {
        lsig_json_string(&exchange->headers, "www-authenticate", "Bearer");
    }
    for (struct lsig_span left = answer->headers; left.len > 0;) {
        const char *colon = memchr(left.data, ':', left.len);
        const char *end = memmem(left.data, left.len, "\r\n", 2);
        if (colon == NULL || end == NULL || colon + 2 > end) {
            break;
        }
        char *name = lsig_strndup(left.data, (size_t)(colon - left.data));
        lsig_json_text(&exchange->headers, name,
                       (struct lsig_span){colon + 2, (size_t)(end - colon - 2)});
        free(name);
        left.len -= (size_t)(end + 2 - left.data);
        left.data = end + 2;
    }
}

// JSON as a table, all else as text.
static bool print_answer(struct exchange *exchange)
{
    struct lsig_buf *out = exchange->asking->answer;
    struct lsig_span body = lsig_buf_span(&exchange->answer);
    bool json = exchange->type[0] == '\0' || strstr(exchange->type, "json") != NULL;
    if (body.len > 0) {
        lsig_json_string(&exchange->headers, "content-type",
                         exchange->type[0] != '\0' ? exchange->type : "application/json");
    }
    lsig_json_close(&exchange->headers, '}');
    lsig_json_open(out, NULL, '{');
    lsig_json_integer(out, "status", exchange->status);
    lsig_json_raw(out, "headers", lsig_buf_span(&exchange->headers));
    if (body.len > 0 && json && lsig_scan_check_own(body, NULL) == LSIG_OK) {
        lsig_json_raw(out, "body", body);
    } else if (body.len > 0) {
        lsig_json_text(out, "body", body);
    }
    lsig_json_close(out, '}');
    return !out->overflowed ||
           lsig_ask_fail(exchange->asking, "the answer is above %d bytes", LSIG_TEST_ANSWER_MAX);
}

// --- asked

static bool answer_by_itself(struct exchange *exchange)
{
    struct lsig_route_answer answer = {.status = 0};
    struct lsig_buf body;
    lsig_buf_init(&body, ANSWER_MAX);
    bool own =
        lsig_ask_core_answer(exchange->node, &exchange->request, exchange->token, &body, &answer);
    if (own) {
        on_answer(exchange, &answer);
    }
    lsig_buf_clear(&body);
    return own;
}

static bool is_answered(void *arg)
{
    const struct exchange *exchange = arg;
    return exchange->answered;
}

// As net/routes_policy.c does it.
static bool refuse_draining(struct exchange *exchange)
{
    static const char busy[] = "{\"detail\":\"The server is shutting down\"}";
    if (exchange->node->draining) {
        on_answer(exchange, &(struct lsig_route_answer){
                                .status = 503, .body = lsig_span_of(busy), .retry_after_s = 1});
    }
    return exchange->node->draining;
}

static bool ask_route(struct exchange *exchange)
{
    struct lsig_node *node = exchange->node;
    if (node->routes == NULL) {
        node->routes = lsig_route_requests_new(&node->flow, NULL);
    }
    exchange->open = lsig_route_request_open(node->routes, &exchange->request,
                                             lsig_span_of(exchange->token), on_answer, exchange);
    bool fine = lsig_ask_pass(exchange->asking, 0, NULL, NULL) &&
                (exchange->answered ||
                 lsig_ask_pass(exchange->asking, REQUEST_WAIT_MS, is_answered, exchange));
    if (exchange->open != NULL) {
        lsig_route_request_abandon(exchange->open);
        exchange->open = NULL;
    }
    return fine &&
           (exchange->answered || lsig_ask_fail(exchange->asking, "a hook still waits after %d s",
                                                REQUEST_WAIT_MS / 1000));
}

// Names of headers as a running server or what stands before it writes them.
static void lower_names(struct lsig_buf *head)
{
    bool name = true;
    for (size_t i = 0; i < head->len; i++) {
        char c = head->data[i];
        name = c == '\n' || (name && c != ':');
        head->data[i] = (char)(name && c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
}

static struct lsig_span type_of(struct lsig_span head)
{
    const char *found = memmem(head.data, head.len, "content-type: ", 14);
    if (found == NULL) {
        return (struct lsig_span){NULL, 0};
    }
    return (struct lsig_span){found + 14, strcspn(found + 14, "\r\n")};
}

static bool ask_server(struct exchange *exchange)
{
    char lines[LSIG_REQUEST_HEADERS_MAX][2 * HEADER_SIZE + 2];
    const char *headers[LSIG_REQUEST_HEADERS_MAX + 2] = {NULL};
    struct lsig_buf bearer;
    struct lsig_real_answer answer = {.status = 0};
    size_t count = 0;
    lsig_buf_init(&bearer, (size_t)2 * LSIG_TOKEN_MAX);
    lsig_buf_init(&answer.head, ANSWER_MAX);
    lsig_buf_init(&answer.body, ANSWER_MAX);
    for (; count < exchange->request.header_count; count++) {
        snprintf(lines[count], sizeof(lines[count]), "%s: %s", exchange->names[count],
                 exchange->values[count]);
        headers[count] = lines[count];
    }
    if (exchange->token != NULL) {
        lsig_buf_append_format(&bearer, "Authorization: Bearer %s", exchange->token);
        headers[count] = lsig_buf_span(&bearer).data;
    }
    struct lsig_real_request request = {
        .method = exchange->method,
        .path = exchange->line,
        .headers = headers,
        .body =
            exchange->body.len > 0 ? lsig_buf_span(&exchange->body) : (struct lsig_span){NULL, 0},
    };
    bool fine = lsig_real_fetch(exchange->asking, &request, &answer);
    lower_names(&answer.head);
    if (fine) {
        struct lsig_span head = lsig_buf_span(&answer.head);
        on_answer(exchange, &(struct lsig_route_answer){.status = answer.status,
                                                        .body = lsig_buf_span(&answer.body),
                                                        .content_type = type_of(head),
                                                        .headers = head});
    }
    lsig_buf_clear(&bearer);
    lsig_buf_clear(&answer.head);
    lsig_buf_clear(&answer.body);
    return fine;
}

static bool perform(struct exchange *exchange)
{
    struct lsig_world *world = exchange->asking->world;
    const struct lsig_player *player = exchange->asking->player;
    const char *who = player != NULL ? player->name : "test";
    if (!read_request(exchange)) {
        return false;
    }
    if (world->stage == NULL && lsig_ask_core_needs_server(exchange->path)) {
        return lsig_ask_fail(exchange->asking,
                             "%s has accounts, tickets, a socket or more behind it, which a test "
                             "has not: `lunasig test --real URL` asks a server; t:metric reads "
                             "what /metrics says",
                             exchange->path);
    }
    exchange->request.method = exchange->method;
    exchange->request.path = exchange->path;
    exchange->request.address = exchange->address;
    exchange->request.origin = "";
    exchange->request.room_id = "";
    exchange->request.dialect = "";
    exchange->request.query = lsig_span_of(exchange->query);
    exchange->request.body = lsig_buf_span(&exchange->body);
    lsig_story_add(&world->story, lsig_world_ms(world), "%s -> %s %s", who, exchange->method,
                   exchange->line);
    bool fine = world->stage != NULL ? ask_server(exchange)
                                     : answer_by_itself(exchange) || refuse_draining(exchange) ||
                                           ask_route(exchange);
    if (!fine) {
        return false;
    }
    world->metrics->http_requests += 1;
    struct lsig_span body = lsig_buf_span(&exchange->answer);
    lsig_story_add(&world->story, lsig_world_ms(world), "%s <- HTTP %d %.*s", who, exchange->status,
                   body.len < SHOWN_MAX ? (int)body.len : SHOWN_MAX, body.data);
    return print_answer(exchange);
}

bool lsig_ask_request(struct lsig_asking *asking)
{
    struct exchange *exchange = lsig_alloc(sizeof(*exchange));
    exchange->asking = asking;
    snprintf(exchange->method, sizeof(exchange->method), "GET");
    lsig_buf_init(&exchange->body, LSIG_TEST_ARGUMENTS_MAX);
    lsig_buf_init(&exchange->answer, ANSWER_MAX);
    lsig_buf_init(&exchange->headers, ANSWER_MAX);
    lsig_json_open(&exchange->headers, NULL, '{');
    bool fine = perform(exchange);
    lsig_buf_clear(&exchange->body);
    lsig_buf_clear(&exchange->answer);
    lsig_buf_clear(&exchange->headers);
    free(exchange->token);
    free(exchange);
    return fine;
}
