"""The admin API: the control socket's commands over HTTP, on an address and with a key of its own."""

import json
import resource
import signal
import socket
import time

import lunasig_certificates as certificates
import lunasig_client as wire
import lunasig_secrets as secrets
import lunasig_server
import pytest
from lunasig_control import ADMIN_KEY

SETTINGS = {"ADMIN_KEY": secrets.confidential(ADMIN_KEY), "ADMIN_PORT": "0"}


def port_of(server):
    return int(server.event("admin-listening")["port"])


def call(server, method, path, body=None, key=ADMIN_KEY, port=None, **how):
    return wire.http(port or port_of(server), method, path, token=key, json_body=body, **how)


def fine(server, method, path, body=None):
    answer = call(server, method, f"/admin/v1/{path}", body)
    assert answer.status == 200, answer
    assert answer.headers["content-type"] == "application/json" and answer.headers["cache-control"] == "no-store"
    return answer.json


def refused(server, status, method, path, body=None):
    answer = call(server, method, f"/admin/v1/{path}", body)
    assert answer.status == status, answer
    assert set(answer.json) == {"detail"}
    return answer.json["detail"]


def test_without_a_key_there_is_no_admin_api(start_server):
    server = start_server()
    assert "admin-listening" not in server.log
    assert server.http("GET", "/admin/v1/status").status == 404


@pytest.mark.parametrize(("key", "said"), [("short", "at least 32"), ("x" * 40, "one letter"), ("-----BEGIN PUBLIC KEY-----" + "x" * 40, "PEM")])
def test_a_weak_key_is_refused_at_the_start_and_not_repeated(tmp_path, key, said):
    server = lunasig_server.Server(tmp_path, {"ADMIN_KEY": key}, wait=False)
    try:
        assert server.wait(lunasig_server.START_SECONDS) == 2, server.log
        assert "ADMIN_KEY" in server.log and said in server.log
        assert key not in server.log or key == "short"
    finally:
        server.kill()


def test_a_port_that_is_taken_is_named(tmp_path, server):
    other = lunasig_server.Server(tmp_path, {**SETTINGS, "ADMIN_PORT": str(port_of(server))}, wait=False)
    try:
        assert other.wait(lunasig_server.START_SECONDS) == 3, other.log
        assert "ADMIN_PORT" in other.log
    finally:
        other.kill()


def test_only_the_key_opens_it(start_server):
    server = start_server(**SETTINGS)
    missing = call(server, "GET", "/admin/v1/status", key=None)
    wire.assert_unauthorized(missing)
    assert missing.json == {"detail": "Not authenticated"}
    for key in (ADMIN_KEY[:-1], ADMIN_KEY + "x", ADMIN_KEY.upper(), secrets.make_token("ann")):
        wrong = call(server, "GET", "/admin/v1/status", key=key)
        wire.assert_unauthorized(wrong)
        assert wrong.json == {"detail": "Could not validate credentials"}
    wire.assert_unauthorized(call(server, "GET", "/admin/v1/no-such-path", key=None))
    assert call(server, "GET", f"/admin/v1/status?token={ADMIN_KEY}", key=None).status == 401
    assert fine(server, "GET", "status")["draining"] is False
    assert server.event("admin-key-wrong")["address"] == "127.0.0.1"


def test_an_address_that_guesses_has_to_wait_and_others_do_not(start_server):
    server = start_server(**SETTINGS)
    for number in range(10):
        assert call(server, "GET", "/admin/v1/status", key=f"guess-number-{number}").status == 401
    slow = call(server, "GET", "/admin/v1/status")
    assert slow.status == 429 and 1 <= int(slow.headers["retry-after"]) <= 6
    assert call(server, "GET", "/admin/v1/status", source="127.0.0.2").status == 200


