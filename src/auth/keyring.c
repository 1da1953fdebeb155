#include "auth/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/jwt_secret.h"

struct lsig_keyring {
    struct lsig_key key;
    char *issuer;
    char *audience;
    int64_t leeway_s;
};

static const char *secret_weakness(struct lsig_span secret)
{
    switch (lsig_jwt_secret_check(secret)) {
    case LSIG_SECRET_SHORT:
        return "the secret is shorter than 32 bytes: write one made by `openssl rand -hex 32`";
    case LSIG_SECRET_EXAMPLE:
        return "the secret is the example of the documentation: write one made by "
               "`openssl rand -hex 32`";
    case LSIG_SECRET_REPEATED:
        return "the secret is one character repeated: write one made by `openssl rand -hex 32`";
    case LSIG_SECRET_PEM:
        return "the secret is a PEM text, which is no key for HS256: write a random text made by "
               "`openssl rand -hex 32`";
    case LSIG_SECRET_FINE:
        break;
    }
    return NULL;
}

struct lsig_keyring *lsig_keyring_new(const struct lsig_keyring_options *options, const char **what)
{
    *what = secret_weakness(options->secret);
    if (*what != NULL) {
        return NULL;
    }
    struct lsig_keyring *keyring = lsig_alloc(sizeof(*keyring));
    keyring->key.algorithm = LSIG_HS256;
    keyring->key.len = options->secret.len;
    keyring->key.bytes = lsig_alloc(options->secret.len);
    memcpy(keyring->key.bytes, options->secret.data, options->secret.len);
    keyring->issuer = lsig_strdup(options->issuer != NULL ? options->issuer : "");
    keyring->audience = lsig_strdup(options->audience != NULL ? options->audience : "");
    keyring->leeway_s = options->leeway_s;
    return keyring;
}

void lsig_keyring_free(struct lsig_keyring *keyring)
{
    if (keyring == NULL) {
        return;
    }
    explicit_bzero(keyring->key.bytes, keyring->key.len);
    free(keyring->key.bytes);
    free(keyring->issuer);
    free(keyring->audience);
    free(keyring);
}

const struct lsig_key *lsig_keyring_signing_key(const struct lsig_keyring *keyring)
{
    return &keyring->key;
}

const struct lsig_key *lsig_keyring_find(const struct lsig_keyring *keyring, struct lsig_span kid)
{
    // The one key has no name: what an issuer writes into `kid` beside it is the issuer's affair.
    (void)kid;
    return &keyring->key;
}

const char *lsig_keyring_issuer(const struct lsig_keyring *keyring)
{
    return keyring->issuer;
}

const char *lsig_keyring_audience(const struct lsig_keyring *keyring)
{
    return keyring->audience;
}

int64_t lsig_keyring_leeway_s(const struct lsig_keyring *keyring)
{
    return keyring->leeway_s;
}
