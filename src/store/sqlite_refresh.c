#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/sqlite_database.h"

enum { KIND_TOKEN, KIND_USER, KIND_TIME }; // in the file: never changed

static bool done(struct lsig_sqlite_records *records, enum lsig_sqlite_statement which)
{
    return lsig_sqlite_database_run(records, which) == SQLITE_DONE;
}

static void bind_number(struct lsig_sqlite_records *records,
                        enum lsig_sqlite_statement which,
                        int index,
                        int64_t number)
{
    sqlite3_bind_int64(records->statements[which], index, number);
}

static void bind_hash(struct lsig_sqlite_records *records,
                      enum lsig_sqlite_statement which,
                      const unsigned char hash[LSIG_REFRESH_HASH_SIZE])
{
    sqlite3_bind_blob(records->statements[which], 1, hash, LSIG_REFRESH_HASH_SIZE,
                      SQLITE_TRANSIENT);
}

// ---- refresh tokens ----

static enum lsig_status insert_token(struct lsig_sqlite_records *records,
                                     const struct lsig_refresh_token *token)
{
    enum lsig_sqlite_statement which = LSIG_SQLITE_SAVE_REFRESH_TOKEN;
    bind_hash(records, which, token->hash);
    lsig_sqlite_database_bind_text(records, which, 2, token->username);
    lsig_sqlite_database_bind_text(records, which, 3, token->family);
    bind_number(records, which, 4, token->created_at);
    bind_number(records, which, 5, token->expires_at);
    bind_number(records, which, 6, token->token_version);
    bind_number(records, which, 7, (int64_t)token->access_key);
    bind_number(records, which, 8, token->access_end);
    int result = lsig_sqlite_database_run(records, which);
    return result == SQLITE_DONE                    ? LSIG_OK
           : result == SQLITE_CONSTRAINT_FOREIGNKEY ? LSIG_NOT_FOUND
                                                    : LSIG_INTERNAL_ERROR;
}

static bool remove_old(struct lsig_sqlite_records *records, const char *username, int64_t now)
{
    bind_number(records, LSIG_SQLITE_REMOVE_EXPIRED, 1, now);
    lsig_sqlite_database_bind_text(records, LSIG_SQLITE_REMOVE_SURPLUS, 1, username);
    bind_number(records, LSIG_SQLITE_REMOVE_SURPLUS, 2, LSIG_SQLITE_REFRESH_TOKENS_MAX);
    lsig_sqlite_database_bind_text(records, LSIG_SQLITE_REMOVE_USED, 1, username);
    bind_number(records, LSIG_SQLITE_REMOVE_USED, 2, LSIG_REFRESH_USED_MAX);
    return done(records, LSIG_SQLITE_REMOVE_EXPIRED) && done(records, LSIG_SQLITE_REMOVE_SURPLUS) &&
           done(records, LSIG_SQLITE_REMOVE_USED);
}

enum lsig_status lsig_sqlite_records_save_refresh_token(struct lsig_sqlite_records *records,
                                                        const struct lsig_refresh_token *token)
{
    if (!lsig_sqlite_database_begin(records)) {
        return LSIG_INTERNAL_ERROR;
    }
    enum lsig_status status = insert_token(records, token);
    if (status == LSIG_OK && !remove_old(records, token->username, token->created_at)) {
        status = LSIG_INTERNAL_ERROR;
    }
    lsig_sqlite_database_end(records, &status);
    return status;
}

enum lsig_status lsig_sqlite_records_find_refresh_token(struct lsig_sqlite_records *records,
                                                        struct lsig_refresh_token *token,
                                                        struct lsig_account *account)
{
    enum lsig_sqlite_statement which = LSIG_SQLITE_FIND_REFRESH_TOKEN;
    sqlite3_stmt *row = records->statements[which];
    bind_hash(records, which, token->hash);
    bind_number(records, which, 2, token->created_at);
    int result = lsig_sqlite_database_step(records, which);
    if (result == SQLITE_ROW) {
        lsig_sqlite_database_read_account(row, account);
        memcpy(token->username, account->username, sizeof(token->username));
        lsig_sqlite_database_copy_text(token->family, sizeof(token->family), row, 11);
        token->created_at = sqlite3_column_int64(row, 12);
        token->expires_at = sqlite3_column_int64(row, 13);
        token->used_at = sqlite3_column_int64(row, 14);
        token->token_version = sqlite3_column_int64(row, 15);
    }
    lsig_sqlite_database_reset(records, which);
    return result == SQLITE_ROW    ? LSIG_OK
           : result == SQLITE_DONE ? LSIG_NOT_FOUND
                                   : LSIG_INTERNAL_ERROR;
}

// ---- revocations ----

