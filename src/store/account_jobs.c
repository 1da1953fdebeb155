#include "store/account_jobs.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void lsig_access_marks_add(struct lsig_access_marks *marks, uint64_t key, int64_t end)
{
    marks->items = lsig_realloc(marks->items, (marks->count + 1) * sizeof(marks->items[0]));
    marks->items[marks->count++] = (struct lsig_access_mark){key, end};
}

static void tell(struct lsig_store_job *base)
{
    struct lsig_account_job *job = (struct lsig_account_job *)base;
    bool good = base->status != LSIG_INTERNAL_ERROR && base->status != LSIG_NOT_FOUND;
    if (job->call.on_done != NULL) {
        bool found = job->kind == LSIG_JOB_FIND && good;
        job->call.on_done(job->call.arg, base->status, found ? &job->account : NULL);
    }
    if (job->refresh_call.on_done != NULL) {
        struct lsig_refresh_outcome outcome = {
            .account = good && job->kind == LSIG_JOB_FIND_REFRESH_TOKEN ? &job->account : NULL,
            .token = good && job->kind != LSIG_JOB_LOG_OUT ? &job->token : NULL,
            .marks = good ? job->marks.items : NULL,
            .mark_count = good ? job->marks.count : 0,
        };
        job->refresh_call.on_done(job->refresh_call.arg, base->status, &outcome);
    }
    free(job->marks.items);
    explicit_bzero(job, sizeof(*job)); // hashes
    free(job);
}

// The job, to be filled in and given to accept; NULL with *status saying why not.
static struct lsig_account_job *job_new(const struct lsig_account_jobs *jobs,
                                        enum lsig_account_job_kind kind,
                                        enum lsig_status *status)
{
    *status = jobs->queue.check(jobs->queue.self, LSIG_LANE_ACCOUNTS, LSIG_ACCOUNT_WAITING_MAX);
    if (*status != LSIG_OK) {
        return NULL;
    }
    struct lsig_account_job *job = lsig_alloc(sizeof(*job));
    job->base.run = jobs->run;
    job->base.finish = tell;
    job->kind = kind;
    return job;
}

static uint64_t order_of_name(const char *name)
{
    return lsig_store_order(name, strlen(name));
}

static uint64_t order_of_hash(const unsigned char hash[LSIG_REFRESH_HASH_SIZE])
{
    return lsig_store_order(hash, LSIG_REFRESH_HASH_SIZE);
}

static void accept_job(const struct lsig_account_jobs *jobs,
                       struct lsig_account_job *job,
                       struct lsig_account_call call)
{
    job->call = call;
    jobs->queue.add(jobs->queue.self, LSIG_LANE_ACCOUNTS, &job->base);
}

// A name that does not fit is left empty, and nothing has an empty name.
static void copy_name(struct lsig_account_job *job, struct lsig_span name)
{
    if (name.len > 0 && name.len < sizeof(job->name) && memchr(name.data, '\0', name.len) == NULL) {
        memcpy(job->name, name.data, name.len);
    }
    job->base.order = order_of_name(job->name);
}

static enum lsig_status find(void *self, struct lsig_span name, struct lsig_account_call call)
{
    enum lsig_status status;
    struct lsig_account_job *job = job_new(self, LSIG_JOB_FIND, &status);
    if (job != NULL) {
        copy_name(job, name);
        accept_job(self, job, call);
    }
    return status;
}

static enum lsig_status
create(void *self, const struct lsig_account *account, struct lsig_account_call call)
{
    enum lsig_status status;
    struct lsig_account_job *job = job_new(self, LSIG_JOB_CREATE, &status);
    if (job != NULL) {
        job->account = *account;
        job->base.order = order_of_name(account->username);
        accept_job(self, job, call);
    }
    return status;
}

static enum lsig_status add_failure(void *self, const char *username, struct lsig_account_call call)
{
    enum lsig_status status;
    struct lsig_account_job *job = job_new(self, LSIG_JOB_ADD_FAILURE, &status);
    if (job != NULL) {
        copy_name(job, lsig_span_of(username));
        accept_job(self, job, call);
    }
    return status;
}

static enum lsig_status
add_login(void *self, const char *username, int64_t at, struct lsig_account_call call)
{
    enum lsig_status status;
    struct lsig_account_job *job = job_new(self, LSIG_JOB_ADD_LOGIN, &status);
    if (job != NULL) {
        copy_name(job, lsig_span_of(username));
        job->at = at;
        accept_job(self, job, call);
    }
    return status;
}

static enum lsig_status save_refresh_token(void *self,
                                           const struct lsig_refresh_token *token,
                                           struct lsig_account_call call)
{
    enum lsig_status status;
    struct lsig_account_job *job = job_new(self, LSIG_JOB_SAVE_REFRESH_TOKEN, &status);
    if (job != NULL) {
        job->token = *token;
        job->base.order = order_of_name(token->username);
        accept_job(self, job, call);
    }
    return status;
}

static enum lsig_status find_refresh_token(void *self,
                                           const unsigned char hash[LSIG_REFRESH_HASH_SIZE],
                                           int64_t now,
                                           struct lsig_refresh_call call)
{
    enum lsig_status status;
    struct lsig_account_job *job = job_new(self, LSIG_JOB_FIND_REFRESH_TOKEN, &status);
    if (job != NULL) {
        memcpy(job->token.hash, hash, sizeof(job->token.hash));
        job->base.order = order_of_hash(hash);
        job->token.created_at = now;
        job->refresh_call = call;
        accept_job(self, job, (struct lsig_account_call){NULL, NULL});
    }
    return status;
}

static enum lsig_status rotate_refresh_token(void *self,
                                             const unsigned char hash[LSIG_REFRESH_HASH_SIZE],
                                             const struct lsig_refresh_token *next,
                                             struct lsig_refresh_call call)
{
    enum lsig_status status;
    struct lsig_account_job *job = job_new(self, LSIG_JOB_ROTATE, &status);
    if (job != NULL) {
        memcpy(job->hash, hash, sizeof(job->hash));
        job->base.order = order_of_hash(hash);
        job->token = *next;
        job->refresh_call = call;
        accept_job(self, job, (struct lsig_account_call){NULL, NULL});
    }
    return status;
}

static enum lsig_status
log_out(void *self, const struct lsig_logout *logout, struct lsig_refresh_call call)
{
    enum lsig_status status;
    struct lsig_account_job *job = job_new(self, LSIG_JOB_LOG_OUT, &status);
    if (job != NULL) {
        job->logout = *logout;
        job->base.order = order_of_name(logout->username);
        job->refresh_call = call;
        accept_job(self, job, (struct lsig_account_call){NULL, NULL});
    }
    return status;
}

static enum lsig_status save_revocation(void *self,
                                        const struct lsig_revocation *revocation,
                                        int64_t now,
                                        struct lsig_account_call call)
{
    enum lsig_status status;
    struct lsig_account_job *job = job_new(self, LSIG_JOB_SAVE_REVOCATION, &status);
    if (job != NULL) {
        job->revocation = *revocation;
        job->base.order = order_of_name(revocation->user);
        job->at = now;
        accept_job(self, job, call);
    }
    return status;
}

struct lsig_account_store lsig_account_jobs_store(struct lsig_account_jobs *jobs)
{
    return (struct lsig_account_store){
        .self = jobs,
        .find = find,
        .create = create,
        .add_failure = add_failure,
        .add_login = add_login,
        .save_refresh_token = save_refresh_token,
        .find_refresh_token = find_refresh_token,
        .rotate_refresh_token = rotate_refresh_token,
        .log_out = log_out,
        .save_revocation = save_revocation,
    };
}
