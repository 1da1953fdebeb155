"""Webhooks: signed, in order, tried again, bounded; and nothing that the receiver does reaches the members."""

import contextlib
import pathlib
import re
import signal
import socket
import ssl
import threading
import time

import lunasig_certificates as certificates
import lunasig_client as wire
import lunasig_secrets as secrets
import lunasig_server
import lunasig_webhooks as webhooks
import pytest
from lunasig_webhooks import HANG

BUSY = (500, {})
ROOM = {"room_id", "members"}
MEMBER = ROOM | {"user_id", "username", "role", "waiting", "connections"}


@pytest.fixture
def receive():
    with contextlib.ExitStack() as running:

        def start(*answers, **how):
            receiver = webhooks.Receiver(*answers, **how)
            running.callback(receiver.end)
            return receiver

        yield start


@pytest.fixture
def start(start_server):
    """start(RECEIVER, KEY=value, …): a server that posts to it."""

    def start_with(receiver, **settings):
        url = receiver if isinstance(receiver, str) else receiver.url
        return start_server(**{"WEBHOOK_URL": url, "WEBHOOK_SECRET": webhooks.SECRET, **settings})

    return start_with


def wait_for(server, name, value):
    until = time.monotonic() + wire.DEADLINE
    while server.metrics()[f"lunasig_webhook_{name}"] != value:
        assert time.monotonic() < until, f"{name} is {server.metrics()[f'lunasig_webhook_{name}']}, not {value}"


def events_in_log(server, name):
    return [line for line in server.lines if f'"event":"{name}"' in line.replace(": ", ":")]


def threads(server):
    return [path.read_text().strip() for path in pathlib.Path(f"/proc/{server.process.pid}/task").glob("*/comm")]


# what is sent


def test_the_life_of_a_room_is_told_in_order_and_signed(start, receive, room):
    receiver = receive()
    server = start(receiver)
    before = time.time()
    ann, bob = server.gather(room, "ann", "bob:v1")
    bob.leave()
    ann.leave()
    told = [
        receiver.expect("room-opened", room_id=room, members=1),
        receiver.expect("joined", room_id=room, user_id="ann", username="ann", role="host", members=1, connections=1),
        receiver.expect("joined", user_id="bob", role="participant", members=2, connections=1),
        receiver.expect("left", user_id="bob", role="participant", members=1, connections=0, reason="bye"),
        receiver.expect("left", user_id="ann", members=0, reason="bye"),
        receiver.expect("room-closed", room_id=room, members=0),
    ]
    node = told[0].event["node"]
    for seq, delivery in enumerate(told, 1):
        event = delivery.event
        assert set(event) == {"type", "timestamp", "time_ms", "id", "node", "seq", "data"}
        assert (event["seq"], event["node"]) == (seq, node)
        assert event["id"] == delivery.headers["webhook-id"] == f"{node}-{seq}"
        assert wire.TIMESTAMP.match(event["timestamp"])
        assert before - 1 < event["time_ms"] / 1000 < time.time() + 1
        wanted = ROOM if event["type"].startswith("room") else MEMBER | ({"reason"} if event["type"] == "left" else set())
        assert set(event["data"]) == wanted
        assert delivery.path == "/hook"
        assert delivery.headers["content-type"] == "application/json"
        assert delivery.headers["user-agent"].startswith("lunasig/")
        assert delivery.headers["webhook-signature"].count("v1,") == 1
    assert re.fullmatch(r"[0-9a-f]{16}", node)
    assert len(receiver.peers) == 1, "one connection is kept"
    wait_for(server, "delivered_total", 6)
    assert server.metrics()["lunasig_webhook_waiting"] == 0


def test_only_chosen_events_are_sent(start, receive, room):
    receiver = receive()
    server = start(receiver, WEBHOOK_EVENTS="away, back,disconnected")
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    bob.vanish()
    receiver.expect("away", user_id="bob", connections=1)
    wire.resume(bob)
    assert receiver.expect("back", user_id="bob").event["seq"] == 2, "what is not wanted has no number"
    peer_id = ann.peer_id
    ann.leave()
    assert set(receiver.expect("disconnected", user_id="ann", peer_id=peer_id, reason="bye").event["data"]) == MEMBER | {"peer_id", "reason"}


