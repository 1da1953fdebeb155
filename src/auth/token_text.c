#include "auth/token_text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "codec/scan.h"

static int base64url_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

char *lsig_token_text_decode_bytes(struct lsig_span text, size_t *len_out)
{
    if (text.len == 0 || text.len % 4 == 1) {
        return NULL;
    }
    char *out = lsig_alloc(text.len / 4 * 3 + 3);
    size_t len = 0;
    unsigned bits = 0;
    unsigned bit_count = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = base64url_value(text.data[i]);
        if (value < 0) {
            free(out);
            return NULL;
        }
        bits = (bits << 6 | (unsigned)value) & 0xffff;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            out[len++] = (char)(unsigned char)(bits >> bit_count);
        }
    }
    if ((bits & ((1U << bit_count) - 1)) != 0) {
        free(out);
        return NULL;
    }
    out[len] = '\0';
    *len_out = len;
    return out;
}

bool lsig_token_text_split(struct lsig_span token, struct lsig_token_parts *parts)
{
    const char *first = memchr(token.data, '.', token.len);
    if (first == NULL) {
        return false;
    }
    size_t header_len = (size_t)(first - token.data);
    size_t rest_len = token.len - header_len - 1;
    const char *second = memchr(first + 1, '.', rest_len);
    if (second == NULL) {
        return false;
    }
    size_t payload_len = (size_t)(second - first - 1);
    *parts = (struct lsig_token_parts){
        .header = {token.data, header_len},
        .payload = {first + 1, payload_len},
        .signature = {second + 1, rest_len - payload_len - 1},
    };
    return parts->signature.len > 0 && memchr(second + 1, '.', parts->signature.len) == NULL;
}

// A base64url part as a JSON object that the scanner has accepted. NULL, or memory of the caller's;
// *object points into it.
char *lsig_token_text_decode(struct lsig_span part, struct lsig_span *object)
{
    size_t len = 0;
    char *text = lsig_token_text_decode_bytes(part, &len);
    if (text == NULL) {
        return NULL;
    }
    if (lsig_scan_check((struct lsig_span){text, len}, NULL) != LSIG_OK) {
        free(text);
        return NULL;
    }
    size_t start = strspn(text, " \t\r\n");
    if (text[start] != '{') {
        free(text);
        return NULL;
    }
    while (text[len - 1] != '}') { // white space behind it
        len--;
    }
    *object = (struct lsig_span){text + start, len - start};
    return text;
}

// Finds the members that are asked for. False if one of them is there twice.
bool lsig_token_text_read(struct lsig_span object, struct lsig_token_member *members, size_t count)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    while (lsig_scan_member(object, &cursor, &key, &value)) {
        for (size_t i = 0; i < count; i++) {
            if (!lsig_scan_key_is(key, lsig_span_of(members[i].name))) {
                continue;
            }
            if (members[i].value.data != NULL) {
                return false;
            }
            members[i].value = value;
        }
    }
    return true;
}

// The unescaped text of a JSON string; false for another type or a text that is too long. out is
// NUL-terminated.
bool lsig_token_text_unescape(struct lsig_span value, char *out, size_t size, size_t *len_out)
{
    if (value.data == NULL || lsig_scan_type(value) != LSIG_JSON_STRING) {
        return false;
    }
    struct lsig_span inside = {value.data + 1, value.len - 2};
    if (!lsig_scan_unescape(inside, out, size - 1, len_out)) {
        return false;
    }
    out[*len_out] = '\0';
    return true;
}

bool lsig_token_text_is(struct lsig_span value, const char *expected, bool ignore_case)
{
    char text[256];
    size_t len = 0;
    if (!lsig_token_text_unescape(value, text, sizeof(text), &len) || len != strlen(expected)) {
        return false;
    }
    return ignore_case ? strcasecmp(text, expected) == 0 : strcmp(text, expected) == 0;
}
