#include "store/sqlite_store.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "store/account_jobs.h"
#include "store/sqlite_documents.h"
#include "store/sqlite_queue.h"
#include "store/sqlite_records.h"
#include "store/sqlite_search.h"

struct lsig_sqlite_store {
    struct lsig_account_jobs accounts; // first
    struct lsig_document_jobs documents;
    struct lsig_sqlite_queue *queue;
    void (*on_freed)(void *arg);
    void *on_freed_arg;
};

// ---- on a thread of the pool ----

static void run_job(struct lsig_store_job *base, void *records)
{
    struct lsig_account_job *job = (struct lsig_account_job *)base;
    enum lsig_status *status = &base->status;
    switch (job->kind) {
    case LSIG_JOB_FIND:
        *status = lsig_sqlite_records_find(records, job->name, &job->account);
        break;
    case LSIG_JOB_CREATE:
        *status = lsig_sqlite_records_create(records, &job->account);
        break;
    case LSIG_JOB_ADD_FAILURE:
        *status = lsig_sqlite_records_add_failure(records, job->name);
        break;
    case LSIG_JOB_ADD_LOGIN:
        *status = lsig_sqlite_records_add_login(records, job->name, job->at);
        break;
    case LSIG_JOB_SAVE_REFRESH_TOKEN:
        *status = lsig_sqlite_records_save_refresh_token(records, &job->token);
        break;
    case LSIG_JOB_FIND_REFRESH_TOKEN:
        *status = lsig_sqlite_records_find_refresh_token(records, &job->token, &job->account);
        break;
    case LSIG_JOB_ROTATE:
        *status = lsig_sqlite_records_rotate(records, job->hash, &job->token, &job->marks);
        break;
    case LSIG_JOB_LOG_OUT:
        *status = lsig_sqlite_records_log_out(records, &job->logout, &job->marks);
        break;
    case LSIG_JOB_SAVE_REVOCATION:
        *status = lsig_sqlite_records_save_revocation(records, &job->revocation, job->at);
        break;
    }
}

// ---- on the loop's thread ----

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

static enum lsig_status ping_documents(void *self) // of the jobs
{
    return ping((char *)self - offsetof(struct lsig_sqlite_store, documents));
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
    store->accounts = (struct lsig_account_jobs){lsig_sqlite_queue_jobs(store->queue), run_job};
    store->documents = (struct lsig_document_jobs){
        lsig_sqlite_queue_jobs(store->queue), lsig_sqlite_documents_run, lsig_sqlite_search_run};
    *store_out = store;
    return LSIG_OK;
}

struct lsig_account_store lsig_sqlite_store_accounts(struct lsig_sqlite_store *store)
{
    struct lsig_account_store accounts = lsig_account_jobs_store(&store->accounts);
    accounts.load_revocations = load_revocations;
    accounts.ping = ping;
    return accounts;
}

struct lsig_document_store lsig_sqlite_store_documents(struct lsig_sqlite_store *store)
{
    struct lsig_document_store documents = lsig_document_jobs_store(&store->documents);
    documents.ping = ping_documents;
    return documents;
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
