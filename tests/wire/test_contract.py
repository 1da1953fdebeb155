"""The contract of docs/policies.md, a test for each sentence, named after it."""

import lunasig_server
import pytest

HEAD = """
local sig = require "lunasig"
sig.type "say" {} sig.type "go" {} sig.type "slow" { rate = "2/s burst 2 per room" }
sig.type "mood" { keep = "latest per user" } sig.type "slide" { keep = "latest" }
sig.room_state { list = sig.list {}, set = sig.set {}, map = sig.map { value = sig.any }, on = sig.value { type = sig.boolean, default = false } }
"""


def on_say(body):
    return f'sig.on("message:say", function(room, member, message)\nlocal n = message.payload.n\n{body}\nend)\n'


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    policy = lunasig_server.Policy(tmp_path_factory.mktemp("policy"))
    server = lunasig_server.Server(tmp_path_factory.mktemp("server"), {**policy.settings, "RESUME_WINDOW_S": "5", "POLICY_EFFECTS_MAX": "100", "POLICY_CPU_MS": "300", "WEBSOCKET_MESSAGE_RATE_LIMIT": "10000"})
    yield server, policy
    server.end()


@pytest.fixture
def server(house):
    return house[0]


@pytest.fixture
def load(house):
    """load(LUA): that is in force, behind HEAD, until the end of the test."""
    server, policy = house
    yield lambda added="": policy.reload(server, HEAD + added)
    policy.reload(server, "")


@pytest.fixture
def metric(server):
    """metric(NAME): by how much it has grown since the beginning of the test."""
    before = server.metrics()
    return lambda name: server.metrics()[name] - before[name]


def says(client, n=0, type="say", **more):
    client.send(type, {"n": n, **more})


def until(client, type, **payload):
    return client.until(type, **payload)[0]


def told(client, n=None, type="told"):
    return client.expect(type, **({} if n is None else {"n": n}))


def test_the_hooks_of_a_room_run_one_at_a_time(server, load, room):
    load(on_say('local list = room.state.list list:push(n) list:push(n) room:send("told", { list = list:copy() })'))
    people = server.gather(room, *(f"u{i}:v1" for i in range(4)))
    for turn in range(10):
        for i, client in enumerate(people):
            says(client, turn * 10 + i)
    last = None
    for _ in range(40):
        last = until(people[0], "told")["payload"]["list"]
    assert len(last) == 80
    assert last[0::2] == last[1::2], "a hook ran inside of another"


def test_what_a_hook_reads_and_writes_between_two_waits_is_atomic(server, load, room):
    load(
        on_say("""
        sig.sleep("20ms")
        local seen = room.state.map:get("count") or 0
        room.state.map:set("count", seen + 1)
        sig.sleep("20ms")
        room:send("told", { n = room.state.map:get("count") })
        """)
    )
    people = server.gather(room, *(f"u{i}:v1" for i in range(5)))
    for client in people:
        says(client)
    assert [until(people[0], "told")["payload"]["n"] for _ in range(5)] == [5] * 5


def test_a_wait_looks_like_a_call(server, load, room):
    load(on_say('sig.sleep("10ms") local found = sig.store.things:get("nothing") room:send("told", { n = found == nil and 1 or 2 })'))
    ann = server.join(room, "ann", v1=True)
    says(ann)
    told(ann, 1)


def test_after_a_wait_the_room_may_have_changed_and_present_may_be_false(server, load, room):
    load(on_say('local bob = room:member "bob" sig.sleep("200ms") room:send("told", { n = bob.present and 1 or 0 })'))
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    says(ann)
    bob.leave()
    assert until(ann, "told")["payload"]["n"] == 0


@pytest.mark.parametrize("write", ["bob:send('x')", "bob:set_role 'host'", "bob:kick()", "bob.data.x = 1", "bob.attr.x = 1"])
def test_writing_to_a_member_who_has_left_raises_gone(server, load, room, write):
    load(
        on_say(f"""
        local bob = room:member "bob" sig.sleep("200ms")
        local ok, text = pcall(function() {write} end)
        room:send("told", {{ n = 1, gone = not ok and text:find("GONE", 1, true) ~= nil }})""")
    )
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    says(ann)
    bob.leave()
    assert until(ann, "told")["payload"]["gone"] is True


