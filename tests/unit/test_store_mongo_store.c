#include "account_rules.h"
#include "mongo_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/metrics.h"
#include "store/mongo_store.h"

enum { DEADLINE_MS = 60000, NOW = ACCOUNT_NOW };

struct fixture {
    struct account_rules rules; // first
    struct mongo_fixture *mongo;
    struct lsig_metrics metrics;
    uv_loop_t loop;
    uv_timer_t deadline;
    struct lsig_mongo_store *store;
    bool freed;
    char url[256];
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
    struct fixture *f = (struct fixture *)rules;
    struct lsig_mongo_options options = {
        .url = f->url[0] != '\0' ? f->url : f->mongo->url,
        .database = f->mongo->database,
        .pool_max = 12, // some threads for each kind of call
        .pool_min = 1,
        .selection_ms = 1000,
        .connect_ms = 500,
        .socket_ms = 1000,
        .metrics = &f->metrics,
    };
    char error[LSIG_MONGO_ERROR_SIZE];
    if (lsig_mongo_store_open(&f->store, &f->loop, &options, error) != LSIG_OK) {
        fail_msg("%s", error);
    }
    rules->store = lsig_mongo_store_accounts(f->store);
}

static void on_freed(void *arg)
{
    *(bool *)arg = true;
}

static void begin_free(struct account_rules *rules)
{
    struct fixture *f = (struct fixture *)rules;
    f->freed = false;
    lsig_mongo_store_free(f->store, on_freed, &f->freed);
    f->store = NULL;
}

static void end_free(struct account_rules *rules)
{
    while (!((struct fixture *)rules)->freed) {
        turn(rules);
    }
}

