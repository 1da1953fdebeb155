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

static void a_denial_has_bounds(void **state)
{
    struct fixture *f = *state;
    fixture_says(f, "sig.deny('lower')", "a code is like ROOM_LOCKED");
    fixture_says(f, "sig.deny('')", "a code is like ROOM_LOCKED");
    fixture_says(f, "sig.deny(('A'):rep(48))", "a code is like ROOM_LOCKED");
    fixture_says(f, "sig.deny('A\\0B')", "a code is like ROOM_LOCKED");
    fixture_says(f, "sig.deny('A', ('x'):rep(256))", "the text has more than 255 bytes");
    fixture_says(f, "sig.deny('A', '', { x = ('x'):rep(600) })", "details: it is too big");
    fixture_says(f, "sig.deny('A', '', { 1, 2 })", "it is a list");
    fixture_says(f, "sig.deny('A', '', { 1, x = 2 })", "neither the keys 1 to n nor only texts");
    fixture_says(f, "sig.deny('A', '', { [{}] = 2 })", "neither the keys 1 to n nor only texts");
    fixture_says(f, "sig.deny('A', '', { x = print })", "a value is neither text, number");
    fixture_says(f, "sig.deny('A', '', { x = 0 / 0 })", "infinite or not a number");
    fixture_says(f, "local t = {} t.t = t sig.deny('A', '', t)",
                 "nested too deeply, or holds itself");
}

static enum lsig_status call(struct fixture *f, const char *text)
{
    fixture_use(f, text);
    if (f->members[0] == NULL) {
        fixture_enter(f, 0, "ann");
    }
    f->refusal = (struct lsig_refusal){.status = LSIG_OK};
    return fixture_message(f, TALK, NULL, NULL);
}

static void what_a_hook_returns_is_nothing_or_a_verdict(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(call(f, TYPES "sig.on('message', function() return nil end)"), LSIG_OK);
    assert_int_equal(call(f, TYPES "sig.on('message', function() return sig.handled() end)"),
                     LSIG_HANDLED);
    assert_int_equal(call(f, TYPES "sig.on('message', function() return false end)"),
                     LSIG_POLICY_ERROR);
    assert_int_equal(call(f, TYPES "sig.on('message', function() return 'no' end)"),
                     LSIG_POLICY_ERROR);
    assert_int_equal(call(f, TYPES "sig.on('message', function() return sig.null end)"),
                     LSIG_POLICY_ERROR);
    assert_int_equal(f->metrics.hook_errors, 3);
}

static void a_verdict_that_is_not_returned_is_an_error_not_a_pass(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(call(f, TYPES "sig.on('message', function() sig.deny('NO') end)"),
                     LSIG_POLICY_ERROR);
    assert_int_equal(
        call(f, TYPES "sig.on('message', function() sig.handled() return sig.deny('NO') end)"),
        LSIG_POLICY_ERROR);
    // A verdict of an earlier hook does not count in a later one.
    assert_int_equal(call(f, TYPES "local kept = {} sig.on('message', function() if kept.it then "
                                   "return kept.it end kept.it = sig.accept() return kept.it end)"),
                     LSIG_OK);
    assert_int_equal(fixture_message(f, TALK, NULL, NULL), LSIG_POLICY_ERROR);
}

static void accept_skips_the_hooks_that_follow(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(call(f, TYPES "sig.on('message', function() return sig.accept() end)"
                                   "sig.on('message:talk', function() return sig.deny('NO') end)"),
                     LSIG_OK);
    assert_int_equal(f->metrics.hook_calls, 1);
}

static void a_failing_hook_refuses_unless_it_is_told_to_allow(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(call(f, TYPES "sig.on('message', function() error('x') end)"),
                     LSIG_POLICY_ERROR);
    assert_string_equal(f->refusal.code, "POLICY_ERROR");
    assert_string_equal(f->refusal.message, "a policy failed");
    assert_string_equal(f->refusal.details, "{\"policy\":\"policy\",\"version\":1}");
    assert_int_equal(call(f, TYPES
                          "sig.on('message', { on_error = 'allow' }, function() error({}) end)"
                          "sig.on('message', function() return sig.deny('AFTER') end)"),
                     LSIG_POLICY_DENIED);
    assert_string_equal(f->refusal.code, "AFTER");
    assert_int_equal(f->metrics.hook_errors, 2);
}