def test_rooms_and_users_are_shown_as_by_ctl(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob")
    rooms = fine(server, "GET", "rooms?limit=1")
    assert len(rooms["rooms"]) == 1 and rooms["count"] >= 1
    answer = fine(server, "GET", f"rooms/{room}")
    assert [member["user_id"] for member in answer["members"]] == ["ann", "bob"]
    assert "127.0.0.1" not in json.dumps(answer)
    assert "127.0.0.1" in json.dumps(fine(server, "GET", f"rooms/{room}?addresses=true"))
    assert room in {entry["room_id"] for entry in fine(server, "GET", "users/ann")["rooms"]}
    assert room in refused(server, 404, "GET", f"rooms/{room}-9")
    assert "limit" in refused(server, 400, "GET", "rooms?limit=many")
    assert "room_id" in refused(server, 400, "GET", "rooms/a%20b")
    head = call(server, "HEAD", "/admin/v1/status")
    assert head.status == 200 and head.body == b""
    assert ann and bob


def test_users_with_letters_of_their_own_are_found(server, room):
    server.join(room, "ann/ä b")
    assert fine(server, "GET", "users/ann/%C3%A4%20b")["user_id"] == "ann/ä b"
    assert fine(server, "DELETE", f"rooms/{room}/members/ann%2F%C3%A4%20b")["connections"] == 1


def test_members_are_kicked_by_post_and_by_delete(server, room):
    ann, bob, cid = server.gather(room, "ann", "bob:v1", "cid:v1")
    assert fine(server, "POST", f"rooms/{room}/kick", {"user_id": "ann", "reason": "spam"})["connections"] == 1
    assert ann.close_code() == 4403
    bob.until("user-left", user_id="ann", reason="kicked")
    assert fine(server, "DELETE", f"rooms/{room}/members/cid")["user_id"] == "cid"
    assert cid.close_code() == 4403
    assert "user_id" in refused(server, 400, "POST", f"rooms/{room}/kick")
    assert "there already" in refused(server, 400, "POST", f"rooms/{room}/kick", {"user_id": "bob", "room_id": "other"})
    assert server.event("operator")["who"] == "admin 127.0.0.1"


def test_rooms_are_closed_and_told_something(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob")
    chat = {"type": "chat-message", "payload": {"content": "three\nlines\nhere"}}
    assert fine(server, "POST", f"rooms/{room}/broadcast", chat)["connections"] == 2
    assert ann.expect("chat-message", content="three\nlines\nhere")["sender_id"] is None
    bob.expect("chat-message")
    assert fine(server, "POST", "broadcast", chat)["rooms"] >= 1
    ann.expect("chat-message")
    assert "no-such" in refused(server, 400, "POST", "broadcast", {"type": "no-such", "payload": {}})
    assert "not JSON" in call(server, "POST", "/admin/v1/broadcast", body=None, key=ADMIN_KEY, form={"a": "b"}).json["detail"]
    assert fine(server, "POST", f"rooms/{room}/close")["members"] == 2
    assert ann.close_code() == 4403


def test_tokens_are_revoked(server, room):
    user = f"revoked-{room}"
    token = secrets.make_token(user)
    client = server.join(room, user, token=token)
    assert fine(server, "POST", "revoke", {"token": token}) == {"revoked": True, "connections": 1}
    assert client.close_code() == 4401
    wire.assert_unauthorized(wire.refused(server, wire.room_path(room, token)))
    assert fine(server, "POST", "revoke", {"user_id": user})["revoked"] is True


def test_the_log_and_the_policy_can_be_changed(start_server, policy):
    server = start_server(**SETTINGS, **policy.settings)
    assert fine(server, "POST", "log", {"level": "warning"}) == {"level": "warning"}
    assert fine(server, "POST", "log", {"level": "debug"}) == {"level": "debug"}
    start = len(server.lines)
    assert fine(server, "POST", "reload")["in_force"] == 2
    server.event("policy-loaded", start, timeout=lunasig_server.RELOAD_SECONDS)


def test_a_drain_is_answered_and_then_ends_the_server(tmp_path, room):
    server = lunasig_server.Server(tmp_path, SETTINGS)
    try:
        ann = server.join(room, "ann")
        assert fine(server, "POST", "drain") == {"draining": True}
        assert ann.close_code() == 1001
        assert server.wait() == 0, server.log
    finally:
        server.kill()
        server.check_log()


def test_several_requests_go_over_one_connection(server):
    with wire.Wire(port_of(server)) as connection:
        for _ in range(20):
            connection.send(wire.request_bytes("GET", "/admin/v1/status", {"Authorization": f"Bearer {ADMIN_KEY}"}))
            assert wire.read_answer(connection).status == 200


def test_wrong_methods_and_paths_are_refused(server):
    for method, path, allowed in (
        ("POST", "status", "GET, HEAD"),
        ("GET", "drain", "POST"),
        ("PUT", "rooms/r1/kick", "POST"),
        ("GET", "rooms/r1/members/ann", "DELETE"),
        ("OPTIONS", "rooms", "GET, HEAD"),
    ):
        answer = call(server, method, f"/admin/v1/{path}")
        assert answer.status == 405 and answer.headers["allow"] == allowed, (path, answer)
    for path in ("/", "/admin", "/admin/v1", "/admin/v1/", "/admin/v1/rooms/", "/admin/v1/rooms/r1/", "/admin/v2/status", "/admin/v1/users/", "/admin/v1/watch"):
        assert call(server, "GET", path).status == 404, path


def test_neither_port_knows_the_paths_of_the_other(server, room):
    for path in ("/health", "/readyz", "/metrics", "/webrtc/config", "/auth/validate-token", "/index.html"):
        assert call(server, "GET", path).status == 404, path
        assert call(server, "GET", path, key=None).status == 401, path
    for path in ("/admin/v1/status", "/admin/v1/rooms"):
        assert server.http("GET", path, token=ADMIN_KEY).status == 404
    path = wire.room_path(room, secrets.make_token("ann"))
    for headers in (wire.handshake_headers(), wire.handshake_headers(Authorization=f"Bearer {ADMIN_KEY}")):
        with pytest.raises(wire.Refused) as refusal:
            wire.upgrade(port_of(server), path, headers)
        assert refusal.value.status == 404


def test_browsers_get_no_permission_to_read_it(server):
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    for method in ("GET", "OPTIONS"):
        answer = call(server, method, "/admin/v1/status", headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")], answer
        answer = call(server, method, "/admin/v1/status", key=None, headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")], answer


def test_it_speaks_plain_http_also_where_the_public_port_has_tls(tmp_path, start_server, room):
    made = certificates.make(tmp_path).settings
    server = start_server(**SETTINGS, **made)
    assert fine(server, "GET", "status")["rooms"] == 0
    server.join(room, "ann")
    assert fine(server, "GET", f"rooms/{room}")["member_count"] == 1
    port = port_of(server)
    with wire.Wire(port) as connection:
        connection.send(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n")
        connection.ends()
    assert fine(server, "GET", "status")["rooms"] == 1


def ended(connection):
    connection.settimeout(0.05)
    try:
        return connection.recv(4096) is not None  # the refusal, or the end
    except TimeoutError:
        return False


def test_it_answers_when_all_public_places_are_taken(tmp_path):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (160, 160))

    server = lunasig_server.Server(tmp_path, SETTINGS, preexec=few)
    try:
        # Sockets without a word, so that it does not matter what the public port speaks.
        taken = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(120)]
        until = time.monotonic() + wire.DEADLINE
        while not any(ended(connection) for connection in taken):  # those above the bound are closed
            assert time.monotonic() < until, "there is place for all"
        assert fine(server, "GET", "status")["draining"] is False
        server.signal(signal.SIGTERM)
        assert server.wait() == 0, server.log
        for connection in taken:
            connection.close()
    finally:
        server.kill()


def test_of_its_own_connections_there_are_sixteen(server):
    taken = [wire.Wire(port_of(server)) for _ in range(16)]
    for connection in taken:
        connection.send(b"GET /admin")
    answer = call(server, "GET", "/admin/v1/status")
    assert answer.status == 503
    for connection in taken:
        connection.close()
    for _ in range(100):
        if call(server, "GET", "/admin/v1/status").status == 200:
            return
    raise AssertionError("the places are not given back")
