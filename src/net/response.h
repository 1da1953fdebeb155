// response.h - the head of an HTTP answer: status, what every answer carries, and CORS.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "net/context.h"

struct lsig_response {
    int status;
    const char *content_type; // NULL: application/json
    struct lsig_span body;
    struct lsig_span headers; // more of them: "name: value\r\n" lines in small letters, ASCII, at
                              // most LSIG_RESPONSE_HEADERS_MAX bytes; a cache-control in place of
                              // ours
    const char *allow;        // Allow, with 405
    int64_t retry_after_s;    // 0: none
    bool no_store;            // the answer holds a secret, or changes with each request
    bool bearer;              // WWW-Authenticate: Bearer
    bool upgrade;   // Upgrade: websocket and Sec-WebSocket-Version: 13, with 426 (RFC 6455
                    // section 4.4)
    bool page;      // a file of the page: Content-Security-Policy
    bool preflight; // answer to a CORS preflight
    bool close;     // the connection ends with this answer
};

// Writes the head. Adds the CORS headers for the request's Origin (Fetch standard, section 3.2)
// where it is allowed. -1: the connection has to be closed.
int lsig_response_write_head(struct lws *wsi,
                             const struct lsig_settings *settings,
                             const struct lsig_response *response);
// Head and a body of at most LSIG_RESPONSE_INLINE_MAX at once, where there is no later: a refused
// upgrade.
enum { LSIG_RESPONSE_INLINE_MAX = 3072, LSIG_RESPONSE_HEADERS_MAX = 2048 };
int lsig_response_write_now(struct lws *wsi,
                            const struct lsig_settings *settings,
                            const struct lsig_response *response);
