// webhook_secret.h - a secret that webhooks are signed with, as operators write it: `whsec_` and
// base64 (Standard Webhooks 1.0.0, signature scheme), or any text, whose own bytes are the key.
#pragma once

#include "base/span.h"

enum {
    LSIG_WEBHOOK_SECRETS_MAX = 2,      // comma-separated: one in force, and another for rotation
    LSIG_WEBHOOK_SECRET_TEXT_MIN = 32, // bytes of a text
    LSIG_WEBHOOK_SECRET_MIN = 24,      // bytes behind `whsec_`, decoded: the specification's bounds
    LSIG_WEBHOOK_SECRET_MAX = 64,
    LSIG_WEBHOOK_KEY_SIZE = 1024, // no key is longer
};

struct lsig_webhook_key {
    size_t len;
    unsigned char bytes[LSIG_WEBHOOK_KEY_SIZE];
};

// NULL and the key, which the caller wipes; or what is wrong with the text, for people and without
// the text itself.
const char *lsig_webhook_secret_parse(struct lsig_span text, struct lsig_webhook_key *key);
