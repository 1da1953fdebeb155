#include "test_script_fixture.h"

#include "script/policy.h"

#define TYPES "local sig = require 'lunasig' sig.type 'talk' {} "
#define TALK "{\"type\":\"talk\",\"payload\":{\"text\":\"hello\"}}"

struct outcome {
    int calls;
    enum lsig_status status;
    char report[512];
};

static void note_outcome(void *arg, const struct lsig_script_outcome *told)
{
    struct outcome *outcome = arg;
    outcome->calls++;
    outcome->status = told->status;
    snprintf(outcome->report, sizeof(outcome->report), "%s", told->report);
}

static enum lsig_status reload(struct fixture *f, const char *text)
{
    struct outcome outcome = {0};
    fixture_write(f, f->folder, "policy.lua", text);
    lsig_script_reload(f->script, note_outcome, &outcome);
    fixture_wait_for(f, &outcome.calls, 1);
    return outcome.status;
}

static const char *code_of(struct fixture *f)
{
    struct lsig_envelope envelope;
    f->refusal = (struct lsig_refusal){.code = "none"};
    assert_int_not_equal(fixture_message_to(f, &envelope, TALK, NULL, NULL), LSIG_WAITING);
    return f->refusal.code;
}

static void a_reload_is_obeyed_by_the_next_message(void **state)
{
    struct fixture *f = *state;
    fixture_enter(f, 0, "ann");
    assert_int_equal(
        fixture_load(f, TYPES "sig.on('message', function() return sig.deny('ONE') end)"), LSIG_OK);
    assert_string_equal(code_of(f), "ONE");
    fixture_write(f, f->folder, "policy.lua",
                  TYPES "sig.on('message', function() return sig.deny('TWO') end)");
    struct outcome outcome = {0};
    lsig_script_reload(f->script, note_outcome, &outcome);
    assert_string_equal(code_of(f), "ONE");
    fixture_wait_for(f, &outcome.calls, 1);
    assert_int_equal(outcome.status, LSIG_OK);
    assert_string_equal(code_of(f), "TWO");
    assert_int_equal(lsig_script_version(f->script), 2);
    assert_int_equal(f->metrics.policy_version, 2);
    assert_int_equal(f->metrics.policy_loads, 2);
}

static void a_broken_reload_changes_nothing_and_says_where(void **state)
{
    fixture_needs_ticks();
    struct fixture *f = *state;
    struct outcome outcome = {0};
    fixture_enter(f, 0, "ann");
    assert_int_equal(
        fixture_load(f, TYPES "sig.on('message', function() return sig.deny('ONE') end)"), LSIG_OK);
    fixture_write(f, f->folder, "policy.lua", TYPES "\nlocal x = = 1");
    lsig_script_reload(f->script, note_outcome, &outcome);
    fixture_wait_for(f, &outcome.calls, 1);
    assert_int_not_equal(outcome.status, LSIG_OK);
    assert_non_null(strstr(outcome.report, "policy.lua:2: unexpected symbol"));
    assert_string_equal(code_of(f), "ONE");
    assert_int_equal(lsig_script_version(f->script), 1);
    assert_int_equal(f->metrics.policy_load_failures, 1);
    fixture_write(f, f->folder, "policy.lua", TYPES "while true do end");
    lsig_script_reload(f->script, note_outcome, &outcome);
    fixture_wait_for(f, &outcome.calls, 2);
    assert_non_null(
        strstr(outcome.report, "policy.lua:1: stopped after 1000 ms of processor time"));
    assert_string_equal(code_of(f), "ONE");
}

static void a_suspended_hook_ends_on_its_own_version(void **state)
{
    struct fixture *f = *state;
    struct ending end = {0};
    fixture_enter(f, 0, "ann");
    assert_int_equal(
        fixture_load(f, TYPES
                     "sig.on('message', function() sig.sleep('300ms') return sig.deny('OLD') end)"
                     "sig.on('message', function() return sig.deny('NEVER') end)"),
        LSIG_OK);
    assert_int_equal(fixture_message(f, TALK, fixture_on_done, &end), LSIG_WAITING);
    assert_int_equal(reload(f, TYPES "sig.on('message', function() return sig.deny('NEW') end)"),
                     LSIG_OK);
    assert_int_equal(end.calls, 0);
    assert_string_equal(code_of(f), "NEW");
    fixture_wait_for(f, &end.calls, 1);
    assert_string_equal(end.code, "OLD");
    assert_string_equal(code_of(f), "NEW");
}

static void a_rule_of_this_turn_is_judged_by_its_own_version(void **state)
{
    struct fixture *f = *state;
    fixture_enter(f, 0, "ann");
    assert_int_equal(
        fixture_load(f, TYPES "sig.on('message', function() return sig.deny('ONE') end)"), LSIG_OK);
    const struct lsig_rule *rule = lsig_script_rule(f->script, lsig_span_of("talk"));
    assert_int_equal(
        fixture_load(f, TYPES "sig.on('message', function() return sig.deny('TWO') end)"), LSIG_OK);
    struct lsig_envelope envelope;
    assert_int_equal(lsig_envelope_parse(&envelope, lsig_span_of(TALK), &f->refusal), LSIG_OK);
    struct lsig_hook_event event = {
        .kind = LSIG_HOOK_MESSAGE, .member = f->members[0], .rule = rule, .message = &envelope};
    assert_int_equal(fixture_call(f, &event, NULL, NULL), LSIG_POLICY_DENIED);
    assert_string_equal(f->refusal.code, "ONE");
}

