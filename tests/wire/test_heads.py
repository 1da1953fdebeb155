"""Connections that are kept open after an answer, and whose next request never gets complete: others are served, and theirs end."""

import time

import lunasig_server
import pytest
from lunasig_client import Closed, Wire, read_answer, request_bytes

KEPT = 1800  # more than there are buffers for heads
GET = request_bytes("GET", "/live")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = lunasig_server.Server(tmp_path_factory.mktemp("server"), {"WEBSOCKET_ADDRESS_LIMIT": 4096})
    yield running
    running.end()


def test_half_a_second_request_on_many_connections_leaves_room_for_others(server, room):
    kept = []
    for number in range(KEPT):
        client = Wire(server.port, f"127.0.6.{number % 8}")
        client.send(GET)
        assert read_answer(client).status == 200
        client.send(b"GET /live HTTP/1.1\r\nHo")
        kept.append(client)
    began = time.monotonic()
    assert server.http("GET", "/live").status == 200
    ann, bob = server.gather(room, "ann", "bob")
    ann.send("chat-message", {"content": "hello"})
    bob.expect("chat-message", content="hello")
    assert time.monotonic() - began < 5  # before one of them has gone
    for client in kept:
        client.ends(20)
    assert time.monotonic() - began < 20


def test_one_address_keeps_a_bounded_number_and_is_still_answered(server):
    kept = []
    for _ in range(300):
        client = Wire(server.port, "127.0.7.1")
        client.send(GET)
        assert read_answer(client).status == 200
        kept.append(client)
    closed = 0
    for client in kept:
        try:
            client.send(GET)
            closed += read_answer(client, time.monotonic() + 5).status != 200
        except (Closed, OSError):
            closed += 1
    assert 300 - 256 - 2 <= closed <= 300 - 256 + 2
