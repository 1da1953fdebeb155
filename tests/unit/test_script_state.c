#include "test_script_state_fixture.h"

#include "room/hub.h"

#define STATE                                                                                      \
    "sig.room_state { hands = sig.set { max = 3 }, queue = sig.list { max = 3 },"                  \
    " votes = sig.map { max = 3, value = sig.integer }, polls = sig.counter {},"                   \
    " locked = sig.value { type = sig.boolean, default = false }, note = sig.value {},"            \
    " any = sig.map {}, log = sig.list {} }"

static void tells(struct fixture *f, const char *body, const char *wanted)
{
    fixture_tells(f, STATE, body, wanted);
}

static void a_set_has_each_text_once_in_order(void **state)
{
    struct fixture *f = *state;
    tells(f,
          "local h = room.state.hands "
          "local t = { h:count(), h:has('a'), h:add('b'), h:add('a'), h:add('b'), h:count(),"
          " h:has('a'), table.concat(h:copy(), ',') }"
          " h:remove('b') t[9] = table.concat(h:copy(), ',') h:clear() t[10] = h:count()"
          " t[11] = h:remove('b') for i = 1, 11 do t[i] = tostring(t[i]) end"
          " return table.concat(t, ' ')",
          "0 false true true false 2 true b,a a 0 false");
}

static void a_list_is_pushed_at_its_end_and_popped_at_its_beginning(void **state)
{
    struct fixture *f = *state;
    tells(f,
          "local q = room.state.queue q:push('a') q:push('b') q:push('c')"
          " local t = { q:at(1), q:at(-1), tostring(q:at(4)), q:pop(), q:pop_last(), q:count(), "
          "q:at(1),"
          " q:pop(), tostring(q:pop()), tostring(q:pop_last()) } return table.concat(t, ' ')",
          "a c nil a c 1 b b nil nil");
    tells(f,
          "local q = room.state.queue q:push('a') q:push(2) q:insert(1, 'x') q:set(-1, true)"
          " local t = { tostring(q:at(3)), q:index_of('a'), q:index_of(true), "
          "tostring(q:index_of(2)),"
          " q:remove(2), tostring(q:remove(7)), q:count() } return table.concat(t, ' ')",
          "true 2 3 nil a nil 2");
    tells(f, "room.state.queue:clear() room.state.queue:set(1, 'x')",
          "room.state.queue: there is no such position among 0");
    tells(f, "room.state.queue:insert(3, 'x')", "there is no such position among 0");
    tells(f, "room.state.queue:at(0)", "a position is a whole number, from 1, or from -1");
    tells(f, "room.state.queue:at(1.5)", "a position is a whole number");
    tells(f, "room.state.queue:push()", "room.state.queue: a value is missing");
}

static void a_map_has_values_by_text_in_order(void **state)
{
    struct fixture *f = *state;
    tells(f,
          "local v = room.state.votes v:set('b', 1) v:set('a', 2) v:set('b', 3)"
          " local t = { v:get('b'), tostring(v:get('x')), tostring(v:has('a')), v:incr('a'), "
          "v:incr('c', 5),"
          " table.concat(v:keys(), ','), v:count(), v:copy().b } v:set('a', nil)"
          " t[#t + 1] = tostring(v:has('a')) t[#t + 1] = tostring(v:remove('b'))"
          " return table.concat(t, ' ')",
          "3 nil true 3 5 b,a,c 3 3 false true");
}

static void a_counter_counts_and_is_assigned(void **state)
{
    struct fixture *f = *state;
    tells(f,
          "local p = room.state.polls local t = { p:get(), p:incr(), p:incr(4), p:incr(-2) }"
          " room.state.polls = 40 t[5] = p:get() t[6] = p:copy() return table.concat(t, ' ')",
          "0 1 5 3 40 40");
    tells(f, "room.state.polls:incr(0.5)", "room.state.polls: a counter is a whole number");
    tells(f, "room.state.polls = 2 ^ 54",
          "room.state.polls: a counter is a whole number up to 2^53");
    tells(f, "room.state.polls = 'x'", "room.state.polls: a counter gets a number");
    tells(f, "return room.state.polls + 1",
          "room.state.polls is a counter: :get() gives its number");
    tells(f, "return 'n' .. room.state.polls", "room.state.polls is a counter: :get()");
}