def test_after_a_wait_the_core_checks_membership_role_and_policy_again_before_it_relays(server, load, room):
    load('sig.type "boss" { from = "host" } ' + on_say('room:member("ann"):set_role "observer"') + 'sig.on("message:boss", function() sig.sleep("200ms") end)')
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    says(ann, type="boss")
    says(bob)
    assert until(ann, "error")["payload"]["code"] == "PERMISSION_DENIED"
    bob.until("role-updated", role="observer")
    says(bob, 2)
    ann.until("say", n=2)


def test_messages_of_a_connection_are_handled_in_the_order_in_which_they_came_also_when_a_hook_waits(server, load, room):
    load(on_say('if n % 3 == 0 then sig.sleep("10ms") end'))
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    for n in range(30):
        says(ann, n)
    assert [bob.expect("say")["payload"]["n"] for _ in range(30)] == list(range(30))


def test_sends_kicks_roles_and_timers_are_staged_and_done_together_in_order_at_each_wait_and_when_the_hook_returns(server, load, room):
    load(
        on_say("""
        room:send("told", { n = 1 }) room:member("bob"):set_role "moderator" room:send("told", { n = 2 })
        sig.sleep("50ms")
        room:send("told", { n = 3 }) room:after("50ms", "ring", { n = 5 }) room:member("bob"):kick() room:send("told", { n = 4 })""")
        + 'sig.on("timer:ring", function(room, arg) room:send("told", arg) end)'
    )
    ann, bob, cat = server.gather(room, "ann:v1", "bob:v1", "cat:v1")
    says(ann)
    heard = [cat.recv() for _ in range(6)]
    kinds = [(it["type"], it["payload"].get("n")) for it in heard if it["type"] != "user-left"]
    assert kinds[:3] == [("told", 1), ("role-updated", None), ("told", 2)]
    assert [it for it in kinds[3:] if it[0] == "told"][:2] == [("told", 3), ("told", 4)]
    assert bob.close_code() == 4403
    cat.until("told", n=5) if ("told", 5) not in kinds else None


def test_a_hook_reads_what_it_wrote_at_once(server, load, room):
    load(
        on_say("""
        room.state.set:add "x" member.data.y = { 1 } member:set_role "moderator"
        local fine = room.state.set:has "x" and member.data.y[1] == 1 and member.role == "moderator"
        room:send("told", { n = fine and 1 or 0 })""")
    )
    ann = server.join(room, "ann", v1=True)
    says(ann)
    assert until(ann, "told")["payload"]["n"] == 1


@pytest.mark.parametrize(("on_error", "relayed"), [("deny", False), ("allow", True)])
def test_a_hook_that_fails_loses_what_it_changed_and_staged_since_its_last_wait_then_it_denies_or_allows(server, load, room, on_error, relayed):
    load(
        f'sig.on("message:go", {{ on_error = "{on_error}" }}, function(room, member)'
        """ room.state.set:add "kept" room:send("told", { n = 1 }) sig.sleep("10ms")
            room.state.set:add "lost" member.attr.lost = true member:set_role "observer" room:send("told", { n = 2 }) error "oh" end)"""
        + on_say('room:send("told", { n = 3, set = room.state.set:copy(), role = member.role, lost = member.attr.lost == true })')
    )
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    says(ann, type="go")
    told(bob, 1)
    if relayed:
        bob.expect("go")
    else:
        ann.until("error")
    says(ann)
    payload = told(bob, 3)["payload"]
    assert payload == {"n": 3, "set": ["kept"], "role": "host", "lost": False}


def test_where_a_hook_can_refuse_an_error_refuses_unless_on_error_is_allow_elsewhere_an_error_changes_nothing(server, load, room, metric):
    load('sig.on("join", function(room, member) if member.id == "eve" then error "oh" end end) sig.on("leave", function(room) if room.id == "%s" then error "oh" end end)' % room)
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    eve = server.connect(room, "eve", v1=True)
    eve.expect_error("POLICY_ERROR")
    bob.leave()
    ann.until("user-left")
    assert metric("lunasig_hook_errors_total") == 2


@pytest.mark.parametrize("use", ["room.id", "member.id", "message.payload", "room:send('told')", "member.attr.x", "room.state.set:count()"])
def test_room_member_and_message_are_good_until_their_hook_ends_using_one_later_is_an_error_never_the_next_message(server, load, room, use):
    load(
        "local kept = {}\n"
        + on_say(f"""
        if n == 1 then kept.room, kept.member, kept.message = room, member, message return end
        local room, member, message = kept.room, kept.member, kept.message
        return sig.deny("SAID", tostring(select(2, pcall(function() return {use} end))))""")
    )
    ann = server.join(room, "ann", v1=True)
    says(ann, 1)
    says(ann, 2)
    assert "after its hook" in ann.expect_error("SAID")["payload"]["message"]


