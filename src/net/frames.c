#include "net/frames.h"

#include <string.h>

enum {
    FIN = 0x80,
    RSV = 0x70,
    OPCODE = 0x0f,
    MASKED = 0x80,
    LENGTH = 0x7f,
    LENGTH_16 = 126,
    LENGTH_64 = 127,
    KEY_SIZE = 4,
    CONTINUATION = 0,
    BINARY = 2,
    CLOSE = 8,
    PING = 9,
    PONG = 10,
};

static const char *check_first(const struct lsig_frames *frames, unsigned char first)
{
    unsigned opcode = first & OPCODE;
    if ((first & RSV) != 0) {
        return "reserved bits without an extension";
    }
    if (opcode > PONG || (opcode > BINARY && opcode < CLOSE)) {
        return "a reserved opcode";
    }
    if (opcode >= CLOSE) {
        return (first & FIN) == 0 ? "a control frame in fragments" : NULL;
    }
    if (opcode == CONTINUATION) {
        return frames->in_message ? NULL : "a continuation of nothing";
    }
    return frames->in_message ? "a new message inside of another" : NULL;
}

static const char *check_second(const struct lsig_frames *frames, unsigned char second)
{
    if ((second & MASKED) == 0) {
        return "a frame without a mask";
    }
    bool control = (frames->head[0] & OPCODE) >= CLOSE;
    return control && (second & LENGTH) > 125 ? "a control frame above 125 bytes" : NULL;
}

static size_t head_size(const struct lsig_frames *frames)
{
    switch (frames->head[1] & LENGTH) {
    case LENGTH_16:
        return 4;
    case LENGTH_64:
        return 10;
    default:
        return 2;
    }
}

// The header is complete.
static const char *begin_payload(struct lsig_frames *frames)
{
    const unsigned char *head = frames->head;
    uint64_t length = head[1] & LENGTH;
    if (frames->head_len > 2) {
        length = 0;
        for (size_t i = 2; i < frames->head_len; i++) {
            length = length << 8 | head[i];
        }
        if (length < (frames->head_len == 4 ? 126 : 65536)) {
            return "a length that is not the shortest";
        }
        if (length >> 63 != 0) {
            return "a length above 2^63";
        }
    }
    unsigned opcode = head[0] & OPCODE;
    if (opcode < CLOSE) {
        frames->in_message = (head[0] & FIN) == 0;
    }
    frames->closing = opcode == CLOSE;
    if (opcode == PING) {
        frames->pings++;
    }
    frames->left = length + KEY_SIZE;
    frames->head_len = 0;
    return NULL;
}

static const char *take(struct lsig_frames *frames, unsigned char byte)
{
    const char *breach = NULL;
    frames->head[frames->head_len] = byte;
    if (frames->head_len == 0) {
        breach = check_first(frames, byte);
    } else if (frames->head_len == 1) {
        breach = check_second(frames, byte);
    }
    frames->head_len += 1;
    if (breach == NULL && frames->head_len > 1 && frames->head_len == head_size(frames)) {
        breach = begin_payload(frames);
    }
    return breach;
}

const char *
lsig_frames_walk(struct lsig_frames *frames, const unsigned char *bytes, size_t len, size_t *good)
{
    size_t at = 0;
    size_t start = 0; // of the frame whose header is being read
    frames->pings = 0;
    while (at < len) {
        if (frames->left > 0) {
            size_t skipped = frames->left < len - at ? (size_t)frames->left : len - at;
            frames->left -= skipped;
            at += skipped;
            start = at;
            continue;
        }
        if (frames->closing) { // whatever follows a close frame is not looked at (section 1.4)
            *good = start;
            return NULL;
        }
        const char *breach = take(frames, bytes[at]);
        if (breach != NULL) {
            *good = start;
            return breach;
        }
        at += 1;
    }
    *good = len;
    return NULL;
}

size_t lsig_frames_keep_last_ping(struct lsig_frames frames,
                                  unsigned char *bytes,
                                  size_t len,
                                  unsigned pings)
{
    size_t kept = 0;
    size_t start = 0;
    size_t at = 0;
    bool whole = frames.left == 0 && frames.head_len == 0; // the frame began in these bytes
    unsigned met = 0;
    while (at < len) {
        bool ping = false;
        while (at < len && frames.left == 0) { // its header
            frames.pings = 0;
            (void)take(&frames, bytes[at]);
            at += 1;
            ping = frames.pings > 0;
        }
        met += ping ? 1 : 0;
        size_t rest = frames.left < len - at ? (size_t)frames.left : len - at;
        frames.left -= rest;
        at += rest;
        if (!ping || !whole || met == pings) {
            memmove(bytes + kept, bytes + start, at - start);
            kept += at - start;
        }
        start = at;
        whole = true;
    }
    return kept;
}
