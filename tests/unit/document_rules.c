#include "document_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void rules_on_done(void *arg, enum lsig_status status, const struct lsig_document_outcome *outcome)
{
    struct document_rules *rules = arg;
    rules->done++;
    rules->status = status;
    rules->count = outcome->count;
    rules->number = outcome->number;
    free(rules->json);
    rules->json = NULL;
    assert_int_equal(outcome->error != NULL, status == LSIG_INTERNAL_ERROR);
    for (size_t i = 0; i < outcome->count; i++) {
        const struct lsig_document *document = &outcome->documents[i];
        snprintf(rules->keys[i], sizeof(rules->keys[i]), "%.*s", LSIG_SPAN_ARG(document->key));
        if (i == 0) {
            rules->json = strndup(document->json.data, document->json.len);
        }
    }
}

void rules_clear(struct document_rules *rules)
{
    free(rules->json);
    rules->json = NULL;
}

static struct lsig_document_call call_of(struct document_rules *rules)
{
    assert_int_equal(rules->store.ready(rules->store.self), LSIG_OK);
    return (struct lsig_document_call){rules_on_done, rules};
}

static struct lsig_span collection_of(const struct document_rules *rules)
{
    return lsig_span_of(rules->collection != NULL ? rules->collection : "notes");
}

static struct lsig_document_name
name_of(const struct document_rules *rules, const char *key, int64_t now_ms)
{
    return (struct lsig_document_name){collection_of(rules), lsig_span_of(key), now_ms};
}

static enum lsig_status wait_for(struct document_rules *rules)
{
    int before = rules->done;
    while (rules->done == before) {
        rules->turn(rules);
    }
    return rules->status;
}

enum lsig_status rules_get(struct document_rules *rules, const char *key, int64_t now_ms)
{
    struct lsig_document_name name = name_of(rules, key, now_ms);
    rules->store.get(rules->store.self, &name, call_of(rules));
    return wait_for(rules);
}

static enum lsig_status put_with(struct document_rules *rules,
                                 const char *key,
                                 const char *json,
                                 int64_t expires_ms,
                                 bool if_absent)
{
    struct lsig_document_name name = name_of(rules, key, RULES_NOW);
    struct lsig_document_write write = {lsig_span_of(json), expires_ms, if_absent};
    rules->store.put(rules->store.self, &name, &write, call_of(rules));
    return wait_for(rules);
}

enum lsig_status rules_put(struct document_rules *rules, const char *key, const char *json)
{
    return put_with(rules, key, json, 0, false);
}

static enum lsig_status remove_key(struct document_rules *rules, const char *key, int64_t now_ms)
{
    struct lsig_document_name name = name_of(rules, key, now_ms);
    rules->store.remove(rules->store.self, &name, call_of(rules));
    return wait_for(rules);
}

static enum lsig_status count(struct document_rules *rules, const char *key, int64_t now_ms)
{
    struct lsig_document_name name = name_of(rules, key, now_ms);
    rules->store.count(rules->store.self, &name, call_of(rules));
    return wait_for(rules);
}

static enum lsig_status change(
    struct document_rules *rules, const char *key, int64_t by, int64_t expires_ms, int64_t now_ms)
{
    struct lsig_document_name name = name_of(rules, key, now_ms);
    struct lsig_counter_change counter = {by, expires_ms};
    rules->store.incr(rules->store.self, &name, &counter, call_of(rules));
    return wait_for(rules);
}

enum lsig_status rules_incr(struct document_rules *rules, const char *key, int64_t by)
{
    return change(rules, key, by, 0, RULES_NOW);
}

// The keys, with a comma between them.
static const char *
list(struct document_rules *rules, const char *prefix, const char *after, size_t limit)
{
    static char text[4096];
    struct lsig_document_query query = {.collection = collection_of(rules),
                                        .prefix = lsig_span_of(prefix),
                                        .after = lsig_span_of(after),
                                        .limit = limit,
                                        .now_ms = RULES_NOW};
    rules->store.list(rules->store.self, &query, call_of(rules));
    assert_int_equal(wait_for(rules), LSIG_OK);
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < rules->count && len < sizeof(text) - 20; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? "," : "",
                                rules->keys[i]);
    }
    return text;
}

