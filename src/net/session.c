#include "net/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "codec/utf8.h"
#include "flow/attend.h"
#include "flow/door.h"
#include "flow/line.h"
#include "net/frame_watch.h"
#include "net/session_sink.h"
#include "net/session_time.h"
#include "net/session_write.h"
#include "script/request_copy.h"

struct lsig_session *lsig_session_new(struct lsig_net *net, struct lws *wsi)
{
    struct lsig_session *session = lsig_alloc(sizeof(*session));
    session->net = net;
    session->wsi = wsi;
    session->end_reason = "timeout"; // a socket that ends without a word
    return session;
}

// What was put aside between the request and ESTABLISHED.
static void forget_request(struct lsig_session *session, bool give_place)
{
    if (session->claims != NULL) {
        if (give_place) {
            lsig_door_give_place(session->net->options.flow, lsig_span_of(session->claims->sub));
        }
        lsig_claims_clear(session->claims);
        free(session->claims);
        session->claims = NULL;
    }
    free(session->room_id);
    session->room_id = NULL;
    if (session->resume_token != NULL) {
        explicit_bzero(session->resume_token, strlen(session->resume_token));
        free(session->resume_token);
        session->resume_token = NULL;
    }
}

static void session_open(struct lsig_session *session, struct lsig_socket *socket)
{
    struct lsig_net *net = session->net;
    struct lsig_resume_request request = {
        .token = session->resume_token != NULL ? lsig_span_of(session->resume_token)
                                               : (struct lsig_span){NULL, 0},
        .seq = session->resume_seq,
    };
    session->open = true;
    lsig_frame_watch_begin(socket);
    session->heard_ms = net->options.flow->now.mono_ms;
    lsig_session_link(&net->sessions, session);
    net->session_count += 1;
    net->options.metrics->connections += 1;
    net->options.metrics->connections_open = net->session_count;
    session->client.address = socket->address;
    // A client that returns takes the socket over; this session is then only good for forgetting.
    lsig_attend_open(net->options.flow, &session->client, lsig_span_of(session->room_id),
                     (enum lsig_dialect)session->dialect, session->claims, &request);
    forget_request(session, false);
}

static void refuse_frame(struct lsig_session *session, enum lsig_status status)
{
    struct lsig_refusal refusal;
    lsig_refuse(&refusal, status);
    session->partial_dropped = true;
    lsig_line_refuse(&session->client, &refusal);
}

static void keep_partial(struct lsig_session *session, const char *bytes, size_t len)
{
    if (session->partial == NULL) {
        session->partial = lsig_alloc(sizeof(*session->partial));
        lsig_buf_init(session->partial, (size_t)session->net->options.settings->frame_bytes_max);
    }
    lsig_buf_append(session->partial, bytes, len);
    assert(!session->partial->overflowed); // the announced length has been looked at
}

static void forget_partial(struct lsig_session *session)
{
    if (session->partial != NULL) {
        lsig_buf_clear(session->partial);
        free(session->partial);
        session->partial = NULL;
    }
}

void lsig_session_forget_partial(struct lsig_session *session)
{
    forget_partial(session);
    session->partial_dropped = false;
}

void lsig_session_free(struct lsig_session *session)
{
    forget_request(session, true);
    lsig_request_free(session->client.request); // never opened
    forget_partial(session);
    lsig_outbox_clear(&session->outbox);
    free(session->close_text);
    free(session);
}

bool lsig_session_is_lost(const struct lsig_session *session)
{
    switch (session->close_code) {
    case 0:
        return strcmp(session->end_reason, "timeout") == 0;
    case 1001:
    case LSIG_CLOSE_ABNORMAL:
    case 4408:
        return true;
    default:
        return false;
    }
}

void lsig_session_end(struct lsig_session *session)
{
    lsig_session_drop_outbox(session);
    lsig_attend_close(&session->client, session->end_reason);
    lsig_session_free(session);
}

