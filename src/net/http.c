#include "net/http.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "flow/route_request.h"
#include "net/admin.h"
#include "net/handshake.h"
#include "net/heads.h"
#include "net/routes.h"

// A request whose body is on its way holds one of libwebsockets' header buffers, of which net.c has
// a number: theirs is bounded, in all and per address, and so are their time and their bytes.
enum {
    REPEATS_MAX = 16,
    UPLOADS_MAX = 128,
    UPLOADS_PER_ADDRESS_MAX = 16,
    UPLOAD_BYTES_MAX = 32 * 1024 * 1024, // announced by all of them
};

static bool upload_begin(struct lsig_http *http)
{
    struct lsig_net *net = http->net;
    int same = 0;
    lsig_http_address(http, http->address);
    for (const struct lsig_http *at = net->uploads; at != NULL; at = at->next) {
        same += strcmp(at->address, http->address) == 0;
    }
    if (net->upload_count >= UPLOADS_MAX || same >= UPLOADS_PER_ADDRESS_MAX ||
        net->upload_bytes + http->body_len > UPLOAD_BYTES_MAX) {
        return false;
    }
    http->deadline_ms =
        net->options.flow->now.mono_ms + net->options.settings->handshake_timeout_s * 1000;
    http->next = net->uploads;
    if (http->next != NULL) {
        http->next->previous = http;
    }
    net->uploads = http;
    net->upload_count += 1;
    net->upload_bytes += http->body_len;
    http->awaits_body = true;
    return true;
}

static void upload_end(struct lsig_http *http)
{
    struct lsig_net *net = http->net;
    if (!http->awaits_body) {
        return;
    }
    http->awaits_body = false;
    *(http->previous != NULL ? &http->previous->next : &net->uploads) = http->next;
    if (http->next != NULL) {
        http->next->previous = http->previous;
    }
    net->upload_count -= 1;
    net->upload_bytes -= http->body_len;
}

void lsig_http_check_times(struct lsig_net *net)
{
    for (struct lsig_http *at = net->uploads; at != NULL; at = at->next) {
        if (net->options.flow->now.mono_ms >= at->deadline_ms) {
            lws_set_timeout(at->wsi, PENDING_TIMEOUT_HTTP_CONTENT, LWS_TO_KILL_ASYNC);
            lws_cancel_service(net->lws); // it looks at its times when there is traffic only
        }
    }
}

void lsig_http_free(struct lsig_http *http)
{
    if (http == NULL) {
        return;
    }
    upload_end(http);
    if (http->account != NULL) {
        lsig_account_abandon(http->account);
    }
    lsig_operate_forget(&http->wait);
    if (http->route != NULL) {
        lsig_route_request_abandon(http->route);
    }
    if (http->answer != NULL) {
        explicit_bzero(http->answer, http->answer_size); // may hold a token
        free(http->answer);
    }
    if (http->body.data != NULL) {
        explicit_bzero(http->body.data, http->body.len); // may hold a password
    }
    lsig_buf_clear(&http->body);
    http->socket->http = NULL;
    free(http);
}

void lsig_http_answer(struct lsig_http *http, const struct lsig_response *response)
{
    assert(!http->answered);
    http->answered = true;
    http->net->options.metrics->http_requests += 1;
    struct lsig_response own = *response;
    own.close = own.close || http->close || http->net->draining;
    http->close = own.close;
    if (lsig_response_write_head(http->wsi, http->net->options.settings, &own) != 0) {
        http->close = true;
    } else if (http->method != LSIG_HEAD && response->body.len > 0) {
        http->answer = lsig_alloc(LWS_PRE + response->body.len);
        memcpy(http->answer + LWS_PRE, response->body.data, response->body.len);
        http->answer_len = response->body.len;
        http->answer_size = LWS_PRE + response->body.len;
    }
    lws_callback_on_writable(http->wsi);
}

void lsig_http_fail(struct lsig_http *http, int status, const char *detail)
{
    struct lsig_buf out;
    lsig_buf_init(&out, 1024);
    lsig_json_open(&out, NULL, '{');
    lsig_json_string(&out, "detail", detail);
    lsig_json_close(&out, '}');
    lsig_http_answer(http, &(struct lsig_response){.status = status,
                                                   .body = lsig_buf_span(&out),
                                                   .bearer = status == 401,
                                                   .close = status == 413 || status == 411});
    lsig_buf_clear(&out);
}

void lsig_http_address(const struct lsig_http *http, char out[LSIG_ADDRESS_SIZE])
{
    lsig_request_client_address(http->wsi, http->socket->address,
                                http->net->options.settings->trusted_proxies, out);
}

