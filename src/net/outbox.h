// outbox.h - the frames of one WebSocket: those that wait, and those that have been sent and are
// kept for a client that resumes. A queue of shared bodies, bounded by its caller.
//
// In lunasig.v1 every frame has a `seq`, one more than the one before, given when it is sent; a
// frame that is sent again has the same one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/body.h"
#include "codec/frame.h"

struct lsig_outbox {
    struct lsig_body **ring; // made on demand, freed when empty and large
    uint32_t capacity;       // a power of two, or 0
    uint32_t head;           // of the ring; kept ones come first
    uint32_t kept;
    uint32_t waiting;
    uint32_t kept_bytes;     // of bodies, and of the queue's own slots
    uint32_t bytes;          // that wait, counted likewise
    uint64_t seq;            // of the last frame sent (lunasig.v1)
    struct lsig_body *first; // goes out before all others and without a seq; NULL: none
    bool lossy;              // something that waited was dropped: a resume cannot be whole
};

void lsig_outbox_push(struct lsig_outbox *outbox,
                      struct lsig_body *body); // takes a reference of its own
// To be sent before everything that waits, without a seq. There must be no other (asserted).
void lsig_outbox_push_first(struct lsig_outbox *outbox, struct lsig_body *body);
void lsig_outbox_clear(struct lsig_outbox *outbox); // drops everything, and notes the loss
// Drops the oldest of the kept frames until at most `frames` and `bytes` are kept.
void lsig_outbox_trim(struct lsig_outbox *outbox, uint32_t frames, uint32_t bytes);
// The client has got everything up to seq: it need not be kept.
void lsig_outbox_confirm(struct lsig_outbox *outbox, uint64_t seq);
// What follows seq waits again. Returns the number of frames that wait; -1, and the outbox is empty
// and no longer lossy, when frames are missing or seq is one that was never sent.
int64_t lsig_outbox_rewind(struct lsig_outbox *outbox, uint64_t seq);
// The body at this place: 0 is the oldest that is kept, `kept` the first that waits. No reference.
struct lsig_body *lsig_outbox_at(const struct lsig_outbox *outbox, uint32_t index);
// After a restart: the first `kept` of what waits have been sent before, the last of them as `seq`.
void lsig_outbox_mark_sent(struct lsig_outbox *outbox, uint32_t kept, uint64_t seq);
// Whether there is anything to send.
static inline bool lsig_outbox_is_idle(const struct lsig_outbox *outbox)
{
    return outbox->waiting == 0 && outbox->first == NULL;
}
// Room that the next frame takes at most; 0: nothing waits.
size_t lsig_outbox_next_size(const struct lsig_outbox *outbox);
// Writes as many ready-made WebSocket frames (RFC 6455 section 5.2, unmasked text) as fit into size
// bytes; returns the bytes written. In lunasig.v1 each gets its `seq` here, and is kept if `keep`
// says so; a body that is good for once is not, and neither is what came before it.
size_t lsig_outbox_fill(struct lsig_outbox *outbox,
                        enum lsig_dialect dialect,
                        bool keep,
                        unsigned char *out,
                        size_t size);
