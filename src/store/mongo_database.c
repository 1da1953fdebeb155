#include "store/mongo_database.h"

#include <stdio.h>
#include <string.h>

static bool is_unreachable(const bson_error_t *error)
{
    switch (error->domain) {
    case MONGOC_ERROR_SERVER_SELECTION:
    case MONGOC_ERROR_STREAM:
        return true;
    case MONGOC_ERROR_CLIENT:
        return error->code == MONGOC_ERROR_CLIENT_AUTHENTICATE ||
               error->code == MONGOC_ERROR_CLIENT_NOT_READY;
    default: // the server is no primary, or shuts down
        return error->code == 91 || error->code == 189 || error->code == 10107 ||
               error->code == 11600 || error->code == 11602 || error->code == 13435 ||
               error->code == 13436;
    }
}

enum lsig_status lsig_mongo_database_fail(struct lsig_mongo_database *database,
                                          const bson_error_t *error)
{
    if (error->code == MONGOC_ERROR_DUPLICATE_KEY) {
        return LSIG_EXISTS;
    }
    database->unreachable = is_unreachable(error);
    snprintf(database->error, sizeof(database->error), "%.*s", LSIG_JOB_ERROR_SIZE - 1,
             error->message);
    return LSIG_INTERNAL_ERROR;
}

static mongoc_collection_t *collection_of(struct lsig_mongo_database *database, const char *name)
{
    return mongoc_client_get_collection(database->client, database->shared->name, name);
}

enum lsig_status lsig_mongo_database_each(struct lsig_mongo_database *database,
                                          const char *collection,
                                          bson_t *filter,
                                          bson_t *options,
                                          bool (*on_document)(void *arg, const bson_t *document),
                                          void *arg)
{
    mongoc_collection_t *from = collection_of(database, collection);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(from, filter, options, NULL);
    const bson_t *document;
    bson_error_t error;
    enum lsig_status status = LSIG_OK;
    while (mongoc_cursor_next(cursor, &document) && on_document(arg, document)) {
    }
    if (mongoc_cursor_error(cursor, &error)) {
        status = lsig_mongo_database_fail(database, &error);
    }
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(from);
    bson_destroy(filter);
    bson_destroy(options);
    return status;
}

struct first {
    bson_t *out;
    bool found;
};

static bool keep_first(void *arg, const bson_t *document)
{
    struct first *first = arg;
    bson_copy_to(document, first->out);
    first->found = true;
    return false;
}

enum lsig_status lsig_mongo_database_find(struct lsig_mongo_database *database,
                                          const char *collection,
                                          bson_t *filter,
                                          bson_t *options,
                                          bson_t *out)
{
    struct first first = {out, false};
    if (options == NULL) {
        options = bson_new();
    }
    BSON_APPEND_INT64(options, "limit", 1);
    BSON_APPEND_BOOL(options, "singleBatch", true);
    enum lsig_status status =
        lsig_mongo_database_each(database, collection, filter, options, keep_first, &first);
    if (first.found) {
        return LSIG_OK;
    }
    return status == LSIG_OK ? LSIG_NOT_FOUND : status;
}

enum lsig_status lsig_mongo_database_insert(struct lsig_mongo_database *database,
                                            const char *collection,
                                            bson_t *document)
{
    mongoc_collection_t *into = collection_of(database, collection);
    bson_error_t error;
    enum lsig_status status = LSIG_OK;
    if (!mongoc_collection_insert_one(into, document, NULL, NULL, &error)) {
        status = lsig_mongo_database_fail(database, &error);
    }
    mongoc_collection_destroy(into);
    bson_destroy(document);
    return status;
}

static enum lsig_status change(struct lsig_mongo_database *database,
                               const char *collection,
                               bson_t *filter,
                               bson_t *written,
                               bool upsert,
                               bool replaces)
{
    mongoc_collection_t *of = collection_of(database, collection);
    bson_t *options = upsert ? BCON_NEW("upsert", BCON_BOOL(true)) : NULL;
    bson_t reply = BSON_INITIALIZER;
    bson_error_t error;
    enum lsig_status status = LSIG_OK;
    bool done = replaces
                    ? mongoc_collection_replace_one(of, filter, written, options, &reply, &error)
                    : mongoc_collection_update_one(of, filter, written, options, &reply, &error);
    if (!done) {
        status = lsig_mongo_database_fail(database, &error);
    } else if (!upsert && lsig_mongo_database_integer(&reply, "matchedCount") == 0) {
        status = LSIG_NOT_FOUND;
    }
    bson_destroy(&reply);
    mongoc_collection_destroy(of);
    bson_destroy(options);
    bson_destroy(filter);
    bson_destroy(written);
    return status;
}

enum lsig_status lsig_mongo_database_update(struct lsig_mongo_database *database,
                                            const char *collection,
                                            bson_t *filter,
                                            bson_t *update,
                                            bool upsert)
{
    return change(database, collection, filter, update, upsert, false);
}

