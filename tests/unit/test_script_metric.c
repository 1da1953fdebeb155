#include "test_script_fixture.h"

#include "base/metric_table.h"
#include "script/policy_events.h"

static int set_up(void **state)
{
    fixture_setup(state);
    struct fixture *f = *state;
    f->metrics.policy = lsig_metric_table_new();
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    struct lsig_metric_table *table = f->metrics.policy;
    int failed = fixture_teardown(state);
    lsig_metric_table_unref(table);
    return failed;
}

static void prints(struct fixture *f, const char *wanted, bool there)
{
    struct lsig_buf out;
    lsig_buf_init(&out, LSIG_METRICS_PRINTED_MAX);
    lsig_metric_table_print(f->metrics.policy, &out);
    if ((strstr(out.data, wanted) != NULL) != there) {
        fail_msg("%s\n%s: %s", out.data, there ? "missing" : "not wanted", wanted);
    }
    lsig_buf_clear(&out);
}

#define HANDS "local hands = sig.metric.counter { name = 'hands', help = 'Hands.' } "
#define ON_JOIN(body) "sig.on('join', function(room, member) " body " end)"

static void join(struct fixture *f)
{
    if (f->members[0] == NULL) {
        fixture_member(f, 0, "ann", NULL);
    }
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, f->members[0], NULL, NULL), LSIG_OK);
}

static void what_a_hook_counts_is_printed(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, HANDS
                "local open = sig.metric.gauge { name = 'open', labels = { 'kind' } } " ON_JOIN(
                    "hands:add() hands:add(2) open:set(5, { kind = room.id }) "
                    "open:add(-0.5, { kind = room.id })"));
    join(f);
    prints(f, "# HELP lunasig_policy_hands_total Hands.\n", true);
    prints(f, "\nlunasig_policy_hands_total 3\n", true);
    prints(f, "# TYPE lunasig_policy_open gauge\nlunasig_policy_open{kind=\"r1\"} 4.5\n", true);
}

static void numbers_survive_a_reload_and_go_with_the_last_version(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, HANDS ON_JOIN("hands:add()"));
    join(f);
    fixture_use(f, HANDS ON_JOIN("hands:add(10)"));
    join(f);
    prints(f, "lunasig_policy_hands_total 11\n", true);
    for (int i = 0; i < 3; i++) { // no version is kept here besides the one in force
        fixture_use(f, "");
        uv_run(&f->loop, UV_RUN_DEFAULT);
    }
    prints(f, "lunasig_policy_hands", false);
}

static void a_load_that_fails_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    fixture_refuses(f, "sig.metric.gauge { name = 'hands' } error('no')", "no");
    prints(f, "lunasig_policy_hands", false);
    fixture_use(f, HANDS);
}

static void another_kind_is_refused_at_load(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.metric.gauge { name = 'open' }");
    fixture_refuses(f, "sig.metric.gauge { name = 'open', labels = { 'kind' } }",
                    "lunasig_policy_open is the server's own, or a version that is kept has it");
    fixture_refuses(f, "sig.metric.gauge { name = 'version' }", "the server's own");
    fixture_refuses(f, HANDS "sig.metric.counter { name = 'hands_total', labels = { 'x' } }",
                    "lunasig_policy_hands_total is");
    fixture_use(f, HANDS "local again = sig.metric.counter { name = 'hands_total' } " ON_JOIN(
                       "hands:add() again:add()"));
    join(f);
    prints(f, "lunasig_policy_hands_total 2\n", true);
}

static void declarations_are_checked(void **state)
{
    static const char *const cases[][2] = {
        {"sig.metric.counter { name = 'Hands' }",
         "policy.lua:1: sig.metric.counter: name is 1 to 64"},
        {"sig.metric.counter { name = '1st' }", "name is 1 to 64"},
        {"sig.metric.counter { name = 'a\\0b' }", "name is 1 to 64"},
        {"sig.metric.counter { name = ('a'):rep(65) }", "name is 1 to 64"},
        {"sig.metric.counter {}", "name is 1 to 64"},
        {"sig.metric.counter { nam = 'x' }", "did you mean 'name'?"},
        {"sig.metric.gauge { name = 'x_total' }", "only the name of a counter ends in _total"},
        {"sig.metric.gauge { name = 'x', help = 'a\\nb' }", "help is one line"},
        {"sig.metric.gauge { name = 'x', labels = { 'a', 'b', 'c', 'd', 'e' } }",
         "at most 4 labels"},
        {"sig.metric.gauge { name = 'x', labels = { 'a', 'a' } }", "the label 'a' is there twice"},
        {"sig.metric.gauge { name = 'x', labels = { '__a' } }", "a label is 1 to 32"},
        {"sig.metric.gauge { name = 'x', labels = { 'A' } }", "a label is 1 to 32"},
        {"sig.metric.histogram { name = 'x' }", "sig.metric has no 'histogram'"},
        {"for i = 1, 101 do sig.metric.gauge { name = 'm' .. i } end", "there are 100 metrics"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_refuses(*state, cases[i][0], cases[i][1]);
    }
}

#define IN_HOOK(call)                                                                              \
    "local c = sig.metric.counter { name = 'c', labels = { 'kind' } } "                            \
    "local g = sig.metric.gauge { name = 'g' } sig.on('join', function() local ok, said = "        \
    "pcall(function() " call " end) return sig.deny('SAID', tostring(said)) end)"

static void calls_are_checked(void **state)
{
    static const char *const cases[][2] = {
        {IN_HOOK("c:add(-1, { kind = 'x' })"), "a counter never goes down"},
        {IN_HOOK("c:set(1, { kind = 'x' })"), "a counter is only added to"},
        {IN_HOOK("c:add(1)"), "table expected"},
        {IN_HOOK("c:add(1, {})"), "the label 'kind' of this metric is a text, not a nil"},
        {IN_HOOK("c:add(1, { kind = 'x', knd = 'y' })"), "did you mean 'kind'?"},
        {IN_HOOK("c:add(0/0, { kind = 'x' })"), "not a number"},
        {IN_HOOK("g:set()"), "number expected"},
        {IN_HOOK("g.add(1)"), "call it with a `:`"},
        {IN_HOOK("g:inc()"), "a metric has no 'inc'"},
        {IN_HOOK("sig.metric.counter { name = 'x' }"), "sig.metric.counter"},
        {IN_HOOK("return getmetatable(g)"), "protected"},
    };
    struct fixture *f = *state;
    fixture_member(f, 0, "ann", NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_use(f, cases[i][0]);
        assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, f->members[0], NULL, NULL),
                         LSIG_POLICY_DENIED);
        if (strstr(f->refusal.message, cases[i][1]) == NULL) {
            fail_msg("%s\n  said: %s\n  wanted: %s", cases[i][0], f->refusal.message, cases[i][1]);
        }
    }
}

