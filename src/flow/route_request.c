#include "flow/route_request.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "flow/door.h"
#include "flow/route_answer.h"
#include "room/rate_table.h"
#include "script/request_copy.h"

enum { ANSWER_MAX = 8192, RATE_NAME_SIZE = 2 * LSIG_ROUTE_PATTERN_MAX + LSIG_USER_ID_MAX };

// A rate's name says by which spec it is counted; the table's own is never used.
static const struct lsig_rate_spec no_spec = {.count = 1, .period_ms = 1000, .burst = 1};

struct lsig_route_requests {
    struct lsig_flow *flow;
    struct lsig_accounts *accounts; // NULL: not asked
    struct lsig_rate_table *rates;
    size_t waiting;
    size_t open; // requests
};

struct lsig_route_request {
    struct lsig_route_requests *routes;
    void (*on_answer)(void *arg, const struct lsig_route_answer *answer);
    void *arg;
    struct lsig_script_request *texts;
    struct lsig_account_request *account; // under way; NULL: none
    struct lsig_hook_run *run;            // likewise
    bool opening;                         // open has not returned
    bool answered;
};

struct lsig_route_requests *lsig_route_requests_new(struct lsig_flow *flow,
                                                    struct lsig_accounts *accounts)
{
    struct lsig_route_requests *routes = lsig_alloc(sizeof(*routes));
    routes->flow = flow;
    routes->accounts = accounts;
    routes->rates = lsig_rate_table_new(&no_spec, 1, LSIG_ROUTE_RATES_KEPT_MAX);
    return routes;
}

void lsig_route_requests_free(struct lsig_route_requests *routes)
{
    if (routes == NULL) {
        return;
    }
    assert(routes->open == 0);
    lsig_rate_table_free(routes->rates);
    free(routes);
}

size_t lsig_route_requests_waiting(const struct lsig_route_requests *routes)
{
    return routes->waiting;
}

// --- answers

static void request_free(struct lsig_route_request *request)
{
    request->routes->open--;
    lsig_request_free(request->texts);
    free(request);
}

static void answer(struct lsig_route_request *request, const struct lsig_route_answer *out)
{
    request->answered = true;
    request->on_answer(request->arg, out);
}

// The end of each call that comes from outside.
static void settle(struct lsig_route_request *request)
{
    if (request->answered && !request->opening) {
        request_free(request);
    }
}

static void answer_body(struct lsig_route_request *request,
                        int status,
                        struct lsig_buf *body,
                        int64_t retry_after_s)
{
    answer(request, &(struct lsig_route_answer){.status = status,
                                                .body = lsig_buf_span(body),
                                                .retry_after_s = retry_after_s});
    lsig_buf_clear(body);
}

static void refuse(struct lsig_route_request *request,
                   int status,
                   const char *detail,
                   const char *code,
                   int64_t retry_after_s)
{
    struct lsig_buf body;
    lsig_buf_init(&body, ANSWER_MAX);
    lsig_json_open(&body, NULL, '{');
    lsig_json_string(&body, "detail", detail);
    if (code != NULL) {
        lsig_json_string(&body, "code", code);
    }
    lsig_json_close(&body, '}');
    answer_body(request, status, &body, retry_after_s);
}

static void refuse_method(struct lsig_route_request *request, unsigned allowed)
{
    static const char body[] = "{\"detail\":\"Method Not Allowed\"}";
    char allow[LSIG_ROUTE_ALLOW_SIZE];
    lsig_route_print_allow(allowed, allow);
    answer(request,
           &(struct lsig_route_answer){.status = 405, .body = lsig_span_of(body), .allow = allow});
}

// Takes the line `content-type: …` out of the headers that the policy gave.
static void split_headers(struct lsig_buf *headers, struct lsig_route_answer *out)
{
    static const char name[] = "content-type: ";
    struct lsig_span all = lsig_buf_span(headers);
    size_t at = 0;
    while (at < all.len && strncmp(all.data + at, name, sizeof(name) - 1) != 0) {
        at = (size_t)(strstr(all.data + at, "\r\n") + 2 - all.data);
    }
    out->headers = all;
    if (at >= all.len) {
        return;
    }
    const char *end = strstr(all.data + at, "\r\n");
    size_t line = (size_t)(end + 2 - all.data) - at;
    // To the front: one piece remains.
    char *copy = lsig_strndup(all.data + at, line);
    memmove(headers->data + line, headers->data, at);
    memcpy(headers->data, copy, line);
    free(copy);
    out->content_type =
        (struct lsig_span){headers->data + sizeof(name) - 1, line - (sizeof(name) - 1) - 2};
    out->headers = (struct lsig_span){headers->data + line, all.len - line};
}

static void answer_result(struct lsig_route_request *request, struct lsig_hook_result *result)
{
    struct lsig_route_answer out = {
        .status = result->http_status != 0 ? result->http_status : 204,
        .body = lsig_buf_span(&result->json),
    };
    split_headers(&result->headers, &out);
    answer(request, &out);
}

