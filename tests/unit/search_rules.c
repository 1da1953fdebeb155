// The rules of document_rules.h about questions: finding and changing documents by what they have.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document_rules.h"

enum { SOON = RULES_NOW + 1000 };

struct asking {
    int done;
    enum lsig_query_end end;
    size_t count;
    int64_t number;
    bool made;
    char id[40];
    char found[8192]; // what was found, one behind the other
};

static void on_answer(void *arg, const struct lsig_query_outcome *outcome)
{
    struct asking *asking = arg;
    size_t len = 0;
    asking->done++;
    asking->end = outcome->end;
    asking->count = outcome->count;
    asking->number = outcome->number;
    asking->made = outcome->made;
    snprintf(asking->id, sizeof(asking->id), "%s", outcome->id != NULL ? outcome->id : "");
    assert_int_equal(outcome->error != NULL, outcome->end != LSIG_QUERY_OK);
    for (size_t i = 0; i < outcome->count && len < sizeof(asking->found) / 2; i++) {
        len += (size_t)snprintf(asking->found + len, sizeof(asking->found) - len, "%.*s",
                                LSIG_SPAN_ARG(outcome->documents[i]));
    }
}

static struct lsig_document_question
question_of(struct document_rules *rules, enum lsig_query_kind kind, const char *filter)
{
    const char *collection = rules->collection != NULL ? rules->collection : "notes";
    return (struct lsig_document_question){
        .query = {.kind = kind,
                  .collection = lsig_span_of(collection),
                  .filter = lsig_span_of(filter),
                  .limit = 1000},
        .now_ms = RULES_NOW,
        .key = "0123456789abcdef0123456789abcdef",
    };
}

// Valid until the next one.
static const struct asking *ask(struct document_rules *rules,
                                const struct lsig_document_question *question)
{
    static struct asking asking;
    asking = (struct asking){.done = 0};
    assert_int_equal(rules->store.ready(rules->store.self), LSIG_OK);
    rules->store.ask(rules->store.self, question, (struct lsig_query_call){on_answer, &asking});
    assert_int_equal(asking.done, 0); // never before the call has returned
    while (asking.done == 0) {
        rules->turn(rules);
    }
    return &asking;
}

static const char *find_with(struct document_rules *rules,
                             const char *filter,
                             const char *sort,
                             const char *projection)
{
    struct lsig_document_question question = question_of(rules, LSIG_QUERY_FIND, filter);
    question.query.sort = lsig_span_of(sort);
    question.query.projection = lsig_span_of(projection);
    const struct asking *answer = ask(rules, &question);
    assert_int_equal(answer->end, LSIG_QUERY_OK);
    return answer->found;
}

static const char *find(struct document_rules *rules, const char *filter)
{
    return find_with(rules, filter, "", "{\"_id\":1}");
}

static int64_t count(struct document_rules *rules, const char *filter)
{
    struct lsig_document_question question = question_of(rules, LSIG_QUERY_COUNT, filter);
    return ask(rules, &question)->number;
}

static const struct asking *insert(struct document_rules *rules, const char *document)
{
    struct lsig_document_question question = question_of(rules, LSIG_QUERY_INSERT, "");
    question.query.change = lsig_span_of(document);
    return ask(rules, &question);
}

static const struct asking *
update(struct document_rules *rules, const char *filter, const char *change, bool many, bool upsert)
{
    struct lsig_document_question question = question_of(rules, LSIG_QUERY_UPDATE, filter);
    question.query.change = lsig_span_of(change);
    question.query.many = many;
    question.query.upsert = upsert;
    return ask(rules, &question);
}

static int64_t delete_by(struct document_rules *rules, const char *filter, bool many)
{
    struct lsig_document_question question = question_of(rules, LSIG_QUERY_DELETE, filter);
    question.query.many = many;
    return ask(rules, &question)->number;
}

static void assert_document(struct document_rules *rules, const char *key, const char *json)
{
    assert_int_equal(rules_get(rules, key, RULES_NOW), LSIG_OK);
    assert_string_equal(rules->json, json);
}

