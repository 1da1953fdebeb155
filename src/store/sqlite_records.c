#include "store/sqlite_records.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

// One statement each, prepared when the file is opened. BEGIN IMMEDIATE: the write lock is waited
// for at the beginning, where busy_timeout works, and not in the middle, where it cannot.
#define STATEMENTS(X)                                                                              \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(COMMIT, "COMMIT")                                                                            \
    X(ROLLBACK, "ROLLBACK")                                                                        \
    X(PROBE, "SELECT count(*) FROM sqlite_schema")                                                 \
    X(FIND_USERNAME, "SELECT " COLUMNS " FROM accounts WHERE username = ?1")                       \
    X(FIND_EMAIL, "SELECT " COLUMNS " FROM accounts WHERE email = ?1")                             \
    X(CREATE,                                                                                      \
      "INSERT INTO accounts (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")  \
    X(ADD_FAILURE,                                                                                 \
      "UPDATE accounts SET failed_login_attempts = failed_login_attempts + 1 WHERE username = ?1") \
    X(ADD_LOGIN,                                                                                   \
      "UPDATE accounts SET failed_login_attempts = 0, last_login = ?2 WHERE username = ?1")        \
    X(REMOVE_EXPIRED, "DELETE FROM refresh_tokens WHERE expires_at <= ?1")                         \
    X(REMOVE_SURPLUS,                                                                              \
      "DELETE FROM refresh_tokens WHERE username = ?1 AND hash NOT IN (SELECT hash FROM "          \
      "refresh_tokens WHERE username = ?1 ORDER BY expires_at DESC, rowid DESC LIMIT ?2)")         \
    X(SAVE_REFRESH_TOKEN,                                                                          \
      "INSERT INTO refresh_tokens (hash, username, family, created_at, expires_at) "               \
      "VALUES (?1, ?2, ?3, ?4, ?5)")

#define COLUMNS                                                                                    \
    "username, email, hashed_password, created_at, is_active, is_verified, "                       \
    "failed_login_attempts, locked_until, last_login, role, token_version"

enum statement {
#define X(name, sql) name,
    STATEMENTS(X)
#undef X
        STATEMENT_COUNT
};

struct lsig_sqlite_records {
    sqlite3 *db;
    char error[160]; // of the last statement that failed
    sqlite3_stmt *statements[STATEMENT_COUNT];
};

// Step n brings a file of version n to n + 1. A step that has been released is never changed.
static const char *const migrations[] = {
    "CREATE TABLE accounts ("
    "  id INTEGER PRIMARY KEY,"
    "  username TEXT NOT NULL UNIQUE,"
    "  email TEXT NOT NULL UNIQUE,"
    "  hashed_password TEXT NOT NULL,"
    "  created_at INTEGER NOT NULL,"
    "  is_active INTEGER NOT NULL,"
    "  is_verified INTEGER NOT NULL,"
    "  failed_login_attempts INTEGER NOT NULL,"
    "  locked_until INTEGER NOT NULL,"
    "  last_login INTEGER NOT NULL,"
    "  role TEXT NOT NULL,"
    "  token_version INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE refresh_tokens ("
    "  hash BLOB NOT NULL UNIQUE,"
    "  username TEXT NOT NULL REFERENCES accounts (username) ON DELETE CASCADE,"
    "  family TEXT NOT NULL,"
    "  created_at INTEGER NOT NULL,"
    "  expires_at INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX refresh_tokens_by_username ON refresh_tokens (username, expires_at);"
    "CREATE INDEX refresh_tokens_by_end ON refresh_tokens (expires_at);"
    "CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family);",
};

enum { SCHEMA_VERSION = sizeof(migrations) / sizeof(migrations[0]) };

// ---- opening ----

static enum lsig_status
fail(struct lsig_sqlite_records *records, const char *path, char *error, size_t error_size)
{
    snprintf(error, error_size, "%s: %s", path, sqlite3_errmsg(records->db));
    return LSIG_INTERNAL_ERROR;
}

static int read_version(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    int version = -1;
    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        version = sqlite3_column_int(statement, 0);
    }
    sqlite3_finalize(statement);
    return version;
}

// All missing steps in one transaction, so that a file is never left between two versions, whoever
// else migrates at the same time.
static bool migrate(sqlite3 *db)
{
    if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) {
        return false;
    }
    bool good = true;
    for (int version = read_version(db); good && version < SCHEMA_VERSION; version++) {
        char mark[48];
        snprintf(mark, sizeof(mark), "PRAGMA user_version = %d", version + 1);
        good = version >= 0 &&
               sqlite3_exec(db, migrations[version], NULL, NULL, NULL) == SQLITE_OK &&
               sqlite3_exec(db, mark, NULL, NULL, NULL) == SQLITE_OK;
    }
    if (good) {
        return sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    }
    return false; // closing the connection rolls back, and keeps the error's text until then
}

