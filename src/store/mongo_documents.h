// mongo_documents.h - the documents and counters of policies in MongoDB.
//
// _id is the collection, a slash and the key; a document is its JSON text, but for those of
// mongo_records.h. About once a second a write takes away up to LSIG_MONGO_SWEEP_MAX documents and
// as many counters and records of each kind that have expired.
#pragma once

#include "store/document_jobs.h"
#include "store/mongo_database.h"

enum { LSIG_MONGO_SWEEP_MAX = 1000 };

// Does a job of document_jobs.h on a struct lsig_mongo_database.
void lsig_mongo_documents_run(struct lsig_store_job *base, void *database);
// Adds the _id under that name; the key may be empty, or have one byte more than others.
void lsig_mongo_documents_append_id(bson_t *document,
                                    const char *name,
                                    struct lsig_span collection,
                                    struct lsig_span key);
// For mongo_records.h: removes documents that `with_expired` makes a filter of, and whose _id is a
// text. A failure is nobody's: the next sweep tries again.
void lsig_mongo_documents_sweep(struct lsig_mongo_database *database,
                                const char *collection,
                                int64_t now_ms,
                                bson_t *(*with_expired)(bson_t *filter, int64_t now_ms));
