"""Handshakes that libwebsockets 4.1.6 alone would accept, or answer with nothing; frames that come too early; forged addresses; origins."""

import pytest

import lunasig_client as wire
from lunasig_client import Refused, Wire, encode_frame, handshake_headers, read_answer, refused, request_bytes, room_path
from lunasig_secrets import make_token

SETTINGS = {"HANDSHAKE_TIMEOUT_S": "2", "WEBSOCKET_ADDRESS_LIMIT": "40"}


def handshake(room, **changes):
    return request_bytes("GET", room_path(room, make_token("ann")), handshake_headers(**changes), host=None)


TABLE = [
    ("GET", {"Sec_WebSocket_Version": None}, 426),
    ("GET", {"Sec_WebSocket_Version": "12"}, 426),
    ("GET", {"Sec_WebSocket_Version": "13, 8"}, 426),
    ("POST", {}, 405),
    ("PUT", {}, 405),
    ("HEAD", {}, 405),
    ("OPTIONS", {}, 405),
    ("GET", {"Sec_WebSocket_Key": "abc"}, 400),
    ("GET", {"Sec_WebSocket_Key": None}, 400),
    ("GET", {"Sec_WebSocket_Key": "A" * 200}, 400),
    ("GET", {"Host": None}, 400),
    ("GET", {"Connection": "keep-alive"}, 400),
    ("GET", {"Upgrade": "h2c"}, 426),
    ("GET", {"Upgrade": "websocket2"}, 426),
    ("GET", {"Upgrade": "TLS/1.0"}, 426),
    ("GET", {"Upgrade": "websocket/13"}, 426),
    ("GET", {"Upgrade": "h2c", "HTTP2_Settings": "AAMAAABkAARAAAAAAAIAAAAA", "Connection": "Upgrade, HTTP2-Settings"}, 426),
    ("GET", {"Sec_WebSocket_Protocol": "foo, bar"}, 400),
    ("GET", {"Sec_WebSocket_Protocol": ", ".join(f"protocol-{n}" for n in range(20))}, 400),
]


@pytest.mark.parametrize(("method", "changes", "status"), TABLE)
def test_every_bad_handshake_has_its_status(server, room, method, changes, status):
    path = room_path(room, make_token("ann"))
    with Wire(server.port) as client:
        client.send(request_bytes(method, path, handshake_headers(**changes), host=None))
        assert read_answer(client, head_only=method == "HEAD").status == status


def test_a_request_that_offers_h2c_is_served_over_http_1(server):
    headers = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAARAAAAAAAIAAAAA"}
    assert server.http("GET", "/live", headers=headers).status == 200


@pytest.mark.parametrize("line", ["CONNECT localhost:1 HTTP/1.1", "TRACE / HTTP/1.1"])
def test_methods_for_proxies_are_405_at_once(server, line):
    with Wire(server.port) as client:
        client.send(f"{line}\r\nHost: localhost\r\n\r\n".encode())
        assert read_answer(client).status == 405


@pytest.mark.parametrize("head", [b"GET /live HTTP/1.1\nHost: localhost\n\n", b"GET /live HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", b"GET /live HTTP/1.1\r\nHost : a\r\n\r\n"])
def test_a_head_that_is_not_quite_http_is_400_at_once(server, head):
    with Wire(server.port) as client:
        client.send(head)
        assert read_answer(client).status == 400


