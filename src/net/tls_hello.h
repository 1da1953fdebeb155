// tls_hello.h - the first bytes of a connection to a TLS port, looked at while they still wait in
// the socket.
#pragma once

#include "base/span.h"

// 0: incomplete, wait for more. 200: the first record (RFC 8446 section 5.1) is whole and begins a
// ClientHello. 400: somebody speaks plain HTTP here. -1: neither, or a record above LSIG_HEAD_MAX
// (request_head.h), which no client sends.
int lsig_tls_hello_check(struct lsig_span bytes);
