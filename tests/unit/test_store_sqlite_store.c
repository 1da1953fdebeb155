#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "store/sqlite_store.h"

enum { DEADLINE_MS = 60000, NOW = 1800000000 };

struct fixture {
    char root[64];
    char data[96];
    char file[128];
    uv_loop_t loop;
    uv_timer_t deadline;
    struct lsig_sqlite_store *store;
    struct lsig_account_store accounts;
    bool freed;
    int done;
    enum lsig_status status; // of the last call
    struct lsig_account account;
    bool has_account;
    int statuses[LSIG_STATUS_COUNT];
    pthread_t loop_thread;
};

static void on_deadline(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("nothing came within the deadline");
}

static void open_store(struct fixture *fixture)
{
    char error[LSIG_SQLITE_STORE_ERROR_SIZE];
    if (lsig_sqlite_store_open(&fixture->store, &fixture->loop, fixture->data, error) != LSIG_OK) {
        fail_msg("%s", error);
    }
    fixture->accounts = lsig_sqlite_store_accounts(fixture->store);
}

static void on_freed(void *arg)
{
    *(bool *)arg = true;
}

static void free_store(struct fixture *fixture)
{
    fixture->freed = false;
    lsig_sqlite_store_free(fixture->store, on_freed, &fixture->freed);
    fixture->store = NULL;
    while (!fixture->freed) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
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
    fixture->loop_thread = pthread_self();
    open_store(fixture);
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
    free(fixture);
    return result;
}

static void on_done(void *arg, enum lsig_status status, const struct lsig_account *account)
{
    struct fixture *fixture = arg;
    assert_true(pthread_equal(pthread_self(), fixture->loop_thread));
    fixture->done++;
    fixture->status = status;
    fixture->statuses[status]++;
    fixture->has_account = account != NULL;
    if (account != NULL) {
        fixture->account = *account;
    }
}

static enum lsig_status wait_for(struct fixture *fixture, enum lsig_status accepted)
{
    assert_int_equal(accepted, LSIG_OK);
    int before = fixture->done;
    while (fixture->done == before) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    return fixture->status;
}

static struct lsig_account_call call_of(struct fixture *fixture)
{
    return (struct lsig_account_call){on_done, fixture};
}

static struct lsig_account account_of(const char *username, const char *email)
{
    struct lsig_account account = {
        .created_at = NOW, .is_active = true, .is_verified = false, .role = "user"};
    snprintf(account.username, sizeof(account.username), "%s", username);
    snprintf(account.email, sizeof(account.email), "%s", email);
    snprintf(account.hashed_password, sizeof(account.hashed_password), "$2b$hash-of-%s", username);
    return account;
}

static enum lsig_status create(struct fixture *fixture, const char *username, const char *email)
{
    struct lsig_account account = account_of(username, email);
    struct lsig_account_store *store = &fixture->accounts;
    return wait_for(fixture, store->create(store->self, &account, call_of(fixture)));
}

static enum lsig_status find(struct fixture *fixture, const char *name)
{
    struct lsig_account_store *store = &fixture->accounts;
    return wait_for(fixture, store->find(store->self, lsig_span_of(name), call_of(fixture)));
}

static void an_account_is_found_by_name_and_by_email_as_it_was_created(void **state)
{
    struct fixture *fixture = *state;
    struct lsig_account account = account_of("ann", "ann@example.org");
    account.is_verified = true;
    account.failed_login_attempts = 2;
    account.locked_until = NOW + 5;
    account.last_login = NOW - 5;
    account.token_version = 9;
    struct lsig_account_store *store = &fixture->accounts;
    assert_int_equal(wait_for(fixture, store->create(store->self, &account, call_of(fixture))),
                     LSIG_OK);
    const char *names[] = {"ann", "ann@example.org"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(find(fixture, names[i]), LSIG_OK);
        assert_true(fixture->has_account);
        assert_string_equal(fixture->account.username, "ann");
        assert_string_equal(fixture->account.email, "ann@example.org");
        assert_string_equal(fixture->account.hashed_password, "$2b$hash-of-ann");
        assert_string_equal(fixture->account.role, "user");
        assert_int_equal(fixture->account.created_at, NOW);
        assert_true(fixture->account.is_active);
        assert_true(fixture->account.is_verified);
        assert_int_equal(fixture->account.failed_login_attempts, 2);
        assert_int_equal(fixture->account.locked_until, NOW + 5);
        assert_int_equal(fixture->account.last_login, NOW - 5);
        assert_int_equal(fixture->account.token_version, 9);
    }
}

static void unknown_and_impossible_names_are_not_found(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(create(fixture, "ann", "ann@example.org"), LSIG_OK);
    const char *names[] = {"bob", "", "ann@", "ANN", "ann' OR '1'='1", "%", "ann@example.org@"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(find(fixture, names[i]), LSIG_NOT_FOUND);
        assert_false(fixture->has_account);
    }
    char big[1000];
    memset(big, 'a', sizeof(big));
    struct lsig_account_store *store = &fixture->accounts;
    struct lsig_span spans[] = {{big, sizeof(big)}, {"ann\0", 4}, {NULL, 0}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(wait_for(fixture, store->find(store->self, spans[i], call_of(fixture))),
                         LSIG_NOT_FOUND);
    }
}