def test_a_body_in_chunks_is_411_at_once(server):
    with Wire(server.port) as client:
        client.send(b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        assert read_answer(client).status == 411


def test_frames_that_come_with_the_handshake_are_taken_as_frames(server, room):
    bob = server.join(room, "bob")
    with Wire(server.port) as early:
        early.send(handshake(room) + encode_frame(wire.TEXT, b'{"type":"chat-message","payload":{"content":"early"}}') + encode_frame(wire.PING, b"p"))
        assert read_answer(early).status == 101
        bob.until("chat-message", content="early")
        ann = wire.WebSocket(early, wire.Answer(101, {}, b""))
        ann.expect("room-state")
        assert ann.recv_frame() == (True, 0, wire.PONG, b"p")


def test_bad_frames_that_come_with_the_handshake_are_refused(server, room):
    with Wire(server.port) as early:
        early.send(handshake(room) + encode_frame(wire.TEXT, b"x", mask=False))
        assert read_answer(early).status == 101
        assert wire.WebSocket(early, wire.Answer(101, {}, b"")).close_code() == 1002


def test_an_upgrade_behind_another_request_of_the_connection_is_watched_as_well(server, room):
    with Wire(server.port) as client:
        client.send(request_bytes("GET", "/live") + handshake(room) + encode_frame(3))
        assert read_answer(client).status == 200
        assert read_answer(client).status == 101
        assert wire.WebSocket(client, wire.Answer(101, {}, b"")).close_code() == 1002


# -- addresses ----------------------------------------------------------------------------------------------------------------------

FORGED = ["203.0.113.{n}", "203.0.113.{n}, 198.51.100.1", "::ffff:203.0.113.{n}", "{n}", "", "unknown", "127.0.0.1", "x" * 1000]


@pytest.mark.parametrize("forged", FORGED)
def test_a_forwarded_address_of_a_stranger_buys_no_places(start_server, room, forged):
    server = start_server(WEBSOCKET_ADDRESS_LIMIT=5, TRUSTED_PROXIES="127.0.0.99")
    for number in range(5):
        server.join(f"{room}-{number}", f"user{number}", source="127.0.0.2", headers={"X-Forwarded-For": forged.format(n=number)})
    with pytest.raises(Refused) as caught:
        server.connect(room, "late", source="127.0.0.2", headers={"X-Forwarded-For": forged.format(n=99)})
    assert caught.value.status == 429


def test_behind_a_trusted_proxy_only_what_the_proxy_added_counts(start_server, room):
    server = start_server(WEBSOCKET_ADDRESS_LIMIT=3, TRUSTED_PROXIES="127.0.0.5")
    for number in range(3):  # what the client wrote itself stands before it
        server.join(room, f"user{number}", source="127.0.0.5", headers={"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.7"})
    with pytest.raises(Refused) as caught:
        server.connect(room, "late", source="127.0.0.5", headers={"X-Forwarded-For": "198.51.100.77, 203.0.113.7"})
    assert caught.value.status == 429
    server.join(room, "other", source="127.0.0.5", headers={"X-Forwarded-For": "198.51.100.0, 203.0.113.8"})


# -- origins ------------------------------------------------------------------------------------------------------------------------

ORIGINS = {  # with CORS_ORIGINS=https://app.example and Host: signal.example
    "https://app.example": True, "HTTPS://APP.EXAMPLE": True, "https://app.example:443": True, "http://signal.example": True,
    "http://app.example": False, "https://app.example:444": False, "https://app.example.evil.example": False, "https://evilapp.example": False,
    "https://app.example@evil.example": False, "https://evil.example/https://app.example": False, "https://evil.example?https://app.example": False,
    "https://evil.example#https://app.example": False, "https://app.example ,https://evil.example": False, "https://app.exampl": False,
    "https://app.example.": False, "https:app.example": False, "//app.example": False, "app.example": False, "null": False, "*": False,
    "file://": False, "https://app.example\\@evil.example": False, "https://xn--pp-eka.example": False, "https://" + "a" * 600: False,
}  # fmt: skip


def test_twenty_origins_and_more_get_what_is_theirs(start_server, room):
    server = start_server(CORS_ORIGINS="https://app.example", WEBSOCKET_ADDRESS_LIMIT=0)
    assert len(ORIGINS) >= 20
    for number, (origin, passes) in enumerate(ORIGINS.items()):
        headers = {"Host": "signal.example", "Origin": origin}
        if passes:
            server.join(f"{room}-{number}", "ann", headers=headers).leave()
        else:
            refusal = refused(server, room_path(room, make_token("ann")), handshake_headers(**headers))
            assert refusal.status == 403, origin
            assert "access-control-allow-origin" not in refusal.headers, origin
