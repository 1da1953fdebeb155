"""Limits: messages and bytes per second, connections per user and address."""

import time

import lunasig_client as wire
import lunasig_secrets as secrets
import lunasig_server
import pytest
from lunasig_client import Refused

SETTINGS = {"WEBSOCKET_MESSAGE_RATE_LIMIT": "5/s burst 10", "WEBSOCKET_CONNECTION_LIMIT": None}
CANDIDATE = {"candidate": wire.CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0}


def say(client, text="x"):
    client.send("chat-message", {"content": text})


def received(client, last):
    """Contents of the messages that the client has, up to the one that ends them."""
    contents = []
    while True:
        message = client.recv()
        if message["type"] == "chat-message":
            if message["payload"]["content"] == last:
                return contents
            contents.append(message["payload"]["content"])


def say_until_heard(client, listener, text, timeout=wire.DEADLINE):
    """Says it again and again, at the pace of the answers, until the rate lets it through. Gives what came before."""
    until = time.monotonic() + timeout
    before = []
    while True:
        assert time.monotonic() < until, "never let through"
        say(client, text)
        for message in listener.listen(0.1):
            if message["payload"].get("content") == text:
                return before
            before.append(message)


# -- messages -----------------------------------------------------------------------------------------------------------------------


def test_a_burst_passes_and_what_is_above_it_is_refused_once_per_second(server, room):
    ann, bob = server.gather(room, "ann", "bob")
    began = time.monotonic()
    for number in range(40):
        say(ann, str(number))
    ann.send_frame(wire.PING, b"end")
    errors = []
    while (frame := ann.recv_frame()).opcode != wire.PONG:
        errors.append(frame)
    took = time.monotonic() - began
    assert 1 <= len(errors) <= 1 + int(took) + 1
    before = say_until_heard(ann, bob, "again")
    heard = [m["payload"]["content"] for m in before]
    assert heard[:10] == [str(i) for i in range(10)]
    assert len(heard) <= 10 + 5 * (took + 1)


def test_the_refusal_says_when_to_try_again(server, room):
    ann, _ = server.gather(room, "ann", "bob")
    for _ in range(20):
        say(ann)
    details = ann.expect_error("RATE_LIMIT_EXCEEDED")["payload"]["details"]
    assert 0 < details["retry_after"] <= 2


def test_after_the_burst_the_rate_goes_on(server, room):
    ann, bob = server.gather(room, "ann", "bob")
    for _ in range(30):
        say(ann)
    began = time.monotonic()
    say_until_heard(ann, bob, "one")
    say_until_heard(ann, bob, "two")
    say_until_heard(ann, bob, "three")
    assert time.monotonic() - began < 3


def test_one_member_s_flood_does_not_slow_another(server, room):
    ann, bob, cid = server.gather(room, "ann", "bob", "cid")
    for _ in range(40):
        say(ann, "flood")
    say(cid, "calm")
    heard, _ = bob.until("chat-message", content="calm")
    assert heard["sender_id"] == "cid"


def test_offers_answers_and_candidates_have_a_wider_rate_of_their_own(server, room):
    ann, bob = server.gather(room, "ann", "bob")
    for _ in range(20):
        say(ann, "spent")  # nothing of the common rate is left
    offers = [("offer", {"sdp": wire.SDP, "type": "offer"}), ("answer", {"sdp": wire.SDP, "type": "answer"})]
    # A mesh join of ten at once.
    sent = [*offers * 9, *[("ice-candidate", CANDIDATE)] * 90]
    for type, payload in sent:
        ann.send(type, {**payload, "target_user_id": "bob"})
    ann.send("offer", {"sdp": wire.SDP + "a=last\r\n", "type": "offer", "target_user_id": "bob"})
    _, before = bob.until("offer", sdp=wire.SDP + "a=last\r\n")
    assert [m["type"] for m in before if m["type"] != "chat-message"] == [type for type, _ in sent]


def test_candidates_have_a_bound_too(start_server, room):
    server = start_server(WEBSOCKET_MESSAGE_RATE_LIMIT=None)
    ann, bob = server.gather(room, "ann", "bob")
    for _ in range(2500):
        ann.send("ice-candidate", {**CANDIDATE, "target_user_id": "bob"})
    say(ann, "end")
    _, before = bob.until("chat-message", content="end")
    assert 1000 <= len(before) < 2000
    ann.expect_error("RATE_LIMIT_EXCEEDED")


def test_the_default_lets_a_hundred_messages_pass_at_once(start_server, room):
    server = start_server(WEBSOCKET_MESSAGE_RATE_LIMIT=None)
    ann, bob = server.gather(room, "ann", "bob")
    for number in range(300):
        say(ann, str(number))
    ann.expect_error("RATE_LIMIT_EXCEEDED")
    heard = say_until_heard(ann, bob, "end")
    assert 100 <= len(heard) < 150


def test_0_switches_the_rates_of_messages_off(start_server, room):
    server = start_server(WEBSOCKET_MESSAGE_RATE_LIMIT="0")
    ann, bob = server.gather(room, "ann", "bob")
    for number in range(3000):
        ann.send("ice-candidate", {**CANDIDATE, "sdpMLineIndex": number, "target_user_id": "bob"})
        if number % 100 == 99:
            bob.until("ice-candidate", sdpMLineIndex=number)