static void a_value_is_read_and_assigned_plainly(void **state)
{
    struct fixture *f = *state;
    tells(f,
          "local s = room.state local t = { tostring(s.locked), tostring(s.note) }"
          " s.locked = true s.note = { a = { 1, 2, 'x' }, b = 'q\"\\n' }"
          " t[3] = tostring(s.locked) t[4] = s.note.a[3] t[5] = s.note.b s.note.b = 'changed'"
          " t[6] = s.note.b s.locked = nil t[7] = tostring(s.locked)"
          " s.note = sig.null t[8] = tostring(s.note == sig.null)"
          " s.note = nil t[9] = tostring(s.note) return table.concat(t, ' ')",
          "false nil true x q\"\n q\"\n false true nil");
}

static void what_copy_get_and_at_give_is_a_plain_copy(void **state)
{
    struct fixture *f = *state;
    tells(f,
          "local s = room.state s.any:set('k', { n = 1 }) s.log:push({ n = 1 }) s.hands:add('a')"
          " local a, b, c, d = s.any:get('k'), s.log:at(1), s.any:copy(), s.hands:copy()"
          " a.n = 2 b.n = 2 c.k.n = 2 d[1] = 'b' c.x = 1"
          " return s.any:get('k').n .. s.log:at(1).n .. s.any:copy().k.n .. s.hands:copy()[1]"
          " .. s.any:count() .. type(sig.copy(s.any)) .. type(sig.copy(s)) .. sig.copy(s).hands[1]"
          " .. tostring(sig.copy(s).locked) .. sig.copy(s.polls)",
          "111a1tabletableafalse0");
    tells(f, "sig.copy({})", "sig.copy: a container of room.state");
}

static void null_is_kept_and_told_from_nothing(void **state)
{
    struct fixture *f = *state;
    tells(f,
          "local s = room.state s.log:push(sig.null) s.any:set('k', sig.null)"
          " s.log:push({ 1, sig.null, 3 })"
          " return tostring(s.log:at(1) == sig.null) .. tostring(s.any:get('k') == sig.null)"
          " .. tostring(s.log:copy()[1] == sig.null) .. tostring(s.log:at(2)[2] == sig.null)"
          " .. s.log:at(2)[3]",
          "truetruetruetrue3");
}

static void a_copy_of_an_empty_list_is_a_list_in_json(void **state)
{
    struct fixture *f = *state;
    tells(f,
          "local s = room.state s.note = { q = s.queue:copy(), h = s.hands:copy(), k = "
          "s.votes:keys(), m = s.votes:copy(), t = {} } s.note = s.note",
          "nil");
    const struct lsig_state *made = lsig_state_find(f->room, lsig_span_of("policy"));
    struct lsig_span note = lsig_state_value(lsig_state_field_find(made, lsig_span_of("note")));
    char text[100];
    snprintf(text, sizeof(text), "%.*s", LSIG_SPAN_ARG(note));
    assert_non_null(strstr(text, "\"q\":[]"));
    assert_non_null(strstr(text, "\"h\":[]"));
    assert_non_null(strstr(text, "\"k\":[]"));
    assert_non_null(strstr(text, "\"m\":{}"));
    assert_non_null(strstr(text, "\"t\":{}"));
}

static void each_walks_over_what_was_there_when_it_began(void **state)
{
    struct fixture *f = *state;
    tells(f,
          "local s, t = room.state, {} s.hands:add('a') s.hands:add('b') s.queue:push('x')"
          " s.queue:push('y') s.votes:set('k', 1) s.votes:set('l', 2)"
          " for key in s.hands:each() do s.hands:remove(key) s.hands:add(key .. 'x') t[#t + 1] = "
          "key end"
          " for i, value in s.queue:each() do s.queue:clear() t[#t + 1] = i .. value end"
          " for key, value in s.votes:each() do s.votes:clear() t[#t + 1] = key .. value end"
          " for key in s.votes:each() do t[#t + 1] = 'no' end"
          " t[#t + 1] = table.concat(s.hands:copy(), ',') return table.concat(t, ' ')",
          "a b 1x 2y k1 l2 ax,bx");
}

