#include "store/sqlite_documents.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/sqlite_database.h"
#include "store/sqlite_queue.h"

// What a call is about, and what it has come to. Texts lie behind the struct.
struct job {
    struct lsig_sqlite_job base; // first
    struct lsig_document_call call;
    struct lsig_span collection;
    struct lsig_span key;    // of list: the first one
    struct lsig_span behind; // of list: the first one that is too far
    struct lsig_span json;
    size_t limit;
    int64_t now_ms;
    int64_t expires_ms;
    int64_t number; // of incr: by how much, then the outcome
    bool if_absent;
    struct lsig_document *found; // each with texts of its own
    size_t found_count;
    char texts[];
};

// ---- on a thread of the pool ----

// Parameters 1 to 3 of all statements that speak of one name.
static void
bind_name(struct lsig_sqlite_records *records, enum lsig_sqlite_statement which, struct job *job)
{
    sqlite3_stmt *statement = records->statements[which];
    sqlite3_bind_text(statement, 1, job->collection.data, (int)job->collection.len, SQLITE_STATIC);
    sqlite3_bind_blob(statement, 2, job->key.data, (int)job->key.len, SQLITE_STATIC);
    if (sqlite3_bind_parameter_count(statement) >= 3) {
        sqlite3_bind_int64(statement, 3, job->now_ms);
    }
}

static struct lsig_span copy_column(sqlite3_stmt *row, int column)
{
    const void *bytes = sqlite3_column_blob(row, column); // of a text: its bytes
    size_t len = (size_t)sqlite3_column_bytes(row, column);
    return (struct lsig_span){lsig_strndup(bytes != NULL ? bytes : "", len), len};
}

static void run_get(struct lsig_sqlite_job *base, struct lsig_sqlite_records *records)
{
    struct job *job = (struct job *)base;
    bind_name(records, LSIG_SQLITE_GET_DOCUMENT, job);
    int result = lsig_sqlite_database_step(records, LSIG_SQLITE_GET_DOCUMENT);
    if (result == SQLITE_ROW) {
        job->found = lsig_alloc(sizeof(*job->found));
        job->found[0].json = copy_column(records->statements[LSIG_SQLITE_GET_DOCUMENT], 0);
        job->found[0].key =
            (struct lsig_span){lsig_strndup(job->key.data, job->key.len), job->key.len};
        job->found_count = 1;
    }
    lsig_sqlite_database_reset(records, LSIG_SQLITE_GET_DOCUMENT);
    base->status = result == SQLITE_ROW    ? LSIG_OK
                   : result == SQLITE_DONE ? LSIG_NOT_FOUND
                                           : LSIG_INTERNAL_ERROR;
}

static void run_list(struct lsig_sqlite_job *base, struct lsig_sqlite_records *records)
{
    struct job *job = (struct job *)base;
    sqlite3_stmt *statement = records->statements[LSIG_SQLITE_LIST_DOCUMENTS];
    size_t bytes = 0;
    int result;
    bind_name(records, LSIG_SQLITE_LIST_DOCUMENTS, job);
    sqlite3_bind_blob(statement, 4, job->behind.data, (int)job->behind.len, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 5, (int64_t)job->limit);
    job->found = lsig_alloc(job->limit * sizeof(*job->found));
    while ((result = lsig_sqlite_database_step(records, LSIG_SQLITE_LIST_DOCUMENTS)) ==
           SQLITE_ROW) {
        size_t len = (size_t)sqlite3_column_bytes(statement, 1);
        if (job->found_count > 0 && bytes + len > LSIG_DOCUMENT_LIST_BYTES_MAX) {
            result = SQLITE_DONE;
            break;
        }
        bytes += len;
        struct lsig_document *document = &job->found[job->found_count++];
        document->key = copy_column(statement, 0);
        document->json = copy_column(statement, 1);
    }
    lsig_sqlite_database_reset(records, LSIG_SQLITE_LIST_DOCUMENTS);
    base->status = result == SQLITE_DONE ? LSIG_OK : LSIG_INTERNAL_ERROR;
}

