#include "oracle.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/number.h"
#include "codec/scan.h"

void oracle_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

// The length of the sequence at `at`, or 0. By decoding, in contrast to the ranges of bytes in
// codec/utf8.h.
static size_t decode(const char *at, size_t left)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t lead = (unsigned char)*at;
    if (lead < 0x80) {
        return 1;
    }
    size_t len = lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (len == 0 || len > left) {
        return 0;
    }
    uint32_t code = lead & (0x7fu >> len);
    for (size_t k = 1; k < len; k++) {
        uint32_t next = (unsigned char)at[k];
        if (next >> 6 != 2) {
            return 0;
        }
        code = code << 6 | (next & 0x3f);
    }
    bool fine = code >= smallest[len] && code <= 0x10ffff && (code < 0xd800 || code >= 0xe000);
    return fine ? len : 0;
}

char *oracle_copy(const void *data, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);
    EXPECT(copy != NULL);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    return copy;
}

bool oracle_is_utf8(struct lsig_span text)
{
    for (size_t i = 0; i < text.len;) {
        size_t len = decode(text.data + i, text.len - i);
        if (len == 0) {
            return false;
        }
        i += len;
    }
    return true;
}

bool oracle_exceeds_limits(struct lsig_span text)
{
    size_t depth = 0;
    size_t deepest = 0;
    size_t values = 0; // commas, and one more for each bracket that is not closed at once
    bool inside = false;
    char before = ' ';
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (inside) {
            i += c == '\\' ? 1 : 0;
            inside = c != '"';
            continue;
        }
        if (strchr(" \t\r\n", c) != NULL) {
            continue;
        }
        bool closes = c == ']' || c == '}';
        values += (before == '[' || before == '{') && !closes;
        values += c == ',';
        depth += c == '[' || c == '{';
        deepest = depth > deepest ? depth : deepest;
        depth -= closes;
        inside = c == '"';
        before = c;
    }
    return deepest > 32 || values > 1024;
}

static const json_t *find_target(const json_t *root)
{
    static const char *const paths[] = {
        "target_id",  "target",        "to",           "/target_user_id",
        "/target_id", "/targetUserId", "/receiver_id", "/recipient_user_id",
    };
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const json_t *found = paths[i][0] == '/'
                                  ? json_object_get(json_object_get(root, "payload"), paths[i] + 1)
                                  : json_object_get(root, paths[i]);
        if (found != NULL && !json_is_null(found)) {
            return found;
        }
    }
    return NULL;
}

struct oracle_envelope oracle_read_envelope(const json_t *root)
{
    struct oracle_envelope expected = {.status = LSIG_INVALID_MESSAGE};
    const json_t *type = json_object_get(root, "type");
    const json_t *id = json_object_get(root, "id");
    const json_t *target = find_target(root);
    if (!json_is_object(root) || !json_is_string(type) ||
        !json_is_object(json_object_get(root, "payload"))) {
        return expected;
    }
    if (id != NULL && !json_is_null(id)) {
        if (!json_is_integer(id) || json_integer_value(id) <= 0) {
            return expected;
        }
        expected.id = json_integer_value(id);
    }
    if (target != NULL) {
        size_t len = json_string_length(target);
        if (!json_is_string(target) || len == 0 || len > 128) {
            return expected;
        }
        expected.target = json_string_value(target);
    }
    expected.type = json_string_value(type);
    expected.timestamp = json_string_value(json_object_get(root, "timestamp"));
    expected.status = json_string_length(type) > 64 ? LSIG_UNKNOWN_TYPE : LSIG_OK;
    return expected;
}

static char *unescape(struct lsig_span inside, size_t *len)
{
    char *plain = malloc(inside.len + 1);
    EXPECT(plain != NULL);
    EXPECT(lsig_scan_unescape(inside, plain, inside.len, len));
    plain[*len] = '\0';
    EXPECT(lsig_scan_key_is(inside, (struct lsig_span){plain, *len}));
    EXPECT(*len == 0 || !lsig_scan_unescape(inside, plain, *len - 1, len));
    return plain;
}

static void compare_string(struct lsig_span value, const json_t *tree)
{
    size_t len;
    char *plain = unescape((struct lsig_span){value.data + 1, value.len - 2}, &len);
    EXPECT(len == json_string_length(tree) && memcmp(plain, json_string_value(tree), len) == 0);
    free(plain);
}

static void compare_object(struct lsig_span value, const json_t *tree, bool unique)
{
    struct lsig_span key;
    struct lsig_span member;
    size_t count = 0;
    for (size_t cursor = 0; lsig_scan_member(value, &cursor, &key, &member); count++) {
        size_t len;
        char *plain = unescape(key, &len);
        const json_t *below = json_object_get(tree, plain);
        EXPECT(below != NULL);
        free(plain);
        if (unique) {
            oracle_compare(member, below, unique);
        }
    }
    EXPECT(unique ? count == json_object_size(tree) : count >= json_object_size(tree));
}

static void compare_array(struct lsig_span value, const json_t *tree, bool unique)
{
    struct lsig_span element;
    size_t count = 0;
    for (size_t cursor = 0; lsig_scan_element(value, &cursor, &element); count++) {
        EXPECT(count < json_array_size(tree));
        oracle_compare(element, json_array_get(tree, count), unique);
    }
    EXPECT(count == json_array_size(tree));
}

void oracle_compare(struct lsig_span value, const json_t *tree, bool unique)
{
    int64_t integer = 0;
    switch (json_typeof(tree)) {
    case JSON_OBJECT:
        EXPECT(lsig_scan_type(value) == LSIG_JSON_OBJECT);
        compare_object(value, tree, unique);
        return;
    case JSON_ARRAY:
        EXPECT(lsig_scan_type(value) == LSIG_JSON_ARRAY);
        compare_array(value, tree, unique);
        return;
    case JSON_STRING:
        EXPECT(lsig_scan_type(value) == LSIG_JSON_STRING);
        compare_string(value, tree);
        return;
    case JSON_INTEGER:
        EXPECT(lsig_scan_type(value) == LSIG_JSON_NUMBER);
        EXPECT(lsig_number_integer(value, &integer) && integer == json_integer_value(tree));
        return;
    case JSON_REAL:
        EXPECT(lsig_scan_type(value) == LSIG_JSON_NUMBER);
        EXPECT(!lsig_number_integer(value, &integer));
        EXPECT(!(lsig_number_real(value) < json_real_value(tree)) &&
               !(lsig_number_real(value) > json_real_value(tree)));
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        EXPECT(lsig_scan_type(value) == LSIG_JSON_BOOLEAN &&
               lsig_span_is(value, json_is_true(tree) ? "true" : "false"));
        return;
    case JSON_NULL:
    default:
        EXPECT(lsig_scan_type(value) == LSIG_JSON_NULL && lsig_span_is(value, "null"));
        return;
    }
}
