#include "test_room_fixture.h"

enum { ROOMS = 60, SIZES = 64 };

static int larger_first(const void *a, const void *b)
{
    return *(const int *)b - *(const int *)a;
}

// What is kept is what a walk over all rooms would find.
static void check(const struct lsig_ranking *ranking, const int counts[ROOMS])
{
    static const int ends[LSIG_ROOM_SIZE_COUNT] = {5, 10, 25, 50, 1000};
    const struct lsig_room *top[LSIG_RANKING_TOP_MAX];
    size_t wanted[LSIG_ROOM_SIZE_COUNT] = {0};
    int sorted[ROOMS];
    memcpy(sorted, counts, sizeof(sorted));
    qsort(sorted, ROOMS, sizeof(sorted[0]), larger_first);
    size_t occupied = 0;
    for (int i = 0; i < ROOMS; i++) {
        int size = 0;
        while (counts[i] > ends[size]) {
            size++;
        }
        wanted[size] += counts[i] > 0;
        occupied += counts[i] > 0;
    }
    assert_memory_equal(ranking->by_size, wanted, sizeof(wanted));
    size_t count = lsig_ranking_top(ranking, top);
    assert_int_equal(count, occupied < LSIG_RANKING_TOP_MAX ? occupied : LSIG_RANKING_TOP_MAX);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(top[i]->member_count, sorted[i]);
        for (size_t j = 0; j < i; j++) {
            assert_ptr_not_equal(top[i], top[j]);
        }
    }
}

static void rooms_that_grow_and_shrink_stay_in_their_order(void **state)
{
    (void)state;
    struct lsig_hub *hub = lsig_hub_new();
    static struct lsig_connection connections[ROOMS][SIZES];
    struct lsig_room *rooms[ROOMS];
    int counts[ROOMS] = {0};
    char name[16];
    unsigned seed = 7;
    memset(connections, 0, sizeof(connections));
    for (int i = 0; i < ROOMS; i++) {
        snprintf(name, sizeof(name), "r%d", i);
        rooms[i] = lsig_hub_open(hub, lsig_span_of(name));
    }
    check(lsig_hub_ranking(hub), counts);
    for (int step = 0; step < 20000; step++) {
        seed = seed * 1103515245 + 12345;
        int i = (int)(seed >> 16) % ROOMS;
        seed = seed * 1103515245 + 12345;
        bool grows = (int)(seed >> 16) % 100 < 45 + i / 5; // some become large
        if (grows && counts[i] < SIZES) {
            snprintf(name, sizeof(name), "u%d", counts[i]);
            enter(rooms[i], &connections[i][counts[i]++], name);
        } else if (!grows && counts[i] > 0) {
            leave(&connections[i][--counts[i]]);
        }
        if (step % 50 == 0) {
            check(lsig_hub_ranking(hub), counts);
        }
    }
    assert_true(lsig_hub_ranking(hub)->by_size[LSIG_ROOMS_ABOVE] > 0);
    for (int i = 0; i < ROOMS; i++) {
        while (counts[i] > 0) {
            leave(&connections[i][--counts[i]]);
        }
        lsig_room_unref(rooms[i]);
    }
    check(lsig_hub_ranking(hub), counts);
    lsig_hub_free(hub);
}

static void the_classes_have_the_names_of_the_protocol(void **state)
{
    (void)state;
    static const char *const names[] = {"1-5", "6-10", "11-25", "26-50", "51+"};
    for (int i = 0; i < LSIG_ROOM_SIZE_COUNT; i++) {
        assert_string_equal(lsig_ranking_size_name((enum lsig_room_size)i), names[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rooms_that_grow_and_shrink_stay_in_their_order),
        cmocka_unit_test(the_classes_have_the_names_of_the_protocol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
