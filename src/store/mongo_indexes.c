#include "store/mongo_indexes.h"

#include <string.h>

#include "base/log.h"
#include "store/mongo_database.h"

enum { INDEX_OPTIONS_CONFLICT = 85, INDEX_KEY_SPECS_CONFLICT = 86 };

static const struct {
    const char *collection;
    const char *field;
    const char *name;
    bool unique;
} indexes[] = {
    {LSIG_MONGO_USERS, "username", "lunasig_username", true},
    {LSIG_MONGO_USERS, "email", "lunasig_email", true},
    {LSIG_MONGO_LOGINS, "hash", "hash", true},
    {LSIG_MONGO_LOGINS, "used.hash", "used_hash", false},
    {LSIG_MONGO_LOGINS, "username", "username", false},
    {LSIG_MONGO_LOGINS, "access_key", "access_key", false},
    {LSIG_MONGO_LOGINS, "used.access_key", "used_access_key", false},
    {LSIG_MONGO_LOGINS, "gone_at", "gone_at", false},
    {LSIG_MONGO_REVOCATIONS, "at", "at", false},
    {LSIG_MONGO_DOCUMENTS, "expires_at", "expires_at", false},
    {LSIG_MONGO_COUNTERS, "expires_at", "expires_at", false},
    {LSIG_MONGO_CHAT, "_expires_at", "lunasig_expires_at", false},
    {LSIG_MONGO_CHAT, "room_id", "lunasig_room_id", false},
    {LSIG_MONGO_SESSIONS, "_expires_at", "lunasig_expires_at", false},
    {LSIG_MONGO_SESSIONS, "room_id", "lunasig_room_id", false},
    {LSIG_MONGO_SESSIONS, "user_id", "lunasig_user_id", false},
    {LSIG_MONGO_ANALYTICS, "_expires_at", "lunasig_expires_at", false},
    {LSIG_MONGO_ANALYTICS, "room_id", "lunasig_room_id", false},
    {LSIG_MONGO_RECORDINGS, "_expires_at", "lunasig_expires_at", false},
    {LSIG_MONGO_RECORDINGS, "room_id", "lunasig_room_id", false},
    {LSIG_MONGO_RECORDINGS, "user_id", "lunasig_user_id", false},
};

static bool
make(struct lsig_mongo_database *database, size_t which, bool unique, bson_error_t *error)
{
    bson_t *index = BCON_NEW("key", "{", indexes[which].field, BCON_INT32(1), "}", "name",
                             BCON_UTF8(indexes[which].name));
    if (unique) {
        BSON_APPEND_BOOL(index, "unique", true);
    }
    bson_t *command = BCON_NEW("createIndexes", BCON_UTF8(indexes[which].collection), "indexes",
                               "[", BCON_DOCUMENT(index), "]");
    bool made = mongoc_client_write_command_with_opts(database->client, database->shared->name,
                                                      command, NULL, NULL, error);
    bson_destroy(command);
    bson_destroy(index);
    return made;
}

// The index on this field alone that is there already: whether it is unique, and its name.
static bool
find_other(struct lsig_mongo_database *database, size_t which, bool *unique, char name[128])
{
    mongoc_collection_t *collection = mongoc_client_get_collection(
        database->client, database->shared->name, indexes[which].collection);
    mongoc_cursor_t *cursor = mongoc_collection_find_indexes_with_opts(collection, NULL);
    const bson_t *index;
    bool found = false;
    while (!found && mongoc_cursor_next(cursor, &index)) {
        bson_iter_t at;
        bson_iter_t key;
        found = bson_iter_init_find(&at, index, "key") && bson_iter_recurse(&at, &key) &&
                bson_iter_next(&key) && strcmp(bson_iter_key(&key), indexes[which].field) == 0 &&
                !bson_iter_next(&key);
        if (found) {
            *unique = bson_iter_init_find(&at, index, "unique") && bson_iter_as_bool(&at);
            found = lsig_mongo_database_text(index, "name", name, 128);
        }
    }
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(collection);
    return found;
}

static bool drop(struct lsig_mongo_database *database, size_t which, const char *name)
{
    bson_t *command =
        BCON_NEW("dropIndexes", BCON_UTF8(indexes[which].collection), "index", BCON_UTF8(name));
    return lsig_mongo_database_command(database, command) == LSIG_OK;
}

// Where the server allows one index for a field only.
static bool make_unique(struct lsig_mongo_database *database, size_t which, bson_error_t *error)
{
    bool unique = false;
    char name[128];
    if (!find_other(database, which, &unique, name)) {
        return false;
    }
    if (unique) {
        return true;
    }
    if (!drop(database, which, name)) {
        return false;
    }
    if (make(database, which, true, error)) {
        lsig_log(LSIG_INFO, "mongodb-index-made-unique", LSIG_LOG_TEXT("index", name));
        return true;
    }
    bson_error_t second;
    (void)make(database, which, false, &second); // as it was, or nearly
    return false;
}

static enum lsig_status make_all(struct lsig_mongo_database *database)
{
    enum lsig_status status = LSIG_OK;
    for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
        bson_error_t error;
        if (make(database, i, indexes[i].unique, &error)) {
            continue;
        }
        bool conflict =
            error.code == INDEX_OPTIONS_CONFLICT || error.code == INDEX_KEY_SPECS_CONFLICT;
        if (conflict && (!indexes[i].unique || make_unique(database, i, &error))) {
            continue;
        }
        enum lsig_status one = lsig_mongo_database_fail(database, &error);
        lsig_log(LSIG_ERROR, "mongodb-index-missing",
                 LSIG_LOG_TEXT("collection", indexes[i].collection),
                 LSIG_LOG_TEXT("field", indexes[i].field), LSIG_LOG_TEXT("error", error.message),
                 LSIG_LOG_TEXT("advice", "until it can be made, accounts cannot be registered"));
        if (one == LSIG_INTERNAL_ERROR) {
            return one;
        }
        status = one;
    }
    return status;
}

enum lsig_status lsig_mongo_indexes_make(struct lsig_mongo_database *database)
{
    struct lsig_mongo_shared *shared = database->shared;
    enum lsig_status status = LSIG_OK;
    pthread_mutex_lock(&shared->index_mutex);
    if (!atomic_load(&shared->indexed)) {
        status = make_all(database);
        atomic_store(&shared->indexed, status == LSIG_OK);
        atomic_store(&shared->index_tried, true);
    }
    pthread_mutex_unlock(&shared->index_mutex);
    return status;
}
