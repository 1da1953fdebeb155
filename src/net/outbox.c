#include "net/outbox.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { FIRST_CAPACITY = 4, KEPT_CAPACITY = 8, HEADER_MAX = 10, SEQ_MAX = 32, TEXT_FRAME = 0x81 };

static uint32_t body_cost(const struct lsig_body *body)
{
    return body->len + (uint32_t)sizeof(struct lsig_body *);
}

static uint32_t count_of(const struct lsig_outbox *outbox)
{
    return outbox->kept + outbox->waiting;
}

struct lsig_body *lsig_outbox_at(const struct lsig_outbox *outbox, uint32_t index)
{
    return outbox->ring[(outbox->head + index) & (outbox->capacity - 1)];
}

void lsig_outbox_push(struct lsig_outbox *outbox, struct lsig_body *body)
{
    uint32_t count = count_of(outbox);
    if (count == outbox->capacity) {
        uint32_t capacity = outbox->capacity == 0 ? FIRST_CAPACITY : outbox->capacity * 2;
        struct lsig_body **ring = lsig_alloc(capacity * sizeof(struct lsig_body *));
        for (uint32_t i = 0; i < count; i++) {
            ring[i] = lsig_outbox_at(outbox, i);
        }
        free(outbox->ring);
        outbox->ring = ring;
        outbox->capacity = capacity;
        outbox->head = 0;
    }
    outbox->ring[(outbox->head + count) & (outbox->capacity - 1)] = lsig_body_ref(body);
    outbox->waiting += 1;
    outbox->bytes += body_cost(body);
}

void lsig_outbox_push_first(struct lsig_outbox *outbox, struct lsig_body *body)
{
    assert(outbox->first == NULL);
    outbox->first = lsig_body_ref(body);
    outbox->bytes += body_cost(body);
}

static void ring_free(struct lsig_outbox *outbox)
{
    free(outbox->ring);
    outbox->ring = NULL;
    outbox->capacity = 0;
    outbox->head = 0;
}

// Takes the oldest body off the ring; the caller has its reference.
static struct lsig_body *ring_take(struct lsig_outbox *outbox)
{
    struct lsig_body *body = outbox->ring[outbox->head];
    outbox->head = (outbox->head + 1) & (outbox->capacity - 1);
    return body;
}

static void drop_kept(struct lsig_outbox *outbox)
{
    struct lsig_body *body = ring_take(outbox);
    outbox->kept -= 1;
    outbox->kept_bytes -= body_cost(body);
    lsig_body_unref(body);
}

static void outbox_shrink(struct lsig_outbox *outbox)
{
    if (count_of(outbox) == 0 && outbox->capacity > KEPT_CAPACITY) {
        ring_free(outbox);
    }
}

static void drop_first(struct lsig_outbox *outbox)
{
    if (outbox->first != NULL) {
        outbox->bytes -= body_cost(outbox->first);
        lsig_body_unref(outbox->first);
        outbox->first = NULL;
    }
}

void lsig_outbox_clear(struct lsig_outbox *outbox)
{
    outbox->lossy = outbox->lossy || outbox->waiting > 0;
    drop_first(outbox);
    for (uint32_t count = count_of(outbox); count > 0; count--) {
        lsig_body_unref(ring_take(outbox));
    }
    outbox->kept = 0;
    outbox->kept_bytes = 0;
    outbox->waiting = 0;
    outbox->bytes = 0;
    ring_free(outbox);
}

void lsig_outbox_trim(struct lsig_outbox *outbox, uint32_t frames, uint32_t bytes)
{
    while (outbox->kept > frames || outbox->kept_bytes > bytes) {
        drop_kept(outbox);
    }
    outbox_shrink(outbox);
}

void lsig_outbox_confirm(struct lsig_outbox *outbox, uint64_t seq)
{
    while (outbox->kept > 0 && outbox->seq - outbox->kept + 1 <= seq) {
        drop_kept(outbox);
    }
    outbox_shrink(outbox);
}

