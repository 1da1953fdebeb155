// utf8.h - well-formed UTF-8 (RFC 3629 section 4), one sequence at a time.
#pragma once

#include <stddef.h>

// The length of the well-formed sequence at `at` (1 for ASCII), or 0 if there is none. at < end.
static inline size_t lsig_utf8_len(const char *at, const char *end)
{
    const unsigned char *byte = (const unsigned char *)at;
    size_t left = (size_t)(end - at);
    if (byte[0] < 0x80) {
        return 1;
    }
    if (byte[0] < 0xc2 || left < 2 || (byte[1] & 0xc0) != 0x80) {
        return 0;
    }
    if (byte[0] < 0xe0) {
        return 2;
    }
    if (left < 3 || (byte[2] & 0xc0) != 0x80) {
        return 0;
    }
    if (byte[0] < 0xf0) {
        // Neither overlong nor a surrogate.
        return (byte[0] == 0xe0 && byte[1] < 0xa0) || (byte[0] == 0xed && byte[1] > 0x9f) ? 0 : 3;
    }
    if (byte[0] > 0xf4 || left < 4 || (byte[3] & 0xc0) != 0x80) {
        return 0;
    }
    return (byte[0] == 0xf0 && byte[1] < 0x90) || (byte[0] == 0xf4 && byte[1] > 0x8f) ? 0 : 4;
}
