#include "store/mongo_accounts.h"

#include <stdio.h>
#include <string.h>

#include "store/mongo_database.h"
#include "store/mongo_indexes.h"

// False for one that breaks the bounds of an account: nobody can log in to it.
static bool read_account(const bson_t *document, struct lsig_account *account)
{
    *account = (struct lsig_account){.is_active = true};
    bson_iter_t at;
    if (bson_iter_init_find(&at, document, "is_active")) {
        account->is_active = bson_iter_as_bool(&at);
    }
    if (bson_iter_init_find(&at, document, "is_verified")) {
        account->is_verified = bson_iter_as_bool(&at);
    }
    account->created_at = lsig_mongo_database_seconds(document, "created_at");
    account->failed_login_attempts = lsig_mongo_database_integer(document, "failed_login_attempts");
    account->locked_until = lsig_mongo_database_seconds(document, "locked_until");
    account->last_login = lsig_mongo_database_seconds(document, "last_login");
    account->token_version = lsig_mongo_database_integer(document, "token_version");
    if (!lsig_mongo_database_text(document, "role", account->role, sizeof(account->role)) ||
        account->role[0] == '\0') {
        snprintf(account->role, sizeof(account->role), "user");
    }
    return lsig_mongo_database_text(document, "username", account->username,
                                    sizeof(account->username)) &&
           lsig_mongo_database_text(document, "email", account->email, sizeof(account->email)) &&
           lsig_mongo_database_text(document, "hashed_password", account->hashed_password,
                                    sizeof(account->hashed_password)) &&
           account->username[0] != '\0';
}

static void append_seconds(bson_t *document, const char *key, int64_t seconds)
{
    if (seconds == 0) {
        bson_append_null(document, key, -1);
    } else {
        bson_append_date_time(document, key, -1, seconds * 1000);
    }
}

// BSON holds UTF-8 only.
static bool is_text(const char *text)
{
    return text[0] != '\0' && bson_utf8_validate(text, strlen(text), false);
}

enum lsig_status lsig_mongo_accounts_find(struct lsig_mongo_database *database,
                                          const char *name,
                                          struct lsig_account *account)
{
    bson_t found;
    if (!is_text(name)) {
        return LSIG_NOT_FOUND;
    }
    const char *field = strchr(name, '@') != NULL ? "email" : "username";
    enum lsig_status status = lsig_mongo_database_find(
        database, LSIG_MONGO_USERS, BCON_NEW(field, BCON_UTF8(name)), NULL, &found);
    if (status == LSIG_OK) {
        status = read_account(&found, account) ? LSIG_OK : LSIG_NOT_FOUND;
        bson_destroy(&found);
    }
    return status;
}

static enum lsig_status create(struct lsig_mongo_database *database,
                               const struct lsig_account *account)
{
    enum lsig_status status = lsig_mongo_indexes_make(database);
    if (status != LSIG_OK) { // nothing would keep two accounts of one name apart
        if (status == LSIG_EXISTS) {
            snprintf(database->error, sizeof(database->error),
                     "users has documents with the same username or email");
        }
        return LSIG_INTERNAL_ERROR;
    }
    bson_t *document = bson_new();
    BSON_APPEND_UTF8(document, "username", account->username);
    BSON_APPEND_UTF8(document, "email", account->email);
    BSON_APPEND_UTF8(document, "hashed_password", account->hashed_password);
    append_seconds(document, "created_at", account->created_at);
    BSON_APPEND_BOOL(document, "is_active", account->is_active);
    BSON_APPEND_BOOL(document, "is_verified", account->is_verified);
    BSON_APPEND_INT64(document, "failed_login_attempts", account->failed_login_attempts);
    append_seconds(document, "locked_until", account->locked_until);
    append_seconds(document, "last_login", account->last_login);
    BSON_APPEND_UTF8(document, "role", account->role);
    BSON_APPEND_INT64(document, "token_version", account->token_version);
    return lsig_mongo_database_insert(database, LSIG_MONGO_USERS, document);
}

static enum lsig_status add_failure(struct lsig_mongo_database *database, const char *username)
{
    return lsig_mongo_database_update(
        database, LSIG_MONGO_USERS, BCON_NEW("username", BCON_UTF8(username)),
        BCON_NEW("$inc", "{", "failed_login_attempts", BCON_INT32(1), "}"), false);
}

static enum lsig_status
add_login(struct lsig_mongo_database *database, const char *username, int64_t at)
{
    return lsig_mongo_database_update(database, LSIG_MONGO_USERS,
                                      BCON_NEW("username", BCON_UTF8(username)),
                                      BCON_NEW("$set", "{", "last_login", BCON_DATE_TIME(at * 1000),
                                               "failed_login_attempts", BCON_INT32(0), "}"),
                                      false);
}

void lsig_mongo_accounts_run(struct lsig_store_job *base, void *database)
{
    struct lsig_account_job *job = (struct lsig_account_job *)base;
    enum lsig_status *status = &base->status;
    switch (job->kind) {
    case LSIG_JOB_FIND:
        *status = lsig_mongo_accounts_find(database, job->name, &job->account);
        break;
    case LSIG_JOB_CREATE:
        *status = create(database, &job->account);
        break;
    case LSIG_JOB_ADD_FAILURE:
        *status = add_failure(database, job->name);
        break;
    case LSIG_JOB_ADD_LOGIN:
        *status = add_login(database, job->name, job->at);
        break;
    case LSIG_JOB_SAVE_REFRESH_TOKEN:
        *status = lsig_mongo_refresh_save(database, &job->token);
        break;
    case LSIG_JOB_FIND_REFRESH_TOKEN:
        *status = lsig_mongo_refresh_find(database, &job->token, &job->account);
        break;
    case LSIG_JOB_ROTATE:
        *status = lsig_mongo_refresh_rotate(database, job->hash, &job->token, &job->marks);
        break;
    case LSIG_JOB_LOG_OUT:
        *status = lsig_mongo_refresh_log_out(database, &job->logout, &job->marks);
        break;
    case LSIG_JOB_SAVE_REVOCATION:
        *status = lsig_mongo_revocation_save(database, &job->revocation, job->at);
        break;
    }
}
