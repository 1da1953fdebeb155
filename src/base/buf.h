// buf.h - growable byte buffer with a hard cap.
//
// The owner frees with lsig_buf_clear(). A buffer never grows past the cap given at init: an append
// that would go over leaves the contents unchanged and marks the buffer `overflowed`, so that a run
// of appends needs one check at its end.
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "base/status.h"

struct lsig_buf {
    char *data; // NUL-terminated once non-NULL
    size_t len;
    size_t capacity;
    size_t max;      // bytes
    bool overflowed; // an append did not fit; cleared by clear and reset
};

void lsig_buf_init(struct lsig_buf *buf, size_t max);
void lsig_buf_clear(struct lsig_buf *buf); // frees the memory; usable again, same cap
void lsig_buf_reset(struct lsig_buf *buf); // empties it and keeps the memory
void lsig_buf_append(struct lsig_buf *buf, const void *bytes, size_t len);
void lsig_buf_append_text(struct lsig_buf *buf, const char *text);
void lsig_buf_append_span(struct lsig_buf *buf, struct lsig_span span);
void lsig_buf_append_format(struct lsig_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// LSIG_OK, or LSIG_TOO_BIG if an append since the last reset did not fit.
LSIG_MUST_USE enum lsig_status lsig_buf_status(const struct lsig_buf *buf);
// The bytes, NUL-terminated; the caller frees them. The buffer is empty afterwards.
char *lsig_buf_take(struct lsig_buf *buf, size_t *len_out);

static inline struct lsig_span lsig_buf_span(const struct lsig_buf *buf)
{
    return (struct lsig_span){buf->data != NULL ? buf->data : "", buf->len};
}
