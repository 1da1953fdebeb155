#include "store/mongo_documents.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/mongo_records.h"

enum {
    ID_MAX = LSIG_DOCUMENT_COLLECTION_MAX + 1 + LSIG_DOCUMENT_KEY_MAX + 1,
    SWEEP_PAUSE_MS = 1000,
    BATCH = 32, // documents in one answer of a list: LSIG_DOCUMENT_BYTES_MAX each, at most
    CHANGES_MAX = 3,
};

// ---- filters ----

void lsig_mongo_documents_append_id(bson_t *document,
                                    const char *name,
                                    struct lsig_span collection,
                                    struct lsig_span key)
{
    char id[ID_MAX];
    memcpy(id, collection.data, collection.len);
    id[collection.len] = '/';
    if (key.len > 0) {
        memcpy(id + collection.len + 1, key.data, key.len);
    }
    bson_append_utf8(document, name, -1, id, (int)(collection.len + 1 + key.len));
}

static void append_id(bson_t *document, const char *name, const struct lsig_document_job *job)
{
    lsig_mongo_documents_append_id(document, name, job->collection, job->key);
}

static bson_t *filter_of(const struct lsig_document_job *job)
{
    bson_t *filter = bson_new();
    append_id(filter, "_id", job);
    return filter;
}

static bson_t *with_alive(bson_t *filter, int64_t now_ms)
{
    BCON_APPEND(filter, "$or", "[", "{", "expires_at", BCON_INT64(0), "}", "{", "expires_at", "{",
                "$gt", BCON_INT64(now_ms), "}", "}", "]");
    return filter;
}

static bson_t *with_expired(bson_t *filter, int64_t now_ms)
{
    BCON_APPEND(filter, "expires_at", "{", "$gt", BCON_INT64(0), "$lte", BCON_INT64(now_ms), "}");
    return filter;
}

static bson_t *alive(const struct lsig_document_job *job)
{
    return with_alive(filter_of(job), job->now_ms);
}

static bson_t *expired(const struct lsig_document_job *job)
{
    return with_expired(filter_of(job), job->now_ms);
}

// ---- the sweep ----

struct ids {
    bson_t *list;
    int count;
};

static bool add_id(void *arg, const bson_t *document)
{
    struct ids *ids = arg;
    char index[16];
    struct lsig_span id = lsig_mongo_database_bytes(document, "_id");
    snprintf(index, sizeof(index), "%d", ids->count++);
    bson_append_utf8(ids->list, index, -1, id.data, (int)id.len);
    return true;
}

void lsig_mongo_documents_sweep(struct lsig_mongo_database *database,
                                const char *collection,
                                int64_t now_ms,
                                bson_t *(*expired_by)(bson_t *filter, int64_t now_ms))
{
    if (database->unreachable) { // each further call would wait for all time-outs
        return;
    }
    bson_t list = BSON_INITIALIZER;
    struct ids ids = {&list, 0};
    enum lsig_status status =
        lsig_mongo_database_each(database, collection, expired_by(bson_new(), now_ms),
                                 BCON_NEW("projection", "{", "_id", BCON_INT32(1), "}", "limit",
                                          BCON_INT64(LSIG_MONGO_SWEEP_MAX)),
                                 add_id, &ids);
    if (status == LSIG_OK && ids.count > 0) {
        // Again by time: one of them may have been written anew.
        (void)lsig_mongo_database_remove(
            database, collection,
            expired_by(BCON_NEW("_id", "{", "$in", BCON_ARRAY(&list), "}"), now_ms));
    }
    bson_destroy(&list);
}

// Its failure is not the write's: the next one tries again.
static void sweep(struct lsig_mongo_database *database, int64_t now_ms)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    int_least64_t mono_ms = (int_least64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
    int_least64_t before = atomic_load(&database->shared->swept_ms);
    if (mono_ms - before >= SWEEP_PAUSE_MS &&
        atomic_compare_exchange_strong(&database->shared->swept_ms, &before, mono_ms)) {
        lsig_mongo_documents_sweep(database, LSIG_MONGO_DOCUMENTS, now_ms, with_expired);
        lsig_mongo_documents_sweep(database, LSIG_MONGO_COUNTERS, now_ms, with_expired);
        lsig_mongo_records_sweep(database, now_ms);
    }
}