static void a_leave_hook_sees_the_reason_and_cannot_refuse(void **state)
{
    struct fixture *f = *state;
    fixture_use(
        f,
        "local kept = {} sig.on('leave', function(room, member, reason) kept.seen = member.id .. "
        "' ' .. reason return sig.deny('NO') end)"
        "sig.on('leave', function() error('x') end)"
        "sig.on('leave', function() kept.seen = kept.seen .. ' third' end)"
        "sig.on('join', function() return sig.deny('SEEN', kept.seen) end)");
    struct lsig_member *member = fixture_enter(f, 0, "ann");
    assert_true(lsig_script_has_hooks(f->script, LSIG_HOOK_LEAVE));
    assert_int_equal(fixture_event(f, LSIG_HOOK_LEAVE, member, NULL, NULL), LSIG_OK);
    assert_int_equal(f->metrics.hook_errors, 2);
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, member, NULL, NULL), LSIG_POLICY_DENIED);
    assert_string_equal(f->refusal.message, "ann bye third");
}

static void handled_is_for_messages_only(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('join', function() return sig.handled() end)");
    struct lsig_member *member = fixture_member(f, 0, "ann", NULL);
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, member, NULL, NULL), LSIG_POLICY_ERROR);
}

// Returns what a message hook says with `expression` as the text of its denial.
static const char *message_says(struct fixture *f, const char *expression, const char *frame)
{
    char text[512];
    snprintf(
        text, sizeof(text),
        TYPES
        "sig.on('message', function(room, member, message) return sig.deny('X', tostring(%s)) end)",
        expression);
    fixture_use(f, text);
    if (f->members[0] == NULL) {
        fixture_enter(f, 0, "ann");
    }
    assert_int_equal(fixture_message(f, frame, NULL, NULL), LSIG_POLICY_DENIED);
    return f->refusal.message;
}

static void a_message_shows_its_fields_and_parses_its_payload_on_demand(void **state)
{
    struct fixture *f = *state;
    static const char frame[] = "{\"type\":\"talk\",\"id\":7,\"target_id\":\"bob\",\"payload\":{"
                                "\"text\":\"h\\u00e9\",\"n\":1.5,"
                                "\"list\":[1,null,{\"a\":true}],\"gone\":null}}";
    assert_string_equal(message_says(f, "message.type", frame), "talk");
    assert_string_equal(message_says(f, "message.target", frame), "bob");
    assert_string_equal(message_says(f, "message.target", TALK), "nil");
    assert_string_equal(message_says(f, "message.id", frame), "7");
    assert_string_equal(message_says(f, "message.id", TALK), "nil");
    assert_int_equal(atoi(message_says(f, "message.size", frame)), sizeof(frame) - 1);
    assert_string_equal(message_says(f, "message.payload.text", frame), "h\xc3\xa9");
    assert_string_equal(message_says(f, "message.payload.n", frame), "1.5");
    assert_string_equal(message_says(f, "message.payload.list[3].a", frame), "true");
    assert_string_equal(message_says(f, "message.payload.list[2] == sig.null", frame), "true");
    assert_string_equal(message_says(f, "message.payload.gone == nil", frame), "true");
    assert_string_equal(message_says(f, "message.payload == message.payload", frame), "true");
}

