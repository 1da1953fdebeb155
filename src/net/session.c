#include "net/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "flow/attend.h"
#include "flow/door.h"
#include "flow/line.h"
#include "net/session_write.h"

enum { CLOSE_WAIT_S = 5 };

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
}

static void session_end(struct lsig_session *session)
{
    struct lsig_net *net = session->net;
    if (!session->open) {
        return;
    }
    session->open = false;
    // Out of every list first: what the others are told of this end may shed the fullest session.
    lsig_session_unmark(session);
    lsig_session_drop_outbox(session);
    *(session->previous != NULL ? &session->previous->next : &net->sessions) = session->next;
    if (session->next != NULL) {
        session->next->previous = session->previous;
    }
    net->session_count -= 1;
    net->options.metrics->connections_open = net->session_count;
    lsig_attend_close(&session->client, session->end_reason);
}

static void session_open(struct lsig_session *session, struct lsig_socket *socket)
{
    struct lsig_net *net = session->net;
    session->open = true;
    session->heard_ms = net->options.flow->now.mono_ms;
    session->next = net->sessions;
    if (session->next != NULL) {
        session->next->previous = session;
    }
    net->sessions = session;
    net->session_count += 1;
    net->options.metrics->connections += 1;
    net->options.metrics->connections_open = net->session_count;
    session->client.address = socket->address;
    lsig_attend_open(net->options.flow, &session->client, lsig_span_of(session->room_id),
                     (enum lsig_dialect)session->dialect, session->claims);
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

void lsig_session_free(struct lsig_session *session)
{
    if (session == NULL) {
        return;
    }
    session_end(session);
    forget_request(session, true);
    forget_partial(session);
    free(session->close_text);
    free(session);
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

static int on_peer_close(struct lsig_session *session, const unsigned char *body, size_t len)
{
    if (session->close_code != 0) {
        return -1; // the answer to our close frame: no third one
    }
    session->end_reason = "bye";
    bool ok = len == 0 || (len >= 2 && close_code_ok((unsigned)body[0] << 8 | body[1]));
    if (ok) {
        return 0; // libwebsockets answers with the same code
    }
    session->client.state = LSIG_CLIENT_CLOSING;
    session->close_code = 1002;
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
        session->pinged = false;
        session->heard_ms = session->net->options.flow->now.mono_ms;
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        lsig_session_flush(session);
        return 0;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return on_peer_close(session, in, len);
    case LWS_CALLBACK_CLOSED:
        session_end(session);
        return 0;
    default:
        return 0;
    }
}

// --- the flow's sink

static void sink_close(struct lsig_client *client, int code, const char *reason)
{
    struct lsig_session *session = (struct lsig_session *)client;
    assert(session->open);
    if (session->close_code != 0) {
        return;
    }
    session->close_code = (uint16_t)code;
    session->close_len = (uint8_t)strnlen(reason, LSIG_CLOSE_TEXT_MAX);
    session->close_text = lsig_strndup(reason, session->close_len);
    session->end_reason = code == 4401   ? "expired"
                          : code == 4403 ? "kicked"
                          : code == 4409 ? "replaced"
                          : code == 4408 ? "timeout"
                                         : "closed";
    if (client->paused) {
        lws_rx_flow_control(session->wsi, 1); // to hear the answer
    }
    // A reader that has stopped gets the close frame in this time, or never.
    lws_set_timeout(session->wsi, PENDING_TIMEOUT_USER_REASON_BASE, CLOSE_WAIT_S);
    lsig_session_mark(session);
}

static void too_slow(struct lsig_session *session)
{
    session->net->options.metrics->slow_closed += 1;
    lsig_session_drop_outbox(session);
    session->client.state = LSIG_CLIENT_CLOSING;
    lsig_log(LSIG_INFO, "too-slow", LSIG_LOG_TEXT("room", session->client.room->id),
             LSIG_LOG_TEXT("connection", session->client.connection.peer_id));
    sink_close(&session->client, lsig_status_close_code(LSIG_TOO_SLOW),
               lsig_status_text(LSIG_TOO_SLOW));
}

static void shed_fullest(struct lsig_net *net)
{
    struct lsig_session *fullest = net->sessions;
    assert(fullest != NULL);
    for (struct lsig_session *at = net->sessions; at != NULL; at = at->next) {
        if (at->outbox.bytes > fullest->outbox.bytes) {
            fullest = at;
        }
    }
    too_slow(fullest);
}

static void sink_send(struct lsig_client *client, struct lsig_body *body)
{
    struct lsig_session *session = (struct lsig_session *)client;
    struct lsig_net *net = session->net;
    const struct lsig_settings *settings = net->options.settings;
    if (client->state == LSIG_CLIENT_CLOSING || session->close_code != 0) {
        return;
    }
    uint32_t before = session->outbox.bytes;
    lsig_outbox_push(&session->outbox, body);
    net->outbox_bytes += session->outbox.bytes - before;
    net->options.metrics->frames_out += 1;
    lsig_session_mark(session);
    if (session->outbox.bytes > settings->outbox_bytes_max / 2) {
        lsig_session_flush(session); // a burst within one turn says nothing about the reader
    }
    // A single frame may be larger than the bound; a queue of them may not.
    if (before > 0 && session->outbox.bytes > settings->outbox_bytes_max) {
        too_slow(session);
    } else if (net->outbox_bytes > settings->outbox_total_bytes_max) {
        shed_fullest(net);
    }
}

static void sink_pause(struct lsig_client *client, bool paused)
{
    struct lsig_session *session = (struct lsig_session *)client;
    lws_rx_flow_control(session->wsi, paused ? 0 : 1);
}

const struct lsig_sink lsig_session_sink = {
    .send = sink_send, .close = sink_close, .pause = sink_pause};

// --- time

static void check_time(struct lsig_session *session)
{
    const struct lsig_settings *settings = session->net->options.settings;
    int64_t silent_ms = session->net->options.flow->now.mono_ms - session->heard_ms;
    lsig_attend_check_time(&session->client);
    if (session->close_code != 0) {
        return;
    }
    if (session->client.paused) {
        session->heard_ms = session->net->options.flow->now.mono_ms; // it is we who do not listen
        session->pinged = false;
        return;
    }
    if (session->pinged && silent_ms >= (settings->ping_s + settings->pong_s) * 1000) {
        session->end_reason = "timeout";
        lsig_session_kill(session);
    } else if (!session->pinged && silent_ms >= settings->ping_s * 1000) {
        session->pinged = true;
        session->ping_due = true;
        lsig_session_mark(session);
    }
}

void lsig_session_check_times(struct lsig_net *net)
{
    for (struct lsig_session *at = net->sessions; at != NULL; at = at->next) {
        check_time(at);
    }
}

void lsig_session_close_all(struct lsig_net *net, int code, const char *reason)
{
    for (struct lsig_session *at = net->sessions; at != NULL; at = at->next) {
        if (at->close_code == 0) {
            at->client.state = LSIG_CLIENT_CLOSING;
            sink_close(&at->client, code, reason);
        }
    }
}

void lsig_session_end_all(struct lsig_net *net)
{
    while (net->sessions != NULL) {
        net->sessions->end_reason = "closed";
        session_end(net->sessions);
    }
}
