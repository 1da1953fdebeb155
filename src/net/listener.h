// listener.h - the listening socket, and connections whose request head is not complete yet.
//
// libwebsockets gets a socket only when the head of its first request waits in it: silent and slow
// senders cost a small struct and a descriptor each, never one of its header buffers, and are
// closed after HANDSHAKE_TIMEOUT_S.
#pragma once

#include "base/buf.h"

struct lsig_net;
struct lsig_listener;

struct lsig_listener *lsig_listener_new(struct lsig_net *net,
                                        struct lsig_buf *report); // NULL: *report says why
int lsig_listener_port(const struct lsig_listener *listener);
void lsig_listener_check_time(struct lsig_listener *listener); // about once a second
// Closes the listening socket and everything that waits; freed when the loop has run.
void lsig_listener_free(struct lsig_listener *listener);
