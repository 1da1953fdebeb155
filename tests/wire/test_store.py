"""sig.store, sig.metric and sig.json, seen from the wire: hooks that wait for the database while the loop serves, and what a kill leaves."""

import shutil
import subprocess
import time

import lunasig_server
import pytest

POLICY = """local sig = require "lunasig"
local notes = sig.store "notes"
local written = sig.metric.counter { name = "notes_written", help = "Notes written.", labels = { "room" } }
local last = sig.metric.gauge { name = "last_note", help = "x" }
sig.type "note" { to = "server", payload = sig.object { key = sig.string, text = sig.string } }
sig.type "read" { to = "server", payload = sig.object { key = sig.string } }
sig.type "spin" { to = "server", payload = sig.object {} }
sig.on("message:note", function(room, member, message)
  local key = message.payload.key
  notes:put(key, { text = message.payload.text, by = member.id, tags = sig.json.array() })
  written:add(1, { room = room.id })
  last:set(notes:incr("written"))
  member:send("note", { key = key, text = "kept" })
  return sig.handled()
end)
sig.on("message:read", function(room, member, message)
  local note = notes:get(message.payload.key)
  local text = note and sig.json.encode(note.tags) .. note.by .. ":" .. note.text or "none"
  member:send("note", { key = message.payload.key, text = text .. "#" .. notes:count "written" })
  return sig.handled()
end)
sig.on("message:spin", function(room, member)
  for i = 1, 300 do notes:incr("spin") end
  member:send("note", { key = "spin", text = tostring(notes:count "spin") })
  return sig.handled()
end)
"""


@pytest.fixture
def house(policy, start_server):
    policy.write(POLICY)
    return policy, start_server


def keep(client, key, text):
    client.send("note", {"key": key, "text": text})
    client.expect("note", key=key, text="kept")


def test_what_was_kept_is_there_after_a_kill(house, tmp_path, room):
    policy, start_server = house
    settings = {**policy.settings, "DATA_DIR": str(tmp_path / "kept")}
    server = lunasig_server.Server(tmp_path, settings)
    (ann,) = server.gather(room, "ann")
    keep(ann, "k1", "first")
    keep(ann, "k2", "second")
    server.kill()
    server = start_server(**settings)
    (bob,) = server.gather(room, "bob")
    bob.send("read", {"key": "k1"})
    bob.expect("note", key="k1", text="[]ann:first#2")
    bob.send("read", {"key": "k3"})
    bob.expect("note", key="k3", text="none#2")


def test_others_are_served_while_hooks_wait_for_the_database(house, room):
    policy, start_server = house
    server = start_server(**policy.settings, POLICY_WAIT_MS="60000")
    (ann,) = server.gather(room + "-other", "ann")
    bob, eve = server.gather(room, "bob", "eve")
    ann.send("spin", {})
    for number in range(20):
        began = time.monotonic()
        bob.send("chat-message", {"content": str(number)})
        eve.expect("chat-message", content=str(number))
        assert time.monotonic() - began < 3
    ann.expect("note", key="spin", text="300")
    assert server.metrics()["lunasig_loop_gap_max_seconds"] < 0.5


def test_messages_of_a_connection_stay_in_order_while_the_first_waits(house, room):
    policy, start_server = house
    server = start_server(**policy.settings)
    (ann,) = server.gather(room, "ann")
    for number in range(20):
        ann.send("note", {"key": f"k{number}", "text": "x"})
    for number in range(20):
        ann.expect("note", key=f"k{number}", text="kept")


def test_what_policies_count_is_on_metrics_and_survives_a_reload(house, room):
    policy, start_server = house
    server = start_server(**policy.settings)
    (ann,) = server.gather(room, "ann")
    keep(ann, "k", "x")
    policy.reload(server, POLICY + "-- another version")
    keep(ann, "k", "y")
    metrics = server.metrics()
    assert metrics[f'lunasig_policy_notes_written_total{{room="{room}"}}'] == 2
    assert metrics["lunasig_policy_last_note"] == 2
    assert metrics["lunasig_policy_metrics_dropped_total"] == 0
    if shutil.which("promtool"):
        body = server.http("GET", "/metrics").body
        checked = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, timeout=30)
        assert checked.returncode == 0, checked.stdout + checked.stderr


SEARCH = """local sig = require "lunasig"
local notes, op = sig.store.notes, sig.store.op
sig.type "write" { to = "server", payload = sig.object({}, { extra = true }) }
sig.type "count" { to = "server", payload = sig.object {} }
sig.type "find" { to = "server", payload = sig.object { by = sig.string } }
sig.type "found" { from = "server" }
sig.on("message:write", function(room, member, message)
  local key, code = notes:insert(message.payload, { ttl = "1h" })
  member:send("found", { key = key or code })
  return sig.handled()
end)
sig.on("message:count", function(room, member)
  notes:upsert({ _id = "of all" }, { messages = op.inc(1) })
  member:send("found", { messages = notes:get("of all").messages })
  return sig.handled()
end)
sig.on("message:find", function(room, member, message)
  local found = notes:find({ by = message.payload.by, text = op.prefix "a" }, { sort = "-n", projection = { text = 1 } })
  member:send("found", { notes = found, deleted = notes:delete({ by = message.payload.by }, { many = true }) })
  return sig.handled()
end)
"""


def test_documents_are_found_and_changed_by_what_they_have(policy, start_server, room):
    policy.write(SEARCH)
    ann, bob = start_server(**policy.settings).gather(room, "ann", "bob")

    def ask(client, kind, payload):
        client.send(kind, payload)
        return client.until("found")[0]["payload"]

    for n, text in enumerate(("ab", "ac", "b")):
        assert ask(ann, "write", {"_id": f"k{n}", "by": "ann", "n": n, "text": text}) == {"key": True}
    assert ask(ann, "write", {"_id": "k0", "by": "bob"}) == {"key": "DUPLICATE"}
    assert len(ask(ann, "write", {"by": "bob", "text": "a"})["key"]) == 32
    answer = ask(ann, "find", {"by": "ann"})
    assert answer == {"notes": [{"_id": "k1", "text": "ac"}, {"_id": "k0", "text": "ab"}], "deleted": 3}
    for _ in range(20):  # both at once: none is lost
        ann.send("count", {})
        bob.send("count", {})
    seen = [client.until("found")[0]["payload"]["messages"] for _ in range(20) for client in (ann, bob)]
    assert max(seen) == 40
