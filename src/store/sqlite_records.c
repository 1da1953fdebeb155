#include "store/sqlite_records.h"

#include <string.h>

#include "store/sqlite_database.h"

static enum lsig_status status_of_update(struct lsig_sqlite_records *records, int result)
{
    if (result != SQLITE_DONE) {
        return LSIG_INTERNAL_ERROR;
    }
    return sqlite3_changes(records->db) > 0 ? LSIG_OK : LSIG_NOT_FOUND;
}

enum lsig_status lsig_sqlite_records_find(struct lsig_sqlite_records *records,
                                          const char *name,
                                          struct lsig_account *account)
{
    enum lsig_sqlite_statement which =
        strchr(name, '@') != NULL ? LSIG_SQLITE_FIND_EMAIL : LSIG_SQLITE_FIND_USERNAME;
    lsig_sqlite_database_bind_text(records, which, 1, name);
    int result = lsig_sqlite_database_step(records, which);
    if (result == SQLITE_ROW) {
        lsig_sqlite_database_read_account(records->statements[which], account);
    }
    lsig_sqlite_database_reset(records, which);
    return result == SQLITE_ROW    ? LSIG_OK
           : result == SQLITE_DONE ? LSIG_NOT_FOUND
                                   : LSIG_INTERNAL_ERROR;
}

enum lsig_status lsig_sqlite_records_create(struct lsig_sqlite_records *records,
                                            const struct lsig_account *account)
{
    sqlite3_stmt *statement = records->statements[LSIG_SQLITE_CREATE];
    lsig_sqlite_database_bind_text(records, LSIG_SQLITE_CREATE, 1, account->username);
    lsig_sqlite_database_bind_text(records, LSIG_SQLITE_CREATE, 2, account->email);
    lsig_sqlite_database_bind_text(records, LSIG_SQLITE_CREATE, 3, account->hashed_password);
    sqlite3_bind_int64(statement, 4, account->created_at);
    sqlite3_bind_int(statement, 5, account->is_active);
    sqlite3_bind_int(statement, 6, account->is_verified);
    sqlite3_bind_int64(statement, 7, account->failed_login_attempts);
    sqlite3_bind_int64(statement, 8, account->locked_until);
    sqlite3_bind_int64(statement, 9, account->last_login);
    lsig_sqlite_database_bind_text(records, LSIG_SQLITE_CREATE, 10, account->role);
    sqlite3_bind_int64(statement, 11, account->token_version);
    int result = lsig_sqlite_database_run(records, LSIG_SQLITE_CREATE);
    return result == SQLITE_CONSTRAINT_UNIQUE ? LSIG_EXISTS
           : result == SQLITE_DONE            ? LSIG_OK
                                              : LSIG_INTERNAL_ERROR;
}

enum lsig_status lsig_sqlite_records_add_failure(struct lsig_sqlite_records *records,
                                                 const char *username)
{
    lsig_sqlite_database_bind_text(records, LSIG_SQLITE_ADD_FAILURE, 1, username);
    return status_of_update(records, lsig_sqlite_database_run(records, LSIG_SQLITE_ADD_FAILURE));
}

enum lsig_status
lsig_sqlite_records_add_login(struct lsig_sqlite_records *records, const char *username, int64_t at)
{
    lsig_sqlite_database_bind_text(records, LSIG_SQLITE_ADD_LOGIN, 1, username);
    sqlite3_bind_int64(records->statements[LSIG_SQLITE_ADD_LOGIN], 2, at);
    return status_of_update(records, lsig_sqlite_database_run(records, LSIG_SQLITE_ADD_LOGIN));
}

enum lsig_status lsig_sqlite_records_probe(struct lsig_sqlite_records *records)
{
    return lsig_sqlite_database_run(records, LSIG_SQLITE_PROBE) == SQLITE_ROW ? LSIG_OK
                                                                              : LSIG_INTERNAL_ERROR;
}
