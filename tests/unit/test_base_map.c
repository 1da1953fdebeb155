#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/map.h"

enum { KEYS = 3000, STEPS = 60000 };

// The model: whether each of a fixed set of keys is there.
struct item {
    char name[16];
    size_t len;
    bool there;
};

static struct item items[KEYS];

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void make_items(void)
{
    for (size_t i = 0; i < KEYS; i++) {
        memset(&items[i], 0, sizeof(items[i]));
        // Of 4 to 12 bytes, most of them NUL.
        items[i].len = 4 + i % 9;
        memcpy(items[i].name, &i, 4);
    }
}

static struct lsig_span key_of(const struct item *item)
{
    return (struct lsig_span){item->name, item->len};
}

static void the_map_agrees_with_a_model_over_many_additions_and_removals(void **state)
{
    (void)state;
    struct lsig_map map;
    lsig_map_init(&map);
    make_items();
    uint32_t seed = 7;
    size_t count = 0;
    for (int step = 0; step < STEPS; step++) {
        // Waves: mostly adding for a while, then mostly removing, so that the table grows and
        // shrinks.
        bool growing = step / 10000 % 2 == 0;
        bool adding = (next_random(&seed) % 4 != 0) == growing;
        struct item *item = &items[next_random(&seed) % KEYS];
        assert_ptr_equal(lsig_map_find(&map, key_of(item)), item->there ? item : NULL);
        if (adding && !item->there) {
            lsig_map_add(&map, key_of(item), item);
            item->there = true;
            count++;
        } else if (!adding) {
            assert_ptr_equal(lsig_map_remove(&map, key_of(item)), item->there ? item : NULL);
            count -= item->there ? 1 : 0;
            item->there = false;
        }
        assert_int_equal(map.count, count);
    }
    for (size_t i = 0; i < KEYS; i++) {
        assert_ptr_equal(lsig_map_find(&map, key_of(&items[i])), items[i].there ? &items[i] : NULL);
    }
    lsig_map_clear(&map);
}

static void a_walk_meets_every_value_once(void **state)
{
    (void)state;
    struct lsig_map map;
    lsig_map_init(&map);
    make_items();
    for (size_t i = 0; i < KEYS; i++) {
        lsig_map_add(&map, key_of(&items[i]), &items[i]);
    }
    size_t cursor = 0;
    size_t met = 0;
    for (struct item *item; (item = lsig_map_next(&map, &cursor)) != NULL; met++) {
        assert_false(item->there);
        item->there = true;
    }
    assert_int_equal(met, KEYS);
    lsig_map_clear(&map);
}

static void an_emptied_map_gives_its_memory_back(void **state)
{
    (void)state;
    struct lsig_map map;
    lsig_map_init(&map);
    make_items();
    for (size_t i = 0; i < KEYS; i++) {
        lsig_map_add(&map, key_of(&items[i]), &items[i]);
    }
    size_t grown = map.capacity;
    for (size_t i = 0; i < KEYS; i++) {
        assert_ptr_equal(lsig_map_remove(&map, key_of(&items[i])), &items[i]);
    }
    assert_true(grown >= KEYS);
    assert_true(map.capacity <= 16);
    lsig_map_clear(&map);
}

static void an_empty_map_finds_removes_and_walks_nothing(void **state)
{
    (void)state;
    struct lsig_map map;
    size_t cursor = 0;
    lsig_map_init(&map);
    assert_null(lsig_map_find(&map, lsig_span_of("a")));
    assert_null(lsig_map_remove(&map, lsig_span_of("a")));
    assert_null(lsig_map_next(&map, &cursor));
    lsig_map_clear(&map);
}

static void keys_are_bytes_and_may_be_empty(void **state)
{
    (void)state;
    struct lsig_map map;
    int one;
    int two;
    int none;
    lsig_map_init(&map);
    lsig_map_add(&map, (struct lsig_span){"a\0b", 3}, &one);
    lsig_map_add(&map, (struct lsig_span){"a\0c", 3}, &two);
    lsig_map_add(&map, lsig_span_of(""), &none);
    assert_ptr_equal(lsig_map_find(&map, (struct lsig_span){"a\0b", 3}), &one);
    assert_ptr_equal(lsig_map_find(&map, (struct lsig_span){"a\0c", 3}), &two);
    assert_ptr_equal(lsig_map_find(&map, lsig_span_of("")), &none);
    assert_null(lsig_map_find(&map, lsig_span_of("a")));
    lsig_map_clear(&map);
}

static void each_map_hashes_in_its_own_way(void **state)
{
    (void)state;
    struct lsig_map a;
    struct lsig_map b;
    lsig_map_init(&a);
    lsig_map_init(&b);
    assert_memory_not_equal(a.seed, b.seed, sizeof(a.seed));
    lsig_map_clear(&a);
    lsig_map_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_map_agrees_with_a_model_over_many_additions_and_removals),
        cmocka_unit_test(a_walk_meets_every_value_once),
        cmocka_unit_test(an_emptied_map_gives_its_memory_back),
        cmocka_unit_test(an_empty_map_finds_removes_and_walks_nothing),
        cmocka_unit_test(keys_are_bytes_and_may_be_empty),
        cmocka_unit_test(each_map_hashes_in_its_own_way),
    };
    return cmocka_run_group_tests_name("base/map", tests, NULL, NULL);
}
