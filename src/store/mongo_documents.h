// mongo_documents.h - the documents and counters of policies in MongoDB.
//
// _id is the collection, a slash and the key; a document is its JSON text. About once a second a
// write takes away up to LSIG_MONGO_SWEEP_MAX documents and as many counters that have expired.
#pragma once

#include "store/document_jobs.h"

enum { LSIG_MONGO_SWEEP_MAX = 1000 };

// Does a job of document_jobs.h on a struct lsig_mongo_database.
void lsig_mongo_documents_run(struct lsig_store_job *base, void *database);
