// random.h - random bytes from the kernel (getrandom), fit for secrets.
#pragma once

#include <stddef.h>

void lsig_random_bytes(void *out, size_t len);
// len random bytes as 2 * len lower-case hexadecimal digits and a NUL; out holds 2 * len + 1. len
// <= 64.
void lsig_random_hex(char *out, size_t len);

// Where random bytes come from when they may be made to repeat: in tests of policies.
struct lsig_random_source {
    void (*fill)(void *self, void *out, size_t len);
    void *self;
};

// NULL: from the kernel.
void lsig_random_fill(const struct lsig_random_source *source, void *out, size_t len);
