// session_write.h - writing what waits for a WebSocket: once per turn of the loop, in one write of
// ready-made frames.
//
// The rules (each keeps the stream from being corrupted): never write while libwebsockets still
// holds the rest of an earlier write; then wait for WRITEABLE. A failed write outside a callback
// ends the connection by its time-out.
#pragma once

#include "net/session.h"

void lsig_session_mark(
    struct lsig_session *session); // something waits: flush at the end of the turn
void lsig_session_unmark(struct lsig_session *session);
void lsig_session_flush(struct lsig_session *session);
void lsig_session_flush_all(struct lsig_net *net);           // at the end of a turn of the loop
void lsig_session_drop_outbox(struct lsig_session *session); // everything that waits
// How much of the last write may still wait in libwebsockets.
void lsig_session_note_buffered(struct lsig_session *session, size_t len);
// Ends the socket without a close frame, in a later turn of the loop.
void lsig_session_kill(struct lsig_session *session);