enum lsig_status lsig_mongo_database_replace(struct lsig_mongo_database *database,
                                             const char *collection,
                                             bson_t *filter,
                                             bson_t *document,
                                             bool upsert)
{
    return change(database, collection, filter, document, upsert, true);
}

enum lsig_status lsig_mongo_database_remove(struct lsig_mongo_database *database,
                                            const char *collection,
                                            bson_t *filter)
{
    mongoc_collection_t *from = collection_of(database, collection);
    bson_t reply = BSON_INITIALIZER;
    bson_error_t error;
    enum lsig_status status = LSIG_OK;
    if (!mongoc_collection_delete_many(from, filter, NULL, &reply, &error)) {
        status = lsig_mongo_database_fail(database, &error);
    } else if (lsig_mongo_database_integer(&reply, "deletedCount") == 0) {
        status = LSIG_NOT_FOUND;
    }
    bson_destroy(&reply);
    mongoc_collection_destroy(from);
    bson_destroy(filter);
    return status;
}

enum lsig_status lsig_mongo_database_change(struct lsig_mongo_database *database,
                                            const char *collection,
                                            bson_t *filter,
                                            bson_t *update,
                                            bool is_new,
                                            bson_t *out)
{
    mongoc_collection_t *of = collection_of(database, collection);
    mongoc_find_and_modify_opts_t *options = mongoc_find_and_modify_opts_new();
    mongoc_find_and_modify_flags_t flags =
        update == NULL ? MONGOC_FIND_AND_MODIFY_REMOVE
                       : (is_new ? MONGOC_FIND_AND_MODIFY_RETURN_NEW : MONGOC_FIND_AND_MODIFY_NONE);
    mongoc_find_and_modify_opts_set_flags(options, flags);
    if (update != NULL) {
        mongoc_find_and_modify_opts_set_update(options, update);
    }
    bson_t reply = BSON_INITIALIZER;
    bson_error_t error;
    bson_iter_t value;
    enum lsig_status status = LSIG_NOT_FOUND;
    if (!mongoc_collection_find_and_modify_with_opts(of, filter, options, &reply, &error)) {
        status = lsig_mongo_database_fail(database, &error);
    } else if (bson_iter_init_find(&value, &reply, "value") && BSON_ITER_HOLDS_DOCUMENT(&value)) {
        const uint8_t *bytes;
        uint32_t len;
        bson_t document;
        bson_iter_document(&value, &len, &bytes);
        if (bson_init_static(&document, bytes, len)) {
            bson_copy_to(&document, out);
            status = LSIG_OK;
        }
    }
    bson_destroy(&reply);
    mongoc_find_and_modify_opts_destroy(options);
    mongoc_collection_destroy(of);
    bson_destroy(filter);
    bson_destroy(update);
    return status;
}

enum lsig_status lsig_mongo_database_command(struct lsig_mongo_database *database, bson_t *command)
{
    bson_error_t error;
    enum lsig_status status = LSIG_OK;
    if (!mongoc_client_write_command_with_opts(database->client, database->shared->name, command,
                                               NULL, NULL, &error)) {
        status = lsig_mongo_database_fail(database, &error);
    }
    bson_destroy(command);
    return status;
}

// ---- reading ----

int64_t lsig_mongo_database_integer(const bson_t *document, const char *key)
{
    bson_iter_t at;
    if (!bson_iter_init_find(&at, document, key)) {
        return 0;
    }
    if (BSON_ITER_HOLDS_DOUBLE(&at)) {
        double number = bson_iter_double(&at);
        return number > -9e15 && number < 9e15 ? (int64_t)number : 0;
    }
    return BSON_ITER_HOLDS_INT(&at) ? bson_iter_as_int64(&at) : 0;
}

int64_t lsig_mongo_database_seconds(const bson_t *document, const char *key)
{
    bson_iter_t at;
    if (bson_iter_init_find(&at, document, key) && BSON_ITER_HOLDS_DATE_TIME(&at)) {
        return bson_iter_date_time(&at) / 1000;
    }
    return lsig_mongo_database_integer(document, key);
}

struct lsig_span lsig_mongo_database_bytes(const bson_t *document, const char *key)
{
    bson_iter_t at;
    uint32_t len = 0;
    if (!bson_iter_init_find(&at, document, key)) {
        return (struct lsig_span){"", 0};
    }
    if (BSON_ITER_HOLDS_UTF8(&at)) {
        const char *text = bson_iter_utf8(&at, &len);
        return (struct lsig_span){text, len};
    }
    if (BSON_ITER_HOLDS_BINARY(&at)) {
        const uint8_t *bytes;
        bson_iter_binary(&at, NULL, &len, &bytes);
        return (struct lsig_span){(const char *)bytes, len};
    }
    return (struct lsig_span){"", 0};
}

bool lsig_mongo_database_text(const bson_t *document, const char *key, char *out, size_t size)
{
    struct lsig_span text = lsig_mongo_database_bytes(document, key);
    bool fits = text.len < size && memchr(text.data, '\0', text.len) == NULL;
    snprintf(out, size, "%.*s", fits ? (int)text.len : 0, text.data);
    return fits;
}
