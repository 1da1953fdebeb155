// sqlite_store.h - accounts, and the documents and counters of policies, in a SQLite file.
//
// All work runs on libuv's pool, one job after the other on one connection, so that SQLite needs no
// lock of its own and calls take effect in order. Jobs above the bound are answered LSIG_BUSY.
// Accounts and documents wait in lanes of their own and take turns.
#pragma once

#include <stddef.h>

#include "base/status.h"
#include "store/account_store.h"
#include "store/document_store.h"

enum {
    LSIG_SQLITE_STORE_ERROR_SIZE = 512,
    LSIG_SQLITE_STORE_STUCK_MS = 5000, // a job that runs longer makes ping say so
    LSIG_SQLITE_STORE_PROBE_MS = 1000, // ping asks the database at most this often
};

struct lsig_sqlite_store;
struct uv_loop_s;

// Opens DATA_DIR/lunasig.db (0600, write-ahead log) and brings its schema up to date; makes the
// folder (0700) if it is missing. Blocks on the disk: for the start only. LSIG_INTERNAL_ERROR with
// a text for people in error, which names the file; *store is NULL then.
LSIG_MUST_USE enum lsig_status lsig_sqlite_store_open(struct lsig_sqlite_store **store,
                                                      struct uv_loop_s *loop,
                                                      const char *data_dir,
                                                      char error[LSIG_SQLITE_STORE_ERROR_SIZE]);
// The interfaces; valid until free. Of documents, nothing is asked any more once free has begun but
// whether it is ready.
struct lsig_account_store lsig_sqlite_store_accounts(struct lsig_sqlite_store *store);
struct lsig_document_store lsig_sqlite_store_documents(struct lsig_sqlite_store *store);
// Accepts no more jobs, lets those that wait run to their callbacks, closes the file and calls
// on_freed (may be NULL) from the loop. The loop must go on running until then.
void lsig_sqlite_store_free(struct lsig_sqlite_store *store,
                            void (*on_freed)(void *arg),
                            void *arg);
