#include "net/handshake.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "flow/door.h"
#include "flow/resume.h"
#include "flow/route_answer.h"
#include "flow/ticket.h"
#include "net/origin.h"
#include "net/request.h"
#include "net/request_head.h"
#include "net/response.h"
#include "net/routes.h"
#include "net/script_request.h"
#include "net/session.h"
#include "script/request_copy.h"

enum { PATH_MAX_BYTES = 1024, KEY_LEN = 24 };

// What one upgrade is about, as far as it has been looked at.
struct upgrade {
    struct lws *wsi;
    struct lsig_socket *socket;
    struct lsig_net *net;
    char path[PATH_MAX_BYTES];
    const char *room_id; // in path
    enum lsig_dialect dialect;
    struct lsig_claims claims;
    bool has_claims;
    char *resume_token; // NULL: none
    uint64_t resume_seq;
    struct lsig_response response; // of a refusal
    const char *detail;
    struct lsig_refusal policy_refusal;  // in its place, with status not LSIG_OK
    struct lsig_script_request *request; // for auth hooks; NULL: there are none
};

static bool refuse(struct upgrade *upgrade, int status, const char *detail)
{
    upgrade->response.status = status;
    upgrade->detail = detail;
    return false;
}

static bool check_method_and_path(struct upgrade *upgrade)
{
    enum lsig_method method;
    if (upgrade->socket->admin ||
        !lsig_request_line(upgrade->wsi, &method, upgrade->path, sizeof(upgrade->path))) {
        return refuse(upgrade, 404, "Not Found");
    }
    int status = lsig_routes_check_room_path(upgrade->path, &upgrade->room_id);
    if (status == 404) {
        return refuse(upgrade, 404, "Not Found");
    }
    if (method != LSIG_GET) {
        upgrade->response.allow = "GET";
        return refuse(upgrade, 405, "Method Not Allowed");
    }
    if (status != 200) {
        return refuse(upgrade, 400, "The room id has to match ^[A-Za-z0-9_-]{1,100}$");
    }
    return true;
}

