// scanner.h - the steps of scan.h, for a caller that wants to see parts of a text while they are
// checked.
//
// The first thing that is wrong stops the scanner for good: `wrong` says what, `wrong_at` where.
// Every step returns false then.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "base/status.h"
#include "codec/scan.h"

struct lsig_scanner {
    const char *start;
    const char *at; // the next byte
    const char *end;
    const char *wrong; // static text; NULL: nothing yet
    const char *wrong_at;
    unsigned depth;  // open objects and arrays
    unsigned values; // members and elements so far
    unsigned values_max;
};

void lsig_scanner_init(struct lsig_scanner *scanner, struct lsig_span text);
// The next byte that is no white space, without taking it; -1 at the end of the text.
int lsig_scanner_peek(struct lsig_scanner *scanner);
// Takes a whole value of any type; *value (may be NULL) gets its bytes.
bool lsig_scanner_value(struct lsig_scanner *scanner, struct lsig_span *value);
// Takes the brace of an object; its members follow.
bool lsig_scanner_open(struct lsig_scanner *scanner);
// Takes the next key (still escaped) and its colon: a value has to be taken next. False when the
// object is closed instead. *count is 0 before the first member of an object, and counts them.
bool lsig_scanner_member(struct lsig_scanner *scanner, size_t *count, struct lsig_span *key);
// Ends the scan; nothing but white space may be left. LSIG_OK, LSIG_BAD_UTF8 or LSIG_INVALID_JSON
// with *error (may be NULL) filled.
LSIG_MUST_USE enum lsig_status lsig_scanner_finish(struct lsig_scanner *scanner,
                                                   struct lsig_scan_error *error);
