// sqlite_documents.h - the documents and counters of policies on the connection of sqlite_store.h.
//
// Every write is one transaction, which takes away up to LSIG_SQLITE_SWEEP_MAX documents and as
// many counters that have expired: faster than writes bring new ones.
#pragma once

#include "store/document_store.h"

enum { LSIG_SQLITE_SWEEP_MAX = 16 };

struct lsig_sqlite_queue;

// Valid as long as the queue.
struct lsig_document_store lsig_sqlite_documents_store(struct lsig_sqlite_queue *queue);
