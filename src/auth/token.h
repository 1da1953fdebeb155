// token.h - access tokens (JWT, RFC 7519): made, and checked with everything that the library
// leaves out.
//
// A token is never logged, and no refusal quotes it or a claim of it.
#pragma once

#include <stdint.h>

#include "auth/keyring.h"
#include "base/span.h"
#include "base/status.h"
#include "codec/refusal.h"

enum {
    LSIG_TOKEN_MAX = 8192,      // bytes of a whole token
    LSIG_TOKEN_NAME_MAX = 128,  // bytes of sub, username, user_id, jti
    LSIG_TOKEN_NAME_SIZE = 129, // with the NUL
};

struct lsig_token_claims {
    const char *sub;     // user name; 1 to 128 bytes of UTF-8 without control characters or braces
    const char *user_id; // NULL: the same as sub
    int64_t iat;         // unix seconds
    int64_t exp;         // unix seconds, above iat
    int64_t token_version; // below 0: not written
};

// Makes a signed token with these claims, `username` (= sub), a random `jti`, `type` "access", and
// issuer and audience if the keyring has them, in the header the kid of the main key if it has one.
// *out is freed by the caller (and wiped, where it lives long). LSIG_INVALID_MESSAGE for a name out
// of bounds, or where the main key does not sign.
LSIG_MUST_USE enum lsig_status lsig_token_make(const struct lsig_keyring *keyring,
                                               const struct lsig_token_claims *claims,
                                               char **out);

// The same with claims of the caller's, a JSON object (the scanner has accepted it); added are,
// where they are missing, `jti`, `type`, issuer and audience. LSIG_INVALID_MESSAGE where the main
// key does not sign.
LSIG_MUST_USE enum lsig_status
lsig_token_sign(const struct lsig_keyring *keyring, struct lsig_span claims, char **out);

// What a good token says. Names are NUL-terminated UTF-8 without NUL inside.
struct lsig_claims {
    char sub[LSIG_TOKEN_NAME_SIZE];      // who it is: the user id of rooms
    char username[LSIG_TOKEN_NAME_SIZE]; // sub, where the token has none
    char user_id[LSIG_TOKEN_NAME_SIZE];  // sub, where the token has none
    char jti[LSIG_TOKEN_NAME_SIZE];      // "": none
    int64_t token_version;               // -1: none
    int64_t iat;                         // unix seconds; 0: none
    int64_t exp;                         // unix seconds, without the leeway
    enum lsig_algorithm algorithm;       // of the key that has verified it
    char kid[LSIG_KEY_KID_SIZE];         // and its name; "": the main key, which has none
    char *json;      // all claims as they came, a JSON object that the scanner has accepted
    size_t json_len; // below LSIG_TOKEN_MAX
};

// LSIG_OK with *claims filled (release with lsig_claims_clear), LSIG_TOKEN_EXPIRED (only if all the
// rest of the token is right) or LSIG_TOKEN_INVALID; *refusal then says which rule. On a refusal
// there is nothing to clear. The rules:
//  * at most 8 KiB, exactly three parts of base64url without padding (RFC 7515 section 2);
//  * the header is strict JSON, its `kid` names a key of the ring or is missing (keyring.h), its
//    `alg` is the key's own (RFC 8725 3.1), `typ` if there is JWT or at+jwt, no `crit` (RFC 7515
//    4.1.11: we understand none), and all of this before the signature, which comes before any
//    claim; keys in the header or named by it (jwk, jku, x5u, x5c) are not looked at;
//  * no claim that is read here stands twice (RFC 7519 section 4);
//  * `sub` as in lsig_token_claims; `username`, `user_id`, `jti`, if there, the same shape (user_id
//  may be an integer);
//  * `exp` is there; exp, nbf, iat are numbers from 0 to 2^53 (a string is not); now < exp +
//  leeway, nbf and iat <= now + leeway;
//  * `iss` and `aud` (a string, or a list that has ours) when the keyring has them; `type` is
//  "access" or missing;
//  * `token_version` if there an integer that is not negative.
// null counts as missing for username, user_id, jti and token_version only.
LSIG_MUST_USE enum lsig_status lsig_token_check(const struct lsig_keyring *keyring,
                                                struct lsig_span token,
                                                int64_t now_s,
                                                struct lsig_claims *claims,
                                                struct lsig_refusal *refusal);
// By which a token that has a jti is remembered where 128 bytes are too many: the first 64 bits of
// its SHA-256, never 0. 0 for a token without jti.
uint64_t lsig_token_key(const struct lsig_claims *claims);
void lsig_claims_clear(struct lsig_claims *claims); // a zeroed struct is fine
