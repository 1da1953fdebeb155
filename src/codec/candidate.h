// candidate.h - an ICE candidate as a line (RFC 8839 section 5.1), as RTCIceCandidate.candidate and
// the attribute of an SDP have it:
//
//   candidate:842163049 1 udp 1677729535 192.0.2.3 46154 typ srflx raddr 10.0.17.1 rport 46154
//
// Transports, types and extensions that are not known here pass.
#pragma once

#include <stddef.h>

#include "base/span.h"
#include "base/status.h"

enum { LSIG_CANDIDATE_EXTENSIONS_MAX = 64 };

struct lsig_candidate_error {
    size_t at;            // offset of the part that is wrong
    const char *expected; // static text; nothing of what came
};

// `candidate:` may have `a=` in front, as in an SDP. An empty text passes: it is the end of
// candidates (W3C webrtc-pc section 4.8.1). LSIG_OK or LSIG_INVALID_MESSAGE with *error filled.
// Takes no memory, and time in proportion to the length.
LSIG_MUST_USE enum lsig_status lsig_candidate_check(struct lsig_span text,
                                                    struct lsig_candidate_error *error);