static bool prepare_all(struct lsig_sqlite_records *records)
{
    static const char *const texts[STATEMENT_COUNT] = {
#define X(name, sql) [name] = (sql),
        STATEMENTS(X)
#undef X
    };
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(records->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &records->statements[i], NULL) != SQLITE_OK) {
            return false;
        }
    }
    return true;
}

static enum lsig_status
open_database(struct lsig_sqlite_records *records, const char *path, char *error, size_t error_size)
{
    // Made here, since SQLite would make it readable for others; its -wal and -shm files take over
    // the mode.
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        snprintf(error, error_size, "cannot open %s: %s", path, strerror(errno));
        return LSIG_INTERNAL_ERROR;
    }
    close(fd);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (sqlite3_open_v2(path, &records->db, flags, NULL) != SQLITE_OK) {
        return fail(records, path, error, error_size);
    }
    sqlite3_busy_timeout(records->db, LSIG_SQLITE_BUSY_TIMEOUT_MS);
    if (sqlite3_exec(
            records->db,
            "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF",
            NULL, NULL, NULL) != SQLITE_OK) {
        return fail(records, path, error, error_size);
    }
    int version = read_version(records->db);
    if (version > SCHEMA_VERSION) {
        snprintf(error, error_size,
                 "%s was written by a newer version of lunasig (schema %d, this one knows %d)",
                 path, version, SCHEMA_VERSION);
        return LSIG_INTERNAL_ERROR;
    }
    if ((version < SCHEMA_VERSION && !migrate(records->db)) || !prepare_all(records)) {
        return fail(records, path, error, error_size);
    }
    return LSIG_OK;
}

enum lsig_status lsig_sqlite_records_open(struct lsig_sqlite_records **records_out,
                                          const char *path,
                                          char *error,
                                          size_t error_size)
{
    struct lsig_sqlite_records *records = lsig_alloc(sizeof(*records));
    enum lsig_status status = open_database(records, path, error, error_size);
    if (status != LSIG_OK) {
        lsig_sqlite_records_close(records);
        records = NULL;
    }
    *records_out = records;
    return status;
}

void lsig_sqlite_records_close(struct lsig_sqlite_records *records)
{
    if (records == NULL) {
        return;
    }
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(records->statements[i]);
    }
    int result = sqlite3_close(records->db);
    assert(result == SQLITE_OK); // a statement that is not in the list would be left
    (void)result;
    free(records);
}

// ---- running ----

static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

// At once: the statements that clean up have outcomes of their own.
static void note_error(struct lsig_sqlite_records *records, int result)
{
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        snprintf(records->error, sizeof(records->error), "%s", sqlite3_errmsg(records->db));
    }
}

const char *lsig_sqlite_records_error(const struct lsig_sqlite_records *records)
{
    return records->error;
}

// Steps once and makes the statement ready for its next use.
static int run(struct lsig_sqlite_records *records, enum statement which)
{
    sqlite3_stmt *statement = records->statements[which];
    int result = sqlite3_step(statement);
    note_error(records, result);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return result;
}

static enum lsig_status status_of_update(struct lsig_sqlite_records *records, int result)
{
    if (result != SQLITE_DONE) {
        return LSIG_INTERNAL_ERROR;
    }
    return sqlite3_changes(records->db) > 0 ? LSIG_OK : LSIG_NOT_FOUND;
}

static void copy_text(char *out, size_t size, sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    snprintf(out, size, "%s", text != NULL ? (const char *)text : "");
}

static void read_account(sqlite3_stmt *row, struct lsig_account *account)
{
    copy_text(account->username, sizeof(account->username), row, 0);
    copy_text(account->email, sizeof(account->email), row, 1);
    copy_text(account->hashed_password, sizeof(account->hashed_password), row, 2);
    account->created_at = sqlite3_column_int64(row, 3);
    account->is_active = sqlite3_column_int(row, 4) != 0;
    account->is_verified = sqlite3_column_int(row, 5) != 0;
    account->failed_login_attempts = sqlite3_column_int64(row, 6);
    account->locked_until = sqlite3_column_int64(row, 7);
    account->last_login = sqlite3_column_int64(row, 8);
    copy_text(account->role, sizeof(account->role), row, 9);
    account->token_version = sqlite3_column_int64(row, 10);
}

