"""What policies remember about a room and hang on members, over a restart of the server."""

import json
import time

import lunasig_client as wire
import lunasig_server
import pytest
from test_drain import restart, stop  # noqa: F401 (a fixture)

HEAD = """
local sig = require "lunasig"
sig.type "go" {} sig.type "look" {} sig.type "slide" { keep = "latest" } sig.type "line" { keep = "log 3" }
sig.on("timer:ring", function(room, arg) room:send("rang", arg) end)
sig.on("timer:first", function(room) room.state.order:push "first" end)
sig.on("timer:second", function(room) room.state.order:push "second" room:send("rang", { order = room.state.order:copy() }) end)
"""
STATE = """
sig.room_state {
  set = sig.set {}, list = sig.list { value = sig.any }, map = sig.map { value = sig.any }, order = sig.list {},
  count = sig.counter {}, wide = sig.value { type = sig.any }, on = sig.value { type = sig.boolean, default = false },
}
"""
GO = """
sig.on("message:go", function(room, member, message)
  local state, wide = room.state, {}
  for i = 1, 3000 do wide[i] = i end
  state.set:add "x" state.set:add 'zö"' state.list:push { a = { 1, sig.null } } state.list:push "two"
  state.map:set("k", { deep = { true } }) state.count:incr(41) state.wide = wide state.on = true
  member.attr.hand = { up = true } member.data.secret = "only me"
  room:remember_role("zoe", "moderator")
  room:after(message.payload.after, "ring", { arg = "kept" })
  if message.payload.both then room:after("2s", "first") room:after("2s", "second") end
  room:send "done"
end)
"""
LOOK = """
sig.on("message:look", function(room, member)
  local state, wide = room.state, room.state.wide or {}
  room:send("seen", { set = state.set:copy(), list = state.list:copy(), map = state.map:copy(), count = state.count:get(), wide = #wide, last = wide[3000],
    on = state.on, hand = member.attr.hand, secret = member.data.secret, left = room:timer "ring" })
end)
"""
STATE_SEEN = {"set": ["x", 'zö"'], "list": [{"a": [1, None]}, "two"], "map": {"k": {"deep": [True]}}, "count": 41, "wide": 3000, "last": 3000, "on": True}


@pytest.fixture
def policy(tmp_path):
    policy = lunasig_server.Policy(tmp_path / "policy")
    policy.write(HEAD + STATE + GO + LOOK)
    return policy


def go(client, **payload):
    client.send("go", {"after": "60s", **payload})
    client.until("done")


def seen(client):
    client.send("look", {})
    payload = dict(client.until("seen")[0]["payload"])
    return payload.pop("left", None), payload


def test_those_who_come_back_find_all_that_was_remembered(restart, room, policy):  # noqa: F811
    server = restart(**policy.settings)
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    go(ann)
    for n in range(5):
        ann.send("line", {"n": n})
        bob.until("line", n=n)
    bob.send("slide", {"page": 7})
    ann.until("slide")
    server = restart(server, ann, bob, **policy.settings)
    ann = wire.resume(ann, port=server.port)
    participants = {p["user_id"]: p for p in ann.room_state["participants"]}
    assert participants["ann"]["attr"] == {"hand": {"up": True}} and "attr" not in participants["bob"]
    left, payload = seen(ann)
    assert payload == {**STATE_SEEN, "hand": {"up": True}, "secret": "only me"}
    assert 0 < left <= 60
    zoe = server.join(room, "zoe", v1=True)
    assert zoe.room_state["self"]["role"] == "moderator"
    kept = [(m["type"], m["payload"]) for m in zoe.room_state["kept"]]
    assert kept == [("line", {"n": 2}), ("line", {"n": 3}), ("line", {"n": 4}), ("slide", {"page": 7})]


def test_an_empty_room_remembers_and_its_timers_fire_after_the_time_that_was_left(restart, room, policy):  # noqa: F811
    settings = {**policy.settings, "RESUME_WINDOW_S": "0"}
    server = restart(**settings)
    ann = server.join(room, "ann", v1=True)
    go(ann, after="2s", both=True)
    began = time.monotonic()
    ann.leave()
    server = restart(server, **settings)
    zoe = server.join(room, "zoe", v1=True)
    assert zoe.room_state["participant_count"] == 1
    _, payload = seen(zoe)
    assert payload == STATE_SEEN
    rang = [zoe.until("rang")[0]["payload"] for _ in range(2)]
    assert {"arg": "kept"} in rang and {"order": ["first", "second"]} in rang
    assert time.monotonic() - began >= 1.5, "the timer did not keep its time"


def test_state_of_an_older_version_is_migrated_after_the_restart(restart, room, policy):  # noqa: F811
    server = restart(**policy.settings)
    ann = server.join(room, "ann", v1=True)
    go(ann)
    newer = """
    sig.room_state { version = 2, order = sig.list {}, names = sig.list { value = sig.any },
      migrate = { [1] = { up = function(old) return { names = old.set } end } } }
    sig.on("message:look", function(room) room:send("seen", { names = room.state.names:copy() }) end)
    """
    policy.write(HEAD + newer)
    server = restart(server, ann, **policy.settings)
    ann = wire.resume(ann, port=server.port)
    assert seen(ann)[1] == {"names": ["x", 'zö"']}


def test_what_is_not_json_is_left_out_and_said(restart, room, policy, tmp_path):  # noqa: F811
    server = restart(**policy.settings)
    ann = server.join(room, "ann", v1=True)
    go(ann)
    ann.send("slide", {"page": 1})
    stop(server, ann)
    file = tmp_path / "data" / "sessions"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    broken = 0
    for line in lines:
        for name in ("value", "arg", "payload"):
            if line.get(name) is not None and line["kind"] != "frame":
                line[name] = line[name][:-1] if len(line[name]) > 1 else "["
                broken += 1
        if line.get("claims") is not None:
            line["claims"] = '{"sub"'
    assert broken >= 7
    file.write_text("".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines))
    server = restart(**policy.settings)
    assert server.event("remembered-dropped")["values"] == broken
    ann = wire.resume(ann, port=server.port)
    left, payload = seen(ann)
    assert left is None
    assert (payload["set"], payload["count"]) == (["x", 'zö"'], 41)
    assert not payload["list"] and not payload["map"] and payload["wide"] == 0 and payload["on"] is False
    assert "hand" not in payload and "secret" not in payload
