#include "codec/json.h"

#include <inttypes.h>
#include <string.h>

#include "codec/utf8.h"

static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

// What stands for the character at *at: its bytes in out, their number as the result.
static size_t escape_next(const char **at, const char *end, char out[6])
{
    char c = **at;
    size_t len = lsig_utf8_len(*at, end);
    if (len == 0) {
        // Whoever gave us this (a policy can make any bytes), nobody gets a frame that is not
        // UTF-8.
        static const char replacement[3] = {'\xef', '\xbf', '\xbd'}; // U+FFFD
        memcpy(out, replacement, sizeof(replacement));
        *at += 1;
        return 3;
    }
    *at += len;
    if (len > 1 || is_plain(c)) {
        memcpy(out, *at - len, len);
        return len;
    }
    const char *known = c != '\0' ? strchr("\"\"\\\\\bb\ff\nn\rr\tt", c) : NULL;
    out[0] = '\\';
    if (known != NULL) {
        out[1] = known[1];
        return 2;
    }
    out[1] = 'u';
    out[2] = '0';
    out[3] = '0';
    out[4] = "0123456789abcdef"[(unsigned char)c >> 4];
    out[5] = "0123456789abcdef"[(unsigned char)c & 15];
    return 6;
}

size_t lsig_json_escaped_len(struct lsig_span text)
{
    if (text.len == 0) {
        return 0;
    }
    char piece[6];
    size_t len = 0;
    const char *end = text.data + text.len;
    for (const char *at = text.data; at < end;) {
        if (is_plain(*at)) {
            at++;
            len++;
        } else {
            len += escape_next(&at, end, piece);
        }
    }
    return len;
}

char *lsig_json_put_escaped(char *out, struct lsig_span text)
{
    if (text.len == 0) {
        return out;
    }
    char piece[6];
    const char *end = text.data + text.len;
    for (const char *at = text.data; at < end;) {
        if (is_plain(*at)) {
            *out++ = *at++;
        } else {
            size_t len = escape_next(&at, end, piece);
            memcpy(out, piece, len);
            out += len;
        }
    }
    return out;
}

void lsig_json_escape(struct lsig_buf *buf, struct lsig_span text)
{
    if (text.len == 0) {
        return;
    }
    char piece[6];
    const char *end = text.data + text.len;
    for (const char *at = text.data; at < end;) {
        const char *from = at;
        while (at < end && is_plain(*at)) {
            at++;
        }
        lsig_buf_append(buf, from, (size_t)(at - from));
        if (at < end) {
            lsig_buf_append(buf, piece, escape_next(&at, end, piece));
        }
    }
}

static void append_quoted(struct lsig_buf *buf, struct lsig_span text)
{
    lsig_buf_append(buf, "\"", 1);
    lsig_json_escape(buf, text);
    lsig_buf_append(buf, "\"", 1);
}

// The comma, if something stands before in the same brackets, and the name.
static void begin(struct lsig_buf *buf, const char *name)
{
    if (buf->len > 0 && strchr("{[:,", buf->data[buf->len - 1]) == NULL) {
        lsig_buf_append(buf, ",", 1);
    }
    if (name != NULL) {
        append_quoted(buf, lsig_span_of(name));
        lsig_buf_append(buf, ":", 1);
    }
}

void lsig_json_open(struct lsig_buf *buf, const char *name, char bracket)
{
    begin(buf, name);
    lsig_buf_append(buf, &bracket, 1);
}

void lsig_json_close(struct lsig_buf *buf, char bracket)
{
    lsig_buf_append(buf, &bracket, 1);
}

void lsig_json_text(struct lsig_buf *buf, const char *name, struct lsig_span text)
{
    if (text.data == NULL) {
        lsig_json_null(buf, name);
        return;
    }
    begin(buf, name);
    append_quoted(buf, text);
}

void lsig_json_string(struct lsig_buf *buf, const char *name, const char *text)
{
    lsig_json_text(buf, name, lsig_span_of(text));
}

void lsig_json_integer(struct lsig_buf *buf, const char *name, int64_t number)
{
    begin(buf, name);
    lsig_buf_append_format(buf, "%" PRId64, number);
}

void lsig_json_boolean(struct lsig_buf *buf, const char *name, bool value)
{
    begin(buf, name);
    lsig_buf_append_text(buf, value ? "true" : "false");
}

void lsig_json_null(struct lsig_buf *buf, const char *name)
{
    begin(buf, name);
    lsig_buf_append_text(buf, "null");
}

void lsig_json_raw(struct lsig_buf *buf, const char *name, struct lsig_span json)
{
    begin(buf, name);
    lsig_buf_append_span(buf, json);
}