static void a_taken_name_or_email_creates_nothing(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(create(fixture, "ann", "ann@example.org"), LSIG_OK);
    assert_int_equal(create(fixture, "ann", "other@example.org"), LSIG_EXISTS);
    assert_int_equal(create(fixture, "other", "ann@example.org"), LSIG_EXISTS);
    assert_int_equal(find(fixture, "other"), LSIG_NOT_FOUND);
    assert_int_equal(find(fixture, "other@example.org"), LSIG_NOT_FOUND);
    assert_int_equal(fixture->accounts.ping(fixture->accounts.self), LSIG_OK);
}

static void failures_are_counted_until_a_login(void **state)
{
    struct fixture *fixture = *state;
    struct lsig_account_store *store = &fixture->accounts;
    assert_int_equal(create(fixture, "ann", "ann@example.org"), LSIG_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            wait_for(fixture, store->add_failure(store->self, "ann", call_of(fixture))), LSIG_OK);
    }
    assert_int_equal(find(fixture, "ann"), LSIG_OK);
    assert_int_equal(fixture->account.failed_login_attempts, 3);
    assert_int_equal(fixture->account.locked_until, 0);
    assert_int_equal(
        wait_for(fixture, store->add_login(store->self, "ann", NOW + 7, call_of(fixture))),
        LSIG_OK);
    assert_int_equal(find(fixture, "ann"), LSIG_OK);
    assert_int_equal(fixture->account.failed_login_attempts, 0);
    assert_int_equal(fixture->account.last_login, NOW + 7);
    assert_int_equal(wait_for(fixture, store->add_failure(store->self, "bob", call_of(fixture))),
                     LSIG_NOT_FOUND);
    assert_int_equal(wait_for(fixture, store->add_login(store->self, "bob", NOW, call_of(fixture))),
                     LSIG_NOT_FOUND);
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

static enum lsig_status
save(struct fixture *fixture, const char *username, int n, int64_t created_at)
{
    struct lsig_refresh_token token = {
        .family = "f", .created_at = created_at, .expires_at = created_at + 100};
    snprintf(token.username, sizeof(token.username), "%s", username);
    memcpy(token.hash, &n, sizeof(n));
    struct lsig_account_store *store = &fixture->accounts;
    return wait_for(fixture, store->save_refresh_token(store->self, &token, call_of(fixture)));
}

static void refresh_tokens_belong_to_accounts_and_go_when_they_expire(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(create(fixture, "ann", "ann@example.org"), LSIG_OK);
    assert_int_equal(save(fixture, "bob", 1, NOW), LSIG_NOT_FOUND);
    assert_int_equal(save(fixture, "ann", 1, NOW), LSIG_OK);
    assert_int_equal(save(fixture, "ann", 2, NOW + 99), LSIG_OK);
    assert_int_equal(query(fixture, "SELECT count(*) FROM refresh_tokens"), 2);
    assert_int_equal(save(fixture, "ann", 3, NOW + 100), LSIG_OK);
    assert_int_equal(query(fixture, "SELECT count(*) FROM refresh_tokens"), 2);
    assert_int_equal(query(fixture, "SELECT length(hash) FROM refresh_tokens"), 32);
    assert_int_equal(save(fixture, "ann", 3, NOW + 101), LSIG_INTERNAL_ERROR); // the same hash
    assert_int_equal(save(fixture, "ann", 4, NOW + 101), LSIG_OK);
}

static void an_account_keeps_its_newest_100_refresh_tokens(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(create(fixture, "ann", "ann@example.org"), LSIG_OK);
    assert_int_equal(create(fixture, "bob", "bob@example.org"), LSIG_OK);
    assert_int_equal(save(fixture, "bob", 1000, NOW - 1), LSIG_OK);
    for (int i = 0; i < 105; i++) {
        assert_int_equal(save(fixture, "ann", i, NOW), LSIG_OK);
    }
    assert_int_equal(query(fixture, "SELECT count(*) FROM refresh_tokens WHERE username = 'ann'"),
                     100);
    assert_int_equal(query(fixture, "SELECT count(*) FROM refresh_tokens WHERE username = 'bob'"),
                     1);
    assert_int_equal(
        query(fixture, "SELECT count(*) FROM refresh_tokens WHERE substr(hash, 1, 1) = x'68'"),
        1); // the last one, 104
}

static void folder_and_files_are_private(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(create(fixture, "ann", "ann@example.org"), LSIG_OK);
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

static void accounts_are_still_there_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(create(fixture, "ann", "ann@example.org"), LSIG_OK);
    free_store(fixture);
    open_store(fixture);
    assert_int_equal(find(fixture, "ann"), LSIG_OK);
}

