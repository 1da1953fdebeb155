// tls.h - https and wss: which certificate is shown, and what of TLS is spoken. libwebsockets does
// the TLS; this is the only file that knows OpenSSL's.
//
// TLS 1.2 with forward secrecy and authenticated ciphers, and TLS 1.3; no renegotiation, no
// compression, no session tickets (connections live long, and a ticket key would outlive them).
// The certificate is chosen per handshake, so that a new one takes over without touching what is
// open.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "codec/settings.h"

struct lsig_tls;

// *tls is NULL when neither TLS_CERT_FILE nor TLS_KEY_FILE is set. False: *report says what is
// wrong with them. A certificate that has ended, has not begun or ends soon is only warned of, in
// the log.
bool lsig_tls_open(struct lsig_tls **tls,
                   const struct lsig_settings *settings,
                   struct lsig_buf *report);
// ssl_ctx: the SSL_CTX that libwebsockets made for a vhost; it uses *tls as long as it lives.
void lsig_tls_apply(struct lsig_tls *tls, void *ssl_ctx);
// Reads the files again: handshakes from now on show what is there. False: *report says what is
// wrong, and the old certificate stays.
bool lsig_tls_reload(struct lsig_tls *tls, struct lsig_buf *report);
int64_t lsig_tls_end(const struct lsig_tls *tls); // of the certificate, in unix seconds
void lsig_tls_free(struct lsig_tls *tls);         // NULL is fine
