// grammar.h - words of the grammars of SDP (RFC 8866 section 9) and ICE (RFC 8839 section 5), and
// taking a line apart at its spaces.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

static inline bool lsig_grammar_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool lsig_grammar_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool lsig_grammar_is_hex(char c)
{
    return lsig_grammar_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// ice-char of RFC 8839 section 5.1
static inline bool lsig_grammar_is_ice(char c)
{
    return lsig_grammar_is_letter(c) || lsig_grammar_is_digit(c) || c == '+' || c == '/';
}

// token-char of RFC 8866 section 9
static inline bool lsig_grammar_is_token(char c)
{
    return lsig_grammar_is_letter(c) || lsig_grammar_is_digit(c) ||
           (c != '\0' && strchr("!#$%&'*+-.^_`{|}~", c) != NULL);
}

static inline bool lsig_grammar_is_visible(char c)
{
    return (unsigned char)c > 0x20 && c != 0x7f;
}

// All bytes are of that kind, and there are min to max of them.
static inline bool
lsig_grammar_all(struct lsig_span text, bool (*is)(char c), size_t min, size_t max)
{
    if (text.len < min || text.len > max) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!is(text.data[i])) {
            return false;
        }
    }
    return true;
}

// Decimal digits only, from min to max.
static inline bool lsig_grammar_number(struct lsig_span text, uint64_t min, uint64_t max)
{
    enum { DIGITS_MAX = 19 };
    if (!lsig_grammar_all(text, lsig_grammar_is_digit, 1, DIGITS_MAX)) {
        return false;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    return number >= min && number <= max;
}

// Takes what stands before the next `stop`, which goes too, or all.
static inline struct lsig_span lsig_grammar_take(struct lsig_span *rest, char stop)
{
    const char *end = rest->len > 0 ? memchr(rest->data, stop, rest->len) : NULL;
    struct lsig_span word = {rest->data, end != NULL ? (size_t)(end - rest->data) : rest->len};
    size_t gone = word.len + (end != NULL ? 1 : 0);
    rest->data = rest->data != NULL ? rest->data + gone : NULL;
    rest->len -= gone;
    return word;
}
