"""https and wss: what is spoken, and that nothing of the wire changes."""

import hashlib
import json
import socket
import ssl
import subprocess

import lunasig_certificates as certificates
import lunasig_client as wire
import lunasig_server
import pytest
from lunasig_client import TEXT, request_bytes


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return certificates.make(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def server(tmp_path_factory, pair):
    running = lunasig_server.Server(tmp_path_factory.mktemp("server"), pair.settings)
    yield running
    running.end()


def connect_with(server, context):
    """A TLS connection with this context; its protocol, cipher and certificate are to be looked at."""
    with socket.create_connection(("127.0.0.1", server.port), wire.DEADLINE) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as secure:
            return secure.version(), secure.cipher()[0], secure.selected_alpn_protocol(), secure.getpeercert(True)


# -- what is spoken -----------------------------------------------------------------------------------------------------------------


def test_the_ready_line_names_an_https_address(server):
    assert server.event("listening")["url"] == f"https://localhost:{server.port}/"


def test_a_browser_gets_the_page_and_a_program_its_answer(server):
    assert server.http("GET", "/live").status == 200
    page = server.http("GET", "/", headers={"Accept": "text/html"})
    assert page.status == 200 and b"<html" in page.body


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken_with_forward_secrecy(server, pair, version):
    context = certificates.trust(pair.cert)
    context.minimum_version = context.maximum_version = version
    spoken, cipher, _, _ = connect_with(server, context)
    assert spoken == version.name.replace("_", ".")
    assert version == ssl.TLSVersion.TLSv1_3 or cipher.startswith("ECDHE-")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_older_versions_are_refused(server, pair, version):
    context = certificates.trust(pair.cert)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with pytest.raises(ssl.SSLError) as refusal:
        connect_with(server, context)
    assert "PROTOCOL_VERSION" in str(refusal.value)


@pytest.mark.parametrize("ciphers", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA"])
def test_ciphers_without_forward_secrecy_or_authentication_of_data_are_refused(server, pair, ciphers):
    context = certificates.trust(pair.cert)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers + ":@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        connect_with(server, context)


def test_http_1_1_is_agreed_and_never_h2(server, pair):
    context = certificates.trust(pair.cert)
    context.set_alpn_protocols(["h2", "http/1.1"])
    assert connect_with(server, context)[2] == "http/1.1"
    context.set_alpn_protocols(["h2"])
    assert connect_with(server, context)[2] is None


def test_no_session_is_resumed(server, pair):
    context = certificates.trust(pair.cert)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context.minimum_version = context.maximum_version = version
        session = None
        for _ in range(2):
            plain = socket.create_connection(("127.0.0.1", server.port), wire.DEADLINE)
            with context.wrap_socket(plain, server_hostname="localhost", session=session) as secure:
                secure.sendall(request_bytes("GET", "/live", {"Connection": "close"}))
                while secure.recv(4096):
                    pass
                session = secure.session
                assert not secure.session_reused


def test_the_client_may_not_renegotiate(server):
    asked = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    output, _ = asked.communicate("R\n", timeout=wire.DEADLINE)
    assert "RENEGOTIATING" in output and "no renegotiation" in output


def test_plain_http_is_told_to_speak_tls(server):
    with socket.create_connection(("127.0.0.1", server.port), wire.DEADLINE) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = plain.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ") and b"https://" in answer


@pytest.mark.parametrize("junk", [b"\x00" * 64, b"\x15\x03\x01\x00\x02\x02\x28", b"\x16\x03\x01\x00\x01\x01", b"\x16\x03\x01\xff\xff\x01", b"SSH"])
def test_what_is_neither_is_closed(server, junk):
    with socket.create_connection(("127.0.0.1", server.port), wire.DEADLINE) as plain:
        try:
            plain.sendall(junk)
            plain.shutdown(socket.SHUT_WR)
            plain.makefile("rb").read()
        except OSError:
            pass  # it was closed before all of that
    assert server.http("GET", "/live").status == 200


# -- the wire -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["compat", "v1"])
def test_a_call_is_signaled(server, room, dialect):
    ann, bob = server.gather(room, f"ann:{dialect}", f"bob:{dialect}")
    to_bob = bob.peer_id if dialect == "v1" else "bob"
    to_ann = ann.peer_id if dialect == "v1" else "ann"
    ann.send("offer", {"sdp": wire.SDP, "type": "offer"}, target_id=to_bob)
    bob.expect("offer", sdp=wire.SDP)
    bob.send("answer", {"sdp": wire.SDP, "type": "answer"}, target_id=to_ann)
    ann.expect("answer", sdp=wire.SDP)
    for client, other in ((ann, bob), (bob, ann)):
        for _ in range(5):
            client.send("ice-candidate", {"candidate": wire.CANDIDATE, "sdpMid": "0"}, target_id=to_bob if other is bob else to_ann)
            other.expect("ice-candidate", candidate=wire.CANDIDATE)
    bob.leave()
    ann.until("user-left", user_id="bob")


def test_requests_and_frames_behind_a_head_in_one_record_are_not_left_lying(server, room):
    post = request_bytes("POST", "/auth/login", {"Content-Type": "application/json"}, b'{"username": "nobody", "password": "Xx1!xxxxx"}')
    get = request_bytes("GET", "/live")
    with wire.Wire(server.port) as client:
        client.send(post + get + get + post)
        assert [wire.read_answer(client).status for _ in range(4)] == [401, 200, 200, 401]
    with wire.Wire(server.port) as client:
        ask = request_bytes("GET", wire.room_path(room, wire.make_token("ann")), wire.handshake_headers(), host=None)
        chat = json.dumps({"type": "nonsense", "payload": {}}).encode()
        client.send(ask + wire.encode_frame(TEXT, chat) * 2)
        ann = wire.WebSocket(client, wire.read_answer(client))
        ann.expect("room-state")
        for _ in range(2):
            ann.expect_error("UNKNOWN_TYPE")


def test_messages_larger_than_a_tls_record_pass_whole(server, room):
    ann, bob = server.gather(room, "ann", "bob")
    for size in (16000, 16384, 20000, 40000, 60000):
        filler = hashlib.sha256(str(size).encode()).hexdigest() * (size // 64)
        ann.send("analytics-event", {"event_type": str(size), "data": {"fill": filler}})
        assert bob.expect("analytics-event", event_type=str(size))["payload"]["data"]["fill"] == filler


def test_a_thousand_frames_reach_a_slow_reader_whole_and_in_order(start_server, pair, room):
    server = start_server(**pair.settings, WEBSOCKET_OUTBOX_BYTES=64 << 20, WEBSOCKET_OUTBOX_TOTAL_BYTES=64 << 20)
    ann, bob = server.gather(room, "ann", "bob")
    slow = server.join(room, "slow", receive_buffer=2048)
    for client in (ann, bob):
        client.until("user-joined", user_id="slow")
    fills = [hashlib.sha256(str(number).encode()).hexdigest() * (number % 97 * 10) for number in range(1000)]
    waiting = 0
    for number, fill in enumerate(fills):  # 31 MB: far more than the kernel keeps for a socket
        ann.send("analytics-event", {"event_type": str(number), "data": fill})
        bob.until("analytics-event", event_type=str(number))
        if number % 100 == 99:
            waiting = max(waiting, server.metrics()["lunasig_outbox_bytes"])
    assert waiting > 1 << 20, "the reader was not slow"
    for number, fill in enumerate(fills):
        assert slow.expect("analytics-event", event_type=str(number))["payload"]["data"] == fill


def test_a_burst_within_one_turn_arrives_whole_and_in_order(server, room):
    ann, bob = server.gather(room, "ann", "bob")
    frames = [json.dumps({"type": "analytics-event", "payload": {"event_type": str(n), "data": "x" * (n % 50 * 40)}}) for n in range(1000)]
    ann.wire.send(b"".join(wire.encode_frame(TEXT, frame.encode()) for frame in frames))
    for number in range(1000):
        assert len(bob.expect("analytics-event", event_type=str(number))["payload"]["data"]) == number % 50 * 40
    bob.send("chat-message", {"content": "back"})
    ann.expect("chat-message", content="back")


@pytest.mark.parametrize("count", [100, 1000])
def test_messages_behind_a_hook_that_waits_go_on_without_further_traffic(start_server, pair, policy, room, count):
    # One TLS record or several: what has not been read yet may wait inside of OpenSSL, where no poll sees it.
    policy.write('sig.on("message:chat-message", function() sig.sleep("1ms") end)')
    server = start_server(**pair.settings, **policy.settings)
    ann, bob = server.gather(room, "ann", "bob")
    frames = [json.dumps({"type": "chat-message", "payload": {"content": str(number)}}) for number in range(count)]
    ann.wire.send(b"".join(wire.encode_frame(TEXT, frame.encode()) for frame in frames))
    for number in range(count):
        bob.expect("chat-message", content=str(number))