static void a_room_and_its_members_show_their_fields(void **state)
{
    struct fixture *f = *state;
    fixture_enter(f, 0, "ann");
    fixture_enter(f, 1, "bob");
    fixture_says(f, "return room.id", "r1");
    fixture_says(f, "return room.count", "2");
    fixture_says(f, "return room.host.id", "ann");
    fixture_says(f, "return room:member('bob').role", "participant");
    fixture_says(f, "return room:member('zoe')", "nil");
    fixture_says(f, "return room:member('bob').present", "true");
    fixture_says(f, "return room:member('bob').connections", "1");
    fixture_says(f, "return room:member('bob').joined_at > 1e9", "true");
    fixture_says(f, "return room:member('bob') == room:members()[2]", "true");
    fixture_says(f, "return #room:members()", "2");
    fixture_says(f, "return member.id .. member.username", "zoezoe");
    fixture_says(f, "return member.present", "false");
    fixture_says(f, "return member.claims.plan", "pro");
    fixture_says(f, "return member.claims.n[2] == sig.null and member.claims == member.claims",
                 "true");
    fixture_says(f, "return next(room:member('ann').claims)", "nil");
    fixture_says(f, "return tostring(room) .. tostring(member)", "roommember");
}

static void unknown_and_read_only_fields_are_errors(void **state)
{
    struct fixture *f = *state;
    fixture_says(f, "return room.conut", "room has no field 'conut'; did you mean 'count'?");
    fixture_says(f, "return member.usrname", "did you mean 'username'?");
    fixture_says(f, "return member[1]", "member has no field 'number'");
    fixture_says(f, "room.id = 'x'", "room.id cannot be set");
    fixture_says(f, "return room.member('ann')", "a room was expected here");
    fixture_says(f, "return room.member(member, 'ann')", "a room was expected here");
    fixture_says(f, "return room:member()", "string expected, got no value");
}

static void a_handle_expires_with_its_hook(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, TYPES "local kept, told = {}, { why = '' }"
                         "sig.on('message', function(room, member, message)"
                         "  if not kept.room then kept.room, kept.member, kept.message, kept.other "
                         "= room, member, message, room:member('bob') return end"
                         "  for _, name in ipairs { 'room', 'member', 'message', 'other' } do"
                         "    local ok, said = pcall(function() return kept[name].id end)"
                         "    assert(not ok) told.why = told.why .. said .. ' / '"
                         "  end"
                         "  return sig.deny('X', told.why)"
                         "end)");
    fixture_enter(f, 0, "ann");
    fixture_enter(f, 1, "bob");
    uint32_t refs = f->members[1]->refs;
    assert_int_equal(fixture_message(f, TALK, NULL, NULL), LSIG_OK);
    assert_int_equal(fixture_message(f, TALK, NULL, NULL), LSIG_POLICY_DENIED);
    assert_non_null(strstr(f->refusal.message, "room used after its hook returned"));
    assert_non_null(strstr(f->refusal.message, "member used after its hook returned"));
    assert_non_null(strstr(f->refusal.message, "message used after its hook returned"));
    assert_int_equal(f->members[1]->refs, refs); // the hook gave its own back
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_type_without_hooks_is_never_entered),
        FIXTURE_TEST(message_hooks_run_before_those_of_the_type_and_the_first_refusal_wins),
        FIXTURE_TEST(a_denial_carries_code_text_and_details),
        FIXTURE_TEST(a_denial_has_bounds),
        FIXTURE_TEST(what_a_hook_returns_is_nothing_or_a_verdict),
        FIXTURE_TEST(a_verdict_that_is_not_returned_is_an_error_not_a_pass),
        FIXTURE_TEST(accept_skips_the_hooks_that_follow),
        FIXTURE_TEST(a_failing_hook_refuses_unless_it_is_told_to_allow),
        FIXTURE_TEST(a_leave_hook_sees_the_reason_and_cannot_refuse),
        FIXTURE_TEST(handled_is_for_messages_only),
        FIXTURE_TEST(a_message_shows_its_fields_and_parses_its_payload_on_demand),
        FIXTURE_TEST(a_room_and_its_members_show_their_fields),
        FIXTURE_TEST(unknown_and_read_only_fields_are_errors),
        FIXTURE_TEST(a_handle_expires_with_its_hook),
    };
    return cmocka_run_group_tests_name("script/hooks", tests, NULL, NULL);
}