static void label_values_are_made_to_fit(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "local c = sig.metric.counter { name = 'c', labels = { 'kind' } } " ON_JOIN(
                       "c:add(1, { kind = ('\xc3\xa9'):rep(40) }) c:add(1, { kind = '\\255' }) "
                       "c:add(1, { kind = 7 }) c:add(1, { kind = true })"));
    join(f);
    prints(f, "\xc3\xa9\xc3\xa9\"} 1\n", true);
    char longest[65] = "";
    for (int i = 0; i < 32; i++) {
        strcat(longest, "\xc3\xa9");
    }
    char wanted[100];
    snprintf(wanted, sizeof(wanted), "{kind=\"%s\"}", longest);
    prints(f, wanted, true);
    prints(f, "{kind=\"\xef\xbf\xbd\"} 1\n", true);
    prints(f, "{kind=\"7\"} 1\n", true);
    prints(f, "{kind=\"true\"} 1\n", true);
}

static void too_many_label_values_are_dropped_and_counted(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "local c = sig.metric.counter { name = 'c', labels = { 'kind' } } " ON_JOIN(
                       "for i = 1, 1005 do c:add(1, { kind = i }) end"));
    join(f);
    prints(f, "{kind=\"1000\"} 1\n", true);
    prints(f, "{kind=\"1001\"}", false);
    prints(f, "lunasig_policy_metrics_dropped_total 5\n", true);
}

static void without_a_table_of_the_server_policies_run_all_the_same(void **state)
{
    struct fixture *f = *state;
    struct lsig_metric_table *table = f->metrics.policy;
    f->metrics.policy = NULL;
    fixture_use(f, HANDS ON_JOIN("hands:add()"));
    join(f);
    fixture_refuses(f, HANDS "sig.metric.counter { name = 'hands', labels = { 'x' } }",
                    "lunasig_policy_hands_total");
    f->metrics.policy = table;
}

static void events_are_counted_by_policy_and_version_and_forgotten_with_it(void **state)
{
    struct fixture *f = *state;
    lsig_policy_events_count(&f->metrics, "std.chat", 3, LSIG_POLICY_EVENT_ERROR);
    lsig_policy_events_count(&f->metrics, "std.chat", 3, LSIG_POLICY_EVENT_ERROR);
    lsig_policy_events_count(&f->metrics, "std.chat", 3, LSIG_POLICY_EVENT_DENIED);
    lsig_policy_events_count(&f->metrics, "std.chat", 4, LSIG_POLICY_EVENT_CPU);
    prints(f, "lunasig_policy_events_total{policy=\"std.chat\",version=\"3\",kind=\"error\"} 2\n",
           true);
    prints(f, "version=\"3\",kind=\"denied\"} 1\n", true);
    lsig_policy_events_forget(&f->metrics, 3);
    prints(f, "version=\"3\"", false);
    prints(f, "version=\"4\",kind=\"cpu\"} 1\n", true);
    struct lsig_metrics none = {0};
    lsig_policy_events_count(&none, "std.chat", 3, LSIG_POLICY_EVENT_ERROR);
    lsig_policy_events_forget(&none, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_a_hook_counts_is_printed),
        TEST(numbers_survive_a_reload_and_go_with_the_last_version),
        TEST(a_load_that_fails_leaves_nothing),
        TEST(another_kind_is_refused_at_load),
        TEST(declarations_are_checked),
        TEST(calls_are_checked),
        TEST(label_values_are_made_to_fit),
        TEST(too_many_label_values_are_dropped_and_counted),
        TEST(without_a_table_of_the_server_policies_run_all_the_same),
        TEST(events_are_counted_by_policy_and_version_and_forgotten_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
