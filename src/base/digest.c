#include "base/digest.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

struct lsig_digest {
    EVP_MD_CTX *context;
};

struct lsig_digest *lsig_digest_new(void)
{
    struct lsig_digest *digest = lsig_alloc(sizeof(*digest));
    digest->context = EVP_MD_CTX_new();
    int fine = digest->context != NULL;
    fine = fine && EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL);
    assert(fine);
    return digest;
}

void lsig_digest_add(struct lsig_digest *digest, const void *bytes, size_t len)
{
    int fine = EVP_DigestUpdate(digest->context, bytes, len);
    assert(fine);
}

void lsig_digest_end(struct lsig_digest *digest, char out[LSIG_DIGEST_TEXT_SIZE])
{
    unsigned char whole[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    int fine = EVP_DigestFinal_ex(digest->context, whole, &len);
    assert(fine && len * 2 + 1 == LSIG_DIGEST_TEXT_SIZE);
    for (unsigned int i = 0; i < len; i++) {
        snprintf(out + (size_t)2 * i, 3, "%02x", whole[i]);
    }
    EVP_MD_CTX_free(digest->context);
    free(digest);
}
