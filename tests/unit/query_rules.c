#include "query_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_done(void *arg, const struct lsig_query_outcome *outcome)
{
    struct query_rules *rules = arg;
    size_t len = 0;
    rules->done++;
    rules->end = outcome->end;
    rules->count = outcome->count;
    rules->number = outcome->number;
    rules->made = outcome->made;
    rules->found[0] = '\0';
    snprintf(rules->id, sizeof(rules->id), "%s", outcome->id != NULL ? outcome->id : "");
    assert_int_equal(outcome->error != NULL, outcome->end != LSIG_QUERY_OK);
    for (size_t i = 0; i < outcome->count && len < sizeof(rules->found) / 2; i++) {
        len += (size_t)snprintf(rules->found + len, sizeof(rules->found) - len, "%.*s",
                                LSIG_SPAN_ARG(outcome->documents[i]));
    }
}

enum lsig_query_end query_ask(struct query_rules *rules, const struct lsig_query *query)
{
    int before = rules->done;
    assert_int_equal(rules->store.ready(rules->store.self), LSIG_OK);
    rules->store.ask(rules->store.self, query, (struct lsig_query_call){on_done, rules});
    assert_int_equal(rules->done, before); // never before the call has returned
    while (rules->done == before) {
        rules->turn(rules);
    }
    return rules->end;
}

static struct lsig_query query_of(enum lsig_query_kind kind, const char *filter, const char *change)
{
    return (struct lsig_query){
        .kind = kind,
        .collection = lsig_span_of("notes"),
        .filter = lsig_span_of(filter),
        .change = lsig_span_of(change),
        .limit = 1000,
        .time_ms = 5000,
    };
}

enum lsig_query_end query_insert(struct query_rules *rules, const char *document)
{
    struct lsig_query query = query_of(LSIG_QUERY_INSERT, "", document);
    return query_ask(rules, &query);
}

size_t
query_find(struct query_rules *rules, const char *filter, const char *sort, const char *projection)
{
    struct lsig_query query = query_of(LSIG_QUERY_FIND, filter, "");
    query.sort = lsig_span_of(sort);
    query.projection = lsig_span_of(projection);
    assert_int_equal(query_ask(rules, &query), LSIG_QUERY_OK);
    size_t found = rules->count;
    query.kind = LSIG_QUERY_COUNT;
    char documents[sizeof(rules->found)];
    memcpy(documents, rules->found, sizeof(documents));
    assert_int_equal(query_ask(rules, &query), LSIG_QUERY_OK);
    assert_int_equal(rules->number, found);
    memcpy(rules->found, documents, sizeof(documents));
    return found;
}

static enum lsig_query_end
update(struct query_rules *rules, const char *filter, const char *change, bool many, bool upsert)
{
    struct lsig_query query = query_of(LSIG_QUERY_UPDATE, filter, change);
    query.many = many;
    query.upsert = upsert;
    return query_ask(rules, &query);
}

// The names "n" of those that match, in the order of their names.
static const char *names(struct query_rules *rules, const char *filter)
{
    query_find(rules, filter, "{\"n\":1}", "{\"n\":1,\"_id\":0}");
    char *out = rules->found;
    for (const char *at = rules->found; *at != '\0'; at++) {
        if (strchr("{}\":n", *at) == NULL) {
            *out++ = *at;
        }
    }
    *out = '\0';
    return rules->found;
}

static void insert_all(struct query_rules *rules, const char *const *documents)
{
    for (; *documents != NULL; documents++) {
        assert_int_equal(query_insert(rules, *documents), LSIG_QUERY_OK);
    }
}

void a_document_is_found_as_it_was_inserted(void **state)
{
    struct query_rules *rules = *state;
    static const char document[] =
        "{\"_id\":\"k\",\"text\":\"gr\xc3\xbc\xc3\x9f \\\"x\\\"\\n\",\"n\":-3,\"half\":0.5,"
        "\"big\":9007199254740991,\"yes\":true,\"nothing\":null,\"list\":[1,{\"a\":{}},\"x\"]}";
    assert_int_equal(query_insert(rules, document), LSIG_QUERY_OK);
    assert_string_equal(rules->id, "");
    assert_int_equal(query_find(rules, "{}", "", ""), 1);
    assert_string_equal(rules->found, document);
}