static void fill(struct document_rules *rules)
{
    rules_put(rules, "r1/1", "{\"by\":\"ann\",\"n\":3}");
    rules_put(rules, "r1/2", "{\"by\":\"bob\",\"n\":1}");
    rules_put(rules, "r2/1", "{\"by\":\"ann\",\"n\":2}");
    rules_put(rules, "list", "[1,2]"); // is in no answer
}

void documents_are_found_by_their_fields(void **state)
{
    struct document_rules *rules = *state;
    fill(rules);
    assert_string_equal(find(rules, "{\"by\":{\"$eq\":\"ann\"}}"),
                        "{\"_id\":\"r1/1\"}{\"_id\":\"r2/1\"}");
    assert_string_equal(find_with(rules, "{}", "{\"n\":1}", "{\"n\":1,\"_id\":0}"),
                        "{\"n\":1}{\"n\":2}{\"n\":3}");
    assert_string_equal(find_with(rules, "{\"n\":{\"$lt\":2}}", "", ""),
                        "{\"_id\":\"r1/2\",\"by\":\"bob\",\"n\":1}");
    assert_string_equal(find(rules, "{\"by\":{\"$eq\":\"max\"}}"), "");
    assert_int_equal(count(rules, "{}"), 3);
    assert_int_equal(count(rules, "{\"x\":{\"$eq\":null}}"), 3);
    struct lsig_document_question question = question_of(rules, LSIG_QUERY_FIND, "{}");
    question.query.limit = 2;
    assert_int_equal(ask(rules, &question)->count, 2);
}

void documents_are_found_by_ranges_of_their_keys(void **state)
{
    struct document_rules *rules = *state;
    fill(rules);
    assert_string_equal(find(rules, "{\"_id\":{\"$eq\":\"r1/2\"}}"), "{\"_id\":\"r1/2\"}");
    assert_string_equal(find(rules, "{\"_id\":{\"$gte\":\"r1/\",\"$lt\":\"r10\"}}"),
                        "{\"_id\":\"r1/1\"}{\"_id\":\"r1/2\"}");
    assert_string_equal(find(rules, "{\"_id\":{\"$gt\":\"r1/2\"}}"), "{\"_id\":\"r2/1\"}");
    assert_string_equal(find(rules, "{\"_id\":{\"$in\":[\"r2/1\",\"x\"]}}"), "{\"_id\":\"r2/1\"}");
    assert_string_equal(find(rules, "{\"_id\":{\"$eq\":5}}"), "");
}

void values_are_found_as_they_stand(void **state)
{
    static const char document[] =
        "{\"_id\":\"k\",\"password\":\"p\",\"list\":[1,{\"a\":null}],\"real\":1.5,"
        "\"text\":\"\\\"\\u00e4\\n\",\"yes\":true}";
    struct document_rules *rules = *state;
    assert_int_equal(insert(rules, document)->end, LSIG_QUERY_OK);
    const char *found = find_with(rules, "{\"password\":{\"$eq\":\"p\"}}", "", "");
    assert_non_null(strstr(found, "\"password\":\"p\""));
    assert_non_null(strstr(found, "\"list\":[1,{\"a\":null}]"));
    assert_non_null(strstr(found, "\"real\":1.5"));
}

void what_is_inserted_has_a_key_and_is_there_once(void **state)
{
    struct document_rules *rules = *state;
    const struct asking *answer = insert(rules, "{\"n\":1}");
    assert_int_equal(answer->end, LSIG_QUERY_OK);
    assert_string_equal(answer->id, "0123456789abcdef0123456789abcdef");
    assert_document(rules, "0123456789abcdef0123456789abcdef", "{\"n\":1}");
    answer = insert(rules, "{\"_id\":\"k\",\"n\":2}");
    assert_int_equal(answer->end, LSIG_QUERY_OK);
    assert_string_equal(answer->id, "");
    assert_int_equal(insert(rules, "{\"n\":3,\"_id\":\"k\"}")->end, LSIG_QUERY_DUPLICATE);
    assert_document(rules, "k", "{\"n\":2}");
    assert_int_equal(insert(rules, "{\"_id\":7}")->end, LSIG_QUERY_REFUSED);
    assert_int_equal(insert(rules, "{\"_id\":\"\"}")->end, LSIG_QUERY_REFUSED);
}

