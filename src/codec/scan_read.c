// The readers of scan.h: they trust the text, which the scanner has accepted.
#include "codec/scan.h"

#include <assert.h>

enum lsig_json_type lsig_scan_type(struct lsig_span value)
{
    assert(value.len > 0);
    switch (value.data[0]) {
    case '{':
        return LSIG_JSON_OBJECT;
    case '[':
        return LSIG_JSON_ARRAY;
    case '"':
        return LSIG_JSON_STRING;
    case 't':
    case 'f':
        return LSIG_JSON_BOOLEAN;
    case 'n':
        return LSIG_JSON_NULL;
    default:
        return LSIG_JSON_NUMBER;
    }
}

static size_t skip_white(struct lsig_span text, size_t at)
{
    while (at < text.len && (text.data[at] == ' ' || text.data[at] == '\n' ||
                             text.data[at] == '\r' || text.data[at] == '\t')) {
        at++;
    }
    return at;
}

// `at` stands on the opening quote; returns what follows the closing one.
static size_t skip_string(struct lsig_span text, size_t at)
{
    for (;;) {
        at++;
        const char *quote = memchr(text.data + at, '"', text.len - at);
        assert(quote != NULL);
        size_t end = (size_t)(quote - text.data);
        size_t backslashes = 0;
        while (end - backslashes > at && text.data[end - backslashes - 1] == '\\') {
            backslashes++;
        }
        at = end;
        if (backslashes % 2 == 0) {
            return at + 1;
        }
    }
}

static size_t skip_nested(struct lsig_span text, size_t at)
{
    size_t depth = 0;
    do {
        assert(at < text.len);
        switch (text.data[at]) {
        case '"':
            at = skip_string(text, at);
            continue;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            depth--;
            break;
        default:
            break;
        }
        at++;
    } while (depth > 0);
    return at;
}

static size_t skip_value(struct lsig_span text, size_t at)
{
    assert(at < text.len);
    char first = text.data[at];
    if (first == '"') {
        return skip_string(text, at);
    }
    if (first == '{' || first == '[') {
        return skip_nested(text, at);
    }
    while (at < text.len && strchr(",}] \n\r\t", text.data[at]) == NULL) {
        at++;
    }
    return at;
}

// Moves to the next entry of an object or array; false at its end.
static bool next_entry(struct lsig_span text, size_t *cursor)
{
    size_t at = skip_white(text, *cursor == 0 ? 1 : *cursor);
    assert(at < text.len);
    if (text.data[at] == ',') {
        at = skip_white(text, at + 1);
    }
    *cursor = at;
    return text.data[at] != '}' && text.data[at] != ']';
}

bool lsig_scan_member(struct lsig_span object,
                      size_t *cursor,
                      struct lsig_span *key,
                      struct lsig_span *value)
{
    if (!next_entry(object, cursor)) {
        return false;
    }
    size_t at = skip_string(object, *cursor);
    *key = (struct lsig_span){object.data + *cursor + 1, at - *cursor - 2};
    at = skip_white(object, at);
    size_t from = skip_white(object, at + 1); // behind the colon
    *cursor = skip_value(object, from);
    *value = (struct lsig_span){object.data + from, *cursor - from};
    return true;
}

bool lsig_scan_element(struct lsig_span array, size_t *cursor, struct lsig_span *value)
{
    if (!next_entry(array, cursor)) {
        return false;
    }
    size_t from = *cursor;
    *cursor = skip_value(array, from);
    *value = (struct lsig_span){array.data + from, *cursor - from};
    return true;
}

static unsigned read_unit(const char *digits)
{
    unsigned unit = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)digits[i];
        unit = unit * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return unit;
}

static size_t put_utf8(unsigned code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

// Reads one byte or one escape at *at: its plain bytes in out, their number as the result.
static size_t unescape_next(struct lsig_span inside, size_t *at, char out[4])
{
    char c = inside.data[(*at)++];
    if (c != '\\') {
        out[0] = c;
        return 1;
    }
    c = inside.data[(*at)++];
    if (c != 'u') {
        const char *escape = strchr("b\bf\fn\nr\rt\t", c);
        if (escape != NULL) {
            c = escape[1];
        }
        out[0] = c;
        return 1;
    }
    unsigned code = read_unit(inside.data + *at);
    *at += 4;
    if (code >= 0xd800 && code < 0xdc00) {
        unsigned low = read_unit(inside.data + *at + 2);
        *at += 6;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    return put_utf8(code, out);
}

bool lsig_scan_unescape(struct lsig_span inside, char *out, size_t size, size_t *len_out)
{
    if (inside.len == 0 || memchr(inside.data, '\\', inside.len) == NULL) {
        if (inside.len > size) {
            return false;
        }
        if (inside.len > 0) {
            memcpy(out, inside.data, inside.len);
        }
        *len_out = inside.len;
        return true;
    }
    char piece[4];
    size_t len = 0;
    for (size_t at = 0; at < inside.len;) {
        len += unescape_next(inside, &at, piece);
    }
    if (len > size) {
        return false;
    }
    len = 0;
    for (size_t at = 0; at < inside.len;) {
        size_t part = unescape_next(inside, &at, piece);
        memcpy(out + len, piece, part);
        len += part;
    }
    *len_out = len;
    return true;
}

bool lsig_scan_key_is(struct lsig_span key, struct lsig_span plain)
{
    if (key.len < plain.len) {
        return false; // an escape is longer than what it stands for
    }
    bool escaped = key.len > 0 && memchr(key.data, '\\', key.len) != NULL;
    if (!escaped || key.len == plain.len) {
        return !escaped && lsig_span_equal(key, plain);
    }
    size_t same = 0;
    for (size_t at = 0; at < key.len;) {
        char piece[4];
        size_t part = unescape_next(key, &at, piece);
        if (part > plain.len - same || memcmp(piece, plain.data + same, part) != 0) {
            return false;
        }
        same += part;
    }
    return same == plain.len;
}
