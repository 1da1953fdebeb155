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
#include <unistd.h>

#include "store/sqlite_records.h"

enum { NOW = 1800000000, LIFE = 1000 };

struct fixture {
    char folder[64];
    char file[96];
    struct lsig_sqlite_records *records;
    struct lsig_access_marks marks;
};

static struct lsig_sqlite_records *open_file(const struct fixture *f)
{
    char error[256];
    struct lsig_sqlite_records *records = NULL;
    if (lsig_sqlite_records_open(&records, f->file, error, sizeof(error)) != LSIG_OK) {
        fail_msg("%s", error);
    }
    return records;
}

static void create(struct fixture *f, const char *name)
{
    struct lsig_account account = {.is_active = true, .token_version = 4, .created_at = NOW};
    snprintf(account.username, sizeof(account.username), "%s", name);
    snprintf(account.email, sizeof(account.email), "%s@b.cd", name);
    assert_int_equal(lsig_sqlite_records_create(f->records, &account), LSIG_OK);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    snprintf(f->folder, sizeof(f->folder), "/tmp/lsig-refresh-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->file, sizeof(f->file), "%s/lunasig.db", f->folder);
    f->records = open_file(f);
    create(f, "ann");
    create(f, "bob");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    lsig_sqlite_records_close(f->records);
    free(f->marks.items);
    (void)unlink(f->file);
    int result = rmdir(f->folder);
    free(f);
    return result;
}

static int64_t query(const struct fixture *f, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open_v2(f->file, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    int64_t value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

static struct lsig_refresh_token token_of(const char *user, const char *family, int n, int64_t now)
{
    struct lsig_refresh_token token = {.created_at = now,
                                       .expires_at = now + LIFE,
                                       .token_version = 4,
                                       .access_key = (uint64_t)n + 1000,
                                       .access_end = now + 100};
    snprintf(token.username, sizeof(token.username), "%s", user);
    snprintf(token.family, sizeof(token.family), "%s", family);
    memcpy(token.hash, &n, sizeof(n));
    return token;
}

static void save(struct fixture *f, const char *user, const char *family, int n)
{
    struct lsig_refresh_token token = token_of(user, family, n, NOW);
    assert_int_equal(lsig_sqlite_records_save_refresh_token(f->records, &token), LSIG_OK);
}

static enum lsig_status rotate_at(struct fixture *f, int n, int next_n, int64_t now)
{
    struct lsig_refresh_token old = token_of("", "", n, now);
    struct lsig_refresh_token next = token_of("", "", next_n, now);
    free(f->marks.items);
    f->marks = (struct lsig_access_marks){NULL, 0};
    return lsig_sqlite_records_rotate(f->records, old.hash, &next, &f->marks);
}

static enum lsig_status rotate(struct fixture *f, int n, int next_n)
{
    return rotate_at(f, n, next_n, NOW + 1);
}

static bool is_there(const struct fixture *f, int n)
{
    struct lsig_refresh_token token = token_of("", "", n, NOW + 1);
    struct lsig_account account;
    return lsig_sqlite_records_find_refresh_token(f->records, &token, &account) == LSIG_OK;
}

static void a_rotation_uses_one_up_and_the_next_inherits(void **state)
{
    struct fixture *f = *state;
    save(f, "ann", "f1", 1);
    assert_int_equal(rotate(f, 1, 2), LSIG_OK);
    assert_int_equal(rotate(f, 2, 3), LSIG_OK);
    assert_int_equal(query(f, "SELECT count(*) FROM refresh_tokens WHERE family = 'f1' AND "
                              "username = 'ann' AND token_version = 4"),
                     3);
    assert_int_equal(query(f, "SELECT count(*) FROM refresh_tokens WHERE used_at = 0"), 1);
    assert_int_equal(rotate(f, 9, 10), LSIG_NOT_FOUND);
    assert_int_equal(rotate_at(f, 3, 4, NOW + 1 + LIFE), LSIG_NOT_FOUND); // too old
    assert_int_equal(query(f, "SELECT count(*) FROM refresh_tokens"), 3);
}

static void reuse_removes_the_family_and_keeps_its_access_tokens_as_revoked(void **state)
{
    struct fixture *f = *state;
    save(f, "ann", "f1", 1);
    save(f, "ann", "f2", 50);
    assert_int_equal(rotate(f, 1, 2), LSIG_OK);
    assert_int_equal(rotate(f, 2, 3), LSIG_OK);
    (void)query(f, "UPDATE refresh_tokens SET access_end = 1800000002 WHERE access_key = 1002");
    assert_int_equal(rotate_at(f, 1, 4, NOW + 2), LSIG_TOKEN_INVALID);
    assert_int_equal(f->marks.count, 2); // the access token of 2 has ended
    for (size_t i = 0; i < 2; i++) {
        assert_true(f->marks.items[i].key == 1001 || f->marks.items[i].key == 1003);
        assert_true(f->marks.items[i].end == NOW + 100 || f->marks.items[i].end == NOW + 101);
    }
    for (int n = 1; n <= 4; n++) {
        assert_false(is_there(f, n));
    }
    assert_true(is_there(f, 50));
    assert_int_equal(query(f, "SELECT count(*) FROM revocations WHERE kind = 0 AND name IN "
                              "('00000000000003e9', '00000000000003eb')"),
                     2);
    assert_int_equal(query(f, "SELECT count(*) FROM revocations"), 2);
}

struct contender {
    struct lsig_sqlite_records *records;
    int next;
    enum lsig_status status;
};

static void *contend(void *arg)
{
    struct contender *contender = arg;
    struct lsig_refresh_token old = token_of("", "", 1, NOW + 1);
    struct lsig_refresh_token next = token_of("", "", contender->next, NOW + 1);
    struct lsig_access_marks marks = {NULL, 0};
    contender->status = lsig_sqlite_records_rotate(contender->records, old.hash, &next, &marks);
    free(marks.items);
    return NULL;
}

static void of_several_processes_that_rotate_one_token_exactly_one_wins(void **state)
{
    struct fixture *f = *state;
    enum { COUNT = 4 };
    struct contender contenders[COUNT];
    pthread_t threads[COUNT];
    save(f, "ann", "f1", 1);
    for (int i = 0; i < COUNT; i++) {
        contenders[i] = (struct contender){.records = open_file(f), .next = 10 + i};
    }
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, contend, &contenders[i]), 0);
    }
    int won = 0;
    int reused = 0;
    int unknown = 0;
    for (int i = 0; i < COUNT; i++) {
        pthread_join(threads[i], NULL);
        won += contenders[i].status == LSIG_OK;
        reused += contenders[i].status == LSIG_TOKEN_INVALID;
        unknown += contenders[i].status == LSIG_NOT_FOUND; // the family has gone already
        lsig_sqlite_records_close(contenders[i].records);
    }
    assert_int_equal(won, 1);
    assert_int_equal(reused, 1);
    assert_int_equal(unknown, COUNT - 2);
    assert_int_equal(query(f, "SELECT count(*) FROM refresh_tokens"), 0);
}

