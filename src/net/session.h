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
    struct lws *wsi;           // NULL: the socket was lost, the client is away
    struct lsig_net *net;
    struct lsig_outbox outbox;
    uint32_t counted_bytes; // of the outbox, in net->outbox_bytes
    uint32_t counted_kept;  // in net->kept_bytes
    uint32_t buffered;      // at most: of the last write, in net->buffered_bytes
    uint64_t ping_seq;      // what had been sent when the last ping was
    struct lsig_session *dirty_next;
    struct lsig_session *dirty_previous;
    struct lsig_session *next; // of net->sessions or, without a socket, of net->away
    struct lsig_session *previous;
    struct lsig_claims *claims; // between the request and ESTABLISHED; its user has a place
    char *room_id;              // likewise
    char *resume_token;         // likewise; NULL: it asked for none
    uint64_t resume_seq;
    struct lsig_buf *partial; // a message that came in parts; NULL: none
    int64_t heard_ms;         // when anything last came
    uint16_t close_code;      // 0: no close under way
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

// Made before the upgrade.
struct lsig_session *lsig_session_new(struct lsig_net *net, struct lws *wsi);
// The socket has gone, opened or not: the session is freed, or stays away. NULL is fine.
void lsig_session_lose(struct lsig_session *session);
// Whether it ends, or has ended, without a word, or by a close of ours for no fault of the client:
// such a client may resume.
bool lsig_session_is_lost(const struct lsig_session *session);
// Its client leaves for good. The session is in no list any more, and is freed.
void lsig_session_end(struct lsig_session *session);
void lsig_session_free(struct lsig_session *session); // in no list any more
void lsig_session_forget_partial(struct lsig_session *session);
