// jwt_secret.h - which texts are no secret for tokens (HS256, HS384, HS512). One rule for settings
// and for keys. HS384 and HS512 need more bytes than LSIG_JWT_SECRET_MIN: 48 and 64.
#pragma once

#include "base/span.h"

enum { LSIG_JWT_SECRET_MIN = 32 }; // bytes; RFC 7518 section 3.2: no shorter than the hash

enum lsig_secret_weakness {
    LSIG_SECRET_FINE,
    LSIG_SECRET_EXAMPLE,  // stands in a guide that many have copied from
    LSIG_SECRET_PEM,      // a key of another kind; a public one would let anybody make tokens
    LSIG_SECRET_REPEATED, // one character
    LSIG_SECRET_SHORT,    // below LSIG_JWT_SECRET_MIN; also none at all
};

enum lsig_secret_weakness lsig_jwt_secret_check(struct lsig_span secret);