// ---- documents ----

static enum lsig_status run_get(struct lsig_document_job *job, struct lsig_mongo_database *database)
{
    if (lsig_mongo_records_is(job->collection)) {
        return lsig_mongo_records_get(job, database);
    }
    bson_t found;
    enum lsig_status status =
        lsig_mongo_database_find(database, LSIG_MONGO_DOCUMENTS, alive(job), NULL, &found);
    if (status == LSIG_OK) {
        (void)lsig_document_job_add(job, job->key, lsig_mongo_database_bytes(&found, "value"));
        bson_destroy(&found);
    }
    return status;
}

static bson_t *setting(const struct lsig_document_job *job)
{
    bson_t *update = bson_new();
    bson_t set;
    BSON_APPEND_DOCUMENT_BEGIN(update, "$set", &set);
    bson_append_utf8(&set, "value", -1, job->json.data, (int)job->json.len);
    BSON_APPEND_INT64(&set, "updated_at", job->now_ms);
    BSON_APPEND_INT64(&set, "expires_at", job->expires_ms);
    bson_append_document_end(update, &set);
    return update;
}

static enum lsig_status put_if_absent(struct lsig_document_job *job,
                                      struct lsig_mongo_database *database)
{
    bson_t *document = filter_of(job);
    bson_append_utf8(document, "value", -1, job->json.data, (int)job->json.len);
    BSON_APPEND_INT64(document, "updated_at", job->now_ms);
    BSON_APPEND_INT64(document, "expires_at", job->expires_ms);
    enum lsig_status status = lsig_mongo_database_insert(database, LSIG_MONGO_DOCUMENTS, document);
    if (status != LSIG_EXISTS) {
        return status;
    }
    status = lsig_mongo_database_update(database, LSIG_MONGO_DOCUMENTS, expired(job), setting(job),
                                        false);
    return status == LSIG_NOT_FOUND ? LSIG_EXISTS : status;
}

static enum lsig_status run_put(struct lsig_document_job *job, struct lsig_mongo_database *database)
{
    enum lsig_status status = LSIG_EXISTS;
    if (lsig_mongo_records_is(job->collection)) {
        status = lsig_mongo_records_put(job, database);
    } else if (job->if_absent) {
        status = put_if_absent(job, database);
    } else {
        // Of two that make it at once, one is told that it exists.
        for (int i = 0; i < CHANGES_MAX && status == LSIG_EXISTS; i++) {
            status = lsig_mongo_database_update(database, LSIG_MONGO_DOCUMENTS, filter_of(job),
                                                setting(job), true);
        }
    }
    sweep(database, job->now_ms);
    return status;
}

static enum lsig_status run_remove(struct lsig_document_job *job,
                                   struct lsig_mongo_database *database)
{
    enum lsig_status document =
        lsig_mongo_records_is(job->collection)
            ? lsig_mongo_records_remove(job, database)
            : lsig_mongo_database_remove(database, LSIG_MONGO_DOCUMENTS, alive(job));
    if (document == LSIG_INTERNAL_ERROR) {
        return document;
    }
    enum lsig_status counter =
        lsig_mongo_database_remove(database, LSIG_MONGO_COUNTERS, alive(job));
    return counter == LSIG_NOT_FOUND ? document : counter;
}

// Stops behind the prefix.
static bool add_listed(void *arg, const bson_t *document)
{
    struct lsig_document_job *job = arg;
    struct lsig_span id = lsig_mongo_database_bytes(document, "_id");
    size_t skip = job->collection.len + 1;
    if (id.len <= skip || memcmp(id.data, job->collection.data, skip - 1) != 0 ||
        id.data[skip - 1] != '/') {
        return false;
    }
    struct lsig_span key = {id.data + skip, id.len - skip};
    if (key.len < job->prefix.len ||
        (job->prefix.len > 0 && memcmp(key.data, job->prefix.data, job->prefix.len) != 0)) {
        return false;
    }
    return lsig_document_job_add(job, key, lsig_mongo_database_bytes(document, "value"));
}