static void run_count(struct lsig_sqlite_job *base, struct lsig_sqlite_records *records)
{
    struct job *job = (struct job *)base;
    bind_name(records, LSIG_SQLITE_COUNT_COUNTER, job);
    int result = lsig_sqlite_database_step(records, LSIG_SQLITE_COUNT_COUNTER);
    if (result == SQLITE_ROW) {
        job->number = sqlite3_column_int64(records->statements[LSIG_SQLITE_COUNT_COUNTER], 0);
    }
    lsig_sqlite_database_reset(records, LSIG_SQLITE_COUNT_COUNTER);
    base->status = result == SQLITE_ROW    ? LSIG_OK
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
static void write_through(struct job *job,
                          struct lsig_sqlite_records *records,
                          enum lsig_status (*change)(struct job *job,
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

static enum lsig_status put_document(struct job *job, struct lsig_sqlite_records *records)
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

static void run_put(struct lsig_sqlite_job *base, struct lsig_sqlite_records *records)
{
    write_through((struct job *)base, records, put_document);
}

// LSIG_NOT_FOUND also for one that has expired.
static enum lsig_status
remove_one(struct job *job, struct lsig_sqlite_records *records, enum lsig_sqlite_statement which)
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

static enum lsig_status remove_both(struct job *job, struct lsig_sqlite_records *records)
{
    enum lsig_status document = remove_one(job, records, LSIG_SQLITE_REMOVE_DOCUMENT);
    if (document == LSIG_INTERNAL_ERROR) {
        return document;
    }
    enum lsig_status counter = remove_one(job, records, LSIG_SQLITE_REMOVE_COUNTER);
    return counter == LSIG_NOT_FOUND ? document : counter;
}

static void run_remove(struct lsig_sqlite_job *base, struct lsig_sqlite_records *records)
{
    write_through((struct job *)base, records, remove_both);
}

static enum lsig_status change_counter(struct job *job, struct lsig_sqlite_records *records)
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
static enum lsig_status change_counter_within_bounds(struct job *job,
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

static void run_incr(struct lsig_sqlite_job *base, struct lsig_sqlite_records *records)
{
    write_through((struct job *)base, records, change_counter_within_bounds);
}

// ---- on the loop's thread ----

static void finish(struct lsig_sqlite_job *base)
{
    struct job *job = (struct job *)base;
    struct lsig_document_outcome outcome = {
        .documents = job->found,
        .count = job->found_count,
        .number = base->status == LSIG_OK ? job->number : 0,
        .error = base->status == LSIG_INTERNAL_ERROR ? base->error : NULL,
    };
    if (job->call.on_done != NULL) {
        job->call.on_done(job->call.arg, base->status, &outcome);
    }
    for (size_t i = 0; i < job->found_count; i++) {
        free((char *)(uintptr_t)job->found[i].key.data);
        free((char *)(uintptr_t)job->found[i].json.data);
    }
    free(job->found);
    free(job);
}

static struct lsig_span copy_text(char **at, struct lsig_span text)
{
    struct lsig_span copy = {*at, text.len};
    if (text.len > 0) {
        memcpy(*at, text.data, text.len);
    }
    *at += text.len;
    return copy;
}

// A job with copies of both texts, and room for `more` bytes behind them from *at on.
static struct job *
job_new(struct lsig_span collection, struct lsig_span key, size_t more, char **at)
{
    struct job *job = lsig_alloc(sizeof(*job) + collection.len + key.len + more);
    *at = job->texts;
    job->base.finish = finish;
    job->collection = copy_text(at, collection);
    job->key = copy_text(at, key);
    return job;
}

static struct job *named_job_new(const struct lsig_document_name *name, size_t more, char **at)
{
    assert(name->collection.len > 0 && name->collection.len <= LSIG_DOCUMENT_COLLECTION_MAX);
    assert(name->key.len > 0 && name->key.len <= LSIG_DOCUMENT_KEY_MAX);
    struct job *job = job_new(name->collection, name->key, more, at);
    job->now_ms = name->now_ms;
    return job;
}

static void add(void *self,
                struct job *job,
                void (*run)(struct lsig_sqlite_job *job, struct lsig_sqlite_records *records),
                struct lsig_document_call call)
{
    job->base.run = run;
    job->call = call;
    lsig_sqlite_queue_add(self, LSIG_SQLITE_DOCUMENTS, &job->base);
}

static enum lsig_status ready(void *self)
{
    return lsig_sqlite_queue_check(self, LSIG_SQLITE_DOCUMENTS, LSIG_DOCUMENT_WAITING_MAX);
}

static void get(void *self, const struct lsig_document_name *name, struct lsig_document_call call)
{
    char *at;
    add(self, named_job_new(name, 0, &at), run_get, call);
}

static void put(void *self,
                const struct lsig_document_name *name,
                const struct lsig_document_write *write,
                struct lsig_document_call call)
{
    assert(write->json.len <= LSIG_DOCUMENT_BYTES_MAX);
    char *at;
    struct job *job = named_job_new(name, write->json.len, &at);
    job->json = copy_text(&at, write->json);
    job->expires_ms = write->expires_ms;
    job->if_absent = write->if_absent;
    add(self, job, run_put, call);
}

static void
remove_name(void *self, const struct lsig_document_name *name, struct lsig_document_call call)
{
    char *at;
    add(self, named_job_new(name, 0, &at), run_remove, call);
}

// The first key that may be in the list: the prefix itself or, when `after` lies behind it, the
// next one after that, which is `after` and a NUL. Behind all of them is the prefix with its last
// byte one higher; no key has the byte 0xff.
static void
list(void *self, const struct lsig_document_query *query, struct lsig_document_call call)
{
    assert(query->limit > 0 && query->limit <= LSIG_DOCUMENT_LIST_MAX);
    assert(query->prefix.len <= LSIG_DOCUMENT_KEY_MAX && query->after.len <= LSIG_DOCUMENT_KEY_MAX);
    char first[LSIG_DOCUMENT_KEY_MAX + 1];
    char behind[LSIG_DOCUMENT_KEY_MAX + 1];
    struct lsig_span from = {first, query->prefix.len};
    struct lsig_span to = {behind, query->prefix.len};
    size_t shared = query->prefix.len < query->after.len ? query->prefix.len : query->after.len;
    int order = shared > 0 ? memcmp(query->after.data, query->prefix.data, shared) : 0;
    if (query->after.len > 0 &&
        (order > 0 || (order == 0 && query->after.len >= query->prefix.len))) {
        memcpy(first, query->after.data, query->after.len);
        first[query->after.len] = '\0';
        from.len = query->after.len + 1;
    } else if (query->prefix.len > 0) {
        memcpy(first, query->prefix.data, query->prefix.len);
    }
    if (query->prefix.len > 0) {
        memcpy(behind, query->prefix.data, query->prefix.len);
        behind[to.len - 1]++;
    } else {
        behind[0] = (char)0xff;
        to.len = 1;
    }
    char *at;
    struct job *job = job_new(query->collection, from, to.len, &at);
    job->behind = copy_text(&at, to);
    job->limit = query->limit;
    job->now_ms = query->now_ms;
    add(self, job, run_list, call);
}

static void count(void *self, const struct lsig_document_name *name, struct lsig_document_call call)
{
    char *at;
    add(self, named_job_new(name, 0, &at), run_count, call);
}

static void incr(void *self,
                 const struct lsig_document_name *name,
                 const struct lsig_counter_change *change,
                 struct lsig_document_call call)
{
    assert(change->by <= LSIG_COUNTER_MAX && change->by >= -LSIG_COUNTER_MAX);
    char *at;
    struct job *job = named_job_new(name, 0, &at);
    job->number = change->by;
    job->expires_ms = change->expires_ms;
    add(self, job, run_incr, call);
}

struct lsig_document_store lsig_sqlite_documents_store(struct lsig_sqlite_queue *queue)
{
    return (struct lsig_document_store){
        .self = queue,
        .ready = ready,
        .get = get,
        .put = put,
        .remove = remove_name,
        .list = list,
        .count = count,
        .incr = incr,
    };
}
