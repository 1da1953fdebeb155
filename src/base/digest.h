// digest.h - SHA-256 (FIPS 180-4) as text, of bytes that come in pieces.
#pragma once

#include <stddef.h>

enum { LSIG_DIGEST_TEXT_SIZE = 65 }; // 64 hexadecimal digits and the end

struct lsig_digest;

struct lsig_digest *lsig_digest_new(void);
void lsig_digest_add(struct lsig_digest *digest, const void *bytes, size_t len);
// Writes what it comes to, and frees it.
void lsig_digest_end(struct lsig_digest *digest, char out[LSIG_DIGEST_TEXT_SIZE]);
