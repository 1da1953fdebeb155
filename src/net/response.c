#include "net/response.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "net/origin.h"
#include "net/request.h"

enum { HEAD_MAX = 4096 };

struct head {
    struct lws *wsi;
    unsigned char *at;
    unsigned char *end;
    bool failed;
};

static void add(struct head *head, const char *name, const char *value)
{
    head->failed =
        head->failed || lws_add_http_header_by_name(head->wsi, (const unsigned char *)name,
                                                    (const unsigned char *)value,
                                                    (int)strlen(value), &head->at, head->end) != 0;
}

static void add_cors(struct head *head, const struct lsig_settings *settings, bool preflight)
{
    char origin_text[512];
    char host_text[512];
    struct lsig_span origin =
        lsig_request_header(head->wsi, WSI_TOKEN_ORIGIN, origin_text, sizeof(origin_text));
    struct lsig_span host =
        lsig_request_header(head->wsi, WSI_TOKEN_HOST, host_text, sizeof(host_text));
    bool listed = !lsig_origin_any(settings->cors_origins);
    if (listed) {
        add(head, "vary:", "Origin");
    }
    if (origin.len == 0 || !lsig_origin_ok(origin, host, settings->cors_origins)) {
        return;
    }
    // Anybody may read without a list; credentials go only to those who are named.
    add(head, "access-control-allow-origin:", listed ? origin_text : "*");
    if (listed) {
        add(head, "access-control-allow-credentials:", "true");
    }
    if (preflight) {
        add(head, "access-control-allow-methods:", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        add(head, "access-control-allow-headers:", "Authorization, Content-Type");
        add(head, "access-control-max-age:", "600");
    }
}

// What the caller adds; true when a cache-control is among it.
static bool add_own(struct head *head, struct lsig_span headers)
{
    char lines[LSIG_RESPONSE_HEADERS_MAX + 1];
    bool cached = false;
    assert(headers.len <= LSIG_RESPONSE_HEADERS_MAX);
    snprintf(lines, sizeof(lines), "%.*s", (int)headers.len,
             headers.data != NULL ? headers.data : "");
    char *end;
    for (char *at = lines; (end = strstr(at, "\r\n")) != NULL; at = end + 2) {
        char name[LSIG_RESPONSE_HEADERS_MAX + 1];
        size_t len = strcspn(at, ":") + 1;
        *end = '\0';
        snprintf(name, sizeof(name), "%.*s", (int)len, at);
        add(head, name, at + len + 1);
        cached = cached || strcmp(name, "cache-control:") == 0;
    }
    return cached;
}

static void add_optional(struct head *head, const struct lsig_response *response)
{
    bool cached = add_own(head, response->headers);
    if (response->allow != NULL) {
        add(head, "allow:", response->allow);
    }
    if (response->retry_after_s > 0) {
        char seconds[24];
        snprintf(seconds, sizeof(seconds), "%lld", (long long)response->retry_after_s);
        add(head, "retry-after:", seconds);
    }
    if (response->bearer) {
        add(head, "www-authenticate:", "Bearer");
    }
    if (response->upgrade) {
        add(head, "upgrade:", "websocket");
        add(head, "sec-websocket-version:", "13");
    }
    if (!cached) {
        add(head, "cache-control:", response->no_store ? "no-store" : "no-cache");
    }
    add(head, "x-content-type-options:", "nosniff");
    if (response->page) {
        add(head, "content-security-policy:",
            "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; "
            "media-src 'self' blob: mediastream:; frame-ancestors 'none'; base-uri 'none'");
        add(head, "referrer-policy:", "no-referrer"); // room names stay here
    }
    if (response->close) {
        add(head, "connection:", "close");
    }
}

// Status, and what describes the body, where there can be one (RFC 9110 sections 8.6, 15.3.5).
static int add_status(struct head *head, const struct lsig_response *response)
{
    unsigned int status = (unsigned int)response->status;
    if (status == 204 || status == 304) {
        return lws_add_http_header_status(head->wsi, status, &head->at, head->end);
    }
    const char *type = response->content_type != NULL ? response->content_type : "application/json";
    return lws_add_http_common_headers(head->wsi, status, type, response->body.len, &head->at,
                                       head->end);
}

int lsig_response_write_head(struct lws *wsi,
                             const struct lsig_settings *settings,
                             const struct lsig_response *response)
{
    unsigned char buffer[LWS_PRE + HEAD_MAX];
    unsigned char *start = buffer + LWS_PRE;
    struct head head = {wsi, start, buffer + sizeof(buffer), false};
    if (add_status(&head, response) != 0) {
        return -1;
    }
    add_optional(&head, response);
    if (!lsig_socket_of(wsi)->admin) {
        add_cors(&head, settings, response->preflight);
    }
    if (head.failed) {
        return -1;
    }
    return lws_finalize_write_http_header(wsi, start, &head.at, head.end) == 0 ? 0 : -1;
}

int lsig_response_write_now(struct lws *wsi,
                            const struct lsig_settings *settings,
                            const struct lsig_response *response)
{
    unsigned char body[LWS_PRE + LSIG_RESPONSE_INLINE_MAX];
    assert(response->body.len <= LSIG_RESPONSE_INLINE_MAX);
    if (lsig_response_write_head(wsi, settings, response) != 0) {
        return -1;
    }
    memcpy(body + LWS_PRE, response->body.data, response->body.len);
    int written = lws_write(wsi, body + LWS_PRE, response->body.len, LWS_WRITE_HTTP_FINAL);
    return written < 0 ? -1 : 0;
}
