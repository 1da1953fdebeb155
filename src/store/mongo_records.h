// mongo_records.h - the records of the service in MongoDB: collections of sig.store that are
// collections of the same name there, with ordinary documents that any tool can read.
//
// _id is the key; the fields are the document's own (names as mongo_json.h has them), and
// _updated_at and, for one that ends, _expires_at are dates. What is no object is in _value.
// Documents of others in these collections (their _id is an ObjectId) are left alone.
#pragma once

#include "store/document_jobs.h"

struct lsig_mongo_database;

bool lsig_mongo_records_is(struct lsig_span collection);
// Jobs of these kinds on a collection that is one; job->base.status is the result.
enum lsig_status lsig_mongo_records_get(struct lsig_document_job *job,
                                        struct lsig_mongo_database *database);
enum lsig_status lsig_mongo_records_put(struct lsig_document_job *job,
                                        struct lsig_mongo_database *database);
enum lsig_status lsig_mongo_records_remove(struct lsig_document_job *job,
                                           struct lsig_mongo_database *database);
enum lsig_status lsig_mongo_records_list(struct lsig_document_job *job,
                                         struct lsig_mongo_database *database);
// Steps of document_search.h. json of change: data NULL takes the record away.
enum lsig_status lsig_mongo_records_each(struct lsig_mongo_database *database,
                                         const struct lsig_document_name *from,
                                         bool (*on_document)(void *arg,
                                                             const struct lsig_document *document),
                                         void *arg);
enum lsig_status lsig_mongo_records_change(struct lsig_mongo_database *database,
                                           const struct lsig_document_name *name,
                                           struct lsig_span was,
                                           struct lsig_span json);
// Takes away up to LSIG_MONGO_SWEEP_MAX that have expired, of each collection.
void lsig_mongo_records_sweep(struct lsig_mongo_database *database, int64_t now_ms);