enum lsig_status lsig_sqlite_records_find(struct lsig_sqlite_records *records,
                                          const char *name,
                                          struct lsig_account *account)
{
    enum statement which = strchr(name, '@') != NULL ? FIND_EMAIL : FIND_USERNAME;
    sqlite3_stmt *statement = records->statements[which];
    bind_text(statement, 1, name);
    int result = sqlite3_step(statement);
    note_error(records, result);
    if (result == SQLITE_ROW) {
        read_account(statement, account);
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return result == SQLITE_ROW    ? LSIG_OK
           : result == SQLITE_DONE ? LSIG_NOT_FOUND
                                   : LSIG_INTERNAL_ERROR;
}

enum lsig_status lsig_sqlite_records_create(struct lsig_sqlite_records *records,
                                            const struct lsig_account *account)
{
    sqlite3_stmt *statement = records->statements[CREATE];
    bind_text(statement, 1, account->username);
    bind_text(statement, 2, account->email);
    bind_text(statement, 3, account->hashed_password);
    sqlite3_bind_int64(statement, 4, account->created_at);
    sqlite3_bind_int(statement, 5, account->is_active);
    sqlite3_bind_int(statement, 6, account->is_verified);
    sqlite3_bind_int64(statement, 7, account->failed_login_attempts);
    sqlite3_bind_int64(statement, 8, account->locked_until);
    sqlite3_bind_int64(statement, 9, account->last_login);
    bind_text(statement, 10, account->role);
    sqlite3_bind_int64(statement, 11, account->token_version);
    int result = run(records, CREATE);
    return result == SQLITE_CONSTRAINT_UNIQUE ? LSIG_EXISTS
           : result == SQLITE_DONE            ? LSIG_OK
                                              : LSIG_INTERNAL_ERROR;
}

enum lsig_status lsig_sqlite_records_add_failure(struct lsig_sqlite_records *records,
                                                 const char *username)
{
    bind_text(records->statements[ADD_FAILURE], 1, username);
    return status_of_update(records, run(records, ADD_FAILURE));
}

enum lsig_status
lsig_sqlite_records_add_login(struct lsig_sqlite_records *records, const char *username, int64_t at)
{
    bind_text(records->statements[ADD_LOGIN], 1, username);
    sqlite3_bind_int64(records->statements[ADD_LOGIN], 2, at);
    return status_of_update(records, run(records, ADD_LOGIN));
}

static enum lsig_status save_in_transaction(struct lsig_sqlite_records *records,
                                            const struct lsig_refresh_token *token)
{
    sqlite3_bind_int64(records->statements[REMOVE_EXPIRED], 1, token->created_at);
    if (run(records, REMOVE_EXPIRED) != SQLITE_DONE) {
        return LSIG_INTERNAL_ERROR;
    }
    sqlite3_stmt *statement = records->statements[SAVE_REFRESH_TOKEN];
    sqlite3_bind_blob(statement, 1, token->hash, sizeof(token->hash), SQLITE_TRANSIENT);
    bind_text(statement, 2, token->username);
    bind_text(statement, 3, token->family);
    sqlite3_bind_int64(statement, 4, token->created_at);
    sqlite3_bind_int64(statement, 5, token->expires_at);
    int result = run(records, SAVE_REFRESH_TOKEN);
    if (result == SQLITE_CONSTRAINT_FOREIGNKEY) {
        return LSIG_NOT_FOUND;
    }
    if (result != SQLITE_DONE) {
        return LSIG_INTERNAL_ERROR;
    }
    bind_text(records->statements[REMOVE_SURPLUS], 1, token->username);
    sqlite3_bind_int(records->statements[REMOVE_SURPLUS], 2, LSIG_SQLITE_REFRESH_TOKENS_MAX);
    return run(records, REMOVE_SURPLUS) == SQLITE_DONE ? LSIG_OK : LSIG_INTERNAL_ERROR;
}

enum lsig_status lsig_sqlite_records_save_refresh_token(struct lsig_sqlite_records *records,
                                                        const struct lsig_refresh_token *token)
{
    if (run(records, BEGIN) != SQLITE_DONE) {
        return LSIG_INTERNAL_ERROR;
    }
    enum lsig_status status = save_in_transaction(records, token);
    if (status == LSIG_OK && run(records, COMMIT) != SQLITE_DONE) {
        status = LSIG_INTERNAL_ERROR;
    }
    if (!sqlite3_get_autocommit(records->db)) {
        (void)run(records, ROLLBACK);
    }
    return status;
}

enum lsig_status lsig_sqlite_records_probe(struct lsig_sqlite_records *records)
{
    return run(records, PROBE) == SQLITE_ROW ? LSIG_OK : LSIG_INTERNAL_ERROR;
}
