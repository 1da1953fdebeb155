#include "document_rules.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "store/sqlite_documents.h"
#include "store/sqlite_store.h"

enum { DEADLINE_MS = 60000 };

struct fixture {
    struct document_rules rules; // first
    char root[64];
    char data[96];
    char file[128];
    uv_loop_t loop;
    uv_timer_t deadline;
    struct lsig_sqlite_store *store;
    struct lsig_account_store accounts;
    bool freed;
    int accounts_done;
    int documents_done_before; // when the first account call was answered
};

static void on_deadline(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("nothing came within the deadline");
}

static void turn(struct document_rules *rules)
{
    uv_run(&((struct fixture *)rules)->loop, UV_RUN_ONCE);
}

static void open_store(struct fixture *f)
{
    char error[LSIG_SQLITE_STORE_ERROR_SIZE];
    if (lsig_sqlite_store_open(&f->store, &f->loop, f->data, error) != LSIG_OK) {
        fail_msg("%s", error);
    }
    f->rules.store = lsig_sqlite_store_documents(f->store);
    f->accounts = lsig_sqlite_store_accounts(f->store);
}

static void on_freed(void *arg)
{
    *(bool *)arg = true;
}

static void free_store(struct fixture *f)
{
    f->freed = false;
    lsig_sqlite_store_free(f->store, on_freed, &f->freed);
    f->store = NULL;
    while (!f->freed) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
}

