#include "store/sqlite_documents.h"

#include <string.h>

#include "store/sqlite_database.h"

// ---- on a thread of the pool ----

static void bind_name(struct lsig_sqlite_records *records,
                      enum lsig_sqlite_statement which,
                      const struct lsig_document_job *job)
{
    struct lsig_document_name name = {job->collection, job->key, job->now_ms};
    lsig_sqlite_database_bind_name(records, which, &name);
}

static void run_get(struct lsig_document_job *job, struct lsig_sqlite_records *records)
{
    bind_name(records, LSIG_SQLITE_GET_DOCUMENT, job);
    int result = lsig_sqlite_database_step(records, LSIG_SQLITE_GET_DOCUMENT);
    if (result == SQLITE_ROW) {
        (void)lsig_document_job_add(
            job, job->key,
            lsig_sqlite_database_bytes(records->statements[LSIG_SQLITE_GET_DOCUMENT], 0));
    }
    lsig_sqlite_database_reset(records, LSIG_SQLITE_GET_DOCUMENT);
    job->base.status = result == SQLITE_ROW    ? LSIG_OK
                       : result == SQLITE_DONE ? LSIG_NOT_FOUND
                                               : LSIG_INTERNAL_ERROR;
}

// Behind all keys of a prefix is the prefix with its last byte one higher; no key has the byte
// 0xff.
static struct lsig_span behind(struct lsig_span prefix, char out[LSIG_DOCUMENT_KEY_MAX])
{
    if (prefix.len == 0) {
        out[0] = (char)0xff;
        return (struct lsig_span){out, 1};
    }
    memcpy(out, prefix.data, prefix.len);
    out[prefix.len - 1]++;
    return (struct lsig_span){out, prefix.len};
}

static void run_list(struct lsig_document_job *job, struct lsig_sqlite_records *records)
{
    sqlite3_stmt *statement = records->statements[LSIG_SQLITE_LIST_DOCUMENTS];
    char bytes[LSIG_DOCUMENT_KEY_MAX];
    struct lsig_span end = behind(job->prefix, bytes);
    int result;
    bind_name(records, LSIG_SQLITE_LIST_DOCUMENTS, job);
    sqlite3_bind_blob(statement, 4, end.data, (int)end.len, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 5, (int64_t)job->limit);
    while ((result = lsig_sqlite_database_step(records, LSIG_SQLITE_LIST_DOCUMENTS)) ==
           SQLITE_ROW) {
        if (!lsig_document_job_add(job, lsig_sqlite_database_bytes(statement, 0),
                                   lsig_sqlite_database_bytes(statement, 1))) {
            result = SQLITE_DONE;
            break;
        }
    }
    lsig_sqlite_database_reset(records, LSIG_SQLITE_LIST_DOCUMENTS);
    job->base.status = result == SQLITE_DONE ? LSIG_OK : LSIG_INTERNAL_ERROR;
}

static void run_count(struct lsig_document_job *job, struct lsig_sqlite_records *records)
{
    bind_name(records, LSIG_SQLITE_COUNT_COUNTER, job);
    int result = lsig_sqlite_database_step(records, LSIG_SQLITE_COUNT_COUNTER);
    if (result == SQLITE_ROW) {
        job->number = sqlite3_column_int64(records->statements[LSIG_SQLITE_COUNT_COUNTER], 0);
    }
    lsig_sqlite_database_reset(records, LSIG_SQLITE_COUNT_COUNTER);
    job->base.status = result == SQLITE_ROW    ? LSIG_OK
                       : result == SQLITE_DONE ? LSIG_NOT_FOUND
                                               : LSIG_INTERNAL_ERROR;
}

static bool
sweep(struct lsig_sqlite_records *records, enum lsig_sqlite_statement which, int64_t now_ms)
{
    sqlite3_bind_int64(records->statements[which], 1, now_ms);
    sqlite3_bind_int(records->statements[which], 2, LSIG_SQLITE_SWEEP_MAX);
    return lsig_sqlite_database_run(records, which) == SQLITE_DONE;
}

// One transaction around a change, and the sweep.
static void write_through(struct lsig_document_job *job,
                          struct lsig_sqlite_records *records,
                          enum lsig_status (*change)(struct lsig_document_job *job,
                                                     struct lsig_sqlite_records *records))
{
    enum lsig_status status = LSIG_INTERNAL_ERROR;
    if (lsig_sqlite_database_begin(records)) {
        status = change(job, records);
        if (status != LSIG_INTERNAL_ERROR &&
            (!sweep(records, LSIG_SQLITE_SWEEP_DOCUMENTS, job->now_ms) ||
             !sweep(records, LSIG_SQLITE_SWEEP_COUNTERS, job->now_ms))) {
            status = LSIG_INTERNAL_ERROR;
        }
        lsig_sqlite_database_end(records, &status);
    }
    job->base.status = status;
}

