// frame_watch.h - sees what clients send before libwebsockets does.
//
// libwebsockets reads with recv(), and with SSL_read() where TLS is spoken. Both names are defined
// here, too, and the definitions of a program stand before those of shared libraries: so each read
// of a connection of ours passes the watch. What breaks the rules of frames (frames.h) is kept from
// the library, and the session closes with 1002 (RFC 6455 section 7.1.7). Reads of anybody else go
// straight on. Where the library is linked in another way, nothing passes here: that is logged
// once, and such connections end the way the library ends them.
//
// Of requests, too: a read ends where their head ends, so that frames never come with it; and an
// upgrade to anything but `websocket` is made unreadable, since libwebsockets would hang up instead
// of ignoring it (RFC 9110 section 7.8).
#pragma once

#include "net/context.h"

// One watch per thread: those that read() here are found through it.
void lsig_frame_watch_open(struct lsig_net *net);
void lsig_frame_watch_close(struct lsig_net *net);
// A connection was handed to libwebsockets; begin: it is a WebSocket from now on.
void lsig_frame_watch_add(struct lsig_socket *socket, int fd);
void lsig_frame_watch_begin(struct lsig_socket *socket);
void lsig_frame_watch_remove(struct lsig_socket *socket);
// Closes the sessions whose clients broke the rules; at the end of each turn of the loop.
void lsig_frame_watch_settle(struct lsig_net *net);
