#include "account_rules.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "store/sqlite_store.h"

enum { DEADLINE_MS = 60000, NOW = ACCOUNT_NOW };

struct fixture {
    struct account_rules rules; // first
    char root[64];
    char data[96];
    char file[128];
    uv_loop_t loop;
    uv_timer_t deadline;
    struct lsig_sqlite_store *store;
    bool freed;
};

static void on_deadline(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("nothing came within the deadline");
}

static void turn(struct account_rules *rules)
{
    uv_run(&((struct fixture *)rules)->loop, UV_RUN_ONCE);
}

static void open_store(struct account_rules *rules)
{
    struct fixture *fixture = (struct fixture *)rules;
    char error[LSIG_SQLITE_STORE_ERROR_SIZE];
    if (lsig_sqlite_store_open(&fixture->store, &fixture->loop, fixture->data, error) != LSIG_OK) {
        fail_msg("%s", error);
    }
    rules->store = lsig_sqlite_store_accounts(fixture->store);
}

static void on_freed(void *arg)
{
    *(bool *)arg = true;
}

static void begin_free(struct account_rules *rules)
{
    struct fixture *fixture = (struct fixture *)rules;
    fixture->freed = false;
    lsig_sqlite_store_free(fixture->store, on_freed, &fixture->freed);
    fixture->store = NULL;
}

static void end_free(struct account_rules *rules)
{
    while (!((struct fixture *)rules)->freed) {
        turn(rules);
    }
}

static void free_store(struct fixture *fixture)
{
    begin_free(&fixture->rules);
    end_free(&fixture->rules);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    snprintf(fixture->root, sizeof(fixture->root), "/tmp/lsig-store-XXXXXX");
    assert_non_null(mkdtemp(fixture->root));
    snprintf(fixture->data, sizeof(fixture->data), "%s/data", fixture->root);
    snprintf(fixture->file, sizeof(fixture->file), "%s/lunasig.db", fixture->data);
    uv_loop_init(&fixture->loop);
    uv_timer_init(&fixture->loop, &fixture->deadline);
    uv_timer_start(&fixture->deadline, on_deadline, DEADLINE_MS, 0);
    uv_unref((uv_handle_t *)&fixture->deadline);
    fixture->rules.loop_thread = pthread_self();
    fixture->rules.turn = turn;
    fixture->rules.begin_free = begin_free;
    fixture->rules.end_free = end_free;
    fixture->rules.open = open_store;
    open_store(&fixture->rules);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->store != NULL) {
        free_store(fixture);
    }
    uv_close((uv_handle_t *)&fixture->deadline, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    int result = uv_loop_close(&fixture->loop);
    (void)unlink(fixture->file);
    (void)rmdir(fixture->data); // fails if the log was not checkpointed and removed
    result |= rmdir(fixture->root);
    account_rules_clear(&fixture->rules);
    free(fixture);
    return result;
}

static int64_t query(struct fixture *fixture, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open_v2(fixture->file, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    int64_t value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

static enum lsig_status save(struct fixture *fixture, int n, int64_t created_at)
{
    struct lsig_refresh_token token = {
        .username = "ann", .created_at = created_at, .expires_at = created_at + 100};
    snprintf(token.family, sizeof(token.family), "f%d", n);
    memcpy(token.hash, &n, sizeof(n));
    return account_save_token(&fixture->rules, token);
}

static void refresh_tokens_go_when_they_expire(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(account_create(&fixture->rules, "ann", "ann@example.org"), LSIG_OK);
    assert_int_equal(save(fixture, 1, NOW), LSIG_OK);
    assert_int_equal(save(fixture, 2, NOW + 99), LSIG_OK);
    assert_int_equal(query(fixture, "SELECT count(*) FROM refresh_tokens"), 2);
    assert_int_equal(save(fixture, 3, NOW + 100), LSIG_OK);
    assert_int_equal(query(fixture, "SELECT count(*) FROM refresh_tokens"), 2);
    assert_int_equal(query(fixture, "SELECT length(hash) FROM refresh_tokens"), 32);
    assert_int_equal(save(fixture, 3, NOW + 101), LSIG_INTERNAL_ERROR); // the same hash
    assert_int_equal(save(fixture, 4, NOW + 101), LSIG_OK);
}

static void folder_and_files_are_private(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(account_create(&fixture->rules, "ann", "ann@example.org"), LSIG_OK);
    struct stat info;
    assert_int_equal(stat(fixture->data, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    char path[160];
    const char *suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s%s", fixture->file, suffixes[i]);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
}

static void a_failing_database_is_an_internal_error_that_ping_reports_until_it_works(void **state)
{
    struct fixture *fixture = *state;
    struct lsig_account_store *store = &fixture->rules.store;
    assert_int_equal(store->ping(store->self), LSIG_OK);
    assert_int_equal(query(fixture, "ALTER TABLE accounts RENAME TO hidden"), -1);
    assert_int_equal(account_find(&fixture->rules, "ann"), LSIG_INTERNAL_ERROR);
    assert_int_equal(store->ping(store->self), LSIG_INTERNAL_ERROR);
    assert_int_equal(query(fixture, "ALTER TABLE hidden RENAME TO accounts"), -1);
    assert_int_equal(account_find(&fixture->rules, "ann"), LSIG_NOT_FOUND);
    assert_int_equal(store->ping(store->self), LSIG_OK);
}

static void open_fails(struct fixture *fixture, const char *data_dir, const char *expected)
{
    char error[LSIG_SQLITE_STORE_ERROR_SIZE];
    struct lsig_sqlite_store *store = (struct lsig_sqlite_store *)fixture;
    assert_int_equal(lsig_sqlite_store_open(&store, &fixture->loop, data_dir, error),
                     LSIG_INTERNAL_ERROR);
    assert_null(store);
    if (strstr(error, expected) == NULL) {
        fail_msg("%s", error);
    }
}

static void a_file_of_a_newer_version_is_refused(void **state)
{
    struct fixture *fixture = *state;
    free_store(fixture);
    assert_int_equal(query(fixture, "PRAGMA user_version = 99"), -1);
    open_fails(fixture, fixture->data, "newer version");
    assert_int_equal(query(fixture, "PRAGMA user_version = 3"), -1);
    assert_int_equal(query(fixture, "PRAGMA journal_mode = DELETE"), 0);
}

static void a_file_that_is_no_database_is_refused_by_name(void **state)
{
    struct fixture *fixture = *state;
    free_store(fixture);
    FILE *file = fopen(fixture->file, "w");
    for (int i = 0; i < 200; i++) {
        fputs("this is no database at all\n", file);
    }
    fclose(file);
    open_fails(fixture, fixture->data, fixture->file);
}

static void a_folder_that_cannot_be_made_is_refused_by_name(void **state)
{
    struct fixture *fixture = *state;
    char deep[160];
    snprintf(deep, sizeof(deep), "%s/no/such", fixture->root);
    open_fails(fixture, deep, deep);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
#define X(name) TEST(name),
        ACCOUNT_RULES(X)
#undef X
            TEST(refresh_tokens_go_when_they_expire),
        TEST(folder_and_files_are_private),
        TEST(a_failing_database_is_an_internal_error_that_ping_reports_until_it_works),
        TEST(a_file_of_a_newer_version_is_refused),
        TEST(a_file_that_is_no_database_is_refused_by_name),
        TEST(a_folder_that_cannot_be_made_is_refused_by_name),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
