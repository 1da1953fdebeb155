#include "store/sqlite_search.h"

#include "store/sqlite_database.h"

static sqlite3_stmt *bind_name(struct lsig_sqlite_records *records,
                               enum lsig_sqlite_statement which,
                               const struct lsig_document_name *name)
{
    lsig_sqlite_database_bind_name(records, which, name);
    return records->statements[which];
}

static enum lsig_status each(void *self,
                             const struct lsig_document_name *from,
                             bool (*on_document)(void *arg, const struct lsig_document *document),
                             void *arg)
{
    struct lsig_sqlite_records *records = self;
    sqlite3_stmt *statement = bind_name(records, LSIG_SQLITE_LIST_DOCUMENTS, from);
    sqlite3_bind_blob(statement, 4, "\xff", 1, SQLITE_STATIC); // no key has this byte
    sqlite3_bind_int64(statement, 5, -1);
    int result;
    while ((result = lsig_sqlite_database_step(records, LSIG_SQLITE_LIST_DOCUMENTS)) ==
           SQLITE_ROW) {
        struct lsig_document document = {lsig_sqlite_database_bytes(statement, 0),
                                         lsig_sqlite_database_bytes(statement, 1)};
        if (!on_document(arg, &document)) {
            result = SQLITE_DONE;
            break;
        }
    }
    lsig_sqlite_database_reset(records, LSIG_SQLITE_LIST_DOCUMENTS);
    return result == SQLITE_DONE ? LSIG_OK : LSIG_INTERNAL_ERROR;
}

// Nobody else writes in between: it is one transaction.
static enum lsig_status change(void *self,
                               const struct lsig_document_name *name,
                               struct lsig_span was,
                               struct lsig_span json)
{
    struct lsig_sqlite_records *records = self;
    sqlite3_stmt *statement = bind_name(records, LSIG_SQLITE_CHANGE_DOCUMENT, name);
    (void)was;
    sqlite3_bind_text(statement, 4, json.data, (int)json.len, SQLITE_STATIC);
    int result = lsig_sqlite_database_run(records, LSIG_SQLITE_CHANGE_DOCUMENT);
    return result == SQLITE_DONE ? LSIG_OK : LSIG_INTERNAL_ERROR;
}

static enum lsig_status
remove_one(void *self, const struct lsig_document_name *name, struct lsig_span was)
{
    struct lsig_sqlite_records *records = self;
    (void)was;
    bind_name(records, LSIG_SQLITE_REMOVE_DOCUMENT, name);
    int result;
    while ((result = lsig_sqlite_database_step(records, LSIG_SQLITE_REMOVE_DOCUMENT)) ==
           SQLITE_ROW) {
    }
    lsig_sqlite_database_reset(records, LSIG_SQLITE_REMOVE_DOCUMENT);
    return result == SQLITE_DONE ? LSIG_OK : LSIG_INTERNAL_ERROR;
}

static enum lsig_status
insert(void *self, const struct lsig_document_name *name, struct lsig_span json, int64_t expires_ms)
{
    struct lsig_sqlite_records *records = self;
    sqlite3_stmt *statement = bind_name(records, LSIG_SQLITE_PUT_DOCUMENT, name);
    sqlite3_bind_text(statement, 4, json.data, (int)json.len, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 5, expires_ms);
    sqlite3_bind_int(statement, 6, 1); // only if there is none
    if (lsig_sqlite_database_run(records, LSIG_SQLITE_PUT_DOCUMENT) != SQLITE_DONE) {
        return LSIG_INTERNAL_ERROR;
    }
    return sqlite3_changes(records->db) > 0 ? LSIG_OK : LSIG_EXISTS;
}

void lsig_sqlite_search_run(struct lsig_document_search *search, void *database)
{
    struct lsig_sqlite_records *records = database;
    struct lsig_document_steps steps = {records, each, change, remove_one, insert};
    enum lsig_query_kind kind = search->question.query.kind;
    if (kind == LSIG_QUERY_FIND || kind == LSIG_QUERY_COUNT) {
        lsig_document_search_run(search, &steps);
        return;
    }
    enum lsig_status status = LSIG_INTERNAL_ERROR;
    if (lsig_sqlite_database_begin(records)) {
        lsig_document_search_run(search, &steps);
        // What was changed before something was refused stays, as in MongoDB.
        status = search->failed ? LSIG_INTERNAL_ERROR : LSIG_OK;
        lsig_sqlite_database_end(records, &status);
    }
    search->failed = status == LSIG_INTERNAL_ERROR;
}
