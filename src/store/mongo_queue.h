// mongo_queue.h - calls to MongoDB: jobs that run on threads of their own and end on the loop.
//
// Each lane has threads of its own, so that policies never keep a login waiting. Jobs of a lane
// with the same `order` run on the same thread, one after the other.
//
// A breaker stands before them: when three calls in a row cannot reach the database, or one takes
// LSIG_MONGO_SLOW_MS and fails, it opens. While it is open calls fail at once, those that wait
// included; every LSIG_MONGO_PAUSE_MS it asks the database by itself, and closes when there is an
// answer. All of it is counted in metrics.
#pragma once

#include <stdint.h>

#include "store/job.h"

enum {
    LSIG_MONGO_FAILURES_MAX = 3,
    LSIG_MONGO_SLOW_MS = 1000,
    LSIG_MONGO_PAUSE_MS = 1000,
    LSIG_MONGO_PROBE_MS = 1000, // ping asks the database at most this often
    LSIG_MONGO_ERROR_SIZE = 512,
};

struct uv_loop_s;
struct lsig_metrics;
struct lsig_mongo_queue;

// What the URL says itself counts above pool sizes and times.
struct lsig_mongo_options {
    const char *url; // copied, like all texts
    const char *database;
    int64_t pool_max; // connections, at least 2: one for each thread
    int64_t pool_min; // of them, opened at the start
    int64_t selection_ms;
    int64_t connect_ms;
    int64_t socket_ms;
    struct lsig_metrics *metrics;
};

// Connects nowhere yet. LSIG_INTERNAL_ERROR with a text for people in error, which never shows the
// URL; *queue is NULL then.
LSIG_MUST_USE enum lsig_status lsig_mongo_queue_open(struct lsig_mongo_queue **queue,
                                                     struct uv_loop_s *loop,
                                                     const struct lsig_mongo_options *options,
                                                     char error[LSIG_MONGO_ERROR_SIZE]);
// Where jobs go; run gets a struct lsig_mongo_database.
struct lsig_store_queue lsig_mongo_queue_jobs(struct lsig_mongo_queue *queue);
// Runs a job here and now, on the loop's thread: for the start only. The breaker and the metrics
// see nothing of it.
void lsig_mongo_queue_run(struct lsig_mongo_queue *queue, struct lsig_store_job *job);
// What is known of the database without waiting: LSIG_OK or LSIG_INTERNAL_ERROR.
enum lsig_status lsig_mongo_queue_ping(struct lsig_mongo_queue *queue);
// Takes no more jobs, lets those that wait end, and calls on_freed (may be NULL) from the loop.
void lsig_mongo_queue_free(struct lsig_mongo_queue *queue, void (*on_freed)(void *arg), void *arg);
