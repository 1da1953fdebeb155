// session_time.h - what happens to sessions by time: pings, deadlines, and the end of the server.
#pragma once

#include "net/session.h"

void lsig_session_on_pong(struct lsig_session *session);
void lsig_session_check_times(struct lsig_net *net); // about once a second
// The server stops: tells every client, and closes with this code.
void lsig_session_drain_all(struct lsig_net *net, int code, const char *reason);
// The end of the server: sockets whose close has not been answered are lost now.
void lsig_session_lose_all(struct lsig_net *net);
// The same, and then those that are away are forgotten, without a word to anybody.
void lsig_session_end_all(struct lsig_net *net);
