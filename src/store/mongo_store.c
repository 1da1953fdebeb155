#include "store/mongo_store.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "store/account_jobs.h"
#include "store/document_jobs.h"
#include "store/mongo_accounts.h"
#include "store/mongo_documents.h"
#include "store/mongo_queries.h"
#include "store/mongo_search.h"

struct lsig_mongo_store {
    struct lsig_account_jobs accounts; // first
    struct lsig_document_jobs documents;
    struct lsig_mongo_queries queries;
    struct lsig_mongo_queue *queue;
    void (*on_freed)(void *arg);
    void *on_freed_arg;
};

struct load {
    struct lsig_store_job base; // first
    int64_t now;
    void (*on_revocation)(void *arg, const struct lsig_revocation *revocation);
    void *arg;
};

static void run_load(struct lsig_store_job *base, void *database)
{
    struct load *load = (struct load *)base;
    base->status = lsig_mongo_revocation_load(database, load->now, load->on_revocation, load->arg);
}

static enum lsig_status
load_revocations(void *self,
                 int64_t now,
                 void (*on_revocation)(void *arg, const struct lsig_revocation *revocation),
                 void *arg)
{
    struct lsig_mongo_store *store = self;
    struct load load = {
        .base = {.run = run_load}, .now = now, .on_revocation = on_revocation, .arg = arg};
    lsig_mongo_queue_run(store->queue, &load.base);
    if (load.base.status != LSIG_OK) {
        lsig_log(LSIG_ERROR, "database-failed", LSIG_LOG_TEXT("error", load.base.error));
    }
    return load.base.status;
}

static enum lsig_status ping(void *self)
{
    struct lsig_mongo_store *store = self;
    return lsig_mongo_queue_ping(store->queue);
}

static enum lsig_status ping_documents(void *self) // of the jobs
{
    return ping((char *)self - offsetof(struct lsig_mongo_store, documents));
}

enum lsig_status lsig_mongo_store_open(struct lsig_mongo_store **store_out,
                                       struct uv_loop_s *loop,
                                       const struct lsig_mongo_options *options,
                                       char error[LSIG_MONGO_ERROR_SIZE])
{
    struct lsig_mongo_queue *queue = NULL;
    *store_out = NULL;
    enum lsig_status status = lsig_mongo_queue_open(&queue, loop, options, error);
    if (status != LSIG_OK) {
        return status;
    }
    struct lsig_mongo_store *store = lsig_alloc(sizeof(*store));
    struct lsig_store_queue jobs = lsig_mongo_queue_jobs(queue);
    store->queue = queue;
    store->accounts = (struct lsig_account_jobs){jobs, lsig_mongo_accounts_run};
    store->documents =
        (struct lsig_document_jobs){jobs, lsig_mongo_documents_run, lsig_mongo_search_run};
    store->queries = (struct lsig_mongo_queries){.queue = jobs};
    *store_out = store;
    return LSIG_OK;
}

struct lsig_account_store lsig_mongo_store_accounts(struct lsig_mongo_store *store)
{
    struct lsig_account_store accounts = lsig_account_jobs_store(&store->accounts);
    accounts.load_revocations = load_revocations;
    accounts.ping = ping;
    return accounts;
}

struct lsig_document_store lsig_mongo_store_documents(struct lsig_mongo_store *store)
{
    struct lsig_document_store documents = lsig_document_jobs_store(&store->documents);
    documents.ping = ping_documents;
    return documents;
}

struct lsig_query_store lsig_mongo_store_queries(struct lsig_mongo_store *store)
{
    return lsig_mongo_queries_store(&store->queries);
}

static void on_queue_freed(void *arg)
{
    struct lsig_mongo_store *store = arg;
    void (*on_freed)(void *arg) = store->on_freed;
    void *on_freed_arg = store->on_freed_arg;
    free(store);
    if (on_freed != NULL) {
        on_freed(on_freed_arg);
    }
}

void lsig_mongo_store_free(struct lsig_mongo_store *store, void (*on_freed)(void *arg), void *arg)
{
    store->on_freed = on_freed;
    store->on_freed_arg = arg;
    lsig_mongo_queue_free(store->queue, on_queue_freed, store);
}
