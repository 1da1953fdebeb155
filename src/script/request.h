// request.h - what hooks see of an HTTP request: a handshake (connect, auth) or the request of a
// route.
//
// Filled by whoever has the request; in place until the run is done or dropped. Secrets (the token,
// cookies, the authorization header) are not part of it.
#pragma once

#include "base/span.h"

enum {
    LSIG_REQUEST_PARAMS_MAX = 8,
    LSIG_REQUEST_HEADERS_MAX = 32,
};

struct lsig_request_pair {
    struct lsig_span name;
    struct lsig_span value;
};

struct lsig_script_request {
    const char *method;     // "GET"
    const char *path;       // without the query, decoded
    const char *address;    // of the client, behind trusted proxies
    const char *origin;     // "" where there is none
    const char *room_id;    // "" where there is none
    const char *dialect;    // "compat" or "lunasig.v1"; "" for routes
    const char *claims;     // JSON object of the verified token; NULL: none (yet)
    struct lsig_span query; // as it came, behind the `?`, without the token and ticket
    struct lsig_span body;  // as it came; routes only
    struct lsig_request_pair params[LSIG_REQUEST_PARAMS_MAX]; // of a route's path
    size_t param_count;
    struct lsig_request_pair headers[LSIG_REQUEST_HEADERS_MAX]; // names in small letters
    size_t header_count;
};
