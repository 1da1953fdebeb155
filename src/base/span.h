// span.h - bytes that somebody else owns.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct lsig_span {
    const char *data; // not NUL-terminated; NULL means absent
    size_t len;
};

// Printing: printf("%.*s", LSIG_SPAN_ARG(span))
#define LSIG_SPAN_ARG(span) (int)(span).len, (span).data

static inline struct lsig_span lsig_span_of(const char *text)
{
    return (struct lsig_span){text, text == NULL ? 0 : strlen(text)};
}

static inline bool lsig_span_equal(struct lsig_span a, struct lsig_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool lsig_span_is(struct lsig_span span, const char *text)
{
    return lsig_span_equal(span, lsig_span_of(text));
}
