#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void lsig_buf_init(struct lsig_buf *buf, size_t max)
{
    assert(max > 0);
    *buf = (struct lsig_buf){.max = max};
}

void lsig_buf_clear(struct lsig_buf *buf)
{
    free(buf->data);
    *buf = (struct lsig_buf){.max = buf->max};
}

void lsig_buf_reset(struct lsig_buf *buf)
{
    buf->len = 0;
    buf->overflowed = false;
    if (buf->data != NULL) {
        buf->data[0] = '\0';
    }
}

static bool buf_reserve(struct lsig_buf *buf, size_t len)
{
    assert(buf->len <= buf->max);
    if (len > buf->max - buf->len) {
        buf->overflowed = true;
        return false;
    }
    if (buf->len + len + 1 > buf->capacity) {
        size_t wanted = buf->capacity == 0 ? 256 : buf->capacity * 2;
        while (wanted < buf->len + len + 1) {
            wanted *= 2;
        }
        if (wanted > buf->max + 1) {
            wanted = buf->max + 1;
        }
        buf->data = lsig_realloc(buf->data, wanted);
        buf->capacity = wanted;
    }
    return true;
}

void lsig_buf_append(struct lsig_buf *buf, const void *bytes, size_t len)
{
    if (!buf_reserve(buf, len)) {
        return;
    }
    assert(buf->data != NULL);
    if (len > 0) {
        memcpy(buf->data + buf->len, bytes, len);
    }
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void lsig_buf_append_text(struct lsig_buf *buf, const char *text)
{
    lsig_buf_append(buf, text, strlen(text));
}

void lsig_buf_append_span(struct lsig_buf *buf, struct lsig_span span)
{
    lsig_buf_append(buf, span.data, span.len);
}

void lsig_buf_append_format(struct lsig_buf *buf, const char *format, ...)
{
    char small[256];
    va_list args;
    va_start(args, format);
    int needed = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    assert(needed >= 0);
    if ((size_t)needed < sizeof(small)) {
        lsig_buf_append(buf, small, (size_t)needed);
        return;
    }
    if (!buf_reserve(buf, (size_t)needed)) {
        return;
    }
    va_start(args, format);
    vsnprintf(buf->data + buf->len, (size_t)needed + 1, format, args);
    va_end(args);
    buf->len += (size_t)needed;
}

enum lsig_status lsig_buf_status(const struct lsig_buf *buf)
{
    return buf->overflowed ? LSIG_TOO_BIG : LSIG_OK;
}

char *lsig_buf_take(struct lsig_buf *buf, size_t *len_out)
{
    if (buf->data == NULL) {
        lsig_buf_append(buf, "", 0);
    }
    char *taken = buf->data;
    if (len_out != NULL) {
        *len_out = buf->len;
    }
    *buf = (struct lsig_buf){.max = buf->max};
    return taken;
}
