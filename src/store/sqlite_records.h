// sqlite_records.h - the statements behind sqlite_store.h. Blocks; one thread at a time, any
// thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "store/account_store.h"

enum {
    LSIG_SQLITE_BUSY_TIMEOUT_MS =
        2000, // another process (a backup, an operator's shell) has the file
    LSIG_SQLITE_REFRESH_TOKENS_MAX = 100, // per account; beyond it those that end first are removed
};

struct lsig_sqlite_records;

// path is made (0600) if it is missing. LSIG_INTERNAL_ERROR with a text for people in error;
// *records is NULL then.
LSIG_MUST_USE enum lsig_status lsig_sqlite_records_open(struct lsig_sqlite_records **records,
                                                        const char *path,
                                                        char *error,
                                                        size_t error_size);
void lsig_sqlite_records_close(struct lsig_sqlite_records *records); // NULL is fine

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
enum lsig_status lsig_sqlite_records_probe(struct lsig_sqlite_records *records); // reads the file

// What SQLite said of the last call, for the log: it names tables and columns, never values.
const char *lsig_sqlite_records_error(const struct lsig_sqlite_records *records);
