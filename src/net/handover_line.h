// handover_line.h - the lines of the file of handover.h: opening and closing one, and its members.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/span.h"

void lsig_handover_line_open(struct lsig_buf *out, const char *kind);
// Writes the line and wipes it. stdio remembers a failure: it is looked at once, at the end.
void lsig_handover_line_close(struct lsig_buf *out, FILE *file);

// Of a line that has been checked: a member's value, data NULL: it has none of that name.
struct lsig_span lsig_handover_line_field(struct lsig_span line, const char *name);
int64_t lsig_handover_line_integer(struct lsig_span line, const char *name); // 0: none
bool lsig_handover_line_true(struct lsig_span line, const char *name);
// A string, the caller's, NUL-terminated; NULL: not there, or no string. len may be NULL.
char *lsig_handover_line_text(struct lsig_span line, const char *name, size_t *len);
