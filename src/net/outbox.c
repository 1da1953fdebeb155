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

void lsig_outbox_push(struct lsig_outbox *outbox, struct lsig_body *body)
{
    if (outbox->count == outbox->capacity) {
        uint32_t capacity = outbox->capacity == 0 ? FIRST_CAPACITY : outbox->capacity * 2;
        struct lsig_body **ring = lsig_alloc(capacity * sizeof(struct lsig_body *));
        for (uint32_t i = 0; i < outbox->count; i++) {
            ring[i] = outbox->ring[(outbox->head + i) & (outbox->capacity - 1)];
        }
        free(outbox->ring);
        outbox->ring = ring;
        outbox->capacity = capacity;
        outbox->head = 0;
    }
    outbox->ring[(outbox->head + outbox->count) & (outbox->capacity - 1)] = lsig_body_ref(body);
    outbox->count += 1;
    outbox->bytes += body_cost(body);
}

static void outbox_pop(struct lsig_outbox *outbox)
{
    struct lsig_body *body = outbox->ring[outbox->head];
    outbox->head = (outbox->head + 1) & (outbox->capacity - 1);
    outbox->count -= 1;
    outbox->bytes -= body_cost(body);
    lsig_body_unref(body);
}

static void outbox_shrink(struct lsig_outbox *outbox)
{
    if (outbox->count == 0 && outbox->capacity > KEPT_CAPACITY) {
        free(outbox->ring);
        outbox->ring = NULL;
        outbox->capacity = 0;
        outbox->head = 0;
    }
}

void lsig_outbox_clear(struct lsig_outbox *outbox)
{
    while (outbox->count > 0) {
        outbox_pop(outbox);
    }
    free(outbox->ring);
    outbox->ring = NULL;
    outbox->capacity = 0;
    outbox->head = 0;
}

size_t lsig_outbox_frame_size(const struct lsig_body *body)
{
    return (size_t)body->len + HEADER_MAX + SEQ_MAX;
}

struct lsig_body *lsig_outbox_first(const struct lsig_outbox *outbox)
{
    return outbox->count == 0 ? NULL : outbox->ring[outbox->head];
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

size_t lsig_outbox_fill(struct lsig_outbox *outbox,
                        enum lsig_dialect dialect,
                        unsigned char *out,
                        size_t size)
{
    size_t at = 0;
    while (outbox->count > 0) {
        const struct lsig_body *body = outbox->ring[outbox->head];
        if (lsig_outbox_frame_size(body) > size - at) {
            break;
        }
        assert(body->len >= 2 && body->data[0] == '{');
        if (dialect == LSIG_V1) {
            char seq[SEQ_MAX];
            size_t seq_len = (size_t)snprintf(seq, sizeof(seq), "{\"seq\":%llu,",
                                              (unsigned long long)++outbox->seq);
            at += write_header(out + at, seq_len + body->len - 1);
            memcpy(out + at, seq, seq_len);
            memcpy(out + at + seq_len, body->data + 1, body->len - 1);
            at += seq_len + body->len - 1;
        } else {
            at += write_header(out + at, body->len);
            memcpy(out + at, body->data, body->len);
            at += body->len;
        }
        outbox_pop(outbox);
    }
    outbox_shrink(outbox);
    return at;
}