static void answer_hook(struct lsig_route_request *request,
                        enum lsig_status status,
                        struct lsig_hook_result *result)
{
    if (status == LSIG_OK) {
        answer_result(request, result);
    } else if (status == LSIG_DRAINING) {
        refuse(request, 503, "The server is shutting down", NULL, 1);
    } else {
        struct lsig_buf body;
        lsig_buf_init(&body, ANSWER_MAX);
        lsig_route_answer_print_refusal(&body, &result->refusal);
        answer_body(request, status == LSIG_POLICY_DENIED ? 403 : 500, &body, 0);
    }
}

// --- the hook

static void on_hook_done(void *arg, enum lsig_status status, struct lsig_hook_result *result)
{
    struct lsig_route_request *request = arg;
    request->run = NULL;
    request->routes->waiting--;
    answer_hook(request, status, result);
    settle(request);
}

static void call_hook(struct lsig_route_request *request, const struct lsig_script_route *route)
{
    struct lsig_route_requests *routes = request->routes;
    struct lsig_hook_result result;
    struct lsig_hook_event event = {
        .kind = LSIG_HOOK_ROUTE, .request = request->texts, .only = route->hook};
    if (request->texts->room_id[0] != '\0') {
        event.room = lsig_hub_open(routes->flow->hub, lsig_span_of(request->texts->room_id));
    }
    lsig_hook_result_init(&result);
    enum lsig_status status = lsig_script_call(routes->flow->script, &event, &result, on_hook_done,
                                               request, &request->run);
    if (event.room != NULL) {
        lsig_room_unref(event.room); // a run that waits has its own
    }
    if (status == LSIG_WAITING) {
        routes->waiting++;
    } else {
        request->run = NULL;
        answer_hook(request, status, &result);
    }
    lsig_hook_result_clear(&result);
}

// --- what is asked before the hook

// The role of somebody in a room, or the one with which somebody who left would return: where
// nobody is host, host. False: he has none there, or waits to be let in.
static bool find_role(const struct lsig_room *room, struct lsig_span user, enum lsig_role *role)
{
    const struct lsig_member *member = lsig_room_member(room, user);
    if (member != NULL) {
        *role = (enum lsig_role)member->role;
        return !member->waiting;
    }
    if (!lsig_room_remembered_role(room, user, role)) {
        return false;
    }
    if (*role != LSIG_OBSERVER && lsig_room_host(room) == NULL) {
        *role = LSIG_HOST;
    }
    return true;
}

static bool has_role(const struct lsig_route_request *request,
                     const struct lsig_script_route *route,
                     const char *user,
                     struct lsig_span room_id)
{
    enum lsig_role role;
    const struct lsig_room *room = lsig_hub_find(request->routes->flow->hub, room_id);
    return route->roles == 0 ||
           (room != NULL && user != NULL && find_role(room, lsig_span_of(user), &role) &&
            (route->roles & LSIG_ROLE_BIT(role)) != 0);
}

// Counts the request by the rates of that scope. False: it was refused.
static bool take_rates(struct lsig_route_request *request,
                       const struct lsig_script_route *route,
                       enum lsig_rate_scope scope,
                       struct lsig_span owner)
{
    const struct lsig_route_requests *routes = request->routes;
    char name[RATE_NAME_SIZE];
    for (size_t i = 0; i < route->rate_count; i++) {
        if (route->rates[i].scope != scope) {
            continue;
        }
        int len = snprintf(name, sizeof(name), "%d %s %d %zu %.*s", (int)route->method,
                           route->pattern, (int)scope, i, LSIG_SPAN_ARG(owner));
        assert(len > 0 && (size_t)len < sizeof(name));
        int64_t retry_ms = lsig_rate_table_take_by(routes->rates, &route->rates[i],
                                                   (struct lsig_span){name, (size_t)len},
                                                   routes->flow->now.mono_ms);
        if (retry_ms > 0) {
            refuse(request, 429, "Too many requests", "RATE_LIMIT_EXCEEDED",
                   (retry_ms + 999) / 1000);
            return false;
        }
    }
    return true;
}

// The texts of the request, now with what the route and the token say of it.
static void complete_texts(struct lsig_route_request *request,
                           const struct lsig_route_match *match,
                           const struct lsig_claims *claims)
{
    struct lsig_script_request whole = *request->texts;
    char room_id[LSIG_ROOM_ID_MAX + 1];
    snprintf(room_id, sizeof(room_id), "%.*s", (int)match->room.len,
             match->room.data != NULL ? match->room.data : "");
    whole.room_id = room_id;
    whole.claims = claims != NULL ? claims->json : NULL;
    whole.param_count = match->param_count;
    memcpy(whole.params, match->params, sizeof(whole.params));
    struct lsig_script_request *copy = lsig_request_copy(&whole);
    lsig_request_free(request->texts);
    request->texts = copy;
}

