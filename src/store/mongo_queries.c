#include "store/mongo_queries.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "codec/scan.h"
#include "store/mongo_database.h"
#include "store/mongo_json.h"

enum { TIME_LIMIT_EXCEEDED = 50, ID_SIZE = 25, BATCH = 101 };

// Texts lie behind the struct.
struct job {
    struct lsig_store_job base; // first
    struct lsig_query query;
    struct lsig_query_call call;
    enum lsig_query_end end;
    struct lsig_buf found;     // the documents, with commas between them
    struct lsig_span *offsets; // of them; data NULL: only how long each is
    size_t count;
    int64_t number;
    bool made;
    char id[ID_SIZE];
    char texts[];
};

// ---- the outcome ----

static void finish(struct lsig_store_job *base)
{
    struct job *job = (struct job *)base;
    struct lsig_query_outcome outcome = {
        .end = base->refused ? LSIG_QUERY_UNAVAILABLE : job->end,
        .documents = job->offsets,
        .number = job->number,
        .made = job->made,
        .id = job->id[0] != '\0' ? job->id : NULL,
    };
    size_t at = 0;
    if (outcome.end == LSIG_QUERY_OK) {
        outcome.count = job->count;
        for (size_t i = 0; i < job->count; i++) {
            at += i > 0 ? 1 : 0; // the comma
            job->offsets[i].data = job->found.data + at;
            at += job->offsets[i].len;
        }
    } else {
        outcome.error = base->error;
    }
    job->call.on_done(job->call.arg, &outcome);
    lsig_buf_clear(&job->found);
    free(job->offsets);
    free(job);
}

static void fail(struct job *job, enum lsig_query_end end, const char *error)
{
    job->end = end;
    snprintf(job->base.error, sizeof(job->base.error), "%s", error);
}

// A call that failed. What the database answers is no failure of the database.
static void
fail_by(struct job *job, struct lsig_mongo_database *database, const bson_error_t *error)
{
    enum lsig_status status = lsig_mongo_database_fail(database, error);
    if (status == LSIG_EXISTS) {
        fail(job, LSIG_QUERY_DUPLICATE, "a unique index has that value already");
    } else if (database->unreachable) {
        job->base.status = LSIG_INTERNAL_ERROR;
        fail(job, LSIG_QUERY_UNAVAILABLE, database->error);
    } else if (error->code == TIME_LIMIT_EXCEEDED) {
        fail(job, LSIG_QUERY_TIMEOUT, database->error);
    } else {
        fail(job, LSIG_QUERY_REFUSED, database->error);
    }
}

// ---- BSON ----

static bson_t *bson_of(struct lsig_span json)
{
    bson_t *out = bson_new();
    if (json.len > 0 && !lsig_mongo_json_append(out, json, LSIG_MONGO_JSON_QUERY)) {
        bson_destroy(out);
        return NULL;
    }
    return out;
}

static mongoc_collection_t *collection_of(const struct job *job,
                                          struct lsig_mongo_database *database)
{
    char name[LSIG_QUERY_COLLECTION_MAX + 1];
    snprintf(name, sizeof(name), "%.*s", LSIG_SPAN_ARG(job->query.collection));
    return mongoc_client_get_collection(database->client, database->shared->name, name);
}

// ---- one of each kind. filter and change are the caller's.

struct run {
    struct job *job;
    struct lsig_mongo_database *database;
    mongoc_collection_t *collection;
    bson_t *filter;
    bson_t *change;
};

static void append_part(bson_t *options, const char *name, struct lsig_span json)
{
    bson_t *part = json.len > 0 ? bson_of(json) : NULL;
    if (part != NULL) {
        BSON_APPEND_DOCUMENT(options, name, part);
        bson_destroy(part);
    }
}

// False: it has too many bytes with it.
static bool add_found(struct job *job, const bson_t *document)
{
    size_t before = job->found.len;
    lsig_mongo_json_print(&job->found, document, LSIG_MONGO_JSON_QUERY);
    if (job->found.overflowed) {
        return false;
    }
    job->offsets[job->count++].len = job->found.len - before - (before > 0 ? 1 : 0);
    return true;
}

static void run_find(struct run *run)
{
    struct job *job = run->job;
    bson_t options = BSON_INITIALIZER;
    BSON_APPEND_INT64(&options, "limit", (int64_t)job->query.limit);
    BSON_APPEND_INT64(&options, "batchSize",
                      job->query.limit < BATCH ? (int64_t)job->query.limit : BATCH);
    BSON_APPEND_INT64(&options, "maxTimeMS", job->query.time_ms);
    append_part(&options, "sort", job->query.sort);
    append_part(&options, "projection", job->query.projection);
    mongoc_cursor_t *cursor =
        mongoc_collection_find_with_opts(run->collection, run->filter, &options, NULL);
    const bson_t *document;
    bson_error_t error;
    bool fits = true;
    job->offsets = lsig_alloc(job->query.limit * sizeof(*job->offsets));
    while (fits && job->count < job->query.limit && mongoc_cursor_next(cursor, &document)) {
        fits = add_found(job, document);
    }
    if (!fits) {
        fail(job, LSIG_QUERY_TOO_LARGE,
             "what was found has more than 256 KiB: ask for fewer documents (limit), or for fewer "
             "of their fields (projection)");
    } else if (mongoc_cursor_error(cursor, &error)) {
        fail_by(job, run->database, &error);
    }
    mongoc_cursor_destroy(cursor);
    bson_destroy(&options);
}

