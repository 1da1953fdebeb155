// session.h - one open WebSocket: frames in, the outbox out, pings, and its end.
#pragma once

#include "auth/token.h"
#include "flow/client.h"
#include "net/context.h"
#include "net/outbox.h"

enum {
    LSIG_CLOSE_ABNORMAL = 1006,
    LSIG_CLOSE_TEXT_MAX = 123
}; // RFC 6455 section 7.4.1: never sent, the socket just ends

struct lsig_session {
    struct lsig_client client; // first: the flow's sink gets a pointer to it
    struct lws *wsi;
    struct lsig_net *net;
    struct lsig_outbox outbox;
    struct lsig_session *dirty_next;
    struct lsig_session *dirty_previous;
    struct lsig_session *next; // all sessions
    struct lsig_session *previous;
    struct lsig_claims *claims; // between the request and ESTABLISHED; its user has a place
    char *room_id;              // likewise
    struct lsig_buf *partial;   // a message that came in parts; NULL: none
    int64_t heard_ms;           // when anything last came
    uint16_t close_code;        // 0: no close under way
    uint8_t dialect;
    bool close_sent;
    bool open; // ESTABLISHED has been seen
    bool dirty;
    bool ping_due;          // a ping is to be written
    bool pinged;            // an answer is awaited
    bool partial_dropped;   // the rest of a message that was refused already
    const char *end_reason; // for user-left: bye, timeout, closed
    char *close_text;       // NULL: none
    uint8_t close_len;      // at most LSIG_CLOSE_TEXT_MAX
};

// Made before the upgrade; freed in lsig_session_free, opened or not.
struct lsig_session *lsig_session_new(struct lsig_net *net, struct lws *wsi);
void lsig_session_free(struct lsig_session *session); // NULL is fine
void lsig_session_flush_all(struct lsig_net *net);    // at the end of a turn of the loop
void lsig_session_check_times(struct lsig_net *net);  // about once a second
void lsig_session_close_all(struct lsig_net *net, int code, const char *reason);
// The end of the server: every session that is still there leaves its room now.
void lsig_session_end_all(struct lsig_net *net);
extern const struct lsig_sink lsig_session_sink;
