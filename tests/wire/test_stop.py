"""The server is stopped while things are under way in its policies: it ends with 0, soon, and leaves nothing behind."""

import signal
import socket
import time

import lunasig_server
import pytest
from lunasig_control import control

SOON = 15  # seconds: 3 of draining, one of processor time of a test, and what a slow machine adds

WAITS = """
local sig = require "lunasig"
local notes = sig.store "stops"
sig.on("message:chat-message", function(room, member, message)
  if message.payload.content == "sleep" then sig.sleep(1) end
  for i = 1, 100 do notes:incr("k" .. i) end
end)
sig.on("join", function(room) room:after("100ms", "tick") end)
sig.on("timer:tick", function(room) notes:incr "ticks" room:after("100ms", "tick") end)
sig.on("leave", function() sig.sleep(0.5) notes:incr "left" end)
sig.route("GET /waits", { auth = "open" }, function() sig.sleep(1) return 200, { fine = true } end)
"""

LONG = """
local sig = require "lunasig"
sig.test("takes long", function(t)
  while true do t:advance "61s" end
end)
"""


def stop(server):
    """Gives how long it took."""
    began = time.monotonic()
    server.signal(signal.SIGTERM)
    assert server.wait(SOON) == 0, server.log[-4000:]
    server.check_log()
    return time.monotonic() - began


@pytest.fixture
def begin(policy, tmp_path_factory):
    running = []

    def start(added, **settings):
        policy.write(added)
        running.append(lunasig_server.Server(tmp_path_factory.mktemp("server"), {**policy.settings, **settings}))
        return running[-1]

    yield start
    for server in running:
        server.kill()


@pytest.mark.parametrize("messages", [1, 3, 7, 20])
def test_hooks_that_sleep_store_and_fire_end_with_the_server(begin, room, messages):
    server = begin(WAITS)
    clients = server.gather(room, *(f"user-{i}" for i in range(4)))
    for number in range(messages):
        for client in clients:
            client.send("chat-message", {"content": "sleep" if number % 2 else "store"})
    with socket.create_connection(("127.0.0.1", server.port)) as asking:
        asking.sendall(b"GET /waits HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stop(server)


@pytest.mark.parametrize("loads", [1, 4, 10, 16])  # no more links than there may be at once
def test_loads_that_wait_end_with_the_server(begin, loads):
    server = begin("")
    links = [control(server) for _ in range(loads)]
    for link in links:
        link.send(b'{"command":"policy-load"}\n')
    if loads > 4:
        server.signal(signal.SIGHUP)
    stop(server)
    for link in links:
        link.close()


def test_tests_of_a_bundle_that_take_long_do_not_hold_the_server(begin, policy):
    server = begin("", POLICY_TEST_S=60)
    policy.write(LONG)
    with control(server) as ctl:
        ctl.send(b'{"command":"policy-load"}\n')
        with control(server) as other:
            assert other.fine("policy-list")["in_force"] == 1
        stop(server)