static void run_count(struct run *run)
{
    bson_t options = BSON_INITIALIZER;
    bson_error_t error;
    // A command of its own: $group, which the driver's count of documents makes, is not for all.
    bson_t *command =
        BCON_NEW("count", BCON_UTF8(mongoc_collection_get_name(run->collection)), "query",
                 BCON_DOCUMENT(run->filter), "maxTimeMS", BCON_INT64(run->job->query.time_ms));
    bson_t reply;
    if (mongoc_client_read_command_with_opts(run->database->client, run->database->shared->name,
                                             command, NULL, &options, &reply, &error)) {
        run->job->number = lsig_mongo_database_integer(&reply, "n");
    } else {
        fail_by(run->job, run->database, &error);
    }
    bson_destroy(&reply);
    bson_destroy(command);
    bson_destroy(&options);
}

static void run_insert(struct run *run)
{
    bson_error_t error;
    bson_iter_t at;
    bson_t document = BSON_INITIALIZER;
    char id[ID_SIZE] = "";
    if (!bson_iter_init_find(&at, run->change, "_id")) {
        bson_oid_t oid;
        bson_oid_init(&oid, NULL);
        bson_oid_to_string(&oid, id);
        BSON_APPEND_OID(&document, "_id", &oid);
    }
    bson_concat(&document, run->change);
    if (mongoc_collection_insert_one(run->collection, &document, NULL, NULL, &error)) {
        memcpy(run->job->id, id, sizeof(id));
    } else {
        fail_by(run->job, run->database, &error);
    }
    bson_destroy(&document);
}

static void run_update(struct run *run)
{
    const struct lsig_query *query = &run->job->query;
    bson_t *options = query->upsert ? BCON_NEW("upsert", BCON_BOOL(true)) : NULL;
    bson_t reply = BSON_INITIALIZER;
    bson_error_t error;
    bool done = query->many ? mongoc_collection_update_many(run->collection, run->filter,
                                                            run->change, options, &reply, &error)
                            : mongoc_collection_update_one(run->collection, run->filter,
                                                           run->change, options, &reply, &error);
    if (done) {
        run->job->number = lsig_mongo_database_integer(&reply, "matchedCount");
        run->job->made = bson_has_field(&reply, "upsertedId");
    } else {
        fail_by(run->job, run->database, &error);
    }
    bson_destroy(&reply);
    bson_destroy(options);
}

static void run_delete(struct run *run)
{
    bson_t reply = BSON_INITIALIZER;
    bson_error_t error;
    bool done =
        run->job->query.many
            ? mongoc_collection_delete_many(run->collection, run->filter, NULL, &reply, &error)
            : mongoc_collection_delete_one(run->collection, run->filter, NULL, &reply, &error);
    if (done) {
        run->job->number = lsig_mongo_database_integer(&reply, "deletedCount");
    } else {
        fail_by(run->job, run->database, &error);
    }
    bson_destroy(&reply);
}

static void run_job(struct lsig_store_job *base, void *database)
{
    static void (*const runs[])(struct run * run) = {
        [LSIG_QUERY_FIND] = run_find,     [LSIG_QUERY_COUNT] = run_count,
        [LSIG_QUERY_INSERT] = run_insert, [LSIG_QUERY_UPDATE] = run_update,
        [LSIG_QUERY_DELETE] = run_delete,
    };
    struct job *job = (struct job *)base;
    struct run run = {
        .job = job,
        .database = database,
        .collection = collection_of(job, database),
        .filter = bson_of(job->query.filter),
        .change = bson_of(job->query.change),
    };
    base->status = LSIG_OK;
    if (run.filter == NULL || run.change == NULL) {
        fail(job, LSIG_QUERY_TOO_LARGE, "it is too big for MongoDB");
    } else {
        runs[job->query.kind](&run);
    }
    bson_destroy(run.filter);
    bson_destroy(run.change);
    mongoc_collection_destroy(run.collection);
}

// ---- the interface ----

static enum lsig_status ready(void *self)
{
    const struct lsig_mongo_queries *queries = self;
    return queries->queue.check(queries->queue.self, LSIG_LANE_DOCUMENTS, LSIG_QUERY_WAITING_MAX);
}

static void ask(void *self, const struct lsig_query *query, struct lsig_query_call call)
{
    assert(query->kind != LSIG_QUERY_FIND || query->limit > 0);
    struct lsig_mongo_queries *queries = self;
    const struct lsig_span *texts[] = {&query->collection, &query->filter, &query->change,
                                       &query->sort, &query->projection};
    enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };
    size_t bytes = 0;
    for (size_t i = 0; i < TEXTS; i++) {
        bytes += texts[i]->len;
    }
    struct job *job = lsig_alloc(sizeof(*job) + bytes);
    struct lsig_span *copies[] = {&job->query.collection, &job->query.filter, &job->query.change,
                                  &job->query.sort, &job->query.projection};
    char *at = job->texts;
    job->query = *query;
    for (size_t i = 0; i < TEXTS; i++) {
        if (texts[i]->len > 0) {
            memcpy(at, texts[i]->data, texts[i]->len);
        }
        *copies[i] = (struct lsig_span){at, texts[i]->len};
        at += texts[i]->len;
    }
    lsig_buf_init(&job->found, LSIG_QUERY_FOUND_BYTES_MAX);
    job->base.run = run_job;
    job->base.finish = finish;
    job->base.order = queries->asked++;
    job->call = call;
    queries->queue.add(queries->queue.self, LSIG_LANE_DOCUMENTS, &job->base);
}

struct lsig_query_store lsig_mongo_queries_store(struct lsig_mongo_queries *queries)
{
    return (struct lsig_query_store){.self = queries, .ready = ready, .ask = ask};
}
