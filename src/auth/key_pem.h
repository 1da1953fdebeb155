// key_pem.h - the key in a PEM text (RFC 7468).
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/span.h"

// The one key of the text: BEGIN PUBLIC KEY, RSA PUBLIC KEY, PRIVATE KEY, RSA PRIVATE KEY or EC
// PRIVATE KEY; text around it and EC PARAMETERS are passed over. Never asks for a pass phrase.
// NULL with a sentence in *problem; else it is the caller's (EVP_PKEY_free), and *is_private says
// which half it is.
struct evp_pkey_st *
lsig_key_pem_read(struct lsig_span text, bool *is_private, struct lsig_buf *problem);
