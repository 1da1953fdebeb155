"""The service manager's end of NOTIFY_SOCKET (sd_notify(3)): what systemd hears of a server with Type=notify."""

import contextlib
import os
import re
import socket
import time

import lunasig_client as wire
import lunasig_server
import pytest


class Manager:
    """A datagram socket that a server reports to."""

    def __init__(self, name):
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name[0] == "@" else name)

    def hear(self, timeout=wire.DEADLINE):
        """The next report, as a dict of its lines."""
        self.socket.settimeout(timeout)
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().split("\n"))

    def expect(self, key, timeout=wire.DEADLINE):
        """The next report but signs of life; it has this key with the value 1."""
        until = time.monotonic() + timeout
        while (heard := self.hear(max(until - time.monotonic(), 0.001))) == {"WATCHDOG": "1"}:
            pass
        assert heard.get(key) == "1", heard
        return heard


@pytest.fixture
def manager(tmp_path):
    new = Manager(str(tmp_path / "notify"))
    with contextlib.closing(new.socket):
        yield new


def test_start_and_stop_are_told(manager, tmp_path):
    server = lunasig_server.Server(tmp_path, {"NOTIFY_SOCKET": manager.name})
    ready = manager.expect("READY")
    assert ready["STATUS"] == f"Serving on port {server.port} with policy version 1"
    assert server.http("GET", "/ready").status == 200  # ready means so
    server.end()
    assert "STATUS" in manager.expect("STOPPING")
    with pytest.raises(TimeoutError):
        manager.hear(0.01)


def test_an_abstract_name_will_do(start_server, tmp_path):
    manager = Manager(f"@lunasig-test-{os.getpid()}")
    with contextlib.closing(manager.socket):
        start_server(NOTIFY_SOCKET=manager.name)
        manager.expect("READY")


def test_a_reload_is_told_with_its_outcome(start_server, manager, policy):
    server = start_server(NOTIFY_SOCKET=manager.name, **policy.settings)
    manager.expect("READY")
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    policy.reload(server, "sig.on('join', function() end)")
    began = int(manager.expect("RELOADING")["MONOTONIC_USEC"])
    assert before <= began <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert manager.expect("READY")["STATUS"].endswith("policy version 2")
    policy.reload(server, "this is not Lua", good=False)
    assert int(manager.expect("RELOADING")["MONOTONIC_USEC"]) > began
    status = manager.expect("READY")["STATUS"]
    assert re.fullmatch(r"The policies were refused, see the log\. Serving on port \d+ with policy version 2", status)


def test_the_watchdog_is_fed_twice_in_its_time(start_server, manager):
    start_server(NOTIFY_SOCKET=manager.name, WATCHDOG_USEC="400000")
    manager.expect("READY")
    began = time.monotonic()
    assert [manager.hear() for _ in range(3)] == [{"WATCHDOG": "1"}] * 3
    assert 0.3 < time.monotonic() - began < 3


@pytest.mark.parametrize("settings", [{"WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "no number"}, {}])
def test_a_watchdog_that_is_not_ours_is_not_fed(start_server, manager, settings):
    start_server(NOTIFY_SOCKET=manager.name, **settings)
    manager.expect("READY")
    with pytest.raises(TimeoutError):
        manager.hear(0.4)


@pytest.mark.parametrize("name", ["relative", "@", "/" + "x" * 200])
def test_a_name_that_cannot_be_used_is_said(start_server, name):
    server = start_server(NOTIFY_SOCKET=name)
    assert "NOTIFY_SOCKET" in server.event("notify-socket-refused")["advice"]
    assert server.http("GET", "/ready").status == 200


def test_nobody_at_the_other_end_is_said(start_server, tmp_path):
    server = start_server(NOTIFY_SOCKET=str(tmp_path / "nobody"))
    assert server.event("notify-failed")["why"] == "No such file or directory"
    assert server.http("GET", "/ready").status == 200


def test_a_manager_that_does_not_read_holds_up_nobody(start_server, manager, room):
    server = start_server(NOTIFY_SOCKET=manager.name, WATCHDOG_USEC="10000")
    server.event("notify-failed")  # its queue is full
    ann, bob = server.gather(room, "ann", "bob")
    for n in range(20):
        ann.send("chat-message", {"content": str(n)})
        bob.until("chat-message", content=str(n))
    assert server.metrics()["lunasig_loop_gap_max_seconds"] < 0.5
