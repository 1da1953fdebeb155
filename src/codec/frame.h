// frame.h - one frame to clients: the payload's own bytes between a new head and tail.
//
// All five keys of the envelope are always there. In lunasig.v1 a frame has `sender_peer_id` too,
// and `seq`, which differs for each receiver and is therefore written by the outbox behind the
// opening brace when it sends.
#pragma once

#include "base/body.h"
#include "base/span.h"

enum lsig_dialect { LSIG_COMPAT, LSIG_V1, LSIG_DIALECT_COUNT };

struct lsig_frame {
    struct lsig_span type;           // plain text
    struct lsig_span payload;        // JSON
    struct lsig_span sender_id;      // plain text; data NULL writes null
    struct lsig_span sender_peer_id; // plain text; data NULL writes null
    struct lsig_span room_id;        // plain text; data NULL writes null
    struct lsig_span timestamp;      // inside of a JSON string, never NULL
};

// {"type":…,"payload":…,"sender_id":…,"room_id":…,"timestamp":…} and, in v1, "sender_peer_id". One
// allocation, one copy. The caller has the one reference.
struct lsig_body *lsig_frame_print(const struct lsig_frame *frame, enum lsig_dialect dialect);
