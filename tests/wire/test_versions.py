"""Versions of the policy: loading aside, putting in force, going back, by hand, by saving a file, and by itself."""

import os
import time

import lunasig_client as wire
import lunasig_server
import pytest
from lunasig_control import ADMIN_KEY, control


def says(code):
    return f'local sig = require("lunasig") sig.on("message:chat-message", function() return sig.deny("{code}") end)'


FAILS = 'require("lunasig").on("message:chat-message", function() error("on purpose") end)'


def code_of(client):
    """What a chat message is refused with."""
    client.send("chat-message", {"content": "hello"})
    error = client.until("error")[0]
    return error["payload"]["code"]


def states(ctl):
    return {version["version"]: version["state"] for version in ctl.fine("policy-list")["versions"]}


@pytest.fixture
def versions(start_server, policy, room):
    """A server with version 1 that says ONE, a member, and an operator."""
    policy.write(says("ONE"))
    server = start_server(**policy.settings)
    ann = server.join(room, "ann")
    with control(server) as ctl:
        yield server, ann, ctl


def test_a_version_is_loaded_used_rolled_back_and_discarded(versions, policy):
    server, ann, ctl = versions
    assert code_of(ann) == "ONE"
    policy.write(says("TWO"))
    loaded = ctl.fine("policy-load")
    assert (loaded["version"], loaded["in_force"], loaded["unchanged"]) == (2, 1, False)
    assert code_of(ann) == "ONE" and states(ctl) == {1: "in force", 2: "ready"}
    assert ctl.fine("policy-use", version=2) == {"in_force": 2}
    assert code_of(ann) == "TWO" and states(ctl) == {1: "warm", 2: "in force"}
    assert server.metrics()["lunasig_policy_version"] == 2
    assert ctl.fine("policy-rollback") == {"in_force": 1}
    assert code_of(ann) == "ONE"
    assert "in force before" in ctl.refused(404, "policy-rollback")
    assert "is in force" in ctl.refused(409, "policy-discard", version=1)
    assert ctl.fine("policy-discard", version=2) == {"in_force": 1}
    assert "no version 2" in ctl.refused(404, "policy-use", version=2)
    assert code_of(ann) == "ONE"
    assert server.metrics()["lunasig_policy_swap_max_seconds"] < 0.25


def test_a_load_that_fails_lists_file_and_line_and_changes_nothing(versions, policy):
    server, ann, ctl = versions
    policy.write("\nlocal x = = 1")
    for command in ("policy-load", "reload"):
        status, answer = ctl.ask(command)
        assert status == 422 and answer["detail"] == "the policy is refused; version 1 stays in force"
        assert any("policy.lua:" in line and "unexpected symbol" in line for line in answer["errors"])
    status, answer = ctl.ask("policy-load", folder="/etc")
    assert status == 422 and "outside of POLICY_DIR" in answer["errors"][0]
    assert code_of(ann) == "ONE" and states(ctl) == {1: "in force"}


def test_a_folder_in_the_policys_own_is_loaded(versions, policy):
    server, ann, ctl = versions
    folder = policy.folder / "trial"
    folder.mkdir()
    (folder / "policy.lua").write_text(f"{policy.original}\n{says('TRIAL')}\n")
    assert ctl.fine("policy-load", folder="trial")["version"] == 2
    ctl.fine("policy-use", version=2)
    assert code_of(ann) == "TRIAL"


def test_requests_behind_a_load_are_answered_after_it_in_order(versions, policy):
    server, ann, ctl = versions
    ctl.send(b'{"command":"policy-load"}\n{"command":"policy-list"}\n{"command":"policy-load"}\n{"command":"status"}\n')
    answers = [ctl.line()["answer"] for _ in range(4)]
    assert answers[0]["version"] == 2 and len(answers[1]["versions"]) == 2
    assert answers[2]["version"] == 3 and answers[3]["policy_version"] == 1


def test_who_hangs_up_during_a_load_leaves_nothing_behind(versions, policy):
    server, ann, ctl = versions
    for _ in range(10):
        with control(server) as other:
            other.send(b'{"command":"policy-load"}\n')
    assert ctl.fine("policy-load")["version"] >= 2
    assert code_of(ann) == "ONE"


def test_the_admin_api_does_the_same(start_server, policy, room):
    policy.write(says("ONE"))
    server = start_server(**policy.settings, ADMIN_KEY=ADMIN_KEY, ADMIN_PORT="0")
    port = int(server.event("admin-listening")["port"])

    def call(method, path, body=None):
        answer = wire.http(port, method, f"/admin/v1/{path}", token=ADMIN_KEY, json_body=body)
        return answer.status, answer.json

    ann = server.join(room, "ann")
    policy.write(says("TWO"))
    assert call("POST", "policy/load")[1]["version"] == 2
    assert call("POST", "policy/use", {"version": 2}) == (200, {"in_force": 2})
    assert code_of(ann) == "TWO"
    assert [version["state"] for version in call("GET", "policy")[1]["versions"]] == ["warm", "in force"]
    assert call("POST", "policy/rollback") == (200, {"in_force": 1})
    assert call("POST", "policy/discard", {"version": 2}) == (200, {"in_force": 1})
    policy.write("error('no')")
    status, answer = call("POST", "policy/load", {"skip_tests": True})
    assert status == 422 and "policy.lua:" in answer["errors"][0]
    assert code_of(ann) == "ONE"


