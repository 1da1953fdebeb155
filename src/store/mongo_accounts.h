// mongo_accounts.h - accounts, refresh tokens and revocations in MongoDB; the statements behind
// mongo_store.h.
//
// Accounts are the documents of the original service, in its collection `users`. What it wrote is
// used as it is: times as dates, members that are missing are 0, and is_active is true then.
//
// A login and all refresh tokens that descend from it are one document of lunasig_logins: `hash` is
// the token that is good, `used` those before it. A rotation is one change of one document, which
// MongoDB does as a whole; so nobody needs transactions, which a single server does not have.
// Where more than one document has to change, what revokes is written first: a failure in between
// leaves less good than asked for, never more, and the same call may be made again.
#pragma once

#include "store/account_jobs.h"

enum {
    LSIG_MONGO_LOGINS_MAX = 100, // per account; beyond it those that end first are removed
};

struct lsig_mongo_database;

// Does a job of account_jobs.h on a struct lsig_mongo_database.
void lsig_mongo_accounts_run(struct lsig_store_job *base, void *database);

// Inside of store/mongo_*.c only: the jobs about refresh tokens and revocations.
enum lsig_status lsig_mongo_refresh_save(struct lsig_mongo_database *database,
                                         const struct lsig_refresh_token *token);
enum lsig_status lsig_mongo_refresh_find(struct lsig_mongo_database *database,
                                         struct lsig_refresh_token *token,
                                         struct lsig_account *account);
enum lsig_status lsig_mongo_refresh_rotate(struct lsig_mongo_database *database,
                                           const unsigned char hash[LSIG_REFRESH_HASH_SIZE],
                                           struct lsig_refresh_token *next,
                                           struct lsig_access_marks *marks);
enum lsig_status lsig_mongo_refresh_log_out(struct lsig_mongo_database *database,
                                            const struct lsig_logout *logout,
                                            struct lsig_access_marks *marks);
enum lsig_status lsig_mongo_revocation_save(struct lsig_mongo_database *database,
                                            const struct lsig_revocation *revocation,
                                            int64_t now);
enum lsig_status
lsig_mongo_revocation_load(struct lsig_mongo_database *database,
                           int64_t now,
                           void (*on_revocation)(void *arg, const struct lsig_revocation *one),
                           void *arg);
enum lsig_status lsig_mongo_accounts_find(struct lsig_mongo_database *database,
                                          const char *name,
                                          struct lsig_account *account);
