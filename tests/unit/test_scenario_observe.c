// What a test sees of its server besides frames: metrics and the log.
#include "test_scenario_fixture.h"

static const char counts[] =
    "local hands = sig.metric.counter { name = 'hands', labels = { 'kind' } } "
    "local open = sig.metric.gauge { name = 'open' } "
    "sig.on('message:say', function(room, member, message) "
    "hands:add(1, { kind = message.payload.kind or 'plain' }) open:set(message.payload.n or 0) "
    "end) ";

static void metrics_of_the_server_count_from_the_tests_beginning(void **state)
{
    fixture_passes_test(
        *state, "",
        "t:expects_metric('lunasig_joins_total', 0) "
        "local ann, bob = t:client 'ann', t:client 'bob' ann:joins 'r1' bob:joins 'r1' "
        "assert(t:metric 'lunasig_joins_total' == 2) "
        "t:expects_metric('lunasig_joins_total', 2) "
        "t:expects_metric('lunasig_members', 2) t:expects_metric('lunasig_rooms', 1) "
        "t:expects_metric('lunasig_connections_open', 2) "
        "ann:sends('nonsense', {}) ann:is_refused 'UNKNOWN_TYPE' "
        "t:expects_metric('lunasig_refused_total', 1, { code = 'UNKNOWN_TYPE' }) "
        "t:expects_metric('lunasig_refused_total', 0, { code = 'ROOM_FULL' }) "
        "t:expects_metric('lunasig_refused_total', 1) "
        "bob:leaves() t:expects_metric('lunasig_members', 1) "
        "t:expects_metric('lunasig_connections_open', 1)");
}

static void metrics_of_policies_are_found_by_the_name_that_they_declare(void **state)
{
    fixture_passes_test(*state, counts,
                        "local ann = t:client 'ann' ann:joins 'r1' "
                        "t:expects_metric('hands', 0) "
                        "ann:sends('say', { kind = 'a\"b', n = 7.5 }) ann:sends('say', {}) "
                        "ann:sends('say', { n = 2.5 }) "
                        "t:expects_metric('hands', 3) "
                        "t:expects_metric('hands_total', 3) "
                        "t:expects_metric('lunasig_policy_hands_total', 3) "
                        "t:expects_metric('hands', 1, { kind = 'a\"b' }) "
                        "t:expects_metric('hands', 2, { kind = 'plain' }) "
                        "t:expects_metric('hands', 0, { kind = 'other' }) "
                        "t:expects_metric('open', 2.5)");
}

static void counters_of_policies_begin_again_with_each_test(void **state)
{
    char lua[2048];
    const char *body = "local ann = t:client 'ann' ann:joins 'r1' ann:sends('say', { n = 4 }) "
                       "t:expects_metric('hands', 1) t:expects_metric('open', 4)";
    snprintf(lua, sizeof(lua),
             "%s sig.test('one', function(t) %s end) sig.test('two', function(t) %s end)", counts,
             body, body);
    fixture_passes(*state, lua);
}

static void a_metric_that_differs_is_shown_with_what_is_there(void **state)
{
    char lua[2048];
    snprintf(lua, sizeof(lua),
             "%s sig.test('it', function(t) local ann = t:client 'ann' ann:joins 'r1' "
             "ann:sends('say', { kind = 'x' }) t:expects_metric('hands', 2, { kind = 'x' }) end)",
             counts);
    fixture_fails(*state, lua,
                  "expects_metric: lunasig_policy_hands_total is 1, not 2, for the labels "
                  "{\"kind\":\"x\"}");
    assert_reports(*state, "lunasig_policy_hands_total{kind=\"x\"} 1");
    assert_reports(*state, "policy.lua:2: test \"it\"");
}

static void a_mistyped_metric_names_the_nearest_one(void **state)
{
    char lua[2048];
    fixture_fails_test(*state, "t:metric 'lunasig_jions_total'",
                       "metric: there is no metric 'lunasig_jions_total'; did you mean "
                       "'lunasig_joins_total'?");
    snprintf(lua, sizeof(lua), "%s sig.test('it', function(t) t:metric 'hnds_total' end)", counts);
    fixture_fails(*state, lua, "there is no metric 'hnds_total'; did you mean 'hands_total'?");
    fixture_fails_test(*state, "t:metric 'frogs'",
                       "there is no metric 'frogs': /metrics has lunasig_… of the server");
    fixture_fails_test(*state, "t:metric('lunasig_refused_total', { kode = 'X' })",
                       "lunasig_refused_total has no label 'kode'");
    fixture_fails_test(*state, "t:metric('lunasig_refused_total', 'X')", "labels are a table");
    fixture_fails_test(*state, "t:metric()", "write the name of a metric");
    fixture_fails_test(*state, "t:expects_metric('lunasig_joins_total')",
                       "write a number behind the name");
}

