#include "server_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/log.h"
#include "store/mongo_store.h"
#include "store/sqlite_store.h"

// One of the two.
struct lsig_server_store {
    struct lsig_sqlite_store *sqlite;
    struct lsig_mongo_store *mongo;
    struct lsig_query_store queries; // of mongo
    void (*on_freed)(void *arg);
    void *on_freed_arg;
};

static bool open_mongo(struct lsig_server_store *store,
                       const struct lsig_settings *settings,
                       struct uv_loop_s *loop,
                       struct lsig_metrics *metrics,
                       struct lsig_buf *report)
{
    struct lsig_mongo_options options = {
        .url = settings->mongodb_url,
        .database = settings->database_name,
        .pool_max = settings->mongodb_pool_max,
        .pool_min = settings->mongodb_pool_min,
        .selection_ms = settings->mongodb_selection_ms,
        .connect_ms = settings->mongodb_connect_ms,
        .socket_ms = settings->mongodb_socket_ms,
        .metrics = metrics,
    };
    char error[LSIG_MONGO_ERROR_SIZE];
    if (mkdir(settings->data_dir, 0700) != 0 && errno != EEXIST) {
        lsig_buf_append_format(report, "cannot make the data folder %s: %s\n", settings->data_dir,
                               strerror(errno));
        return false;
    }
    if (lsig_mongo_store_open(&store->mongo, loop, &options, error) != LSIG_OK) {
        lsig_buf_append_format(report, "%s\n", error);
        return false;
    }
    store->queries = lsig_mongo_store_queries(store->mongo);
    lsig_log(LSIG_INFO, "mongodb", LSIG_LOG_TEXT("database", settings->database_name));
    return true;
}

static bool open_sqlite(struct lsig_server_store *store,
                        const struct lsig_settings *settings,
                        struct uv_loop_s *loop,
                        struct lsig_buf *report)
{
    char error[LSIG_SQLITE_STORE_ERROR_SIZE];
    if (lsig_sqlite_store_open(&store->sqlite, loop, settings->data_dir, error) != LSIG_OK) {
        lsig_buf_append_format(report, "%s\n", error);
        return false;
    }
    return true;
}

struct lsig_server_store *lsig_server_store_open(const struct lsig_settings *settings,
                                                 struct uv_loop_s *loop,
                                                 struct lsig_metrics *metrics,
                                                 struct lsig_buf *report)
{
    struct lsig_server_store *store = lsig_alloc(sizeof(*store));
    bool good = settings->mongodb_url[0] != '\0'
                    ? open_mongo(store, settings, loop, metrics, report)
                    : open_sqlite(store, settings, loop, report);
    if (!good) {
        free(store);
        return NULL;
    }
    return store;
}

struct lsig_account_store lsig_server_store_accounts(struct lsig_server_store *store)
{
    return store->mongo != NULL ? lsig_mongo_store_accounts(store->mongo)
                                : lsig_sqlite_store_accounts(store->sqlite);
}

struct lsig_document_store lsig_server_store_documents(struct lsig_server_store *store)
{
    return store->mongo != NULL ? lsig_mongo_store_documents(store->mongo)
                                : lsig_sqlite_store_documents(store->sqlite);
}

const struct lsig_query_store *lsig_server_store_queries(const struct lsig_server_store *store)
{
    return store->mongo != NULL ? &store->queries : NULL;
}

static void on_freed(void *arg)
{
    struct lsig_server_store *store = arg;
    void (*then)(void *arg) = store->on_freed;
    void *then_arg = store->on_freed_arg;
    free(store);
    then(then_arg);
}

void lsig_server_store_free(struct lsig_server_store *store, void (*then)(void *arg), void *arg)
{
    store->on_freed = then;
    store->on_freed_arg = arg;
    if (store->mongo != NULL) {
        lsig_mongo_store_free(store->mongo, on_freed, store);
    } else {
        lsig_sqlite_store_free(store->sqlite, on_freed, store);
    }
}
