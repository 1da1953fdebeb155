"""Frames and texts that mean harm: refused in little time, without a trace in memory. How well frames keep to RFC 6455 is for tests/conformance."""

import itertools
import json
import random
import time

import lunasig_client as wire
import lunasig_figures as figures
import pytest
from lunasig_client import CONTINUATION, PING, PONG, TEXT, encode_frame

SETTINGS = {"WEBSOCKET_BAD_FRAMES": "1000000", "WEBSOCKET_ADDRESS_LIMIT": "0", "RESUME_WINDOW_S": "0", "LOG_LEVEL": "info"}
GROWTH_KIB = 1024


def chat(content):
    return json.dumps({"type": "chat-message", "payload": {"content": content}}).encode()


# -- malformed frames ---------------------------------------------------------------------------------------------------------------

BAD_TEXTS = (
    b"", b"{", b"[]", b"{}", b"null", b'{"type":7,"payload":{}}', b'{"type":"no-such-type","payload":{}}', b'{"type":"room-state","payload":{}}',
    b'{"type":"offer","payload":{"sdp":7}}', b'{"type":"chat-message","payload":[]}', b'{"type":"chat-message","type":"offer","payload":{}}',
    b'{"a":"' + b"x" * 2000, b"[" * 200, b'{"type":"chat-message","payload":{"content":"\\ud800"}}', b'{"type":"' + b"y" * 500 + b'","payload":{}}',
)  # fmt: skip
BREACHES = (
    (encode_frame(TEXT, b"x", mask=False), 1002), (encode_frame(TEXT, b"x", rsv=4), 1002), (encode_frame(3, b"x"), 1002), (encode_frame(11), 1002),
    (encode_frame(CONTINUATION, b"x"), 1002), (encode_frame(PING, b"x" * 126), 1002), (encode_frame(PING, b"x", fin=False), 1002),
    (encode_frame(TEXT, b"x", fin=False) + encode_frame(TEXT, b"x"), 1002), (encode_frame(TEXT, b"\xff"), 1007), (encode_frame(2, b"x"), 1003),
    (encode_frame(TEXT, b"x" * 1000, length=70000), 1009), (encode_frame(8, b"\x03"), 1002), (encode_frame(8, b"\x03\xed"), 1002),
)  # fmt: skip


