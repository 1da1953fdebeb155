// outbox.h - the frames that wait for one WebSocket. A queue of shared bodies, bounded in bytes by
// its caller.
#pragma once

#include <stdint.h>

#include "base/body.h"
#include "codec/frame.h"

struct lsig_outbox {
    struct lsig_body **ring; // made on demand, freed when empty and large
    uint32_t capacity;       // a power of two, or 0
    uint32_t head;
    uint32_t count;
    uint32_t bytes; // of all bodies, and of the queue's own slots
    uint64_t seq;   // of the last frame (lunasig.v1)
};

void lsig_outbox_push(struct lsig_outbox *outbox,
                      struct lsig_body *body);      // takes a reference of its own
void lsig_outbox_clear(struct lsig_outbox *outbox); // drops everything
// Room that a frame of this body takes at most.
size_t lsig_outbox_frame_size(const struct lsig_body *body);
struct lsig_body *lsig_outbox_first(const struct lsig_outbox *outbox); // NULL: empty
// Writes as many ready-made WebSocket frames (RFC 6455 section 5.2, unmasked text) as fit into size
// bytes and drops them from the queue; returns the bytes written. In lunasig.v1 each gets its `seq`
// here.
size_t lsig_outbox_fill(struct lsig_outbox *outbox,
                        enum lsig_dialect dialect,
                        unsigned char *out,
                        size_t size);
