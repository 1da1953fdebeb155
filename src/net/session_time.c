#include "net/session_time.h"

#include "flow/attend.h"
#include "net/session_sink.h"
#include "net/session_write.h"

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

void lsig_session_on_pong(struct lsig_session *session)
{
    session->heard_ms = session->net->options.flow->now.mono_ms;
    if (session->pinged) {
        // Everything that was sent before the ping has come.
        lsig_outbox_confirm(&session->outbox, session->ping_seq);
        lsig_session_account(session);
    }
    session->pinged = false;
}

void lsig_session_check_times(struct lsig_net *net)
{
    for (struct lsig_session *at = net->sessions; at != NULL; at = at->next) {
        check_time(at);
    }
    for (struct lsig_session *at = net->away; at != NULL; at = at->next) {
        lsig_attend_check_time(&at->client);
    }
}

void lsig_session_drain_all(struct lsig_net *net, int code, const char *reason)
{
    for (struct lsig_session *at = net->sessions; at != NULL; at = at->next) {
        if (at->close_code == 0) {
            lsig_attend_drain(&at->client);
            at->client.state = LSIG_CLIENT_CLOSING;
            lsig_session_sink.close(&at->client, code, reason);
        }
    }
}

void lsig_session_lose_all(struct lsig_net *net)
{
    while (net->sessions != NULL) {
        struct lsig_session *session = net->sessions;
        lsig_socket_of(session->wsi)->session = NULL;
        lsig_session_lose(session);
    }
}

void lsig_session_end_all(struct lsig_net *net)
{
    lsig_session_lose_all(net);
    while (net->away != NULL) {
        struct lsig_session *session = net->away;
        lsig_session_unmark(session);
        lsig_session_unlink(&net->away, session);
        lsig_attend_forget(&session->client);
        lsig_session_drop_outbox(session);
        lsig_session_free(session);
    }
}
