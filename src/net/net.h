// net.h - everything that touches sockets: the listener, WebSocket sessions, HTTP.
#pragma once

#include "flow/account.h"
#include "flow/flow.h"

struct uv_loop_s;
struct lsig_operate;
struct lsig_net;

struct lsig_net_options {
    struct uv_loop_s *loop;
    struct lsig_flow *flow; // its sink is filled in here
    struct lsig_accounts *accounts;
    struct lsig_account_store store; // for the state of the database in /health
    const struct lsig_settings *settings;
    struct lsig_metrics *metrics;
    struct lsig_operate *operate; // has to live until finish
};

struct lsig_net *lsig_net_new(const struct lsig_net_options *options);
// Begins to serve. False, with *report filled for people, if that is not possible (address in use,
// page folder missing); the net is to be freed in any case.
bool lsig_net_listen(struct lsig_net *net, struct lsig_buf *report);
int lsig_net_port(const struct lsig_net *net);       // the one that the system chose for PORT=0
int lsig_net_admin_port(const struct lsig_net *net); // 0: there is no admin API
// Reads the files of the page again.
void lsig_net_reload_page(struct lsig_net *net);
// Reads the certificate again, for handshakes from now on; what is wrong with it is logged, and the
// old one stays.
void lsig_net_reload_tls(struct lsig_net *net);
// Stops listening, answers readiness with 503 and closes every WebSocket with 1001. on_closed is
// called once when all are gone, after close_ms at the latest.
void lsig_net_drain(struct lsig_net *net,
                    int64_t close_ms,
                    void (*on_closed)(void *arg),
                    void *arg);
// After on_closed: nothing is read any more, and no session is left. Nobody else may open files
// from free on until the loop has run out: libwebsockets 4.1.6 closes the descriptor of its event
// pipe twice, and the number may be somebody else's by then. So: end; the rest of the house is
// closed, and its threads have come to rest; free; the loop runs until it is empty; finish.
void lsig_net_end(struct lsig_net *net);
void lsig_net_free(struct lsig_net *net);
void lsig_net_finish(struct lsig_net *net);