static enum lsig_status run_list(struct lsig_document_job *job,
                                 struct lsig_mongo_database *database)
{
    if (lsig_mongo_records_is(job->collection)) {
        return lsig_mongo_records_list(job, database);
    }
    bson_t *filter = bson_new();
    bson_t range;
    BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &range);
    append_id(&range, "$gte", job);
    bson_append_document_end(filter, &range);
    return lsig_mongo_database_each(database, LSIG_MONGO_DOCUMENTS, with_alive(filter, job->now_ms),
                                    BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}", "limit",
                                             BCON_INT64((int64_t)job->limit), "batchSize",
                                             BCON_INT64(BATCH)),
                                    add_listed, job);
}

// ---- counters ----

static enum lsig_status run_count(struct lsig_document_job *job,
                                  struct lsig_mongo_database *database)
{
    bson_t found;
    enum lsig_status status =
        lsig_mongo_database_find(database, LSIG_MONGO_COUNTERS, alive(job), NULL, &found);
    if (status == LSIG_OK) {
        job->number = lsig_mongo_database_integer(&found, "number");
        bson_destroy(&found);
    }
    return status;
}

static enum lsig_status change_counter(struct lsig_document_job *job,
                                       struct lsig_mongo_database *database,
                                       bson_t *filter,
                                       bson_t *update)
{
    bson_t after;
    enum lsig_status status =
        lsig_mongo_database_change(database, LSIG_MONGO_COUNTERS, filter, update, true, &after);
    if (status == LSIG_OK) {
        job->number = lsig_mongo_database_integer(&after, "number");
        bson_destroy(&after);
    }
    return status;
}

// One that is there, within its bounds; else one that has expired, or none, begins anew. Each step
// is a change of one document; what others did in between is met by beginning again.
static enum lsig_status incr_once(struct lsig_document_job *job,
                                  struct lsig_mongo_database *database)
{
    int64_t by = job->number;
    bson_t *filter = alive(job);
    if (by >= 0) {
        BCON_APPEND(filter, "number", "{", "$lte", BCON_INT64(LSIG_COUNTER_MAX - by), "}");
    } else {
        BCON_APPEND(filter, "number", "{", "$gte", BCON_INT64(-LSIG_COUNTER_MAX - by), "}");
    }
    enum lsig_status status =
        change_counter(job, database, filter, BCON_NEW("$inc", "{", "number", BCON_INT64(by), "}"));
    if (status == LSIG_NOT_FOUND) {
        status = change_counter(job, database, expired(job),
                                BCON_NEW("$set", "{", "number", BCON_INT64(by), "expires_at",
                                         BCON_INT64(job->expires_ms), "}"));
    }
    if (status == LSIG_NOT_FOUND) {
        bson_t *counter = filter_of(job);
        BSON_APPEND_INT64(counter, "number", by);
        BSON_APPEND_INT64(counter, "expires_at", job->expires_ms);
        status = lsig_mongo_database_insert(database, LSIG_MONGO_COUNTERS, counter);
    }
    return status;
}

static enum lsig_status run_incr(struct lsig_document_job *job,
                                 struct lsig_mongo_database *database)
{
    enum lsig_status status = LSIG_EXISTS;
    for (int i = 0; i < CHANGES_MAX && status == LSIG_EXISTS; i++) {
        status = incr_once(job, database);
    }
    sweep(database, job->now_ms);
    return status == LSIG_EXISTS ? LSIG_TOO_BIG : status;
}

void lsig_mongo_documents_run(struct lsig_store_job *base, void *database)
{
    struct lsig_document_job *job = (struct lsig_document_job *)base;
    static enum lsig_status (*const runs[])(struct lsig_document_job * job,
                                            struct lsig_mongo_database * database) = {
        [LSIG_JOB_GET] = run_get,   [LSIG_JOB_PUT] = run_put,     [LSIG_JOB_REMOVE] = run_remove,
        [LSIG_JOB_LIST] = run_list, [LSIG_JOB_COUNT] = run_count, [LSIG_JOB_INCR] = run_incr,
    };
    base->status = runs[job->kind](job, database);
}
