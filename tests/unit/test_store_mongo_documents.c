#include "document_rules.h"
#include "mongo_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/metrics.h"
#include "store/mongo_store.h"

enum { DEADLINE_MS = 60000 };

struct fixture {
    struct document_rules rules; // first
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

static void turn(struct document_rules *rules)
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
    f->rules.store = lsig_mongo_store_documents(f->store);
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

static void reopen(struct document_rules *rules)
{
    free_store((struct fixture *)rules);
    open_store((struct fixture *)rules);
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
    f->rules.reopen = reopen;
    open_store(f);
    *state = f;
    return 0;
}

static int set_up_records(void **state)
{
    int result = set_up(state);
    ((struct fixture *)*state)->rules.collection = "chat_messages";
    return result;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    free_store(f);
    uv_close((uv_handle_t *)&f->deadline, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    int result = uv_loop_close(&f->loop);
    rules_clear(&f->rules);
    *state = f->mongo;
    free(f);
    return result;
}

static void the_first_write_sweeps_what_has_expired(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 5; i++) {
        char json[128];
        snprintf(json, sizeof(json),
                 "{\"_id\": \"notes/%d\", \"value\": \"1\", \"expires_at\": %d}", i,
                 i < 3    ? RULES_NOW - i
                 : i == 3 ? 0
                          : RULES_NOW + 1);
        mongo_insert(f->mongo, "lunasig_documents", json);
        mongo_insert(f->mongo, "lunasig_counters", json);
    }
    assert_int_equal(rules_put(&f->rules, "k", "{}"), LSIG_OK);
    assert_int_equal(mongo_count(f->mongo, "lunasig_documents", "{}"), 3);
    assert_int_equal(mongo_count(f->mongo, "lunasig_counters", "{}"), 2);
}

static void keys_of_operators_are_keys_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(rules_put(&f->rules, "$where", "1"), LSIG_OK);
    assert_int_equal(rules_put(&f->rules, "a.b/c", "2"), LSIG_OK);
    assert_int_equal(rules_get(&f->rules, "$where", RULES_NOW), LSIG_OK);
    assert_string_equal(f->rules.json, "1");
    assert_int_equal(rules_get(&f->rules, "a.b/c", RULES_NOW), LSIG_OK);
    assert_string_equal(f->rules.json, "2");
}

static void a_record_is_a_document_that_others_can_read(void **state)
{
    struct fixture *f = *state;
    static const char json[] =
        "{\"text\":\"hi\",\"n\":3,\"half\":0.5,\"_id\":\"mine\",\"yes\":true,\"none\":null,"
        "\"list\":[1,{\"a.b\":{\"$oid\":\"x\",\"_c\":1}}]}";
    assert_int_equal(rules_put(&f->rules, "r1/1", json), LSIG_OK);
    assert_int_equal(mongo_count(f->mongo, "chat_messages",
                                 "{\"_id\": \"r1/1\", \"text\": \"hi\", \"n\": 3, \"half\": 0.5, "
                                 "\"_updated_at\": {\"$date\": {\"$numberLong\": \"1000000\"}}, "
                                 "\"_expires_at\": {\"$exists\": false}}"),
                     1);
    assert_int_equal(mongo_count(f->mongo, "lunasig_documents", "{}"), 0);
    assert_int_equal(rules_get(&f->rules, "r1/1", RULES_NOW), LSIG_OK);
    assert_string_equal(f->rules.json, json);
    assert_int_equal(rules_put(&f->rules, "r1/1", "{\"n\":4}"), LSIG_OK);
    assert_int_equal(mongo_count(f->mongo, "chat_messages", "{\"text\": {\"$exists\": true}}"), 0);
}

static void documents_of_others_are_left_alone(void **state)
{
    struct fixture *f = *state;
    mongo_insert(f->mongo, "chat_messages", "{\"room_id\": \"r1\", \"content\": \"old\"}");
    mongo_insert(f->mongo, "chat_messages", "{\"_id\": 7, \"_expires_at\": 5}");
    mongo_insert(f->mongo, "chat_messages",
                 "{\"_id\": \"a\", \"_expires_at\": {\"$date\": {\"$numberLong\": \"999999\"}}}");
    assert_int_equal(rules_put(&f->rules, "k", "{}"), LSIG_OK); // and sweeps
    assert_int_equal(mongo_count(f->mongo, "chat_messages", "{}"), 3);
    struct lsig_document_query query = {
        .collection = lsig_span_of("chat_messages"), .limit = 10, .now_ms = RULES_NOW};
    struct lsig_document_call call = {rules_on_done, &f->rules};
    int before = f->rules.done;
    f->rules.store.list(f->rules.store.self, &query, call);
    while (f->rules.done == before) {
        turn(&f->rules);
    }
    assert_int_equal(f->rules.status, LSIG_OK);
    assert_int_equal(f->rules.count, 1);
    assert_string_equal(f->rules.keys[0], "k");
}

int main(void)
{
#define RECORD(name)                                                                               \
    {                                                                                              \
#name " (records)", name, set_up_records, tear_down, &mongo                                \
    }
#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name, set_up, tear_down, &mongo                                                     \
    }
    static struct mongo_fixture mongo;
    const struct CMUnitTest tests[] = {
#define X(name) TEST(name),
        DOCUMENT_RULES(X)
#undef X
#define X(name) RECORD(name),
            DOCUMENT_RULES(X)
#undef X
                RECORD(a_record_is_a_document_that_others_can_read),
        RECORD(documents_of_others_are_left_alone),
        TEST(the_first_write_sweeps_what_has_expired),
        TEST(keys_of_operators_are_keys_and_nothing_else),
    };
    int missing = mongo_open(&mongo);
    if (missing != 0) {
        return missing;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mongo_close(&mongo);
    return failed;
}