void a_document_is_read_as_it_was_written(void **state)
{
    struct document_rules *rules = *state;
    assert_int_equal(rules_put(rules, "k", "{\"text\":\"gr\xc3\xbc\xc3\x9f\"}"), LSIG_OK);
    assert_int_equal(rules_get(rules, "k", RULES_NOW), LSIG_OK);
    assert_string_equal(rules->json, "{\"text\":\"gr\xc3\xbc\xc3\x9f\"}");
    assert_int_equal(rules->count, 1);
    assert_string_equal(rules->keys[0], "k");
}

void what_was_never_written_is_not_found(void **state)
{
    struct document_rules *rules = *state;
    assert_int_equal(rules_get(rules, "k", RULES_NOW), LSIG_NOT_FOUND);
    assert_int_equal(rules->count, 0);
    assert_int_equal(count(rules, "k", RULES_NOW), LSIG_NOT_FOUND);
    assert_int_equal(remove_key(rules, "k", RULES_NOW), LSIG_NOT_FOUND);
    assert_string_equal(list(rules, "", "", 10), "");
}

void writing_again_replaces_and_if_absent_does_not(void **state)
{
    struct document_rules *rules = *state;
    assert_int_equal(put_with(rules, "k", "1", 0, true), LSIG_OK);
    assert_int_equal(put_with(rules, "k", "2", 0, true), LSIG_EXISTS);
    assert_int_equal(rules_get(rules, "k", RULES_NOW), LSIG_OK);
    assert_string_equal(rules->json, "1");
    assert_int_equal(rules_put(rules, "k", "3"), LSIG_OK);
    assert_int_equal(rules_get(rules, "k", RULES_NOW), LSIG_OK);
    assert_string_equal(rules->json, "3");
}

void what_is_removed_is_gone_with_its_counter(void **state)
{
    struct document_rules *rules = *state;
    assert_int_equal(rules_put(rules, "k", "1"), LSIG_OK);
    assert_int_equal(rules_incr(rules, "k", 5), LSIG_OK);
    assert_int_equal(remove_key(rules, "k", RULES_NOW), LSIG_OK);
    assert_int_equal(rules_get(rules, "k", RULES_NOW), LSIG_NOT_FOUND);
    assert_int_equal(count(rules, "k", RULES_NOW), LSIG_NOT_FOUND);
    assert_int_equal(rules_incr(rules, "k", 1), LSIG_OK);
    assert_int_equal(rules->number, 1);
    assert_int_equal(remove_key(rules, "k", RULES_NOW), LSIG_OK); // the counter alone
    assert_int_equal(put_with(rules, "k", "1", RULES_NOW + 5, false), LSIG_OK);
    assert_int_equal(remove_key(rules, "k", RULES_NOW + 5), LSIG_NOT_FOUND);
}

void collections_know_nothing_of_each_other(void **state)
{
    struct document_rules *rules = *state;
    assert_int_equal(rules_put(rules, "k", "1"), LSIG_OK);
    struct lsig_document_name other = {lsig_span_of("other"), lsig_span_of("k"), RULES_NOW};
    rules->store.get(rules->store.self, &other, call_of(rules));
    assert_int_equal(wait_for(rules), LSIG_NOT_FOUND);
    struct lsig_document_query query = {
        .collection = lsig_span_of("note"), .limit = 10, .now_ms = RULES_NOW};
    rules->store.list(rules->store.self, &query, call_of(rules));
    assert_int_equal(wait_for(rules), LSIG_OK);
    assert_int_equal(rules->count, 0);
}

void what_has_expired_is_not_there(void **state)
{
    struct document_rules *rules = *state;
    assert_int_equal(put_with(rules, "k", "1", RULES_NOW + 100, false), LSIG_OK);
    assert_int_equal(rules_get(rules, "k", RULES_NOW + 99), LSIG_OK);
    assert_int_equal(rules_get(rules, "k", RULES_NOW + 100), LSIG_NOT_FOUND);
    assert_int_equal(put_with(rules, "old", "1", RULES_NOW - 1, false), LSIG_OK);
    assert_string_equal(list(rules, "", "", 10), "k");
    assert_int_equal(put_with(rules, "old", "2", 0, true), LSIG_OK); // there is none
    assert_int_equal(rules_get(rules, "old", RULES_NOW + 100), LSIG_OK);
    assert_string_equal(rules->json, "2"); // and the new one does not end
}

