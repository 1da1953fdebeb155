#include "store/sqlite_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "store/sqlite_documents.h"
#include "store/sqlite_queue.h"
#include "store/sqlite_records.h"

enum job_kind {
    FIND,
    CREATE,
    ADD_FAILURE,
    ADD_LOGIN,
    SAVE_REFRESH_TOKEN,
    FIND_REFRESH_TOKEN,
    ROTATE,
    LOG_OUT,
    SAVE_REVOCATION
};

struct job {
    struct lsig_sqlite_job base; // first
    enum job_kind kind;
    int64_t at;
    struct lsig_account_call call;
    struct lsig_refresh_call refresh_call;
    struct lsig_sqlite_marks marks;
    unsigned char hash[LSIG_REFRESH_HASH_SIZE]; // of rotate
    char name[LSIG_ACCOUNT_EMAIL_SIZE];         // of find, add_failure, add_login
    struct lsig_refresh_token token;
    union {
        struct lsig_account account; // find: the outcome; create: what to create
        struct lsig_logout logout;
        struct lsig_revocation revocation;
    };
};

struct lsig_sqlite_store {
    struct lsig_sqlite_queue *queue;
    void (*on_freed)(void *arg);
    void *on_freed_arg;
};

// ---- on a thread of the pool ----

static void run_job(struct lsig_sqlite_job *base, struct lsig_sqlite_records *records)
{
    struct job *job = (struct job *)base;
    enum lsig_status *status = &base->status;
    switch (job->kind) {
    case FIND:
        *status = lsig_sqlite_records_find(records, job->name, &job->account);
        break;
    case CREATE:
        *status = lsig_sqlite_records_create(records, &job->account);
        break;
    case ADD_FAILURE:
        *status = lsig_sqlite_records_add_failure(records, job->name);
        break;
    case ADD_LOGIN:
        *status = lsig_sqlite_records_add_login(records, job->name, job->at);
        break;
    case SAVE_REFRESH_TOKEN:
        *status = lsig_sqlite_records_save_refresh_token(records, &job->token);
        break;
    case FIND_REFRESH_TOKEN:
        *status = lsig_sqlite_records_find_refresh_token(records, &job->token, &job->account);
        break;
    case ROTATE:
        *status = lsig_sqlite_records_rotate(records, job->hash, &job->token, &job->marks);
        break;
    case LOG_OUT:
        *status = lsig_sqlite_records_log_out(records, &job->logout, &job->marks);
        break;
    case SAVE_REVOCATION:
        *status = lsig_sqlite_records_save_revocation(records, &job->revocation, job->at);
        break;
    }
}

// ---- on the loop's thread ----

