#include "net/session_sink.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "flow/attend.h"
#include "net/session_write.h"

enum { CLOSE_WAIT_S = 5 };

void lsig_session_link(struct lsig_session **list, struct lsig_session *session)
{
    session->previous = NULL;
    session->next = *list;
    if (session->next != NULL) {
        session->next->previous = session;
    }
    *list = session;
}

void lsig_session_unlink(struct lsig_session **list, struct lsig_session *session)
{
    *(session->previous != NULL ? &session->previous->next : list) = session->next;
    if (session->next != NULL) {
        session->next->previous = session->previous;
    }
    session->next = NULL;
    session->previous = NULL;
}

// --- what waits, and what is kept

void lsig_session_account(struct lsig_session *session)
{
    struct lsig_net *net = session->net;
    const struct lsig_outbox *outbox = &session->outbox;
    bool away = session->wsi == NULL;
    uint32_t waiting = away ? 0 : outbox->bytes;
    uint32_t kept = outbox->kept_bytes + (away ? outbox->bytes : 0);
    net->outbox_bytes += (int64_t)waiting - session->counted_bytes;
    net->kept_bytes += (int64_t)kept - session->counted_kept;
    session->counted_bytes = waiting;
    session->counted_kept = kept;
}

static struct lsig_session *fuller(struct lsig_session *list, struct lsig_session *fullest)
{
    for (struct lsig_session *at = list; at != NULL; at = at->next) {
        if (fullest == NULL || at->counted_kept > fullest->counted_kept) {
            fullest = at;
        }
    }
    return fullest;
}

static void shed_kept(struct lsig_net *net)
{
    int64_t max = net->options.settings->resume_total_bytes_max;
    while (net->kept_bytes > max) {
        struct lsig_session *fullest = fuller(net->away, fuller(net->sessions, NULL));
        if (fullest == NULL || fullest->counted_kept == 0) {
            return; // the one that is being added is in no list yet
        }
        if (fullest->wsi == NULL) {
            lsig_outbox_clear(&fullest->outbox);
        } else {
            lsig_outbox_trim(&fullest->outbox, 0, 0);
        }
        lsig_session_account(fullest);
    }
}

void lsig_session_bound_kept(struct lsig_session *session)
{
    const struct lsig_settings *settings = session->net->options.settings;
    struct lsig_outbox *outbox = &session->outbox;
    int64_t frames = settings->resume_frames_max;
    int64_t bytes = settings->resume_bytes_max;
    if (session->wsi == NULL) {
        // What was sent has probably come; what waits has not.
        frames -= outbox->waiting;
        bytes -= outbox->bytes;
    }
    if (frames < 0 || bytes < 0) {
        lsig_outbox_clear(outbox);
    } else {
        lsig_outbox_trim(outbox, (uint32_t)frames, (uint32_t)bytes);
    }
    lsig_session_account(session);
    shed_kept(session->net);
}

// --- the sink

static const char *reason_of(int code)
{
    return code == 4401                                  ? "expired"
           : code == 4403                                ? "kicked"
           : code == 4409                                ? "replaced"
           : code == 4408 || code == LSIG_CLOSE_ABNORMAL ? "timeout"
                                                         : "closed";
}

void lsig_session_forget_close(struct lsig_session *session)
{
    session->close_code = 0;
    session->close_sent = false;
    session->close_len = 0;
    session->end_reason = "timeout";
    free(session->close_text);
    session->close_text = NULL;
}