def test_both_secrets_sign_while_they_are_exchanged(start, receive, room):
    old = "an-old-secret-of-the-wire-tests-0123456789"
    receiver = receive()
    server = start(receiver, WEBHOOK_SECRET=f"{webhooks.SECRET},{secrets.confidential(old)}")
    server.join(room, "ann")
    delivery = receiver.next()
    webhooks.verify(delivery, old.encode())
    assert len(webhooks.signatures(delivery)) == 2


def test_a_password_in_the_address_is_sent_and_not_logged(start, receive, room):
    password = secrets.confidential("password-of-the-wire-tests")
    key = secrets.confidential("query-key-of-the-wire-tests")
    receiver = receive((400, {}), path=f"/hook?key={key}")
    server = start(receiver.url.replace("//", f"//ann:{password}@"))
    server.join(room, "ann")
    delivery = receiver.next()
    assert delivery.path == f"/hook?key={key}"
    assert delivery.headers["authorization"].startswith("Basic ")
    assert server.event("webhook-failing")["host"] == f"http://127.0.0.1:{receiver.port}"


def test_without_an_address_nothing_is_started(server, room):
    server.join(room, "ann")
    assert "lsig-webhook" not in threads(server)
    assert server.metrics()["lunasig_webhook_waiting"] == 0


@pytest.mark.parametrize(
    "settings, mention",
    [
        ({"WEBHOOK_SECRET": None}, "WEBHOOK_URL: webhooks are signed; set WEBHOOK_SECRET"),
        ({"WEBHOOK_SECRET": "too-short-0123456789abcdefghij"}, "WEBHOOK_SECRET: a secret needs at least 32 bytes"),
        ({"WEBHOOK_SECRET": "whsec_c2hvcnQ="}, "WEBHOOK_SECRET: behind whsec_ there must be 24 to 64 bytes in base64"),
        ({"WEBHOOK_URL": "ftp://127.0.0.1/"}, "WEBHOOK_URL: this is no address that begins with https:// or http://"),
        ({"WEBHOOK_EVENTS": "joined,message"}, 'WEBHOOK_EVENTS: "message" is none of room-opened'),
        ({"WEBHOOK_EVENTS": ""}, "WEBHOOK_EVENTS: the value has 0 bytes"),
    ],
)
def test_wrong_settings_stop_the_start(tmp_path, settings, mention):
    settings = {"WEBHOOK_URL": "http://127.0.0.1:1/", "WEBHOOK_SECRET": webhooks.SECRET, **settings}
    server = lunasig_server.Server(tmp_path, settings, wait=False)
    try:
        assert server.wait(lunasig_server.START_SECONDS) == 2, server.log
    finally:
        server.kill()
    assert mention in server.log


def test_an_address_that_is_none_stops_the_start(tmp_path):
    server = lunasig_server.Server(tmp_path, {"WEBHOOK_URL": "http://:x/", "WEBHOOK_SECRET": webhooks.SECRET}, wait=False)
    try:
        assert server.wait(lunasig_server.START_SECONDS) == 3, server.log
    finally:
        server.kill()
    assert "WEBHOOK_URL: this is no address" in server.log


# trying again


def test_what_fails_comes_again_with_the_same_id_and_before_the_others(start, receive, room):
    receiver = receive(BUSY, (429, {}))
    server = start(receiver)
    server.join(room, "ann")
    tries = [receiver.expect("room-opened") for _ in range(3)]
    assert len({t.headers["webhook-id"] for t in tries}) == 1
    assert len({t.body for t in tries}) == 1
    pauses = [b.at - a.at for a, b in zip(tries, tries[1:])]
    assert pauses[0] > 0.24 and pauses[1] > 0.49, pauses
    receiver.expect("joined", user_id="ann")
    wait_for(server, "delivered_total", 2)
    assert server.metrics()["lunasig_webhook_failed_total"] == 0
    assert server.event("webhook-failing")["status"] == 500
    assert server.event("webhook-working")["failed"] == 0
    assert len(events_in_log(server, "webhook-failing")) == 1, "once, not per attempt"