static void tell(struct lsig_sqlite_job *base)
{
    struct job *job = (struct job *)base;
    bool good = base->status != LSIG_INTERNAL_ERROR && base->status != LSIG_NOT_FOUND;
    if (job->call.on_done != NULL) {
        bool found = job->kind == FIND && good;
        job->call.on_done(job->call.arg, base->status, found ? &job->account : NULL);
    }
    if (job->refresh_call.on_done != NULL) {
        struct lsig_refresh_outcome outcome = {
            .account = good && job->kind == FIND_REFRESH_TOKEN ? &job->account : NULL,
            .token = good && job->kind != LOG_OUT ? &job->token : NULL,
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
static struct job *
job_new(struct lsig_sqlite_store *store, enum job_kind kind, enum lsig_status *status)
{
    *status =
        lsig_sqlite_queue_check(store->queue, LSIG_SQLITE_ACCOUNTS, LSIG_SQLITE_STORE_JOBS_MAX);
    if (*status != LSIG_OK) {
        return NULL;
    }
    struct job *job = lsig_alloc(sizeof(*job));
    job->base.run = run_job;
    job->base.finish = tell;
    job->kind = kind;
    return job;
}

static void
accept_job(struct lsig_sqlite_store *store, struct job *job, struct lsig_account_call call)
{
    job->call = call;
    lsig_sqlite_queue_add(store->queue, LSIG_SQLITE_ACCOUNTS, &job->base);
}

// A name that does not fit is left empty, and nothing has an empty name.
static void copy_name(struct job *job, struct lsig_span name)
{
    if (name.len > 0 && name.len < sizeof(job->name) && memchr(name.data, '\0', name.len) == NULL) {
        memcpy(job->name, name.data, name.len);
    }
}

static enum lsig_status find(void *self, struct lsig_span name, struct lsig_account_call call)
{
    enum lsig_status status;
    struct job *job = job_new(self, FIND, &status);
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
    struct job *job = job_new(self, CREATE, &status);
    if (job != NULL) {
        job->account = *account;
        accept_job(self, job, call);
    }
    return status;
}

static enum lsig_status add_failure(void *self, const char *username, struct lsig_account_call call)
{
    enum lsig_status status;
    struct job *job = job_new(self, ADD_FAILURE, &status);
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
    struct job *job = job_new(self, ADD_LOGIN, &status);
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
    struct job *job = job_new(self, SAVE_REFRESH_TOKEN, &status);
    if (job != NULL) {
        job->token = *token;
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
    struct job *job = job_new(self, FIND_REFRESH_TOKEN, &status);
    if (job != NULL) {
        memcpy(job->token.hash, hash, sizeof(job->token.hash));
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
    struct job *job = job_new(self, ROTATE, &status);
    if (job != NULL) {
        memcpy(job->hash, hash, sizeof(job->hash));
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
    struct job *job = job_new(self, LOG_OUT, &status);
    if (job != NULL) {
        job->logout = *logout;
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
    struct job *job = job_new(self, SAVE_REVOCATION, &status);
    if (job != NULL) {
        job->revocation = *revocation;
        job->at = now;
        accept_job(self, job, call);
    }
    return status;
}

static enum lsig_status
load_revocations(void *self,
                 int64_t now,
                 void (*on_revocation)(void *arg, const struct lsig_revocation *revocation),
                 void *arg)
{
    struct lsig_sqlite_store *store = self;
    return lsig_sqlite_records_load_revocations(lsig_sqlite_queue_records(store->queue), now,
                                                on_revocation, arg);
}

static enum lsig_status ping(void *self)
{
    struct lsig_sqlite_store *store = self;
    return lsig_sqlite_queue_ping(store->queue);
}

// ---- opening and closing ----

enum lsig_status lsig_sqlite_store_open(struct lsig_sqlite_store **store_out,
                                        struct uv_loop_s *loop,
                                        const char *data_dir,
                                        char error[LSIG_SQLITE_STORE_ERROR_SIZE])
{
    *store_out = NULL;
    error[0] = '\0';
    if (mkdir(data_dir, 0700) != 0 && errno != EEXIST) {
        snprintf(error, LSIG_SQLITE_STORE_ERROR_SIZE, "cannot make the data folder %.400s: %s",
                 data_dir, strerror(errno));
        return LSIG_INTERNAL_ERROR;
    }
    char path[4352];
    if (snprintf(path, sizeof(path), "%s/lunasig.db", data_dir) >= (int)sizeof(path)) {
        snprintf(error, LSIG_SQLITE_STORE_ERROR_SIZE, "the name of the data folder is too long");
        return LSIG_INTERNAL_ERROR;
    }
    struct lsig_sqlite_records *records = NULL;
    enum lsig_status status =
        lsig_sqlite_records_open(&records, path, error, LSIG_SQLITE_STORE_ERROR_SIZE);
    if (status != LSIG_OK) {
        return status;
    }
    struct lsig_sqlite_store *store = lsig_alloc(sizeof(*store));
    store->queue = lsig_sqlite_queue_new(loop, records);
    *store_out = store;
    return LSIG_OK;
}

struct lsig_account_store lsig_sqlite_store_accounts(struct lsig_sqlite_store *store)
{
    return (struct lsig_account_store){
        .self = store,
        .find = find,
        .create = create,
        .add_failure = add_failure,
        .add_login = add_login,
        .save_refresh_token = save_refresh_token,
        .find_refresh_token = find_refresh_token,
        .rotate_refresh_token = rotate_refresh_token,
        .log_out = log_out,
        .save_revocation = save_revocation,
        .load_revocations = load_revocations,
        .ping = ping,
    };
}

struct lsig_document_store lsig_sqlite_store_documents(struct lsig_sqlite_store *store)
{
    return lsig_sqlite_documents_store(store->queue);
}

static void on_queue_freed(void *arg)
{
    struct lsig_sqlite_store *store = arg;
    void (*on_freed)(void *arg) = store->on_freed;
    void *on_freed_arg = store->on_freed_arg;
    free(store);
    if (on_freed != NULL) {
        on_freed(on_freed_arg);
    }
}

void lsig_sqlite_store_free(struct lsig_sqlite_store *store, void (*on_freed)(void *arg), void *arg)
{
    store->on_freed = on_freed;
    store->on_freed_arg = arg;
    lsig_sqlite_queue_free(store->queue, on_queue_freed, store);
}
