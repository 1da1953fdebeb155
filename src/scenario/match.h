// match.h - whether a JSON value is as a test's pattern wants it, and where it differs.
//
// A pattern is JSON too. An object wants its members and does not mind others; an array wants as
// many elements, each as its own; any other value wants the same. {} wants any object or array.
// script/lib_test.h has what stands for any value, for a text that matches, for one to be
// remembered, and for nothing else than this.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/span.h"

struct lsig_script;

enum { LSIG_MATCH_DIFFERENCE_SIZE = 240, LSIG_CAPTURES_MAX = 100 };

// What a name stood for when it was first met: from then on it wants the same.
struct lsig_capture {
    char *name;
    char *json;
};

struct lsig_captures {
    struct lsig_script *script; // whose machine matches texts with Lua's patterns
    struct lsig_capture items[LSIG_CAPTURES_MAX];
    size_t count;
};

void lsig_captures_clear(struct lsig_captures *captures);
struct lsig_span lsig_captures_find(const struct lsig_captures *captures,
                                    struct lsig_span name); // JSON; data NULL: none

// Both are JSON that was printed or scanned before. False: `difference` says where, what was wanted
// and what is there, and nothing is remembered.
bool lsig_match(struct lsig_span pattern,
                struct lsig_span value,
                struct lsig_captures *captures,
                char difference[LSIG_MATCH_DIFFERENCE_SIZE]);
// The pattern for people: JSON, and t.any, t.match "…" and so on as they were written.
void lsig_match_print(struct lsig_span pattern, struct lsig_buf *out);
// The member of a JSON object, by its plain name; data NULL: there is none.
struct lsig_span lsig_match_member(struct lsig_span object, const char *name);
// What is inside of a JSON string, unescaped, cut to fit; "" for anything else.
void lsig_match_text(struct lsig_span value, char *out, size_t size);
