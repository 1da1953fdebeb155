// sqlite_queue.h - the work of one SQLite connection: jobs that run on libuv's pool, one after the
// other, and end on the loop.
//
// There are two lanes, each with a bound and an order of its own; when jobs wait in both, they take
// turns, so that policies never keep a login waiting, nor logins a policy. One thread at a time has
// the records.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct uv_loop_s;
struct lsig_sqlite_queue;
struct lsig_sqlite_records;

enum lsig_sqlite_lane { LSIG_SQLITE_ACCOUNTS, LSIG_SQLITE_DOCUMENTS, LSIG_SQLITE_LANE_COUNT };

enum { LSIG_SQLITE_QUEUE_ERROR_SIZE = 160 };

// The beginning of every job, which is allocated by whoever makes it.
struct lsig_sqlite_job {
    struct lsig_sqlite_job *next;
    enum lsig_status status;                  // the outcome
    char error[LSIG_SQLITE_QUEUE_ERROR_SIZE]; // of LSIG_INTERNAL_ERROR: what SQLite said
    // On a thread of the pool: sets status.
    void (*run)(struct lsig_sqlite_job *job, struct lsig_sqlite_records *records);
    // On the loop's thread, once: tells the outcome and frees the job.
    void (*finish)(struct lsig_sqlite_job *job);
};

// The records become the queue's.
struct lsig_sqlite_queue *lsig_sqlite_queue_new(struct uv_loop_s *loop,
                                                struct lsig_sqlite_records *records);
// LSIG_OK: a job may be added to the lane, where at most `max` wait. LSIG_BUSY, LSIG_DRAINING.
enum lsig_status lsig_sqlite_queue_check(const struct lsig_sqlite_queue *queue,
                                         enum lsig_sqlite_lane lane,
                                         size_t max);
void lsig_sqlite_queue_add(struct lsig_sqlite_queue *queue,
                           enum lsig_sqlite_lane lane,
                           struct lsig_sqlite_job *job);
// What is known of the database without waiting: LSIG_OK or LSIG_INTERNAL_ERROR.
enum lsig_status lsig_sqlite_queue_ping(struct lsig_sqlite_queue *queue);
// The records, for work on the loop's thread before any job.
struct lsig_sqlite_records *lsig_sqlite_queue_records(struct lsig_sqlite_queue *queue);
// Takes no more jobs, lets those that wait end, closes the records and calls on_freed (may be NULL)
// from the loop.
void lsig_sqlite_queue_free(struct lsig_sqlite_queue *queue,
                            void (*on_freed)(void *arg),
                            void *arg);
