#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/heap.h"

enum { ITEMS = 500, ROUNDS = 20000 };

static struct lsig_heap_item *smallest_of(struct lsig_heap_item *items, const int *in)
{
    struct lsig_heap_item *best = NULL;
    for (int i = 0; i < ITEMS; i++) {
        if (in[i] && (best == NULL || items[i].due < best->due)) {
            best = &items[i];
        }
    }
    return best;
}

static void the_first_is_what_is_due_first_whatever_was_added_and_removed(void **state)
{
    (void)state;
    struct lsig_heap heap = {0};
    struct lsig_heap_item items[ITEMS];
    int in[ITEMS] = {0};
    srand(20261123);
    for (int round = 0; round < ROUNDS; round++) {
        int i = rand() % ITEMS;
        if (in[i]) {
            lsig_heap_remove(&heap, &items[i]);
        } else {
            lsig_heap_add(&heap, &items[i], rand() % 1000);
        }
        in[i] = !in[i];
        const struct lsig_heap_item *first = lsig_heap_first(&heap);
        const struct lsig_heap_item *wanted = smallest_of(items, in);
        assert_int_equal(first == NULL, wanted == NULL);
        if (first != NULL) {
            assert_int_equal(first->due, wanted->due);
        }
    }
    lsig_heap_clear(&heap);
}

static void an_empty_heap_has_no_first(void **state)
{
    (void)state;
    struct lsig_heap heap = {0};
    struct lsig_heap_item item;
    assert_null(lsig_heap_first(&heap));
    lsig_heap_add(&heap, &item, 7);
    assert_ptr_equal(lsig_heap_first(&heap), &item);
    lsig_heap_remove(&heap, &item);
    assert_null(lsig_heap_first(&heap));
    lsig_heap_clear(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_what_is_due_first_whatever_was_added_and_removed),
        cmocka_unit_test(an_empty_heap_has_no_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
