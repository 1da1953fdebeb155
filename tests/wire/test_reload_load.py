"""Twenty reloads, every third broken, while messages go on: none is lost, doubled, reordered or misrouted."""

import os
import subprocess
import threading
import time

import lunasig_client as wire
import lunasig_secrets as secrets
import lunasig_server
import pytest

RELOADS = 20
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


@pytest.mark.skipif("LUNASIG_WSLOAD" not in os.environ, reason="LUNASIG_WSLOAD does not name a load generator")
@pytest.mark.parametrize("scenario,more", [("pairs", ["-n", "100"]), ("room", ["-n", "100"])])
def test_the_load_generator_finds_no_fault_over_twenty_reloads(reloading, scenario, more):
    server, reload_all = reloading
    command = [os.environ["LUNASIG_WSLOAD"], scenario, "-p", str(server.port), "--secret", secrets.SECRET, "-t", "6", *more]
    load = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        until = time.monotonic() + lunasig_server.START_SECONDS
        while server.metrics()["lunasig_members"] < 100:
            assert time.monotonic() < until
        reload_all()
        output, _ = load.communicate(timeout=40)
    finally:
        load.kill()
        load.wait()
    assert load.returncode == 0, output
