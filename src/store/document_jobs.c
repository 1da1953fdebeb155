#include "store/document_jobs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static void finish(struct lsig_store_job *base)
{
    struct lsig_document_job *job = (struct lsig_document_job *)base;
    struct lsig_document_outcome outcome = {
        .documents = job->found,
        .count = job->found_count,
        .number = base->status == LSIG_OK ? job->number : 0,
        .error = base->status == LSIG_INTERNAL_ERROR ? base->error : NULL,
    };
    if (job->call.on_done != NULL) {
        job->call.on_done(job->call.arg, base->status, &outcome);
    }
    for (size_t i = 0; i < job->found_count; i++) {
        free((char *)(uintptr_t)job->found[i].key.data);
        free((char *)(uintptr_t)job->found[i].json.data);
    }
    free(job->found);
    free(job);
}

static struct lsig_span copy_text(char **at, struct lsig_span text)
{
    struct lsig_span copy = {*at, text.len};
    if (text.len > 0) {
        memcpy(*at, text.data, text.len);
    }
    *at += text.len;
    return copy;
}

// A job with copies of both texts, and room for `more` bytes behind them from *at on.
static struct lsig_document_job *
job_new(struct lsig_span collection, struct lsig_span key, size_t more, char **at)
{
    struct lsig_document_job *job = lsig_alloc(sizeof(*job) + collection.len + key.len + more);
    *at = job->texts;
    job->base.finish = finish;
    job->collection = copy_text(at, collection);
    job->key = copy_text(at, key);
    return job;
}

static struct lsig_document_job *
named_job_new(const struct lsig_document_name *name, size_t more, char **at)
{
    assert(name->collection.len > 0 && name->collection.len <= LSIG_DOCUMENT_COLLECTION_MAX);
    assert(name->key.len > 0 && name->key.len <= LSIG_DOCUMENT_KEY_MAX);
    struct lsig_document_job *job = job_new(name->collection, name->key, more, at);
    job->now_ms = name->now_ms;
    return job;
}

static struct lsig_span copy_of(struct lsig_span text)
{
    return (struct lsig_span){lsig_strndup(text.data, text.len), text.len};
}

bool lsig_document_job_add(struct lsig_document_job *job,
                           struct lsig_span key,
                           struct lsig_span json)
{
    if (job->found_count > 0 && job->found_bytes + json.len > LSIG_DOCUMENT_LIST_BYTES_MAX) {
        return false;
    }
    if (job->found == NULL) {
        size_t most = job->kind == LSIG_JOB_LIST ? job->limit : 1;
        job->found = lsig_alloc(most * sizeof(*job->found));
    }
    job->found_bytes += json.len;
    job->found[job->found_count++] = (struct lsig_document){copy_of(key), copy_of(json)};
    return true;
}

static void add(const struct lsig_document_jobs *jobs,
                struct lsig_document_job *job,
                enum lsig_document_job_kind kind,
                struct lsig_document_call call)
{
    job->base.run = jobs->run;
    job->base.order = lsig_store_order(job->key.data, job->key.len);
    job->kind = kind;
    job->call = call;
    jobs->queue.add(jobs->queue.self, LSIG_LANE_DOCUMENTS, &job->base);
}

static enum lsig_status ready(void *self)
{
    const struct lsig_document_jobs *jobs = self;
    return jobs->queue.check(jobs->queue.self, LSIG_LANE_DOCUMENTS, LSIG_DOCUMENT_WAITING_MAX);
}

static void get(void *self, const struct lsig_document_name *name, struct lsig_document_call call)
{
    char *at;
    add(self, named_job_new(name, 0, &at), LSIG_JOB_GET, call);
}

static void put(void *self,
                const struct lsig_document_name *name,
                const struct lsig_document_write *write,
                struct lsig_document_call call)
{
    assert(write->json.len <= LSIG_DOCUMENT_BYTES_MAX);
    char *at;
    struct lsig_document_job *job = named_job_new(name, write->json.len, &at);
    job->json = copy_text(&at, write->json);
    job->expires_ms = write->expires_ms;
    job->if_absent = write->if_absent;
    add(self, job, LSIG_JOB_PUT, call);
}

