"""Connecting: which requests become WebSockets, and with what status the others are refused."""

import base64
import resource
import time

import lunasig_client as wire
import lunasig_server
import pytest
from lunasig_client import (
    Refused,
    Wire,
    assert_unauthorized,
    connect,
    handshake_headers,
    read_answer,
    refused,
    request_bytes,
    room_path,
    upgrade,
)
from lunasig_secrets import make_token

SETTINGS = {"RESUME_WINDOW_S": "0"}

def refused_with(server, room, **changes):
    return refused(server, room_path(room, make_token("ann")), handshake_headers(**changes))


# -- what becomes a WebSocket -------------------------------------------------------------------------------------------------------


def test_a_good_handshake_gets_101_and_one_room_state(server, room):
    ann = server.join(room, "ann")
    assert ann.answer.headers["upgrade"].lower() == "websocket"
    assert ann.answer.headers["connection"].lower() == "upgrade"
    assert ann.protocol is None


def test_lunasig_v1_is_agreed_when_asked_for(server, room):
    assert server.join(room, "ann", v1=True).protocol == "lunasig.v1"


def test_lunasig_v1_is_found_among_other_sub_protocols(server, room):
    assert server.join(room, "ann", protocols="foo, lunasig.v1, bar").protocol == "lunasig.v1"


def test_a_sub_protocol_that_the_server_does_not_speak_is_never_agreed(server, room):
    try:
        assert server.join(room, "ann", protocols="foo").protocol is None
    except Refused as refusal:
        assert refusal.status == 400


def test_header_names_and_the_upgrade_value_are_compared_without_case(server, room):
    token = make_token("ann")
    key = base64.b64encode(bytes(16)).decode()
    head = (
        f"GET {room_path(room, token)} HTTP/1.1\r\nhOsT: localhost\r\nUPGRADE: WebSocket\r\nconnection: keep-alive, uPGRADE\r\n"
        f"sec-websocket-key: {key}\r\nSEC-WEBSOCKET-VERSION: 13\r\n\r\n"
    )
    connection = Wire(server.port)
    connection.send(head.encode())
    assert read_answer(connection).status == 101


def test_a_request_that_comes_byte_by_byte_is_understood(server, room):
    connection = Wire(server.port)
    for byte in request_bytes("GET", room_path(room, make_token("ann")), handshake_headers(), host=None):
        connection.send(bytes([byte]))
    assert read_answer(connection).status == 101


# -- method, path, version, key -----------------------------------------------------------------------------------------------------


def test_a_plain_get_of_a_room_is_426(server, room):
    answer = server.http("GET", room_path(room, make_token("ann")))
    assert answer.status == 426
    assert answer.headers["sec-websocket-version"] == "13"


@pytest.mark.parametrize("version", [None, "8", "12", "14", "0", "abc", ""])
def test_a_missing_or_wrong_version_is_426_and_names_13(server, room, version):
    refusal = refused_with(server, room, Sec_WebSocket_Version=version)
    assert refusal.status == 426
    assert refusal.headers["sec-websocket-version"] == "13"


def test_post_to_a_room_is_405(server, room):
    assert refused(server, room_path(room, make_token("ann")), method="POST").status == 405
    assert server.http("POST", room_path(room, make_token("ann"))).status == 405


@pytest.mark.parametrize("key", [None, "", "abc", "AAAAAAAAAAAAAAAAAAAAAA=", "A" * 24, "!" * 22 + "==", "QQ==" * 50])
def test_a_missing_or_malformed_key_is_400(server, room, key):
    assert refused_with(server, room, Sec_WebSocket_Key=key).status == 400


def test_a_missing_host_is_400(server, room):
    assert refused_with(server, room, Host=None).status == 400


@pytest.mark.parametrize("value", ["h2c", "websocket2", "TLS/1.0"])
def test_an_upgrade_to_something_else_is_refused(server, room, value):
    try:
        assert refused_with(server, room, Upgrade=value).status in (400, 403, 426)
    except wire.Closed:
        pass  # libwebsockets knows h2c, is built without it, and hangs up


@pytest.mark.parametrize("bad", ["a b", "a.b", "ä", "a/b", "a+b", "a:b", "{room}", "a" * 101, "..", "a\nb", "%41"])
def test_a_room_id_outside_of_the_grammar_is_refused(server, bad):
    status = refused(server, room_path(bad, make_token("ann"))).status
    assert status in ((400, 404) if "/" in bad or bad == ".." else (400,))


@pytest.mark.parametrize("good", ["a", "A-Z_09", "-", "_", "a" * 100])
def test_every_room_id_of_the_grammar_is_taken_as_it_is(server, good):
    assert server.join(good, "ann").room_state["room_id"] == good


def test_a_percent_encoded_letter_is_that_letter_or_refused(server, room):
    encoded = f"/webrtc/ws/%{ord(room[0]):02x}{room[1:]}?token={make_token('ann')}"
    try:
        assert upgrade(server.port, encoded).expect("room-state")["payload"]["room_id"] == room
    except Refused as refusal:
        assert refusal.status == 400