// RFC 6455 section 4.2.1: base64 of 16 bytes.
static bool key_ok(struct lsig_span key)
{
    if (key.len != KEY_LEN || key.data[22] != '=' || key.data[23] != '=') {
        return false;
    }
    for (size_t i = 0; i < 22; i++) {
        char c = key.data[i];
        bool ok = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '+' || c == '/';
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool check_protocol_list(struct upgrade *upgrade)
{
    char text[256];
    int len = lws_hdr_total_length(upgrade->wsi, WSI_TOKEN_PROTOCOL);
    upgrade->dialect = LSIG_COMPAT;
    if (len == 0) {
        return true;
    }
    struct lsig_span list =
        lsig_request_header(upgrade->wsi, WSI_TOKEN_PROTOCOL, text, sizeof(text));
    if (!lsig_request_list_has(list, "lunasig.v1")) {
        return refuse(upgrade, 400,
                      "Sec-WebSocket-Protocol: offer lunasig.v1, or leave the header out");
    }
    upgrade->dialect = LSIG_V1;
    return true;
}

static bool check_headers(struct upgrade *upgrade)
{
    char text[512];
    struct lws *wsi = upgrade->wsi;
    if (lsig_request_header(wsi, WSI_TOKEN_HOST, text, sizeof(text)).len == 0) {
        return refuse(upgrade, 400, "The Host header is missing");
    }
    struct lsig_span connection =
        lsig_request_header(wsi, WSI_TOKEN_CONNECTION, text, sizeof(text));
    if (!lsig_request_list_has(connection, "upgrade")) {
        return refuse(upgrade, 400, "The Connection header has to name Upgrade");
    }
    if (!lsig_span_is(lsig_request_header(wsi, WSI_TOKEN_VERSION, text, sizeof(text)), "13")) {
        upgrade->response.upgrade = true;
        return refuse(upgrade, 426, "Sec-WebSocket-Version has to be 13");
    }
    if (!key_ok(lsig_request_header(wsi, WSI_TOKEN_KEY, text, sizeof(text)))) {
        return refuse(upgrade, 400, "Sec-WebSocket-Key has to be the base64 text of 16 bytes");
    }
    return check_protocol_list(upgrade);
}

static bool check_origin(struct upgrade *upgrade)
{
    char origin_text[512];
    char host_text[512];
    struct lws *wsi = upgrade->wsi;
    struct lsig_span origin =
        lsig_request_header(wsi, WSI_TOKEN_ORIGIN, origin_text, sizeof(origin_text));
    if (origin.len == 0 && lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) > 0) {
        return refuse(upgrade, 403, "The Origin header is too long");
    }
    struct lsig_span host = lsig_request_header(wsi, WSI_TOKEN_HOST, host_text, sizeof(host_text));
    if (!lsig_origin_ok(origin, host, upgrade->net->options.settings->cors_origins)) {
        return refuse(upgrade, 403, "This origin is not in CORS_ORIGINS");
    }
    return true;
}

// The first place that has a token counts, without falling back to the next. A ticket that is the
// first found is used up, whatever becomes of the upgrade.
static bool check_token(struct upgrade *upgrade)
{
    char text[LSIG_HEAD_MAX]; // whatever fits into a head: a token that is too long counts as the
                              // first found
    struct lsig_refusal refusal;
    bool is_ticket = false;
    struct lsig_span token = lsig_request_query(upgrade->wsi, "token", text, sizeof(text));
    if (token.data == NULL) {
        token = lsig_request_bearer(upgrade->wsi, text, sizeof(text));
    }
    if (token.data == NULL) {
        token = lsig_request_query(upgrade->wsi, "ticket", text, sizeof(text));
        is_ticket = token.data != NULL;
    }
    if (token.data == NULL) {
        if (upgrade->dialect == LSIG_V1) {
            return true; // an auth message has to come first
        }
        upgrade->response.bearer = true;
        return refuse(upgrade, 401, "Not authenticated");
    }
    struct lsig_flow *flow = upgrade->net->options.flow;
    enum lsig_status status = is_ticket
                                  ? lsig_ticket_take(flow, token, lsig_span_of(upgrade->room_id),
                                                     &upgrade->claims, &refusal)
                                  : lsig_door_check_token(flow, token, &upgrade->claims, &refusal);
    explicit_bzero(text, sizeof(text));
    if (status != LSIG_OK) {
        upgrade->response.bearer = true;
        return refuse(upgrade, 401, "Could not validate credentials");
    }
    upgrade->has_claims = true;
    return true;
}

// Behind a trusted proxy the address is the forwarded one, and takes its place here.
static bool check_address(struct upgrade *upgrade)
{
    struct lsig_socket *socket = upgrade->socket;
    if (socket->counted) {
        return true;
    }
    char address[LSIG_ADDRESS_SIZE];
    lsig_request_client_address(upgrade->wsi, socket->address,
                                upgrade->net->options.settings->trusted_proxies, address);
    if (!lsig_admission_take_address(&upgrade->net->admission, address)) {
        upgrade->response.retry_after_s = 5;
        return refuse(upgrade, 429, "Too many connections from this address");
    }
    memcpy(socket->address, address, sizeof(socket->address));
    socket->counted = true;
    return true;
}

static void read_texts(const struct upgrade *upgrade, struct lsig_script_texts *texts)
{
    lsig_script_texts_read(texts, upgrade->wsi, "GET", upgrade->path, upgrade->socket->address);
    texts->request.room_id = upgrade->room_id;
    texts->request.dialect = upgrade->dialect == LSIG_V1 ? "lunasig.v1" : "compat";
}

// The hooks that see a handshake: connect answers now, auth is asked once it is open.
static bool check_policies(struct upgrade *upgrade)
{
    struct lsig_script *script = upgrade->net->options.flow->script;
    bool connects = lsig_script_has_hooks(script, LSIG_HOOK_CONNECT);
    bool auths = lsig_script_has_hooks(script, LSIG_HOOK_AUTH);
    if (!connects && !auths) {
        return true;
    }
    struct lsig_script_texts texts;
    struct lsig_hook_result result;
    struct lsig_hook_event event = {.kind = LSIG_HOOK_CONNECT, .request = &texts.request};
    struct lsig_hook_run *run;
    enum lsig_status status = LSIG_OK;
    read_texts(upgrade, &texts);
    if (auths) {
        upgrade->request = lsig_request_copy(&texts.request);
    }
    lsig_hook_result_init(&result);
    if (connects) {
        texts.request.claims = upgrade->has_claims ? upgrade->claims.json : NULL;
        status = lsig_script_call(script, &event, &result, NULL, NULL, &run); // never waits
    }
    if (status != LSIG_OK) {
        upgrade->policy_refusal = result.refusal;
        refuse(upgrade, 403, "");
    }
    lsig_hook_result_clear(&result);
    lsig_script_texts_clear(&texts);
    return status == LSIG_OK;
}

// What the client wants to take up again; whether there is such a thing is seen after the upgrade.
static void take_resume(struct upgrade *upgrade)
{
    char text[LSIG_HEAD_MAX]; // one that is too long is an unknown one
    struct lsig_span token = lsig_request_query(upgrade->wsi, "resume", text, sizeof(text));
    if (token.data == NULL) {
        return;
    }
    upgrade->resume_token = lsig_strndup(token.data, token.len);
    explicit_bzero(text, sizeof(text));
    struct lsig_span seq = lsig_request_query(upgrade->wsi, "seq", text, sizeof(text));
    if (seq.data != NULL) {
        char *number = lsig_strndup(seq.data, seq.len);
        upgrade->resume_seq = strtoull(number, NULL, 10);
        free(number);
    }
}

static bool take_place(struct upgrade *upgrade)
{
    struct lsig_flow *flow = upgrade->net->options.flow;
    struct lsig_resume_request request = {
        .token = lsig_span_of(upgrade->resume_token),
        .seq = upgrade->resume_seq,
    };
    return lsig_resume_take_place(flow, lsig_hub_find(flow->hub, lsig_span_of(upgrade->room_id)),
                                  upgrade->dialect, &upgrade->claims, &request);
}

static bool check_user(struct upgrade *upgrade)
{
    if (upgrade->has_claims) {
        take_resume(upgrade);
    }
    if (upgrade->has_claims && !take_place(upgrade)) {
        upgrade->response.retry_after_s = 5;
        return refuse(upgrade, 429, "Too many connections of this user");
    }
    return true;
}

static bool check_draining(struct upgrade *upgrade)
{
    if (upgrade->net->draining) {
        upgrade->response.retry_after_s = 1;
        return refuse(upgrade, 503, "The server is shutting down");
    }
    return true;
}

static int write_refusal(struct upgrade *upgrade)
{
    struct lsig_buf body;
    lsig_buf_init(&body, LSIG_RESPONSE_INLINE_MAX);
    if (upgrade->policy_refusal.status != LSIG_OK) {
        lsig_route_answer_print_refusal(&body, &upgrade->policy_refusal);
    } else {
        lsig_json_open(&body, NULL, '{');
        lsig_json_string(&body, "detail", upgrade->detail);
        lsig_json_close(&body, '}');
    }
    upgrade->response.body = lsig_buf_span(&body);
    upgrade->response.no_store = true;
    upgrade->net->options.metrics->connections_refused += 1;
    int failed =
        lsig_response_write_now(upgrade->wsi, upgrade->net->options.settings, &upgrade->response);
    lsig_buf_clear(&body);
    return failed == 0 ? 1 : -1;
}

int lsig_handshake_check(struct lws *wsi, struct lsig_socket *socket)
{
    struct upgrade upgrade = {.wsi = wsi, .socket = socket, .net = socket->net};
    bool ok = check_method_and_path(&upgrade) && check_headers(&upgrade) &&
              check_origin(&upgrade) && check_draining(&upgrade) && check_token(&upgrade) &&
              check_address(&upgrade) && check_policies(&upgrade) && check_user(&upgrade);
    if (!ok) {
        lsig_claims_clear(&upgrade.claims);
        lsig_request_free(upgrade.request);
        free(upgrade.resume_token);
        return write_refusal(&upgrade);
    }
    struct lsig_session *session = lsig_session_new(socket->net, wsi);
    session->dialect = (uint8_t)upgrade.dialect;
    session->room_id = lsig_strdup(upgrade.room_id);
    session->client.request = upgrade.request;
    if (upgrade.has_claims) {
        session->claims = lsig_alloc(sizeof(*session->claims));
        *session->claims = upgrade.claims;
        session->resume_token = upgrade.resume_token;
        session->resume_seq = upgrade.resume_seq;
    }
    socket->session = session;
    return 0;
}