static void
remove_name(void *self, const struct lsig_document_name *name, struct lsig_document_call call)
{
    char *at;
    add(self, named_job_new(name, 0, &at), LSIG_JOB_REMOVE, call);
}

// The first key that may be in the list: the prefix itself or, when `after` lies behind it, the
// next one after that, which is `after` and a NUL.
static void
list(void *self, const struct lsig_document_query *query, struct lsig_document_call call)
{
    assert(query->limit > 0 && query->limit <= LSIG_DOCUMENT_LIST_MAX);
    assert(query->prefix.len <= LSIG_DOCUMENT_KEY_MAX && query->after.len <= LSIG_DOCUMENT_KEY_MAX);
    char first[LSIG_DOCUMENT_KEY_MAX + 1];
    struct lsig_span from = {first, query->prefix.len};
    size_t shared = query->prefix.len < query->after.len ? query->prefix.len : query->after.len;
    int order = shared > 0 ? memcmp(query->after.data, query->prefix.data, shared) : 0;
    if (query->after.len > 0 &&
        (order > 0 || (order == 0 && query->after.len >= query->prefix.len))) {
        memcpy(first, query->after.data, query->after.len);
        first[query->after.len] = '\0';
        from.len = query->after.len + 1;
    } else if (query->prefix.len > 0) {
        memcpy(first, query->prefix.data, query->prefix.len);
    }
    char *at;
    struct lsig_document_job *job = job_new(query->collection, from, query->prefix.len, &at);
    job->prefix = copy_text(&at, query->prefix);
    job->limit = query->limit;
    job->now_ms = query->now_ms;
    add(self, job, LSIG_JOB_LIST, call);
}

static void count(void *self, const struct lsig_document_name *name, struct lsig_document_call call)
{
    char *at;
    add(self, named_job_new(name, 0, &at), LSIG_JOB_COUNT, call);
}

static void incr(void *self,
                 const struct lsig_document_name *name,
                 const struct lsig_counter_change *change,
                 struct lsig_document_call call)
{
    assert(change->by <= LSIG_COUNTER_MAX && change->by >= -LSIG_COUNTER_MAX);
    char *at;
    struct lsig_document_job *job = named_job_new(name, 0, &at);
    job->number = change->by;
    job->expires_ms = change->expires_ms;
    add(self, job, LSIG_JOB_INCR, call);
}

// ---- questions ----

struct search_job {
    struct lsig_store_job base; // first
    struct lsig_document_search *search;
    void (*search_with)(struct lsig_document_search *search, void *database);
    struct lsig_query_call call;
};

static void run_search(struct lsig_store_job *base, void *database)
{
    struct search_job *job = (struct search_job *)base;
    job->search_with(job->search, database);
    base->status = job->search->failed ? LSIG_INTERNAL_ERROR : LSIG_OK;
}

static void finish_search(struct lsig_store_job *base)
{
    struct search_job *job = (struct search_job *)base;
    if (base->status == LSIG_INTERNAL_ERROR) { // also: it was not run
        job->search->end = LSIG_QUERY_UNAVAILABLE;
        memcpy(job->search->error, base->error, sizeof(base->error));
    }
    lsig_document_search_answer(job->search, job->call);
    lsig_document_search_free(job->search);
    free(job);
}

static void
ask(void *self, const struct lsig_document_question *question, struct lsig_query_call call)
{
    const struct lsig_document_jobs *jobs = self;
    struct search_job *job = lsig_alloc(sizeof(*job));
    job->search = lsig_document_search_new(question);
    job->search_with = jobs->search;
    job->call = call;
    job->base.run = run_search;
    job->base.finish = finish_search;
    job->base.order = lsig_document_search_order(job->search);
    jobs->queue.add(jobs->queue.self, LSIG_LANE_DOCUMENTS, &job->base);
}

struct lsig_document_store lsig_document_jobs_store(struct lsig_document_jobs *jobs)
{
    return (struct lsig_document_store){
        .self = jobs,
        .ready = ready,
        .get = get,
        .put = put,
        .remove = remove_name,
        .list = list,
        .count = count,
        .incr = incr,
        .ask = ask,
    };
}
