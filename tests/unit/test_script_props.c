#include "test_script_state_fixture.h"

#include "room/props.h"

static void tells(struct fixture *f, const char *body, const char *wanted)
{
    fixture_tells(f, "", body, wanted);
}

static void attr_and_data_are_assigned_and_read_like_fields(void **state)
{
    struct fixture *f = *state;
    tells(f,
          "member.attr.name = 'Zoe' member.data.plan = { n = 1, list = { 'a', true } }"
          " member.data.flag = false local d = member.data"
          " local t = { member.attr.name, d.plan.n, d.plan.list[1], tostring(d.flag),"
          " tostring(d.none), tostring(member.attr.plan) } return table.concat(t, ' ')",
          "Zoe 1 a false nil nil");
    const struct lsig_member *zoe = fixture_joiner(f);
    struct lsig_span name = lsig_props_get(zoe->attr, lsig_span_of("name"));
    assert_true(lsig_span_is(name, "\"Zoe\""));
}

static void nil_removes_and_null_is_kept(void **state)
{
    struct fixture *f = *state;
    tells(f,
          "local d = member.data d.a = 1 d.b = sig.null d.a = nil"
          " return tostring(d.a) .. tostring(d.b == sig.null)",
          "niltrue");
}

static void what_reading_gives_is_a_plain_copy(void **state)
{
    struct fixture *f = *state;
    tells(f,
          "member.data.t = { 1 } local t = member.data.t t[1] = 2 local c = sig.copy(member.data)"
          " c.t[1] = 3 c.x = 1 return member.data.t[1] .. tostring(member.data.x) .. c.t[1]",
          "1nil3");
}

static void attr_and_data_survive_a_reload(void **state)
{
    struct fixture *f = *state;
    tells(f, "member.attr.a = 1 member.data.b = 2", "nil");
    tells(f, "return member.attr.a .. member.data.b", "12");
}

static void a_failing_hook_loses_what_it_set(void **state)
{
    struct fixture *f = *state;
    tells(f, "member.data.kept = 'before'", "nil");
    fixture_use(f, "sig.on('join', function(room, member) member.data.kept = 'after'"
                   " member.data.new = 1 member.attr.x = 1 error('broken') end)");
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, fixture_joiner(f), NULL, NULL),
                     LSIG_POLICY_ERROR);
    tells(f, "return member.data.kept .. tostring(member.data.new) .. tostring(member.attr.x)",
          "beforenilnil");
}

static void too_much_is_an_error_that_names_the_bound(void **state)
{
    struct fixture *f = *state;
    tells(f, "member.attr.a = ('x'):rep(2000)",
          "member.attr.a: it would have more than 1024 bytes (POLICY_ATTR_BYTES) or 64 names");
    tells(f, "member.data.a = ('x'):rep(2000) return #member.data.a", "2000");
    tells(f, "for i = 1, 20 do member.data['k' .. i] = ('x'):rep(1000) end",
          "it would have more than 16384 bytes (POLICY_DATA_BYTES)");
    tells(f, "for i = 1, 65 do member.attr['k' .. i] = 1 end", "or 64 names");
}

static void names_are_texts_and_values_what_json_can_say(void **state)
{
    struct fixture *f = *state;
    tells(f, "member.attr[1] = 1", "member.attr: a name is a text, not a number");
    tells(f, "return member.data[true]", "member.data: a name is a text, not a boolean");
    tells(f, "member.attr[''] = 1", "member.attr: a name has 1 to 64 bytes");
    tells(f, "member.attr[('x'):rep(65)] = 1", "a name has 1 to 64 bytes");
    tells(f, "member.attr['a\\255'] = 1", "a name has 1 to 64 bytes of UTF-8");
    tells(f, "member.attr.f = print", "member.attr.f: a value is neither text, number");
    tells(f, "member.attr.f = member", "member.attr.f: a handle cannot be kept");
    tells(f, "member.attr = {}", "member.attr cannot be set");
}

static void writing_to_a_member_who_has_left_raises_gone_and_reading_does_not(void **state)
{
    struct fixture *f = *state;
    struct ending end = {0};
    fixture_enter(f, 0, "ann");
    fixture_use(f, "sig.on('join', function(room) local ann = room:member('ann')"
                   " ann.data.x = 'there' sig.sleep('5ms')"
                   " local ok, said = pcall(function() ann.data.x = 'late' end)"
                   " if said:find('GONE', 1, true) then return sig.deny('GONE_' .. "
                   "ann.data.x:upper()) end end)");
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, fixture_joiner(f), fixture_on_done, &end),
                     LSIG_WAITING);
    lsig_member_unref(lsig_room_leave(&f->connections[0], lsig_clock_now()).left);
    fixture_wait_for(f, &end.calls, 1);
    assert_string_equal(end.code, "GONE_THERE");
}

static void props_end_with_their_hook(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "local kept = {} sig.on('join', function(room, member)"
                   " if kept[1] then return sig.deny('SAID', select(2, pcall(function() return "
                   "kept[1].x end))) end kept[1] = member.data end)");
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, fixture_joiner(f), NULL, NULL), LSIG_OK);
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, fixture_joiner(f), NULL, NULL),
                     LSIG_POLICY_DENIED);
    assert_non_null(strstr(f->refusal.message, "used after its hook returned"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(attr_and_data_are_assigned_and_read_like_fields),
        FIXTURE_TEST(nil_removes_and_null_is_kept),
        FIXTURE_TEST(what_reading_gives_is_a_plain_copy),
        FIXTURE_TEST(attr_and_data_survive_a_reload),
        FIXTURE_TEST(a_failing_hook_loses_what_it_set),
        FIXTURE_TEST(too_much_is_an_error_that_names_the_bound),
        FIXTURE_TEST(names_are_texts_and_values_what_json_can_say),
        FIXTURE_TEST(writing_to_a_member_who_has_left_raises_gone_and_reading_does_not),
        FIXTURE_TEST(props_end_with_their_hook),
    };
    return cmocka_run_group_tests_name("script/props", tests, NULL, NULL);
}
