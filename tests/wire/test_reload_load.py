"""Twenty reloads, every third broken, while messages go on: none is lost, doubled, reordered or misrouted."""

import os
import subprocess
import threading
import time

import lunasig_client as wire
import lunasig_figures
import lunasig_secrets as secrets
import lunasig_server
import pytest
from lunasig_control import control

RELOADS = 20
GROWTH_MAX = 8 << 20  # bytes, over the second half of many reloads
PAIRS = 4


@pytest.fixture
def reloading(start_server, policy):
    """A server, and a function that reloads it twenty times."""
    server = start_server(**policy.settings, WEBSOCKET_CONNECTION_LIMIT="0", WEBSOCKET_ADDRESS_LIMIT="0")

    def reload_all():
        for number in range(RELOADS):
            if number % 3 == 2:
                policy.reload(server, f'error("broken {number}")', good=False)
            else:
                policy.reload(server, f"-- {number}")

    return server, reload_all


class Pair(threading.Thread):
    """Two members who exchange numbered messages, some in flight at once; what comes otherwise than sent is a failure."""

    def __init__(self, server, room, dialect):
        super().__init__()
        self.members = server.gather(room, f"{room}-ann:{dialect}", f"{room}-bob:{dialect}")
        self.stopped = threading.Event()
        self.rounds = 0
        self.failure = None

    def run(self):
        try:
            while not self.stopped.is_set():
                self.exchange()
                self.rounds += 1
        except Exception as failure:  # told by the main thread
            self.failure = failure

    def exchange(self):
        ann, bob = self.members
        for number in range(5):
            mark = f"{self.rounds} {number}"
            ann.send("ice-candidate", {"candidate": wire.CANDIDATE, "sdpMid": mark, "target_user_id": bob.user})
            bob.send("chat-message", {"content": mark})
        for number in range(5):
            mark = f"{self.rounds} {number}"
            assert bob.expect("ice-candidate", sdpMid=mark)["sender_id"] == ann.user
            assert ann.expect("chat-message", content=mark)["sender_id"] == bob.user


def test_no_message_is_lost_over_twenty_reloads(reloading):
    server, reload_all = reloading
    pairs = [Pair(server, f"pair-{number}", "v1" if number % 2 else "compat") for number in range(PAIRS)]
    for pair in pairs:
        pair.start()
    try:
        reload_all()
    finally:
        for pair in pairs:
            pair.stopped.set()
        for pair in pairs:
            pair.join()
    assert [pair.failure for pair in pairs] == [None] * PAIRS
    assert all(pair.rounds > RELOADS for pair in pairs), [pair.rounds for pair in pairs]
    metrics = server.metrics()
    assert metrics["lunasig_policy_load_failures_total"] == RELOADS // 3


# What rooms remember, and what hooks do that are under way. N is the number of the reload.
REMEMBERS = """
local sig = require "lunasig"
sig.room_state { version = 1, seen = sig.counter {} }
sig.type "topic" { keep = "latest", payload = sig.object { text = sig.string } }
sig.type "knock" { rate = "1/h burst 1 per user" }
sig.on("message:chat-message", function(room, member, message)
  local wish = message.payload.content
  if wish == "count" then
    return sig.deny("SEEN" .. room.state.seen:incr())
  elseif wish == "ring" then
    room:after("3s", "ring", { member = member.id })
  elseif wish == "promote" then
    for _, each in ipairs(room:members()) do if each.id == "bob" then each:set_role("moderator") end end
  elseif wish == "sleep" then
    sig.sleep("1500ms")
    return sig.deny("SLEPT_IN_%(number)d")
  end
end)
sig.on("timer:ring", function(room, arg)
  room:send("topic", { text = "rung for " .. arg.member .. " in %(number)d" })
end)
"""


def reload_paced(server, policy, ctl, reloads, seconds):
    """Every fifth is broken. Gives how many were good, and the server's memory after half of them: until then it grows, to what the
    versions that are kept take, and to what the threads that load keep for the next time."""
    began = time.monotonic()
    good = 0
    early = 0
    for number in range(reloads):
        broken = number % 5 == 4
        policy.write("error('broken')" if broken else REMEMBERS % {"number": number})
        status, answer = ctl.ask("reload")
        assert status == (422 if broken else 200), answer
        good += not broken
        if number == reloads // 2:
            early = ctl.fine("status")["memory_bytes"]
        left = began + (number + 1) * seconds / reloads - time.monotonic()
        if left > 0:
            threading.Event().wait(left)  # the pace of the load, and nothing to wait for
    return good, early


def settled_memory(ctl, early):
    """The server's memory when versions that are gone have given theirs back, or after five seconds."""
    until = time.monotonic() + 5
    while (memory := ctl.fine("status")["memory_bytes"]) - early >= GROWTH_MAX and time.monotonic() < until:
        threading.Event().wait(0.1)
    return memory


