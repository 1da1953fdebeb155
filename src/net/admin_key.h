// admin_key.h - the key of the admin API, and how often an address may be wrong about it.
#pragma once

#include <stdint.h>

#include "base/span.h"
#include "base/status.h"

enum { LSIG_ADMIN_WRONG_PER_MINUTE = 10, LSIG_ADMIN_ADDRESSES_MAX = 1000 };

struct lsig_admin_key;

struct lsig_admin_key *lsig_admin_key_new(const char *key); // borrowed
void lsig_admin_key_free(struct lsig_admin_key *key);       // NULL is fine
// LSIG_OK; LSIG_TOKEN_INVALID for another key; LSIG_RATE_LIMIT_EXCEEDED, whatever the key, while
// the address has been wrong LSIG_ADMIN_WRONG_PER_MINUTE times: *retry_ms says how long. Takes the
// same time for every key of one length. Of more than LSIG_ADMIN_ADDRESSES_MAX addresses the one
// whose last wrong key is longest ago is forgotten.
LSIG_MUST_USE enum lsig_status lsig_admin_key_check(struct lsig_admin_key *key,
                                                    struct lsig_span given,
                                                    const char *address,
                                                    int64_t mono_ms,
                                                    int64_t *retry_ms);
