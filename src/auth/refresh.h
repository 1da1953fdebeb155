// refresh.h - refresh tokens: random, and known to the server by their SHA-256 only.
#pragma once

#include "base/span.h"

enum {
    LSIG_REFRESH_TOKEN_SIZE = 44, // base64url of 32 bytes without padding, and the NUL
    LSIG_REFRESH_DIGEST_SIZE = 32,
    LSIG_REFRESH_FAMILY_TEXT_SIZE = 33,
};

struct lsig_refresh {
    char token[LSIG_REFRESH_TOKEN_SIZE]; // for the client, nowhere else
    unsigned char digest[LSIG_REFRESH_DIGEST_SIZE];
    char family[LSIG_REFRESH_FAMILY_TEXT_SIZE]; // of the login that it starts: reuse of one ends
                                                // all of it
};

void lsig_refresh_init(struct lsig_refresh *refresh);  // new ones
void lsig_refresh_clear(struct lsig_refresh *refresh); // wipes
// The digest by which a token that came is looked up.
void lsig_refresh_print_digest(struct lsig_span token, unsigned char out[LSIG_REFRESH_DIGEST_SIZE]);
