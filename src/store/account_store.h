// account_store.h - where accounts are kept: what every database behind it has to do.
//
// All calls are made, and all callbacks run, on the loop's thread. A call answers LSIG_OK
// (accepted: exactly one callback comes, never before the call has returned), LSIG_BUSY (its queue
// is full) or LSIG_DRAINING (it is being closed); then no callback comes. What is passed in is
// copied. Calls about one name, or one refresh token, take effect in the order in which they were
// accepted; a database may let others overtake each other. Times are unix seconds.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "base/status.h"

enum {
    LSIG_ACCOUNT_NAME_SIZE = 129,
    LSIG_ACCOUNT_EMAIL_SIZE = 255,
    LSIG_ACCOUNT_HASH_SIZE = 128,
    LSIG_ACCOUNT_ROLE_SIZE = 33,
    LSIG_REFRESH_HASH_SIZE = 32,     // SHA-256
    LSIG_REFRESH_FAMILY_SIZE = 33,   // hexadecimal
    LSIG_ACCOUNT_WAITING_MAX = 1024, // calls that wait for the database
    LSIG_REFRESH_USED_MAX = 1000,    // used ones kept per account or per login, so that their reuse
                                     // is noticed; the oldest go first
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
    int64_t used_at;       // 0: not yet
    int64_t token_version; // of the account at the login
    uint64_t access_key;   // of the access token given out with it; 0: none
    int64_t access_end;    // when that one ends, with the leeway
};

// An access token that was revoked together with its family.
struct lsig_access_mark {
    uint64_t key;
    int64_t end; // later than the time of the call
};

enum lsig_revocation_kind {
    LSIG_REVOKED_TOKEN, // one access token
    LSIG_REVOKED_USER,  // a user's, issued up to a time
    LSIG_REVOKED_TIME,  // everybody's, issued before a time
};

struct lsig_revocation {
    enum lsig_revocation_kind kind;
    uint64_t key;                      // of the token
    char user[LSIG_ACCOUNT_NAME_SIZE]; // of LSIG_REVOKED_USER
    int64_t at;                        // token: its end; user: up to; time: before
};

struct lsig_logout {
    char username[LSIG_ACCOUNT_NAME_SIZE];
    struct lsig_revocation revocation; // of the access token
    bool has_hash;                     // a refresh token was given
    unsigned char hash[LSIG_REFRESH_HASH_SIZE];
    int64_t now;
};

// status: LSIG_OK, LSIG_NOT_FOUND, LSIG_EXISTS, or LSIG_INTERNAL_ERROR when the database failed.
// account is valid during the callback, NULL unless a find succeeded. on_done may be NULL where the
// outcome does not matter.
struct lsig_account_call {
    void (*on_done)(void *arg, enum lsig_status status, const struct lsig_account *account);
    void *arg;
};

// What the calls about refresh tokens answer. Valid during the callback; what a call does not speak
// of is NULL or 0.
struct lsig_refresh_outcome {
    const struct lsig_account *account;
    const struct lsig_refresh_token *token;
    const struct lsig_access_mark *marks;
    size_t mark_count;
};

struct lsig_refresh_call {
    void (*on_done)(void *arg, enum lsig_status status, const struct lsig_refresh_outcome *outcome);
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
    // The token, used or not, and its account. LSIG_NOT_FOUND also when it ended at `now`.
    enum lsig_status (*find_refresh_token)(void *self,
                                           const unsigned char hash[LSIG_REFRESH_HASH_SIZE],
                                           int64_t now,
                                           struct lsig_refresh_call call);
    // In one step: the token of this hash is used up, and `next` (its hash, times and access token;
    // the rest it inherits) is there in its place. LSIG_NOT_FOUND as above. LSIG_TOKEN_INVALID when
    // it was used before: its whole family is removed, and the access tokens of the family are
    // revoked, in the same step; `marks` and `token` say which.
    enum lsig_status (*rotate_refresh_token)(void *self,
                                             const unsigned char hash[LSIG_REFRESH_HASH_SIZE],
                                             const struct lsig_refresh_token *next,
                                             struct lsig_refresh_call call);
    // In one step: the revocation is kept, and the families that the access token or the refresh
    // token belongs to, if they are this user's, are removed with their access tokens (`marks`).
    enum lsig_status (*log_out)(void *self,
                                const struct lsig_logout *logout,
                                struct lsig_refresh_call call);
    // Keeps a revocation; one that is there already is moved to the later of both times. Of a user:
    // his refresh tokens are removed with it. Of a time: families that have a token from before it
    // are removed, and so are revocations of users that it covers. Tokens whose end has come by
    // `now` are forgotten on the way.
    enum lsig_status (*save_revocation)(void *self,
                                        const struct lsig_revocation *revocation,
                                        int64_t now,
                                        struct lsig_account_call call);
    // Tells all revocations that matter at `now`. Blocks: only before any other call.
    enum lsig_status (*load_revocations)(
        void *self,
        int64_t now,
        void (*on_revocation)(void *arg, const struct lsig_revocation *revocation),
        void *arg);
    // What is known of the database without waiting: LSIG_OK or LSIG_INTERNAL_ERROR. May start a
    // probe for the next time.
    enum lsig_status (*ping)(void *self);
};
