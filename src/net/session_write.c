#include "net/session_write.h"

#include <stdlib.h>

#include "base/alloc.h"

static const unsigned char ping_frame[] = {0x89, 0x00};

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

// The next frame has to fit, whatever its size.
static void reserve_scratch(struct lsig_net *net, const struct lsig_outbox *outbox)
{
    const struct lsig_body *first = lsig_outbox_first(outbox);
    size_t needed = (first != NULL ? lsig_outbox_frame_size(first) : 0) + sizeof(ping_frame);
    if (needed > net->scratch_size) {
        net->scratch = lsig_realloc(net->scratch, LWS_PRE + needed);
        net->scratch_size = needed;
    }
}

static bool write_bytes(struct lsig_session *session, unsigned char *bytes, size_t len)
{
    int written = lws_write(session->wsi, bytes, len, LWS_WRITE_RAW);
    if (written < 0) {
        session->close_code = LSIG_CLOSE_ABNORMAL;
        session->client.state = LSIG_CLIENT_CLOSING;
        lws_set_timeout(session->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
        return false;
    }
    session->net->options.metrics->bytes_out += (int64_t)len;
    return true;
}

void lsig_session_flush(struct lsig_session *session)
{
    struct lsig_net *net = session->net;
    struct lsig_outbox *outbox = &session->outbox;
    if (outbox->count == 0 && !session->ping_due) {
        return;
    }
    if (lws_partial_buffered(session->wsi)) {
        lws_callback_on_writable(session->wsi);
        return;
    }
    reserve_scratch(net, outbox);
    unsigned char *at = net->scratch + LWS_PRE;
    size_t len = 0;
    if (session->ping_due) {
        memcpy(at, ping_frame, sizeof(ping_frame));
        len = sizeof(ping_frame);
        session->ping_due = false;
    }
    uint32_t before = outbox->bytes;
    len += lsig_outbox_fill(outbox, (enum lsig_dialect)session->dialect, at + len,
                            net->scratch_size - len);
    net->outbox_bytes -= before - outbox->bytes;
    if (write_bytes(session, at, len) &&
        (outbox->count > 0 || lws_partial_buffered(session->wsi))) {
        lws_callback_on_writable(session->wsi);
    }
}

void lsig_session_flush_all(struct lsig_net *net)
{
    while (net->dirty != NULL) {
        struct lsig_session *session = net->dirty;
        lsig_session_unmark(session);
        lsig_session_flush(session);
    }
    net->options.metrics->outbox_bytes = net->outbox_bytes;
}
