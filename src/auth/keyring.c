#include "auth/keyring.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "auth/key_list.h"
#include "auth/token_text.h"
#include "base/alloc.h"
#include "codec/scan.h"

struct lsig_keyring {
    struct lsig_key *main_key;
    struct lsig_key_list list;
    char *keys_file; // "": none
    char *issuer;
    char *audience;
    int64_t leeway_s;
};

struct lsig_keyring *lsig_keyring_new(const struct lsig_keyring_options *options, const char **what)
{
    struct lsig_key *key = options->key;
    *what = NULL;
    if (key == NULL) {
        assert(lsig_algorithm_is_hmac(options->algorithm));
        *what = lsig_key_secret_fault(options->algorithm, options->secret);
        if (*what != NULL) {
            return NULL;
        }
        key = lsig_key_new(options->algorithm, options->secret, LSIG_KEY_SIGNS, NULL);
    }
    struct lsig_keyring *keyring = lsig_alloc(sizeof(*keyring));
    keyring->main_key = key;
    keyring->keys_file = lsig_strdup(options->keys_file != NULL ? options->keys_file : "");
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
    lsig_key_free(keyring->main_key);
    lsig_key_list_clear(&keyring->list);
    free(keyring->keys_file);
    free(keyring->issuer);
    free(keyring->audience);
    free(keyring);
}

enum lsig_status lsig_keyring_reload(struct lsig_keyring *keyring, struct lsig_buf *notes)
{
    struct lsig_key_list list;
    if (keyring->keys_file[0] == '\0') {
        return LSIG_OK;
    }
    enum lsig_status status = lsig_key_list_read(&list, keyring->keys_file, notes);
    if (status == LSIG_OK) {
        lsig_key_list_clear(&keyring->list);
        keyring->list = list;
    }
    return status;
}

size_t lsig_keyring_count(const struct lsig_keyring *keyring)
{
    return keyring->list.count;
}

const struct lsig_key *lsig_keyring_signing_key(const struct lsig_keyring *keyring)
{
    return keyring->main_key;
}

const struct lsig_key *lsig_keyring_find(const struct lsig_keyring *keyring, struct lsig_span kid)
{
    if (kid.data == NULL) {
        return keyring->main_key;
    }
    if (lsig_scan_type(kid) != LSIG_JSON_STRING) {
        return NULL;
    }
    if (keyring->keys_file[0] == '\0' && keyring->main_key->kid[0] == '\0') {
        return keyring->main_key;
    }
    char text[LSIG_KEY_KID_SIZE];
    size_t len = 0;
    if (!lsig_token_text_unescape(kid, text, sizeof(text), &len) || len == 0) {
        return NULL; // longer than any that there is
    }
    if (strcmp(keyring->main_key->kid, text) == 0) {
        return keyring->main_key;
    }
    return lsig_key_list_find(&keyring->list, (struct lsig_span){text, len});
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