def test_what_rooms_remember_survives_many_reloads(start_server, policy, room):
    reloads, seconds = (100, 10) if "LUNASIG_WSLOAD" in os.environ else (30, 3)
    policy.write(REMEMBERS % {"number": 1000})
    server = start_server(**policy.settings, POLICY_WAIT_MS="30000")  # for records on a busy disk
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    pairs = [Pair(server, f"{room}-{number}", "v1" if number % 2 else "compat") for number in range(PAIRS)]

    def wish(what):
        ann.send("chat-message", {"content": what})

    wish("count")
    ann.expect_error("SEEN1")
    ann.send("topic", {"text": "kept"})
    bob.until("topic")
    ann.send("knock")
    bob.until("knock")
    wish("promote")
    bob.until("role-updated")
    wish("ring")
    wish("sleep")
    for pair in pairs:
        pair.start()
    try:
        with control(server) as ctl:
            good, early = reload_paced(server, policy, ctl, reloads, seconds)
            late = settled_memory(ctl, early)
            listed = ctl.fine("policy-list")["versions"]
    finally:
        for pair in pairs:
            pair.stopped.set()
        for pair in pairs:
            pair.join()
    assert [pair.failure for pair in pairs] == [None] * PAIRS
    assert ann.until("error")[0]["payload"]["code"] == "SLEPT_IN_1000"  # in the version that it began in
    rung = bob.until("topic")[0]["payload"]["text"]
    assert rung.startswith("rung for ann in") and rung != "rung for ann in 1000"  # in the one in force then
    wish("count")
    assert ann.until("error")[0]["payload"]["code"] == "SEEN2"
    ann.send("knock")
    assert ann.until("error")[0]["payload"]["code"] == "RATE_LIMIT_EXCEEDED"
    cid = server.join(room, "cid", v1=True)
    roles = {entry["user_id"]: entry["role"] for entry in cid.room_state["participants"]}
    assert roles["bob"] == "moderator"
    assert "rung for ann" in str(cid.room_state)
    metrics = server.metrics()
    assert metrics["lunasig_policy_load_failures_total"] == reloads // 5
    assert metrics["lunasig_policy_loads_total"] == good + 1
    assert metrics["lunasig_hook_errors_total"] == 0, [line for line in server.lines if "hook-failed" in line]
    assert len(listed) <= 10  # those that are kept, and those whose hooks still wait for something
    print(f"{good} swaps, longest {metrics['lunasig_policy_swap_max_seconds'] * 1e6:.0f} us; memory {early} -> {late}")
    if not lunasig_figures.SANITIZED:  # which keeps what was freed
        assert late - early < GROWTH_MAX


@pytest.mark.skipif("LUNASIG_WSLOAD" not in os.environ, reason="LUNASIG_WSLOAD does not name a load generator")
@pytest.mark.parametrize("members,rate", [(10, 400), (2, 1000)])
def test_the_load_generator_finds_no_fault_over_a_hundred_reloads(start_server, policy, members, rate):
    """2,000 connections in rooms of so many members, so many messages a second; a hundred reloads in ten seconds, every fifth broken."""
    policy.write(REMEMBERS % {"number": 1000})
    server = start_server(**policy.settings, WEBSOCKET_CONNECTION_LIMIT="0", WEBSOCKET_ADDRESS_LIMIT="0", LOG_LEVEL="info")
    command = [os.environ["LUNASIG_WSLOAD"], "room", "-p", str(server.port), "--secret", secrets.SECRET, "-t", "14", "-n", "2000"]
    command += ["-k", str(members), "-r", str(rate), "--server-pid", str(server.process.pid)]
    load = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        until = time.monotonic() + 60
        while server.metrics()["lunasig_members"] < 2000:
            assert time.monotonic() < until
        with control(server) as ctl:
            good, early = reload_paced(server, policy, ctl, 100, 10)
            late = ctl.fine("status")["memory_bytes"]
            machines = sum(version["memory_bytes"] for version in ctl.fine("policy-list")["versions"])
        metrics = server.metrics()
        output, _ = load.communicate(timeout=60)
    finally:
        load.kill()
        load.wait()
    assert load.returncode == 0, output
    assert metrics["lunasig_slow_closed_total"] == 0 and metrics["lunasig_connections_open"] == 2000
    assert metrics["lunasig_policy_load_failures_total"] == 20 and good == 80
    print(output)
    print(f"{good} swaps, longest {metrics['lunasig_policy_swap_max_seconds'] * 1e6:.0f} us, longest loop gap", end=" ")
    print(f"{metrics['lunasig_loop_gap_max_seconds'] * 1e3:.0f} ms; memory {early} -> {late}, machines {machines}")
    assert late - early < 16 << 20
