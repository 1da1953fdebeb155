// request.h - reading the request that libwebsockets has parsed. Valid in HTTP callbacks and in
// CONFIRM_UPGRADE.
#pragma once

#include <libwebsockets.h>
#include <stdbool.h>

#include "base/span.h"
#include "net/address.h"

enum lsig_method {
    LSIG_GET,
    LSIG_HEAD,
    LSIG_POST,
    LSIG_PUT,
    LSIG_PATCH,
    LSIG_DELETE,
    LSIG_OPTIONS,
    LSIG_METHOD_COUNT
};

const char *lsig_method_name(enum lsig_method method); // "GET"
// Method and path (decoded, NUL-terminated; false: longer than size or of no known method).
bool lsig_request_line(struct lws *wsi, enum lsig_method *method, char *path, size_t size);
// A header's value into out; the span is empty (data not NULL) if it is absent or longer than size.
struct lsig_span
lsig_request_header(struct lws *wsi, enum lws_token_indexes token, char *out, size_t size);
// The value of a query parameter, decoded; data NULL if it is absent or does not fit.
struct lsig_span lsig_request_query(struct lws *wsi, const char *name, char *out, size_t size);
// The token of `Authorization: Bearer …`; data NULL if there is none.
struct lsig_span lsig_request_bearer(struct lws *wsi, char *out, size_t size);
// Whether a comma-separated header has this item, without case.
bool lsig_request_list_has(struct lsig_span list, const char *item);
// Who sent it: the peer, or behind trusted proxies whom they name (address.h).
void lsig_request_client_address(struct lws *wsi,
                                 const char *peer,
                                 const char *trusted,
                                 char out[LSIG_ADDRESS_SIZE]);
