// key.h - one key that access tokens are signed or checked with, and the one algorithm that it is
// for (RFC 7518 section 3).
//
// The algorithm belongs to the key and never comes out of a token (RFC 8725 section 3.1). Keys are
// parsed once, when they are made: checking a signature costs the arithmetic only.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/span.h"

// X(name, family, bits of the hash)
#define LSIG_ALGORITHMS(X)                                                                         \
    X(HS256, HMAC, 256)                                                                            \
    X(HS384, HMAC, 384)                                                                            \
    X(HS512, HMAC, 512)                                                                            \
    X(RS256, RSA, 256)                                                                             \
    X(RS384, RSA, 384)                                                                             \
    X(RS512, RSA, 512)                                                                             \
    X(ES256, EC, 256)                                                                              \
    X(ES384, EC, 384)                                                                              \
    X(ES512, EC, 512)

enum lsig_algorithm {
#define X(name, family, bits) LSIG_##name,
    LSIG_ALGORITHMS(X)
#undef X
        LSIG_ALGORITHM_COUNT
};

enum {
    LSIG_KEY_KID_MAX = 128,       // bytes of a kid
    LSIG_KEY_KID_SIZE = 129,      // with the NUL
    LSIG_KEY_TEXT_MAX = 16384,    // bytes of a PEM text
    LSIG_KEY_SECRET_MAX = 4096,   // bytes of a secret
    LSIG_KEY_RSA_BITS_MIN = 2048, // RFC 7518 section 3.3
    LSIG_KEY_RSA_BITS_MAX = 8192, // one check has to stay far below a millisecond
};

struct lsig_key {
    enum lsig_algorithm algorithm; // the only one accepted with this key
    char kid[LSIG_KEY_KID_SIZE];   // "": it has no name
    unsigned char *bytes;          // HS: the secret; RS and ES: the PEM of a private key that is
                                   // to sign, or NULL; len bytes and a NUL
    size_t len;
    struct evp_pkey_st *public_key; // RS and ES: the public half
};

const char *lsig_algorithm_name(enum lsig_algorithm algorithm);                  // "HS256"
bool lsig_algorithm_find(struct lsig_span name, enum lsig_algorithm *algorithm); // exact
bool lsig_algorithm_is_hmac(enum lsig_algorithm algorithm);

enum lsig_key_use {
    LSIG_KEY_CHECKS, // a private key is taken too: only its public half is kept
    LSIG_KEY_SIGNS,  // RS and ES need a private key
};

// A key out of its text: the secret itself for HS, PEM for RS and ES (SubjectPublicKeyInfo, PKCS
// #1, PKCS #8 or SEC 1, not encrypted, one key). Copies the text. NULL with *problem, one sentence
// that says what is wrong and what to do, and never quotes the text. Refused: HS secrets shorter
// than the hash (RFC 7518 section 3.2), examples, one letter repeated, PEM; RSA below 2048 or above
// 8192 bits or with an exponent that signs nothing; a key of another kind; another curve than
// P-256, P-384, P-521 for ES256, ES384, ES512.
struct lsig_key *lsig_key_new(enum lsig_algorithm algorithm,
                              struct lsig_span text,
                              enum lsig_key_use use,
                              struct lsig_buf *problem);
// What makes the secret unfit for this HS algorithm, with what to do, or NULL.
const char *lsig_key_secret_fault(enum lsig_algorithm algorithm, struct lsig_span secret);
void lsig_key_free(struct lsig_key *key); // wipes what is secret; NULL is fine
// Whether the text holds a private key or a secret: what nobody else may read.
bool lsig_key_text_is_private(enum lsig_algorithm algorithm, struct lsig_span text);
// The same secret or the same public key, whatever kid and algorithm say.
bool lsig_key_is_same(const struct lsig_key *a, const struct lsig_key *b);

// Whether the signature (raw bytes, as in the token) is this key's over the message. ES: r and s of
// fixed length side by side (RFC 7518 section 3.4), never DER. MACs are compared in constant time.
// Leaves nothing behind in the error queue of OpenSSL, which TLS of this thread reads, too.
bool lsig_key_verify(const struct lsig_key *key,
                     struct lsig_span message,
                     struct lsig_span signature);