// The caller is who he says. What the route asks of him, of the room and of the body is checked
// here; the route may be of another version than the one that asked for the token.
static void go_on(struct lsig_route_request *request, const struct lsig_claims *claims)
{
    const struct lsig_route_requests *routes = request->routes;
    struct lsig_route_match match;
    struct lsig_buf complaint;
    lsig_route_find(routes->flow->script, request->texts->method, request->texts->path, &match);
    const struct lsig_script_route *route = match.route;
    if (route == NULL) {
        refuse(request, 404, "Not Found", NULL, 0);
        return;
    }
    if (claims != NULL && !take_rates(request, route, LSIG_PER_USER, lsig_span_of(claims->sub))) {
        return;
    }
    if (match.room.data != NULL && !lsig_hub_room_id_ok(match.room)) {
        refuse(request, 400, "The room id has to match ^[A-Za-z0-9_-]{1,100}$", NULL, 0);
        return;
    }
    if (match.room.data != NULL && !take_rates(request, route, LSIG_PER_ROOM, match.room)) {
        return;
    }
    if (!has_role(request, route, claims != NULL ? claims->sub : NULL, match.room)) {
        refuse(request, 403, "This role may not do that", "PERMISSION_DENIED", 0);
        return;
    }
    if (request->texts->body.len > route->body_max) { // of another version
        refuse(request, 413, "The body is too large", NULL, 0);
        return;
    }
    lsig_buf_init(&complaint, ANSWER_MAX);
    if (!lsig_route_answer_check_shape(route, request->texts, &complaint)) {
        answer_body(request, 422, &complaint, 0);
        return;
    }
    if (routes->waiting >= LSIG_ROUTE_REQUESTS_WAITING_MAX) {
        refuse(request, 503, "Too many requests are waiting, try again", NULL, 1);
        return;
    }
    complete_texts(request, &match, claims);
    call_hook(request, route);
}

// --- the token

static void on_confirmed(void *arg, const struct lsig_account_answer *confirmed)
{
    struct lsig_route_request *request = arg;
    request->account = NULL;
    if (confirmed->claims != NULL) {
        go_on(request, confirmed->claims);
    } else {
        answer(request, &(struct lsig_route_answer){.status = confirmed->status,
                                                    .body = confirmed->body,
                                                    .retry_after_s = confirmed->retry_after_s});
    }
    settle(request);
}

static void confirm_from_memory(struct lsig_route_request *request, struct lsig_span token)
{
    struct lsig_claims claims;
    struct lsig_refusal refusal;
    if (lsig_door_check_token(request->routes->flow, token, &claims, &refusal) != LSIG_OK) {
        refuse(request, 401, "Could not validate credentials", NULL, 0);
        return;
    }
    go_on(request, &claims);
    lsig_claims_clear(&claims);
}

static void confirm(struct lsig_route_request *request, struct lsig_span token)
{
    struct lsig_account_input input = {
        .action = LSIG_ACCOUNT_CONFIRM,
        .token = token,
        .address = lsig_span_of(request->texts->address),
    };
    if (request->routes->accounts == NULL) {
        confirm_from_memory(request, token);
        return;
    }
    // The answer may come before open returns; the request is kept by `opening` then.
    struct lsig_account_request *account =
        lsig_account_open(request->routes->accounts, &input, on_confirmed, request);
    if (account != NULL) {
        request->account = account;
    }
}

static void begin(struct lsig_route_request *request, struct lsig_span token)
{
    struct lsig_route_match match;
    lsig_route_find(request->routes->flow->script, request->texts->method, request->texts->path,
                    &match);
    if (match.route == NULL && match.allowed == 0) {
        refuse(request, 404, "Not Found", NULL, 0);
    } else if (match.route == NULL) {
        refuse_method(request, match.allowed);
    } else if (!take_rates(request, match.route, LSIG_PER_IP,
                           lsig_span_of(request->texts->address))) {
        return;
    } else if (match.route->open) {
        go_on(request, NULL);
    } else if (token.data == NULL) {
        refuse(request, 401, "Not authenticated", NULL, 0);
    } else {
        confirm(request, token);
    }
}

struct lsig_route_request *
lsig_route_request_open(struct lsig_route_requests *routes,
                        const struct lsig_script_request *input,
                        struct lsig_span token,
                        void (*on_answer)(void *arg, const struct lsig_route_answer *answer),
                        void *arg)
{
    struct lsig_route_request *request = lsig_alloc(sizeof(*request));
    request->routes = routes;
    request->on_answer = on_answer;
    request->arg = arg;
    request->texts = lsig_request_copy(input);
    request->opening = true;
    routes->open++;
    begin(request, token);
    request->opening = false;
    if (request->answered) {
        request_free(request);
        return NULL;
    }
    return request;
}

void lsig_route_request_abandon(struct lsig_route_request *request)
{
    if (request->account != NULL) {
        lsig_account_abandon(request->account);
    }
    if (request->run != NULL) {
        lsig_script_drop(request->run);
        request->routes->waiting--;
    }
    request_free(request);
}
