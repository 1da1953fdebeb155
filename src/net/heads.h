// heads.h - request heads that libwebsockets waits for.
//
// Each holds one of its header buffers: behind a TLS handshake from the handshake on, on a
// connection that is kept open from the first byte on. Their number is bounded, in all and per
// address, and so is their time; when a newcomer finds no place, the oldest that has had two
// seconds goes. (The first request of a plain connection is complete before libwebsockets gets it:
// listener.h.)
#pragma once

#include "net/context.h"

enum { LSIG_HEADS_MAX = 1024 };

void lsig_heads_init(struct lsig_heads *heads);
void lsig_heads_clear(struct lsig_heads *heads); // none may be left
// A place for one more; address NULL: of somebody who stands for many. False: there is none now.
bool lsig_heads_take(struct lsig_heads *heads, const char *address);
void lsig_heads_give(struct lsig_heads *heads, const char *address); // one that was not begun
// Begins the wait on a connection that has taken a place. At the deadline (monotonic) it is closed.
void lsig_heads_begin(struct lsig_socket *socket, struct lws *wsi, int64_t deadline_ms);
void lsig_heads_end(struct lsig_socket *socket); // the head is there, or the connection ends
// Takes a place and begins, for the next request of a connection. False: no place, close it.
bool lsig_heads_keep(struct lsig_socket *socket, struct lws *wsi);
// For somebody of this address (NULL: who stands for many) who found no place: ends the oldest head
// that has had its time, his own address' where that has its full share. The place is free a little
// later.
void lsig_heads_make_room(struct lsig_net *net, const char *address);
void lsig_heads_check_times(struct lsig_net *net); // about once a second
