#include "net/routes.h"

#include <stdio.h>
#include <string.h>

#include "auth/account_body.h"
#include "auth/token.h"
#include "base/log.h"
#include "base/metric_table.h"
#include "codec/json.h"
#include "flow/door.h"
#include "flow/ice.h"
#include "flow/ticket.h"
#include "net/metrics_text.h"
#include "net/page.h"
#include "net/request_head.h"
#include "net/routes_policy.h"
#include "net/script_request.h"

enum { ANSWER_MAX = 256 * 1024 };

static const char room_prefix[] = "/webrtc/ws";

int lsig_routes_check_room_path(const char *path, const char **room_id)
{
    size_t prefix = sizeof(room_prefix) - 1;
    if (strncmp(path, room_prefix, prefix) != 0 || path[prefix] != '/' ||
        path[prefix + 1] == '\0' || strchr(path + prefix + 1, '/') != NULL) {
        return 404;
    }
    *room_id = path + prefix + 1;
    return lsig_hub_room_id_ok(lsig_span_of(*room_id)) ? 200 : 400;
}

static void answer_json(struct lsig_http *http, int status, struct lsig_buf *out)
{
    lsig_http_answer(http, &(struct lsig_response){
                               .status = status, .body = lsig_buf_span(out), .no_store = true});
    lsig_buf_clear(out);
}

// --- health

static bool database_ok(struct lsig_http *http)
{
    const struct lsig_account_store *store = &http->net->options.store;
    return store->ping(store->self) == LSIG_OK;
}

static void handle_health(struct lsig_http *http)
{
    bool database = database_ok(http);
    bool draining = http->net->draining;
    struct lsig_buf out;
    lsig_buf_init(&out, ANSWER_MAX);
    lsig_json_open(&out, NULL, '{');
    lsig_json_string(&out, "status", draining ? "draining" : database ? "healthy" : "unhealthy");
    lsig_json_string(&out, "database", database ? "connected" : "disconnected");
    lsig_json_string(&out, "redis", "embedded");
    lsig_json_string(&out, "api", "running");
    lsig_json_close(&out, '}');
    answer_json(http, draining || !database ? 503 : 200, &out);
}

static void handle_ready(struct lsig_http *http)
{
    bool ready = database_ok(http) && !http->net->draining;
    struct lsig_buf out;
    lsig_buf_init(&out, ANSWER_MAX);
    lsig_json_open(&out, NULL, '{');
    lsig_json_string(&out, "status", ready ? "ready" : "not ready");
    lsig_json_close(&out, '}');
    answer_json(http, ready ? 200 : 503, &out);
}

static void handle_live(struct lsig_http *http)
{
    struct lsig_buf out;
    lsig_buf_init(&out, ANSWER_MAX);
    lsig_json_open(&out, NULL, '{');
    lsig_json_string(&out, "status", "alive");
    lsig_json_close(&out, '}');
    answer_json(http, 200, &out);
}

static void handle_metrics(struct lsig_http *http)
{
    struct lsig_buf out;
    lsig_buf_init(&out, ANSWER_MAX + LSIG_METRICS_PRINTED_MAX);
    struct lsig_metrics *metrics = http->net->options.metrics;
    const struct lsig_hub *hub = http->net->options.flow->hub;
    metrics->rooms = (int64_t)lsig_hub_room_count(hub);
    metrics->members = (int64_t)lsig_hub_member_count(hub);
    metrics->log_dropped = lsig_log_dropped();
    lsig_metrics_print(&out, metrics);
    lsig_http_answer(http, &(struct lsig_response){.status = 200,
                                                   .content_type = "text/plain; version=0.0.4",
                                                   .body = lsig_buf_span(&out),
                                                   .no_store = true});
    lsig_buf_clear(&out);
}

// --- the page

static void answer_file(struct lsig_http *http, const struct lsig_page_file *file)
{
    lsig_http_answer(http, &(struct lsig_response){.status = 200,
                                                   .content_type = file->content_type,
                                                   .body = {file->bytes, file->len},
                                                   .page = true});
}