def test_an_answer_that_does_not_come_is_a_failure(start, receive, room):
    receiver = receive(HANG)
    server = start(receiver, WEBHOOK_TIMEOUT_S=1)
    server.join(room, "ann")
    first, second = receiver.expect("room-opened"), receiver.expect("room-opened")
    assert 1.0 < second.at - first.at < 4
    receiver.expect("joined")
    assert server.event("webhook-failing")["status"] == 0


def test_a_receiver_that_is_away_for_a_while_gets_everything_afterwards(start, receive, room):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = start(f"http://127.0.0.1:{port}/hook")
    server.join(room, "ann")
    assert "connect" in server.event("webhook-failing")["reason"]
    receiver = receive(port=port)
    receiver.expect("room-opened")
    receiver.expect("joined")
    server.event("webhook-working")


def test_a_retry_after_is_obeyed(start, receive, room):
    receiver = receive((503, {"Retry-After": "2"}))
    server = start(receiver)
    server.join(room, "ann")
    first, second = receiver.expect("room-opened"), receiver.expect("room-opened")
    assert second.at - first.at > 1.9


@pytest.mark.parametrize("status", [301, 400, 410])
def test_a_refusal_is_final_and_no_redirect_is_followed(start, receive, room, status):
    receiver = receive((status, {"Location": "/other"}))
    server = start(receiver)
    server.join(room, "ann")
    receiver.expect("room-opened")
    assert receiver.expect("joined").path == "/hook"
    wait_for(server, "delivered_total", 1)
    assert server.metrics()["lunasig_webhook_failed_total"] == 1


def test_after_the_last_attempt_the_event_has_failed(start, receive, room):
    receiver = receive(BUSY, BUSY)
    server = start(receiver, WEBHOOK_ATTEMPTS=2)
    server.join(room, "ann")
    receiver.expect("room-opened")
    receiver.expect("room-opened")
    receiver.expect("joined")
    wait_for(server, "delivered_total", 1)
    assert server.metrics()["lunasig_webhook_failed_total"] == 1
    assert server.event("webhook-working")["failed"] == 1


def test_a_certificate_that_nobody_has_signed_is_refused(start, receive, room, tmp_path):
    pair = certificates.make(tmp_path, "hook")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.cert, pair.key)
    receiver = receive(tls=tls)
    server = start(receiver, WEBHOOK_ATTEMPTS=1)
    server.join(room, "ann")
    wait_for(server, "failed_total", 2)
    assert "certificate" in server.event("webhook-failing")["reason"]
    assert receiver.deliveries.empty()


# bounds


def test_at_the_bound_the_oldest_events_are_dropped_and_counted(start, receive, room):
    receiver = receive(HANG)
    server = start(receiver, WEBHOOK_QUEUE=2, WEBHOOK_TIMEOUT_S=60)
    ann = server.join(room, "ann")
    receiver.expect("room-opened")
    for name in ("bob", "eve", "kim"):
        server.join(room, name).leave()
    ann.until("user-left", user_id="kim")
    # joined ann; joined and left of three: seven, of which two wait.
    metrics = server.metrics()
    assert (metrics["lunasig_webhook_dropped_total"], metrics["lunasig_webhook_waiting"]) == (5, 3)
    assert len(events_in_log(server, "webhook-dropping")) == 1
    receiver.released.set()
    receiver.expect("joined", user_id="kim")
    assert receiver.expect("left", user_id="kim").event["seq"] == 8, "the gap can be seen"
    wait_for(server, "waiting", 0)


def test_a_hung_receiver_delays_nobody(start, receive, room):
    receiver = receive(HANG)
    server = start(receiver, WEBHOOK_TIMEOUT_S=60)
    ann, bob = server.gather(room, "ann", "bob")
    receiver.expect("room-opened")
    slowest = 0
    for n in range(20):
        begin = time.monotonic()
        ann.send("chat-message", {"content": str(n)})
        bob.expect("chat-message", content=str(n))
        slowest = max(slowest, time.monotonic() - begin)
    assert slowest < 3  # the receiver would take 60
    eve = server.join(room, "eve")
    eve.leave()
    assert server.metrics()["lunasig_webhook_waiting"] == 5


# the end