static const char logs[] =
    "sig.on('message:say', function(room, member, message) "
    "sig.log('warning', 'said ' .. tostring(message.payload.word), { room = room.id, n = 3 }) "
    "if message.payload.word == 'later' then sig.sleep('1500ms') sig.log('info', 'slept') end "
    "if message.payload.word == 'boom' then error('went boom') end end) ";

static void what_a_policy_logs_is_expected_field_by_field(void **state)
{
    fixture_passes_test(
        *state, logs,
        "local ann = t:client 'ann' ann:joins 'r1' ann:sends('say', { word = 'hello' }) "
        "local event = t:logged { event = 'policy-log', level = 'warning', "
        "text = t.match '^said hel', room = 'r1', n = 3 } "
        "assert(event.text == 'said hello' and event.at:find 'policy.lua:2') "
        "t:logged_nothing { text = 'said hello' } " // each event is expected once
        "ann:sends('say', { word = 'two' }) t:logged 'policy-log' t:logged_nothing 'policy-log'");
}

static void an_event_may_come_within_some_time(void **state)
{
    fixture_passes_test(
        *state, logs,
        "local ann = t:client 'ann' ann:joins 'r1' ann:sends('say', { word = 'later' }) "
        "t:logged_nothing { text = 'slept', within = '1s' } "
        "t:logged { text = 'slept', within = '2s' }");
}

static void a_hook_that_fails_is_logged_and_has_to_be_expected_still(void **state)
{
    char lua[2048];
    fixture_passes_test(
        *state, logs,
        "t:expects_error 'went boom' local ann = t:client 'ann' ann:joins 'r1' "
        "ann:sends('say', { word = 'boom' }) ann:is_refused 'POLICY_ERROR' "
        "t:logged { event = 'hook-failed', level = 'error', error = t.match 'went boom' }");
    snprintf(lua, sizeof(lua),
             "%s sig.test('it', function(t) local ann = t:client 'ann' ann:joins 'r1' "
             "ann:sends('say', { word = 'boom' }) t:logged 'hook-failed' end)",
             logs);
    fixture_fails(*state, lua, "went boom");
}

static void an_event_that_is_missing_is_reported_with_those_that_came(void **state)
{
    char lua[2048];
    snprintf(lua, sizeof(lua),
             "%s sig.test('it', function(t) local ann = t:client 'ann' ann:joins 'r1' "
             "ann:sends('say', { word = 'hello' }) "
             "t:logged { event = 'policy-log', text = 'said bye' } end)",
             logs);
    fixture_fails(*state, lua, "logged: nothing like this was logged: {");
    assert_reports(*state, "nearest: text is \"said hello\", not \"said bye\"");
    assert_reports(*state, "logged: {\"level\":\"warning\",\"event\":\"policy-log\","
                           "\"text\":\"said hello\"");
    snprintf(lua, sizeof(lua),
             "%s sig.test('it', function(t) local ann = t:client 'ann' ann:joins 'r1' "
             "ann:sends('say', { word = 'hello' }) t:logged_nothing 'policy-log' end)",
             logs);
    fixture_fails(*state, lua, "logged_nothing: this was logged: {\"level\":\"warning\"");
    fixture_fails_test(*state, "t:logged()", "write what: t:logged { event = \"policy-log\" }");
    fixture_fails_test(*state, "t:logged(7)", "write an event");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(metrics_of_the_server_count_from_the_tests_beginning),
        SCENARIO_TEST(metrics_of_policies_are_found_by_the_name_that_they_declare),
        SCENARIO_TEST(counters_of_policies_begin_again_with_each_test),
        SCENARIO_TEST(a_metric_that_differs_is_shown_with_what_is_there),
        SCENARIO_TEST(a_mistyped_metric_names_the_nearest_one),
        SCENARIO_TEST(what_a_policy_logs_is_expected_field_by_field),
        SCENARIO_TEST(an_event_may_come_within_some_time),
        SCENARIO_TEST(a_hook_that_fails_is_logged_and_has_to_be_expected_still),
        SCENARIO_TEST(an_event_that_is_missing_is_reported_with_those_that_came),
    };
    return cmocka_run_group_tests_name("scenario/observe", tests, NULL, NULL);
}