static int set_up(void **state)
{
    struct mongo_fixture *mongo = *state;
    mongo_begin(mongo);
    struct fixture *f = calloc(1, sizeof(*f));
    f->mongo = mongo;
    uv_loop_init(&f->loop);
    uv_timer_init(&f->loop, &f->deadline);
    uv_timer_start(&f->deadline, on_deadline, DEADLINE_MS, 0);
    uv_unref((uv_handle_t *)&f->deadline);
    f->rules.loop_thread = pthread_self();
    f->rules.turn = turn;
    f->rules.begin_free = begin_free;
    f->rules.end_free = end_free;
    f->rules.open = open_store;
    open_store(&f->rules);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    mongo_go_on(f->mongo); // also after a test that failed
    if (f->store != NULL) {
        begin_free(&f->rules);
        end_free(&f->rules);
    }
    uv_close((uv_handle_t *)&f->deadline, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    int result = uv_loop_close(&f->loop);
    account_rules_clear(&f->rules);
    *state = f->mongo;
    free(f);
    return result;
}

// ---- documents of the original service ----

static void a_user_of_the_original_is_used_as_it_is(void **state)
{
    struct fixture *f = *state;
    mongo_insert(f->mongo, "users",
                 "{\"username\": \"old\", \"email\": \"old@example.org\", \"hashed_password\": "
                 "\"$2b$12$abc\", \"created_at\": {\"$date\": \"2024-05-01T10:00:00Z\"}, "
                 "\"is_active\": true, \"is_verified\": true, \"failed_login_attempts\": 2, "
                 "\"last_login\": null, \"role\": \"admin\", \"token_version\": 3, "
                 "\"two_fa\": {\"enabled\": false}}");
    assert_int_equal(account_find(&f->rules, "old"), LSIG_OK);
    assert_string_equal(f->rules.account.email, "old@example.org");
    assert_string_equal(f->rules.account.hashed_password, "$2b$12$abc");
    assert_int_equal(f->rules.account.created_at, 1714557600);
    assert_true(f->rules.account.is_active);
    assert_true(f->rules.account.is_verified);
    assert_int_equal(f->rules.account.failed_login_attempts, 2);
    assert_int_equal(f->rules.account.last_login, 0);
    assert_string_equal(f->rules.account.role, "admin");
    assert_int_equal(f->rules.account.token_version, 3);
    assert_int_equal(account_save(&f->rules, "old", "f1", 1), LSIG_OK);
    struct lsig_account_store *store = &f->rules.store;
    assert_int_equal(
        store->add_login(store->self, "old", NOW, (struct lsig_account_call){NULL, NULL}), LSIG_OK);
    assert_int_equal(account_find(&f->rules, "old"), LSIG_OK);
    assert_int_equal(f->rules.account.last_login, NOW);
    assert_int_equal(account_find(&f->rules, "old@example.org"), LSIG_OK);
    assert_int_equal(f->rules.account.last_login, NOW);
    assert_int_equal(mongo_count(f->mongo, "users",
                                 "{\"failed_login_attempts\": 0, \"two_fa.enabled\": false, "
                                 "\"last_login\": {\"$date\": {\"$numberLong\": "
                                 "\"1800000000000\"}}}"),
                     1);
}

static void what_a_document_lacks_or_has_of_another_type_is_read_kindly(void **state)
{
    struct fixture *f = *state;
    mongo_insert(f->mongo, "users",
                 "{\"username\": \"few\", \"email\": \"few@example.org\", \"hashed_password\": "
                 "\"$2b$12$abc\", \"failed_login_attempts\": 3.0, \"created_at\": 5, "
                 "\"token_version\": \"x\"}");
    assert_int_equal(account_find(&f->rules, "few"), LSIG_OK);
    assert_true(f->rules.account.is_active);
    assert_false(f->rules.account.is_verified);
    assert_int_equal(f->rules.account.failed_login_attempts, 3);
    assert_int_equal(f->rules.account.created_at, 5);
    assert_int_equal(f->rules.account.token_version, 0);
    assert_string_equal(f->rules.account.role, "user");
    mongo_insert(f->mongo, "users", "{\"username\": \"odd\", \"email\": 5}");
    assert_int_equal(account_find(&f->rules, "odd"), LSIG_OK);
    assert_string_equal(f->rules.account.hashed_password, ""); // no password matches it
    char json[512];
    snprintf(json, sizeof(json),
             "{\"username\": \"big\", \"email\": \"b@c.de\", \"hashed_password\": \"%0200d\"}", 7);
    mongo_insert(f->mongo, "users", json);
    assert_int_equal(account_find(&f->rules, "big"), LSIG_NOT_FOUND);
}

static void new_accounts_have_the_shape_of_the_original(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(account_create(&f->rules, "ann", "ann@example.org"), LSIG_OK);
    bson_t *user = mongo_find(f->mongo, "users", "{\"username\": \"ann\"}");
    bson_iter_t at;
    assert_true(bson_iter_init_find(&at, user, "_id") && BSON_ITER_HOLDS_OID(&at));
    assert_true(bson_iter_init_find(&at, user, "created_at") && BSON_ITER_HOLDS_DATE_TIME(&at));
    assert_true(bson_iter_init_find(&at, user, "last_login") && BSON_ITER_HOLDS_NULL(&at));
    assert_true(bson_iter_init_find(&at, user, "is_active") && BSON_ITER_HOLDS_BOOL(&at));
    assert_true(bson_iter_init_find(&at, user, "token_version") && BSON_ITER_HOLDS_INT(&at));
    bson_destroy(user);
}

// ---- indexes ----

static void reopen_on(struct fixture *f, const char *url)
{
    if (f->store != NULL) {
        begin_free(&f->rules);
        end_free(&f->rules);
    }
    snprintf(f->url, sizeof(f->url), "%s", url);
    open_store(&f->rules);
}

static void an_index_that_is_not_unique_becomes_so(void **state)
{
    struct fixture *f = *state;
    begin_free(&f->rules);
    end_free(&f->rules);
    mongo_begin(f->mongo); // another database
    mongo_run(f->mongo, "{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"username\": 1}, "
                        "\"name\": \"username_1\"}, {\"key\": {\"email\": 1}, \"name\": "
                        "\"email_1\", \"unique\": true}]}");
    open_store(&f->rules);
    assert_int_equal(account_create(&f->rules, "ann", "ann@example.org"), LSIG_OK);
    assert_int_equal(account_create(&f->rules, "ann", "b@example.org"), LSIG_EXISTS);
    assert_int_equal(account_create(&f->rules, "bob", "ann@example.org"), LSIG_EXISTS);
}

static void with_doubles_among_the_users_logins_work_and_registrations_do_not(void **state)
{
    struct fixture *f = *state;
    begin_free(&f->rules);
    end_free(&f->rules);
    mongo_begin(f->mongo);
    mongo_insert(f->mongo, "users", "{\"username\": \"ann\", \"email\": \"a@b.cd\"}");
    mongo_insert(f->mongo, "users", "{\"username\": \"ann\", \"email\": \"e@f.gh\"}");
    mongo_insert(f->mongo, "users", "{\"username\": \"bob\", \"email\": \"i@j.kl\"}");
    open_store(&f->rules);
    assert_int_equal(account_find(&f->rules, "bob"), LSIG_OK);
    assert_int_equal(account_create(&f->rules, "eve", "eve@example.org"), LSIG_INTERNAL_ERROR);
    assert_int_equal(account_find(&f->rules, "eve"), LSIG_NOT_FOUND);
}

// ---- a database that is away ----

static int64_t now_ms(void)
{
    return (int64_t)(uv_hrtime() / 1000000);
}

static void wait_until_back(struct fixture *f)
{
    while (f->metrics.mongodb_away == 1) {
        turn(&f->rules);
    }
}

static void a_database_that_hangs_costs_one_time_out_and_is_found_again(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(account_create(&f->rules, "ann", "ann@example.org"), LSIG_OK);
    mongo_hang(f->mongo);
    int64_t began = now_ms();
    assert_int_equal(account_find(&f->rules, "ann"), LSIG_INTERNAL_ERROR);
    int64_t took = now_ms() - began;
    int64_t away = f->metrics.mongodb_away;
    enum lsig_status health = f->rules.store.ping(f->rules.store.self);
    began = now_ms();
    for (int i = 0; i < 100; i++) {
        if (account_find(&f->rules, "ann") != LSIG_INTERNAL_ERROR) {
            break;
        }
    }
    int64_t hundred_took = now_ms() - began;
    mongo_go_on(f->mongo);
    assert_in_range(took, 500, 4000);
    assert_int_equal(away, 1);
    assert_int_equal(health, LSIG_INTERNAL_ERROR);
    assert_in_range(hundred_took, 0, 500);
    assert_int_equal(f->metrics.mongodb_dropped, 100);
    wait_until_back(f);
    assert_int_equal(account_find(&f->rules, "ann"), LSIG_OK);
    assert_int_equal(f->rules.store.ping(f->rules.store.self), LSIG_OK);
    assert_int_equal(f->metrics.mongodb_waiting, 0);
}

static void what_waits_when_the_database_hangs_ends_with_it(void **state)
{
    enum { CALLS = 300 };
    struct fixture *f = *state;
    struct lsig_account_store *store = &f->rules.store;
    assert_int_equal(account_find(&f->rules, "ann"), LSIG_NOT_FOUND);
    mongo_hang(f->mongo);
    int done = f->rules.done;
    int64_t began = now_ms();
    for (int i = 0; i < CALLS - 1; i++) {
        (void)store->add_failure(store->self, "ann", (struct lsig_account_call){NULL, NULL});
    }
    enum lsig_status last = account_find(&f->rules, "ann");
    int64_t took = now_ms() - began;
    mongo_go_on(f->mongo);
    assert_int_equal(last, LSIG_INTERNAL_ERROR);
    assert_int_equal(f->rules.done, done + 1);
    assert_in_range(took, 500, 4000);
    assert_int_equal(f->metrics.mongodb_waiting, 0);
    wait_until_back(f);
}

static void a_server_that_is_not_there_is_told_within_the_selection_time(void **state)
{
    struct fixture *f = *state;
    struct lsig_account_store *store = &f->rules.store;
    reopen_on(f, "mongodb://127.0.0.1:1/");
    int64_t began = now_ms();
    assert_int_equal(account_find(&f->rules, "ann"), LSIG_INTERNAL_ERROR);
    assert_in_range(now_ms() - began, 0, 4000);
    assert_int_equal(store->load_revocations(store->self, NOW, NULL, NULL), LSIG_INTERNAL_ERROR);
    assert_int_equal(f->metrics.mongodb_away, 1);
    assert_int_equal(store->ping(store->self), LSIG_INTERNAL_ERROR);
}

static void a_free_while_the_database_hangs_ends_soon(void **state)
{
    struct fixture *f = *state;
    struct lsig_account_store *store = &f->rules.store;
    assert_int_equal(account_find(&f->rules, "ann"), LSIG_NOT_FOUND);
    mongo_hang(f->mongo);
    for (int i = 0; i < 100; i++) {
        (void)store->add_failure(store->self, "ann", (struct lsig_account_call){NULL, NULL});
    }
    int64_t began = now_ms();
    begin_free(&f->rules);
    end_free(&f->rules);
    int64_t took = now_ms() - began;
    mongo_go_on(f->mongo);
    assert_in_range(took, 0, 4000);
}

static void an_url_that_is_none_is_refused_without_showing_it(void **state)
{
    struct fixture *f = *state;
    static const char *const urls[] = {"mongodb://ann:p@ss:word@host/", "mongodb://ann:p@ss:1@host",
                                       "http://host/", "x"};
    for (size_t i = 0; i < 4; i++) {
        struct lsig_mongo_store *store = NULL;
        struct lsig_mongo_options options = {
            .url = urls[i], .database = "x", .pool_max = 2, .pool_min = 1, .metrics = &f->metrics};
        char error[LSIG_MONGO_ERROR_SIZE];
        assert_int_equal(lsig_mongo_store_open(&store, &f->loop, &options, error),
                         LSIG_INTERNAL_ERROR);
        assert_null(store);
        assert_non_null(strstr(error, "MONGODB_URL"));
        assert_null(strstr(error, "ss:"));
    }
}

// ---- what is kept ----

static void used_tokens_of_a_login_are_bounded(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(account_create(&f->rules, "ann", "ann@example.org"), LSIG_OK);
    assert_int_equal(account_save(&f->rules, "ann", "f1", 1), LSIG_OK);
    for (int n = 1; n <= 5; n++) { // each ends the one before
        assert_int_equal(account_rotate(&f->rules, n, n + 1, NOW + n * (ACCOUNT_LIFE - 1)),
                         LSIG_OK);
    }
    bson_t *login = mongo_find(f->mongo, "lunasig_logins", "{}");
    bson_iter_t at;
    bson_iter_t used;
    int count = 0;
    assert_true(bson_iter_init_find(&at, login, "used") && bson_iter_recurse(&at, &used));
    while (bson_iter_next(&used)) {
        count++;
    }
    bson_destroy(login);
    assert_in_range(count, 1, 2);
}

static void logins_that_have_ended_are_removed_with_the_next_one(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(account_create(&f->rules, "ann", "ann@example.org"), LSIG_OK);
    assert_int_equal(account_save(&f->rules, "ann", "f1", 1), LSIG_OK);
    struct lsig_refresh_token token = {
        .username = "ann", .family = "f2", .hash = {9}, .created_at = NOW + ACCOUNT_LIFE};
    token.expires_at = token.created_at + 1;
    token.access_end = token.created_at + 50; // its access token lives longer
    assert_int_equal(account_save_token(&f->rules, token), LSIG_OK);
    assert_int_equal(mongo_count(f->mongo, "lunasig_logins", "{}"), 1);
    token = (struct lsig_refresh_token){
        .username = "ann", .family = "f3", .hash = {8}, .created_at = NOW + ACCOUNT_LIFE + 49};
    assert_int_equal(account_save_token(&f->rules, token), LSIG_OK);
    assert_int_equal(mongo_count(f->mongo, "lunasig_logins", "{\"_id\": \"f2\"}"), 1);
    token = (struct lsig_refresh_token){
        .username = "ann", .family = "f4", .hash = {7}, .created_at = NOW + ACCOUNT_LIFE + 50};
    token.expires_at = token.created_at + 1;
    assert_int_equal(account_save_token(&f->rules, token), LSIG_OK);
    assert_int_equal(mongo_count(f->mongo, "lunasig_logins", "{}"), 1);
}

int main(void)
{
#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name, set_up, tear_down, &mongo                                                     \
    }
    static struct mongo_fixture mongo;
    const struct CMUnitTest tests[] = {
#define X(name) TEST(name),
        ACCOUNT_RULES(X)
#undef X
            TEST(a_user_of_the_original_is_used_as_it_is),
        TEST(what_a_document_lacks_or_has_of_another_type_is_read_kindly),
        TEST(new_accounts_have_the_shape_of_the_original),
        TEST(an_index_that_is_not_unique_becomes_so),
        TEST(with_doubles_among_the_users_logins_work_and_registrations_do_not),
        TEST(used_tokens_of_a_login_are_bounded),
        TEST(logins_that_have_ended_are_removed_with_the_next_one),
        TEST(a_database_that_hangs_costs_one_time_out_and_is_found_again),
        TEST(what_waits_when_the_database_hangs_ends_with_it),
        TEST(a_server_that_is_not_there_is_told_within_the_selection_time),
        TEST(a_free_while_the_database_hangs_ends_soon),
        TEST(an_url_that_is_none_is_refused_without_showing_it),
    };
    int missing = mongo_open(&mongo);
    if (missing != 0) {
        return missing;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mongo_close(&mongo);
    return failed;
}
