// keyring.h - which key, issuer and audience tokens are made and checked with.
//
// One HS256 secret now. A key found by `kid` and other algorithms will stand behind the same
// struct: token.c asks the ring for a key and for the one algorithm that this key is for, never the
// token's header (RFC 8725 section 3.1).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum lsig_algorithm { LSIG_HS256 };

struct lsig_key {
    enum lsig_algorithm algorithm; // the only one accepted with this key
    unsigned char *bytes;
    size_t len;
};

struct lsig_keyring_options {
    struct lsig_span secret; // HS256
    const char *issuer;      // "" or NULL: not looked at, not written
    const char *audience;    // "" or NULL: not looked at, not written
    int64_t leeway_s;        // clock difference that exp, nbf and iat may have
};

struct lsig_keyring;

// Copies everything. NULL, with *what a static text that says what to do, for a secret that is too
// short, is an example of a documentation, is one character repeated, or is a PEM text (a public
// key used as HS256 secret lets anybody make tokens).
struct lsig_keyring *lsig_keyring_new(const struct lsig_keyring_options *options,
                                      const char **what);
void lsig_keyring_free(struct lsig_keyring *keyring); // secrets are wiped; NULL is fine

// The key that new tokens are signed with.
const struct lsig_key *lsig_keyring_signing_key(const struct lsig_keyring *keyring);
// The key for a token whose header has this `kid` (the JSON value; data NULL: none). NULL: there is
// no such key. With one unnamed key it is always that one.
const struct lsig_key *lsig_keyring_find(const struct lsig_keyring *keyring, struct lsig_span kid);
const char *lsig_keyring_issuer(const struct lsig_keyring *keyring);   // "" for none
const char *lsig_keyring_audience(const struct lsig_keyring *keyring); // "" for none
int64_t lsig_keyring_leeway_s(const struct lsig_keyring *keyring);
