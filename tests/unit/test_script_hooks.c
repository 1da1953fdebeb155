#include "test_script_fixture.h"

#define TALK "{\"type\":\"talk\",\"payload\":{\"text\":\"hello\",\"n\":1}}"
#define TYPES "sig.type 'talk' {} sig.type 'other' {} "

static void a_type_without_hooks_is_never_entered(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, TYPES "sig.on('message:other', function() end)");
    fixture_enter(f, 0, "ann");
    assert_false(lsig_script_rule(f->script, lsig_span_of("talk"))->has_hooks);
    assert_true(lsig_script_rule(f->script, lsig_span_of("other"))->has_hooks);
    assert_int_equal(fixture_message(f, TALK, NULL, NULL), LSIG_OK);
    assert_int_equal(f->metrics.hook_calls, 0);
}

static void message_hooks_run_before_those_of_the_type_and_the_first_refusal_wins(void **state)
{
    struct fixture *f = *state;
    fixture_use(
        f, TYPES
        "local log = {}"
        "sig.on('message:talk', function() log[#log + 1] = 'type' end)"
        "sig.on('message', function() log[#log + 1] = 'any' end)"
        "sig.on('message:talk', function() return sig.deny('ORDER', table.concat(log, ' ')) end)"
        "sig.on('message:talk', function() return sig.deny('LATE') end)");
    fixture_enter(f, 0, "ann");
    assert_int_equal(fixture_message(f, TALK, NULL, NULL), LSIG_POLICY_DENIED);
    assert_string_equal(f->refusal.code, "ORDER");
    assert_string_equal(f->refusal.message, "any type");
    assert_int_equal(f->metrics.hook_calls, 3);
}

static void a_denial_carries_code_text_and_details(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, TYPES "sig.on('join', function(room, member)"
                         "  return sig.deny('ROOM_LOCKED', 'ask \"the\" host', { retry_after = 3, "
                         "who = { 'a', 'b' }, none = sig.null })"
                         "end)");
    struct lsig_member *member = fixture_member(f, 0, "ann", NULL);
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, member, NULL, NULL), LSIG_POLICY_DENIED);
    assert_int_equal(f->refusal.status, LSIG_POLICY_DENIED);
    assert_string_equal(f->refusal.code, "ROOM_LOCKED");
    assert_string_equal(f->refusal.message, "ask \"the\" host");
    assert_non_null(strstr(f->refusal.details, "\"retry_after\":3"));
    assert_non_null(strstr(f->refusal.details, "\"who\":[\"a\",\"b\"]"));
    assert_non_null(strstr(f->refusal.details, "\"none\":null"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_type_without_hooks_is_never_entered, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(
            message_hooks_run_before_those_of_the_type_and_the_first_refusal_wins, fixture_setup,
            fixture_teardown),
        cmocka_unit_test_setup_teardown(a_denial_carries_code_text_and_details, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests_name("script/hooks", tests, NULL, NULL);
}