void a_document_gets_an_id_unless_it_has_one(void **state)
{
    struct query_rules *rules = *state;
    char filter[80];
    assert_int_equal(query_insert(rules, "{}"), LSIG_QUERY_OK);
    assert_int_equal(query_insert(rules, "{\"a\":1}"), LSIG_QUERY_OK);
    assert_int_equal(strlen(rules->id), 24);
    snprintf(filter, sizeof(filter), "{\"_id\":{\"$eq\":{\"$oid\":\"%s\"}}}", rules->id);
    assert_int_equal(query_find(rules, filter, "", "{\"_id\":0}"), 1);
    assert_string_equal(rules->found, "{\"a\":1}");
}

void ids_and_dates_are_told_from_texts_and_numbers(void **state)
{
    struct query_rules *rules = *state;
    static const char *const documents[] = {
        "{\"_id\":\"1\",\"v\":{\"$oid\":\"0123456789abcdef01234567\"},\"d\":{\"$date\":-5}}",
        "{\"_id\":\"2\",\"v\":\"0123456789abcdef01234567\",\"d\":-5}", NULL};
    insert_all(rules, documents);
    assert_int_equal(query_find(rules, "{\"v\":{\"$eq\":{\"$oid\":\"0123456789abcdef01234567\"}}}",
                                "", "{\"v\":1}"),
                     1);
    assert_string_equal(rules->found, "{\"_id\":\"1\",\"v\":\"0123456789abcdef01234567\"}");
    assert_int_equal(query_find(rules, "{\"d\":{\"$lt\":{\"$date\":0}}}", "", "{\"d\":1}"), 1);
    assert_string_equal(rules->found, "{\"_id\":\"1\",\"d\":-5}");
    assert_int_equal(query_find(rules, "{\"d\":{\"$lt\":0}}", "", "{\"d\":1}"), 1);
    assert_string_equal(rules->found, "{\"_id\":\"2\",\"d\":-5}");
}

void filters_compare_values_of_one_type(void **state)
{
    struct query_rules *rules = *state;
    static const char *const documents[] = {"{\"n\":1,\"v\":5}",
                                            "{\"n\":2,\"v\":7.5}",
                                            "{\"n\":3,\"v\":\"7\"}",
                                            "{\"n\":4,\"v\":\"apple\"}",
                                            "{\"n\":5,\"v\":true}",
                                            "{\"n\":6}",
                                            NULL};
    insert_all(rules, documents);
    assert_string_equal(names(rules, "{\"v\":{\"$eq\":5}}"), "1");
    assert_string_equal(names(rules, "{\"v\":{\"$gt\":5}}"), "2");
    assert_string_equal(names(rules, "{\"v\":{\"$gte\":5}}"), "12");
    assert_string_equal(names(rules, "{\"v\":{\"$lt\":7.5}}"), "1");
    assert_string_equal(names(rules, "{\"v\":{\"$lte\":7.5}}"), "12");
    assert_string_equal(names(rules, "{\"v\":{\"$gte\":5,\"$lt\":6}}"), "1");
    assert_string_equal(names(rules, "{\"v\":{\"$gt\":\"7\"}}"), "4");
    assert_string_equal(names(rules, "{\"v\":{\"$ne\":5}}"), "23456");
    assert_string_equal(names(rules, "{\"v\":{\"$in\":[5,\"7\",true]}}"), "135");
    assert_string_equal(names(rules, "{\"v\":{\"$nin\":[5,\"7\",true]}}"), "246");
    assert_string_equal(names(rules, "{\"v\":{\"$exists\":true}}"), "12345");
    assert_string_equal(names(rules, "{\"v\":{\"$exists\":false}}"), "6");
    assert_string_equal(names(rules, "{\"v\":{\"$in\":[]}}"), "");
    assert_string_equal(names(rules, "{\"v\":{\"$gt\":0},\"n\":{\"$gt\":1}}"), "2");
}

