#include "net/routes_policy.h"

#include <stdio.h>
#include <string.h>

#include "flow/route_request.h"
#include "net/request_head.h"
#include "net/script_request.h"

enum { READ_S = 30 }; // in which the client has to read its answer, which may be large

static void on_answer(void *arg, const struct lsig_route_answer *answer)
{
    struct lsig_http *http = arg;
    char type[LSIG_RESPONSE_HEADERS_MAX];
    snprintf(type, sizeof(type), "%.*s", (int)answer->content_type.len,
             answer->content_type.data != NULL ? answer->content_type.data : "");
    http->route = NULL;
    lws_set_timeout(http->wsi, PENDING_TIMEOUT_HTTP_CONTENT, READ_S);
    http->net->service_due = true;
    lsig_http_answer(http, &(struct lsig_response){.status = answer->status,
                                                   .content_type = type[0] != '\0' ? type : NULL,
                                                   .body = answer->body,
                                                   .headers = answer->headers,
                                                   .allow = answer->allow,
                                                   .retry_after_s = answer->retry_after_s,
                                                   .bearer = answer->status == 401,
                                                   .no_store = true});
}

static void open_request(struct lsig_http *http)
{
    char token_text[LSIG_HEAD_MAX];
    char address[LSIG_ADDRESS_SIZE];
    struct lsig_script_texts texts;
    lsig_http_address(http, address);
    lsig_script_texts_read(&texts, http->wsi, lsig_method_name(http->method), http->path, address);
    texts.request.body = lsig_buf_span(&http->body);
    // The answer may come before open returns; the request is gone then.
    struct lsig_route_request *request = lsig_route_request_open(
        http->net->route_requests, &texts.request,
        lsig_request_bearer(http->wsi, token_text, sizeof(token_text)), on_answer, http);
    if (request != NULL) {
        http->route = request;
        lws_set_timeout(http->wsi, NO_PENDING_TIMEOUT, 0); // hooks have a limit of their own
    }
    explicit_bzero(token_text, sizeof(token_text));
    lsig_script_texts_clear(&texts);
}

static void find(const struct lsig_http *http, struct lsig_route_match *match)
{
    lsig_route_find(http->net->options.flow->script, lsig_method_name(http->method), http->path,
                    match);
}

bool lsig_routes_policy_handle(struct lsig_http *http)
{
    static const char busy[] = "{\"detail\":\"The server is shutting down\"}";
    struct lsig_route_match match;
    find(http, &match);
    if (match.allowed == 0) {
        return false;
    }
    if (http->net->draining) {
        lsig_http_answer(http, &(struct lsig_response){
                                   .status = 503, .body = lsig_span_of(busy), .retry_after_s = 1});
    } else {
        open_request(http);
    }
    return true;
}

size_t lsig_routes_policy_body_max(const struct lsig_http *http)
{
    struct lsig_route_match match;
    find(http, &match);
    return match.route != NULL ? match.route->body_max : 0;
}