def test_a_file_that_is_saved_is_obeyed_by_the_next_message(start_server, policy, room):
    policy.write(says("ONE"))
    server = start_server(**policy.settings, POLICY_WATCH="on")
    ann = server.join(room, "ann")
    assert code_of(ann) == "ONE"
    start = len(server.lines)
    policy.write(says("TWO"))
    server.event("policy-in-force", start, timeout=lunasig_server.RELOAD_SECONDS)
    assert code_of(ann) == "TWO"
    start = len(server.lines)
    policy.write("\nlocal x = = 1")
    assert "policy.lua:" in server.event("policy-failed", start, timeout=lunasig_server.RELOAD_SECONDS)["error"]
    assert code_of(ann) == "TWO"
    start = len(server.lines)
    beside = policy.folder / ".policy.lua.tmp"  # as editors do
    beside.write_text(f"{policy.original}\n{says('THREE')}\n")
    os.rename(beside, policy.file)
    server.event("policy-in-force", start, timeout=lunasig_server.RELOAD_SECONDS)
    assert code_of(ann) == "THREE"
    start = len(server.lines)
    (policy.folder / "new").mkdir()
    (policy.folder / "new" / "rules.lua").write_text(says("FOUR"))
    policy.write('require "new.rules"')
    server.event("policy-in-force", start, timeout=lunasig_server.RELOAD_SECONDS)
    assert code_of(ann) == "FOUR"


def test_a_policy_that_is_a_file_of_its_own_is_watched_too(start_server, policy, room):
    lobby = policy.folder / "lobby.lua"
    lobby.write_text(f"{policy.original}\n{says('ONE')}\n")
    server = start_server(**{**policy.settings, "POLICY_DIR": str(lobby)}, POLICY_WATCH="on")
    ann = server.join(room, "ann")
    assert code_of(ann) == "ONE"
    start = len(server.lines)
    lobby.write_text(f"{policy.original}\n{says('TWO')}\n")
    server.event("policy-in-force", start, timeout=lunasig_server.RELOAD_SECONDS)
    assert code_of(ann) == "TWO"


def test_without_the_watch_a_saved_file_changes_nothing(versions, policy):
    server, ann, ctl = versions
    start = len(server.lines)
    policy.write(says("TWO"))
    with pytest.raises(TimeoutError):
        server.event("policy-loaded", start, timeout=0.5)
    assert code_of(ann) == "ONE"


def test_too_many_errors_bring_the_version_before_back(start_server, policy, room):
    policy.write(says("ONE"))
    server = start_server(**policy.settings, POLICY_ROLLBACK_ERRORS="5/min")
    ann = server.join(room, "ann")
    policy.reload(server, FAILS)
    start = len(server.lines)
    for _ in range(6):
        assert code_of(ann) == "POLICY_ERROR"
    seen = server.event("policy-rolled-back", start)
    assert (seen["version"], seen["to"], seen["errors"], seen["allowed"], seen["period_s"]) == (2, 1, 6, 5, 60)
    assert code_of(ann) == "ONE"
    metrics = server.metrics()
    assert metrics["lunasig_policy_rollbacks_total"] == 1 and metrics["lunasig_policy_version"] == 1
    with control(server) as ctl:
        second = ctl.fine("policy-list")["versions"][1]
        assert second["rolled_back"] is True and second["errors"] == 6 and second["state"] == "warm"


def test_errors_name_the_version(versions, policy):
    server, ann, ctl = versions
    start = policy.reload(server, FAILS)
    ann.send("chat-message", {"content": "hello"})
    error = ann.until("error")[0]
    assert error["payload"]["code"] == "POLICY_ERROR" and error["payload"]["details"]["version"] == 2
    assert server.event("hook-failed", start)["version"] == 2


HOARDS = """
local sig = require "lunasig"
local kept = { count = 0 }
sig.on("message:chat-message", function()
  for _ = 1, 200 do kept.list = { kept.list } end
  kept.count = kept.count + 1
  return sig.deny("HAS" .. kept.count)
end)"""


def test_a_machine_that_stays_full_is_replaced_while_messages_go_on(start_server, policy, room):
    policy.write(HOARDS)
    server = start_server(**policy.settings, POLICY_MEMORY_MB="4")
    ann = server.join(room, "ann")
    until = time.monotonic() + wire.DEADLINE
    counts = []
    while not counts or counts[-1] >= len(counts):
        assert time.monotonic() < until
        code = code_of(ann)
        if code != "POLICY_ERROR":  # full before it was looked at
            counts.append(int(code[3:]))
    seen = server.event("policy-vm-replaced")
    assert seen["version"] == 1 and seen["bytes"] < seen["bytes_before"]
    assert server.metrics()["lunasig_policy_vm_replaced_total"] >= 1
    assert server.metrics()["lunasig_policy_version"] == 1


EVENTS = """
local sig = require "lunasig"
sig.policy { name = "guards" }
sig.on("message:chat-message", function(room, member, message)
  local what = message.payload.content
  if what == "error" then error("on purpose") end
  if what == "cpu" then while true do end end
  if what == "wait" then sig.sleep(3600) end
  return sig.deny("NO")
end)
"""


def test_what_fails_and_is_refused_is_counted_by_version_until_that_is_gone(start_server, policy, room):
    policy.write(EVENTS)
    server = start_server(**policy.settings)
    ann = server.join(room, "ann")
    for what in ("error", "cpu", "wait", "denied", "denied"):
        ann.send("chat-message", {"content": what})
        ann.until("error")

    def counted():
        start = 'lunasig_policy_events_total{policy="guards",version="1",kind="'
        return {name[len(start) : -2]: value for name, value in server.metrics().items() if name.startswith(start)}

    assert counted() == {"error": 2, "cpu": 1, "wait": 1, "denied": 2}  # a wait that is refused is an error as well
    with control(server) as ctl:
        policy.write(says("TWO"))
        ctl.fine("policy-load")
        ctl.fine("policy-use", version=2)
        ctl.fine("policy-discard", version=1)
    until = time.monotonic() + 20
    while counted():
        assert time.monotonic() < until, "the numbers of a version that is gone stay"
