// turn.h - TURN credentials of one user (draft-uberti-behave-turn-rest-00, coturn's
// `use-auth-secret`). Pure.
#pragma once

#include <stdint.h>

#include "base/span.h"
#include "base/status.h"

enum {
    LSIG_TURN_LIFETIME_MAX_S = 3600,
    LSIG_TURN_USER_MAX = 128, // bytes
    LSIG_TURN_USERNAME_SIZE = 160,
    LSIG_TURN_CREDENTIAL_SIZE = 29, // base64 of 20 bytes, and the NUL
};

struct lsig_turn {
    char username[LSIG_TURN_USERNAME_SIZE];     // EXPIRY:USER
    char credential[LSIG_TURN_CREDENTIAL_SIZE]; // base64(HMAC-SHA1(secret, username)); a secret
    int64_t expires_at;                         // unix seconds
};

// When credentials that are made now end: after lifetime_s (of the settings), after an hour, or
// with the access token, whichever comes first.
int64_t lsig_turn_end(int64_t now_s, int64_t token_exp_s, int64_t lifetime_s);
// Makes credentials that end then. secrets is comma-separated: the first signs. LSIG_OK;
// LSIG_NOT_FOUND: no secret; LSIG_TOKEN_EXPIRED: nothing is left of the token; LSIG_TOO_BIG: user
// above its bound.
LSIG_MUST_USE enum lsig_status lsig_turn_make(struct lsig_turn *turn,
                                              const char *secrets,
                                              struct lsig_span user,
                                              int64_t now_s,
                                              int64_t token_exp_s,
                                              int64_t lifetime_s);
