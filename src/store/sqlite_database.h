// sqlite_database.h - the open file, and running one of its statements; inside of store/sqlite_*.c
// only.
#pragma once

#include <sqlite3.h>
#include <stdbool.h>

#include "store/document_store.h"
#include "store/sqlite_records.h"

#define LSIG_SQLITE_ACCOUNT_COLUMNS                                                                \
    "accounts.username, email, hashed_password, accounts.created_at, is_active, is_verified, "     \
    "failed_login_attempts, locked_until, last_login, role, accounts.token_version"

// One statement each, prepared when the file is opened. BEGIN IMMEDIATE: the write lock is waited
// for at the beginning, where busy_timeout works, and not in the middle, where it cannot.
#define LSIG_SQLITE_STATEMENTS(X)                                                                  \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(COMMIT, "COMMIT")                                                                            \
    X(ROLLBACK, "ROLLBACK")                                                                        \
    X(SAVEPOINT, "SAVEPOINT call")                                                                 \
    X(RELEASE, "RELEASE call")                                                                     \
    X(UNDO, "ROLLBACK TO call")                                                                    \
    X(PROBE, "SELECT count(*) FROM sqlite_schema")                                                 \
    X(FIND_USERNAME, "SELECT " LSIG_SQLITE_ACCOUNT_COLUMNS " FROM accounts WHERE username = ?1")   \
    X(FIND_EMAIL, "SELECT " LSIG_SQLITE_ACCOUNT_COLUMNS " FROM accounts WHERE email = ?1")         \
    X(CREATE,                                                                                      \
      "INSERT INTO accounts (username, email, hashed_password, created_at, is_active, "            \
      "is_verified, failed_login_attempts, locked_until, last_login, role, token_version) "        \
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")                                     \
    X(ADD_FAILURE,                                                                                 \
      "UPDATE accounts SET failed_login_attempts = failed_login_attempts + 1 WHERE username = ?1") \
    X(ADD_LOGIN,                                                                                   \
      "UPDATE accounts SET failed_login_attempts = 0, last_login = ?2 WHERE username = ?1")        \
    X(REMOVE_EXPIRED, "DELETE FROM refresh_tokens WHERE expires_at <= ?1 AND access_end <= ?1")    \
    X(REMOVE_SURPLUS,                                                                              \
      "DELETE FROM refresh_tokens WHERE rowid IN (SELECT rowid FROM refresh_tokens WHERE "         \
      "username = ?1 AND used_at = 0 ORDER BY expires_at DESC, rowid DESC LIMIT -1 OFFSET ?2)")    \
    X(REMOVE_USED,                                                                                 \
      "DELETE FROM refresh_tokens WHERE rowid IN (SELECT rowid FROM refresh_tokens WHERE "         \
      "username = ?1 AND used_at > 0 ORDER BY used_at DESC, rowid DESC LIMIT -1 OFFSET ?2)")       \
    X(SAVE_REFRESH_TOKEN,                                                                          \
      "INSERT INTO refresh_tokens (hash, username, family, created_at, expires_at, "               \
      "token_version, access_key, access_end) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")            \
    X(FIND_REFRESH_TOKEN,                                                                          \
      "SELECT " LSIG_SQLITE_ACCOUNT_COLUMNS                                                        \
      ", family, refresh_tokens.created_at, expires_at, used_at, refresh_tokens.token_version "    \
      "FROM refresh_tokens JOIN accounts USING (username) WHERE hash = ?1 AND expires_at > ?2")    \
    X(USE_REFRESH_TOKEN, "UPDATE refresh_tokens SET used_at = ?2 WHERE hash = ?1")                 \
    X(FIND_FAMILY, "SELECT family FROM refresh_tokens WHERE access_key = ?1 AND username = ?2")    \
    X(REMOVE_FAMILY,                                                                               \
      "DELETE FROM refresh_tokens WHERE family = ?1 RETURNING access_key, access_end")             \
    X(REMOVE_REFRESH_OF_USER, "DELETE FROM refresh_tokens WHERE username = ?1")                    \
    X(REMOVE_REFRESH_BEFORE,                                                                       \
      "DELETE FROM refresh_tokens WHERE family IN (SELECT family FROM refresh_tokens WHERE "       \
      "created_at < ?1)")                                                                          \
    X(SAVE_REVOCATION,                                                                             \
      "INSERT INTO revocations (kind, name, at) VALUES (?1, ?2, ?3) ON CONFLICT (kind, name) DO "  \
      "UPDATE SET at = max(at, excluded.at)")                                                      \
    X(REMOVE_REVOCATIONS, "DELETE FROM revocations WHERE kind = ?1 AND at <= ?2")                  \
    X(LOAD_REVOCATIONS, "SELECT kind, name, at FROM revocations WHERE kind <> 0 OR at > ?1")       \
    X(GET_DOCUMENT,                                                                                \
      "SELECT value FROM documents WHERE collection = ?1 AND key = ?2 AND (expires_at = 0 OR "     \
      "expires_at > ?3)")                                                                          \
    X(PUT_DOCUMENT,                                                                                \
      "INSERT INTO documents (collection, key, value, updated_at, expires_at) VALUES (?1, ?2, "    \
      "?4, ?3, ?5) ON CONFLICT (collection, key) DO UPDATE SET value = excluded.value, "           \
      "updated_at = excluded.updated_at, expires_at = excluded.expires_at WHERE ?6 = 0 OR "        \
      "(documents.expires_at > 0 AND documents.expires_at <= ?3)")                                 \
    X(CHANGE_DOCUMENT,                                                                             \
      "UPDATE documents SET value = ?4, updated_at = ?3 WHERE collection = ?1 AND key = ?2")       \
    X(REMOVE_DOCUMENT,                                                                             \
      "DELETE FROM documents WHERE collection = ?1 AND key = ?2 RETURNING expires_at")             \
    X(LIST_DOCUMENTS,                                                                              \
      "SELECT key, value FROM documents WHERE collection = ?1 AND key >= ?2 AND key < ?4 AND "     \
      "(expires_at = 0 OR expires_at > ?3) ORDER BY key LIMIT ?5")                                 \
    X(COUNT_COUNTER,                                                                               \
      "SELECT number FROM counters WHERE collection = ?1 AND key = ?2 AND (expires_at = 0 OR "     \
      "expires_at > ?3)")                                                                          \
    X(CHANGE_COUNTER,                                                                              \
      "INSERT INTO counters (collection, key, number, expires_at) VALUES (?1, ?2, ?4, ?5) ON "     \
      "CONFLICT (collection, key) DO UPDATE SET "                                                  \
      "number = iif(expires_at = 0 OR expires_at > ?3, number + ?4, ?4), "                         \
      "expires_at = iif(expires_at = 0 OR expires_at > ?3, expires_at, ?5) RETURNING number")      \
    X(REMOVE_COUNTER,                                                                              \
      "DELETE FROM counters WHERE collection = ?1 AND key = ?2 RETURNING expires_at")              \
    X(SWEEP_DOCUMENTS,                                                                             \
      "DELETE FROM documents WHERE rowid IN (SELECT rowid FROM documents WHERE expires_at > 0 "    \
      "AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2)")                                        \
    X(SWEEP_COUNTERS,                                                                              \
      "DELETE FROM counters WHERE rowid IN (SELECT rowid FROM counters WHERE expires_at > 0 AND "  \
      "expires_at <= ?1 ORDER BY expires_at LIMIT ?2)")

enum lsig_sqlite_statement {
#define X(name, sql) LSIG_SQLITE_##name,
    LSIG_SQLITE_STATEMENTS(X)
#undef X
        LSIG_SQLITE_STATEMENT_COUNT
};

struct lsig_sqlite_records {
    sqlite3 *db;
    char error[160]; // of the last statement that failed
    bool grouping;   // a call's transaction is part of the group's,
    bool begun;      // which has begun
    sqlite3_stmt *statements[LSIG_SQLITE_STATEMENT_COUNT];
};

// Steps once: SQLITE_ROW, SQLITE_DONE, or what went wrong, which is noted.
int lsig_sqlite_database_step(struct lsig_sqlite_records *records,
                              enum lsig_sqlite_statement which);
// Makes the statement ready for its next use.
void lsig_sqlite_database_reset(struct lsig_sqlite_records *records,
                                enum lsig_sqlite_statement which);
int lsig_sqlite_database_run(struct lsig_sqlite_records *records,
                             enum lsig_sqlite_statement which); // both
void lsig_sqlite_database_bind_text(struct lsig_sqlite_records *records,
                                    enum lsig_sqlite_statement which,
                                    int index,
                                    const char *text);
// The parameters of all statements that speak of one document or counter: 1 to 3, where there is a
// third one.
void lsig_sqlite_database_bind_name(struct lsig_sqlite_records *records,
                                    enum lsig_sqlite_statement which,
                                    const struct lsig_document_name *name);
// A text or a blob of a row that stands, valid until the next step.
struct lsig_span lsig_sqlite_database_bytes(sqlite3_stmt *row, int column);
// Of the account columns of a row that stands.
void lsig_sqlite_database_read_account(sqlite3_stmt *row, struct lsig_account *account);
void lsig_sqlite_database_copy_text(char *out, size_t size, sqlite3_stmt *row, int column);
// Begins a transaction, or a savepoint of the group's; and ends it: by COMMIT where *status is good
// or says that something was found out (not LSIG_INTERNAL_ERROR), else by ROLLBACK.
bool lsig_sqlite_database_begin(struct lsig_sqlite_records *records);
void lsig_sqlite_database_end(struct lsig_sqlite_records *records, enum lsig_status *status);
