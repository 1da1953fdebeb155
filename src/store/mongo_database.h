// mongo_database.h - one connection for the time of one job, and what jobs do with it; inside of
// store/mongo_*.c only. Blocks; on the thread that runs the job.
//
// Documents (bson_t *) that are passed in become the function's. LSIG_INTERNAL_ERROR is noted in
// `error`: texts of the server and the driver, which name collections and hosts, never values.
#pragma once

#include <mongoc/mongoc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/span.h"
#include "store/job.h"

#define LSIG_MONGO_USERS "users" // the collection of the original service
#define LSIG_MONGO_LOGINS "lunasig_logins"
#define LSIG_MONGO_REVOCATIONS "lunasig_revocations"
#define LSIG_MONGO_DOCUMENTS "lunasig_documents"
#define LSIG_MONGO_COUNTERS "lunasig_counters"
#define LSIG_MONGO_CHAT "chat_messages" // records: mongo_records.h
#define LSIG_MONGO_SESSIONS "room_sessions"
#define LSIG_MONGO_ANALYTICS "analytics_events"
#define LSIG_MONGO_RECORDINGS "recordings"

// What the threads of a queue share.
struct lsig_mongo_shared {
    const char *name; // of the database
    pthread_mutex_t index_mutex;
    atomic_bool indexed;
    atomic_bool index_tried;       // whether it has worked or not
    atomic_int_least64_t swept_ms; // monotonic
};

struct lsig_mongo_database {
    mongoc_client_t *client;
    struct lsig_mongo_shared *shared;
    bool unreachable; // the last failure was one of the way to the database, not of the call
    char error[LSIG_JOB_ERROR_SIZE];
};

// Notes what went wrong. Always LSIG_INTERNAL_ERROR, but LSIG_EXISTS for a key that is taken.
enum lsig_status lsig_mongo_database_fail(struct lsig_mongo_database *database,
                                          const bson_error_t *error);
// LSIG_OK with *out, to be destroyed; LSIG_NOT_FOUND. options (sort, projection) may be NULL.
enum lsig_status lsig_mongo_database_find(struct lsig_mongo_database *database,
                                          const char *collection,
                                          bson_t *filter,
                                          bson_t *options,
                                          bson_t *out);
// Tells each document until one answers false.
enum lsig_status lsig_mongo_database_each(struct lsig_mongo_database *database,
                                          const char *collection,
                                          bson_t *filter,
                                          bson_t *options,
                                          bool (*on_document)(void *arg, const bson_t *document),
                                          void *arg);
// LSIG_EXISTS when a key is taken.
enum lsig_status lsig_mongo_database_insert(struct lsig_mongo_database *database,
                                            const char *collection,
                                            bson_t *document);
// One document; LSIG_NOT_FOUND when none matches. With upsert it is made then.
enum lsig_status lsig_mongo_database_update(struct lsig_mongo_database *database,
                                            const char *collection,
                                            bson_t *filter,
                                            bson_t *update,
                                            bool upsert);
// The whole document in place of one that matches; LSIG_NOT_FOUND, or with upsert it is made then.
enum lsig_status lsig_mongo_database_replace(struct lsig_mongo_database *database,
                                             const char *collection,
                                             bson_t *filter,
                                             bson_t *document,
                                             bool upsert);
// All that match; LSIG_NOT_FOUND when there are none.
enum lsig_status lsig_mongo_database_remove(struct lsig_mongo_database *database,
                                            const char *collection,
                                            bson_t *filter);
// One document is changed, or removed (update NULL): *out, to be destroyed, is how it was, or how
// it is with is_new. LSIG_NOT_FOUND.
enum lsig_status lsig_mongo_database_change(struct lsig_mongo_database *database,
                                            const char *collection,
                                            bson_t *filter,
                                            bson_t *update,
                                            bool is_new,
                                            bson_t *out);
// A command; its answer is not looked at.
enum lsig_status lsig_mongo_database_command(struct lsig_mongo_database *database, bson_t *command);

// Reading: what is missing, or of another type, is 0 or empty. Dates are unix seconds.
int64_t lsig_mongo_database_integer(const bson_t *document, const char *key);
int64_t lsig_mongo_database_seconds(const bson_t *document, const char *key);
// False when it does not fit: out is empty then.
bool lsig_mongo_database_text(const bson_t *document, const char *key, char *out, size_t size);
struct lsig_span lsig_mongo_database_bytes(const bson_t *document, const char *key); // or a text's