def test_bytes_per_second_are_limited(start_server, room):
    server = start_server(WEBSOCKET_BYTE_RATE_LIMIT="10 KiB/s burst 64 KiB")
    ann, bob = server.gather(room, "ann", "bob")
    for number in range(15):
        say(ann, str(number).zfill(10000))
    ann.expect_error("RATE_LIMIT_EXCEEDED")
    heard = say_until_heard(ann, bob, "end")
    assert 6 <= len(heard) <= 9


def test_limits_of_bytes_and_messages_are_there_by_default(start_server, room):
    server = start_server(WEBSOCKET_BYTE_RATE_LIMIT=None)
    ann, bob = server.gather(room, "ann", "bob")
    for _ in range(60):  # 3.6 MB, the burst is 2 MiB
        ann.send("offer", {"sdp": "x" * 60000, "type": "offer"})
    ann.expect_error("RATE_LIMIT_EXCEEDED")
    heard = say_until_heard(ann, bob, "end")
    assert 30 <= len(heard) < 60


def test_who_floods_for_ten_seconds_without_pause_is_closed_with_4429(server, room):
    ann, bob = server.gather(room, "ann", "bob")
    began = time.monotonic()
    errors = 0
    code = None
    while code is None:
        assert time.monotonic() - began < 15, "never closed"
        try:
            for _ in range(10):
                say(ann)
            errors += sum(m["payload"].get("code") == "RATE_LIMIT_EXCEEDED" for m in ann.listen(0.1))
        except wire.Closed as closed:
            code = closed.code
        except OSError:
            code = ann.close_code()
    assert code == 4429
    assert 9 < time.monotonic() - began
    assert 9 <= errors <= 12
    left, _ = bob.until("user-left", user_id="ann")
    assert left["payload"]["reason"] == "closed"


# -- connections --------------------------------------------------------------------------------------------------------------------


def test_the_sixth_connection_of_a_user_is_429_over_all_rooms(server, room):
    held = [server.join(f"{room}-{number}", "many") for number in range(5)]
    with pytest.raises(Refused) as caught:
        server.connect(f"{room}-0", "many")
    assert caught.value.status == 429
    assert int(caught.value.headers["retry-after"]) > 0
    server.join(room, "somebody-else")
    held[0].leave()
    server.join(room, "many")


def test_a_sixth_connection_by_first_message_is_not_let_in(server, room):
    for number in range(5):
        server.join(f"{room}-{number}", "plenty")
    late = server.connect(room, v1=True)
    late.send("auth", {"token": secrets.make_token("plenty")})
    assert late.close_code() in (1008, 4429)
    assert "room-state" not in {m["type"] for m in late.last_words}


def test_0_switches_the_limit_of_connections_off(start_server, room):
    server = start_server(WEBSOCKET_CONNECTION_LIMIT="0")
    for _ in range(30):
        server.join(room, "many")


@pytest.fixture
def narrow(start_server):
    return start_server(WEBSOCKET_ADDRESS_LIMIT="3")


def test_connections_of_an_address_are_limited_with_429(narrow, room):
    held = [narrow.join(room, f"user{number}", source="127.0.0.2") for number in range(3)]
    with pytest.raises(Refused) as caught:
        narrow.connect(room, "late", source="127.0.0.2")
    assert caught.value.status == 429
    narrow.join(room, "elsewhere", source="127.0.0.3")
    held[0].leave()
    until = time.monotonic() + wire.DEADLINE
    while True:
        try:
            narrow.join(room, "late", source="127.0.0.2")
            break
        except Refused:
            assert time.monotonic() < until


def test_with_a_trusted_proxy_the_forwarded_address_counts(start_server, room):
    server = start_server(WEBSOCKET_ADDRESS_LIMIT="2", TRUSTED_PROXIES="127.0.0.5")
    forwarded = {"X-Forwarded-For": "203.0.113.7"}
    for number in range(2):
        server.join(room, f"user{number}", source="127.0.0.5", headers=forwarded)
    with pytest.raises(Refused) as caught:
        server.connect(room, "late", source="127.0.0.5", headers=forwarded)
    assert caught.value.status == 429
    server.join(room, "other", source="127.0.0.5", headers={"X-Forwarded-For": "203.0.113.8"})


def test_without_a_trusted_proxy_a_forwarded_address_is_not_believed(narrow, room):
    for number in range(3):
        narrow.join(room, f"user{number}", source="127.0.0.2", headers={"X-Forwarded-For": f"203.0.113.{number}"})
    with pytest.raises(Refused) as caught:
        narrow.connect(room, "late", source="127.0.0.2", headers={"X-Forwarded-For": "203.0.113.9"})
    assert caught.value.status == 429


def test_loopback_counts_and_the_default_is_a_thousand(server):
    assert "WEBSOCKET_ADDRESS_LIMIT" not in lunasig_server.SETTINGS
    held = []
    with pytest.raises(Refused) as caught:
        for number in range(1001):
            held.append(server.connect(f"crowd-{number}", f"crowd{number}", source="127.0.0.9"))
    assert (len(held), caught.value.status) == (1000, 429)
