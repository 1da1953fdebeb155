"""What a message and an idle connection cost, in figures that do not depend on the machine's speed: system calls and resident memory."""

import contextlib
import re
import shutil
import signal
import subprocess
import time

import lunasig_client as wire
import lunasig_server
import pytest

SETTINGS = {"WEBSOCKET_ADDRESS_LIMIT": "0", "LOG_LEVEL": "info"}
PAIRS = 150
ROUNDS = 24
CALLS_PER_MESSAGE = 2.3
TRIES = 5
IDLE = 8000
BYTES_PER_IDLE_CONNECTION = 4608  # with what policies remember about a room of two

# A sanitizer makes system calls and holds memory of its own.
sanitized = pytest.mark.skipif(b"__asan_init" in lunasig_server.binary().read_bytes() or b"__tsan_init" in lunasig_server.binary().read_bytes(),
                               reason="figures of a build with sanitizers mean nothing")  # fmt: skip


@contextlib.contextmanager
def counted_calls(process, report):
    """Counts the system calls of the server while the body runs; gives them by name."""
    assert shutil.which("strace"), "strace is missing"
    command = ["strace", "-c", "-f", "-U", "name,calls", "-o", str(report), "-p", str(process.pid)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    calls = {}
    try:
        first = tracer.stderr.readline()
        assert "attached" in first, first
        yield calls
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=20)
    for name, count in re.findall(r"^(\w+)\s+(\d+)$", report.read_text(), re.MULTILINE):
        if name != "total":
            calls[name] = int(count)


def calls_per_message(server, pairs, report):
    """Negotiations of all pairs: an offer, an answer, ten candidates each, all pairs at once."""
    offer = {"sdp": wire.SDP + "a=rtpmap:96 VP8/90000\r\n" * 88, "type": "offer"}
    candidate = {"candidate": wire.CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0}
    messages = 0
    with counted_calls(server.process, report) as calls:
        for number in range(ROUNDS):
            kind = ("offer", "answer")[number % 12] if number % 12 < 2 else "ice-candidate"
            payload = candidate if kind == "ice-candidate" else {**offer, "type": kind}
            for pair in pairs:
                pair[number % 2].send(kind, payload, target_id=pair[1 - number % 2].user)
            for pair in pairs:
                pair[1 - number % 2].expect(kind)
                messages += 1
    assert messages == PAIRS * ROUNDS
    each = sum(calls.values()) / messages
    print(f"{each:.2f} system calls for each of {messages} messages; {calls}")
    return each


def let_records_be_written(server, count):
    """Of who has come: a moment later, in the background. Until then they take memory. As long as some are, it goes on."""
    before, until = -1, 0
    while (written := server.metrics()['lunasig_policy_records_written_total{collection="room_sessions"}']) < count:
        if written > before:
            before, until = written, time.monotonic() + wire.DEADLINE
        assert time.monotonic() < until, f"{written} of {count} records"


@sanitized
def test_a_relayed_message_costs_one_read_and_one_write(server, tmp_path):
    pairs = [server.gather(f"cost-{number}", f"ann-{number}", f"bob-{number}") for number in range(PAIRS)]
    let_records_be_written(server, 2 * PAIRS)
    # A busy machine hands the server its messages one by one, and each wakes it: that is not the server's doing.
    figures = []
    while len(figures) < TRIES and (not figures or min(figures) > CALLS_PER_MESSAGE):
        figures.append(calls_per_message(server, pairs, tmp_path / f"calls-{len(figures)}"))
    assert min(figures) <= CALLS_PER_MESSAGE, figures


def resident_bytes(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


@sanitized
def test_an_idle_connection_costs_at_most_four_and_a_half_kilobytes(server):
    clients = []
    half = None
    for number in range(IDLE):
        clients.append(server.connect(f"idle-{number // 2}", f"user-{number}"))
        clients[-1].expect("room-state")
        if number + 1 == IDLE // 2:
            let_records_be_written(server, IDLE // 2)
            half = resident_bytes(server)
    let_records_be_written(server, IDLE)
    each = (resident_bytes(server) - half) / (IDLE / 2)
    print(f"{each:.0f} bytes per further idle connection, {IDLE} open")
    assert each <= BYTES_PER_IDLE_CONNECTION
    assert server.metrics()["lunasig_connections_open"] >= IDLE
