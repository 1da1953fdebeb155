// sqlite_queue.h - the work of one SQLite connection: jobs that run on libuv's pool, one after the
// other, and end on the loop.
//
// There are two lanes, each with a bound and an order of its own; when jobs wait in both, they take
// turns, so that policies never keep a login waiting, nor logins a policy. Documents' jobs that
// wait run in one transaction, as many as begin within some milliseconds: what they write reaches
// the disk with one wait for it, and their outcomes are told then. One thread at a time has the
// records.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "store/job.h"

struct uv_loop_s;
struct lsig_sqlite_queue;
struct lsig_sqlite_records;

// The records become the queue's.
struct lsig_sqlite_queue *lsig_sqlite_queue_new(struct uv_loop_s *loop,
                                                struct lsig_sqlite_records *records);
// Where jobs go; run gets the records.
struct lsig_store_queue lsig_sqlite_queue_jobs(struct lsig_sqlite_queue *queue);
// What is known of the database without waiting: LSIG_OK or LSIG_INTERNAL_ERROR.
enum lsig_status lsig_sqlite_queue_ping(struct lsig_sqlite_queue *queue);
// The records, for work on the loop's thread before any job.
struct lsig_sqlite_records *lsig_sqlite_queue_records(struct lsig_sqlite_queue *queue);
// Takes no more jobs, lets those that wait end, closes the records and calls on_freed (may be NULL)
// from the loop.
void lsig_sqlite_queue_free(struct lsig_sqlite_queue *queue,
                            void (*on_freed)(void *arg),
                            void *arg);
