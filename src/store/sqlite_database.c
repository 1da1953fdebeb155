#include "store/sqlite_database.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

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
    "ALTER TABLE refresh_tokens ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE refresh_tokens ADD COLUMN token_version INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE refresh_tokens ADD COLUMN access_key INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE refresh_tokens ADD COLUMN access_end INTEGER NOT NULL DEFAULT 0;"
    "UPDATE refresh_tokens SET token_version ="
    "  (SELECT token_version FROM accounts WHERE username = refresh_tokens.username);"
    "CREATE INDEX refresh_tokens_by_access ON refresh_tokens (access_key);"
    "CREATE TABLE revocations ("
    "  kind INTEGER NOT NULL," // 0 token, 1 user, 2 time
    "  name TEXT NOT NULL,"    // the token's key in hexadecimal, the user, nothing
    "  at INTEGER NOT NULL,"
    "  PRIMARY KEY (kind, name)"
    ") STRICT;"
    "CREATE INDEX revocations_by_end ON revocations (kind, at);",
    "CREATE TABLE documents ("
    "  collection TEXT NOT NULL,"
    "  key BLOB NOT NULL,"
    "  value TEXT NOT NULL,"         // JSON
    "  updated_at INTEGER NOT NULL," // unix milliseconds
    "  expires_at INTEGER NOT NULL," // likewise; 0: never
    "  UNIQUE (collection, key)"
    ") STRICT;"
    "CREATE INDEX documents_by_end ON documents (expires_at) WHERE expires_at > 0;"
    "CREATE TABLE counters ("
    "  collection TEXT NOT NULL,"
    "  key BLOB NOT NULL,"
    "  number INTEGER NOT NULL,"
    "  expires_at INTEGER NOT NULL,"
    "  UNIQUE (collection, key)"
    ") STRICT;"
    "CREATE INDEX counters_by_end ON counters (expires_at) WHERE expires_at > 0;",
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
    static const char *const texts[LSIG_SQLITE_STATEMENT_COUNT] = {
#define X(name, sql) [LSIG_SQLITE_##name] = (sql),
        LSIG_SQLITE_STATEMENTS(X)
#undef X
    };
    for (size_t i = 0; i < LSIG_SQLITE_STATEMENT_COUNT; i++) {
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
            "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; "
            "PRAGMA cache_size = -512",
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
    for (size_t i = 0; i < LSIG_SQLITE_STATEMENT_COUNT; i++) {
        sqlite3_finalize(records->statements[i]);
    }
    int result = sqlite3_close(records->db);
    assert(result == SQLITE_OK); // a statement that is not in the list would be left
    (void)result;
    free(records);
}

// ---- running ----

void lsig_sqlite_database_bind_text(struct lsig_sqlite_records *records,
                                    enum lsig_sqlite_statement which,
                                    int index,
                                    const char *text)
{
    sqlite3_bind_text(records->statements[which], index, text, -1, SQLITE_TRANSIENT);
}

// An error is noted at once: the statements that clean up have outcomes of their own.
int lsig_sqlite_database_step(struct lsig_sqlite_records *records, enum lsig_sqlite_statement which)
{
    int result = sqlite3_step(records->statements[which]);
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        snprintf(records->error, sizeof(records->error), "%s", sqlite3_errmsg(records->db));
    }
    return result;
}

void lsig_sqlite_database_reset(struct lsig_sqlite_records *records,
                                enum lsig_sqlite_statement which)
{
    sqlite3_reset(records->statements[which]);
    sqlite3_clear_bindings(records->statements[which]);
}

int lsig_sqlite_database_run(struct lsig_sqlite_records *records, enum lsig_sqlite_statement which)
{
    int result = lsig_sqlite_database_step(records, which);
    lsig_sqlite_database_reset(records, which);
    return result;
}

const char *lsig_sqlite_records_error(const struct lsig_sqlite_records *records)
{
    return records->error;
}

void lsig_sqlite_database_copy_text(char *out, size_t size, sqlite3_stmt *row, int column)
{
    const unsigned char *text = sqlite3_column_text(row, column);
    snprintf(out, size, "%s", text != NULL ? (const char *)text : "");
}

