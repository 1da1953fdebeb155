// dial.h - the other side of what this server speaks: WebSockets (RFC 6455) and HTTP requests to a
// server that runs somewhere, for tests of it.
//
// Whoever calls may wait: connecting, a request and sending block, each with a deadline; frames are
// taken without waiting. One thread. Connections and TLS are libcurl's (certificates are verified
// with the system's list, or that of SSL_CERT_FILE); redirects are not followed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

enum {
    LSIG_DIAL_WAIT_MS = 10 * 1000,            // until an answer to a request or an upgrade is there
    LSIG_DIAL_ANSWER_MAX = 1024 * 1024,       // bytes of a body that are read
    LSIG_DIAL_MESSAGE_MAX = 16 * 1024 * 1024, // bytes of one message
    LSIG_DIAL_LOST = 1006, // RFC 6455 section 7.1.5: the connection ended without a close frame
};

struct lsig_dialer; // a server
struct lsig_dial;   // a WebSocket to it

// Of a request, or in place of a WebSocket. Zeroed and body initialized by the caller, who clears
// it.
struct lsig_dial_answer {
    int status;           // of HTTP; 0: none came, and `fault` says why
    struct lsig_buf head; // "name: value\r\n" lines
    struct lsig_buf body;
    char fault[200];
};

struct lsig_dial_request {
    const char *method;         // NULL: an upgrade to a WebSocket
    const char *path;           // with its query, as it goes over the wire; begins with /
    const char *const *headers; // "Name: value" each, NULL behind the last; NULL: none
    struct lsig_span body;      // data NULL: none
};

// url: ws://, wss://, http:// or https://, a host, and if need be a port and a path in front of all
// others. NULL, with a line in *report: it is none.
struct lsig_dialer *lsig_dialer_new(const char *url, struct lsig_buf *report);
void lsig_dialer_free(struct lsig_dialer *dialer); // has no connection any more; NULL is fine
// Waits for so long, or until something may have come over one of its connections.
void lsig_dialer_wait(struct lsig_dialer *dialer, int64_t ms);
// Sends and waits for the answer.
void lsig_dialer_request(struct lsig_dialer *dialer,
                         const struct lsig_dial_request *request,
                         struct lsig_dial_answer *answer);

// NULL: the server has answered otherwise, or not at all.
struct lsig_dial *lsig_dial_open(struct lsig_dialer *dialer,
                                 const struct lsig_dial_request *request,
                                 struct lsig_dial_answer *answer);
// Ends the connection as it is. abruptly: by RST, as the network does it.
void lsig_dial_free(struct lsig_dial *dial, bool abruptly);

// From here on nothing is read of it, and nothing answered: as if it had vanished from the network.
void lsig_dial_hush(struct lsig_dial *dial);

enum lsig_dial_opcode { // RFC 6455 section 5.2
    LSIG_DIAL_TEXT = 1,
    LSIG_DIAL_BINARY = 2,
    LSIG_DIAL_CLOSE = 8,
    LSIG_DIAL_PING = 9,
    LSIG_DIAL_PONG = 10,
};

// A whole frame; of a close the payload is code and reason. Messages wait, so that those which
// follow at once go out together: until the next frame that is none, or lsig_dial_next. False: the
// connection is gone, or the far end takes nothing for LSIG_DIAL_WAIT_MS.
bool lsig_dial_send(struct lsig_dial *dial, enum lsig_dial_opcode opcode, struct lsig_span payload);

enum lsig_dial_kind {
    LSIG_DIAL_NOTHING, // has come, so far
    LSIG_DIAL_HEARD,   // a message
    LSIG_DIAL_PONGED,  // the answer to a ping
    LSIG_DIAL_ENDED,   // the connection has ended; nothing comes behind it
};

struct lsig_dial_news {
    enum lsig_dial_kind kind;
    struct lsig_span text; // of the message, the pong, or the reason of the close
    int code;              // ENDED: of the close
};

// What has come, the oldest first, without waiting; pings are answered on the way. Valid until the
// next call.
struct lsig_dial_news lsig_dial_next(struct lsig_dial *dial);