static void pairs_ipairs_next_and_length_name_the_method_to_use(void **state)
{
    struct fixture *f = *state;
    tells(f, "for k in pairs(room.state.hands) do end",
          "pairs: room.state.hands is a set: write `for key in …:each() do`");
    tells(f, "for k in ipairs(room.state.queue) do end",
          "ipairs: room.state.queue is a list: write `for i, value in …:each() do`");
    tells(f, "return next(room.state.votes)",
          "next: room.state.votes is a map: write `for key, value in …:each() do`");
    tells(f, "return #room.state.hands", "#: room.state.hands is a set: write :count()");
    tells(f, "return #room.state.polls", "#: room.state.polls is a counter: write :get()");
    tells(f, "for k in pairs(room.state) do end", "pairs: room.state is a state: read its fields");
    tells(f, "for k in pairs(member.attr) do end", "pairs: member.attr is no table: sig.copy");
    tells(f, "return #member.data", "#: member.data is no table: sig.copy(member.data)");
    tells(f, "return #room.state.hands", "policy.lua:1:");
    tells(f, "pairs(nil)", "policy.lua:1: bad argument #1 to 'pairs' (table expected, got nil)");
    tells(f, "ipairs()",
          "policy.lua:1: bad argument #1 to 'ipairs' (table expected, got no value)");
    tells(f,
          "local n = 0 for k, v in pairs({ a = 1, b = 2 }) do n = n + v end "
          "for i, v in ipairs({ 5, 6 }) do n = n + v end return n .. next({ x = 1 })",
          "14x");
}

static void what_is_not_declared_is_an_error_that_names_the_nearest(void **state)
{
    struct fixture *f = *state;
    tells(f, "return room.state.hand", "room.state: there is no 'hand'; did you mean 'hands'?");
    tells(f, "room.state.lockd = true", "room.state: there is no 'lockd'; did you mean 'locked'?");
    tells(f, "return room.state[1]", "room.state: there is no 'number'");
    tells(f, "room.state.hands = {}", "room.state.hands is a set, and is not assigned: write :add");
    tells(f, "room.state.queue = nil", "room.state.queue is a list, and is not assigned");
    tells(f, "room.state.votes = {}", "room.state.votes is a map, and is not assigned");
    tells(f, "room.state.hands.x = 1",
          "room.state.hands has no fields: it is changed with its methods");
    tells(f, "room.state.hands:ad('x')",
          "a set in room.state: there is no 'ad'; did you mean 'add'?");
    tells(f, "room.state.hands.add('x')", "a set was expected here, not a string");
    tells(f, "return getmetatable(room.state.hands)", "protected");
    fixture_tells(f, "", "return room.state.x",
                  "the policy \"policy\" declares no state: write sig.room_state {");
    fixture_tells(f, STATE, "return room:state_of('polcy').x",
                  "there is no 'polcy'; did you mean 'policy'?");
}

static void keys_are_texts_of_1_to_256_bytes(void **state)
{
    struct fixture *f = *state;
    tells(f, "room.state.hands:add(5)",
          "room.state.hands: a key is a text, not a number (write tostring");
    tells(f, "room.state.hands:add(nil)", "room.state.hands: a key is a text, not a nil");
    tells(f, "room.state.votes:set({}, 1)", "room.state.votes: a key is a text, not a table");
    tells(f, "room.state.votes:get(true)", "a key is a text, not a boolean");
    tells(f, "room.state.hands:add('')", "a key has 1 to 256 bytes");
    tells(f, "room.state.hands:add(('x'):rep(257))", "a key has 1 to 256 bytes");
    tells(f, "room.state.hands:add('\\255')", "a key is UTF-8 text without NUL");
    tells(f, "room.state.hands:add('a\\0')", "a key is UTF-8 text without NUL");
    tells(f, "return tostring(room.state.hands:add(('x'):rep(256)))", "true");
}