@pytest.mark.parametrize("path", ["/webrtc/ws", "/webrtc/ws/", "/webrtc/ws/a/b", "/webrtc/ws/a/", "/webrtc/wsx/a", "/", "/nowhere"])
def test_no_room_id_or_a_further_segment_is_404(server, path):
    assert refused(server, f"{path}?token={make_token('ann')}").status == 404


# -- where a token is ------------------------------------------------------------------------------------------------------------------


def test_no_token_is_401_in_compat(server, room):
    refusal = refused(server, room_path(room))
    assert_unauthorized(refusal)
    assert refusal.answer.json == {"detail": "Not authenticated"}


def test_a_token_in_the_authorization_header_is_taken(server, room):
    headers = handshake_headers(Authorization=f"Bearer {make_token('ann')}")
    upgrade(server.port, room_path(room), headers).expect("room-state")


def test_the_bearer_scheme_is_compared_without_case(server, room):
    headers = handshake_headers(Authorization=f"bearer {make_token('ann')}")
    upgrade(server.port, room_path(room), headers).expect("room-state")


def test_a_token_is_found_behind_other_query_members(server, room):
    token = make_token("ann")
    upgrade(server.port, f"/webrtc/ws/{room}?a=1&xtoken=2&token={token}&b").expect("room-state")


def test_a_bad_token_in_the_query_is_not_made_good_by_the_header(server, room):
    headers = handshake_headers(Authorization=f"Bearer {make_token('ann')}")
    assert_unauthorized(refused(server, room_path(room, "bad.bad.bad"), headers))


def test_a_good_token_in_the_query_is_not_made_bad_by_the_header(server, room):
    headers = handshake_headers(Authorization="Bearer bad.bad.bad")
    upgrade(server.port, room_path(room, make_token("ann")), headers).expect("room-state")


@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Basic YW5uOmFubg==", "bad"])
def test_another_authorization_is_no_token(server, room, value):
    assert_unauthorized(refused(server, room_path(room), handshake_headers(Authorization=value)))


def test_a_bad_token_is_401_in_v1_too(server, room):
    headers = handshake_headers(Sec_WebSocket_Protocol=wire.V1)
    assert_unauthorized(refused(server, room_path(room, "bad.bad.bad"), headers))
    headers["Authorization"] = "Bearer bad.bad.bad"
    assert_unauthorized(refused(server, room_path(room), headers))


def test_v1_may_send_its_token_as_the_first_message(server, room):
    ann = connect(server.port, room, v1=True)
    ann.send("auth", {"token": make_token("ann")})
    assert ann.expect("room-state")["payload"]["self"]["user_id"] == "ann"


def test_nobody_is_in_the_room_before_the_first_message_authenticates(server, room):
    bob = server.join(room, "bob", v1=True)
    ann = connect(server.port, room, v1=True)
    cid = server.join(room, "cid", v1=True)
    assert {p["user_id"] for p in cid.room_state["participants"]} == {"bob", "cid"}
    bob.expect("user-joined", user_id="cid")
    ann.send("auth", {"token": make_token("ann")})
    ann.expect("room-state")
    bob.expect("user-joined", user_id="ann")


@pytest.mark.parametrize(
    "frame",
    [
        '{"type":"auth","payload":{"token":"bad.bad.bad"}}',
        '{"type":"auth","payload":{}}',
        '{"type":"auth","payload":{"token":7}}',
        '{"type":"chat-message","payload":{"content":"hi"}}',
        "not json",
    ],
)
def test_a_first_message_that_does_not_authenticate_closes_with_4401(server, room, frame):
    ann = connect(server.port, room, v1=True)
    ann.send_text(frame)
    assert ann.close_code() == 4401


def test_a_first_message_with_an_expired_token_closes_with_4401(server, room):
    ann = connect(server.port, room, v1=True)
    ann.send("auth", {"token": make_token("ann", exp=int(time.time()) - 3600)})
    assert ann.close_code() == 4401


def test_a_first_message_that_does_not_come_within_5_seconds_closes_with_4401(server, room):
    start = time.monotonic()
    ann = connect(server.port, room, v1=True)
    assert ann.close_code() == 4401
    assert 4 < time.monotonic() - start < 8


# -- origins ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [None, "null", "https://anywhere.example", "nonsense"])
def test_any_origin_passes_when_none_are_configured(server, room, origin):
    server.join(room, "ann", headers={"Origin": origin})


