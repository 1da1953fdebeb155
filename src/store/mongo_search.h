// mongo_search.h - the steps of document_search.h in MongoDB; inside of store/mongo_*.c only.
#pragma once

#include "store/document_search.h"

// On a thread of the queue; database is a struct lsig_mongo_database. A document that somebody else
// has changed meanwhile is looked at again.
void lsig_mongo_search_run(struct lsig_document_search *search, void *database);
