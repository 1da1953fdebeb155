// Frames of a client (RFC 6455 section 5): masked on their way out, bare on their way in.
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "net/dial_parts.h"

enum {
    CONTINUATION = 0,
    FIN = 0x80,
    MASKED = 0x80,
    CONTROL_MAX = 125, // bytes of a control frame's payload
    HEAD_MAX = 14,
    OUT_FULL = 256 * 1024,
    MASK_BYTES = 4,
    CODE_PROTOCOL = 1002,
};

// --- out

bool lsig_dial_send(struct lsig_dial *dial, enum lsig_dial_opcode opcode, struct lsig_span payload)
{
    unsigned char head[HEAD_MAX] = {(unsigned char)(FIN | opcode)};
    size_t head_len = 2;
    if (payload.len <= CONTROL_MAX) {
        head[1] = (unsigned char)payload.len;
    } else {
        int bytes = payload.len <= 0xffff ? 2 : 8;
        head[1] = bytes == 2 ? 126 : 127;
        for (int i = bytes - 1; i >= 0; i--) {
            head[head_len++] = (unsigned char)((uint64_t)payload.len >> (8 * i));
        }
    }
    head[1] |= MASKED;
    unsigned char *mask = head + head_len;
    lsig_random_bytes(mask, MASK_BYTES);
    head_len += MASK_BYTES;
    if (dial->close_sent) {
        return false;
    }
    size_t at = dial->out.len + head_len;
    lsig_buf_append(&dial->out, head, head_len);
    lsig_buf_append_span(&dial->out, payload);
    for (size_t i = 0; !dial->out.overflowed && i < payload.len; i++) {
        dial->out.data[at + i] = (char)(payload.data[i] ^ mask[i % MASK_BYTES]);
    }
    dial->close_sent = opcode == LSIG_DIAL_CLOSE;
    bool waits = opcode <= LSIG_DIAL_BINARY && dial->out.len < OUT_FULL;
    return !dial->out.overflowed && (waits || lsig_dial_flush(dial));
}

// --- in

struct frame {
    bool fin;
    unsigned char opcode;
    struct lsig_span payload;
};

// The next whole frame. False: it is not there yet, or *broken.
static bool take_frame(struct lsig_dial *dial, struct frame *frame, bool *broken)
{
    const unsigned char *at = (const unsigned char *)dial->in.data + dial->taken;
    size_t left = dial->in.len - dial->taken;
    size_t head_len = 2;
    if (left < head_len) {
        return false;
    }
    uint64_t len = at[1] & 0x7f;
    size_t bytes = len == 126 ? 2 : len == 127 ? 8 : 0;
    head_len += bytes;
    *broken = (at[1] & MASKED) != 0; // section 5.1: a server must not mask
    if (*broken || left < head_len) {
        return false;
    }
    if (bytes > 0) {
        len = 0;
        for (size_t i = 0; i < bytes; i++) {
            len = len << 8 | at[2 + i];
        }
    }
    *broken = len > LSIG_DIAL_MESSAGE_MAX;
    if (*broken || left - head_len < len) {
        return false;
    }
    frame->fin = (at[0] & FIN) != 0;
    frame->opcode = at[0] & 0x7f;
    frame->payload = (struct lsig_span){(const char *)at + head_len, (size_t)len};
    dial->taken += head_len + (size_t)len;
    return true;
}

static struct lsig_dial_news end(struct lsig_dial *dial, int code, struct lsig_span reason)
{
    dial->ended = true;
    dial->told = true;
    return (struct lsig_dial_news){LSIG_DIAL_ENDED, reason, code};
}

static struct lsig_dial_news on_close(struct lsig_dial *dial, struct lsig_span payload)
{
    const unsigned char *bytes = (const unsigned char *)payload.data;
    int code = payload.len >= 2 ? bytes[0] << 8 | bytes[1] : 1005; // section 7.4.1: none was given
    snprintf(dial->reason, sizeof(dial->reason), "%.*s", payload.len > 2 ? (int)payload.len - 2 : 0,
             payload.len > 2 ? payload.data + 2 : "");
    if (!dial->close_sent) {
        lsig_dial_send(dial, LSIG_DIAL_CLOSE,
                       (struct lsig_span){payload.data, payload.len >= 2 ? 2 : 0});
    }
    return end(dial, code, lsig_span_of(dial->reason));
}

// A frame becomes news, or part of some: kind NOTHING.
static struct lsig_dial_news on_frame(struct lsig_dial *dial, const struct frame *frame)
{
    struct lsig_dial_news news = {LSIG_DIAL_NOTHING, {"", 0}, 0};
    switch (frame->opcode) {
    case CONTINUATION:
    case LSIG_DIAL_TEXT:
        lsig_buf_append_span(&dial->message, frame->payload);
        if (frame->fin) {
            dial->whole = true;
            news = (struct lsig_dial_news){LSIG_DIAL_HEARD, lsig_buf_span(&dial->message), 0};
        }
        return news;
    case LSIG_DIAL_CLOSE:
        return on_close(dial, frame->payload);
    case LSIG_DIAL_PING:
        lsig_dial_send(dial, LSIG_DIAL_PONG, frame->payload);
        return news;
    case LSIG_DIAL_PONG:
        return (struct lsig_dial_news){LSIG_DIAL_PONGED, frame->payload, 0};
    default:
        return end(dial, CODE_PROTOCOL, lsig_span_of("a frame of an unknown kind came"));
    }
}

// What has been taken leaves; spans into dial->in end here.
static void compact(struct lsig_dial *dial)
{
    if (dial->taken > 0) {
        dial->in.len -= dial->taken;
        memmove(dial->in.data, dial->in.data + dial->taken, dial->in.len);
        dial->in.data[dial->in.len] = '\0';
        dial->taken = 0;
    }
}

struct lsig_dial_news lsig_dial_next(struct lsig_dial *dial)
{
    struct lsig_dial_news news = {LSIG_DIAL_NOTHING, {"", 0}, 0};
    if (dial->told || dial->hushed) {
        return news;
    }
    if (dial->whole) {
        dial->whole = false;
        lsig_buf_reset(&dial->message);
    }
    if (dial->out.len > 0) {
        lsig_dial_flush(dial);
    }
    compact(dial);
    lsig_dial_fill(dial);
    struct frame frame;
    bool broken = false;
    while (news.kind == LSIG_DIAL_NOTHING && take_frame(dial, &frame, &broken)) {
        news = on_frame(dial, &frame);
    }
    if (broken) {
        return end(dial, CODE_PROTOCOL, lsig_span_of("a frame came that breaks RFC 6455"));
    }
    if (news.kind == LSIG_DIAL_NOTHING && dial->ended) {
        return end(dial, LSIG_DIAL_LOST, lsig_span_of(""));
    }
    return news;
}
