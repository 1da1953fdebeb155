// witness.h - what a test sees of its policies besides frames: hooks that fail.
#pragma once

#include <stdbool.h>

#include "base/buf.h"

struct lsig_world;

// What the calling thread logs goes to the world from here on, and to nobody else.
void lsig_witness_begin(struct lsig_world *world);
void lsig_witness_end(struct lsig_world *world);
// Errors of hooks that match the pattern are no failure. False: too many patterns.
bool lsig_witness_expect(struct lsig_world *world, struct lsig_span pattern);
// Whether all errors were expected, and all that were expected have come. False: *where (NULL:
// nowhere) and *text say which.
bool lsig_witness_check(struct lsig_world *world, const char **where, struct lsig_buf *text);