static void a_schema_holds_values_and_names_container_and_path(void **state)
{
    struct fixture *f = *state;
    tells(f, "room.state.votes:set('a', 'x')", "room.state.votes: expected a whole number");
    tells(f, "room.state.votes:set('a', 1.5)", "room.state.votes: expected a whole number");
    tells(f, "room.state.locked = 1", "room.state.locked: expected true or false");
    const char *declare =
        "sig.room_state { list = sig.list { value = sig.object { n = sig.number { "
        "max = 5 } } }, ids = sig.set { value = sig.string { max = 2 } },"
        " tags = sig.map { value = sig.string } }";
    fixture_tells(f, declare, "room.state.list:push { n = 6 }",
                  "room.state.list.n: expected at most 5");
    fixture_tells(f, declare, "room.state.list:push { m = 1, n = 1 }",
                  "room.state.list: holds a field that this type does not have");
    fixture_tells(f, declare, "room.state.ids:add('abc')",
                  "room.state.ids: expected at most 2 characters");
    fixture_tells(f, declare, "room.state.ids:add('ab') return tostring(room.state.ids:has('abc'))",
                  "false");
    fixture_tells(f, declare, "room.state.tags:set('a', 'x') room.state.tags:incr('a')",
                  "room.state.tags: what stands there is no number");
    fixture_tells(f, declare, "room.state.tags:incr('b')", "room.state.tags: expected a string");
    tells(f, "room.state.note = print", "room.state.note: a value is neither text, number");
    tells(f, "room.state.note = room", "room.state.note: a handle cannot be kept");
    tells(f, "room.state.note = 0 / 0", "room.state.note: a number is infinite");
    tells(f, "local t = {} t.t = t room.state.note = t", "nested too deeply, or holds itself");
}

static void a_full_container_is_an_error_that_names_its_bound(void **state)
{
    struct fixture *f = *state;
    tells(f, "for i = 1, 4 do room.state.hands:add('k' .. i) end",
          "room.state.hands: it has 3 entries, and its max is 3");
    tells(f, "return tostring(room.state.hands:add('k1')) .. room.state.hands:count()", "false3");
    tells(f, "for i = 1, 4 do room.state.queue:push(i) end",
          "room.state.queue: it has 3 entries, and its max is 3");
    tells(f, "room.state.queue:insert(1, 0)", "room.state.queue: it has 3 entries");
    tells(f, "room.state.queue:set(1, 'y') return room.state.queue:at(1)", "y");
    tells(f, "for i = 1, 4 do room.state.votes:set('k' .. i, i) end",
          "room.state.votes: it has 3 entries, and its max is 3");
}

static void a_room_that_remembers_too_much_is_an_error_that_names_the_bound(void **state)
{
    struct fixture *f = *state;
    tells(f, "for i = 1, 1000 do room.state.log:push(('x'):rep(1000)) end",
          "room.state.log: what policies remember of this room would have more than 65536 bytes "
          "(POLICY_STATE_BYTES)");
    tells(f, "room.state.note = ('x'):rep(70000)", "more than 65536 bytes (POLICY_STATE_BYTES)");
    tells(f, "room.state.log:clear() room.state.note = ('x'):rep(60000) return #room.state.note",
          "60000");
}

static void state_survives_a_reload_and_belongs_to_its_policy(void **state)
{
    struct fixture *f = *state;
    tells(f, "room.state.hands:add('a') room.state.locked = true", "nil");
    tells(f, "return room.state.hands:copy()[1] .. tostring(room.state.locked)", "atrue");
    fixture_write(f, f->folder, "other.lua",
                  "local sig = require 'lunasig' sig.policy { name = 'the.other' } "
                  "sig.room_state { hands = sig.set {} } "
                  "local help = require 'help' "
                  "sig.on('join', function(room) help(room) end)");
    fixture_write(f, f->folder, "help.lua",
                  "return function(room) room.state.hands:add('from help') end");
    fixture_tells(f, "sig.use { 'other' } " STATE,
                  "local h = require ~= nil and room:state_of('the.other').hands h:add('more')"
                  " return table.concat(h:copy(), ',') .. room.state.hands:copy()[1]",
                  "from help,morea");
    fixture_tells(f, "sig.use { 'other' } " STATE, "room:state_of('the.other').hands:add('')",
                  "room:state_of(\"the.other\").hands: a key has");
}