@pytest.mark.parametrize(
    ("walk", "method"), [("for _ in pairs(room.state.set) do end", "each"), ("for _ in ipairs(room.state.list) do end", "each"), ("return #room.state.list", "count")]
)
def test_state_is_read_with_methods_pairs_ipairs_and_length_on_it_raise_an_error_that_names_the_method(server, load, room, walk, method):
    load(on_say(f'return sig.deny("SAID", tostring(select(2, pcall(function() {walk} end))))'))
    ann = server.join(room, "ann", v1=True)
    says(ann)
    assert f":{method}" in ann.expect_error("SAID")["payload"]["message"]


def test_what_copy_get_and_at_give_is_a_plain_copy(server, load, room):
    load(
        on_say("""
        room.state.map:set("k", { deep = { 1 } }) room.state.list:push({ 1 })
        local got, at, copy = room.state.map:get "k", room.state.list:at(1), room.state.map:copy()
        got.deep[1], at[1], copy.k.deep[1] = 7, 7, 7
        room:send("told", { n = room.state.map:get("k").deep[1] + room.state.list:at(1)[1] })""")
    )
    ann = server.join(room, "ann", v1=True)
    says(ann)
    told(ann, 2)


def test_require_finds_the_bundles_own_files_and_those_of_lua_as_text(server, house, load, room):
    folder = house[1].folder
    (folder / "mine").mkdir(exist_ok=True)
    (folder / "mine/words.lua").write_text("return { word = 'found' }\n")
    load('local words = require "mine.words" local field = require "lunasig.field" assert(field)\n' + on_say('room:send("told", { n = 1, word = words.word })'))
    ann = server.join(room, "ann", v1=True)
    says(ann)
    assert told(ann, 1)["payload"]["word"] == "found"
    for name, said in (("mine.bytes", "bytecode"), ("../words", "require"), ("mine.none", "mine/none.lua")):
        (folder / "mine/bytes.lua").write_bytes(b"\x1bLJ\x02\x00")
        start = house[1].reload(server, HEAD + f'require "{name}"', good=False)
        server.line(lambda line, said=said: "policy-failed" in line and said in line, start)
    (folder / "mine/bytes.lua").unlink()


def test_globals_are_read_only(server, house, load):
    start = house[1].reload(server, HEAD + on_say("counted = n"), good=False)
    server.line(lambda line: "counted" in line and "policy.lua:" in line, start)


@pytest.mark.parametrize("name", ["io", "debug", "package", "jit", "ffi", "collectgarbage", "loadstring", "setfenv", "newproxy"])
def test_what_is_not_on_the_list_of_allowed_names_is_not_there(server, house, load, name):
    start = house[1].reload(server, HEAD + on_say(f"return {name}"), good=False)
    server.line(lambda line: f"'{name}'" in line and "policy.lua:" in line, start)


@pytest.mark.parametrize(
    "attack",
    [
        "(('a'):rep(3000)):find('.-.-.-b')",
        "('x'):rep(1e9)",
        "('%1000000d'):format(1)",
        "table.concat({ ('x'):rep(1e6), ('x'):rep(1e6) })",
        "local f f = function() return coroutine.wrap(f)() end return f()",
    ],
)
def test_patterns_rep_format_and_concat_are_bounded_coroutines_are_counted(server, load, room, metric, attack):
    load(on_say(f"local function run() {'return ' if not attack.startswith('local') else ''}{attack} end run()"))
    ann = server.join(room, "ann", v1=True)
    says(ann)
    ann.expect_error("POLICY_ERROR")
    assert metric("lunasig_hook_errors_total") == 1


