// random.h - random bytes from the kernel (getrandom), fit for secrets; or, in tests of policies,
// ones that repeat.
#pragma once

#include <stddef.h>
#include <stdint.h>

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
// As lsig_random_hex, from there.
void lsig_random_fill_hex(const struct lsig_random_source *source, char *out, size_t len);

// A source that gives the same bytes for the same state (SplitMix64; Steele, Lea, Flood 2014), and
// never secrets. The state outlives it.
struct lsig_random_source lsig_random_repeat(uint64_t *state);
