// listen_socket.h - a TCP socket that listens.
#pragma once

#include "base/buf.h"

// Listens at a name or address; port 0 lets the system choose. -1: *report says why, naming the
// settings prefix_HOST and prefix_PORT. May wait for a name server: at the start only.
int lsig_listen_socket_open(const char *host,
                            int port,
                            const char *prefix,
                            struct lsig_buf *report);
int lsig_listen_socket_port(int fd);
