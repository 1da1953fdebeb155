#include "test_room_fixture.h"

#include "room/kept.h"

static void keep(struct lsig_room *room,
                 enum lsig_keep how,
                 const char *type,
                 const char *user,
                 const char *payload)
{
    struct lsig_kept_source source = {
        .type = lsig_span_of(type),
        .user_id = {user, user != NULL ? strlen(user) : 0},
        .timestamp = lsig_span_of("2026-11-23T00:00:00.000Z"),
        .payload = lsig_span_of(payload),
    };
    lsig_kept_add(room, how, 3, &source);
}

// All of them, the oldest first, as "type:payload ".
static void holds(const struct lsig_room *room, const char *wanted)
{
    char text[256] = "";
    size_t len = 0;
    size_t bytes = 0;
    const struct lsig_kept_message *older = NULL;
    const struct lsig_kept_message *at = lsig_kept_oldest(room);
    for (; at != NULL; at = at->newer) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s:%s ", at->type, at->payload);
        assert_ptr_equal(at->older, older);
        older = at;
        bytes += at->bytes;
    }
    assert_string_equal(text, wanted);
    assert_int_equal(lsig_kept_bytes(room), bytes);
}

static void latest_keeps_one_of_its_type(void **state)
{
    struct place *place = *state;
    keep(place->room, LSIG_KEEP_LATEST, "slide", "ann", "1");
    keep(place->room, LSIG_KEEP_LATEST, "mood", "ann", "2");
    keep(place->room, LSIG_KEEP_LATEST, "slide", "bob", "3");
    holds(place->room, "mood:2 slide:3 ");
    lsig_kept_clear(place->room);
    holds(place->room, "");
}

static void latest_per_user_keeps_one_for_each_and_forgets_who_leaves(void **state)
{
    struct place *place = *state;
    keep(place->room, LSIG_KEEP_LATEST_PER_USER, "mood", "ann", "1");
    keep(place->room, LSIG_KEEP_LATEST_PER_USER, "mood", "bob", "2");
    keep(place->room, LSIG_KEEP_LATEST_PER_USER, "mood", NULL, "3");
    keep(place->room, LSIG_KEEP_LATEST_PER_USER, "mood", "ann", "4");
    keep(place->room, LSIG_KEEP_LATEST_PER_USER, "mood", NULL, "5");
    keep(place->room, LSIG_KEEP_LATEST, "slide", "ann", "6");
    holds(place->room, "mood:2 mood:4 mood:5 slide:6 ");
    lsig_kept_drop_user(place->room, lsig_span_of("ann"));
    holds(place->room, "mood:2 mood:5 slide:6 ");
    lsig_kept_drop_type(place->room, lsig_span_of("mood"));
    holds(place->room, "slide:6 ");
    lsig_kept_clear(place->room);
}

static void a_log_keeps_the_newest_n(void **state)
{
    struct place *place = *state;
    keep(place->room, LSIG_KEEP_LATEST, "slide", "ann", "0");
    const char *const payloads[] = {"1", "2", "3", "4", "5"};
    for (size_t i = 0; i < 5; i++) {
        keep(place->room, LSIG_KEEP_LOG, "say", "ann", payloads[i]);
    }
    holds(place->room, "slide:0 say:3 say:4 say:5 ");
    lsig_kept_clear(place->room);
}

static void above_the_bound_the_oldest_go(void **state)
{
    struct place *place = *state;
    struct lsig_room_bounds bounds = {.state_bytes = 100, .keep_bytes = 250, .timers_max = 1};
    lsig_hub_set_bounds(place->hub, &bounds);
    keep(place->room, LSIG_KEEP_LOG, "a", "ann", "1");
    keep(place->room, LSIG_KEEP_LOG, "b", "ann", "2");
    keep(place->room, LSIG_KEEP_LOG, "c", "ann", "3");
    holds(place->room, "b:2 c:3 ");
    assert_true(lsig_kept_bytes(place->room) <= 250);
    char large[300];
    memset(large, '1', sizeof(large));
    large[299] = '\0';
    keep(place->room, LSIG_KEEP_LATEST, "c", "ann", large); // replaces, and does not fit itself
    holds(place->room, "b:2 ");
    lsig_kept_clear(place->room);
    assert_int_equal(lsig_kept_bytes(place->room), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(latest_keeps_one_of_its_type),
        room_test(latest_per_user_keeps_one_for_each_and_forgets_who_leaves),
        room_test(a_log_keeps_the_newest_n),
        room_test(above_the_bound_the_oldest_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