static enum lsig_status put_document(struct lsig_document_job *job,
                                     struct lsig_sqlite_records *records)
{
    sqlite3_stmt *statement = records->statements[LSIG_SQLITE_PUT_DOCUMENT];
    bind_name(records, LSIG_SQLITE_PUT_DOCUMENT, job);
    sqlite3_bind_text(statement, 4, job->json.data, (int)job->json.len, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 5, job->expires_ms);
    sqlite3_bind_int(statement, 6, job->if_absent);
    if (lsig_sqlite_database_run(records, LSIG_SQLITE_PUT_DOCUMENT) != SQLITE_DONE) {
        return LSIG_INTERNAL_ERROR;
    }
    return sqlite3_changes(records->db) > 0 ? LSIG_OK : LSIG_EXISTS;
}

static void run_put(struct lsig_document_job *job, struct lsig_sqlite_records *records)
{
    write_through(job, records, put_document);
}

// LSIG_NOT_FOUND also for one that has expired.
static enum lsig_status remove_one(struct lsig_document_job *job,
                                   struct lsig_sqlite_records *records,
                                   enum lsig_sqlite_statement which)
{
    enum lsig_status status = LSIG_NOT_FOUND;
    bind_name(records, which, job);
    int result = lsig_sqlite_database_step(records, which);
    if (result == SQLITE_ROW) {
        int64_t end = sqlite3_column_int64(records->statements[which], 0);
        status = end == 0 || end > job->now_ms ? LSIG_OK : LSIG_NOT_FOUND;
        result = lsig_sqlite_database_step(records, which);
    }
    lsig_sqlite_database_reset(records, which);
    return result == SQLITE_DONE ? status : LSIG_INTERNAL_ERROR;
}

static enum lsig_status remove_both(struct lsig_document_job *job,
                                    struct lsig_sqlite_records *records)
{
    enum lsig_status document = remove_one(job, records, LSIG_SQLITE_REMOVE_DOCUMENT);
    if (document == LSIG_INTERNAL_ERROR) {
        return document;
    }
    enum lsig_status counter = remove_one(job, records, LSIG_SQLITE_REMOVE_COUNTER);
    return counter == LSIG_NOT_FOUND ? document : counter;
}

static void run_remove(struct lsig_document_job *job, struct lsig_sqlite_records *records)
{
    write_through(job, records, remove_both);
}

static enum lsig_status change_counter(struct lsig_document_job *job,
                                       struct lsig_sqlite_records *records)
{
    enum lsig_sqlite_statement which = LSIG_SQLITE_CHANGE_COUNTER;
    sqlite3_stmt *statement = records->statements[which];
    bind_name(records, which, job);
    sqlite3_bind_int64(statement, 4, job->number);
    sqlite3_bind_int64(statement, 5, job->expires_ms);
    int result = lsig_sqlite_database_step(records, which);
    if (result == SQLITE_ROW) {
        job->number = sqlite3_column_int64(statement, 0);
        result = lsig_sqlite_database_step(records, which);
    }
    lsig_sqlite_database_reset(records, which);
    return result == SQLITE_DONE ? LSIG_OK : LSIG_INTERNAL_ERROR;
}

// A number that has become too big is taken back by one more change of the same transaction: of a
// counter that was there, since no single change is too big.
static enum lsig_status change_counter_within_bounds(struct lsig_document_job *job,
                                                     struct lsig_sqlite_records *records)
{
    int64_t by = job->number;
    enum lsig_status status = change_counter(job, records);
    if (status == LSIG_OK && (job->number > LSIG_COUNTER_MAX || job->number < -LSIG_COUNTER_MAX)) {
        job->number = -by;
        status = change_counter(job, records);
        return status == LSIG_OK ? LSIG_TOO_BIG : status;
    }
    return status;
}

static void run_incr(struct lsig_document_job *job, struct lsig_sqlite_records *records)
{
    write_through(job, records, change_counter_within_bounds);
}

void lsig_sqlite_documents_run(struct lsig_store_job *base, void *records)
{
    struct lsig_document_job *job = (struct lsig_document_job *)base;
    static void (*const runs[])(struct lsig_document_job * job,
                                struct lsig_sqlite_records * records) = {
        [LSIG_JOB_GET] = run_get,   [LSIG_JOB_PUT] = run_put,     [LSIG_JOB_REMOVE] = run_remove,
        [LSIG_JOB_LIST] = run_list, [LSIG_JOB_COUNT] = run_count, [LSIG_JOB_INCR] = run_incr,
    };
    runs[job->kind](job, records);
}
