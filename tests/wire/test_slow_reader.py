"""Receivers that stop reading: closed with 4408, while the others get everything and memory stays bounded."""

import time

import lunasig_client as wire
import pytest

OUTBOX = 131072
TOTAL = 1048576
SETTINGS = {"RESUME_WINDOW_S": "1", "WEBSOCKET_OUTBOX_BYTES": OUTBOX, "WEBSOCKET_OUTBOX_TOTAL_BYTES": TOTAL}
FILLER = "x" * 30000
FRAMES = 600  # 18 MB: more than the kernel keeps for a socket


def send(client, mark):
    """A large message that both dialects let pass."""
    client.send("analytics-event", {"event_type": mark, "data": {"fill": FILLER}})


def memory_kib(server, key):
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(key + ":"))


def flood(server, ann, bob, stop):
    """ann sends, bob takes each message, until stop() or all are sent. Gives the highest figure of the outboxes that was seen."""
    highest = 0
    for number in range(FRAMES):
        send(ann, str(number))
        bob.until("analytics-event", event_type=str(number))
        if number % 10 == 0:
            metrics = server.metrics()
            highest = max(highest, metrics["lunasig_outbox_bytes"])
            if stop(metrics):
                return highest
    raise AssertionError("the slow readers were never closed")


@pytest.mark.parametrize("dialect", ["compat", "v1"])
def test_who_stops_reading_is_closed_with_4408_and_the_others_get_everything(server, room, dialect):
    ann, bob = server.gather(room, f"ann:{dialect}", f"bob:{dialect}")
    slow = server.join(room, "slow", v1=dialect == "v1", receive_buffer=4096)
    for client in (ann, bob):
        client.until("user-joined", user_id="slow")
    closed = server.metrics()["lunasig_slow_closed_total"]
    rss = memory_kib(server, "VmRSS")
    highest = flood(server, ann, bob, lambda metrics: metrics["lunasig_slow_closed_total"] == closed + 1)
    assert highest <= OUTBOX + 4096
    sanitized = memory_kib(server, "VmSize") > 1 << 30
    assert sanitized or memory_kib(server, "VmRSS") - rss < 16384
    ann.until("user-left", user_id="slow")
    assert slow.close_code() in (4408, 1006)
    # What came before the close came whole and in order.
    numbers = [int(m["payload"]["event_type"]) for m in slow.last_words if m["type"] == "analytics-event"]
    assert numbers == list(range(len(numbers))) and numbers


def test_nothing_waits_in_memory_when_the_slow_reader_has_gone(server):
    until = time.monotonic() + wire.DEADLINE
    while server.metrics()["lunasig_outbox_bytes"] > 0:
        assert time.monotonic() < until


def test_who_reads_again_in_time_has_lost_nothing(server, room):
    ann, bob, lazy = server.gather(room, "ann", "bob", "lazy")
    for turn in range(20):
        for number in range(2):
            send(ann, f"{turn} {number}")
            bob.expect("analytics-event", event_type=f"{turn} {number}")
        for number in range(2):
            lazy.expect("analytics-event", event_type=f"{turn} {number}")


def test_many_who_stop_reading_do_not_pass_the_bound_of_the_process(start_server, room):
    server = start_server(WEBSOCKET_OUTBOX_BYTES=TOTAL, WEBSOCKET_OUTBOX_TOTAL_BYTES=TOTAL)
    ann, bob = server.gather(room, "ann", "bob")
    for number in range(6):
        server.join(room, f"slow{number}", receive_buffer=4096)
    for client in (ann, bob):
        client.until("user-joined", user_id="slow5")
    highest = flood(server, ann, bob, lambda metrics: metrics["lunasig_slow_closed_total"] >= 6)
    assert highest <= TOTAL + 65536


def test_joins_and_messages_of_other_rooms_do_not_wait_for_a_slow_reader(server, room):
    ann, bob = server.gather(room, "ann", "bob")
    server.join(room, "slow", receive_buffer=4096)
    for number in range(100):
        send(ann, str(number))
    began = time.monotonic()
    cid, dan = server.gather(room + "-other", "cid", "dan")
    cid.send("chat-message", {"content": "quick"})
    dan.expect("chat-message", content="quick")
    assert time.monotonic() - began < 2
    for number in range(100):
        bob.until("analytics-event", event_type=str(number))


def test_who_stops_reading_and_goes_leaves_no_trace(server, room):
    ann, bob = server.gather(room, "ann", "bob")
    slow = server.join(room, "slow", receive_buffer=4096)
    for number in range(50):
        send(ann, str(number))
        bob.until("analytics-event", event_type=str(number))
    slow.vanish()
    ann.until("user-left", user_id="slow")