def send_malformed(server, count, chosen):
    """Texts that are answered by `error`, a hundred at a time; every tenth hundred ends with a frame that closes."""
    client = None
    for hundred in range(count // 100):
        client = client or server.join("malformed", "mallory")
        client.send_bytes(b"".join(encode_frame(TEXT, chosen.choice(BAD_TEXTS)) for _ in range(100)))
        for _ in range(100):
            client.expect("error")
        if hundred % 10 == 9:
            data, code = chosen.choice(BREACHES)
            client.send_bytes(data)
            assert client.close_code() == code, data[:20]
            client.wire.close()
            client = None
    if client:
        client.leave()


def test_malformed_frames_leave_no_trace_in_memory(server):
    count = 1_000_000 if figures.LONG else 10_000
    chosen = random.Random(6455)
    send_malformed(server, 3000, chosen)  # warms up
    before = figures.resident_kib(server)
    start = time.monotonic()
    send_malformed(server, count, chosen)
    took = time.monotonic() - start
    grown = figures.resident_kib(server) - before
    figures.show(f"{count} malformed frames in {took:.1f} s: {grown} KiB grown")
    assert figures.SANITIZED or grown <= GROWTH_KIB


def test_connections_that_break_the_rules_at_once_leave_no_trace_in_memory(server):
    def breach(count):
        for data, code in itertools.islice(itertools.cycle(BREACHES), count):
            client = server.connect("breach", "mallory")
            client.send_bytes(data)
            assert client.close_code() == code, data[:20]
            client.wire.close()

    breach(200)
    before = figures.resident_kib(server)
    breach(1000)
    grown = figures.resident_kib(server) - before
    figures.show(f"1000 connections closed for a bad frame each: {grown} KiB grown")
    assert figures.SANITIZED or grown <= GROWTH_KIB
    assert server.metrics()["lunasig_protocol_errors_total"] > 500


# -- JSON that is expensive for others ----------------------------------------------------------------------------------------------

SIZE = 65000


def enveloped(value):
    return b'{"type":"analytics-event","payload":{"event_type":"bomb","data":' + value + b"}}"


BOMBS = {
    "deep lists": (enveloped(b"[" * 30000 + b"]" * 30000), False),
    "deep objects": (enveloped(b'{"a":' * 10000 + b"1" + b"}" * 10000), False),
    "deep, never closed": (b"[" * SIZE, False),
    "wide list": (enveloped(b"[" + b",".join([b"1"] * 30000) + b"]"), False),
    "empty objects": (enveloped(b"[" + b",".join([b"{}"] * 20000) + b"]"), False),
    "wide object": (enveloped(b"{" + b",".join(b'"%d":1' % n for n in range(7000)) + b"}"), False),
    "duplicate keys": (b'{"type":"chat-message",' + b",".join([b'"a":1'] * 1000) + b',"payload":{"content":"x"}}', None),
    "duplicate keys of the envelope": (b'{"type":"chat-message",' + b'"payload":{},' * 500 + b'"payload":{}}', False),
    "keys that collide when unescaped": (b'{"type":"chat-message","t\\u0079pe":"offer","payload":{"content":"x"}}', False),
    "a number of 60,000 digits": (enveloped(b"9" * 60000), None),
    "a fraction of 60,000 digits": (enveloped(b"0." + b"9" * 60000), None),
    "a huge exponent": (enveloped(b"1e999999999"), None),
    "a tiny number": (enveloped(b"-1e-999999999"), None),
    "many exponents": (enveloped(b"[" + b",".join([b"1e308"] * 1000) + b"]"), None),
    "escapes": (enveloped(b'"' + b"\\u0041" * 10000 + b'"'), True),
    "escaped backslashes": (enveloped(b'"' + b"\\\\" * 30000 + b'"'), True),
    "surrogate pairs": (enveloped(b'"' + b"\\ud83d\\ude00" * 5000 + b'"'), True),
    "half of a surrogate pair": (enveloped(b'"' + b"\\ud83d\\ude00" * 5000 + b'\\ud83d"'), False),
    "a string without end": (b'{"type":"' + b"x" * SIZE, False),
    "a long key": (enveloped(b'{"' + b"k" * 60000 + b'":1}'), True),
    "blanks": (b" " * 60000 + b'{"type":"chat-message","payload":{"content":"x"}}', True),
    "a zero character": (enveloped(b'"' + b"\\u0000" * 10000 + b'"'), False),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_json_bomb_costs_little_and_is_refused_or_passed_on(server, room, name):
    """passes: True, False, or None where both are right as long as nothing else happens."""
    data, passes = BOMBS[name]
    assert len(data) <= 65536
    ann, bob = server.gather(room, "ann", "bob")
    rounds = 50
    before, memory = figures.cpu_seconds(server), figures.resident_kib(server)
    ann.send_bytes(encode_frame(TEXT, data) * rounds)
    ann.send("chat-message", {"content": "end"})
    _, relayed = bob.until("chat-message", content="end")
    ann.send("no-such-type")
    errors = ann.until("error", code="UNKNOWN_TYPE")[1]
    each = (figures.cpu_seconds(server) - before) / rounds
    figures.show(f"{name}: {each * 1000:.2f} ms of processor time, {figures.resident_kib(server) - memory} KiB grown, {len(relayed)} of {rounds} passed")
    assert len(relayed) + len(errors) == rounds
    assert len(relayed) in {True: (rounds,), False: (0,), None: (0, rounds)}[passes]
    assert figures.SANITIZED or each < 0.02
    assert figures.SANITIZED or figures.resident_kib(server) - memory < 32768


# -- fragments ----------------------------------------------------------------------------------------------------------------------


def in_fragments(data, between=b""):
    """One frame for each byte; `between` behind every hundredth."""
    last = len(data) - 1
    frames = (encode_frame(CONTINUATION if n else TEXT, data[n : n + 1], fin=n == last) + (between if n % 100 == 99 else b"") for n in range(len(data)))
    return b"".join(frames)


def test_10000_fragments_of_a_byte_make_one_message(server, room):
    ann, bob = server.gather(room, "ann", "bob")
    data = json.dumps({"type": "analytics-event", "payload": {"event_type": "x", "data": "y" * 10000}}).encode()
    before = figures.cpu_seconds(server)
    ann.send_bytes(in_fragments(data))
    bob.expect("analytics-event", data="y" * 10000)
    figures.show(f"{len(data)} fragments of a byte: {(figures.cpu_seconds(server) - before) * 1000:.0f} ms of processor time")


def test_control_frames_between_fragments_are_answered_and_change_nothing(server, room):
    ann, bob = server.gather(room, "ann", "bob")
    ann.send_bytes(in_fragments(chat("z" * 1000), encode_frame(PONG, b"?") + encode_frame(PING, b"!")))
    bob.expect("chat-message", content="z" * 1000)
    assert ann.recv_frame() == (True, 0, PONG, b"!")


def test_messages_begun_and_never_ended_are_bounded_each(server, room):
    memory = figures.resident_kib(server)
    clients = [server.connect(f"{room}-{number}", "ann") for number in range(200)]
    for client in clients:
        client.send_frame(TEXT, b"x" * 60000, fin=False)
        client.send_frame(CONTINUATION, b"x" * 6000, fin=False)
    for client in clients:
        assert client.close_code() == 1009
    figures.show(f"200 messages without an end: {figures.resident_kib(server) - memory} KiB grown")
