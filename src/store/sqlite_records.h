// sqlite_records.h - the statements behind sqlite_store.h. Blocks; one thread at a time, any
// thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "store/account_jobs.h"

enum {
    LSIG_SQLITE_BUSY_TIMEOUT_MS =
        2000, // another process (a backup, an operator's shell) has the file
    LSIG_SQLITE_REFRESH_TOKENS_MAX =
        100, // unused ones per account; beyond it those that end first are removed
};

struct lsig_sqlite_records;

// path is made (0600) if it is missing. LSIG_INTERNAL_ERROR with a text for people in error;
// *records is NULL then.
LSIG_MUST_USE enum lsig_status lsig_sqlite_records_open(struct lsig_sqlite_records **records,
                                                        const char *path,
                                                        char *error,
                                                        size_t error_size);
void lsig_sqlite_records_close(struct lsig_sqlite_records *records); // NULL is fine

// Calls between these two are one transaction, which begins with the first that writes. A call that
// fails takes back what it did itself, and nothing of the others. LSIG_INTERNAL_ERROR: nothing of
// what any of them wrote is there.
void lsig_sqlite_records_begin_group(struct lsig_sqlite_records *records);
LSIG_MUST_USE enum lsig_status lsig_sqlite_records_end_group(struct lsig_sqlite_records *records);

// The calls of account_store.h, with their statuses.
enum lsig_status lsig_sqlite_records_find(struct lsig_sqlite_records *records,
                                          const char *name,
                                          struct lsig_account *account);
enum lsig_status lsig_sqlite_records_create(struct lsig_sqlite_records *records,
                                            const struct lsig_account *account);
enum lsig_status lsig_sqlite_records_add_failure(struct lsig_sqlite_records *records,
                                                 const char *username);
enum lsig_status lsig_sqlite_records_add_login(struct lsig_sqlite_records *records,
                                               const char *username,
                                               int64_t at);
enum lsig_status lsig_sqlite_records_save_refresh_token(struct lsig_sqlite_records *records,
                                                        const struct lsig_refresh_token *token);
// token: hash and now (in created_at) on the way in, the row on the way out.
enum lsig_status lsig_sqlite_records_find_refresh_token(struct lsig_sqlite_records *records,
                                                        struct lsig_refresh_token *token,
                                                        struct lsig_account *account);
// next: on the way out also what it inherited; of the used token when the outcome is
// LSIG_TOKEN_INVALID.
enum lsig_status lsig_sqlite_records_rotate(struct lsig_sqlite_records *records,
                                            const unsigned char hash[LSIG_REFRESH_HASH_SIZE],
                                            struct lsig_refresh_token *next,
                                            struct lsig_access_marks *marks);
enum lsig_status lsig_sqlite_records_log_out(struct lsig_sqlite_records *records,
                                             const struct lsig_logout *logout,
                                             struct lsig_access_marks *marks);
enum lsig_status lsig_sqlite_records_save_revocation(struct lsig_sqlite_records *records,
                                                     const struct lsig_revocation *revocation,
                                                     int64_t now);
enum lsig_status lsig_sqlite_records_load_revocations(
    struct lsig_sqlite_records *records,
    int64_t now,
    void (*on_revocation)(void *arg, const struct lsig_revocation *one),
    void *arg);
enum lsig_status lsig_sqlite_records_probe(struct lsig_sqlite_records *records); // reads the file

// What SQLite said of the last call, for the log: it names tables and columns, never values.
const char *lsig_sqlite_records_error(const struct lsig_sqlite_records *records);
