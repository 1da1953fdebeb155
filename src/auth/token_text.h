// token_text.h - the form of a JWT: parts, base64url, members of its JSON objects.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

struct lsig_token_parts { // base64url, point into the token
    struct lsig_span header;
    struct lsig_span payload;
    struct lsig_span signature;
};

struct lsig_token_member {
    const char *name;
    struct lsig_span value; // JSON, points into the object; data NULL: missing
};

// Exactly three parts; false otherwise. Whether they are base64url is not looked at.
bool lsig_token_text_split(struct lsig_span token, struct lsig_token_parts *parts);
// The bytes of a base64url part, with a NUL behind them: no padding, no white space (RFC 7515
// section 2), the bits left over are zero (RFC 4648 section 3.5). NULL, or memory of the caller's.
char *lsig_token_text_decode_bytes(struct lsig_span part, size_t *len_out);
// A part as a JSON object within the limits of the scanner. NULL, or memory of the caller's;
// *object points into it, and a NUL stands somewhere behind it.
char *lsig_token_text_decode(struct lsig_span part, struct lsig_span *object);
// Finds the members that are named. False if one of them is there twice.
bool lsig_token_text_read(struct lsig_span object, struct lsig_token_member *members, size_t count);
// The text of a JSON string, NUL-terminated; false for a missing value, another type, or a text
// that needs more than size - 1 bytes.
bool lsig_token_text_unescape(struct lsig_span value, char *out, size_t size, size_t *len_out);
// Whether the value is a JSON string of this text (at most 255 bytes).
bool lsig_token_text_is(struct lsig_span value, const char *expected, bool ignore_case);
