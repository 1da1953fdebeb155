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
        if (in[i] && (best == NULL || items[i].due < best->due ||
                      (items[i].due == best->due && items[i].order < best->order))) {
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
            lsig_heap_add(&heap, &items[i], rand() % 50);
        }
        in[i] = !in[i];
        const struct lsig_heap_item *first = lsig_heap_first(&heap);
        const struct lsig_heap_item *wanted = smallest_of(items, in);
        assert_int_equal(first == NULL, wanted == NULL);
        if (first != NULL) {
            assert_ptr_equal(first, wanted);
        }
    }
    lsig_heap_clear(&heap);
}

static void of_those_due_at_once_the_one_added_first_is_first(void **state)
{
    (void)state;
    struct lsig_heap heap = {0};
    struct lsig_heap_item items[ITEMS];
    for (int i = 0; i < ITEMS; i++) {
        lsig_heap_add(&heap, &items[i], i % 3);
    }
    for (int due = 0; due < 3; due++) {
        for (int i = due; i < ITEMS; i += 3) {
            assert_ptr_equal(lsig_heap_first(&heap), &items[i]);
            lsig_heap_remove(&heap, &items[i]);
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
        cmocka_unit_test(of_those_due_at_once_the_one_added_first_is_first),
        cmocka_unit_test(an_empty_heap_has_no_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