@pytest.mark.parametrize(
    ("body", "counter"),
    [
        ("while true do end", "lunasig_hook_cpu_exceeded_total"),
        ('sig.sleep("1h")', "lunasig_hook_wait_exceeded_total"),
        ("for i = 1, 101 do room:send('told') end", "lunasig_hook_effects_exceeded_total"),
        ("local t, x = {}, ('x'):rep(1e6) while true do t[#t + 1] = x .. #t end", "lunasig_hook_memory_exceeded_total"),
    ],
)
def test_a_hook_that_exceeds_a_bound_is_stopped_with_file_and_line_and_its_own_counter_other_rooms_do_not_notice(server, load, room, metric, body, counter):
    load("sig.on('message:go', function(room, member, message)\n" + body + "\nend)")
    start = len(server.lines)
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    cid, dan = server.gather(f"{room}-other", "cid:v1", "dan:v1")
    says(ann, type="go")
    for n in range(20):
        says(cid, n)
        dan.expect("say", n=n)
    ann.expect_error("POLICY_ERROR")
    server.line(lambda line: "hook-failed" in line and "policy.lua:" in line, start)
    assert metric(counter) == 1
    says(ann, 5)
    bob.expect("say", n=5)


def test_a_reload_keeps_connections_members_roles_attr_data_state_timers_rates_and_kept_messages_and_drops_variables(server, load, room):
    body = (
        "local variable = {}\n"
        + on_say("""
        if n == 1 then
          room.state.set:add "x" member.attr.hand = true member.data.secret = 7 room:after("1s", "ring") variable.x = 1
          room:member("bob"):set_role "moderator"
        elseif n == 2 then
          room:send("told", { n = 2, set = room.state.set:copy(), hand = member.attr.hand, secret = member.data.secret, left = room:timer "ring" ~= nil,
            variable = variable.x == nil, role = room:member("bob").role })
        end""")
        + "sig.on('timer:ring', function(room) room:send('rang') end)"
    )
    load(body)
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    says(ann, 9, type="slide")
    says(ann, 1, type="slow")
    says(ann, 2, type="slow")
    says(ann, 1)
    bob.until("say", n=1)
    load(body + " -- again")
    says(ann, 3, type="slow")
    ann.until("error", code="RATE_LIMIT_EXCEEDED")
    says(ann, 2)
    payload = until(bob, "told")["payload"]
    assert payload == {"n": 2, "set": ["x"], "hand": True, "secret": 7, "left": True, "variable": True, "role": "moderator"}
    bob.until("rang")
    cat = server.join(room, "cat", v1=True)
    assert cat.room_state["kept"][0]["payload"]["n"] == 9
    assert [it.get("attr") for it in cat.room_state["participants"] if it["user_id"] == "ann"] == [{"hand": True}]


def test_a_hook_that_waits_over_a_reload_finishes_on_its_own_version(server, load, room):
    load(on_say('sig.sleep("600ms") room:send("told", { n = 1 })'))
    ann = server.join(room, "ann", v1=True)
    says(ann)
    load(on_say('room:send("told", { n = 2 })'))
    bob = server.join(room, "bob", v1=True)
    says(bob)
    assert until(bob, "told")["payload"]["n"] == 2
    assert until(bob, "told")["payload"]["n"] == 1


def test_a_timer_that_is_set_again_replaces_the_one_of_its_name(server, load, room):
    load(on_say('room:after("200ms", "ring", { n = n })') + "sig.on('timer:ring', function(room, arg) room:send('rang', arg) end)")
    ann = server.join(room, "ann", v1=True)
    says(ann, 1)
    says(ann, 2)
    assert until(ann, "rang")["payload"] == {"n": 2}
    assert not [it for it in ann.listen(0.4) if it["type"] == "rang"]


def test_what_is_kept_per_user_is_dropped_when_the_user_leaves(server, load, room):
    load()
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    says(ann, 1, type="mood")
    says(bob, 2, type="mood")
    ann.until("mood", n=2)
    assert {it["payload"]["n"] for it in server.join(room, "cat", v1=True).room_state["kept"]} == {1, 2}
    bob.leave()
    ann.until("user-left", user_id="bob")
    assert {it["payload"]["n"] for it in server.join(room, "dan", v1=True).room_state["kept"]} == {1}


def test_rates_per_connection_address_and_room_are_exact(server, load, room):
    load('sig.type "own" { rate = "1/h burst 3 per connection" } sig.type "near" { rate = "1/h burst 4 per ip" } sig.type "all" { rate = "1/h burst 5 per room" }')
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    for type, passed in (("own", 6), ("near", 4), ("all", 5)):
        for n in range(5):
            says(ann, n, type=type)
            says(bob, n, type=type)
        says(ann, type="go")
        says(bob, type="go")
        before = sum([it["type"] == type for it in client.until("go")[1]].count(True) for client in (ann, bob))
        assert before == passed, type
