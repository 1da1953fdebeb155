// sdp.h - session descriptions (RFC 8866), as far as signaling needs them to be right.
//
// Checked are the form of every line, the lines of a session and their order up to `t=`, the shape
// of m=, c=, b= and a=, and of those attributes that two browsers cannot do without: ice-ufrag,
// ice-pwd (RFC 8839 section 5.4), fingerprint (RFC 8122 section 5), candidate (RFC 8839 section
// 5.1). Attributes that are not known here pass, and within a media description the order of lines
// is free, since browsers take it so. Lines end with CRLF or LF; the last one may lack its end.
#pragma once

#include <stddef.h>

#include "base/span.h"
#include "base/status.h"

struct lsig_sdp_error {
    size_t line;          // from 1
    const char *expected; // static text; nothing of what came
};

// An empty text passes: a rollback has no description (RFC 9429 section 4.1.10.2). LSIG_OK or
// LSIG_INVALID_MESSAGE with *error filled. Takes no memory, and time in proportion to the length.
LSIG_MUST_USE enum lsig_status lsig_sdp_check(struct lsig_span text, struct lsig_sdp_error *error);
