#include "auth/webhook_signature.h"

#include <assert.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/settings.h"

enum { HEAD_SIZE = 128 };

const char *lsig_webhook_keys_init(struct lsig_webhook_keys *keys, const char *secrets)
{
    const char *wrong = NULL;
    struct lsig_span item;
    keys->count = 0;
    for (size_t cursor = 0; wrong == NULL && lsig_settings_list_next(secrets, &cursor, &item);) {
        if (keys->count == LSIG_WEBHOOK_SECRETS_MAX) {
            wrong = "there are more than two secrets";
        } else {
            wrong = lsig_webhook_secret_parse(item, &keys->keys[keys->count]);
            keys->count += wrong == NULL ? 1 : 0;
        }
    }
    if (wrong == NULL && keys->count == 0) {
        wrong = "there is none";
    }
    if (wrong != NULL) {
        lsig_webhook_keys_clear(keys);
    }
    return wrong;
}

void lsig_webhook_keys_clear(struct lsig_webhook_keys *keys)
{
    explicit_bzero(keys, sizeof(*keys));
}

void lsig_webhook_sign(char out[LSIG_WEBHOOK_SIGNATURE_SIZE],
                       const struct lsig_webhook_keys *keys,
                       const char *id,
                       int64_t timestamp_s,
                       struct lsig_span body)
{
    char head[HEAD_SIZE];
    int head_len = snprintf(head, sizeof(head), "%s.%" PRId64 ".", id, timestamp_s);
    assert(head_len > 0 && head_len < HEAD_SIZE);
    size_t len = (size_t)head_len + body.len;
    unsigned char *text = lsig_alloc(len);
    memcpy(text, head, (size_t)head_len);
    memcpy(text + head_len, body.data, body.len);
    char *at = out;
    for (size_t i = 0; i < keys->count; i++) {
        unsigned char mac[EVP_MAX_MD_SIZE];
        unsigned mac_len = 0;
        const struct lsig_webhook_key *key = &keys->keys[i];
        if (HMAC(EVP_sha256(), key->bytes, (int)key->len, text, len, mac, &mac_len) == NULL) {
            abort();
        }
        at += sprintf(at, "%sv1,", i > 0 ? " " : "");
        at += EVP_EncodeBlock((unsigned char *)at, mac, (int)mac_len);
    }
    free(text);
}