void a_list_has_the_keys_of_a_prefix_in_order_of_their_bytes(void **state)
{
    struct document_rules *rules = *state;
    static const char *const keys[] = {"b", "a:2", "a:10", "a;", "a", "\xc3\xa9", "A:1", "a:"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        assert_int_equal(rules_put(rules, keys[i], "{}"), LSIG_OK);
    }
    assert_string_equal(list(rules, "", "", 1000), "A:1,a,a:,a:10,a:2,a;,b,\xc3\xa9");
    assert_string_equal(list(rules, "a:", "", 1000), "a:,a:10,a:2");
    assert_string_equal(list(rules, "\xc3\xa9", "", 1000), "\xc3\xa9");
    assert_string_equal(list(rules, "c", "", 1000), "");
    assert_string_equal(list(rules, "a:", "", 2), "a:,a:10");
}

void a_list_goes_on_behind_a_key_until_nothing_is_left(void **state)
{
    struct document_rules *rules = *state;
    static const char *const keys[] = {"a", "p", "p1", "p10", "p2", "q"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        assert_int_equal(rules_put(rules, keys[i], "{}"), LSIG_OK);
    }
    assert_string_equal(list(rules, "p", "p1", 10), "p10,p2");
    assert_string_equal(list(rules, "p", "p", 10), "p1,p10,p2");
    assert_string_equal(list(rules, "p", "a", 10), "p,p1,p10,p2");
    assert_string_equal(list(rules, "p", "p2", 10), "");
    assert_string_equal(list(rules, "p", "z", 10), "");
    assert_string_equal(list(rules, "", "p2", 10), "q");
    assert_string_equal(list(rules, "p1", "p", 10), "p1,p10"); // a key that is no longer there
}

void a_list_ends_where_it_has_too_many_bytes(void **state)
{
    enum { EACH = 60000, FIT = LSIG_DOCUMENT_LIST_BYTES_MAX / EACH };
    struct document_rules *rules = *state;
    char *big = malloc(EACH + 1);
    memset(big, 'x', EACH);
    big[0] = big[EACH - 1] = '"';
    big[EACH] = '\0';
    for (int i = 0; i < FIT + 2; i++) {
        char key[2] = {(char)('a' + i), '\0'};
        assert_int_equal(rules_put(rules, key, big), LSIG_OK);
    }
    free(big);
    assert_string_equal(list(rules, "", "", 1000), "a,b,c,d");
    assert_string_equal(list(rules, "", "d", 1000), "e,f");
}

void a_counter_adds_up_and_can_be_read(void **state)
{
    struct document_rules *rules = *state;
    assert_int_equal(rules_incr(rules, "c", 3), LSIG_OK);
    assert_int_equal(rules->number, 3);
    assert_int_equal(rules_incr(rules, "c", -10), LSIG_OK);
    assert_int_equal(rules->number, -7);
    assert_int_equal(rules_incr(rules, "c", 0), LSIG_OK);
    assert_int_equal(count(rules, "c", RULES_NOW), LSIG_OK);
    assert_int_equal(rules->number, -7);
    assert_int_equal(rules_get(rules, "c", RULES_NOW), LSIG_NOT_FOUND); // it is no document
    assert_string_equal(list(rules, "", "", 10), "");
}

void a_counter_expires_from_its_beginning(void **state)
{
    struct document_rules *rules = *state;
    assert_int_equal(change(rules, "c", 1, RULES_NOW + 100, RULES_NOW), LSIG_OK);
    assert_int_equal(change(rules, "c", 1, RULES_NOW + 190, RULES_NOW + 90), LSIG_OK);
    assert_int_equal(rules->number, 2);
    assert_int_equal(count(rules, "c", RULES_NOW + 99), LSIG_OK);
    assert_int_equal(count(rules, "c", RULES_NOW + 100), LSIG_NOT_FOUND);
    assert_int_equal(change(rules, "c", 1, RULES_NOW + 300, RULES_NOW + 200), LSIG_OK);
    assert_int_equal(rules->number, 1);
    assert_int_equal(count(rules, "c", RULES_NOW + 299), LSIG_OK);
    assert_int_equal(count(rules, "c", RULES_NOW + 300), LSIG_NOT_FOUND);
}