static void used_tokens_are_kept_apart_from_unused_ones_and_bounded(void **state)
{
    struct fixture *f = *state;
    for (int n = 1; n <= 99; n++) {
        save(f, "ann", "idle", n);
    }
    save(f, "ann", "busy", 1000);
    for (int n = 1000; n < 1000 + LSIG_REFRESH_USED_MAX + 5; n++) {
        assert_int_equal(rotate_at(f, n, n + 1, NOW + 1 + (n - 1000) / 10), LSIG_OK);
    }
    assert_int_equal(query(f, "SELECT count(*) FROM refresh_tokens WHERE used_at > 0"),
                     LSIG_REFRESH_USED_MAX);
    assert_int_equal(query(f, "SELECT count(*) FROM refresh_tokens WHERE used_at = 0"), 100);
    assert_int_equal(rotate(f, 1000, 9000), LSIG_NOT_FOUND); // of those, the oldest are forgotten
    assert_int_equal(rotate(f, 1005, 9000), LSIG_TOKEN_INVALID);
}

static void an_access_token_that_outlives_its_refresh_token_stays_known(void **state)
{
    struct fixture *f = *state;
    struct lsig_refresh_token token = token_of("ann", "f1", 1, NOW);
    token.access_end = NOW + 3 * LIFE;
    assert_int_equal(lsig_sqlite_records_save_refresh_token(f->records, &token), LSIG_OK);
    token = token_of("ann", "f2", 2, NOW + 2 * LIFE);
    assert_int_equal(lsig_sqlite_records_save_refresh_token(f->records, &token), LSIG_OK);
    assert_int_equal(query(f, "SELECT count(*) FROM refresh_tokens"), 2);
    token = token_of("ann", "f3", 3, NOW + 3 * LIFE);
    assert_int_equal(lsig_sqlite_records_save_refresh_token(f->records, &token), LSIG_OK);
    assert_int_equal(query(f, "SELECT count(*) FROM refresh_tokens"), 1);
}

// ---- logout ----

static struct lsig_logout logout_of(const char *user, uint64_t key)
{
    struct lsig_logout logout = {
        .revocation = {.kind = LSIG_REVOKED_TOKEN, .key = key, .at = NOW + 100}, .now = NOW + 1};
    snprintf(logout.username, sizeof(logout.username), "%s", user);
    return logout;
}