def test_a_hung_receiver_does_not_hold_the_end(tmp_path, receive, room):
    receiver = receive(HANG)
    server = lunasig_server.Server(tmp_path, {"WEBHOOK_URL": receiver.url, "WEBHOOK_SECRET": webhooks.SECRET, "WEBHOOK_TIMEOUT_S": 60})
    try:
        server.join(room, "ann")
        receiver.expect("room-opened")
        server.signal(signal.SIGTERM)
        assert server.wait(lunasig_server.STOP_SECONDS) == 0
    finally:
        server.kill()
        server.check_log()
    assert server.event("webhook-undelivered")["events"] >= 2


def test_a_receiver_that_fails_does_not_hold_the_end(tmp_path, receive, room):
    receiver = receive((503, {"Retry-After": "100"}), BUSY)
    server = lunasig_server.Server(tmp_path, {"WEBHOOK_URL": receiver.url, "WEBHOOK_SECRET": webhooks.SECRET})
    try:
        server.join(room, "ann").leave()
        receiver.expect("room-opened")
        server.event("webhook-failing")
        server.signal(signal.SIGTERM)
        assert server.wait(lunasig_server.STOP_SECONDS) == 0
    finally:
        server.kill()
        server.check_log()
    assert server.event("webhook-undelivered")["events"] == 4


def test_what_waits_is_delivered_before_the_end(tmp_path, receive, room):
    receiver = receive(HANG)
    server = lunasig_server.Server(tmp_path, {"WEBHOOK_URL": receiver.url, "WEBHOOK_SECRET": webhooks.SECRET})
    try:
        server.join(room, "ann").leave()
        receiver.expect("room-opened")
        server.line(lambda line: '"left"' in line)
        server.signal(signal.SIGTERM)
        server.event("stopping")
        receiver.released.set()
        assert server.wait(lunasig_server.STOP_SECONDS) == 0
    finally:
        server.kill()
        server.check_log()
    receiver.expect("joined", user_id="ann")
    receiver.expect("left", user_id="ann")
    receiver.expect("room-closed")
    assert not events_in_log(server, "webhook-undelivered")


def test_a_restart_is_told_as_away_and_back_and_not_as_leaving(tmp_path, receive, room):
    receiver = receive()
    settings = {
        "WEBHOOK_URL": receiver.url, "WEBHOOK_SECRET": webhooks.SECRET, "RESUME_WINDOW_S": "3",
        "WEBHOOK_EVENTS": "room-opened,room-closed,joined,left,away,back",
    }  # fmt: skip
    first = lunasig_server.Server(tmp_path, settings)
    ann, _bob = first.gather(room, "ann:v1", "bob:v1")
    first.end(hang_up=False)
    second = lunasig_server.Server(tmp_path, settings)
    try:
        back = wire.resume(ann, port=second.port)
        assert back.room_state["resumed"] is True
        nodes = [receiver.expect(type).event["node"] for type in ("room-opened", "joined", "joined")]
        away = [receiver.expect("away", members=2) for _ in range(2)]
        assert {delivery.event["data"]["user_id"] for delivery in away} == {"ann", "bob"}
        told = receiver.expect("back", user_id="ann", members=2)
        assert told.event["seq"] == 1 and told.event["node"] not in nodes
        receiver.expect("left", user_id="bob", members=1, reason="timeout")
        back.leave()
        receiver.expect("left", user_id="ann", reason="bye")
        receiver.expect("room-closed")
    finally:
        second.end()


def test_a_crowd_is_told_whole_and_in_order(start, receive, room):
    receiver = receive()
    server = start(receiver, WEBRTC_MAX_PARTICIPANTS_PER_ROOM=200)

    def come(first):
        for n in range(first, first + 20):
            wire.join(server.port, f"{room}-{first}", f"user-{n}")

    crowd = [threading.Thread(target=come, args=(first,)) for first in (0, 20, 40)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    told = [receiver.next().event for _ in range(63)]
    assert [event["seq"] for event in told] == list(range(1, 64))
    for first in (0, 20, 40):
        joined = [e["data"]["user_id"] for e in told if e["type"] == "joined" and e["data"]["room_id"] == f"{room}-{first}"]
        assert joined == [f"user-{n}" for n in range(first, first + 20)]
