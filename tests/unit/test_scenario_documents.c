// The database of a test holds what every document store does.
#include "document_rules.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
#define X(name) cmocka_unit_test_setup_teardown(name, setup, teardown),
        DOCUMENT_RULES(X)
#undef X
            cmocka_unit_test_setup_teardown(a_store_that_is_down_changes_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