void a_filter_holds_for_some_element_of_a_list(void **state)
{
    struct query_rules *rules = *state;
    static const char *const documents[] = {"{\"n\":1,\"v\":[1,9]}", "{\"n\":2,\"v\":[2,3]}",
                                            "{\"n\":3,\"v\":[]}", NULL};
    insert_all(rules, documents);
    assert_string_equal(names(rules, "{\"v\":{\"$eq\":9}}"), "1");
    assert_string_equal(names(rules, "{\"v\":{\"$ne\":9}}"), "23");
    assert_string_equal(names(rules, "{\"v\":{\"$gt\":2}}"), "12");
    assert_string_equal(names(rules, "{\"v\":{\"$in\":[3,4]}}"), "2");
    assert_string_equal(names(rules, "{\"v.1\":{\"$eq\":3}}"), "2");
}

void null_is_also_what_is_missing(void **state)
{
    struct query_rules *rules = *state;
    static const char *const documents[] = {"{\"n\":1,\"v\":null}", "{\"n\":2}",
                                            "{\"n\":3,\"v\":0}", NULL};
    insert_all(rules, documents);
    assert_string_equal(names(rules, "{\"v\":{\"$eq\":null}}"), "12");
    assert_string_equal(names(rules, "{\"v\":{\"$ne\":null}}"), "3");
    assert_string_equal(names(rules, "{\"v\":{\"$in\":[null,0]}}"), "123");
    assert_string_equal(names(rules, "{\"v\":{\"$exists\":true}}"), "13");
}

void paths_go_into_objects_and_their_lists(void **state)
{
    struct query_rules *rules = *state;
    static const char *const documents[] = {"{\"n\":1,\"a\":{\"b\":{\"c\":1}}}",
                                            "{\"n\":2,\"a\":{\"b\":[{\"c\":1},{\"c\":2}]}}",
                                            "{\"n\":3,\"a\":{\"b\":2}}", NULL};
    insert_all(rules, documents);
    assert_string_equal(names(rules, "{\"a.b.c\":{\"$eq\":1}}"), "12");
    assert_string_equal(names(rules, "{\"a.b.c\":{\"$exists\":false}}"), "3");
    assert_string_equal(names(rules, "{\"a.b\":{\"$eq\":2}}"), "3");
}

void documents_come_in_order_and_not_too_many(void **state)
{
    struct query_rules *rules = *state;
    static const char *const documents[] = {"{\"_id\":1,\"a\":2,\"b\":\"x\"}",
                                            "{\"_id\":2,\"a\":1,\"b\":\"x\"}",
                                            "{\"_id\":3,\"a\":2,\"b\":\"w\"}", "{\"_id\":4}", NULL};
    insert_all(rules, documents);
    query_find(rules, "{}", "{\"a\":1,\"b\":1}", "{\"_id\":1}");
    assert_string_equal(rules->found, "{\"_id\":4}{\"_id\":2}{\"_id\":3}{\"_id\":1}");
    struct lsig_query query = query_of(LSIG_QUERY_FIND, "{}", "");
    query.sort = lsig_span_of("{\"a\":-1,\"b\":-1}");
    query.projection = lsig_span_of("{\"_id\":1}");
    query.limit = 2;
    assert_int_equal(query_ask(rules, &query), LSIG_QUERY_OK);
    assert_string_equal(rules->found, "{\"_id\":1}{\"_id\":3}");
}

void a_projection_takes_fields_or_leaves_them_out(void **state)
{
    struct query_rules *rules = *state;
    assert_int_equal(query_insert(rules, "{\"_id\":1,\"a\":{\"b\":1,\"c\":2},\"d\":3}"),
                     LSIG_QUERY_OK);
    query_find(rules, "{}", "", "{\"a.b\":1}");
    assert_string_equal(rules->found, "{\"_id\":1,\"a\":{\"b\":1}}");
    query_find(rules, "{}", "", "{\"a.b\":0}");
    assert_string_equal(rules->found, "{\"_id\":1,\"a\":{\"c\":2},\"d\":3}");
    query_find(rules, "{}", "", "{\"d\":1,\"_id\":0}");
    assert_string_equal(rules->found, "{\"d\":3}");
    query_find(rules, "{}", "", "{\"_id\":0}");
    assert_string_equal(rules->found, "{\"a\":{\"b\":1,\"c\":2},\"d\":3}");
}