@pytest.fixture(scope="module")
def picky(tmp_path_factory):
    origins = "https://app.example, http://localhost:3000,https://ports.example:443"
    running = lunasig_server.Server(tmp_path_factory.mktemp("server"), {"CORS_ORIGINS": origins})
    yield running
    running.end()


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "https://app.example",
        "HTTPS://App.Example",
        "https://app.example:443",
        "http://localhost:3000",
        "https://ports.example",
        "http://signal.example",  # the host that was asked
        "http://SIGNAL.example:80",
    ],
)
def test_configured_origins_the_same_host_and_no_origin_pass(picky, room, origin):
    picky.join(room, "ann", headers={"Host": "signal.example", "Origin": origin})


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://app.example",
        "https://app.example:444",
        "https://app.example.evil.example",
        "https://evil-app.example",
        "https://sub.app.example",
        "http://localhost",
        "http://localhost:30000",
        "http://signal.example:8080",
        "nonsense",
    ],
)
def test_other_origins_are_403_when_some_are_configured(picky, room, origin):
    headers = handshake_headers(Host="signal.example", Origin=origin)
    assert refused(picky, room_path(room, make_token("ann")), headers).status == 403


# -- long, slow and odd requests ----------------------------------------------------------------------------------------------------


def first_answer(server, data, timeout):
    connection = Wire(server.port)
    connection.send(data)
    return read_answer(connection, time.monotonic() + timeout)


def test_an_over_long_uri_is_414(server):
    assert first_answer(server, request_bytes("GET", "/" + "a" * 20000), 5).status == 414


def test_over_long_headers_are_431(server):
    assert first_answer(server, request_bytes("GET", "/health", {"X-Long": "a" * 40000}), 5).status == 431


def test_very_many_headers_are_431(server):
    headers = {f"X-{i}": "a" * 60 for i in range(600)}
    assert first_answer(server, request_bytes("GET", "/health", headers), 5).status == 431


def test_a_token_of_8_kib_fits_into_url_and_header(server, room):
    token = make_token("ann", note="x" * 5500)
    assert 7000 < len(token) <= 8192
    connect(server.port, room, token=token).expect("room-state")
    upgrade(server.port, room_path(room), handshake_headers(Authorization=f"Bearer {token}")).expect("room-state")


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    running = lunasig_server.Server(tmp_path_factory.mktemp("server"), {"HANDSHAKE_TIMEOUT_S": "2"})
    yield running
    running.end()


@pytest.mark.parametrize("start", [b"", b"GET", b"GET /webrtc/ws/room HTTP/1.1\r\nHost: local", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_who_does_not_finish_his_request_is_closed_while_others_connect(hasty, room, start):
    slow = [Wire(hasty.port) for _ in range(20)]
    began = time.monotonic()
    for connection in slow:
        if start:
            connection.send(start)
    hasty.join(room, "ann")
    assert time.monotonic() - began < 2  # before one of them has gone
    for connection in slow:
        connection.ends(6)
    assert time.monotonic() - began < 6


def test_dripping_header_bytes_does_not_keep_a_request_open(hasty):
    slow = Wire(hasty.port)
    until = time.monotonic() + 5
    slow.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Drip: ")
    while True:
        assert time.monotonic() < until, "still open"
        try:
            slow.send(b"a")
            if not slow.fill(time.monotonic() + 0.1):
                break
        except TimeoutError:
            continue
        except OSError:
            break


def test_a_request_with_bare_line_feeds_is_answered_or_closed(hasty):
    connection = Wire(hasty.port)
    connection.send(b"GET /health HTTP/1.1\nHost: localhost\n\n")
    until = time.monotonic() + 4
    while not connection.buffer and connection.fill(until):
        pass


@pytest.mark.parametrize(
    "junk",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
        b"\r\n\r\n\r\n\r\n",
        b"GET\r\n\r\n",
        b"\x00" * 500,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n",
        b"GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET http://localhost/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_good_request_leaves_the_server_standing(hasty, room, junk):
    connection = Wire(hasty.port)
    connection.send(junk)
    until = time.monotonic() + 4
    while not connection.buffer and connection.fill(until):
        pass
    hasty.join(room, "ann")


def test_many_connections_that_end_in_the_middle_of_a_handshake_do_no_harm(server, room):
    head = request_bytes("GET", room_path(room, make_token("ann")), handshake_headers(), host=None)
    for cut in range(1, len(head), 7):
        connection = Wire(server.port)
        connection.send(head[:cut])
        connection.reset() if cut % 2 else connection.close()
    for _ in range(20):
        connection = Wire(server.port)
        connection.send(head)
        connection.reset()
    # All of them gone again: a newcomer soon finds himself alone.
    until = time.monotonic() + wire.DEADLINE
    while server.join(room, "bob").room_state["participant_count"] != 1:
        assert time.monotonic() < until


def test_when_descriptors_run_out_newcomers_are_refused_and_members_go_on(tmp_path, room):
    def few_descriptors():
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))

    server = lunasig_server.Server(tmp_path, preexec=few_descriptors)
    try:
        ann, bob = server.gather(room, "ann", "bob")
        refusals = []
        held = []
        for number in range(150):
            try:
                held.append(server.connect(f"{room}-{number}", f"user{number}"))
            except Refused as refusal:
                refusals.append(refusal.status)
                break
        assert refusals == [503]
        ann.send("chat-message", {"content": "still here"})
        bob.expect("chat-message", content="still here")
        for client in held:
            client.leave()
        server.join(room, "cid")
    finally:
        server.end()