void a_search_changes_one_or_many(void **state)
{
    struct document_rules *rules = *state;
    fill(rules);
    const char *ann = "{\"by\":{\"$eq\":\"ann\"}}";
    assert_int_equal(update(rules, ann, "{\"$inc\":{\"n\":10}}", false, false)->number, 1);
    assert_document(rules, "r1/1", "{\"by\":\"ann\",\"n\":13}");
    assert_document(rules, "r2/1", "{\"by\":\"ann\",\"n\":2}");
    const char *change = "{\"$set\":{\"a.b\":true},\"$unset\":{\"n\":\"\"}}";
    assert_int_equal(update(rules, ann, change, true, false)->number, 2);
    assert_document(rules, "r2/1", "{\"by\":\"ann\",\"a\":{\"b\":true}}");
    assert_document(rules, "r1/2", "{\"by\":\"bob\",\"n\":1}");
    assert_int_equal(update(rules, "{\"by\":{\"$eq\":\"max\"}}", change, true, false)->number, 0);
    // Again in the same millisecond, and again.
    for (int i = 0; i < 5; i++) {
        const char *key = "{\"_id\":{\"$eq\":\"r1/2\"}}";
        assert_int_equal(update(rules, key, "{\"$inc\":{\"n\":1}}", false, false)->number, 1);
    }
    assert_document(rules, "r1/2", "{\"by\":\"bob\",\"n\":6}");
}

void a_change_keeps_the_end_of_a_document(void **state)
{
    struct document_rules *rules = *state;
    struct lsig_document_question question = question_of(rules, LSIG_QUERY_INSERT, "");
    question.query.change = lsig_span_of("{\"_id\":\"k\",\"n\":1}");
    question.expires_ms = SOON;
    assert_int_equal(ask(rules, &question)->end, LSIG_QUERY_OK);
    assert_int_equal(update(rules, "{}", "{\"$inc\":{\"n\":1}}", false, false)->number, 1);
    assert_int_equal(rules_get(rules, "k", SOON - 1), LSIG_OK);
    assert_string_equal(rules->json, "{\"n\":2}");
    assert_int_equal(rules_get(rules, "k", SOON), LSIG_NOT_FOUND);
}

void a_search_makes_what_is_not_there(void **state)
{
    struct document_rules *rules = *state;
    const char *filter = "{\"_id\":{\"$eq\":\"k\"},\"by\":{\"$eq\":\"ann\"},\"n\":{\"$gt\":0}}";
    const struct asking *answer = update(rules, filter, "{\"$inc\":{\"n\":1}}", false, true);
    assert_true(answer->end == LSIG_QUERY_OK && answer->made);
    assert_document(rules, "k", "{\"by\":\"ann\",\"n\":1}");
    answer = update(rules, filter, "{\"$inc\":{\"n\":1}}", false, true);
    assert_true(answer->end == LSIG_QUERY_OK && !answer->made && answer->number == 1);
    assert_document(rules, "k", "{\"by\":\"ann\",\"n\":2}");
    // There is one of that key, which the filter does not mean.
    const char *other = "{\"_id\":{\"$eq\":\"k\"},\"by\":{\"$eq\":\"bob\"}}";
    answer = update(rules, other, "{\"$inc\":{\"n\":1}}", false, true);
    assert_int_equal(answer->end, LSIG_QUERY_DUPLICATE);
    assert_true(update(rules, "{\"x\":{\"$eq\":1}}", "{\"$set\":{\"y\":2}}", false, true)->made);
    assert_document(rules, "0123456789abcdef0123456789abcdef", "{\"x\":1,\"y\":2}");
}