static enum lsig_status
save(struct lsig_sqlite_records *records, int kind, const char *name, int64_t at)
{
    bind_number(records, LSIG_SQLITE_SAVE_REVOCATION, 1, kind);
    lsig_sqlite_database_bind_text(records, LSIG_SQLITE_SAVE_REVOCATION, 2, name);
    bind_number(records, LSIG_SQLITE_SAVE_REVOCATION, 3, at);
    return done(records, LSIG_SQLITE_SAVE_REVOCATION) ? LSIG_OK : LSIG_INTERNAL_ERROR;
}

static bool forget(struct lsig_sqlite_records *records, int kind, int64_t up_to)
{
    bind_number(records, LSIG_SQLITE_REMOVE_REVOCATIONS, 1, kind);
    bind_number(records, LSIG_SQLITE_REMOVE_REVOCATIONS, 2, up_to);
    return done(records, LSIG_SQLITE_REMOVE_REVOCATIONS);
}

static enum lsig_status save_token(struct lsig_sqlite_records *records, uint64_t key, int64_t end)
{
    char name[17];
    snprintf(name, sizeof(name), "%016" PRIx64, key);
    return save(records, KIND_TOKEN, name, end);
}

// What belongs to it; in a transaction of the caller.
static enum lsig_status save_in_transaction(struct lsig_sqlite_records *records,
                                            const struct lsig_revocation *revocation,
                                            int64_t now)
{
    enum lsig_status status = LSIG_INTERNAL_ERROR;
    if (!forget(records, KIND_TOKEN, now)) {
        return status;
    }
    switch (revocation->kind) {
    case LSIG_REVOKED_TOKEN:
        return save_token(records, revocation->key, revocation->at);
    case LSIG_REVOKED_USER:
        return save(records, KIND_USER, revocation->user, revocation->at);
    case LSIG_REVOKED_TIME:
        status = save(records, KIND_TIME, "", revocation->at);
        return status == LSIG_OK && forget(records, KIND_USER, revocation->at - 1)
                   ? LSIG_OK
                   : LSIG_INTERNAL_ERROR;
    }
    abort();
}

enum lsig_status lsig_sqlite_records_save_revocation(struct lsig_sqlite_records *records,
                                                     const struct lsig_revocation *revocation,
                                                     int64_t now)
{
    if (!lsig_sqlite_database_begin(records)) {
        return LSIG_INTERNAL_ERROR;
    }
    enum lsig_status status = save_in_transaction(records, revocation, now);
    bool good = true;
    if (revocation->kind == LSIG_REVOKED_USER) {
        lsig_sqlite_database_bind_text(records, LSIG_SQLITE_REMOVE_REFRESH_OF_USER, 1,
                                       revocation->user);
        good = done(records, LSIG_SQLITE_REMOVE_REFRESH_OF_USER);
    } else if (revocation->kind == LSIG_REVOKED_TIME) {
        bind_number(records, LSIG_SQLITE_REMOVE_REFRESH_BEFORE, 1, revocation->at);
        good = done(records, LSIG_SQLITE_REMOVE_REFRESH_BEFORE);
    }
    status = good ? status : LSIG_INTERNAL_ERROR;
    lsig_sqlite_database_end(records, &status);
    return status;
}

enum lsig_status lsig_sqlite_records_load_revocations(
    struct lsig_sqlite_records *records,
    int64_t now,
    void (*on_revocation)(void *arg, const struct lsig_revocation *one),
    void *arg)
{
    enum lsig_sqlite_statement which = LSIG_SQLITE_LOAD_REVOCATIONS;
    sqlite3_stmt *row = records->statements[which];
    bind_number(records, which, 1, now);
    int result;
    while ((result = lsig_sqlite_database_step(records, which)) == SQLITE_ROW) {
        struct lsig_revocation one = {.at = sqlite3_column_int64(row, 2)};
        int kind = sqlite3_column_int(row, 0);
        one.kind = kind == KIND_TOKEN  ? LSIG_REVOKED_TOKEN
                   : kind == KIND_USER ? LSIG_REVOKED_USER
                                       : LSIG_REVOKED_TIME;
        lsig_sqlite_database_copy_text(one.user, sizeof(one.user), row, 1);
        one.key = kind == KIND_TOKEN ? strtoull(one.user, NULL, 16) : 0;
        on_revocation(arg, &one);
    }
    lsig_sqlite_database_reset(records, which);
    return result == SQLITE_DONE ? LSIG_OK : LSIG_INTERNAL_ERROR;
}

// ---- families ----

// The family goes, and its access tokens that are still good are revoked and told.
static enum lsig_status remove_family(struct lsig_sqlite_records *records,
                                      const char *family,
                                      int64_t now,
                                      struct lsig_access_marks *marks)
{
    enum lsig_sqlite_statement which = LSIG_SQLITE_REMOVE_FAMILY;
    sqlite3_stmt *row = records->statements[which];
    lsig_sqlite_database_bind_text(records, which, 1, family);
    size_t before = marks->count;
    int result;
    while ((result = lsig_sqlite_database_step(records, which)) == SQLITE_ROW) {
        uint64_t key = (uint64_t)sqlite3_column_int64(row, 0);
        int64_t end = sqlite3_column_int64(row, 1);
        if (key != 0 && end > now) {
            lsig_access_marks_add(marks, key, end);
        }
    }
    lsig_sqlite_database_reset(records, which);
    enum lsig_status status = result == SQLITE_DONE ? LSIG_OK : LSIG_INTERNAL_ERROR;
    for (size_t i = before; i < marks->count && status == LSIG_OK; i++) {
        status = save_token(records, marks->items[i].key, marks->items[i].end);
    }
    return status;
}

