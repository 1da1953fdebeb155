#include "auth/resume.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

static void print_digest(struct lsig_span token, unsigned char out[LSIG_RESUME_DIGEST_SIZE])
{
    unsigned char whole[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)token.data, token.len, whole);
    memcpy(out, whole, LSIG_RESUME_DIGEST_SIZE);
}

void lsig_resume_make(const struct lsig_random_source *random,
                      char token[LSIG_RESUME_TOKEN_SIZE],
                      unsigned char digest[LSIG_RESUME_DIGEST_SIZE])
{
    lsig_random_fill_hex(random, token, (LSIG_RESUME_TOKEN_SIZE - 1) / 2);
    print_digest(lsig_span_of(token), digest);
}

bool lsig_resume_matches(struct lsig_span token,
                         const unsigned char digest[LSIG_RESUME_DIGEST_SIZE])
{
    unsigned char own[LSIG_RESUME_DIGEST_SIZE];
    print_digest(token, own);
    return CRYPTO_memcmp(own, digest, sizeof(own)) == 0;
}
