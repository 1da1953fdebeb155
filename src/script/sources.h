// sources.h - the texts of a bundle's files, as they were when a version was loaded: what the
// version can be made anew from, whatever becomes of the files.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"

enum { LSIG_SOURCES_BYTES_MAX = 16 * 1024 * 1024 }; // of all files of a bundle together

struct lsig_source {
    char *file; // "std/chat.lua"
    char *text;
    size_t len;
};

struct lsig_sources {
    struct lsig_source *items;
    size_t count;
    size_t bytes;
};

void lsig_sources_clear(struct lsig_sources *sources);
// Copies both. False: the bound is reached, and nothing is added.
bool lsig_sources_add(struct lsig_sources *sources, const char *file, const char *text, size_t len);
const struct lsig_source *lsig_sources_find(const struct lsig_sources *sources, const char *file);
// The same names and bytes in the same order have the same digest.
void lsig_sources_print_digest(const struct lsig_sources *sources, char out[LSIG_DIGEST_TEXT_SIZE]);
