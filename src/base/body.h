// body.h - the bytes of one outgoing frame, built once and shared by reference among its
// recipients.
//
// One thread only: the count is plain. new gives the first reference; each queue that holds the
// body has its own.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct lsig_body {
    uint32_t refs;
    uint32_t len; // bytes in data
    bool once;    // not to be kept once it has been sent: whoever did not get it cannot ask for it
    char data[];  // UTF-8 JSON text, an object, not NUL-terminated
};

struct lsig_body *lsig_body_new(size_t len);            // contents to be filled in by the caller
struct lsig_body *lsig_body_of(struct lsig_span bytes); // a copy
struct lsig_body *lsig_body_ref(struct lsig_body *body);
void lsig_body_unref(struct lsig_body *body); // NULL is fine
