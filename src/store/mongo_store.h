// mongo_store.h - accounts, and what policies keep and ask for, in MongoDB.
//
// Calls run on threads of their own (mongo_queue.h). Those about the same name take effect in the
// order in which they were made; others may overtake each other. While the database is away they
// fail at once with LSIG_INTERNAL_ERROR.
#pragma once

#include "store/account_store.h"
#include "store/document_store.h"
#include "store/mongo_queue.h"
#include "store/query_store.h"

struct lsig_mongo_store;

// As lsig_mongo_queue_open.
LSIG_MUST_USE enum lsig_status lsig_mongo_store_open(struct lsig_mongo_store **store,
                                                     struct uv_loop_s *loop,
                                                     const struct lsig_mongo_options *options,
                                                     char error[LSIG_MONGO_ERROR_SIZE]);
// The interfaces; valid until free. Of documents and queries, nothing is asked any more once free
// has begun but whether it is ready.
struct lsig_account_store lsig_mongo_store_accounts(struct lsig_mongo_store *store);
struct lsig_document_store lsig_mongo_store_documents(struct lsig_mongo_store *store);
struct lsig_query_store lsig_mongo_store_queries(struct lsig_mongo_store *store);
// Accepts no more calls, lets those that wait run to their callbacks, and calls on_freed (may be
// NULL) from the loop. The loop must go on running until then.
void lsig_mongo_store_free(struct lsig_mongo_store *store, void (*on_freed)(void *arg), void *arg);