static enum lsig_status rotate_in_transaction(struct lsig_sqlite_records *records,
                                              const unsigned char hash[LSIG_REFRESH_HASH_SIZE],
                                              struct lsig_refresh_token *next,
                                              struct lsig_access_marks *marks)
{
    struct lsig_account account = {.username = ""};
    struct lsig_refresh_token old = {.created_at = next->created_at};
    memcpy(old.hash, hash, sizeof(old.hash));
    enum lsig_status status = lsig_sqlite_records_find_refresh_token(records, &old, &account);
    explicit_bzero(&account, sizeof(account)); // a hash
    if (status != LSIG_OK) {
        return status;
    }
    memcpy(next->username, old.username, sizeof(next->username));
    memcpy(next->family, old.family, sizeof(next->family));
    next->token_version = old.token_version;
    if (old.used_at > 0) {
        status = remove_family(records, old.family, next->created_at, marks);
        return status == LSIG_OK ? LSIG_TOKEN_INVALID : status;
    }
    bind_hash(records, LSIG_SQLITE_USE_REFRESH_TOKEN, hash);
    bind_number(records, LSIG_SQLITE_USE_REFRESH_TOKEN, 2, next->created_at);
    if (!done(records, LSIG_SQLITE_USE_REFRESH_TOKEN)) {
        return LSIG_INTERNAL_ERROR;
    }
    status = insert_token(records, next);
    if (status != LSIG_OK || !remove_old(records, next->username, next->created_at)) {
        return LSIG_INTERNAL_ERROR;
    }
    return LSIG_OK;
}

enum lsig_status lsig_sqlite_records_rotate(struct lsig_sqlite_records *records,
                                            const unsigned char hash[LSIG_REFRESH_HASH_SIZE],
                                            struct lsig_refresh_token *next,
                                            struct lsig_access_marks *marks)
{
    if (!lsig_sqlite_database_begin(records)) {
        return LSIG_INTERNAL_ERROR;
    }
    enum lsig_status status = rotate_in_transaction(records, hash, next, marks);
    lsig_sqlite_database_end(records, &status);
    return status;
}

static enum lsig_status log_out_in_transaction(struct lsig_sqlite_records *records,
                                               const struct lsig_logout *logout,
                                               struct lsig_access_marks *marks)
{
    char family[LSIG_REFRESH_FAMILY_SIZE] = "";
    const struct lsig_revocation *revocation = &logout->revocation;
    enum lsig_status status = save_in_transaction(records, revocation, logout->now);
    if (status != LSIG_OK) {
        return status;
    }
    if (revocation->kind == LSIG_REVOKED_TOKEN) {
        enum lsig_sqlite_statement which = LSIG_SQLITE_FIND_FAMILY;
        bind_number(records, which, 1, (int64_t)revocation->key);
        lsig_sqlite_database_bind_text(records, which, 2, logout->username);
        int result = lsig_sqlite_database_step(records, which);
        if (result == SQLITE_ROW) {
            lsig_sqlite_database_copy_text(family, sizeof(family), records->statements[which], 0);
        }
        lsig_sqlite_database_reset(records, which);
        if (result != SQLITE_ROW && result != SQLITE_DONE) {
            return LSIG_INTERNAL_ERROR;
        }
        if (family[0] != '\0') {
            status = remove_family(records, family, logout->now, marks);
        }
    }
    if (status == LSIG_OK && logout->has_hash) {
        struct lsig_account account = {.username = ""};
        struct lsig_refresh_token token = {.created_at = logout->now};
        memcpy(token.hash, logout->hash, sizeof(token.hash));
        status = lsig_sqlite_records_find_refresh_token(records, &token, &account);
        explicit_bzero(&account, sizeof(account)); // a hash
        if (status == LSIG_OK && strcmp(token.username, logout->username) == 0) {
            return remove_family(records, token.family, logout->now, marks);
        }
        status = status == LSIG_INTERNAL_ERROR ? status : LSIG_OK;
    }
    return status;
}

enum lsig_status lsig_sqlite_records_log_out(struct lsig_sqlite_records *records,
                                             const struct lsig_logout *logout,
                                             struct lsig_access_marks *marks)
{
    if (!lsig_sqlite_database_begin(records)) {
        return LSIG_INTERNAL_ERROR;
    }
    enum lsig_status status = log_out_in_transaction(records, logout, marks);
    lsig_sqlite_database_end(records, &status);
    return status;
}
