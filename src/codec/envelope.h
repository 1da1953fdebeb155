// envelope.h - one frame from a client: where its parts stand in the bytes that came.
//
// Scanned once, strictly, without a tree (scan.h has the grammar and the bounds). Spans point into
// the frame or into the envelope's own scratch, and live as long as both do; an envelope must not
// be moved by copying.
#pragma once

#include <stdint.h>

#include "base/span.h"
#include "base/status.h"
#include "codec/refusal.h"

enum { LSIG_TYPE_MAX = 64, LSIG_TARGET_MAX = 128 }; // bytes after unescaping

struct lsig_envelope {
    struct lsig_span frame;     // the whole text
    struct lsig_span type;      // unescaped
    struct lsig_span payload;   // JSON object, the bytes as they came
    struct lsig_span target;    // unescaped; data NULL: none
    struct lsig_span timestamp; // inside of the JSON string as it came; data NULL: none
    int64_t id;                 // 0: none, else positive (lunasig.v1)
    char type_scratch[LSIG_TYPE_MAX];
    char target_scratch[LSIG_TARGET_MAX];
};

// Parses a frame. Refusals: BAD_UTF8; INVALID_JSON (not JSON, a bound of scan.h, a duplicate of a
// key that is read here, at the top level or in the payload); INVALID_MESSAGE (no object, no string
// `type`, no object `payload`, a target that is no string, an `id` that is no positive integer).
// The target is the first of these that is there and not null: at the top level target_id, target,
// to; in the payload target_user_id, target_id, targetUserId, receiver_id, recipient_user_id. An
// empty target or one above the bound is INVALID_MESSAGE, a type above the bound UNKNOWN_TYPE. Keys
// are compared after unescaping.
LSIG_MUST_USE enum lsig_status lsig_envelope_parse(struct lsig_envelope *envelope,
                                                   struct lsig_span frame,
                                                   struct lsig_refusal *refusal);
