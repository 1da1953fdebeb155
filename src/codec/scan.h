// scan.h - strict JSON (RFC 8259) in one pass, without a tree.
//
// Bounds, for the whole text: depth 32 (objects and arrays count, the outermost is depth 1), 1,024
// object members and array elements together. Refused besides what the grammar refuses: control
// characters and invalid UTF-8 (RFC 3629) anywhere, lone surrogates, \u0000, numbers that a double
// or a 64-bit integer cannot hold, bytes after the value.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "base/status.h"

enum { LSIG_SCAN_DEPTH_MAX = 32, LSIG_SCAN_VALUES_MAX = 1024 };

// The JSON type of a value, by its first byte. Bits, so that sets of types can be written.
enum lsig_json_type {
    LSIG_JSON_NULL = 1,
    LSIG_JSON_BOOLEAN = 2,
    LSIG_JSON_NUMBER = 4, // any number
    LSIG_JSON_STRING = 8,
    LSIG_JSON_OBJECT = 16,
    LSIG_JSON_ARRAY = 32,
};

struct lsig_scan_error {
    size_t offset;    // of the first byte that is wrong
    const char *what; // static text
};

// Checks a whole text. LSIG_OK; LSIG_BAD_UTF8 when any byte of the text breaks UTF-8 (also behind a
// JSON error); LSIG_INVALID_JSON. Both refusals fill *error (which may be NULL).
LSIG_MUST_USE enum lsig_status lsig_scan_check(struct lsig_span text,
                                               struct lsig_scan_error *error);
// The same for what this server has printed itself (a policy's value): any number of members and
// elements, since its bytes were bounded when it was made.
LSIG_MUST_USE enum lsig_status lsig_scan_check_own(struct lsig_span text,
                                                   struct lsig_scan_error *error);

// The readers below walk a text that lsig_scan_check (or the envelope) has accepted; they do not
// check again.
enum lsig_json_type lsig_scan_type(struct lsig_span value); // value starts at its first byte
// Walks the members of an object: *cursor = 0 at first; false at the end. key is the text between
// the quotes, still escaped; value the bytes of the value without white space around it.
bool lsig_scan_member(struct lsig_span object,
                      size_t *cursor,
                      struct lsig_span *key,
                      struct lsig_span *value);
bool lsig_scan_element(struct lsig_span array, size_t *cursor, struct lsig_span *value);
// Unescapes the inside of a JSON string (no quotes). Returns false, with out untouched, if it needs
// more than size bytes.
bool lsig_scan_unescape(struct lsig_span inside, char *out, size_t size, size_t *len_out);
// Whether the escaped key and the plain name are the same after unescaping (`target\u005fid` is
// `target_id`).
bool lsig_scan_key_is(struct lsig_span key, struct lsig_span plain);
