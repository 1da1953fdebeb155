// handshake.h - the verdict on a WebSocket upgrade, from what memory knows.
//
// libwebsockets accepts much that RFC 6455 section 4.2.1 does not: method, version, key, Host and
// room are checked here, before Origin, token and limits. `upgrade` is the header's text and not to
// be touched unless it says "websocket" (it may point into freed memory otherwise).
#pragma once

#include "net/context.h"

// 0: go on, socket->session is made. 1: refused, the answer has been written. -1: close.
int lsig_handshake_check(struct lws *wsi, struct lsig_socket *socket);
