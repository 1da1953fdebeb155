#include "codec/frame.h"

#include <assert.h>

#include "codec/json.h"

// A piece of the frame: the text in front of a value, and the value.
struct piece {
    const char *before;
    struct lsig_span value;
    size_t before_len;
    size_t value_len; // as written
    bool escaped;     // value is plain text that needs quotes and escapes
};

static struct piece raw_piece(const char *before, struct lsig_span value)
{
    return (struct piece){before, value, strlen(before), value.len, false};
}

static struct piece text_piece(const char *before, struct lsig_span text)
{
    if (text.data == NULL) {
        return raw_piece(before, lsig_span_of("null"));
    }
    return (struct piece){before, text, strlen(before), lsig_json_escaped_len(text) + 2, true};
}

static char *put_piece(char *out, const struct piece *piece)
{
    memcpy(out, piece->before, piece->before_len);
    out += piece->before_len;
    if (!piece->escaped) {
        memcpy(out, piece->value.data, piece->value.len);
        return out + piece->value.len;
    }
    *out++ = '"';
    if (piece->value_len == piece->value.len + 2) {
        // Nothing to escape: as nearly always.
        memcpy(out, piece->value.data, piece->value.len);
        out += piece->value.len;
    } else {
        out = lsig_json_put_escaped(out, piece->value);
    }
    *out++ = '"';
    return out;
}

struct lsig_body *lsig_frame_print(const struct lsig_frame *frame, enum lsig_dialect dialect)
{
    assert(frame->type.data != NULL && frame->payload.data != NULL &&
           frame->timestamp.data != NULL);
    bool v1 = dialect == LSIG_V1;
    const struct piece pieces[] = {
        text_piece("{\"type\":", frame->type),
        raw_piece(",\"payload\":", frame->payload),
        text_piece(",\"sender_id\":", frame->sender_id),
        text_piece(",\"room_id\":", frame->room_id),
        raw_piece(",\"timestamp\":\"", frame->timestamp),
        v1 ? text_piece("\",\"sender_peer_id\":", frame->sender_peer_id)
           : raw_piece("\"", lsig_span_of("")),
    };
    size_t count = sizeof(pieces) / sizeof(pieces[0]);
    size_t len = 1;
    for (size_t i = 0; i < count; i++) {
        len += pieces[i].before_len + pieces[i].value_len;
    }
    struct lsig_body *body = lsig_body_new(len);
    char *out = body->data;
    for (size_t i = 0; i < count; i++) {
        out = put_piece(out, &pieces[i]);
    }
    *out++ = '}';
    assert(out == body->data + len);
    return body;
}
