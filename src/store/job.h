// job.h - a call to a database on its way: made on the loop's thread, run on a thread of the
// database's queue, ended on the loop's thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { LSIG_JOB_ERROR_SIZE = 160 };

// Each has a bound and an order of its own.
enum lsig_store_lane { LSIG_LANE_ACCOUNTS, LSIG_LANE_DOCUMENTS, LSIG_LANE_COUNT };

// The beginning of every job, which is allocated by whoever makes it.
struct lsig_store_job {
    struct lsig_store_job *next;
    uint64_t order;          // jobs of one lane with the same number run one after the other
    enum lsig_status status; // the outcome
    char error[LSIG_JOB_ERROR_SIZE]; // of LSIG_INTERNAL_ERROR: what the database said
    // On a thread of the queue, which also hands in what it runs on: sets status.
    void (*run)(struct lsig_store_job *job, void *database);
    // On the loop's thread, once: tells the outcome and frees the job.
    void (*finish)(struct lsig_store_job *job);
    // The queue's own.
    enum lsig_store_lane lane;
    int64_t took_ms;
    bool refused;     // not run, since the database is away
    bool unreachable; // it failed on the way to the database
};

// Where jobs go.
struct lsig_store_queue {
    void *self;
    // LSIG_OK: a job may be added to the lane, where at most `max` wait. LSIG_BUSY, LSIG_DRAINING.
    enum lsig_status (*check)(const void *self, enum lsig_store_lane lane, size_t max);
    void (*add)(void *self, enum lsig_store_lane lane, struct lsig_store_job *job);
};

uint64_t lsig_store_order(const void *bytes, size_t len); // for `order`, of what a job is about
