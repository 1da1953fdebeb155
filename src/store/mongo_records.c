#include "store/mongo_records.h"

#include <stdio.h>

#include "codec/scan.h"
#include "store/mongo_database.h"
#include "store/mongo_documents.h"
#include "store/mongo_json.h"

#define UPDATED "_updated_at"
#define EXPIRES "_expires_at"
#define VALUE "_value"

enum { BATCH = 100, CHANGES_MAX = 3 };

static const char *const collections[] = {LSIG_MONGO_CHAT, LSIG_MONGO_SESSIONS,
                                          LSIG_MONGO_ANALYTICS, LSIG_MONGO_RECORDINGS};

enum { COLLECTIONS = sizeof(collections) / sizeof(collections[0]) };

static const char *collection_of(struct lsig_span name)
{
    for (size_t i = 0; i < COLLECTIONS; i++) {
        if (lsig_span_is(name, collections[i])) {
            return collections[i];
        }
    }
    return NULL;
}

bool lsig_mongo_records_is(struct lsig_span collection)
{
    return collection_of(collection) != NULL;
}

// ---- filters ----

static bson_t *filter_of(const struct lsig_document_job *job)
{
    bson_t *filter = bson_new();
    bson_append_utf8(filter, "_id", -1, job->key.data, (int)job->key.len);
    return filter;
}

static bson_t *with_alive(bson_t *filter, int64_t now_ms)
{
    BCON_APPEND(filter, "$or", "[", "{", EXPIRES, "{", "$exists", BCON_BOOL(false), "}", "}", "{",
                EXPIRES, "{", "$gt", BCON_DATE_TIME(now_ms), "}", "}", "]");
    return filter;
}

static bson_t *with_expired(bson_t *filter, int64_t now_ms)
{
    BCON_APPEND(filter, EXPIRES, "{", "$lte", BCON_DATE_TIME(now_ms), "}");
    return filter;
}

// ---- documents ----

// NULL: it is too big for BSON.
static bson_t *record_of(const struct lsig_document_job *job)
{
    bson_t *record = filter_of(job);
    bool good =
        lsig_scan_type(job->json) == LSIG_JSON_OBJECT
            ? lsig_mongo_json_append(record, job->json, LSIG_MONGO_JSON_RECORD)
            : lsig_mongo_json_append_value(record, VALUE, job->json, LSIG_MONGO_JSON_RECORD);
    good = good && BSON_APPEND_DATE_TIME(record, UPDATED, job->now_ms);
    if (job->expires_ms != 0) {
        good = good && BSON_APPEND_DATE_TIME(record, EXPIRES, job->expires_ms);
    }
    if (!good) {
        bson_destroy(record);
        return NULL;
    }
    return record;
}

// False: the list has too many bytes with it, or it is so big that no policy has written it.
static bool add_found(struct lsig_document_job *job, struct lsig_span key, const bson_t *record)
{
    struct lsig_buf json;
    bson_iter_t value;
    lsig_buf_init(&json, LSIG_DOCUMENT_LIST_BYTES_MAX);
    if (bson_iter_init_find(&value, record, VALUE)) {
        lsig_mongo_json_print_value(&json, &value, LSIG_MONGO_JSON_RECORD);
    } else {
        lsig_mongo_json_print(&json, record, LSIG_MONGO_JSON_RECORD);
    }
    bool added = !json.overflowed && lsig_document_job_add(job, key, lsig_buf_span(&json));
    lsig_buf_clear(&json);
    return added;
}

enum lsig_status lsig_mongo_records_get(struct lsig_document_job *job,
                                        struct lsig_mongo_database *database)
{
    bson_t found;
    enum lsig_status status =
        lsig_mongo_database_find(database, collection_of(job->collection),
                                 with_alive(filter_of(job), job->now_ms), NULL, &found);
    if (status == LSIG_OK) {
        if (!add_found(job, job->key, &found)) {
            snprintf(database->error, sizeof(database->error), "the document is too big");
            status = LSIG_INTERNAL_ERROR;
        }
        bson_destroy(&found);
    }
    return status;
}

enum lsig_status lsig_mongo_records_put(struct lsig_document_job *job,
                                        struct lsig_mongo_database *database)
{
    const char *collection = collection_of(job->collection);
    enum lsig_status status = LSIG_EXISTS;
    bson_t *record = record_of(job);
    if (record == NULL) {
        snprintf(database->error, sizeof(database->error), "the document is too big");
        return LSIG_INTERNAL_ERROR;
    }
    if (job->if_absent) {
        status = lsig_mongo_database_insert(database, collection, bson_copy(record));
        if (status == LSIG_EXISTS) {
            bson_t *filter = with_expired(filter_of(job), job->now_ms);
            status =
                lsig_mongo_database_replace(database, collection, filter, bson_copy(record), false);
            status = status == LSIG_NOT_FOUND ? LSIG_EXISTS : status;
        }
    } else {
        // Of two that make it at once, one is told that it exists.
        for (int i = 0; i < CHANGES_MAX && status == LSIG_EXISTS; i++) {
            status = lsig_mongo_database_replace(database, collection, filter_of(job),
                                                 bson_copy(record), true);
        }
    }
    bson_destroy(record);
    return status;
}

enum lsig_status lsig_mongo_records_remove(struct lsig_document_job *job,
                                           struct lsig_mongo_database *database)
{
    return lsig_mongo_database_remove(database, collection_of(job->collection),
                                      with_alive(filter_of(job), job->now_ms));
}

// Stops behind the prefix.
static bool add_listed(void *arg, const bson_t *record)
{
    struct lsig_document_job *job = arg;
    struct lsig_span key = lsig_mongo_database_bytes(record, "_id");
    if (key.len == 0 || key.len < job->prefix.len ||
        (job->prefix.len > 0 && memcmp(key.data, job->prefix.data, job->prefix.len) != 0)) {
        return false;
    }
    return add_found(job, key, record);
}

enum lsig_status lsig_mongo_records_list(struct lsig_document_job *job,
                                         struct lsig_mongo_database *database)
{
    bson_t *filter = bson_new();
    bson_t range;
    BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &range);
    bson_append_utf8(&range, "$gte", -1, job->key.data, (int)job->key.len); // texts alone
    bson_append_document_end(filter, &range);
    return lsig_mongo_database_each(
        database, collection_of(job->collection), with_alive(filter, job->now_ms),
        BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}", "limit", BCON_INT64((int64_t)job->limit),
                 "batchSize", BCON_INT64(BATCH)),
        add_listed, job);
}

void lsig_mongo_records_sweep(struct lsig_mongo_database *database, int64_t now_ms)
{
    for (size_t i = 0; i < COLLECTIONS; i++) {
        lsig_mongo_documents_sweep(database, collections[i], now_ms, with_expired);
    }
}
