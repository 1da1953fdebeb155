#include "auth/refresh.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/random.h"

void lsig_refresh_init(struct lsig_refresh *refresh)
{
    unsigned char random[32];
    lsig_random_bytes(random, sizeof(random));
    char text[4 * ((sizeof(random) + 2) / 3) + 1];
    EVP_EncodeBlock((unsigned char *)text, random, (int)sizeof(random));
    for (size_t i = 0; i < LSIG_REFRESH_TOKEN_SIZE - 1; i++) {
        char c = text[i];
        refresh->token[i] = (char)(c == '+' ? '-' : c == '/' ? '_' : c);
    }
    refresh->token[LSIG_REFRESH_TOKEN_SIZE - 1] = '\0';
    explicit_bzero(random, sizeof(random));
    explicit_bzero(text, sizeof(text));
    lsig_refresh_print_digest(lsig_span_of(refresh->token), refresh->digest);
    lsig_random_hex(refresh->family, LSIG_REFRESH_FAMILY_TEXT_SIZE / 2);
}

void lsig_refresh_clear(struct lsig_refresh *refresh)
{
    explicit_bzero(refresh, sizeof(*refresh));
}

void lsig_refresh_print_digest(struct lsig_span token, unsigned char out[LSIG_REFRESH_DIGEST_SIZE])
{
    SHA256((const unsigned char *)token.data, token.len, out);
}
