// The database of a test holds what every document store does.
#include "document_rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "scenario/documents.h"

struct fixture {
    struct document_rules rules; // first
    struct lsig_documents documents;
};

static void turn(struct document_rules *rules)
{
    lsig_documents_turn(&((struct fixture *)rules)->documents);
}

// It lives as long as its test, and a test has no restart of the database.
static void reopen(struct document_rules *rules)
{
    turn(rules);
}

static int setup(void **state)
{
    struct fixture *f = lsig_alloc(sizeof(*f));
    f->rules.store = lsig_documents_store(&f->documents);
    f->rules.turn = turn;
    f->rules.reopen = reopen;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    while (lsig_documents_turn(&f->documents)) {
    }
    lsig_documents_clear(&f->documents);
    rules_clear(&f->rules);
    free(f);
    return 0;
}

static void a_store_that_is_down_changes_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(rules_put(&f->rules, "k", "1"), LSIG_OK);
    f->documents.fault = LSIG_DOCUMENTS_DOWN;
    assert_int_equal(rules_put(&f->rules, "k", "2"), LSIG_INTERNAL_ERROR);
    assert_int_equal(rules_get(&f->rules, "k", RULES_NOW), LSIG_INTERNAL_ERROR);
    f->documents.fault = LSIG_DOCUMENTS_UP;
    assert_int_equal(rules_get(&f->rules, "k", RULES_NOW), LSIG_OK);
    assert_string_equal(f->rules.json, "1");
}

static void on_answer(void *arg, const struct lsig_query_outcome *outcome)
{
    *(struct lsig_query_outcome *)arg = *outcome;
}

static enum lsig_query_end count_by(struct fixture *f, const char *filter, int64_t *number)
{
    struct lsig_query_outcome outcome = {.end = LSIG_QUERY_REFUSED};
    struct lsig_document_question question = {
        .query = {.kind = LSIG_QUERY_COUNT,
                  .collection = lsig_span_of("notes"),
                  .filter = lsig_span_of(filter)},
        .now_ms = RULES_NOW,
    };
    f->rules.store.ask(f->rules.store.self, &question,
                       (struct lsig_query_call){on_answer, &outcome});
    lsig_documents_turn(&f->documents);
    *number = outcome.number;
    return outcome.end;
}

static void a_search_looks_at_10000_documents_unless_it_says_where(void **state)
{
    struct fixture *f = *state;
    int64_t number;
    for (int i = 10000; i >= 0; i--) { // each is the first one
        char key[16];
        snprintf(key, sizeof(key), "%s%06d", i < 9000 ? "a" : "b", i);
        assert_int_equal(rules_put(&f->rules, key, "{\"n\":1}"), LSIG_OK);
    }
    assert_int_equal(count_by(f, "{}", &number), LSIG_QUERY_TOO_LARGE);
    assert_int_equal(count_by(f, "{\"_id\":{\"$gte\":\"b\"}}", &number), LSIG_QUERY_OK);
    assert_int_equal(number, 1001);
    assert_int_equal(count_by(f, "{\"_id\":{\"$lt\":\"b\"}}", &number), LSIG_QUERY_OK);
    assert_int_equal(number, 9000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define X(name) cmocka_unit_test_setup_teardown(name, setup, teardown),
        DOCUMENT_RULES(X)
#undef X
            cmocka_unit_test_setup_teardown(a_store_that_is_down_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_search_looks_at_10000_documents_unless_it_says_where,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
