// server_store.h - the database that the settings choose: MongoDB with MONGODB_URL, else SQLite in
// DATA_DIR.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/metrics.h"
#include "codec/settings.h"
#include "store/account_store.h"
#include "store/document_store.h"
#include "store/query_store.h"

struct lsig_server_store;
struct uv_loop_s;

// Makes DATA_DIR in any case. NULL with lines for people in report.
struct lsig_server_store *lsig_server_store_open(const struct lsig_settings *settings,
                                                 struct uv_loop_s *loop,
                                                 struct lsig_metrics *metrics,
                                                 struct lsig_buf *report);
struct lsig_account_store lsig_server_store_accounts(struct lsig_server_store *store);
struct lsig_document_store lsig_server_store_documents(struct lsig_server_store *store);
// NULL: there is no MongoDB. Valid until free.
const struct lsig_query_store *lsig_server_store_queries(const struct lsig_server_store *store);
// Lets what waits end, and then calls `then` from the loop, which must go on running.
void lsig_server_store_free(struct lsig_server_store *store, void (*then)(void *arg), void *arg);
