// page.h - the files of the page served at /: read into memory at the start and on reload, so that
// a request costs no disk.
#pragma once

#include "base/buf.h"
#include "base/span.h"

enum { LSIG_PAGE_FILES_MAX = 64, LSIG_PAGE_BYTES_MAX = 8 * 1024 * 1024 };

struct lsig_page;

struct lsig_page_file {
    char *path; // "/lunasig.js"
    const char *content_type;
    char *bytes;
    size_t len;
};

// Reads the files of one folder (not below it; hidden ones and those of unknown type are left out).
// NULL, with *report filled, if it cannot be read, has no index.html or is above the bounds.
struct lsig_page *lsig_page_open(const char *folder, struct lsig_buf *report);
void lsig_page_free(struct lsig_page *page);
const struct lsig_page_file *lsig_page_find(const struct lsig_page *page,
                                            struct lsig_span path); // "/" is index.html
