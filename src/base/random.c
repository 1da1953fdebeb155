#include "base/random.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void lsig_random_bytes(void *out, size_t len)
{
    char *at = out;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno != EINTR) {
            abort();
        }
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}

void lsig_random_hex(char *out, size_t len)
{
    unsigned char bytes[64];
    assert(len <= sizeof(bytes));
    lsig_random_bytes(bytes, len);
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

void lsig_random_fill(const struct lsig_random_source *source, void *out, size_t len)
{
    if (source == NULL) {
        lsig_random_bytes(out, len);
    } else {
        source->fill(source->self, out, len);
    }
}