void a_search_deletes_one_or_many_and_no_counters(void **state)
{
    struct document_rules *rules = *state;
    fill(rules);
    rules_incr(rules, "r1/1", 5);
    assert_int_equal(delete_by(rules, "{\"by\":{\"$eq\":\"ann\"}}", false), 1);
    assert_int_equal(rules_get(rules, "r1/1", RULES_NOW), LSIG_NOT_FOUND);
    rules_incr(rules, "r1/1", 1);
    assert_int_equal(rules->number, 6);
    assert_int_equal(delete_by(rules, "{}", true), 2);
    assert_int_equal(count(rules, "{}"), 0);
    assert_int_equal(delete_by(rules, "{}", true), 0);
    assert_int_equal(rules_get(rules, "list", RULES_NOW), LSIG_OK);
}

void a_change_that_makes_no_sense_changes_nothing(void **state)
{
    struct document_rules *rules = *state;
    rules_put(rules, "k", "{\"by\":\"ann\"}");
    static const char *const changes[] = {
        "{\"$inc\":{\"by\":1}}",
        "{\"$set\":{\"by.name\":1}}",
        "{\"$set\":{\"_id\":\"other\"}}",
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        assert_int_equal(update(rules, "{}", changes[i], false, false)->end, LSIG_QUERY_REFUSED);
    }
    assert_document(rules, "k", "{\"by\":\"ann\"}");
}

void what_is_found_has_a_bound_of_bytes(void **state)
{
    struct document_rules *rules = *state;
    size_t size = 60000;
    char *json = malloc(size + 100);
    for (int i = 0; i < 6; i++) {
        char key[8];
        snprintf(key, sizeof(key), "k%d", i);
        int head = sprintf(json, "{\"n\":%d,\"text\":\"", i);
        memset(json + head, 'x', size);
        strcpy(json + head + size, "\"}");
        rules_put(rules, key, json);
    }
    free(json);
    struct lsig_document_question question = question_of(rules, LSIG_QUERY_FIND, "{}");
    assert_int_equal(ask(rules, &question)->end, LSIG_QUERY_TOO_LARGE);
    question.query.limit = 4;
    assert_int_equal(ask(rules, &question)->count, 4);
    question.query.limit = 1000;
    question.query.projection = lsig_span_of("{\"n\":1}");
    assert_int_equal(ask(rules, &question)->count, 6);
    assert_int_equal(count(rules, "{\"n\":{\"$gte\":2}}"), 4);
}

void a_search_looks_into_one_collection_without_what_has_expired(void **state)
{
    struct document_rules *rules = *state;
    fill(rules);
    struct lsig_document_question question = question_of(rules, LSIG_QUERY_INSERT, "");
    question.query.change = lsig_span_of("{\"_id\":\"over\"}");
    question.expires_ms = SOON;
    assert_int_equal(ask(rules, &question)->end, LSIG_QUERY_OK);
    question.query.collection = lsig_span_of("notes2");
    assert_int_equal(ask(rules, &question)->end, LSIG_QUERY_OK);
    assert_int_equal(count(rules, "{}"), 4);
    question = question_of(rules, LSIG_QUERY_COUNT, "{}");
    question.now_ms = SOON;
    assert_int_equal(ask(rules, &question)->number, 3);
}

void what_has_expired_can_be_made_anew(void **state)
{
    struct document_rules *rules = *state;
    struct lsig_document_question question = question_of(rules, LSIG_QUERY_INSERT, "");
    question.query.change = lsig_span_of("{\"_id\":\"k\"}");
    question.expires_ms = SOON;
    assert_int_equal(ask(rules, &question)->end, LSIG_QUERY_OK);
    assert_int_equal(ask(rules, &question)->end, LSIG_QUERY_DUPLICATE);
    question.now_ms = SOON;
    question.expires_ms = 0;
    assert_int_equal(ask(rules, &question)->end, LSIG_QUERY_OK);
    assert_int_equal(rules_get(rules, "k", SOON), LSIG_OK);
}
