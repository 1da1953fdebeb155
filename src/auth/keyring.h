// keyring.h - which keys, issuer and audience tokens are made and checked with.
//
// There is one main key: new tokens are signed with it, and tokens without `kid` are checked with
// it. JWT_KEYS_FILE adds keys that are found by their `kid` (key_list.h) and can be exchanged while
// the server runs. token.c asks the ring for a key and for the one algorithm that this key is for,
// never the token's header (RFC 8725 section 3.1).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/key.h"
#include "base/buf.h"
#include "base/span.h"
#include "base/status.h"

struct lsig_keyring_options {
    struct lsig_span secret;       // the main key
    enum lsig_algorithm algorithm; // HS256, HS384 or HS512: the main key's
    struct lsig_key *key;          // or NULL: the main key instead of secret and algorithm; the
                                   // ring takes it over when it is made
    const char *keys_file;         // "" or NULL: there is none
    const char *issuer;            // "" or NULL: not looked at, not written
    const char *audience;          // "" or NULL: not looked at, not written
    int64_t leeway_s;              // clock difference that exp, nbf and iat may have
};

struct lsig_keyring;

// Copies everything but key. The keys file is not read yet: that is lsig_keyring_reload. NULL, with
// *what a static text that says what to do, for a secret that is too short for its algorithm, is an
// example of a documentation, is one character repeated, or is a PEM text (a public key used as
// HS256 secret lets anybody make tokens).
struct lsig_keyring *lsig_keyring_new(const struct lsig_keyring_options *options,
                                      const char **what);
void lsig_keyring_free(struct lsig_keyring *keyring); // secrets are wiped; NULL is fine

// Reads the keys file, the first time or again: the keys are exchanged as a whole, in place. Keys
// that were found before are gone then; the ring and its main key stay where they are. LSIG_OK,
// also where there is no keys file, or LSIG_INVALID_MESSAGE: the keys stay as they were. *notes
// gets lines for people, those of warnings on success, too. Blocks on the disk, some milliseconds
// for 64 keys.
LSIG_MUST_USE enum lsig_status lsig_keyring_reload(struct lsig_keyring *keyring,
                                                   struct lsig_buf *notes);
size_t lsig_keyring_count(const struct lsig_keyring *keyring); // keys of the keys file

// The key that new tokens are signed with.
const struct lsig_key *lsig_keyring_signing_key(const struct lsig_keyring *keyring);
// The key for a token whose header has this `kid` (the JSON value; data NULL: none), or NULL.
//  * no kid: the main key;
//  * a kid that is no string: no key (RFC 7515 section 4.1.4);
//  * a kid of the main key or of the keys file: that key;
//  * another one: no key. Only where there is no keys file it is the main key: what an issuer
//  writes
//    into `kid` beside the one secret that both know is the issuer's affair.
// Valid until the next reload.
const struct lsig_key *lsig_keyring_find(const struct lsig_keyring *keyring, struct lsig_span kid);
const char *lsig_keyring_issuer(const struct lsig_keyring *keyring);   // "" for none
const char *lsig_keyring_audience(const struct lsig_keyring *keyring); // "" for none
int64_t lsig_keyring_leeway_s(const struct lsig_keyring *keyring);
