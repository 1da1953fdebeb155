// sqlite_documents.h - the documents and counters of policies on the connection of sqlite_store.h.
//
// Every write is one transaction, which takes away up to LSIG_SQLITE_SWEEP_MAX documents and as
// many counters that have expired: faster than writes bring new ones.
#pragma once

#include "store/document_jobs.h"

enum { LSIG_SQLITE_SWEEP_MAX = 16 };

// Does a job of document_jobs.h on a struct lsig_sqlite_records.
void lsig_sqlite_documents_run(struct lsig_store_job *base, void *records);
