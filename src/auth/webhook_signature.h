// webhook_signature.h - the signature of a webhook (Standard Webhooks 1.0.0, symmetric scheme).
// Pure.
#pragma once

#include <stdint.h>

#include "base/span.h"
#include "codec/webhook_secret.h"

enum {
    // "v1," and base64 of 32 bytes, for each key, with blanks between them; and the NUL
    LSIG_WEBHOOK_SIGNATURE_SIZE = LSIG_WEBHOOK_SECRETS_MAX * 48 + 1,
};

struct lsig_webhook_keys {
    size_t count;
    struct lsig_webhook_key keys[LSIG_WEBHOOK_SECRETS_MAX];
};

// The keys out of WEBHOOK_SECRET: one secret, or two with a comma between them. NULL, or what is
// wrong with it, for people; nothing is to be wiped then. Afterwards wiped with
// lsig_webhook_keys_clear.
const char *lsig_webhook_keys_init(struct lsig_webhook_keys *keys, const char *secrets);
void lsig_webhook_keys_clear(struct lsig_webhook_keys *keys);
// The value of `webhook-signature`: by each key an HMAC-SHA256 of `ID.TIMESTAMP.BODY`. The id has
// no full stop in it.
void lsig_webhook_sign(char out[LSIG_WEBHOOK_SIGNATURE_SIZE],
                       const struct lsig_webhook_keys *keys,
                       const char *id,
                       int64_t timestamp_s,
                       struct lsig_span body);
