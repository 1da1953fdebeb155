#include "base/body.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct lsig_body *lsig_body_new(size_t len)
{
    assert(len < UINT32_MAX);
    // Not zeroed: every byte is written by the caller, and this is the hot path.
    struct lsig_body *body = malloc(sizeof(*body) + len);
    if (body == NULL) {
        abort();
    }
    body->refs = 1;
    body->once = false;
    body->len = (uint32_t)len;
    return body;
}

struct lsig_body *lsig_body_of(struct lsig_span bytes)
{
    struct lsig_body *body = lsig_body_new(bytes.len);
    if (bytes.len > 0) {
        memcpy(body->data, bytes.data, bytes.len);
    }
    return body;
}

struct lsig_body *lsig_body_ref(struct lsig_body *body)
{
    assert(body->refs > 0 && body->refs < UINT32_MAX);
    body->refs += 1;
    return body;
}

void lsig_body_unref(struct lsig_body *body)
{
    if (body == NULL) {
        return;
    }
    assert(body->refs > 0);
    body->refs -= 1;
    if (body->refs == 0) {
        free(body);
    }
}
