// password.h - bcrypt on threads of its own, with a queue that has a bound.
//
// One hash takes 200 ms of a core, so it never runs on the event loop, nor on libuv's pool, which
// name look-ups and the database share. Functions are called, and callbacks run, on the loop's
// thread only. Every job that was accepted gets exactly one callback.
//
// bcrypt looks at the first 72 bytes of a password: registration refuses longer ones
// (auth/account.h), and a check of an existing account cuts there, as the library did that made its
// hash. Passwords are wiped as soon as they were used.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/metrics.h"
#include "base/span.h"
#include "base/status.h"

enum {
    LSIG_PASSWORDS_WAITING_MAX = 64,  // jobs that no thread has taken up yet
    LSIG_PASSWORDS_RETRY_AFTER_S = 2, // what to tell a client at the bound
    LSIG_PASSWORD_INPUT_MAX = 1024,   // bytes of a password
};

struct lsig_passwords;
struct uv_loop_s;

struct lsig_password_result {
    enum lsig_status status; // LSIG_OK; LSIG_DRAINING: the pool is being freed;
                             // LSIG_INTERNAL_ERROR: the library failed
    bool match;              // of a check
    const char *hash;        // of a hash: $2b$…, valid during the callback
};

struct lsig_password_call {
    void (*on_done)(void *arg, const struct lsig_password_result *result);
    void *arg;
};

// threads 1 to 16, cost 4 to 16. metrics may be NULL, else outlives the pool: passwords_waiting
// counts jobs waiting or running.
struct lsig_passwords *lsig_passwords_new(struct uv_loop_s *loop,
                                          unsigned threads,
                                          unsigned cost,
                                          struct lsig_metrics *metrics);
// Drops what waits, waits for what runs (one hash at most per thread), and calls back every job
// that is left with LSIG_DRAINING before it returns. The memory goes when the loop has run once
// more (a closing handle). Not from a callback of the pool. NULL is fine.
void lsig_passwords_free(struct lsig_passwords *passwords);

// LSIG_OK: accepted, the password was copied. Without a callback: LSIG_BUSY (the queue is full),
// LSIG_DRAINING (after free has begun), LSIG_INVALID_MESSAGE (a NUL inside, above
// LSIG_PASSWORD_INPUT_MAX; for a hash also above 72 bytes).
LSIG_MUST_USE enum lsig_status lsig_passwords_hash(struct lsig_passwords *passwords,
                                                   struct lsig_span password,
                                                   struct lsig_password_call call);
// Compares with a hash of ours or of the original ($2a$, $2b$, $2y$). Any other text, or a cost
// above 16 (which would hold a thread for minutes), costs one comparison with the dummy and does
// not match.
LSIG_MUST_USE enum lsig_status lsig_passwords_check(struct lsig_passwords *passwords,
                                                    struct lsig_span password,
                                                    const char *hash,
                                                    struct lsig_password_call call);
// A hash of the pool's cost that no password matches: an unknown name is checked against it, and so
// takes as long as a known one.
const char *lsig_passwords_dummy(const struct lsig_passwords *passwords);
