// request_head.h - the head of an HTTP request, looked at while it still waits in the socket.
//
// libwebsockets parses requests; this is what has to be known before it may: that the head is
// complete (so that slow senders never hold one of its header buffers), within bounds, and of the
// lines that it answers rather than hangs on.
#pragma once

#include "base/span.h"

enum { LSIG_HEAD_MAX = 16384, LSIG_REQUEST_TARGET_MAX = 12288 };

// 0: incomplete, wait for more. 200: hand it over. Else the status to refuse with: 400 (no request
// line, a bare LF, a control character, white space before a colon: RFC 9112 sections 2.2, 3, 5.1),
// 405 (CONNECT, TRACE), 414, 431, 501 (a method nobody knows), 505.
int lsig_request_head_check(struct lsig_span bytes);