static void a_failing_hook_loses_what_it_changed(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, STATE
                " sig.on('join', function(room) local s = room.state"
                " if s.locked then return sig.deny('SAID', s.hands:count() .. s.polls:get()) end"
                " s.hands:add('x') s.polls:incr() s.votes:set('a', 1) s.log:push(1) s.note = 'n'"
                " error('broken') end)");
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, fixture_joiner(f), NULL, NULL),
                     LSIG_POLICY_ERROR);
    tells(f,
          "local s = room.state return s.hands:count() .. s.polls:get() .. s.votes:count()"
          " .. s.log:count() .. tostring(s.note)",
          "0000nil");
}

static void what_a_hook_changed_before_its_wait_stays(void **state)
{
    struct fixture *f = *state;
    struct ending end = {0};
    fixture_use(f, STATE " sig.on('join', function(room) room.state.hands:add('before')"
                         " sig.sleep('5ms') room.state.hands:add('after') error('broken') end)");
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, fixture_joiner(f), fixture_on_done, &end),
                     LSIG_WAITING);
    fixture_wait_for(f, &end.calls, 1);
    assert_int_equal(end.status, LSIG_POLICY_ERROR);
    tells(f, "return table.concat(room.state.hands:copy(), ',')", "before");
}

// The same random steps on containers and on plain tables of Lua; then they are compared.
#define RANDOM_STEPS                                                                               \
    "local h, v, q = room.state.hands, room.state.votes, room.state.queue"                         \
    " local set, map, list = {}, {}, {} local n = 0"                                               \
    " local function find(key) for i, k in ipairs(set) do if k == key then return i end end end"   \
    " for step = 1, 400 do local key, way = 'k' .. math.random(30), math.random(9)"                \
    " if way == 1 then if h:add(key) then assert(not find(key)) set[#set + 1] = key end"           \
    " elseif way == 2 then local i = find(key) assert(h:remove(key) == (i ~= nil))"                \
    " if i then table.remove(set, i) end"                                                          \
    " elseif way == 3 then v:set(key, step) map[key] = step"                                       \
    " elseif way == 4 then assert(v:get(key) == map[key]) v:remove(key) map[key] = nil"            \
    " elseif way == 5 then map[key] = (map[key] or 0) + 2 assert(v:incr(key, 2) == map[key])"      \
    " elseif way == 6 then q:push(step) list[#list + 1] = step"                                    \
    " elseif way == 7 then assert(q:pop() == table.remove(list, 1))"                               \
    " elseif way == 8 then local at = math.random(#list + 1) q:insert(at, key)"                    \
    " table.insert(list, at, key)"                                                                 \
    " elseif #list > 0 then local at = math.random(#list)"                                         \
    " assert(q:at(at) == list[at] and q:at(at - 1 - #list) == list[at])"                           \
    " assert(q:remove(at) == table.remove(list, at)) end end"                                      \
    " assert(table.concat(h:copy(), ' ') == table.concat(set, ' ') and h:count() == #set)"         \
    " assert(table.concat(q:copy(), ' ') == table.concat(list, ' ') and q:count() == #list)"       \
    " for key, value in pairs(map) do n = n + 1 assert(v:get(key) == value and v:has(key)) end"    \
    " assert(v:count() == n)"
#define CLEAR "room.state.hands:clear() room.state.votes:clear() room.state.queue:clear() "
#define ROOMY                                                                                      \
    "sig.room_state { hands = sig.set {}, votes = sig.map {}, queue = sig.list {}, note = "        \
    "sig.value {} } "
#define SHOWN                                                                                      \
    "(function() local s, t = room.state, {} for k, x in s.votes:each() do t[#t + 1] = k .. x "    \
    "end return table.concat(s.hands:copy(), ' ') .. '|' .. table.concat(s.queue:copy(), ' ') .. " \
    "'|' .. table.concat(t, ' ') end)()"

static void containers_do_what_plain_tables_do_and_a_failing_hook_changes_none(void **state)
{
    struct fixture *f = *state;
    for (int round = 0; round < 20; round++) {
        fixture_tells(f, ROOMY, CLEAR RANDOM_STEPS " room.state.note = " SHOWN " return 'same'",
                      "same");
        fixture_use(
            f, ROOMY
            "sig.on('join', function(room) local ok, said = pcall(function() " CLEAR RANDOM_STEPS
            " end) error(said or 'broken', 0) end)");
        assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, fixture_joiner(f), NULL, NULL),
                         LSIG_POLICY_ERROR);
        fixture_tells(f, ROOMY, "return room.state.note == " SHOWN, "true");
    }
}