static void handle_root(struct lsig_http *http)
{
    char accept[512];
    struct lsig_span value =
        lsig_request_header(http->wsi, WSI_TOKEN_HTTP_ACCEPT, accept, sizeof(accept));
    bool browser = memmem(value.data, value.len, "text/html", 9) != NULL;
    if (browser && http->net->page != NULL) {
        answer_file(http, lsig_page_find(http->net->page, lsig_span_of("/")));
        return;
    }
    struct lsig_buf out;
    lsig_buf_init(&out, ANSWER_MAX);
    lsig_json_open(&out, NULL, '{');
    lsig_json_string(&out, "message", "Lunasig, a Lua-scriptable WebRTC signaling host");
    lsig_json_string(&out, "version", LSIG_VERSION);
    lsig_json_string(&out, "status", "running");
    lsig_json_close(&out, '}');
    answer_json(http, 200, &out);
}

// --- what clients need for a call

// The request is read only for hooks that look at it.
static void
print_ice_servers(struct lsig_http *http, struct lsig_buf *out, const struct lsig_claims *claims)
{
    const struct lsig_flow *flow = http->net->options.flow;
    if (!lsig_script_has_hooks(flow->script, LSIG_HOOK_ICE_SERVERS)) {
        lsig_ice_print_servers(out, "ice_servers", flow->settings, lsig_span_of(claims->sub),
                               flow->now.wall_ms / 1000, claims->exp);
        return;
    }
    char address[LSIG_ADDRESS_SIZE];
    struct lsig_script_texts texts;
    lsig_http_address(http, address);
    lsig_script_texts_read(&texts, http->wsi, lsig_method_name(http->method), http->path, address);
    texts.request.claims = claims->json;
    lsig_ice_print_for_request(out, "ice_servers", flow, &texts.request, claims);
    lsig_script_texts_clear(&texts);
}

static void answer_config(struct lsig_http *http, const struct lsig_claims *claims)
{
    const struct lsig_settings *settings = http->net->options.settings;
    struct lsig_buf out;
    lsig_buf_init(&out, ANSWER_MAX);
    lsig_json_open(&out, NULL, '{');
    print_ice_servers(http, &out, claims);
    lsig_ice_print_policies(&out, settings);
    lsig_json_close(&out, '}');
    answer_json(http, 200, &out);
}

// --- accounts

static void on_account_answer(void *arg, const struct lsig_account_answer *answer)
{
    struct lsig_http *http = arg;
    http->account = NULL;
    lsig_http_answer(http, &(struct lsig_response){.status = answer->status,
                                                   .body = answer->body,
                                                   .retry_after_s = answer->retry_after_s,
                                                   .bearer = answer->status == 401,
                                                   .no_store = true});
}

static void on_confirmed(void *arg, const struct lsig_account_answer *answer)
{
    struct lsig_http *http = arg;
    if (answer->claims == NULL) {
        on_account_answer(arg, answer);
        return;
    }
    http->account = NULL;
    answer_config(http, answer->claims);
}

static void
open_account(struct lsig_http *http, enum lsig_account_action action, struct lsig_span token)
{
    void (*on_answer)(void *arg, const struct lsig_account_answer *answer) =
        action == LSIG_ACCOUNT_CONFIRM ? on_confirmed : on_account_answer;
    char type[256];
    char address[LSIG_ADDRESS_SIZE];
    lsig_http_address(http, address);
    struct lsig_account_input input = {
        .action = action,
        .content_type =
            lsig_request_header(http->wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, type, sizeof(type)),
        .body = lsig_buf_span(&http->body),
        .token = token,
        .address = lsig_span_of(address),
    };
    // The answer may come before open returns; the request is gone then.
    struct lsig_account_request *request =
        lsig_account_open(http->net->options.accounts, &input, on_answer, http);
    if (request != NULL) {
        http->account = request;
    }
}

static void open_account_with_body(struct lsig_http *http, enum lsig_account_action action)
{
    if (http->body.len > LSIG_ACCOUNT_BODY_MAX) {
        lsig_http_fail(http, 413, "The body is above 16 KiB");
        return;
    }
    open_account(http, action, (struct lsig_span){NULL, 0});
}

static void handle_register(struct lsig_http *http)
{
    open_account_with_body(http, LSIG_ACCOUNT_REGISTER);
}

static void handle_login(struct lsig_http *http)
{
    open_account_with_body(http, LSIG_ACCOUNT_LOGIN);
}

static void handle_guest(struct lsig_http *http)
{
    open_account_with_body(http, LSIG_ACCOUNT_GUEST);
}

static void handle_refresh(struct lsig_http *http)
{
    open_account_with_body(http, LSIG_ACCOUNT_REFRESH);
}

