#include "codec/webhook_secret.h"

#include <stdint.h>

#include "codec/jwt_secret.h"

static const char prefix[] = "whsec_";

static int value_of(char letter)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = letter == '\0' ? NULL : strchr(letters, letter);
    return at == NULL ? -1 : (int)(at - letters);
}

// Base64 (RFC 4648 section 4); verifying libraries take it with and without the padding.
static bool decode(struct lsig_span text, struct lsig_webhook_key *key)
{
    size_t len = text.len;
    while (len > 0 && text.len - len < 2 && text.data[len - 1] == '=') {
        len--;
    }
    if (len % 4 == 1 || (len != text.len && text.len % 4 != 0) ||
        len / 4 * 3 + 2 > sizeof(key->bytes)) {
        return false;
    }
    uint32_t bits = 0;
    key->len = 0;
    for (size_t i = 0; i < len; i++) {
        int value = value_of(text.data[i]);
        if (value < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 > 0) {
            key->bytes[key->len++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
        }
    }
    return true;
}

static const char *parse_text(struct lsig_span text, struct lsig_webhook_key *key)
{
    switch (lsig_jwt_secret_check(text)) {
    case LSIG_SECRET_EXAMPLE:
        return "this is the example from a guide, which everybody knows";
    case LSIG_SECRET_PEM:
        return "this is a PEM key, not a secret";
    case LSIG_SECRET_REPEATED:
        return "this is one letter repeated";
    case LSIG_SECRET_SHORT:
        return "a secret needs at least 32 bytes";
    case LSIG_SECRET_FINE:
        break;
    }
    if (text.len < LSIG_WEBHOOK_SECRET_TEXT_MIN || text.len > sizeof(key->bytes)) {
        return "a secret needs 32 to 1024 bytes";
    }
    memcpy(key->bytes, text.data, text.len);
    key->len = text.len;
    return NULL;
}

const char *lsig_webhook_secret_parse(struct lsig_span text, struct lsig_webhook_key *key)
{
    size_t skip = sizeof(prefix) - 1;
    if (text.len < skip || memcmp(text.data, prefix, skip) != 0) {
        return parse_text(text, key);
    }
    struct lsig_span rest = {text.data + skip, text.len - skip};
    if (!decode(rest, key)) {
        return "behind whsec_ there is no base64";
    }
    if (key->len < LSIG_WEBHOOK_SECRET_MIN || key->len > LSIG_WEBHOOK_SECRET_MAX) {
        return "behind whsec_ there must be 24 to 64 bytes in base64";
    }
    return NULL;
}
