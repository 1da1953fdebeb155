#include "net/session_write.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "flow/attend.h"
#include "net/session_sink.h"

// Not empty: libwebsockets 4.1.6 does not tell of a pong without a payload.
static const unsigned char ping_frame[] = {0x89, 0x01, 'p'};

void lsig_session_mark(struct lsig_session *session)
{
    struct lsig_net *net = session->net;
    if (session->dirty) {
        return;
    }
    session->dirty = true;
    session->dirty_previous = NULL;
    session->dirty_next = net->dirty;
    if (net->dirty != NULL) {
        net->dirty->dirty_previous = session;
    }
    net->dirty = session;
}

void lsig_session_unmark(struct lsig_session *session)
{
    struct lsig_net *net = session->net;
    if (!session->dirty) {
        return;
    }
    session->dirty = false;
    *(session->dirty_previous != NULL ? &session->dirty_previous->dirty_next : &net->dirty) =
        session->dirty_next;
    if (session->dirty_next != NULL) {
        session->dirty_next->dirty_previous = session->dirty_previous;
    }
}

enum { CLOSE_FRAME = 0x88, CLOSE_FRAME_MAX = 127 };

// The next frame has to fit, whatever its size, and a close frame behind it.
static void reserve_scratch(struct lsig_net *net, const struct lsig_outbox *outbox)
{
    size_t needed = lsig_outbox_next_size(outbox) + sizeof(ping_frame) + CLOSE_FRAME_MAX;
    if (needed > net->scratch_size) {
        net->scratch = lsig_realloc(net->scratch, LWS_PRE + needed);
        net->scratch_size = needed;
    }
}

void lsig_session_drop_outbox(struct lsig_session *session)
{
    lsig_outbox_clear(&session->outbox);
    lsig_session_account(session);
}

void lsig_session_note_buffered(struct lsig_session *session, size_t len)
{
    session->net->buffered_bytes += (int64_t)len - session->buffered;
    session->buffered = (uint32_t)len;
}

void lsig_session_kill(struct lsig_session *session)
{
    session->close_code = LSIG_CLOSE_ABNORMAL;
    session->client.state = LSIG_CLIENT_CLOSING;
    lws_set_timeout(session->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    session->net->service_due = true; // on an idle loop it would wait for the next traffic
}

static bool close_due(const struct lsig_session *session)
{
    return session->close_code != 0 && session->close_code != LSIG_CLOSE_ABNORMAL &&
           !session->close_sent;
}

// Our own: where libwebsockets is built as Debian builds it, it ends a connection whose callback
// asks for a close before the close frame has been sent.
static size_t write_close_frame(struct lsig_session *session, unsigned char *out)
{
    out[0] = CLOSE_FRAME;
    out[1] = (unsigned char)(2 + session->close_len);
    out[2] = (unsigned char)(session->close_code >> 8);
    out[3] = (unsigned char)session->close_code;
    if (session->close_len > 0) {
        memcpy(out + 4, session->close_text, session->close_len);
    }
    session->close_sent = true;
    return (size_t)4 + session->close_len;
}

static size_t fill(struct lsig_session *session, unsigned char *out, size_t size)
{
    struct lsig_outbox *outbox = &session->outbox;
    bool keep = session->client.resumable && session->net->options.settings->resume_window_s > 0;
    size_t len = 0;
    if (session->ping_due) {
        memcpy(out, ping_frame, sizeof(ping_frame));
        len = sizeof(ping_frame);
        session->ping_due = false;
        session->ping_seq = outbox->seq;
    }
    len += lsig_outbox_fill(outbox, (enum lsig_dialect)session->dialect, keep, out + len,
                            size - len - CLOSE_FRAME_MAX);
    if (lsig_outbox_is_idle(outbox) && close_due(session)) {
        len += write_close_frame(session, out + len);
    }
    lsig_session_bound_kept(session);
    return len;
}

void lsig_session_flush(struct lsig_session *session)
{
    struct lsig_net *net = session->net;
    // Nothing may follow a close frame; what comes later is kept for a client that may resume.
    bool idle = lsig_outbox_is_idle(&session->outbox) && !session->ping_due && !close_due(session);
    bool blocked = lws_partial_buffered(session->wsi) != 0;
    if (!blocked) {
        lsig_session_note_buffered(session, 0);
    }
    if (idle || session->close_sent || session->close_code == LSIG_CLOSE_ABNORMAL) {
        return;
    }
    if (blocked) {
        lws_callback_on_writable(session->wsi);
        return;
    }
    reserve_scratch(net, &session->outbox);
    unsigned char *at = net->scratch + LWS_PRE;
    size_t len = fill(session, at, net->scratch_size);
    if (lws_write(session->wsi, at, len, LWS_WRITE_RAW) < 0) {
        lsig_session_kill(session);
        return;
    }
    net->options.metrics->bytes_out += (int64_t)len;
    blocked = lws_partial_buffered(session->wsi) != 0;
    lsig_session_note_buffered(session, blocked ? len : 0);
    if ((!lsig_outbox_is_idle(&session->outbox) && !session->close_sent) || blocked) {
        lws_callback_on_writable(session->wsi);
    }
}

// A close of ours is under way, and its client cannot come back for the session: who was sent away
// is out of the room with the end of the turn, however long the client takes to answer.
static void leave(struct lsig_session *session)
{
    if (session->close_code == 0 || session->client.resumable) {
        return;
    }
    lsig_attend_close(&session->client, session->end_reason);
    session->client.state = LSIG_CLIENT_CLOSING;
}

void lsig_session_flush_all(struct lsig_net *net)
{
    while (net->dirty != NULL) {
        struct lsig_session *session = net->dirty;
        lsig_session_unmark(session);
        if (session->wsi != NULL) {
            lsig_session_flush(session);
            leave(session);
        } else if (session->close_code != 0) { // away, and its time is over
            lsig_session_unlink(&net->away, session);
            lsig_session_end(session);
        }
    }
    while (net->orphans != NULL) {
        struct lsig_session *orphan = net->orphans;
        net->orphans = orphan->next;
        lsig_session_free(orphan);
    }
    if (net->service_due) {
        net->service_due = false;
        lws_cancel_service(net->lws);
    }
    net->options.metrics->outbox_bytes = net->outbox_bytes;
    net->options.metrics->kept_bytes = net->kept_bytes;
}