static void reopen(struct document_rules *rules)
{
    struct fixture *f = (struct fixture *)rules;
    free_store(f);
    open_store(f);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    snprintf(f->root, sizeof(f->root), "/tmp/lsig-documents-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    snprintf(f->data, sizeof(f->data), "%s/data", f->root);
    snprintf(f->file, sizeof(f->file), "%s/lunasig.db", f->data);
    uv_loop_init(&f->loop);
    uv_timer_init(&f->loop, &f->deadline);
    uv_timer_start(&f->deadline, on_deadline, DEADLINE_MS, 0);
    uv_unref((uv_handle_t *)&f->deadline);
    f->rules.turn = turn;
    f->rules.reopen = reopen;
    open_store(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->store != NULL) {
        free_store(f);
    }
    uv_close((uv_handle_t *)&f->deadline, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    int result = uv_loop_close(&f->loop);
    (void)unlink(f->file);
    (void)rmdir(f->data);
    result |= rmdir(f->root);
    rules_clear(&f->rules);
    free(f);
    return result;
}

// What a second connection sees, as another process would. -1: no row.
static int64_t query(const struct fixture *f, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(f->file, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 2000);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    int64_t number =
        sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

static void expired_ones_are_removed_a_few_with_each_write(void **state)
{
    enum { OLD = 2 * LSIG_SQLITE_SWEEP_MAX + 1 };
    struct fixture *f = *state;
    char sql[400];
    snprintf(sql, sizeof(sql),
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
             "INSERT INTO documents SELECT 'notes', CAST(i AS BLOB), '{}', 0, %d + i FROM n",
             OLD, RULES_NOW - 500);
    query(f, sql);
    query(f, "INSERT INTO counters VALUES ('notes', x'41', 1, 5)");
    assert_int_equal(query(f, "SELECT count(*) FROM documents"), OLD);
    assert_int_equal(rules_put(&f->rules, "k", "{}"), LSIG_OK);
    assert_int_equal(query(f, "SELECT count(*) FROM documents"), OLD - LSIG_SQLITE_SWEEP_MAX + 1);
    assert_int_equal(query(f, "SELECT count(*) FROM counters"), 0);
    assert_int_equal(rules_incr(&f->rules, "c", 1), LSIG_OK);
    assert_int_equal(rules_incr(&f->rules, "c", 1), LSIG_OK);
    assert_int_equal(query(f, "SELECT count(*) FROM documents"), 1);
}

static void the_sweep_needs_no_walk_through_all_documents(void **state)
{
    struct fixture *f = *state;
    static const char *const tables[] = {"documents", "counters"};
    for (size_t i = 0; i < 2; i++) {
        char sql[300];
        sqlite3 *db = NULL;
        sqlite3_stmt *statement = NULL;
        snprintf(sql, sizeof(sql),
                 "EXPLAIN QUERY PLAN SELECT rowid FROM %s WHERE expires_at > 0 AND "
                 "expires_at <= 5 ORDER BY expires_at LIMIT 16",
                 tables[i]);
        assert_int_equal(sqlite3_open(f->file, &db), SQLITE_OK);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        assert_non_null(strstr((const char *)sqlite3_column_text(statement, 3), "_by_end"));
        sqlite3_finalize(statement);
        sqlite3_close(db);
    }
}

static void a_failing_database_is_told_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(rules_put(&f->rules, "k", "1"), LSIG_OK);
    query(f, "ALTER TABLE counters RENAME TO hidden");
    assert_int_equal(rules_put(&f->rules, "k", "2"), LSIG_INTERNAL_ERROR); // the sweep fails
    assert_int_equal(rules_incr(&f->rules, "k", 1), LSIG_INTERNAL_ERROR);
    query(f, "ALTER TABLE hidden RENAME TO counters");
    assert_int_equal(rules_get(&f->rules, "k", RULES_NOW), LSIG_OK);
    assert_string_equal(f->rules.json, "1");
}

// ---- groups ----

enum { GROUPED = 40 }; // more than a group has

// Calls made at once: the first runs alone, and the others wait meanwhile.
struct group {
    struct fixture *f;
    int done;
    enum lsig_status statuses[GROUPED]; // in the order of their ends, which is that of the calls
    int64_t ahead_max;                  // documents in the file that nobody has been told of yet
};

static void
on_grouped(void *arg, enum lsig_status status, const struct lsig_document_outcome *outcome)
{
    struct group *group = arg;
    assert_int_equal(outcome->error != NULL, status == LSIG_INTERNAL_ERROR);
    group->statuses[group->done++] = status;
    int64_t ahead = query(group->f, "SELECT count(*) FROM documents") - group->done;
    group->ahead_max = ahead > group->ahead_max ? ahead : group->ahead_max;
}

// Documents "0", "1", "2" …
static void put_at_once(struct group *group, int count)
{
    struct lsig_document_store *store = &group->f->rules.store;
    struct lsig_document_write write = {.json = lsig_span_of("1")};
    for (int i = 0; i < count; i++) {
        char key = (char)('0' + i);
        struct lsig_document_name name = {lsig_span_of("notes"), {&key, 1}, RULES_NOW};
        store->put(store->self, &name, &write, (struct lsig_document_call){on_grouped, group});
    }
    while (group->done < count) {
        turn(&group->f->rules);
    }
}

static void what_waits_is_written_together_and_told_when_it_is(void **state)
{
    struct group group = {.f = *state};
    put_at_once(&group, GROUPED);
    for (int i = 0; i < GROUPED; i++) {
        assert_int_equal(group.statuses[i], LSIG_OK);
    }
    assert_true(group.ahead_max > 1); // one at a time: the one that runs meanwhile
    assert_int_equal(query(group.f, "SELECT count(*) FROM documents"), GROUPED);
}

static void one_of_them_that_fails_takes_nothing_of_the_others_with_it(void **state)
{
    struct group group = {.f = *state};
    query(group.f, "CREATE TRIGGER fails AFTER INSERT ON documents WHEN new.key = x'32' BEGIN "
                   "SELECT raise(FAIL, 'not this one'); END"); // which leaves the row there
    put_at_once(&group, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(group.statuses[i], i == 2 ? LSIG_INTERNAL_ERROR : LSIG_OK);
    }
    assert_int_equal(query(group.f, "SELECT count(*) FROM documents"), 4);
    assert_int_equal(query(group.f, "SELECT count(*) FROM documents WHERE key = x'32'"), 0);
}

static void those_for_whom_the_time_of_a_group_does_not_suffice_come_next(void **state)
{
    struct group group = {.f = *state};
    query(group.f, "CREATE TRIGGER slow AFTER INSERT ON documents WHEN new.key = x'32' BEGIN "
                   "SELECT (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
                   "i < 200000) SELECT max(i) FROM n); END");
    query(group.f, "CREATE TRIGGER fails AFTER INSERT ON documents WHEN new.key = x'34' BEGIN "
                   "SELECT raise(ABORT, 'not this one'); END");
    put_at_once(&group, GROUPED);
    for (int i = 0; i < GROUPED; i++) { // also: in their order
        assert_int_equal(group.statuses[i], i == 4 ? LSIG_INTERNAL_ERROR : LSIG_OK);
    }
    assert_int_equal(query(group.f, "SELECT count(*) FROM documents"), GROUPED - 1);
}

static void a_group_that_is_rolled_back_is_told_to_all_of_it(void **state)
{
    struct group group = {.f = *state};
    query(group.f, "CREATE TRIGGER fails AFTER INSERT ON documents WHEN new.key = x'34' BEGIN "
                   "SELECT raise(ROLLBACK, 'as a full disk does'); END");
    put_at_once(&group, 6);
    int good = 0;
    for (int i = 0; i < 6; i++) {
        good += group.statuses[i] == LSIG_OK;
    }
    assert_int_equal(group.statuses[0], LSIG_OK);             // ran alone
    assert_int_equal(group.statuses[4], LSIG_INTERNAL_ERROR); // this one did it
    assert_int_equal(query(group.f, "SELECT count(*) FROM documents"), good);
    query(group.f, "DROP TRIGGER fails");
    assert_int_equal(rules_put(&group.f->rules, "4", "1"), LSIG_OK);
}

static void on_account(void *arg, enum lsig_status status, const struct lsig_account *account)
{
    struct fixture *f = arg;
    (void)account;
    assert_int_equal(status, LSIG_NOT_FOUND);
    if (f->accounts_done++ == 0) {
        f->documents_done_before = f->rules.done;
    }
}

static void a_login_does_not_wait_for_the_documents_before_it(void **state)
{
    enum { DOCUMENTS = 500 };
    struct fixture *f = *state;
    struct lsig_document_store *store = &f->rules.store;
    struct lsig_document_name name = {lsig_span_of("notes"), lsig_span_of("k"), RULES_NOW};
    for (int i = 0; i < DOCUMENTS; i++) {
        store->get(store->self, &name, (struct lsig_document_call){rules_on_done, &f->rules});
    }
    struct lsig_account_call call = {on_account, f};
    assert_int_equal(f->accounts.find(f->accounts.self, lsig_span_of("ann"), call), LSIG_OK);
    while (f->rules.done < DOCUMENTS || f->accounts_done < 1) {
        turn(&f->rules);
    }
    assert_in_range(f->documents_done_before, 0, 2);
}

static void documents_do_not_wait_for_the_logins_before_them(void **state)
{
    enum { LOGINS = 500 };
    struct fixture *f = *state;
    struct lsig_account_call call = {on_account, f};
    for (int i = 0; i < LOGINS; i++) {
        assert_int_equal(f->accounts.find(f->accounts.self, lsig_span_of("ann"), call), LSIG_OK);
    }
    assert_int_equal(rules_put(&f->rules, "k", "1"), LSIG_OK);
    assert_in_range(f->accounts_done, 0, 3);
    while (f->accounts_done < LOGINS) {
        turn(&f->rules);
    }
}

static void once_free_has_begun_nothing_more_is_taken_and_what_waits_ends(void **state)
{
    struct fixture *f = *state;
    struct lsig_document_store *store = &f->rules.store;
    struct lsig_document_name name = {lsig_span_of("notes"), lsig_span_of("k"), RULES_NOW};
    for (int i = 0; i < 10; i++) {
        store->get(store->self, &name, (struct lsig_document_call){rules_on_done, &f->rules});
    }
    f->freed = false;
    lsig_sqlite_store_free(f->store, on_freed, &f->freed);
    f->store = NULL;
    assert_int_equal(store->ready(store->self), LSIG_DRAINING);
    while (!f->freed) {
        turn(&f->rules);
    }
    assert_int_equal(f->rules.done, 10);
}

static void a_file_of_the_version_before_gets_the_new_tables(void **state)
{
    struct fixture *f = *state;
    free_store(f);
    query(f, "DROP TABLE documents");
    query(f, "DROP TABLE counters");
    query(f, "PRAGMA user_version = 2");
    open_store(f);
    assert_int_equal(query(f, "PRAGMA user_version"), 3);
    assert_int_equal(rules_put(&f->rules, "k", "1"), LSIG_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
#define X(name) TEST(name),
        DOCUMENT_RULES(X)
#undef X
            TEST(expired_ones_are_removed_a_few_with_each_write),
        TEST(the_sweep_needs_no_walk_through_all_documents),
        TEST(a_failing_database_is_told_and_changes_nothing),
        TEST(what_waits_is_written_together_and_told_when_it_is),
        TEST(one_of_them_that_fails_takes_nothing_of_the_others_with_it),
        TEST(those_for_whom_the_time_of_a_group_does_not_suffice_come_next),
        TEST(a_group_that_is_rolled_back_is_told_to_all_of_it),
        TEST(a_login_does_not_wait_for_the_documents_before_it),
        TEST(documents_do_not_wait_for_the_logins_before_them),
        TEST(once_free_has_begun_nothing_more_is_taken_and_what_waits_ends),
        TEST(a_file_of_the_version_before_gets_the_new_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
