"""Many who send nothing, too little, too much, or do not read: what the others notice of it. Figures with pytest -s."""

import json
import pathlib
import resource
import select
import threading
import time

import lunasig_client as wire
import lunasig_figures as figures
import lunasig_server
import pytest

SETTINGS = {"HANDSHAKE_TIMEOUT_S": "60"}
CONNECT_SECONDS = 0.1
START = b"GET /webrtc/ws/room HTTP/1.1\r\nHost: localhost\r\nX-Slow: "


def test_500_slow_header_senders_do_not_slow_others(server):
    slow = figures.crowd(server, 500, START)

    def drip(number):
        for client in slow[number % 5 :: 5]:
            client.send(b"a")

    times = figures.connects(server, "connect beside 500 who send their headers slowly", 40, drip)
    assert times.median < CONNECT_SECONDS
    assert not any(select.select([client.socket for client in slow], [], [], 0)[0]), "a slow sender was closed before its time"


def test_5000_silent_connections_do_not_slow_others(server):
    before = figures.resident_kib(server)
    silent = figures.crowd(server, 5000)
    times = figures.connects(server, "connect beside 5,000 silent connections", 40)
    assert times.median < CONNECT_SECONDS
    each = (figures.resident_kib(server) - before) * 1024 / len(silent)
    figures.show(f"a silent connection: {each:.0f} bytes")
    assert figures.SANITIZED or each < 2048


def open_descriptors(server):
    return {int(entry.name) for entry in pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir()}


def cpu_while_idle(server, sockets, seconds=1.0):
    """Processor seconds that the server used in this time, in which nothing is to be done."""
    before = figures.cpu_seconds(server)
    select.select([], [], [sockets[0].socket], seconds)
    return figures.cpu_seconds(server) - before


def test_connections_above_the_bound_get_503_without_a_busy_loop(tmp_path):
    def few_descriptors():
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    server = lunasig_server.Server(tmp_path, SETTINGS, preexec=few_descriptors)
    try:
        ann, bob = server.gather("few", "ann", "bob")
        silent = figures.crowd(server, 400)
        assert wire.read_answer(silent[-1]).status == 503
        busy = cpu_while_idle(server, silent)
        figures.show(f"processor time in a second with all places taken: {busy * 1000:.0f} ms")
        assert busy < 0.5
        ann.send("chat-message", {"content": "still here"})
        bob.expect("chat-message", content="still here")
    finally:
        server.end()


