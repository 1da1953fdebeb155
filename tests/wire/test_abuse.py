"""Clients that mean no good, or behave as if: the server goes on for everybody else."""

import json
import time

import lunasig_client as wire
import lunasig_server
import pytest

SETTINGS = {"HANDSHAKE_TIMEOUT_S": "3"}
LOGIN = json.dumps({"username": "ann", "password": "Xx1!xxxxx"}).encode()
POST = wire.request_bytes("POST", "/auth/login", {"Content-Type": "application/json"}, LOGIN)
GET = wire.request_bytes("GET", "/health")


def assert_serves(server):
    assert server.http("GET", "/live").status == 200


@pytest.mark.parametrize("requests", [GET + POST, POST + GET, POST + POST, GET * 3, POST * 20], ids=["gp", "pg", "pp", "ggg", "p20"])
def test_requests_behind_each_other_do_not_hold_the_server(server, requests):
    with wire.Wire(server.port) as client:
        client.send(requests)
        assert wire.read_answer(client).status in (200, 401)
        assert_serves(server)
    assert_serves(server)


def test_slow_uploads_of_one_address_leave_room_for_others(server):
    head = wire.request_bytes("POST", "/auth/login", {"Content-Length": "60000", "Content-Type": "application/json"})
    slow = [wire.Wire(server.port, source="127.0.0.2") for _ in range(300)]
    for client in slow:
        client.send(head + b"{")
    start = time.monotonic()
    assert_serves(server)
    assert server.join("beside-uploads", "ann")
    assert time.monotonic() - start < 5
    # Which of them are let in is a matter of luck: those end with their time, all others are told to come again.
    held = 0
    for client in slow:
        try:
            refused = wire.read_answer(client)
            assert refused.status == 503 and refused.headers["retry-after"]
        except wire.Closed:
            held += 1
    assert 1 <= held <= 16


def test_silent_connections_leave_room_for_others_and_end(server):
    silent = [wire.Wire(server.port, source=f"127.0.0.{number % 4 + 3}") for number in range(2000)]
    for client in silent[::2]:
        client.send(b"GET /health HTTP/1.1\r\nHos")
    start = time.monotonic()
    assert_serves(server)
    assert server.join("beside-silence", "ann")
    assert time.monotonic() - start < 5
    assert b" 408 " in silent[0].ends(20)
    assert b" 408 " in silent[1].ends(20)


def test_the_fullest_reader_may_leave_while_the_outboxes_are_full(start_server):
    total = 1 << 20
    server = start_server(WEBSOCKET_OUTBOX_BYTES=64 << 20, WEBSOCKET_OUTBOX_TOTAL_BYTES=total, RESUME_WINDOW_S=0)
    slow = server.join("full", "slow", receive_buffer=2048)
    ann, *others = [server.join("full", f"user-{number}") for number in range(21)]
    sent = 0
    while server.metrics()["lunasig_outbox_bytes"] < total - 45000:  # the rest of a write counts as well
        ann.send("analytics-event", {"event_type": "x", "data": "y" * 20000}, target_id="slow")
        ann.send("chat-message", {"content": str(sent)}, target_id=others[0].user)
        others[0].until("chat-message", content=str(sent))  # so the one before it has been dealt with, too
        sent += 1
        assert sent < 3000, "the outbox does not fill"
    slow.vanish()  # what the others are told of it goes past the bound
    for other in others:
        other.until("user-left", user_id="slow")
    assert_serves(server)


@pytest.mark.parametrize("v1", [False, True])
def test_a_message_to_oneself_is_not_echoed(server, room, v1):
    ann = server.join(room, "ann", v1=v1)
    ann.send("offer", {"sdp": wire.SDP, "type": "offer"}, target_id=ann.peer_id if v1 else "ann")
    ann.send("nonsense")
    ann.expect_error("UNKNOWN_TYPE")


def test_what_a_role_may_not_send_counts_against_the_rate(start_server, policy):
    policy.write('sig.type "decree" { from = { "host" } }')
    server = start_server(**policy.settings, WEBSOCKET_MESSAGE_RATE_LIMIT="5/s burst 5")
    _, bob = server.gather("realm", "ann", "bob")
    for _ in range(5):
        bob.send("decree")
        bob.expect_error("PERMISSION_DENIED")
    bob.send("decree")
    bob.expect_error("RATE_LIMIT_EXCEEDED")


def test_the_server_ends_while_hooks_wait(tmp_path, policy):
    policy.write("""
        sig.on("join", function() sig.sleep("100ms") end)
        sig.on("leave", function() sig.sleep("1900ms") end)
        sig.on("message:chat-message", function() sig.sleep("1900ms") end)
    """)
    server = lunasig_server.Server(tmp_path, policy.settings)
    ann, bob = server.join("waits", "ann"), server.join("waits", "bob")
    server.connect("waits", "cid")
    ann.leave()
    bob.send("chat-message", {"content": "x"})
    bob.until("user-left")
    server.end()  # within its time, with 0, and without a report of a sanitizer
