// revocation.h - which tokens are dead before their end. Pure: time is passed in.
//
// Three kinds: one token (by lsig_token_key of its jti, until its end), all tokens of a user that
// were issued up to a second, all tokens that were issued before a second. A token that does not
// say when it was issued counts as older than any.
//
// Bounded, and nothing that still matters is ever forgotten: at a bound, adding is refused. Tokens
// go when their end has passed; users go when a revocation by time covers them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "base/status.h"

enum {
    LSIG_REVOCATION_TOKENS_MAX = 262144, // about 20 MiB
    LSIG_REVOCATION_USERS_MAX = 65536,
    LSIG_REVOCATION_UNKNOWN_S = 366 * 86400, // for a token whose end nobody knows: tokens made here
                                             // live for a year at most
};

struct lsig_revocations;

struct lsig_revocations *lsig_revocations_new(void);
void lsig_revocations_free(struct lsig_revocations *revocations); // NULL is fine

// Other bounds than LSIG_REVOCATION_*_MAX: for reading back what was kept, which is never refused.
void lsig_revocations_allow(struct lsig_revocations *revocations,
                            size_t tokens_max,
                            size_t users_max);

// Each: LSIG_OK, or LSIG_TOO_BIG with nothing changed. Adding again keeps the later of both times.
// key is not 0; until end_s the token would be good (its exp and the leeway); an end that is over
// changes nothing. Entries whose end has passed are removed on the way.
LSIG_MUST_USE enum lsig_status lsig_revocations_add_token(struct lsig_revocations *revocations,
                                                          uint64_t key,
                                                          int64_t end_s,
                                                          int64_t now_s);
// Tokens of the user issued at up_to_s or earlier. user: 1 to 128 bytes.
LSIG_MUST_USE enum lsig_status lsig_revocations_add_user(struct lsig_revocations *revocations,
                                                         struct lsig_span user,
                                                         int64_t up_to_s);
// Tokens issued before before_s. Users whose revocation this covers are removed.
void lsig_revocations_add_time(struct lsig_revocations *revocations, int64_t before_s);

// key 0: the token has no jti. iat 0: it does not say when it was issued.
bool lsig_revocations_cover(const struct lsig_revocations *revocations,
                            uint64_t key,
                            struct lsig_span user,
                            int64_t iat_s);

// The earliest second, now_s or later, at which a new token of the user may be issued so that no
// revocation by user or time covers it.
int64_t lsig_revocations_first_good(const struct lsig_revocations *revocations,
                                    struct lsig_span user,
                                    int64_t now_s);

size_t lsig_revocations_token_count(const struct lsig_revocations *revocations);
size_t lsig_revocations_user_count(const struct lsig_revocations *revocations);
int64_t lsig_revocations_time(const struct lsig_revocations *revocations); // 0: none