def test_without_a_free_descriptor_newcomers_get_503_without_a_busy_loop(start_server):
    server = start_server(**SETTINGS)
    ann, bob = server.gather("none", "ann", "bob")
    # From below its own bound: as when the whole system has run out of them.
    highest = max(open_descriptors(server))
    fillers = []
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (highest + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    while len(open_descriptors(server)) < highest + 1:  # the gaps below
        fillers.append(wire.Wire(server.port))
        assert len(fillers) < 64, "the server takes more than there is"
    late = [wire.Wire(server.port) for _ in range(20)]
    assert [wire.read_answer(client).status for client in late] == [503] * 20
    busy = cpu_while_idle(server, late)
    figures.show(f"processor time in a second without a free descriptor: {busy * 1000:.0f} ms")
    assert busy < 0.5
    ann.send("chat-message", {"content": "still here"})
    bob.expect("chat-message", content="still here")
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (highest + 20, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    server.join("none", "cid").leave()


# -- floods -------------------------------------------------------------------------------------------------------------------------

CHAT = json.dumps({"type": "chat-message", "payload": {"content": "flood"}}).encode()
BATCH = b"".join(wire.encode_frame(wire.TEXT, CHAT) for _ in range(1000))


class Flooder(threading.Thread):
    """Sends as fast as it can until the server ends it, and reads what it is answered."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client = client
        self.sent = 0
        self.code = None
        self.began = time.monotonic()

    def run(self):
        sock = self.client.wire.socket
        sock.setblocking(False)
        offset = 0
        while self.code is None and time.monotonic() - self.began < 30:
            readable, writable, _ = select.select([sock], [sock], [], 1)
            try:
                if writable:
                    offset += sock.send(BATCH[offset:])
                    self.sent += 1000 if offset == len(BATCH) else 0
                    offset %= len(BATCH)
            except OSError:
                readable = [sock]
            if readable:
                self.read()

    def read(self):
        try:
            while self.code is None:
                self.client.recv(0.001)
        except TimeoutError:
            pass
        except (wire.Closed, OSError) as closed:
            self.code = getattr(closed, "code", 1006)


def test_a_flood_from_one_connection_does_not_slow_other_rooms(start_server):
    server = start_server(WEBSOCKET_MESSAGE_RATE_LIMIT=None, WEBSOCKET_BYTE_RATE_LIMIT=None)
    pairs = [server.gather(f"calm-{number}", f"ann-{number}", f"bob-{number}") for number in range(10)]
    flooder = Flooder(server.join("flooded", "mallory"))
    listener = server.join("flooded", "victim")
    times = figures.Times("a message of another room beside a flood")
    flooder.start()
    before = server.metrics()["lunasig_messages_received_total"]
    start = time.monotonic()
    while flooder.code is None and time.monotonic() - start < 25:
        for ann, bob in pairs:
            with times.one():
                ann.send("chat-message", {"content": "calm"})
                bob.expect("chat-message", content="calm")
        select.select([], [], [listener.wire.socket], 1.2)  # each stays below its own rate
    took = time.monotonic() - start
    flooder.join(5)
    received = server.metrics()["lunasig_messages_received_total"] - before
    times.show()
    figures.show(f"the flood: {flooder.sent / took:.0f} messages/s sent, {received / took:.0f} read, closed after {took:.1f} s")
    assert times.median < CONNECT_SECONDS
    assert flooder.code == 4429
    assert figures.SANITIZED or received / took > 10000, "that was no flood"
    heard = 0
    while listener.recv()["type"] != "user-left":
        heard += 1
    assert heard < 350, "more than the rate lets pass"


def test_stalled_readers_in_their_hundreds_do_not_pass_the_bound_of_the_process(start_server):
    readers, total, size = 1000 if not figures.SANITIZED else 200, 8 << 20, 60000
    server = start_server(
        WEBSOCKET_OUTBOX_BYTES=4 << 20, WEBSOCKET_OUTBOX_TOTAL_BYTES=total, WEBRTC_MAX_PARTICIPANTS_PER_ROOM=readers + 2,
        WEBSOCKET_ADDRESS_LIMIT=0, WEBSOCKET_PING_S=60, RESUME_WINDOW_S=0,
    )  # fmt: skip
    # Each stalls in a room of its own: joins cost what they cost alone.
    ann = server.join("stalled-0", "ann")
    others = [ann] + [server.join(f"stalled-{number}", f"ann-{number}") for number in range(1, readers // 40)]
    for number in range(readers):
        server.connect(f"stalled-{number // 40}", f"slow-{number}", receive_buffer=2048)
    quick = server.gather("quick", "bob", "cid")
    rss, highest, closed = figures.resident_kib(server), 0, 0
    for number in range(2000):
        others[number % len(others)].send("analytics-event", {"event_type": "x", "data": "y" * size})
        quick[0].send("chat-message", {"content": str(number)})
        quick[1].expect("chat-message", content=str(number))
        metrics = server.metrics()
        highest, closed = max(highest, metrics["lunasig_outbox_bytes"]), metrics["lunasig_slow_closed_total"]
        if closed >= readers // 4:
            break
    assert closed >= readers // 4, "the outboxes do not fill"
    grown = figures.resident_kib(server) - rss
    figures.show(f"{readers} stalled readers, bound {total >> 20} MiB: {grown / 1024:.1f} MiB grown")
    assert highest <= total + 2 * size
    assert figures.SANITIZED or grown < 3 * total / 1024
    assert server.http("GET", "/live").status == 200


@pytest.mark.parametrize("what", ["ping", "pong", "empty fragments"])
def test_a_flood_of_frames_that_are_no_messages_does_not_slow_others(server, room, what):
    frames = {"ping": wire.encode_frame(wire.PING, b"x" * 10), "pong": wire.encode_frame(wire.PONG, b"x" * 10)}
    batch = frames.get(what, wire.encode_frame(wire.CONTINUATION, b"", fin=False)) * 2000
    mallory = server.join(room, "mallory")
    if what not in frames:
        mallory.send_frame(wire.TEXT, b"{", fin=False)
    ann, bob = server.gather(f"{room}-calm", "ann", "bob")
    times = figures.Times(f"a message of another room beside a flood of {what}")
    ended = False
    for _ in range(30):
        try:
            mallory.wire.socket.settimeout(0.05)
            ended = ended or mallory.wire.socket.send(batch) == 0
        except (TimeoutError, OSError):
            pass
        with times.one():
            ann.send("chat-message", {"content": "calm"})
            bob.expect("chat-message", content="calm")
    times.show()
    assert times.median < CONNECT_SECONDS