void lsig_sqlite_database_read_account(sqlite3_stmt *row, struct lsig_account *account)
{
    lsig_sqlite_database_copy_text(account->username, sizeof(account->username), row, 0);
    lsig_sqlite_database_copy_text(account->email, sizeof(account->email), row, 1);
    lsig_sqlite_database_copy_text(account->hashed_password, sizeof(account->hashed_password), row,
                                   2);
    account->created_at = sqlite3_column_int64(row, 3);
    account->is_active = sqlite3_column_int(row, 4) != 0;
    account->is_verified = sqlite3_column_int(row, 5) != 0;
    account->failed_login_attempts = sqlite3_column_int64(row, 6);
    account->locked_until = sqlite3_column_int64(row, 7);
    account->last_login = sqlite3_column_int64(row, 8);
    lsig_sqlite_database_copy_text(account->role, sizeof(account->role), row, 9);
    account->token_version = sqlite3_column_int64(row, 10);
}

void lsig_sqlite_database_bind_name(struct lsig_sqlite_records *records,
                                    enum lsig_sqlite_statement which,
                                    const struct lsig_document_name *name)
{
    sqlite3_stmt *statement = records->statements[which];
    const char *key = name->key.len > 0 ? name->key.data : ""; // NULL would be no blob
    sqlite3_bind_text(statement, 1, name->collection.data, (int)name->collection.len,
                      SQLITE_STATIC);
    sqlite3_bind_blob(statement, 2, key, (int)name->key.len, SQLITE_STATIC);
    if (sqlite3_bind_parameter_count(statement) >= 3) {
        sqlite3_bind_int64(statement, 3, name->now_ms);
    }
}

struct lsig_span lsig_sqlite_database_bytes(sqlite3_stmt *row, int column)
{
    const void *bytes = sqlite3_column_blob(row, column); // of a text: its bytes
    size_t len = (size_t)sqlite3_column_bytes(row, column);
    return (struct lsig_span){bytes != NULL ? bytes : "", len};
}

// ---- transactions ----

static bool done(struct lsig_sqlite_records *records, enum lsig_sqlite_statement which)
{
    return lsig_sqlite_database_run(records, which) == SQLITE_DONE;
}

// Some errors (a full disk) make SQLite roll back by itself.
static void roll_back(struct lsig_sqlite_records *records)
{
    if (!sqlite3_get_autocommit(records->db)) {
        (void)done(records, LSIG_SQLITE_ROLLBACK);
    }
}

static bool begin_in_group(struct lsig_sqlite_records *records)
{
    if (!records->begun) {
        records->begun = done(records, LSIG_SQLITE_BEGIN);
    }
    return records->begun && !sqlite3_get_autocommit(records->db) &&
           done(records, LSIG_SQLITE_SAVEPOINT);
}

static void end_in_group(struct lsig_sqlite_records *records, enum lsig_status *status)
{
    if (*status != LSIG_INTERNAL_ERROR && !done(records, LSIG_SQLITE_RELEASE)) {
        *status = LSIG_INTERNAL_ERROR;
    }
    if (*status == LSIG_INTERNAL_ERROR && !sqlite3_get_autocommit(records->db) &&
        (!done(records, LSIG_SQLITE_UNDO) || !done(records, LSIG_SQLITE_RELEASE))) {
        roll_back(records);
    }
}

bool lsig_sqlite_database_begin(struct lsig_sqlite_records *records)
{
    return records->grouping ? begin_in_group(records) : done(records, LSIG_SQLITE_BEGIN);
}

void lsig_sqlite_database_end(struct lsig_sqlite_records *records, enum lsig_status *status)
{
    if (records->grouping) {
        end_in_group(records, status);
        return;
    }
    if (*status != LSIG_INTERNAL_ERROR && !done(records, LSIG_SQLITE_COMMIT)) {
        *status = LSIG_INTERNAL_ERROR;
    }
    roll_back(records);
}

void lsig_sqlite_records_begin_group(struct lsig_sqlite_records *records)
{
    assert(!records->grouping && sqlite3_get_autocommit(records->db));
    records->grouping = true;
}

enum lsig_status lsig_sqlite_records_end_group(struct lsig_sqlite_records *records)
{
    bool good = !records->begun ||
                (!sqlite3_get_autocommit(records->db) && done(records, LSIG_SQLITE_COMMIT));
    records->grouping = false;
    records->begun = false;
    roll_back(records);
    return good ? LSIG_OK : LSIG_INTERNAL_ERROR;
}