static void sink_close(struct lsig_client *client, int code, const char *reason)
{
    struct lsig_session *session = (struct lsig_session *)client;
    if (session->close_code != 0) {
        return;
    }
    session->close_code = (uint16_t)code;
    session->end_reason = reason_of(code);
    client->resumable = client->resumable && lsig_session_is_lost(session);
    if (session->wsi != NULL) {
        session->close_len = (uint8_t)strnlen(reason, LSIG_CLOSE_TEXT_MAX);
        session->close_text = lsig_strndup(reason, session->close_len);
        if (client->paused) {
            lws_rx_flow_control(session->wsi, 1); // to hear the answer
        }
        // A reader that has stopped gets the close frame in this time, or never.
        lws_set_timeout(session->wsi, PENDING_TIMEOUT_USER_REASON_BASE, CLOSE_WAIT_S);
        session->net->service_due = true;
    }
    lsig_session_mark(session); // one that is away ends there
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

static uint64_t waiting(const struct lsig_session *session)
{
    return (uint64_t)session->outbox.bytes + session->buffered;
}

static void shed_fullest(struct lsig_net *net)
{
    struct lsig_session *fullest = NULL;
    for (struct lsig_session *at = net->sessions; at != NULL; at = at->next) {
        if (at->close_code == 0 && (fullest == NULL || waiting(at) > waiting(fullest))) {
            fullest = at;
        }
    }
    if (fullest == NULL) {
        return; // all are closing already
    }
    too_slow(fullest);
    if (fullest->buffered > 0) {
        // Its close frame would wait behind the rest of a write, and that is what takes the place.
        lsig_session_note_buffered(fullest, 0);
        lsig_session_kill(fullest);
    }
}

// A close of ours is under way, or there is no socket: kept, if the client may come back for it.
static void keep_for_later(struct lsig_session *session, struct lsig_body *body)
{
    bool returns = session->client.resumable && !session->outbox.lossy &&
                   (session->wsi == NULL || session->close_code == 1001 ||
                    session->close_code == LSIG_CLOSE_ABNORMAL);
    if (!returns) {
        session->outbox.lossy = true;
        return;
    }
    lsig_outbox_push(&session->outbox, body);
    if (session->wsi == NULL) {
        lsig_session_bound_kept(session);
    } else if (session->outbox.bytes > session->net->options.settings->outbox_bytes_max) {
        lsig_session_drop_outbox(session);
    } else {
        lsig_session_account(session);
    }
}

static void sink_send(struct lsig_client *client, struct lsig_body *body)
{
    struct lsig_session *session = (struct lsig_session *)client;
    struct lsig_net *net = session->net;
    const struct lsig_settings *settings = net->options.settings;
    if (session->wsi == NULL || session->close_code != 0) {
        keep_for_later(session, body);
        return;
    }
    if (client->state == LSIG_CLIENT_CLOSING) {
        return;
    }
    uint32_t before = session->outbox.bytes;
    lsig_outbox_push(&session->outbox, body);
    lsig_session_account(session);
    net->options.metrics->frames_out += 1;
    lsig_session_mark(session);
    if (session->outbox.bytes > settings->outbox_bytes_max / 2) {
        lsig_session_flush(session); // a burst within one turn says nothing about the reader
    }
    // A single frame may be larger than the bound; a queue of them may not.
    if (before > 0 && session->outbox.bytes > settings->outbox_bytes_max) {
        too_slow(session);
    } else if (net->outbox_bytes + net->buffered_bytes > settings->outbox_total_bytes_max) {
        shed_fullest(net);
    }
}

static void sink_pause(struct lsig_client *client, bool paused)
{
    struct lsig_session *session = (struct lsig_session *)client;
    if (session->wsi != NULL) {
        lws_rx_flow_control(session->wsi, paused ? 0 : 1);
    }
}

// --- a client that returns

static void swap_sockets(struct lsig_session *session, struct lsig_session *fresh)
{
    struct lws *old = session->wsi;
    session->wsi = fresh->wsi;
    fresh->wsi = old;
    uint32_t buffered = session->buffered; // it belongs to the socket
    session->buffered = fresh->buffered;
    fresh->buffered = buffered;
    lsig_socket_of(session->wsi)->session = session;
    if (old != NULL) {
        lsig_socket_of(old)->session = fresh;
    }
}

static void sink_take_over(struct lsig_client *client, struct lsig_client *new_client)
{
    struct lsig_session *session = (struct lsig_session *)client;
    struct lsig_session *fresh = (struct lsig_session *)new_client;
    struct lsig_net *net = session->net;
    assert(fresh->open && fresh->wsi != NULL && fresh->close_code == 0);
    bool was_away = session->wsi == NULL;
    lsig_session_unmark(session);
    lsig_session_unmark(fresh);
    lsig_session_forget_partial(session);
    lsig_session_forget_close(session);
    swap_sockets(session, fresh);
    session->open = true;
    session->heard_ms = net->options.flow->now.mono_ms;
    session->pinged = false;
    session->ping_due = false;
    if (client->paused) {
        lws_rx_flow_control(session->wsi, 0);
    }
    if (was_away) {
        // The fresh one is left without a socket. Its caller may still look at it in this turn.
        lsig_session_unlink(&net->away, session);
        lsig_session_unlink(&net->sessions, fresh);
        lsig_session_link(&net->sessions, session);
        fresh->open = false;
        fresh->next = net->orphans;
        net->orphans = fresh;
    } else {
        new_client->state = LSIG_CLIENT_CLOSING;
        sink_close(new_client, lsig_status_close_code(LSIG_REPLACED),
                   "the session goes on over another connection");
    }
    lsig_session_account(session);
}

static int64_t sink_rewind(struct lsig_client *client, uint64_t seq)
{
    struct lsig_session *session = (struct lsig_session *)client;
    int64_t count = lsig_outbox_rewind(&session->outbox, seq);
    lsig_session_account(session);
    if (count > 0) {
        lsig_session_mark(session);
    }
    return count;
}

static void sink_send_first(struct lsig_client *client, struct lsig_body *body)
{
    struct lsig_session *session = (struct lsig_session *)client;
    lsig_outbox_push_first(&session->outbox, body);
    lsig_session_account(session);
    session->net->options.metrics->frames_out += 1;
    lsig_session_mark(session);
}

const struct lsig_sink lsig_session_sink = {
    .send = sink_send,
    .close = sink_close,
    .pause = sink_pause,
    .take_over = sink_take_over,
    .rewind = sink_rewind,
    .send_first = sink_send_first,
};
