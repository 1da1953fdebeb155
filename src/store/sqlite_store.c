#include "store/sqlite_store.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/log.h"
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
    SAVE_REVOCATION,
    PROBE,
    CLOSE
};

struct job {
    struct job *next;
    enum job_kind kind;
    enum lsig_status status; // the outcome
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

// The loop's thread owns all of it; the thread of the pool that runs a job has `running` and
// `records` meanwhile.
struct lsig_sqlite_store {
    uv_loop_t *loop;
    uv_work_t work;
    struct lsig_sqlite_records *records;
    struct job *running; // NULL: nothing is on the pool
    struct job *first;   // waiting
    struct job **end;
    size_t waiting;
    enum lsig_status health; // of the last job
    uint64_t started_ms;     // of the running job
    uint64_t probed_ms;
    bool closing;
    void (*on_freed)(void *arg);
    void *on_freed_arg;
};

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

// ---- on a thread of the pool ----

static void run_job(uv_work_t *work)
{
    struct lsig_sqlite_store *store = work->data;
    struct job *job = store->running;
    switch (job->kind) {
    case FIND:
        job->status = lsig_sqlite_records_find(store->records, job->name, &job->account);
        break;
    case CREATE:
        job->status = lsig_sqlite_records_create(store->records, &job->account);
        break;
    case ADD_FAILURE:
        job->status = lsig_sqlite_records_add_failure(store->records, job->name);
        break;
    case ADD_LOGIN:
        job->status = lsig_sqlite_records_add_login(store->records, job->name, job->at);
        break;
    case SAVE_REFRESH_TOKEN:
        job->status = lsig_sqlite_records_save_refresh_token(store->records, &job->token);
        break;
    case FIND_REFRESH_TOKEN:
        job->status =
            lsig_sqlite_records_find_refresh_token(store->records, &job->token, &job->account);
        break;
    case ROTATE:
        job->status =
            lsig_sqlite_records_rotate(store->records, job->hash, &job->token, &job->marks);
        break;
    case LOG_OUT:
        job->status = lsig_sqlite_records_log_out(store->records, &job->logout, &job->marks);
        break;
    case SAVE_REVOCATION:
        job->status =
            lsig_sqlite_records_save_revocation(store->records, &job->revocation, job->at);
        break;
    case PROBE:
        job->status = lsig_sqlite_records_probe(store->records);
        break;
    case CLOSE:
        lsig_sqlite_records_close(store->records);
        store->records = NULL;
        job->status = LSIG_OK;
        break;
    }
}

// ---- on the loop's thread ----

static void start_next(struct lsig_sqlite_store *store);

static void job_free(struct job *job)
{
    free(job->marks.items);
    explicit_bzero(job, sizeof(*job)); // hashes
    free(job);
}

static void tell(const struct job *job)
{
    bool good = job->status != LSIG_INTERNAL_ERROR && job->status != LSIG_NOT_FOUND;
    if (job->call.on_done != NULL) {
        bool found = job->kind == FIND && good;
        job->call.on_done(job->call.arg, job->status, found ? &job->account : NULL);
    }
    if (job->refresh_call.on_done != NULL) {
        struct lsig_refresh_outcome outcome = {
            .account = good && job->kind == FIND_REFRESH_TOKEN ? &job->account : NULL,
            .token = good && job->kind != LOG_OUT ? &job->token : NULL,
            .marks = good ? job->marks.items : NULL,
            .mark_count = good ? job->marks.count : 0,
        };
        job->refresh_call.on_done(job->refresh_call.arg, job->status, &outcome);
    }
}

static void on_job_done(uv_work_t *work, int result)
{
    assert(result == 0); // nobody cancels
    (void)result;
    struct lsig_sqlite_store *store = work->data;
    struct job *job = store->running;
    store->running = NULL;
    if (job->kind == CLOSE) {
        job_free(job);
        void (*on_freed)(void *arg) = store->on_freed;
        void *arg = store->on_freed_arg;
        free(store);
        if (on_freed != NULL) {
            on_freed(arg);
        }
        return;
    }
    store->health = LSIG_OK;
    if (job->status == LSIG_INTERNAL_ERROR) {
        store->health = LSIG_INTERNAL_ERROR;
        lsig_log(LSIG_ERROR, "database-failed",
                 LSIG_LOG_TEXT("error", lsig_sqlite_records_error(store->records)));
    }
    start_next(store);
    tell(job);
    job_free(job);
}

static void start(struct lsig_sqlite_store *store, struct job *job)
{
    store->running = job;
    store->started_ms = now_ms();
    if (uv_queue_work(store->loop, &store->work, run_job, on_job_done) != 0) {
        abort();
    }
}

static void start_next(struct lsig_sqlite_store *store)
{
    struct job *job = store->first;
    if (job != NULL) {
        store->first = job->next;
        if (store->first == NULL) {
            store->end = &store->first;
        }
        store->waiting--;
    } else if (store->closing) {
        job = lsig_alloc(sizeof(*job));
        job->kind = CLOSE;
    } else {
        return;
    }
    start(store, job);
}

// The job, to be filled in and given to accept; NULL with *status saying why not.
static struct job *
job_new(struct lsig_sqlite_store *store, enum job_kind kind, enum lsig_status *status)
{
    *status = store->closing                                 ? LSIG_DRAINING
              : store->waiting >= LSIG_SQLITE_STORE_JOBS_MAX ? LSIG_BUSY
                                                             : LSIG_OK;
    if (*status != LSIG_OK) {
        return NULL;
    }
    struct job *job = lsig_alloc(sizeof(*job));
    job->kind = kind;
    return job;
}

static void
accept_job(struct lsig_sqlite_store *store, struct job *job, struct lsig_account_call call)
{
    job->call = call;
    if (store->running == NULL) {
        start(store, job);
        return;
    }
    *store->end = job;
    store->end = &job->next;
    store->waiting++;
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
    assert(store->running == NULL && !store->closing);
    return lsig_sqlite_records_load_revocations(store->records, now, on_revocation, arg);
}

static enum lsig_status ping(void *self)
{
    struct lsig_sqlite_store *store = self;
    uint64_t now = now_ms();
    if (store->running != NULL) {
        return now - store->started_ms > LSIG_SQLITE_STORE_STUCK_MS ? LSIG_INTERNAL_ERROR
                                                                    : store->health;
    }
    if (!store->closing && now - store->probed_ms >= LSIG_SQLITE_STORE_PROBE_MS) {
        store->probed_ms = now;
        struct job *job = lsig_alloc(sizeof(*job));
        job->kind = PROBE;
        start(store, job);
    }
    return store->health;
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
    store->loop = loop;
    store->work.data = store;
    store->records = records;
    store->end = &store->first;
    store->health = LSIG_OK;
    store->probed_ms = now_ms();
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

void lsig_sqlite_store_free(struct lsig_sqlite_store *store, void (*on_freed)(void *arg), void *arg)
{
    assert(!store->closing);
    store->closing = true;
    store->on_freed = on_freed;
    store->on_freed_arg = arg;
    if (store->running == NULL) {
        start_next(store);
    }
}
