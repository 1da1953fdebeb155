"""The account behind a token: still active, of the same token_version, there at all where AUTH_REQUIRE_ACCOUNT is on."""

import itertools

import lunasig_records
from lunasig_client import Refused, connect, handshake_headers, refused, room_path
from lunasig_secrets import make_token

PASSWORD = "Correct-Horse-7"
NUMBERS = itertools.count(1)


def register(server):
    name = f"standing-{next(NUMBERS)}"
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    answer = server.http("POST", "/auth/register", json_body=body)
    assert answer.status == 200, answer
    return name, answer.json["access_token"]


def change(server, name, **columns):
    """What an operator does in the database beside the running server."""
    lunasig_records.change_account(server.settings["DATA_DIR"], name, **columns)


def is_refused(server, room, token, v1=False):
    """401 before the upgrade, or TOKEN_INVALID and 4401 after it."""
    try:
        first = connect(server.port, room, token=token, v1=v1)
        server.http("GET", "/auth/validate-token", token=token)  # reads the database behind the question of the connection
        connect(server.port, room, token=token, v1=v1).leave()
    except Refused as refusal:
        assert refusal.status == 401 and refusal.answer.json == {"detail": "Could not validate credentials"}
        if "first" in locals():
            assert first.close_code() == 4401
            assert [m["payload"]["code"] for m in first.last_words if m["type"] == "error"] == ["TOKEN_INVALID"]
        return True
    first.leave()
    return False


def test_a_token_of_another_version_is_refused(server, room):
    name, token = register(server)
    change(server, name, token_version=1)
    for v1 in (True, False):
        assert is_refused(server, room, token, v1)
    assert server.http("GET", "/webrtc/config", token=token).status == 401
    assert server.http("GET", "/auth/validate-token", token=token).json["token"] == "invalid"
    body = {"username": name, "password": PASSWORD}
    new = server.http("POST", "/auth/login", json_body=body).json["access_token"]
    assert not is_refused(server, room, new)
    assert server.http("GET", "/webrtc/config", token=new).status == 200


def test_the_first_refusal_comes_after_the_upgrade_and_the_next_before_it(server, room):
    name, token = register(server)
    change(server, name, token_version=1)
    first = connect(server.port, room, token=token)
    assert first.close_code() == 4401
    assert [m["payload"]["code"] for m in first.last_words if m["type"] == "error"] == ["TOKEN_INVALID"]
    try:
        connect(server.port, room, token=token)
        raise AssertionError("it was let in")
    except Refused as refusal:
        assert refusal.status == 401


def test_a_ticket_of_such_a_token_is_refused_too(server, room):
    name, token = register(server)
    ticket = server.http("POST", "/webrtc/ticket", token=token).json["ticket"]
    change(server, name, is_active=False)
    assert is_refused(server, room, token)
    assert refused(server, room_path(room, ticket=ticket), handshake_headers()).status == 401


def test_an_account_that_is_not_active_is_refused(server, room):
    name, token = register(server)
    change(server, name, is_active=False)
    assert is_refused(server, room, token)
    assert server.http("GET", "/webrtc/config", token=token).status == 401


def test_a_name_without_an_account_has_no_version_to_compare(server, room):
    token = make_token("nobody-here", token_version=3)
    assert not is_refused(server, room, token)
    assert server.http("GET", "/webrtc/config", token=token).status == 200


def test_where_an_account_is_required_a_name_without_one_is_refused(start_server, room):
    server = start_server(AUTH_REQUIRE_ACCOUNT="on")
    name, token = register(server)
    stranger = make_token("stranger")
    assert not is_refused(server, room, token)
    assert is_refused(server, room, stranger)
    assert server.http("GET", "/webrtc/config", token=token).status == 200
    assert server.http("GET", "/webrtc/config", token=stranger).status == 401
    assert server.http("GET", "/auth/validate-token", token=stranger).json["token"] == "invalid"
    late = connect(server.port, room, v1=True)
    late.send("auth", {"token": make_token("stranger-two")})
    assert late.close_code() == 4401
