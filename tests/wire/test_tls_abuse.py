"""Clients of the TLS port that are slow or silent on purpose: others connect, and theirs ends."""

import os
import socket
import ssl
import time

import lunasig_certificates as certificates
import lunasig_client as wire
import lunasig_server
import pytest
from lunasig_client import Wire, read_answer, request_bytes

TIMEOUT = 3  # seconds for handshake and request head
SOON = TIMEOUT - 0.5  # before the first of those that keep others waiting has gone
HEADS = 1024  # that are awaited at once; a quarter of them of one address


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    settings = {**certificates.make(folder).settings, "HANDSHAKE_TIMEOUT_S": TIMEOUT, "WEBSOCKET_ADDRESS_LIMIT": 4096}
    running = lunasig_server.Server(folder, settings)
    yield running
    running.end()


def plain(server, source="127.0.0.1"):
    """A TCP connection to the TLS port, in clear."""
    return Plain(server.port, source)


class Plain(Wire):
    def __init__(self, port, source):
        known = wire.TLS.pop(port)
        try:
            super().__init__(port, source)
        finally:
            wire.TLS[port] = known


def hello(server):
    """The first flight of a client."""
    client = wire.TLS[server.port].wrap_bio(ssl.MemoryBIO(), outgoing := ssl.MemoryBIO(), server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def assert_others_connect(server, room, within):
    began = time.monotonic()
    assert server.http("GET", "/live").status == 200
    ann, bob = server.gather(room, "ann", "bob")
    ann.send("chat-message", {"content": "hello"})
    bob.expect("chat-message", content="hello")
    assert time.monotonic() - began < within


def assert_all_end(clients, began):
    for client in clients:
        client.ends(10)
    assert time.monotonic() - began < TIMEOUT + 5


def test_silent_connections_leave_room_for_others_and_end(server, room):
    began = time.monotonic()
    silent = [plain(server, f"127.0.1.{number % 4}") for number in range(2000)]
    assert_others_connect(server, room, SOON)
    assert_all_end(silent, began)


def test_slow_hellos_leave_room_for_others_and_end(server, room):
    began = time.monotonic()
    slow = [plain(server, f"127.0.2.{number % 4}") for number in range(1500)]
    first = hello(server)
    for number, client in enumerate(slow):
        client.send(first[: 1 + number % (len(first) - 1)])
    assert_others_connect(server, room, SOON)
    assert_all_end(slow, began)


def test_a_hello_that_drips_ends_in_its_time(server):
    began = time.monotonic()
    slow = plain(server)
    for byte in hello(server):
        try:
            slow.send(bytes([byte]))
            slow.fill(time.monotonic() + 0.05)
        except TimeoutError:
            continue
        except OSError:
            break
        if slow.ended:
            break
    slow.ends()
    assert time.monotonic() - began < TIMEOUT + 3


def test_a_hello_in_pieces_is_understood(server):
    for size in (1, 2, 5, 100):
        client = wire.TLS[server.port].wrap_bio(incoming := ssl.MemoryBIO(), outgoing := ssl.MemoryBIO(), server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        with plain(server) as connection:
            data = outgoing.read()
            for start in range(0, len(data), size):
                connection.send(data[start : start + size])
            assert connection.fill(time.monotonic() + wire.DEADLINE), "the server answers the whole hello"
            incoming.write(bytes(connection.buffer))
            client.do_handshake()


def test_who_leaves_the_handshake_open_makes_room_for_others(start_server, tmp_path, room):
    server = start_server(**certificates.make(tmp_path).settings, HANDSHAKE_TIMEOUT_S=60)
    first = hello(server)
    halfway = [plain(server, f"127.0.3.{number % 8}") for number in range(HEADS + 400)]
    for client in halfway:
        client.send(first)
    # All places are taken, and four hundred wait in front of the others: the oldest go when they have had two seconds.
    assert_others_connect(server, room, 20)


def test_who_leaves_the_handshake_open_ends(server):
    began = time.monotonic()
    halfway = [plain(server) for _ in range(20)]
    for client in halfway:
        client.send(hello(server))
    assert_all_end(halfway, began)


@pytest.mark.parametrize("start", [b"", b"GET /live HTTP/1.1\r\nHost: x"], ids=["silence", "half a head"])
def test_who_sends_no_head_after_the_handshake_makes_room_for_others_and_ends(server, room, start):
    began = time.monotonic()
    # One address may have a quarter of the places: its others wait for their turn, not those of other addresses.
    silent = []
    for _ in range(HEADS // 4):
        silent.append(Wire(server.port, "127.0.4.1"))
        if start:
            silent[-1].send(start)
    more = [plain(server, "127.0.4.1") for _ in range(50)]
    for client in more:
        client.send(hello(server))
    assert_others_connect(server, room, SOON)
    assert_all_end(silent + more, time.monotonic())
    assert time.monotonic() - began < 2 * TIMEOUT + 8


def test_a_newcomer_of_a_full_address_gets_the_place_of_the_oldest(start_server, tmp_path, room):
    server = start_server(**certificates.make(tmp_path).settings, HANDSHAKE_TIMEOUT_S=60)
    silent = [Wire(server.port) for _ in range(HEADS // 4)]
    assert_others_connect(server, room, 8)  # three connections, each in the place of one that had its two seconds
    assert silent[0].ends(5) == b""
    silent[-1].send(request_bytes("GET", "/live"))
    assert read_answer(silent[-1]).status == 200, "only the oldest went"


def test_handshakes_that_fail_leave_nothing(server, room):
    first = bytearray(hello(server))
    for number in range(400):
        with plain(server) as client:
            junk = bytearray(first)
            for _ in range(8):
                junk[5 + int.from_bytes(os.urandom(2), "big") % (len(junk) - 5)] ^= 1 << number % 8
            client.send(junk)
            if number % 3:
                client.reset()
    trusting_nobody = ssl.create_default_context()
    for _ in range(50):
        with pytest.raises(ssl.SSLError):
            Wire(server.port, tls=trusting_nobody)
    assert_others_connect(server, room, 2)
    assert not [line for line in server.lines if '"libwebsockets"' in line][20:], "strangers fill the log"


def test_the_limit_of_an_address_holds_before_the_handshake(start_server, tmp_path):
    server = start_server(**certificates.make(tmp_path).settings, WEBSOCKET_ADDRESS_LIMIT=3)
    held = [server.join("limited", f"user-{number}") for number in range(3)]
    with pytest.raises(OSError):
        Wire(server.port)
    with Wire(server.port, "127.0.0.2") as other:
        other.send(request_bytes("GET", "/live"))
        assert read_answer(other).status == 200
    held[0].leave()
    until = time.monotonic() + wire.DEADLINE
    while True:
        try:
            server.join("limited", "again")
            break
        except OSError:
            assert time.monotonic() < until


def test_a_port_scan_does_not_disturb(server):
    for data in (b"", b"\r\n", b"GET / HTTP/1.0\r\n\r\n", b"\x16", b"\x16\x03\x01\x02", b"\x80\x2e\x01\x00\x02"):
        with socket.create_connection(("127.0.0.1", server.port), wire.DEADLINE) as one:
            one.sendall(data)
    assert server.http("GET", "/live").status == 200
