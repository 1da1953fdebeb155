// What stands in a test for MongoDB holds what every query store does.
#include "query_rules.h"

#include "base/alloc.h"
#include "scenario/documents.h"

#include <stdlib.h>

struct fixture {
    struct query_rules rules; // first
    struct lsig_documents documents;
};

static void turn(struct query_rules *rules)
{
    lsig_documents_turn(&((struct fixture *)rules)->documents);
}

static int setup(void **state)
{
    struct fixture *f = lsig_alloc(sizeof(*f));
    f->rules.store = lsig_documents_queries(&f->documents);
    f->rules.turn = turn;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    while (lsig_documents_turn(&f->documents)) {
    }
    lsig_documents_clear(&f->documents);
    free(f);
    return 0;
}

static void one_that_is_down_is_unavailable_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    f->documents.fault = LSIG_DOCUMENTS_DOWN;
    assert_int_equal(query_insert(&f->rules, "{}"), LSIG_QUERY_UNAVAILABLE);
    f->documents.fault = LSIG_DOCUMENTS_UP;
    assert_int_equal(query_find(&f->rules, "{}", "", ""), 0);
}

static void names_and_addresses_of_users_are_unique(void **state)
{
    struct fixture *f = *state;
    struct lsig_query query = {.kind = LSIG_QUERY_INSERT, .collection = lsig_span_of("users")};
    query.change = lsig_span_of("{\"username\":\"ann\",\"email\":\"a@x\"}");
    assert_int_equal(query_ask(&f->rules, &query), LSIG_QUERY_OK);
    query.change = lsig_span_of("{\"username\":\"bob\",\"email\":\"a@x\"}");
    assert_int_equal(query_ask(&f->rules, &query), LSIG_QUERY_DUPLICATE);
    query.change = lsig_span_of("{\"username\":\"ann\",\"email\":\"b@x\"}");
    assert_int_equal(query_ask(&f->rules, &query), LSIG_QUERY_DUPLICATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define X(name) cmocka_unit_test_setup_teardown(name, setup, teardown),
        QUERY_RULES(X)
#undef X
            cmocka_unit_test_setup_teardown(one_that_is_down_is_unavailable_and_changes_nothing,
                                            setup, teardown),
        cmocka_unit_test_setup_teardown(names_and_addresses_of_users_are_unique, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
