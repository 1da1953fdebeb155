"""MongoDB is hung and killed while clients talk and records are written: no message is lost, doubled or late, and the database is used
again by itself. The latencies of messages are figures; with a load generator (LUNASIG_WSLOAD) their median may move by a fifth."""

import contextlib
import json
import os
import statistics
import subprocess
import threading
import time

import lunasig_client as wire
import lunasig_figures
import lunasig_mongo
import lunasig_secrets as secrets
import pytest

PAIRS = 4
SECONDS = 4 if lunasig_figures.LONG else 2  # of each phase; a hung database is noticed in one
BACK_SECONDS = 30
PAUSE = 0.01  # between the messages of a pair: below the rate of candidates
MOVES = 1.2  # of a median, at most
UNFELT = 0.0005  # seconds by which a median always may move


@pytest.fixture
def mongo():
    running = lunasig_mongo.start()
    yield running
    running.end()


@pytest.fixture
def server(mongo, start_server):
    """Stock policies: each message of chat is a record."""
    limits = {"WEBSOCKET_CONNECTION_LIMIT": "0", "WEBSOCKET_ADDRESS_LIMIT": "0"}
    return start_server(MONGODB_URL=mongo.uri, DATABASE_NAME="faults", MONGODB_SOCKET_TIMEOUT_MS="1000", **limits)


class Pair(threading.Thread):
    """Two members who talk, each message when the one before has come; chat is paced below its rate. What comes otherwise is a failure."""

    def __init__(self, server, number):
        super().__init__()
        self.members = server.gather(f"faults-{number}", f"ann{number}", f"bob{number}")
        self.stopped = threading.Event()
        self.times = []
        self.sent = 0
        self.failure = None

    def run(self):
        try:
            while not self.stopped.wait(PAUSE):
                self.exchange()
        except Exception as failure:  # told by the main thread
            self.failure = failure

    def exchange(self):
        ann, bob = self.members if self.sent % 2 == 0 else reversed(self.members)
        mark, began = str(self.sent), time.monotonic()
        if self.sent % 25 == 0:
            ann.send("chat-message", {"content": mark})
            got = bob.expect("chat-message")
            assert got["payload"]["content"] == mark
        else:
            ann.send("ice-candidate", {"candidate": wire.CANDIDATE, "sdpMid": mark, "target_user_id": bob.user})
            got = bob.expect("ice-candidate")
            assert got["payload"]["sdpMid"] == mark
        self.times.append(time.monotonic() - began)
        self.sent += 1


@contextlib.contextmanager
def talking(server):
    pairs = [Pair(server, number) for number in range(PAIRS)]
    for pair in pairs:
        pair.start()
    try:
        yield pairs
    finally:
        for pair in pairs:
            pair.stopped.set()
        for pair in pairs:
            pair.join()
    assert [pair.failure for pair in pairs] == [None] * PAIRS


def wait_for(server, holds):
    until = time.monotonic() + BACK_SECONDS
    while not holds(server.metrics()):
        assert time.monotonic() < until, "\n".join(server.lines[-20:])


def is_away(metrics):
    return metrics["lunasig_mongodb_away"] == 1


def is_back(metrics):
    return metrics["lunasig_mongodb_away"] == 0 and metrics["lunasig_mongodb_waiting"] == 0


class Phases:
    def __init__(self, pairs):
        self.pairs = pairs
        self.medians = {}

    def measure(self, name):
        for pair in self.pairs:
            pair.times.clear()
        threading.Event().wait(SECONDS)  # the load goes on by itself
        times = [seconds for pair in self.pairs for seconds in list(pair.times)]
        assert len(times) > 10 * PAIRS, name
        assert max(times) < 2, (name, max(times))
        self.medians[name] = statistics.median(times)
        figures = f"{len(times)} messages, median {self.medians[name] * 1e3:.2f} ms, longest {max(times) * 1e3:.1f} ms"
        lunasig_figures.show(f"MongoDB {name}: {figures}")


def records(metrics, what):
    return sum(value for name, value in metrics.items() if name.startswith(f"lunasig_policy_records_{what}_total"))


@pytest.mark.parametrize("fault", ["hung", "killed"])
def test_no_message_is_lost_while_mongodb_is_away(server, mongo, fault):
    with talking(server) as pairs:
        phases = Phases(pairs)
        wait_for(server, lambda metrics: records(metrics, "written") > 2 * PAIRS)
        phases.measure("there")
        mongo.hang() if fault == "hung" else mongo.kill()
        phases.measure(fault)
        wait_for(server, is_away)
        phases.measure(f"{fault}, and counted as away")
        dropped = server.metrics()
        mongo.go_on() if fault == "hung" else mongo.start()
        wait_for(server, is_back)
        before = records(server.metrics(), "written")
        phases.measure("back")
        wait_for(server, lambda metrics: records(metrics, "written") > before)
    assert records(dropped, "dropped") > 0 and dropped["lunasig_mongodb_dropped_total"] > 0  # and every one is counted
    metrics = server.metrics()
    assert metrics["lunasig_hook_errors_total"] == 0
    if not lunasig_figures.SANITIZED:
        assert metrics["lunasig_loop_gap_max_seconds"] < 0.5


def load(server, seconds, when):
    """A run of the load generator: `when` is called once it sends. Gives its figures."""
    command = [os.environ["LUNASIG_WSLOAD"], "rate", "-p", str(server.port), "--secret", secrets.SECRET, "--json"]
    command += ["-n", "400", "-r", "2000", "-t", str(seconds), "--room-prefix", f"load-{time.monotonic_ns()}-"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + 30
        while server.metrics()["lunasig_members"] < 400:
            assert time.monotonic() < until
        when()
        output, errors = process.communicate(timeout=seconds + 60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, output + errors  # else messages were lost, doubled or out of order
    return json.loads(output)


@pytest.mark.skipif("LUNASIG_WSLOAD" not in os.environ, reason="LUNASIG_WSLOAD does not name a load generator")
def test_the_load_generator_finds_no_fault_while_mongodb_is_away(server, mongo):
    """400 connections, 2,000 messages a second, and records beside them; MongoDB is there, hung, and killed."""
    seconds = 10
    figures = {}
    with talking(server):
        figures["there"] = load(server, seconds, lambda: None)
        figures["hung"] = load(server, seconds, mongo.hang)
        mongo.go_on()
        wait_for(server, is_back)
        figures["killed"] = load(server, seconds, mongo.kill)
        mongo.start()
        wait_for(server, is_back)
    medians = {name: figure["latency_us"]["p50"] / 1e6 for name, figure in figures.items()}
    for name, figure in figures.items():
        moved = (medians[name] / medians["there"] - 1) * 100
        lunasig_figures.show(f"MongoDB {name}: {figure['latency_us']}, the median moved by {moved:+.1f} %")
    assert all(median < max(medians["there"] * MOVES, medians["there"] + UNFELT) for median in medians.values()), medians
