// account_jobs.h - the calls of account_store.h as jobs: what every database behind it shares.
#pragma once

#include "store/account_store.h"
#include "store/job.h"

enum lsig_account_job_kind {
    LSIG_JOB_FIND,
    LSIG_JOB_CREATE,
    LSIG_JOB_ADD_FAILURE,
    LSIG_JOB_ADD_LOGIN,
    LSIG_JOB_SAVE_REFRESH_TOKEN,
    LSIG_JOB_FIND_REFRESH_TOKEN,
    LSIG_JOB_ROTATE,
    LSIG_JOB_LOG_OUT,
    LSIG_JOB_SAVE_REVOCATION,
};

struct lsig_access_marks {
    struct lsig_access_mark *items; // freed by whoever owns the struct
    size_t count;
};

void lsig_access_marks_add(struct lsig_access_marks *marks, uint64_t key, int64_t end);

struct lsig_account_job {
    struct lsig_store_job base; // first
    enum lsig_account_job_kind kind;
    int64_t at; // of add_login; of save_revocation: now
    struct lsig_account_call call;
    struct lsig_refresh_call refresh_call;
    struct lsig_access_marks marks;             // of rotate and log_out: the outcome
    unsigned char hash[LSIG_REFRESH_HASH_SIZE]; // of rotate
    char name[LSIG_ACCOUNT_EMAIL_SIZE];         // of find, add_failure, add_login
    // save: what to save. find: hash and now (in created_at) on the way in, the token on the way
    // out. rotate: the next one; on the way out with what it inherited, or of the used token when
    // the outcome is LSIG_TOKEN_INVALID.
    struct lsig_refresh_token token;
    union {
        struct lsig_account account; // find: the outcome; create: what to create
        struct lsig_logout logout;
        struct lsig_revocation revocation;
    };
};

// What a database brings: run does a job of these kinds.
struct lsig_account_jobs {
    struct lsig_store_queue queue;
    void (*run)(struct lsig_store_job *job, void *database);
};

// All of the interface but load_revocations and ping. Valid as long as jobs.
struct lsig_account_store lsig_account_jobs_store(struct lsig_account_jobs *jobs);
