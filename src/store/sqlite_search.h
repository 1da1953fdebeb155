// sqlite_search.h - the steps of document_search.h in SQLite; inside of store/sqlite_*.c only.
#pragma once

#include "store/document_search.h"

// On a thread of the pool; database is a struct lsig_sqlite_records. What changes something is one
// transaction.
void lsig_sqlite_search_run(struct lsig_document_search *search, void *database);