static void open_account_with_bearer(struct lsig_http *http, enum lsig_account_action action)
{
    char text[LSIG_HEAD_MAX];
    struct lsig_span token = lsig_request_bearer(http->wsi, text, sizeof(text));
    if (token.data == NULL) {
        lsig_http_fail(http, 401, "Not authenticated");
        return;
    }
    if (http->body.len > LSIG_ACCOUNT_BODY_MAX) {
        lsig_http_fail(http, 413, "The body is above 16 KiB");
    } else {
        open_account(http, action, token);
    }
    explicit_bzero(text, sizeof(text));
}

static void handle_validate(struct lsig_http *http)
{
    open_account_with_bearer(http, LSIG_ACCOUNT_VALIDATE);
}

static void handle_logout(struct lsig_http *http)
{
    open_account_with_bearer(http, LSIG_ACCOUNT_LOGOUT);
}

static void handle_config(struct lsig_http *http)
{
    open_account_with_bearer(http, LSIG_ACCOUNT_CONFIRM);
}

// --- tickets

// The bearer's claims, to be cleared; false: answered.
static bool check_bearer(struct lsig_http *http, struct lsig_claims *claims)
{
    char text[LSIG_HEAD_MAX];
    struct lsig_refusal refusal;
    struct lsig_span token = lsig_request_bearer(http->wsi, text, sizeof(text));
    if (token.data == NULL) {
        lsig_http_fail(http, 401, "Not authenticated");
        return false;
    }
    enum lsig_status status =
        lsig_door_check_bearer(http->net->options.flow, token, claims, &refusal);
    explicit_bzero(text, sizeof(text));
    if (status != LSIG_OK) {
        lsig_http_fail(http, 401, "Could not validate credentials");
    }
    return status == LSIG_OK;
}

// The room that a ticket is asked for: *room stays empty where the body names none. False with a
// complaint written for a body of another shape.
static bool read_ticket_body(struct lsig_http *http,
                             struct lsig_account_field *room,
                             struct lsig_buf *complaints)
{
    char type[256];
    if (http->body.len == 0) {
        return true;
    }
    enum lsig_account_form form = lsig_account_body_form(
        lsig_request_header(http->wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, type, sizeof(type)));
    if (form == LSIG_ACCOUNT_FORM) {
        form = LSIG_ACCOUNT_OTHER_FORM;
    }
    if (!lsig_account_body_parse(room, 1, form, lsig_buf_span(&http->body), complaints)) {
        return false;
    }
    if (room->value.data == NULL || lsig_span_is(room->value, "null")) {
        return true;
    }
    if (!lsig_account_body_check_text(room, true, complaints)) {
        return false;
    }
    if (!lsig_hub_room_id_ok((struct lsig_span){room->text, room->len})) {
        struct lsig_account_complaint complaint = {
            "string_pattern_mismatch", "room_id",
            "String should match pattern '^[A-Za-z0-9_-]{1,100}$'", room->value};
        lsig_account_body_complain(complaints, &complaint);
        return false;
    }
    return true;
}

static void answer_ticket(struct lsig_http *http,
                          const struct lsig_claims *claims,
                          const struct lsig_account_field *room)
{
    static const char busy[] = "{\"detail\":\"Too many tickets are waiting, try again\"}";
    char ticket[LSIG_TICKET_SIZE];
    if (lsig_ticket_make(http->net->options.flow, claims, (struct lsig_span){room->text, room->len},
                         ticket) != LSIG_OK) {
        lsig_http_answer(http, &(struct lsig_response){.status = 503,
                                                       .body = lsig_span_of(busy),
                                                       .retry_after_s = LSIG_TICKET_S});
        return;
    }
    struct lsig_buf out;
    lsig_buf_init(&out, ANSWER_MAX);
    lsig_json_open(&out, NULL, '{');
    lsig_json_string(&out, "ticket", ticket);
    lsig_json_integer(&out, "expires_in", LSIG_TICKET_S);
    lsig_json_close(&out, '}');
    explicit_bzero(ticket, sizeof(ticket));
    lsig_http_answer(http, &(struct lsig_response){
                               .status = 200, .body = lsig_buf_span(&out), .no_store = true});
    explicit_bzero(out.data, out.len);
    lsig_buf_clear(&out);
}

