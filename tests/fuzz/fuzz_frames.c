// Headers of WebSocket frames: any bytes, in any pieces, are walked to where RFC 6455 says, and of
// several pings in one piece the last one is left. What the RFC says is worked out here frame by
// frame, over all bytes at once. The first byte of an input chooses the pieces.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/frames.h"
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAMES_MAX = 20000, PING = 9, CLOSE = 8 };

struct frame {
    size_t start;
    size_t head_end; // behind the length: the mask's key belongs to what is skipped
    size_t end;
    unsigned opcode;
};

struct stream {
    const unsigned char *bytes;
    size_t size;
    struct frame *frames; // whose header is complete
    size_t count;
    size_t good; // how far the rules are kept, and no close frame lies behind
    const char *breach;
};

static uint64_t read_number(const unsigned char *bytes, size_t len)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++) {
        number = number * 256 + bytes[i];
    }
    return number;
}

static const char *judge_first(unsigned first, bool in_message)
{
    unsigned opcode = first % 16;
    if (first / 16 % 8 != 0) {
        return "reserved bits without an extension"; // section 5.2
    }
    switch (opcode) {
    case 0:
        return in_message ? NULL : "a continuation of nothing"; // 5.4
    case 1:
    case 2:
        return in_message ? "a new message inside of another" : NULL; // 5.4
    case 8:
    case 9:
    case 10:
        return first >= 128 ? NULL : "a control frame in fragments"; // 5.5
    default:
        return "a reserved opcode"; // 5.2
    }
}

// Reads the header at frame->start. false: it is not complete, or breaks a rule.
static bool read_head(struct stream *stream, struct frame *frame, bool in_message)
{
    const unsigned char *head = stream->bytes + frame->start;
    size_t left = stream->size - frame->start;
    frame->opcode = head[0] % 16;
    stream->breach = judge_first(head[0], in_message);
    if (stream->breach != NULL || left < 2) {
        return false;
    }
    unsigned length = head[1] % 128;
    if (head[1] < 128) {
        stream->breach = "a frame without a mask"; // 5.1
    } else if (frame->opcode >= CLOSE && length > 125) {
        stream->breach = "a control frame above 125 bytes"; // 5.5
    }
    size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (stream->breach != NULL || left < 2 + more) {
        return false;
    }
    uint64_t payload = more == 0 ? length : read_number(head + 2, more);
    if (more != 0 && payload < (more == 2 ? 126 : 65536)) {
        stream->breach = "a length that is not the shortest"; // 5.2
    } else if (payload > INT64_MAX) {
        stream->breach = "a length above 2^63"; // 5.2
    }
    frame->head_end = frame->start + 2 + more;
    uint64_t rest = stream->size - frame->head_end;
    frame->end = frame->head_end + (size_t)(payload + 4 < rest ? payload + 4 : rest);
    return stream->breach == NULL;
}

static void read_stream(struct stream *stream)
{
    bool in_message = false;
    struct frame frame = {.opcode = 0};
    while (frame.end < stream->size && frame.opcode != CLOSE) {
        frame.start = frame.end;
        if (!read_head(stream, &frame, in_message)) {
            stream->good = stream->breach != NULL ? frame.start : stream->size;
            return;
        }
        if (frame.opcode < CLOSE) {
            in_message = stream->bytes[frame.start] < 128;
        }
        EXPECT(stream->count < FRAMES_MAX);
        stream->frames[stream->count++] = frame;
    }
    stream->good = frame.end;
}

static bool ends_in(const struct frame *frame, size_t from, size_t to)
{
    return frame->opcode == PING && frame->head_end > from && frame->head_end <= to;
}

// What stays of the bytes `from` to `to`, in `kept`; returns how many.
static size_t
keep_last(const struct stream *stream, size_t from, size_t to, unsigned char *kept, unsigned *pings)
{
    const struct frame *last = NULL;
    *pings = 0;
    for (size_t i = 0; i < stream->count; i++) {
        if (ends_in(&stream->frames[i], from, to)) {
            last = &stream->frames[i];
            *pings += 1;
        }
    }
    size_t len = 0;
    size_t at = from;
    for (size_t i = 0; i < stream->count; i++) {
        const struct frame *frame = &stream->frames[i];
        if (ends_in(frame, from, to) && frame != last && frame->start >= from) {
            memcpy(kept + len, stream->bytes + at, frame->start - at);
            len += frame->start - at;
            at = frame->end < to ? frame->end : to;
        }
    }
    memcpy(kept + len, stream->bytes + at, to - at);
    return len + to - at;
}

static void check_pings(
    const struct stream *stream, struct lsig_frames before, size_t from, size_t to, unsigned pings)
{
    size_t size = to - from;
    unsigned char *wanted = malloc(size + 1);
    unsigned char *bytes = malloc(size + 1);
    EXPECT(wanted != NULL && bytes != NULL);
    unsigned counted = 0;
    size_t len = keep_last(stream, from, to, wanted, &counted);
    EXPECT(pings == counted);
    memcpy(bytes, stream->bytes + from, size);
    EXPECT(lsig_frames_keep_last_ping(before, bytes, size, pings) == len);
    EXPECT(memcmp(bytes, wanted, len) == 0);
    free(wanted);
    free(bytes);
}

// Walks the stream in pieces of 1 to longest bytes.
static void check_walk(const struct stream *stream, size_t longest)
{
    struct lsig_frames frames;
    memset(&frames, 0, sizeof(frames));
    uint64_t random = longest;
    for (size_t from = 0; from < stream->size;) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        size_t len = (size_t)((random >> 33) % longest) + 1;
        len = len < stream->size - from ? len : stream->size - from;
        struct lsig_frames before = frames;
        size_t good = SIZE_MAX;
        const char *breach = lsig_frames_walk(&frames, stream->bytes + from, len, &good);
        EXPECT(good <= len);
        if (from + len >= stream->good && (breach != NULL || good < len)) {
            size_t wanted = stream->good > from ? stream->good - from : 0;
            EXPECT(good == wanted);
            EXPECT((breach == NULL) == (stream->breach == NULL));
            EXPECT(breach == NULL || strcmp(breach, stream->breach) == 0);
            check_pings(stream, before, from, from + good, frames.pings);
            return;
        }
        EXPECT(breach == NULL && good == len);
        check_pings(stream, before, from, from + len, frames.pings);
        from += len;
    }
    EXPECT(stream->breach == NULL && stream->good == stream->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > FRAMES_MAX) {
        return 0;
    }
    char *copy = oracle_copy(data + 1, size - 1);
    struct frame *frames = malloc(size * sizeof(*frames));
    EXPECT(frames != NULL);
    struct stream stream = {
        .bytes = (const unsigned char *)copy, .size = size - 1, .frames = frames};
    read_stream(&stream);
    check_walk(&stream, size);
    check_walk(&stream, 1);
    check_walk(&stream, (size_t)data[0] + 1);
    free(frames);
    free(copy);
    return 0;
}