static void reloads_asked_for_during_one_become_one_more(void **state)
{
    struct fixture *f = *state;
    struct outcome outcomes[4] = {{0}};
    fixture_write(f, f->folder, "policy.lua", TYPES);
    for (int i = 0; i < 4; i++) {
        lsig_script_reload(f->script, note_outcome, &outcomes[i]);
    }
    for (int i = 0; i < 4; i++) {
        fixture_wait_for(f, &outcomes[i].calls, 1);
        assert_int_equal(outcomes[i].status, LSIG_OK);
    }
    assert_int_equal(lsig_script_version(f->script), 2);
}

static uint16_t slot(const struct fixture *f, const char *type, int rate)
{
    return lsig_script_rule(f->script, lsig_span_of(type))->rates[rate].slot;
}

static void a_rate_keeps_its_slot_over_reloads(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.type 'a' { rate = { '1/s per user', '2/s per room', '9/min per user' } } "
                   "sig.type 'b' { rate = '1/s' }");
    uint16_t user = slot(f, "a", 0);
    uint16_t room = slot(f, "a", 1);
    uint16_t second = slot(f, "a", 2);
    uint16_t b = slot(f, "b", 0);
    assert_true(user != room && user != second && user != b && room != second && room != b &&
                second != b);
    fixture_use(
        f, "sig.type 'c' { rate = '1/s' } sig.type 'b' { rate = { '1/s per ip', '7/s burst 9' } }"
           "sig.type 'a' { rate = { '5/s per room', '3/s per user' } }");
    assert_int_equal(slot(f, "a", 0), room);
    assert_int_equal(slot(f, "a", 1), user);
    assert_int_equal(slot(f, "b", 1), b);
    uint16_t c = slot(f, "c", 0);
    uint16_t ip = slot(f, "b", 0);
    assert_true(c != user && c != room && c != second && c != b && ip != c && ip != second);
}

static void slots_of_rates_that_are_gone_are_used_again(void **state)
{
    struct fixture *f = *state;
    char text[400];
    for (int version = 0; version < 6; version++) {
        snprintf(text, sizeof(text),
                 "sig.type 'kept' { rate = '1/s' } for i = 1, 255 do sig.type('t%d_' .. i) { rate "
                 "= { '1/s', '1/s per user', '1/s per ip', '1/s per room' } } end",
                 version);
        fixture_use(f, text);
        assert_int_equal(slot(f, "kept", 0), 0);
        bool seen[LSIG_RATE_SLOTS_MAX] = {false};
        for (int i = 1; i <= 255; i++) {
            char name[32];
            snprintf(name, sizeof(name), "t%d_%d", version, i);
            for (int k = 0; k < 4; k++) {
                assert_false(seen[slot(f, name, k)]);
                seen[slot(f, name, k)] = true;
            }
        }
        assert_false(seen[0]);
    }
    assert_true(f->metrics.policy_swap_max_us > 0);
    fixture_refuses(
        f, "for i = 1, 257 do sig.type('t' .. i) { rate = { '1/s', '1/s', '1/s', '1/s' } } end",
        "more than 1024 rates in all");
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return pages * 4;
}

static void a_thousand_reloads_leave_no_memory_behind(void **state)
{
    struct fixture *f = *state;
    struct outcome outcome = {0};
    struct ending end = {0};
    fixture_enter(f, 0, "ann");
    fixture_write(
        f, f->folder, "policy.lua",
        TYPES
        "sig.type.extend 'talk' { payload = sig.object { text = sig.string }, rate = '1000/s' }"
        "local t = {} for i = 1, 1000 do t[i] = { i } end sig.on('message', function() "
        "sig.sleep(0) end)");
    long before = 0;
    for (int i = 1; i <= 1000; i++) {
        lsig_script_reload(f->script, note_outcome, &outcome);
        fixture_wait_for(f, &outcome.calls, i);
        assert_int_equal(outcome.status, LSIG_OK);
        assert_int_equal(fixture_message(f, TALK, fixture_on_done, &end), LSIG_WAITING);
        fixture_wait_for(f, &end.calls, i);
        if (i == 200) {
            before = resident_kib();
        }
    }
    assert_int_equal(lsig_script_version(f->script), 1000);
    // Each version takes 100 KiB while it is there. The address sanitizer keeps what was freed, and
    // looks for leaks itself.
#ifndef __SANITIZE_ADDRESS__
    assert_true(resident_kib() - before < 4096);
#endif
    assert_true(before > 0);
}

static void the_script_can_be_freed_during_a_reload(void **state)
{
    struct fixture *f = *state;
    struct outcome outcome = {0};
    fixture_write(f, f->folder, "policy.lua", TYPES "local t = {} for i = 1, 1e5 do t[i] = {} end");
    lsig_script_reload(f->script, note_outcome, &outcome);
    lsig_script_reload(f->script, note_outcome, &outcome);
    lsig_script_free(f->script, NULL, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(outcome.calls, 0);
    f->script = lsig_script_new(&f->options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_reload_is_obeyed_by_the_next_message),
        FIXTURE_TEST(a_broken_reload_changes_nothing_and_says_where),
        FIXTURE_TEST(a_suspended_hook_ends_on_its_own_version),
        FIXTURE_TEST(a_rule_of_this_turn_is_judged_by_its_own_version),
        FIXTURE_TEST(reloads_asked_for_during_one_become_one_more),
        FIXTURE_TEST(a_rate_keeps_its_slot_over_reloads),
        FIXTURE_TEST(slots_of_rates_that_are_gone_are_used_again),
        FIXTURE_TEST(a_thousand_reloads_leave_no_memory_behind),
        FIXTURE_TEST(the_script_can_be_freed_during_a_reload),
    };
    return cmocka_run_group_tests_name("script/reload", tests, NULL, NULL);
}