static void handle_ticket(struct lsig_http *http)
{
    struct lsig_claims claims;
    struct lsig_account_field room = {.name = "room_id"};
    struct lsig_buf complaints;
    lsig_buf_init(&complaints, ANSWER_MAX);
    if (!check_bearer(http, &claims)) {
        return;
    }
    if (http->body.len > LSIG_ACCOUNT_BODY_MAX) {
        lsig_http_fail(http, 413, "The body is above 16 KiB");
    } else if (read_ticket_body(http, &room, &complaints)) {
        answer_ticket(http, &claims, &room);
    } else {
        lsig_account_body_finish(&complaints);
        answer_json(http, 422, &complaints);
    }
    lsig_account_body_clear(&room, 1);
    lsig_claims_clear(&claims);
    lsig_buf_clear(&complaints);
}

// --- the table

static const struct route {
    enum lsig_method method; // GET answers HEAD too
    const char *path;
    void (*handle)(struct lsig_http *http);
} routes[] = {
    {LSIG_GET, "/", handle_root},
    {LSIG_GET, "/health", handle_health},
    {LSIG_GET, "/healthz", handle_health},
    {LSIG_GET, "/ready", handle_ready},
    {LSIG_GET, "/readyz", handle_ready},
    {LSIG_GET, "/live", handle_live},
    {LSIG_GET, "/metrics", handle_metrics},
    {LSIG_POST, "/auth/register", handle_register},
    {LSIG_POST, "/auth/login", handle_login},
    {LSIG_POST, "/auth/guest", handle_guest},
    {LSIG_POST, "/auth/refresh", handle_refresh},
    {LSIG_POST, "/auth/logout", handle_logout},
    {LSIG_GET, "/auth/validate-token", handle_validate},
    {LSIG_GET, "/webrtc/config", handle_config},
    {LSIG_POST, "/webrtc/ticket", handle_ticket},
};

static bool is_core_path(const char *path)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (strcmp(routes[i].path, path) == 0) {
            return true;
        }
    }
    return false;
}

size_t lsig_routes_body_max(const struct lsig_http *http)
{
    size_t policy =
        http->socket->admin || is_core_path(http->path) ? 0 : lsig_routes_policy_body_max(http);
    return policy > 0 ? policy : LSIG_HTTP_BODY_MAX;
}

static void refuse_method(struct lsig_http *http, const char *allowed)
{
    static const char body[] = "{\"detail\":\"Method Not Allowed\"}";
    lsig_http_answer(
        http, &(struct lsig_response){.status = 405, .body = lsig_span_of(body), .allow = allowed});
}

// A plain request for a room: only an upgrade makes sense there.
static bool handle_room_path(struct lsig_http *http)
{
    static const char body[] = "{\"detail\":\"Upgrade Required: this is a WebSocket\"}";
    const char *room_id;
    int status = lsig_routes_check_room_path(http->path, &room_id);
    if (status == 404) {
        return false;
    }
    if (http->method != LSIG_GET) {
        refuse_method(http, "GET");
    } else if (status == 400) {
        lsig_http_fail(http, 400, "The room id has to match ^[A-Za-z0-9_-]{1,100}$");
    } else {
        lsig_http_answer(http, &(struct lsig_response){
                                   .status = 426, .body = lsig_span_of(body), .upgrade = true});
    }
    return true;
}

static void answer_preflight(struct lsig_http *http)
{
    lsig_http_answer(http, &(struct lsig_response){.status = 200, .preflight = true});
}

void lsig_routes_handle(struct lsig_http *http)
{
    enum lsig_method wanted = http->method == LSIG_HEAD ? LSIG_GET : http->method;
    const struct route *other = NULL;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (strcmp(routes[i].path, http->path) != 0) {
            continue;
        }
        other = &routes[i];
        if (other->method == wanted) {
            other->handle(http);
            return;
        }
    }
    bool preflight = http->method == LSIG_OPTIONS &&
                     lws_hdr_total_length(http->wsi, WSI_TOKEN_HTTP_AC_REQUEST_HEADERS) +
                             lws_hdr_total_length(http->wsi, WSI_TOKEN_ORIGIN) >
                         0;
    if (preflight) {
        answer_preflight(http);
        return;
    }
    if (other != NULL) {
        refuse_method(http, other->method == LSIG_GET ? "GET, HEAD" : "POST");
        return;
    }
    if (handle_room_path(http) || lsig_routes_policy_handle(http)) {
        return;
    }
    const struct lsig_page_file *file =
        http->net->page != NULL ? lsig_page_find(http->net->page, lsig_span_of(http->path)) : NULL;
    if (file == NULL) {
        lsig_http_fail(http, 404, "Not Found");
    } else if (wanted == LSIG_GET) {
        answer_file(http, file);
    } else {
        refuse_method(http, "GET, HEAD");
    }
}
