// document_jobs.h - the calls of document_store.h as jobs: what every database behind it shares.
#pragma once

#include "store/document_search.h"
#include "store/document_store.h"
#include "store/job.h"

enum lsig_document_job_kind {
    LSIG_JOB_GET,
    LSIG_JOB_PUT,
    LSIG_JOB_REMOVE,
    LSIG_JOB_LIST,
    LSIG_JOB_COUNT,
    LSIG_JOB_INCR,
};

// What a call is about, and what it has come to. Texts lie behind the struct.
struct lsig_document_job {
    struct lsig_store_job base; // first
    enum lsig_document_job_kind kind;
    struct lsig_document_call call;
    struct lsig_span collection;
    struct lsig_span key;    // of list: the first one that may be in it
    struct lsig_span prefix; // of list
    struct lsig_span json;
    size_t limit;
    int64_t now_ms;
    int64_t expires_ms;
    int64_t number; // of incr: by how much, then the outcome
    bool if_absent;
    struct lsig_document *found; // each with texts of its own
    size_t found_count;
    size_t found_bytes;
    char texts[];
};

// What a database brings: run does a job of these kinds, search a search with its steps.
struct lsig_document_jobs {
    struct lsig_store_queue queue;
    void (*run)(struct lsig_store_job *job, void *database);
    void (*search)(struct lsig_document_search *search, void *database);
};

// Adds a document to what was found, with copies of both texts. False when the list has too many
// bytes with it: then it is not added.
bool lsig_document_job_add(struct lsig_document_job *job,
                           struct lsig_span key,
                           struct lsig_span json);
// Valid as long as jobs.
struct lsig_document_store lsig_document_jobs_store(struct lsig_document_jobs *jobs);