static void calls_take_effect_in_order_and_free_lets_them_end(void **state)
{
    struct fixture *fixture = *state;
    struct lsig_account_store *store = &fixture->accounts;
    struct lsig_account account = account_of("ann", "ann@example.org");
    assert_int_equal(store->create(store->self, &account, call_of(fixture)), LSIG_OK);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(store->add_failure(store->self, "ann", call_of(fixture)), LSIG_OK);
    }
    assert_int_equal(store->find(store->self, lsig_span_of("ann"), call_of(fixture)), LSIG_OK);
    assert_int_equal(fixture->done, 0);
    free_store(fixture);
    assert_int_equal(fixture->done, 52);
    assert_int_equal(fixture->account.failed_login_attempts, 50);
}

static void nothing_is_accepted_once_free_has_begun(void **state)
{
    struct fixture *fixture = *state;
    struct lsig_account_store *store = &fixture->accounts;
    assert_int_equal(store->find(store->self, lsig_span_of("ann"), call_of(fixture)), LSIG_OK);
    fixture->freed = false;
    lsig_sqlite_store_free(fixture->store, on_freed, &fixture->freed);
    fixture->store = NULL;
    struct lsig_account account = account_of("ann", "ann@example.org");
    struct lsig_refresh_token token = {.family = "f"};
    assert_int_equal(store->find(store->self, lsig_span_of("ann"), call_of(fixture)),
                     LSIG_DRAINING);
    assert_int_equal(store->create(store->self, &account, call_of(fixture)), LSIG_DRAINING);
    assert_int_equal(store->add_failure(store->self, "ann", call_of(fixture)), LSIG_DRAINING);
    assert_int_equal(store->add_login(store->self, "ann", NOW, call_of(fixture)), LSIG_DRAINING);
    assert_int_equal(store->save_refresh_token(store->self, &token, call_of(fixture)),
                     LSIG_DRAINING);
    while (!fixture->freed) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_int_equal(fixture->done, 1);
}

static void above_1024_jobs_it_is_busy(void **state)
{
    struct fixture *fixture = *state;
    struct lsig_account_store *store = &fixture->accounts;
    int accepted = 0;
    while (store->find(store->self, lsig_span_of("ann"), call_of(fixture)) == LSIG_OK) {
        accepted++;
    }
    assert_int_equal(accepted, LSIG_ACCOUNT_WAITING_MAX + 1); // and the one that runs
    assert_int_equal(store->find(store->self, lsig_span_of("ann"), call_of(fixture)), LSIG_BUSY);
    while (fixture->done < accepted) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_int_equal(fixture->statuses[LSIG_NOT_FOUND], accepted);
    assert_int_equal(find(fixture, "ann"), LSIG_NOT_FOUND);
}

static void a_failing_database_is_an_internal_error_that_ping_reports_until_it_works(void **state)
{
    struct fixture *fixture = *state;
    struct lsig_account_store *store = &fixture->accounts;
    assert_int_equal(store->ping(store->self), LSIG_OK);
    assert_int_equal(query(fixture, "ALTER TABLE accounts RENAME TO hidden"), -1);
    assert_int_equal(find(fixture, "ann"), LSIG_INTERNAL_ERROR);
    assert_int_equal(store->ping(store->self), LSIG_INTERNAL_ERROR);
    assert_int_equal(query(fixture, "ALTER TABLE hidden RENAME TO accounts"), -1);
    assert_int_equal(find(fixture, "ann"), LSIG_NOT_FOUND);
    assert_int_equal(store->ping(store->self), LSIG_OK);
}

static void a_call_without_a_callback_is_done_all_the_same(void **state)
{
    struct fixture *fixture = *state;
    struct lsig_account_store *store = &fixture->accounts;
    assert_int_equal(create(fixture, "ann", "ann@example.org"), LSIG_OK);
    assert_int_equal(store->add_failure(store->self, "ann", (struct lsig_account_call){NULL, NULL}),
                     LSIG_OK);
    assert_int_equal(find(fixture, "ann"), LSIG_OK);
    assert_int_equal(fixture->account.failed_login_attempts, 1);
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
        TEST(an_account_is_found_by_name_and_by_email_as_it_was_created),
        TEST(unknown_and_impossible_names_are_not_found),
        TEST(a_taken_name_or_email_creates_nothing),
        TEST(failures_are_counted_until_a_login),
        TEST(refresh_tokens_belong_to_accounts_and_go_when_they_expire),
        TEST(an_account_keeps_its_newest_100_refresh_tokens),
        TEST(folder_and_files_are_private),
        TEST(accounts_are_still_there_after_a_restart),
        TEST(calls_take_effect_in_order_and_free_lets_them_end),
        TEST(nothing_is_accepted_once_free_has_begun),
        TEST(above_1024_jobs_it_is_busy),
        TEST(a_failing_database_is_an_internal_error_that_ping_reports_until_it_works),
        TEST(a_call_without_a_callback_is_done_all_the_same),
        TEST(a_file_of_a_newer_version_is_refused),
        TEST(a_file_that_is_no_database_is_refused_by_name),
        TEST(a_folder_that_cannot_be_made_is_refused_by_name),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