static void a_logout_keeps_the_token_and_removes_its_family(void **state)
{
    struct fixture *f = *state;
    save(f, "ann", "f1", 1);
    save(f, "ann", "f2", 2);
    assert_int_equal(rotate(f, 1, 3), LSIG_OK);
    struct lsig_logout logout = logout_of("ann", 1001);
    assert_int_equal(lsig_sqlite_records_log_out(f->records, &logout, &f->marks), LSIG_OK);
    assert_false(is_there(f, 1) || is_there(f, 3));
    assert_true(is_there(f, 2));
    assert_int_equal(f->marks.count, 2); // the one that was shown, and the one after it
    assert_int_equal(query(f, "SELECT count(*) FROM revocations"), 2);
}

// ---- revocations ----

static void keep(struct fixture *f, struct lsig_revocation revocation, int64_t now)
{
    assert_int_equal(lsig_sqlite_records_save_revocation(f->records, &revocation, now), LSIG_OK);
}

static struct lsig_revocation of_token(uint64_t key, int64_t end)
{
    return (struct lsig_revocation){.kind = LSIG_REVOKED_TOKEN, .key = key, .at = end};
}

static struct lsig_revocation of_user(const char *user, int64_t up_to)
{
    struct lsig_revocation revocation = {.kind = LSIG_REVOKED_USER, .at = up_to};
    snprintf(revocation.user, sizeof(revocation.user), "%s", user);
    return revocation;
}

static void tokens_that_have_ended_are_removed_on_the_way_and_users_stay(void **state)
{
    struct fixture *f = *state;
    keep(f, of_token(1, NOW + 5), NOW);
    keep(f, of_user("eve", 5), NOW);
    keep(f, of_token(2, NOW + 50), NOW + 5);
    assert_int_equal(query(f, "SELECT count(*) FROM revocations WHERE kind = 0"), 1);
    assert_int_equal(query(f, "SELECT count(*) FROM revocations WHERE kind = 1"), 1);
}

static void a_time_removes_families_that_began_before_it_and_users_that_it_covers(void **state)
{
    struct fixture *f = *state;
    save(f, "ann", "f1", 1);
    assert_int_equal(rotate_at(f, 1, 2, NOW + 10), LSIG_OK);
    struct lsig_refresh_token young = token_of("bob", "f2", 3, NOW + 5);
    assert_int_equal(lsig_sqlite_records_save_refresh_token(f->records, &young), LSIG_OK);
    keep(f, of_user("before", NOW + 4), NOW);
    keep(f, of_user("at", NOW + 5), NOW);
    keep(f, (struct lsig_revocation){.kind = LSIG_REVOKED_TIME, .at = NOW + 5}, NOW + 10);
    assert_false(is_there(f, 1) || is_there(f, 2));
    assert_true(is_there(f, 3));
    assert_int_equal(query(f, "SELECT count(*) FROM revocations WHERE name = 'before'"), 0);
    assert_int_equal(query(f, "SELECT count(*) FROM revocations WHERE name = 'at'"), 1);
}

// ---- a file of the first version ----

static void a_file_of_the_first_version_keeps_its_tokens(void **state)
{
    struct fixture *f = *state;
    save(f, "ann", "f1", 1);
    lsig_sqlite_records_close(f->records);
    static const char *const back[] = {
        "DROP TABLE documents",
        "DROP TABLE counters",
        "DROP TABLE revocations",
        "DROP INDEX refresh_tokens_by_access",
        "ALTER TABLE refresh_tokens DROP COLUMN used_at",
        "ALTER TABLE refresh_tokens DROP COLUMN token_version",
        "ALTER TABLE refresh_tokens DROP COLUMN access_key",
        "ALTER TABLE refresh_tokens DROP COLUMN access_end",
        "PRAGMA user_version = 1",
    };
    for (size_t i = 0; i < sizeof(back) / sizeof(back[0]); i++) {
        assert_int_equal(query(f, back[i]), -1);
    }
    f->records = open_file(f);
    struct lsig_account account;
    struct lsig_refresh_token token = token_of("", "", 1, NOW + 1);
    assert_int_equal(lsig_sqlite_records_find_refresh_token(f->records, &token, &account), LSIG_OK);
    assert_int_equal(token.token_version, 4);
    assert_int_equal(rotate(f, 1, 2), LSIG_OK);
    assert_int_equal(rotate(f, 1, 3), LSIG_TOKEN_INVALID);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_rotation_uses_one_up_and_the_next_inherits),
        TEST(reuse_removes_the_family_and_keeps_its_access_tokens_as_revoked),
        TEST(of_several_processes_that_rotate_one_token_exactly_one_wins),
        TEST(used_tokens_are_kept_apart_from_unused_ones_and_bounded),
        TEST(an_access_token_that_outlives_its_refresh_token_stays_known),
        TEST(a_logout_keeps_the_token_and_removes_its_family),
        TEST(tokens_that_have_ended_are_removed_on_the_way_and_users_stay),
        TEST(a_time_removes_families_that_began_before_it_and_users_that_it_covers),
        TEST(a_file_of_the_first_version_keeps_its_tokens),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