void a_counter_never_leaves_what_a_number_holds(void **state)
{
    struct document_rules *rules = *state;
    assert_int_equal(rules_incr(rules, "c", LSIG_COUNTER_MAX), LSIG_OK);
    assert_int_equal(rules_incr(rules, "c", 1), LSIG_TOO_BIG);
    assert_int_equal(rules_incr(rules, "c", LSIG_COUNTER_MAX), LSIG_TOO_BIG);
    assert_int_equal(count(rules, "c", RULES_NOW), LSIG_OK);
    assert_true(rules->number == LSIG_COUNTER_MAX);
    assert_int_equal(rules_incr(rules, "c", -LSIG_COUNTER_MAX), LSIG_OK);
    assert_int_equal(rules_incr(rules, "c", -LSIG_COUNTER_MAX), LSIG_OK);
    assert_int_equal(rules_incr(rules, "c", -1), LSIG_TOO_BIG);
    assert_int_equal(count(rules, "c", RULES_NOW), LSIG_OK);
    assert_true(rules->number == -LSIG_COUNTER_MAX);
}

void keys_and_documents_have_their_full_length(void **state)
{
    struct document_rules *rules = *state;
    char key[LSIG_DOCUMENT_KEY_MAX + 1];
    char *json = malloc(LSIG_DOCUMENT_BYTES_MAX + 1);
    memset(key, 'k', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    memset(json, 'x', LSIG_DOCUMENT_BYTES_MAX);
    json[0] = json[LSIG_DOCUMENT_BYTES_MAX - 1] = '"';
    json[LSIG_DOCUMENT_BYTES_MAX] = '\0';
    assert_int_equal(rules_put(rules, key, json), LSIG_OK);
    assert_int_equal(rules_get(rules, key, RULES_NOW), LSIG_OK);
    assert_string_equal(rules->json, json);
    list(rules, key, "", 10);
    assert_int_equal(rules->count, 1);
    list(rules, "", key, 10);
    assert_int_equal(rules->count, 0);
    free(json);
}

void calls_take_effect_in_order(void **state)
{
    enum { ROUNDS = 100 };
    struct document_rules *rules = *state;
    struct lsig_document_store *store = &rules->store;
    struct lsig_document_name name = name_of(rules, "k", RULES_NOW);
    for (int i = 0; i < ROUNDS; i++) {
        char json[16];
        snprintf(json, sizeof(json), "%d", i);
        struct lsig_document_write write = {lsig_span_of(json), 0, false};
        struct lsig_counter_change counter = {1, 0};
        store->put(store->self, &name, &write, call_of(rules));
        store->incr(store->self, &name, &counter, call_of(rules));
    }
    assert_int_equal(rules->done, 0);
    while (rules->done < 2 * ROUNDS) {
        rules->turn(rules);
    }
    assert_int_equal(rules->number, ROUNDS);
    assert_int_equal(rules_get(rules, "k", RULES_NOW), LSIG_OK);
    assert_string_equal(rules->json, "99");
}

void above_1000_waiting_calls_it_is_busy(void **state)
{
    struct document_rules *rules = *state;
    struct lsig_document_store *store = &rules->store;
    struct lsig_document_name name = name_of(rules, "k", RULES_NOW);
    struct lsig_document_call call = {rules_on_done, rules};
    int accepted = 0;
    while (store->ready(store->self) == LSIG_OK) {
        store->get(store->self, &name, call);
        accepted++;
    }
    assert_int_equal(store->ready(store->self), LSIG_BUSY);
    assert_in_range(accepted, LSIG_DOCUMENT_WAITING_MAX, LSIG_DOCUMENT_WAITING_MAX + 1);
    while (rules->done < accepted) {
        rules->turn(rules);
    }
    assert_int_equal(store->ready(store->self), LSIG_OK);
}

void all_is_there_after_a_restart(void **state)
{
    struct document_rules *rules = *state;
    assert_int_equal(put_with(rules, "k", "{\"a\":1}", RULES_NOW + 100, false), LSIG_OK);
    assert_int_equal(rules_incr(rules, "k", 7), LSIG_OK);
    rules->reopen(rules);
    assert_int_equal(rules_get(rules, "k", RULES_NOW), LSIG_OK);
    assert_string_equal(rules->json, "{\"a\":1}");
    assert_int_equal(rules_get(rules, "k", RULES_NOW + 100), LSIG_NOT_FOUND);
    assert_int_equal(count(rules, "k", RULES_NOW), LSIG_OK);
    assert_int_equal(rules->number, 7);
}