static void state_handles_end_with_their_hook(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, STATE " local kept = {} sig.on('join', function(room)"
                         " if kept.set then return sig.deny('SAID', select(2, pcall(function()"
                         " kept.set:add('x') end)) .. select(2, pcall(function() return "
                         "kept.all.locked end))) end"
                         " kept.set, kept.all = room.state.hands, room.state end)");
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, fixture_joiner(f), NULL, NULL), LSIG_OK);
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, fixture_joiner(f), NULL, NULL),
                     LSIG_POLICY_DENIED);
    assert_non_null(strstr(f->refusal.message, "set used after its hook returned"));
    assert_non_null(strstr(f->refusal.message, "room.state used after its hook returned"));
}

static void a_container_of_another_kind_is_an_error_at_its_first_touch(void **state)
{
    struct fixture *f = *state;
    struct lsig_state *made = lsig_state_open(f->room, lsig_span_of("policy"), 1);
    assert_non_null(lsig_state_field_open(made, lsig_span_of("a"), LSIG_STATE_SET, 10));
    fixture_tells(
        f, "sig.room_state { a = sig.list {}, b = sig.set {} }",
        "room.state.b:add('y') return room.state.a:count()",
        "room.state.a is a set in this room, from a policy version before: raise `version`"
        " to 2 and write migrate");
    fixture_tells(f, "sig.room_state { a = sig.list {}, b = sig.set {} }", "room.state.a:push(1)",
                  "room.state.a is a set in this room");
    fixture_tells(f, "sig.room_state { a = sig.list {}, b = sig.set {} }",
                  "return room.state.b:copy()[1]", "y");
}

static void max_may_change_from_version_to_version(void **state)
{
    struct fixture *f = *state;
    fixture_tells(f, "sig.room_state { a = sig.set { max = 3 } }",
                  "for i = 1, 3 do room.state.a:add('k' .. i) end", "nil");
    fixture_tells(f, "sig.room_state { a = sig.set { max = 2 } }", "room.state.a:add('more')",
                  "room.state.a: it has 3 entries, and its max is 2");
    fixture_tells(f, "sig.room_state { a = sig.set { max = 5 } }",
                  "room.state.a:add('more') return room.state.a:count()", "4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_set_has_each_text_once_in_order),
        FIXTURE_TEST(a_list_is_pushed_at_its_end_and_popped_at_its_beginning),
        FIXTURE_TEST(a_map_has_values_by_text_in_order),
        FIXTURE_TEST(a_counter_counts_and_is_assigned),
        FIXTURE_TEST(a_value_is_read_and_assigned_plainly),
        FIXTURE_TEST(what_copy_get_and_at_give_is_a_plain_copy),
        FIXTURE_TEST(null_is_kept_and_told_from_nothing),
        FIXTURE_TEST(a_copy_of_an_empty_list_is_a_list_in_json),
        FIXTURE_TEST(each_walks_over_what_was_there_when_it_began),
        FIXTURE_TEST(pairs_ipairs_next_and_length_name_the_method_to_use),
        FIXTURE_TEST(what_is_not_declared_is_an_error_that_names_the_nearest),
        FIXTURE_TEST(keys_are_texts_of_1_to_256_bytes),
        FIXTURE_TEST(a_schema_holds_values_and_names_container_and_path),
        FIXTURE_TEST(a_full_container_is_an_error_that_names_its_bound),
        FIXTURE_TEST(a_room_that_remembers_too_much_is_an_error_that_names_the_bound),
        FIXTURE_TEST(state_survives_a_reload_and_belongs_to_its_policy),
        FIXTURE_TEST(a_failing_hook_loses_what_it_changed),
        FIXTURE_TEST(what_a_hook_changed_before_its_wait_stays),
        FIXTURE_TEST(containers_do_what_plain_tables_do_and_a_failing_hook_changes_none),
        FIXTURE_TEST(state_handles_end_with_their_hook),
        FIXTURE_TEST(a_container_of_another_kind_is_an_error_at_its_first_touch),
        FIXTURE_TEST(max_may_change_from_version_to_version),
    };
    return cmocka_run_group_tests_name("script/state", tests, NULL, NULL);
}
