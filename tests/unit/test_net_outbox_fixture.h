// test_net_outbox_fixture.h - frames into an outbox, and out of it as a client reads them.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/outbox.h"

static inline struct lsig_body *numbered(int number)
{
    char text[32];
    snprintf(text, sizeof(text), "{\"n\":%d}", number);
    return lsig_body_of(lsig_span_of(text));
}

static inline void push(struct lsig_outbox *outbox, struct lsig_body *body)
{
    lsig_outbox_push(outbox, body);
    lsig_body_unref(body);
}

// Reads one frame as a client does (RFC 6455 section 5.2); returns the bytes behind it.
static inline const unsigned char *
read_frame(const unsigned char *at, const unsigned char *end, struct lsig_span *payload)
{
    assert_true(end - at >= 2);
    assert_int_equal(at[0], 0x81);     // final, text
    assert_int_equal(at[1] & 0x80, 0); // unmasked
    uint64_t len = at[1];
    at += 2;
    int more = len == 126 ? 2 : len == 127 ? 8 : 0;
    uint64_t least = len == 126 ? 126 : 65536; // the shortest form that fits
    if (more > 0) {
        assert_true(end - at >= more);
        len = 0;
        for (int i = 0; i < more; i++) {
            len = len << 8 | at[i];
        }
        assert_true(len >= least);
        at += more;
    }
    assert_true((uint64_t)(end - at) >= len);
    *payload = (struct lsig_span){(const char *)at, (size_t)len};
    return at + len;
}