int64_t lsig_outbox_rewind(struct lsig_outbox *outbox, uint64_t seq)
{
    drop_first(outbox); // of an earlier return that did not reach the client
    if (outbox->lossy || seq > outbox->seq || outbox->seq - seq > outbox->kept) {
        lsig_outbox_clear(outbox);
        outbox->lossy = false;
        return -1;
    }
    lsig_outbox_confirm(outbox, seq);
    outbox->waiting += outbox->kept;
    outbox->bytes += outbox->kept_bytes;
    outbox->kept = 0;
    outbox->kept_bytes = 0;
    outbox->seq = seq;
    return outbox->waiting;
}

void lsig_outbox_mark_sent(struct lsig_outbox *outbox, uint32_t kept, uint64_t seq)
{
    assert(outbox->kept == 0);
    for (uint32_t i = 0; i < kept && outbox->waiting > 0; i++) {
        uint32_t cost = body_cost(lsig_outbox_at(outbox, i));
        outbox->kept += 1;
        outbox->kept_bytes += cost;
        outbox->waiting -= 1;
        outbox->bytes -= cost;
    }
    outbox->seq = seq;
}

size_t lsig_outbox_next_size(const struct lsig_outbox *outbox)
{
    const struct lsig_body *next = outbox->first     ? outbox->first
                                   : outbox->waiting ? lsig_outbox_at(outbox, outbox->kept)
                                                     : NULL;
    return next == NULL ? 0 : (size_t)next->len + HEADER_MAX + SEQ_MAX;
}

static size_t write_header(unsigned char *out, size_t len)
{
    out[0] = TEXT_FRAME;
    if (len < 126) {
        out[1] = (unsigned char)len;
        return 2;
    }
    if (len < 65536) {
        out[1] = 126;
        out[2] = (unsigned char)(len >> 8);
        out[3] = (unsigned char)len;
        return 4;
    }
    out[1] = 127;
    for (int i = 0; i < 8; i++) {
        out[2 + i] = (unsigned char)((uint64_t)len >> (56 - 8 * i));
    }
    return 10;
}

// One frame; seq 0 leaves it out.
static size_t write_frame(unsigned char *out, const struct lsig_body *body, uint64_t seq)
{
    assert(body->len >= 2 && body->data[0] == '{');
    if (seq == 0) {
        size_t at = write_header(out, body->len);
        memcpy(out + at, body->data, body->len);
        return at + body->len;
    }
    char text[SEQ_MAX];
    size_t len = (size_t)snprintf(text, sizeof(text), "{\"seq\":%llu,", (unsigned long long)seq);
    size_t at = write_header(out, len + body->len - 1);
    memcpy(out + at, text, len);
    memcpy(out + at + len, body->data + 1, body->len - 1);
    return at + len + body->len - 1;
}

// The oldest one that waits has been written.
static void settle(struct lsig_outbox *outbox, struct lsig_body *body, bool keep)
{
    outbox->waiting -= 1;
    outbox->bytes -= body_cost(body);
    if (keep) {
        outbox->kept += 1;
        outbox->kept_bytes += body_cost(body);
        return;
    }
    while (outbox->kept > 0) {
        drop_kept(outbox); // with a gap behind it, what was kept until now is of no use
    }
    lsig_body_unref(ring_take(outbox));
}

size_t lsig_outbox_fill(struct lsig_outbox *outbox,
                        enum lsig_dialect dialect,
                        bool keep,
                        unsigned char *out,
                        size_t size)
{
    size_t at = 0;
    while (!lsig_outbox_is_idle(outbox) && lsig_outbox_next_size(outbox) <= size - at) {
        if (outbox->first != NULL) {
            at += write_frame(out + at, outbox->first, 0);
            drop_first(outbox);
            continue;
        }
        struct lsig_body *body = lsig_outbox_at(outbox, outbox->kept);
        if (dialect == LSIG_V1) {
            outbox->seq += 1;
        }
        at += write_frame(out + at, body, dialect == LSIG_V1 ? outbox->seq : 0);
        settle(outbox, body, keep && dialect == LSIG_V1 && !body->once);
    }
    outbox_shrink(outbox);
    return at;
}
