// mongo_indexes.h - the indexes that calls rely on: unique ones for what must be unique, others for
// what is searched. Inside of store/mongo_*.c only.
#pragma once

#include "base/status.h"

struct lsig_mongo_database;

// Makes those that are missing, once in the life of a queue. An index of operators on
// users.username or users.email that is not unique is replaced by one that is. LSIG_EXISTS: there
// are documents already that a unique index does not allow; that is logged, and accounts are found
// all the same, but none can be made. LSIG_INTERNAL_ERROR.
enum lsig_status lsig_mongo_indexes_make(struct lsig_mongo_database *database);
