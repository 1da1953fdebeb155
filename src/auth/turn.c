#include "auth/turn.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/settings.h"

static int64_t least(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

int64_t lsig_turn_end(int64_t now_s, int64_t token_exp_s, int64_t lifetime_s)
{
    return least(token_exp_s, now_s + least(lifetime_s, LSIG_TURN_LIFETIME_MAX_S));
}

enum lsig_status lsig_turn_make(struct lsig_turn *turn,
                                const char *secrets,
                                struct lsig_span user,
                                int64_t now_s,
                                int64_t token_exp_s,
                                int64_t lifetime_s)
{
    *turn = (struct lsig_turn){0};
    size_t cursor = 0;
    struct lsig_span secret;
    if (secrets == NULL || !lsig_settings_list_next(secrets, &cursor, &secret)) {
        return LSIG_NOT_FOUND;
    }
    if (user.len > LSIG_TURN_USER_MAX) {
        return LSIG_TOO_BIG;
    }
    if (token_exp_s <= now_s) {
        return LSIG_TOKEN_EXPIRED;
    }
    turn->expires_at = lsig_turn_end(now_s, token_exp_s, lifetime_s);
    int len = snprintf(turn->username, sizeof(turn->username), "%" PRId64 ":%.*s", turn->expires_at,
                       LSIG_SPAN_ARG(user));
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned mac_len = 0;
    if (HMAC(EVP_sha1(), secret.data, (int)secret.len, (const unsigned char *)turn->username,
             (size_t)len, mac, &mac_len) == NULL) {
        abort();
    }
    EVP_EncodeBlock((unsigned char *)turn->credential, mac, (int)mac_len);
    return LSIG_OK;
}
