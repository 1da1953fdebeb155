#include "mongo_fixture.h"
#include "query_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/metrics.h"
#include "store/mongo_store.h"

enum { DEADLINE_MS = 60000 };

struct fixture {
    struct query_rules rules; // first
    struct mongo_fixture *mongo;
    struct lsig_metrics metrics;
    uv_loop_t loop;
    uv_timer_t deadline;
    struct lsig_mongo_store *store;
    bool freed;
};

static void on_deadline(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("nothing came within the deadline");
}

static void turn(struct query_rules *rules)
{
    uv_run(&((struct fixture *)rules)->loop, UV_RUN_ONCE);
}

static void open_store(struct fixture *f)
{
    struct lsig_mongo_options options = {
        .url = f->mongo->url,
        .database = f->mongo->database,
        .pool_max = 12, // some threads for each kind of call
        .pool_min = 1,
        .selection_ms = 2000,
        .connect_ms = 1000,
        .socket_ms = 5000,
        .metrics = &f->metrics,
    };
    char error[LSIG_MONGO_ERROR_SIZE];
    if (lsig_mongo_store_open(&f->store, &f->loop, &options, error) != LSIG_OK) {
        fail_msg("%s", error);
    }
    f->rules.store = lsig_mongo_store_queries(f->store);
}

static void on_freed(void *arg)
{
    *(bool *)arg = true;
}

static void free_store(struct fixture *f)
{
    f->freed = false;
    lsig_mongo_store_free(f->store, on_freed, &f->freed);
    while (!f->freed) {
        turn(&f->rules);
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
    f->rules.turn = turn;
    open_store(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    free_store(f);
    uv_close((uv_handle_t *)&f->deadline, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    int result = uv_loop_close(&f->loop);
    *state = f->mongo;
    free(f);
    return result;
}

static void what_lua_has_no_value_for_is_left_out(void **state)
{
    struct fixture *f = *state;
    mongo_insert(
        f->mongo, "notes",
        "{\"_id\": 1, \"blob\": {\"$binary\": {\"base64\": \"AA==\", \"subType\": \"00\"}}, "
        "\"long\": {\"$numberLong\": \"5\"}, \"re\": [{\"$regularExpression\": {\"pattern\": "
        "\"x\", \"options\": \"\"}}]}");
    assert_int_equal(query_find(&f->rules, "{}", "", ""), 1);
    assert_string_equal(f->rules.found, "{\"_id\":1,\"long\":5,\"re\":[null]}");
}

static void what_is_written_is_an_ordinary_document(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(query_insert(&f->rules, "{\"at\":{\"$date\":86400000},\"n\":1}"),
                     LSIG_QUERY_OK);
    assert_int_equal(
        mongo_count(f->mongo, "notes", "{\"at\": {\"$date\": \"1970-01-02T00:00:00Z\"}, \"n\": 1}"),
        1);
}

static void a_hung_database_is_unavailable_and_comes_back(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(query_insert(&f->rules, "{\"_id\":1}"), LSIG_QUERY_OK);
    mongo_hang(f->mongo);
    struct lsig_query query = {.kind = LSIG_QUERY_COUNT,
                               .collection = lsig_span_of("notes"),
                               .filter = lsig_span_of("{}"),
                               .time_ms = 500};
    assert_int_equal(query_ask(&f->rules, &query), LSIG_QUERY_UNAVAILABLE);
    assert_int_equal(f->metrics.mongodb_away, 1);
    assert_int_equal(query_ask(&f->rules, &query), LSIG_QUERY_UNAVAILABLE); // at once
    assert_int_equal(f->metrics.mongodb_dropped, 1);
    mongo_go_on(f->mongo);
    while (f->metrics.mongodb_away == 1) {
        turn(&f->rules);
    }
    assert_int_equal(query_ask(&f->rules, &query), LSIG_QUERY_OK);
    assert_int_equal(f->rules.number, 1);
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
        QUERY_RULES(X)
#undef X
            TEST(what_lua_has_no_value_for_is_left_out),
        TEST(what_is_written_is_an_ordinary_document),
        TEST(a_hung_database_is_unavailable_and_comes_back),
    };
    int missing = mongo_open(&mongo);
    if (missing != 0) {
        return missing;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mongo_close(&mongo);
    return failed;
}
