// mongo_queries.h - what policies ask of whole collections, in MongoDB.
//
// Reads carry maxTimeMS, so that the server itself gives them up: a policy's slow query is a
// LSIG_QUERY_TIMEOUT and says nothing of the way to the database, which others share.
#pragma once

#include "store/job.h"
#include "store/query_store.h"

struct lsig_mongo_queries {
    struct lsig_store_queue queue;
    uint64_t asked; // spreads calls over the threads
};

// Valid as long as queries.
struct lsig_query_store lsig_mongo_queries_store(struct lsig_mongo_queries *queries);
