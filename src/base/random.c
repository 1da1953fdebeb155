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
    lsig_random_fill_hex(NULL, out, len);
}

void lsig_random_fill_hex(const struct lsig_random_source *source, char *out, size_t len)
{
    unsigned char bytes[64];
    assert(len <= sizeof(bytes));
    lsig_random_fill(source, bytes, len);
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

static void fill_repeating(void *self, void *out, size_t len)
{
    uint64_t *state = self;
    unsigned char *at = out;
    for (size_t i = 0; i < len; i++) {
        *state += 0x9e3779b97f4a7c15;
        uint64_t mixed = *state;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        at[i] = (unsigned char)(mixed >> 32);
    }
}

struct lsig_random_source lsig_random_repeat(uint64_t *state)
{
    return (struct lsig_random_source){fill_repeating, state};
}
