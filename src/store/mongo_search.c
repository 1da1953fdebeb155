#include "store/mongo_search.h"

#include <string.h>

#include "store/document_jobs.h"
#include "store/mongo_database.h"
#include "store/mongo_documents.h"
#include "store/mongo_records.h"

enum { BATCH = 100 }; // documents in one answer: LSIG_DOCUMENT_BYTES_MAX each, at most

static void append_id(bson_t *document, const char *name, const struct lsig_document_name *of)
{
    lsig_mongo_documents_append_id(document, name, of->collection, of->key);
}

struct telling {
    struct lsig_span collection;
    bool (*on_document)(void *arg, const struct lsig_document *document);
    void *arg;
};

// Stops behind the collection.
static bool tell(void *arg, const bson_t *document)
{
    const struct telling *telling = arg;
    struct lsig_span id = lsig_mongo_database_bytes(document, "_id");
    size_t skip = telling->collection.len + 1;
    if (id.len <= skip || memcmp(id.data, telling->collection.data, skip - 1) != 0 ||
        id.data[skip - 1] != '/') {
        return false;
    }
    struct lsig_document told = {{id.data + skip, id.len - skip},
                                 lsig_mongo_database_bytes(document, "value")};
    return telling->on_document(telling->arg, &told);
}

static enum lsig_status each(void *self,
                             const struct lsig_document_name *from,
                             bool (*on_document)(void *arg, const struct lsig_document *document),
                             void *arg)
{
    struct lsig_mongo_database *database = self;
    if (lsig_mongo_records_is(from->collection)) {
        return lsig_mongo_records_each(database, from, on_document, arg);
    }
    struct telling telling = {from->collection, on_document, arg};
    bson_t *filter = bson_new();
    bson_t range;
    BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &range);
    append_id(&range, "$gte", from);
    bson_append_document_end(filter, &range);
    BCON_APPEND(filter, "$or", "[", "{", "expires_at", BCON_INT64(0), "}", "{", "expires_at", "{",
                "$gt", BCON_INT64(from->now_ms), "}", "}", "]");
    return lsig_mongo_database_each(
        database, LSIG_MONGO_DOCUMENTS, filter,
        BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}", "batchSize", BCON_INT64(BATCH)), tell,
        &telling);
}

static bson_t *filter_of(const struct lsig_document_name *name, struct lsig_span was)
{
    bson_t *filter = bson_new();
    append_id(filter, "_id", name);
    bson_append_utf8(filter, "value", -1, was.data, (int)was.len);
    return filter;
}

static enum lsig_status change(void *self,
                               const struct lsig_document_name *name,
                               struct lsig_span was,
                               struct lsig_span json)
{
    if (lsig_mongo_records_is(name->collection)) {
        return lsig_mongo_records_change(self, name, was, json);
    }
    bson_t *update = bson_new();
    bson_t set;
    BSON_APPEND_DOCUMENT_BEGIN(update, "$set", &set);
    bson_append_utf8(&set, "value", -1, json.data, (int)json.len);
    BSON_APPEND_INT64(&set, "updated_at", name->now_ms);
    bson_append_document_end(update, &set);
    return lsig_mongo_database_update(self, LSIG_MONGO_DOCUMENTS, filter_of(name, was), update,
                                      false);
}

static enum lsig_status
remove_one(void *self, const struct lsig_document_name *name, struct lsig_span was)
{
    if (lsig_mongo_records_is(name->collection)) {
        return lsig_mongo_records_change(self, name, was, (struct lsig_span){NULL, 0});
    }
    return lsig_mongo_database_remove(self, LSIG_MONGO_DOCUMENTS, filter_of(name, was));
}

static enum lsig_status
insert(void *self, const struct lsig_document_name *name, struct lsig_span json, int64_t expires_ms)
{
    struct lsig_document_job job = {
        .kind = LSIG_JOB_PUT,
        .collection = name->collection,
        .key = name->key,
        .json = json,
        .now_ms = name->now_ms,
        .expires_ms = expires_ms,
        .if_absent = true,
    };
    lsig_mongo_documents_run(&job.base, self);
    return job.base.status;
}

void lsig_mongo_search_run(struct lsig_document_search *search, void *database)
{
    struct lsig_document_steps steps = {database, each, change, remove_one, insert};
    lsig_document_search_run(search, &steps);
}
