// nearest.h - the known word that a mistyped one is most like.
#pragma once

#include <stddef.h>

enum { LSIG_NEAREST_WORD_MAX = 64 }; // bytes of a known word

// Letters to add, drop or change to make one word of the other (Levenshtein). other has at most
// LSIG_NEAREST_WORD_MAX bytes.
size_t lsig_nearest_distance(const char *one, const char *other);
// The first of the words with the smallest distance, if it is at most 3 and at most half of what
// was written; else NULL. Empty words are passed over.
const char *lsig_nearest_find(const char *written, const char *const *words, size_t count);
