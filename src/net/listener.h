// listener.h - the listening socket, and connections whose request head is not complete yet.
//
// libwebsockets gets a socket only when the head of its first request waits in it: silent and slow
// senders cost a small struct and a descriptor each, never one of its header buffers, and are
// closed after HANDSHAKE_TIMEOUT_S. Of TLS connections only the ClientHello can be seen: they are
// handed over when it waits in the socket and there is place for one more handshake (heads.h).
#pragma once

#include "base/buf.h"

struct lsig_net;
struct lsig_listener;

// admin: at ADMIN_HOST and ADMIN_PORT, without TLS, for the admin API. NULL: *report says why.
struct lsig_listener *lsig_listener_new(struct lsig_net *net, bool admin, struct lsig_buf *report);
int lsig_listener_port(const struct lsig_listener *listener);
// At the end of each turn of the loop: begins the TLS handshakes for which there is place.
void lsig_listener_admit(struct lsig_listener *listener);
void lsig_listener_check_time(struct lsig_listener *listener); // about once a second
// Closes the listening socket and everything that waits; freed when the loop has run.
void lsig_listener_free(struct lsig_listener *listener);
