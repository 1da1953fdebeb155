#include "test_script_state_fixture.h"

#include "room/timers.h"

#define HANDLER                                                                                    \
    "sig.on('timer:bell', function() end) sig.on('timer:' .. ('n'):rep(64), function() end) "

static void tells(struct fixture *f, const char *body, const char *wanted)
{
    fixture_tells(f, HANDLER, body, wanted);
}

static void a_timer_has_a_time_a_name_and_an_argument(void **state)
{
    struct fixture *f = *state;
    int64_t before = lsig_clock_now().mono_ms;
    tells(f,
          "room:after('10s', 'bell', { who = 'ann' }) local left = room:timer('bell')"
          " return left > 9 and left <= 10",
          "true");
    const struct lsig_timer *timer = lsig_timer_find(f->room, lsig_span_of("bell"));
    assert_non_null(timer);
    assert_string_equal(timer->arg, "{\"who\":\"ann\"}");
    assert_in_range(timer->due.due, before + 10000, lsig_clock_now().mono_ms + 10000);
    tells(f, "room:after(0.5, 'bell') return room:timer('bell') <= 0.5", "true");
    timer = lsig_timer_find(f->room, lsig_span_of("bell"));
    assert_null(timer->arg);
}

static void setting_a_timer_again_replaces_it(void **state)
{
    struct fixture *f = *state;
    tells(f,
          "room:after('1h', 'bell', 1) room:after('2s', 'bell', 2) return room:timer('bell') <= 2",
          "true");
    assert_int_equal(f->room->timer_count, 1);
    assert_string_equal(lsig_timer_find(f->room, lsig_span_of("bell"))->arg, "2");
}

static void a_timer_is_cancelled(void **state)
{
    struct fixture *f = *state;
    tells(f,
          "room:after('1min', 'bell') local a, b = room:cancel('bell'), room:cancel('bell')"
          " return tostring(a) .. tostring(b) .. tostring(room:timer('bell'))",
          "truefalsenil");
    assert_int_equal(f->room->timer_count, 0);
}

static void a_timer_that_nothing_handles_is_an_error_that_names_the_nearest(void **state)
{
    struct fixture *f = *state;
    tells(f, "room:after('1s', 'be' .. 'l')",
          "room:after: nothing handles the timer \"bel\"; did you mean \"bell\"?");
    tells(f, "room:after('1s', 'some' .. 'thing')",
          "nothing handles the timer \"something\": write sig.on(\"timer:something\"");
    tells(f, "room:after('1s', 'bell\\0x')", "a timer's name has 1 to 64 bytes");
    tells(f, "room:after('1s', ('x'):rep(0))", "a timer's name has 1 to 64 bytes");
    tells(f, "room:after('1s', ('n'):rep(65))", "a timer's name has 1 to 64 bytes");
    tells(f, "room:after('1s', ('n'):rep(64)) return room:timer(('n'):rep(64)) ~= nil", "true");
}

static void times_are_at_most_24_hours(void **state)
{
    struct fixture *f = *state;
    tells(f, "room:after('25h', 'bell')", "room:after: a timer runs for at most 24 hours");
    tells(f, "room:after('1e400s', 'bell')", "a timer runs for at most 24 hours");
    tells(f, "room:after('soon', 'bell')", "room:after: write a time like \"100ms\"");
    tells(f, "room:after(-1, 'bell')", "room:after: write a time like");
    tells(f, "room:after(0 / 0, 'bell')", "room:after: write a time like");
    tells(f, "room:after('24h', 'bell') room:after(0, 'bell') return room:timer('bell')", "0");
}

static void the_argument_is_bounded_and_what_json_can_say(void **state)
{
    struct fixture *f = *state;
    tells(f, "room:after('1s', 'bell', ('x'):rep(5000))",
          "room:after \"bell\": its argument has more than 4096 bytes");
    tells(f, "room:after('1s', 'bell', print)", "room:after \"bell\": a value is neither text");
    tells(f, "room:after('1s', 'bell', room)", "room:after \"bell\": a handle cannot be kept");
    assert_int_equal(f->room->timer_count, 0);
}

static void a_room_has_a_bounded_number_of_timers(void **state)
{
    struct fixture *f = *state;
    struct lsig_buf handlers;
    lsig_buf_init(&handlers, 65536);
    for (int i = 1; i <= 70; i++) {
        lsig_buf_append_format(&handlers, "sig.on('timer:t%d', function() end) ", i);
    }
    fixture_tells(f, handlers.data, "for i = 1, 70 do room:after('1h', 't' .. i) end",
                  "room:after \"t65\": the room has 64 timers, which is the limit");
    fixture_tells(f, handlers.data, "room:after('2h', 't64') return room:timer('t64') > 3600",
                  "true");
    lsig_buf_clear(&handlers);
}

static void a_failing_hook_sets_and_cancels_no_timer(void **state)
{
    struct fixture *f = *state;
    tells(f, "room:after('1h', 'bell', 'kept')", "nil");
    fixture_use(f, HANDLER "sig.on('timer:new', function() end)"
                           "sig.on('join', function(room) room:cancel('bell')"
                           " room:after('1s', 'new') error('broken') end)");
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, fixture_joiner(f), NULL, NULL),
                     LSIG_POLICY_ERROR);
    assert_int_equal(f->room->timer_count, 1);
    assert_string_equal(lsig_timer_find(f->room, lsig_span_of("bell"))->arg, "\"kept\"");
}

static void a_timer_survives_a_reload(void **state)
{
    struct fixture *f = *state;
    tells(f, "room:after('1h', 'bell')", "nil");
    fixture_tells(f, "", "return room:timer('bell') > 3500", "true");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_timer_has_a_time_a_name_and_an_argument),
        FIXTURE_TEST(setting_a_timer_again_replaces_it),
        FIXTURE_TEST(a_timer_is_cancelled),
        FIXTURE_TEST(a_timer_that_nothing_handles_is_an_error_that_names_the_nearest),
        FIXTURE_TEST(times_are_at_most_24_hours),
        FIXTURE_TEST(the_argument_is_bounded_and_what_json_can_say),
        FIXTURE_TEST(a_room_has_a_bounded_number_of_timers),
        FIXTURE_TEST(a_failing_hook_sets_and_cancels_no_timer),
        FIXTURE_TEST(a_timer_survives_a_reload),
    };
    return cmocka_run_group_tests_name("script/timer", tests, NULL, NULL);
}