void an_update_changes_one_or_many(void **state)
{
    struct query_rules *rules = *state;
    static const char *const documents[] = {"{\"_id\":1,\"n\":1,\"old\":0}",
                                            "{\"_id\":2,\"n\":5,\"old\":0}", NULL};
    insert_all(rules, documents);
    assert_int_equal(update(rules, "{\"n\":{\"$gt\":0}}",
                            "{\"$set\":{\"a.b\":\"x\"},\"$inc\":{\"n\":2,\"new\":1},"
                            "\"$unset\":{\"old\":\"\"}}",
                            true, false),
                     LSIG_QUERY_OK);
    assert_int_equal(rules->number, 2);
    assert_false(rules->made);
    query_find(rules, "{\"new\":{\"$eq\":1},\"a.b\":{\"$eq\":\"x\"}}", "{\"_id\":1}",
               "{\"n\":1,\"old\":1}");
    assert_string_equal(rules->found, "{\"_id\":1,\"n\":3}{\"_id\":2,\"n\":7}");
    assert_int_equal(update(rules, "{}", "{\"$set\":{\"one\":true}}", false, false), LSIG_QUERY_OK);
    assert_int_equal(rules->number, 1);
    assert_int_equal(query_find(rules, "{\"one\":{\"$eq\":true}}", "", ""), 1);
    assert_int_equal(update(rules, "{\"n\":{\"$eq\":99}}", "{\"$set\":{\"x\":1}}", false, false),
                     LSIG_QUERY_OK);
    assert_int_equal(rules->number, 0);
}

void an_upsert_makes_what_is_not_there(void **state)
{
    struct query_rules *rules = *state;
    static const char filter[] = "{\"_id\":{\"$eq\":\"k\"},\"n\":{\"$gte\":0}}";
    assert_int_equal(
        update(rules, "{\"_id\":{\"$eq\":\"k\"}}", "{\"$inc\":{\"n\":1}}", false, true),
        LSIG_QUERY_OK);
    assert_true(rules->made);
    assert_int_equal(rules->number, 0);
    assert_int_equal(update(rules, filter, "{\"$inc\":{\"n\":1}}", false, true), LSIG_QUERY_OK);
    assert_false(rules->made);
    assert_int_equal(rules->number, 1);
    query_find(rules, "{}", "", "");
    assert_string_equal(rules->found, "{\"_id\":\"k\",\"n\":2}");
}

void a_delete_removes_one_or_many(void **state)
{
    struct query_rules *rules = *state;
    static const char *const documents[] = {"{\"n\":1}", "{\"n\":2}", "{\"n\":3}", "{\"n\":4}",
                                            NULL};
    insert_all(rules, documents);
    struct lsig_query query = query_of(LSIG_QUERY_DELETE, "{\"n\":{\"$gt\":1}}", "");
    assert_int_equal(query_ask(rules, &query), LSIG_QUERY_OK);
    assert_int_equal(rules->number, 1);
    assert_int_equal(query_find(rules, "{}", "", ""), 3);
    query.many = true;
    assert_int_equal(query_ask(rules, &query), LSIG_QUERY_OK);
    assert_int_equal(rules->number, 2);
    assert_string_equal(names(rules, "{}"), "1");
    assert_int_equal(query_ask(rules, &query), LSIG_QUERY_OK);
    assert_int_equal(rules->number, 0);
    assert_int_equal(query_insert(rules, "{\"n\":5}"), LSIG_QUERY_OK);
    assert_string_equal(names(rules, "{}"), "15");
}

void what_is_unique_is_a_duplicate_once(void **state)
{
    struct query_rules *rules = *state;
    assert_int_equal(query_insert(rules, "{\"_id\":\"k\",\"a\":1}"), LSIG_QUERY_OK);
    assert_int_equal(query_insert(rules, "{\"_id\":\"k\",\"a\":2}"), LSIG_QUERY_DUPLICATE);
    assert_int_equal(query_find(rules, "{}", "", ""), 1);
    assert_string_equal(rules->found, "{\"_id\":\"k\",\"a\":1}");
}

