// resume.h - resume tokens: 128 random bits, known to the server by half of their SHA-256 only.
#pragma once

#include <stdbool.h>

#include "base/random.h"
#include "base/span.h"

enum {
    LSIG_RESUME_TOKEN_SIZE = 33, // 32 hexadecimal digits, and the NUL
    LSIG_RESUME_DIGEST_SIZE = 16,
};

// A new token, for the client and nowhere else, and the digest that is kept. random: NULL for the
// kernel, unless tokens may repeat.
void lsig_resume_make(const struct lsig_random_source *random,
                      char token[LSIG_RESUME_TOKEN_SIZE],
                      unsigned char digest[LSIG_RESUME_DIGEST_SIZE]);
// Whether a token that came is the one with this digest. Takes the same time for every wrong one.
bool lsig_resume_matches(struct lsig_span token,
                         const unsigned char digest[LSIG_RESUME_DIGEST_SIZE]);
