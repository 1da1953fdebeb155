#include "codec/jwt_secret.h"

enum lsig_secret_weakness lsig_jwt_secret_check(struct lsig_span secret)
{
    static const char *const examples[] = {"your-super-secure-jwt-secret-key",
                                           "use-a-strong-randomly-generated-secret-key-here"};
    if (secret.len == 0) {
        return LSIG_SECRET_SHORT;
    }
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        if (lsig_span_is(secret, examples[i])) {
            return LSIG_SECRET_EXAMPLE;
        }
    }
    if (memmem(secret.data, secret.len, "-----BEGIN", 10) != NULL) {
        return LSIG_SECRET_PEM;
    }
    size_t same = 1;
    while (same < secret.len && secret.data[same] == secret.data[0]) {
        same++;
    }
    if (same == secret.len) {
        return LSIG_SECRET_REPEATED;
    }
    return secret.len < LSIG_JWT_SECRET_MIN ? LSIG_SECRET_SHORT : LSIG_SECRET_FINE;
}