void a_change_that_makes_no_sense_is_refused(void **state)
{
    struct query_rules *rules = *state;
    assert_int_equal(query_insert(rules, "{\"_id\":1,\"text\":\"x\",\"n\":1}"), LSIG_QUERY_OK);
    assert_int_equal(update(rules, "{}", "{\"$inc\":{\"text\":1}}", false, false),
                     LSIG_QUERY_REFUSED);
    assert_int_equal(update(rules, "{}", "{\"$set\":{\"text.a\":1}}", false, false),
                     LSIG_QUERY_REFUSED);
    assert_int_equal(update(rules, "{}", "{\"$set\":{\"_id\":2}}", false, false),
                     LSIG_QUERY_REFUSED);
    query_find(rules, "{}", "", "");
    assert_string_equal(rules->found, "{\"_id\":1,\"text\":\"x\",\"n\":1}");
}

void credentials_are_never_found(void **state)
{
    struct query_rules *rules = *state;
    assert_int_equal(query_insert(rules, "{\"_id\":1,\"hashed_password\":\"x\","
                                         "\"a\":[{\"refresh_token\":\"x\",\"b\":1}]}"),
                     LSIG_QUERY_OK);
    query_find(rules, "{}", "", "");
    assert_string_equal(rules->found, "{\"_id\":1,\"a\":[{\"b\":1}]}");
    query_find(rules, "{}", "", "{\"b\":0}");
    assert_string_equal(rules->found, "{\"_id\":1,\"a\":[{\"b\":1}]}");
}

void what_has_too_many_bytes_is_too_large(void **state)
{
    enum { EACH = 60000, FIT = LSIG_QUERY_FOUND_BYTES_MAX / EACH };
    struct query_rules *rules = *state;
    char *big = malloc(EACH + 1);
    memset(big, 'x', EACH);
    memcpy(big, "{\"a\":\"", 6);
    memcpy(big + EACH - 2, "\"}", 3);
    for (int i = 0; i < FIT + 1; i++) {
        assert_int_equal(query_insert(rules, big), LSIG_QUERY_OK);
    }
    free(big);
    struct lsig_query query = query_of(LSIG_QUERY_FIND, "{}", "");
    assert_int_equal(query_ask(rules, &query), LSIG_QUERY_TOO_LARGE);
    assert_int_equal(rules->count, 0);
    query.limit = FIT;
    assert_int_equal(query_ask(rules, &query), LSIG_QUERY_OK);
    assert_int_equal(rules->count, FIT);
    query.limit = 1000;
    query.projection = lsig_span_of("{\"a\":0}");
    assert_int_equal(query_ask(rules, &query), LSIG_QUERY_OK);
    assert_int_equal(rules->count, FIT + 1);
}

void collections_are_apart(void **state)
{
    struct query_rules *rules = *state;
    assert_int_equal(query_insert(rules, "{\"_id\":1}"), LSIG_QUERY_OK);
    struct lsig_query query = query_of(LSIG_QUERY_FIND, "{}", "");
    query.collection = lsig_span_of("note");
    assert_int_equal(query_ask(rules, &query), LSIG_QUERY_OK);
    assert_int_equal(rules->count, 0);
    query.kind = LSIG_QUERY_DELETE;
    query.many = true;
    assert_int_equal(query_ask(rules, &query), LSIG_QUERY_OK);
    assert_int_equal(query_find(rules, "{}", "", ""), 1);
}

void above_1000_waiting_queries_it_is_busy(void **state)
{
    struct query_rules *rules = *state;
    struct lsig_query query = query_of(LSIG_QUERY_COUNT, "{}", "");
    int accepted = 0;
    while (rules->store.ready(rules->store.self) == LSIG_OK) {
        rules->store.ask(rules->store.self, &query, (struct lsig_query_call){on_done, rules});
        accepted++;
    }
    assert_int_equal(rules->store.ready(rules->store.self), LSIG_BUSY);
    assert_in_range(accepted, LSIG_QUERY_WAITING_MAX, LSIG_QUERY_WAITING_MAX + 1);
    while (rules->done < accepted) {
        rules->turn(rules);
        assert_int_equal(rules->end, LSIG_QUERY_OK);
    }
    assert_int_equal(rules->store.ready(rules->store.self), LSIG_OK);
}
