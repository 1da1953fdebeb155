// account_store.h - where accounts are kept: what every database behind it has to do.
//
// All calls are made, and all callbacks run, on the loop's thread. A call answers LSIG_OK
// (accepted: exactly one callback comes, never before the call has returned), LSIG_BUSY (its queue
// is full) or LSIG_DRAINING (it is being closed); then no callback comes. What is passed in is
// copied. Calls take effect in the order in which they were accepted. Times are unix seconds.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/status.h"

enum {
    LSIG_ACCOUNT_NAME_SIZE = 129,
    LSIG_ACCOUNT_EMAIL_SIZE = 255,
    LSIG_ACCOUNT_HASH_SIZE = 128,
    LSIG_ACCOUNT_ROLE_SIZE = 33,
    LSIG_REFRESH_HASH_SIZE = 32,   // SHA-256
    LSIG_REFRESH_FAMILY_SIZE = 33, // hexadecimal
};

// The user document of the original service.
struct lsig_account {
    char username[LSIG_ACCOUNT_NAME_SIZE]; // lower case, unique
    char email[LSIG_ACCOUNT_EMAIL_SIZE];   // lower case, unique
    char hashed_password[LSIG_ACCOUNT_HASH_SIZE];
    int64_t created_at;
    bool is_active;
    bool is_verified;
    int64_t failed_login_attempts; // since the last login, from anywhere; for information
    int64_t
        locked_until; // 0: not locked; set by operators, kept by the store, never by a failed login
    int64_t last_login; // 0: never
    char role[LSIG_ACCOUNT_ROLE_SIZE];
    int64_t token_version;
};

struct lsig_refresh_token {
    char username[LSIG_ACCOUNT_NAME_SIZE];
    unsigned char hash[LSIG_REFRESH_HASH_SIZE]; // of the token; the token itself is never stored
    char family[LSIG_REFRESH_FAMILY_SIZE];      // the login that it descends from
    int64_t created_at;
    int64_t expires_at;
};

// status: LSIG_OK, LSIG_NOT_FOUND, LSIG_EXISTS, or LSIG_INTERNAL_ERROR when the database failed.
// account is valid during the callback, NULL unless a find succeeded. on_done may be NULL where the
// outcome does not matter.
struct lsig_account_call {
    void (*on_done)(void *arg, enum lsig_status status, const struct lsig_account *account);
    void *arg;
};

struct lsig_account_store {
    void *self;
    // By user name, or by e-mail if there is an @ in it; lower case. LSIG_NOT_FOUND for what is
    // longer than either can be.
    enum lsig_status (*find)(void *self, struct lsig_span name, struct lsig_account_call call);
    // LSIG_EXISTS when the user name or the e-mail is taken: nothing is changed then.
    enum lsig_status (*create)(void *self,
                               const struct lsig_account *account,
                               struct lsig_account_call call);
    // One more in failed_login_attempts; LSIG_NOT_FOUND without such an account.
    enum lsig_status (*add_failure)(void *self,
                                    const char *username,
                                    struct lsig_account_call call);
    // last_login is now, failed_login_attempts 0.
    enum lsig_status (*add_login)(void *self,
                                  const char *username,
                                  int64_t at,
                                  struct lsig_account_call call);
    // LSIG_NOT_FOUND without such an account. Tokens that have expired may be removed on the way.
    enum lsig_status (*save_refresh_token)(void *self,
                                           const struct lsig_refresh_token *token,
                                           struct lsig_account_call call);
    // What is known of the database without waiting: LSIG_OK or LSIG_INTERNAL_ERROR. May start a
    // probe for the next time.
    enum lsig_status (*ping)(void *self);
};