void lsig_session_lose(struct lsig_session *session)
{
    if (session == NULL) {
        return;
    }
    struct lsig_net *net = session->net;
    if (session->open) {
        // Out of every list first: what the others are told of this end may shed the fullest
        // session.
        session->open = false;
        session->wsi = NULL;
        lsig_session_note_buffered(session, 0);
        lsig_session_unmark(session);
        lsig_session_unlink(&net->sessions, session);
        net->session_count -= 1;
        net->options.metrics->connections_open = net->session_count;
        if (lsig_session_is_lost(session) && lsig_resume_keep(&session->client)) {
            lsig_session_forget_partial(session);
            lsig_session_forget_close(session);
            lsig_session_link(&net->away, session);
            lsig_session_bound_kept(session);
            return;
        }
        lsig_session_end(session);
        return;
    }
    lsig_session_free(session);
}

// libwebsockets gives a message in parts of its receive buffer; a message that fits into one costs
// no copy.
static void on_receive(struct lsig_session *session, const char *bytes, size_t len)
{
    struct lws *wsi = session->wsi;
    bool last = lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;
    session->heard_ms = session->net->options.flow->now.mono_ms;
    if (session->partial_dropped || session->client.state == LSIG_CLIENT_CLOSING) {
        session->partial_dropped = !last;
        return;
    }
    if (lws_frame_is_binary(wsi)) {
        refuse_frame(session, LSIG_BINARY_FRAME);
        return;
    }
    size_t kept = session->partial != NULL ? session->partial->len : 0;
    size_t announced = kept + len + lws_remaining_packet_payload(wsi);
    if (announced > (size_t)session->net->options.settings->frame_bytes_max) {
        forget_partial(session);
        refuse_frame(session, LSIG_FRAME_TOO_BIG);
        return;
    }
    if (last && kept == 0) {
        lsig_line_on_frame(&session->client, (struct lsig_span){bytes, len});
        return;
    }
    keep_partial(session, bytes, len);
    if (last) {
        lsig_line_on_frame(&session->client, lsig_buf_span(session->partial));
        forget_partial(session);
    }
}

// RFC 6455 section 7.4: the codes that may stand in a close frame.
static bool close_code_ok(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

static bool utf8_ok(const char *text, size_t len)
{
    const char *end = text + len;
    size_t step = 1;
    while (text < end && (step = lsig_utf8_len(text, end)) > 0) {
        text += step;
    }
    return step > 0;
}

static int on_peer_close(struct lsig_session *session, const unsigned char *body, size_t len)
{
    if (session->close_code != 0) {
        return -1; // the answer to our close frame: no third one
    }
    session->end_reason = "bye";
    session->client.resumable = false;
    bool ok = len == 0 || (len >= 2 && close_code_ok((unsigned)body[0] << 8 | body[1]));
    bool readable = len <= 2 || utf8_ok((const char *)body + 2, len - 2);
    if (ok && readable) {
        return 0; // libwebsockets answers with the same code
    }
    session->client.state = LSIG_CLIENT_CLOSING;
    session->close_code = ok ? 1007 : 1002;
    lsig_session_flush(session);
    return -1;
}

int lsig_session_callback(struct lws *wsi, enum lws_callback_reasons reason, void *in, size_t len)
{
    struct lsig_socket *socket = lsig_socket_of(wsi);
    struct lsig_session *session = socket != NULL ? socket->session : NULL;
    if (session == NULL || session->open == (reason == LWS_CALLBACK_ESTABLISHED)) {
        return 0;
    }
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        session_open(session, socket);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        on_receive(session, in, len);
        return 0;
    case LWS_CALLBACK_RECEIVE_PONG:
        lsig_session_on_pong(session);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        lsig_session_flush(session);
        return 0;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return on_peer_close(session, in, len);
    case LWS_CALLBACK_CLOSED:
        socket->session = NULL;
        lsig_session_lose(session);
        return 0;
    default:
        return 0;
    }
}