static long long content_length(struct lws *wsi)
{
    char text[32];
    struct lsig_span value =
        lsig_request_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, text, sizeof(text));
    char *end;
    long long length = strtoll(text, &end, 10);
    bool there = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0;
    return value.len == 0 ? (there ? -1 : 0) : *end != '\0' || length < 0 ? -1 : length;
}

static void handle(struct lsig_http *http)
{
    if (http->socket->admin) {
        lsig_admin_handle(http);
    } else {
        lsig_routes_handle(http);
    }
}

static void fail_too_large(struct lsig_http *http, size_t max)
{
    char detail[64];
    if (max % 1024 == 0) {
        snprintf(detail, sizeof(detail), "The body is above %zu KiB", max / 1024);
    } else {
        snprintf(detail, sizeof(detail), "The body is above %zu bytes", max);
    }
    lsig_http_fail(http, 413, detail);
}

static int on_request(struct lws *wsi, struct lsig_socket *socket)
{
    static const char busy[] = "{\"detail\":\"Too many requests with a body at once\"}";
    char encoding[64];
    struct lsig_http *http = lsig_alloc(sizeof(*http));
    http->net = socket->net;
    http->socket = socket;
    http->wsi = wsi;
    socket->http = http;
    if (!lsig_request_line(wsi, &http->method, http->path, sizeof(http->path))) {
        http->close = true;
        lsig_http_fail(http, 404, "Not Found");
        return 0;
    }
    if (lsig_request_header(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING, encoding, sizeof(encoding)).len >
        0) {
        lsig_http_fail(http, 411, "Send the body with a Content-Length");
        return 0;
    }
    size_t max = lsig_routes_body_max(http);
    lsig_buf_init(&http->body, max);
    long long length = content_length(wsi);
    http->body_len = length > 0 ? (size_t)length : 0;
    if (length < 0) {
        http->close = true;
        lsig_http_fail(http, 400, "Content-Length is not a number");
    } else if (http->body_len > max) {
        fail_too_large(http, max);
    } else if (length == 0) {
        handle(http);
    } else if (!upload_begin(http)) { // also where nobody wants the body
        lsig_http_answer(http, &(struct lsig_response){.status = 503,
                                                       .body = lsig_span_of(busy),
                                                       .retry_after_s = 5,
                                                       .close = true});
    }
    return 0;
}

static int on_writeable(struct lws *wsi, struct lsig_http *http)
{
    if (!http->answered) {
        return 0;
    }
    if (lws_partial_buffered(wsi)) {
        lws_callback_on_writable(wsi);
        return 0;
    }
    if (http->answer_len > 0) {
        size_t len = http->answer_len;
        http->answer_len = 0;
        if (lws_write(wsi, (unsigned char *)http->answer + LWS_PRE, len, LWS_WRITE_HTTP_FINAL) <
            0) {
            return -1;
        }
    }
    if (lws_partial_buffered(wsi)) {
        lws_callback_on_writable(wsi); // an end now would cut what is still to be sent
        return 0;
    }
    struct lsig_socket *socket = http->socket;
    bool close = http->close;
    lsig_http_free(http);
    close = close || !lsig_heads_keep(socket, wsi);
    return close || lws_http_transaction_completed(wsi) != 0 ? -1 : 0;
}

int lsig_http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *in, size_t len)
{
    struct lsig_socket *socket = lsig_socket_of(wsi);
    if (socket == NULL) {
        return 0;
    }
    struct lsig_http *http = socket->http;
    switch (reason) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        lsig_heads_end(socket);
        return lsig_handshake_check(wsi, socket);
    case LWS_CALLBACK_HTTP:
        lsig_heads_end(socket);
        return on_request(wsi, socket);
    case LWS_CALLBACK_HTTP_BODY:
        if (http != NULL && http->awaits_body) {
            lsig_buf_append(&http->body, in, len);
        }
        return 0;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        // When more bytes came behind the body, libwebsockets 4.1.6 says this again: once a turn of
        // the loop until there is an answer, and then for ever in one turn.
        if (http == NULL || (http->awaits_body && http->body.len != http->body_len)) {
            return -1;
        }
        if (!http->awaits_body) {
            return http->answered && ++http->repeats > REPEATS_MAX ? -1 : 0;
        }
        upload_end(http);
        handle(http);
        return 0;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return http != NULL ? on_writeable(wsi, http) : 0;
    case LWS_CALLBACK_CLOSED_HTTP:
        lsig_http_free(http);
        return 0;
    default:
        return 0;
    }
}
