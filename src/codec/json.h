// json.h - writing JSON text into a buffer.
//
// Members and elements get their commas from the text written before them, so callers only say what
// comes next:
//   lsig_json_open(buf, NULL, '{'); lsig_json_text(buf, "code", span); lsig_json_integer(buf, "n",
//   3); lsig_json_close(buf, '}');
// A name of NULL writes an array element. Text is given as plain UTF-8 and escaped here (RFC 8259
// section 7); a byte that breaks UTF-8 is written as U+FFFD, so that whatever is given the text
// stays JSON.
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

void lsig_json_open(struct lsig_buf *buf, const char *name, char bracket); // '{' or '['
void lsig_json_close(struct lsig_buf *buf, char bracket);                  // '}' or ']'
void lsig_json_text(struct lsig_buf *buf,
                    const char *name,
                    struct lsig_span text); // data NULL writes null
void lsig_json_string(struct lsig_buf *buf, const char *name, const char *text); // NULL writes null
void lsig_json_integer(struct lsig_buf *buf, const char *name, int64_t number);
void lsig_json_boolean(struct lsig_buf *buf, const char *name, bool value);
void lsig_json_null(struct lsig_buf *buf, const char *name);
void lsig_json_raw(struct lsig_buf *buf,
                   const char *name,
                   struct lsig_span json); // a value, already JSON
void lsig_json_escape(struct lsig_buf *buf,
                      struct lsig_span text); // the inside of a string, no quotes
// The same into memory of the caller: how many bytes it takes, and the bytes (returns what follows
// the last one).
size_t lsig_json_escaped_len(struct lsig_span text);
char *lsig_json_put_escaped(char *out, struct lsig_span text);
