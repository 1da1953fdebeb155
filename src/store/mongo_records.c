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

static bson_t *filter_of_key(struct lsig_span key)
{
    bson_t *filter = bson_new();
    bson_append_utf8(filter, "_id", -1, key.data, (int)key.len);
    return filter;
}

static bson_t *filter_of(const struct lsig_document_job *job)
{
    return filter_of_key(job->key);
}

static bson_t *filter_from(struct lsig_span key)
{
    bson_t *filter = bson_new();
    bson_t range;
    BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &range);
    bson_append_utf8(&range, "$gte", -1, key.data, (int)key.len); // texts alone
    bson_append_document_end(filter, &range);
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

// Into a buffer that it makes. False: it is so big that no policy has written it.
static bool print_record(struct lsig_buf *json, const bson_t *record)
{
    bson_iter_t value;
    lsig_buf_init(json, LSIG_DOCUMENT_LIST_BYTES_MAX);
    if (bson_iter_init_find(&value, record, VALUE)) {
        lsig_mongo_json_print_value(json, &value, LSIG_MONGO_JSON_RECORD);
    } else {
        lsig_mongo_json_print(json, record, LSIG_MONGO_JSON_RECORD);
    }
    return !json->overflowed;
}

// False: the list has too many bytes with it, or the record itself.
static bool add_found(struct lsig_document_job *job, struct lsig_span key, const bson_t *record)
{
    struct lsig_buf json;
    bool added =
        print_record(&json, record) && lsig_document_job_add(job, key, lsig_buf_span(&json));
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
    return lsig_mongo_database_each(
        database, collection_of(job->collection), with_alive(filter_from(job->key), job->now_ms),
        BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}", "limit", BCON_INT64((int64_t)job->limit),
                 "batchSize", BCON_INT64(BATCH)),
        add_listed, job);
}

// ---- steps of a search ----

struct telling {
    bool (*on_document)(void *arg, const struct lsig_document *document);
    void *arg;
};

static bool tell(void *arg, const bson_t *record)
{
    const struct telling *telling = arg;
    struct lsig_buf json;
    struct lsig_document document = {.key = lsig_mongo_database_bytes(record, "_id")};
    bool more = true;
    if (print_record(&json, record)) {
        document.json = lsig_buf_span(&json);
        more = telling->on_document(telling->arg, &document);
    }
    lsig_buf_clear(&json);
    return more;
}

enum lsig_status lsig_mongo_records_each(struct lsig_mongo_database *database,
                                         const struct lsig_document_name *from,
                                         bool (*on_document)(void *arg,
                                                             const struct lsig_document *document),
                                         void *arg)
{
    struct telling telling = {on_document, arg};
    return lsig_mongo_database_each(
        database, collection_of(from->collection), with_alive(filter_from(from->key), from->now_ms),
        BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}", "batchSize", BCON_INT64(BATCH)), tell,
        &telling);
}

// It has been read as it is now: one that is written meanwhile has another time.
static enum lsig_status replace_record(struct lsig_mongo_database *database,
                                       const struct lsig_document_name *name,
                                       const bson_t *record,
                                       struct lsig_span json)
{
    const char *collection = collection_of(name->collection);
    bson_iter_t at;
    bson_t *filter = filter_of_key(name->key);
    struct lsig_document_job next = {.key = name->key, .json = json, .now_ms = name->now_ms};
    if (bson_iter_init_find(&at, record, UPDATED) && BSON_ITER_HOLDS_DATE_TIME(&at)) {
        int64_t was_ms = bson_iter_date_time(&at);
        BSON_APPEND_DATE_TIME(filter, UPDATED, was_ms);
        next.now_ms = next.now_ms > was_ms ? next.now_ms : was_ms + 1;
    }
    if (json.data == NULL) {
        return lsig_mongo_database_remove(database, collection, filter);
    }
    if (bson_iter_init_find(&at, record, EXPIRES) && BSON_ITER_HOLDS_DATE_TIME(&at)) {
        next.expires_ms = bson_iter_date_time(&at);
    }
    bson_t *written = record_of(&next);
    if (written == NULL) {
        bson_destroy(filter);
        snprintf(database->error, sizeof(database->error), "the document is too big");
        return LSIG_INTERNAL_ERROR;
    }
    return lsig_mongo_database_replace(database, collection, filter, written, false);
}

enum lsig_status lsig_mongo_records_change(struct lsig_mongo_database *database,
                                           const struct lsig_document_name *name,
                                           struct lsig_span was,
                                           struct lsig_span json)
{
    bson_t found;
    struct lsig_buf now;
    enum lsig_status status =
        lsig_mongo_database_find(database, collection_of(name->collection),
                                 with_alive(filter_of_key(name->key), name->now_ms), NULL, &found);
    if (status != LSIG_OK) {
        return status;
    }
    bool same = print_record(&now, &found) && lsig_span_equal(lsig_buf_span(&now), was);
    status = same ? replace_record(database, name, &found, json) : LSIG_NOT_FOUND;
    lsig_buf_clear(&now);
    bson_destroy(&found);
    return status;
}

void lsig_mongo_records_sweep(struct lsig_mongo_database *database, int64_t now_ms)
{
    for (size_t i = 0; i < COLLECTIONS; i++) {
        lsig_mongo_documents_sweep(database, collections[i], now_ms, with_expired);
    }
}
