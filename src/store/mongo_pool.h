// mongo_pool.h - the connections of mongo_queue.h, from a URL and settings; inside of
// store/mongo_*.c only.
#pragma once

#include <mongoc/mongoc.h>

#include "store/mongo_queue.h"

// Connects nowhere yet. The sizes are what the URL and the options come to, *pool_max between 2 and
// 100. NULL with a text for people in error, which never shows the URL.
mongoc_client_pool_t *lsig_mongo_pool_open(const struct lsig_mongo_options *options,
                                           int64_t *pool_max,
                                           int64_t *pool_min,
                                           char error[LSIG_MONGO_ERROR_SIZE]);
