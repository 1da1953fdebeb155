"""Accounts: register, login, guests, and what a token says."""

import base64
import itertools
import json
import time

import lunasig_client as wire
import lunasig_server
import pytest
from lunasig_client import Wire, read_answer, request_bytes
from lunasig_secrets import make_token

SETTINGS = {"GUESTS": "on"}
PASSWORD = "Correct-Horse-7"
NUMBERS = itertools.count(1)


@pytest.fixture
def name():
    return f"user-{next(NUMBERS)}"


def register(server, name, password=PASSWORD, **more):
    body = {"username": name, "email": f"{name}@example.org", "password": password, **more}
    return server.http("POST", "/auth/register", json_body=body)


def login(server, **how):
    return server.http("POST", "/auth/login", **how)


def assert_shape_422(answer, field=None):
    assert answer.status == 422, answer
    detail = answer.json["detail"]
    assert isinstance(detail, list) and detail
    for one in detail:
        assert {"type", "loc", "msg", "input"} <= set(one), one
        assert isinstance(one["loc"], list) and one["loc"][0] == "body", one
    if field:
        assert any(field in one["loc"] for one in detail), detail


# -- register -----------------------------------------------------------------------------------------------------------------------


def test_register_answers_a_token_that_works_at_once(server, name, room):
    answer = register(server, name, nickname="ignored", age=7)
    assert answer.status == 200, answer
    body = answer.json
    assert set(body) == {
        "access_token", "token_type", "issued_at", "expires_at", "is_verified", "two_fa_enabled", "client_side_encryption",
    }  # fmt: skip
    assert body["token_type"] == "bearer"
    assert (body["two_fa_enabled"], body["client_side_encryption"]) == (False, False)
    assert abs(body["issued_at"] - time.time()) < 30
    assert body["expires_at"] - body["issued_at"] == 1440 * 60
    assert server.join(room, name, token=body["access_token"]).room_state["participants"][0]["user_id"] == name


def test_an_access_token_has_the_documented_claims(server, name):
    token = register(server, name).json["access_token"]
    head, body, _ = (json.loads(base64.urlsafe_b64decode(part + "==")) if i < 2 else part for i, part in enumerate(token.split(".")))
    assert head["alg"] == "HS256"
    assert set(body) >= {"sub", "iat", "exp", "jti", "type", "token_version", "user_id"}
    assert (body["sub"], body["type"]) == (name, "access")


def test_answers_with_tokens_are_not_to_be_stored(server, name):
    assert "no-store" in register(server, name).headers["cache-control"]


def test_names_and_addresses_are_lower_cased(server, name):
    assert register(server, name.upper(), email=f"{name.upper()}@EXAMPLE.org").status == 200
    answer = login(server, json_body={"username": name.title(), "password": PASSWORD})
    assert (answer.status, answer.json["username"], answer.json["email"]) == (200, name, f"{name}@example.org")


def test_a_taken_name_or_address_is_400(server, name):
    assert register(server, name).status == 200
    assert register(server, name, email="other@example.org").status == 400
    assert register(server, name.upper(), email="other@example.org").status == 400
    answer = register(server, name + "x", email=f"{name}@example.org")
    assert answer.status == 400 and isinstance(answer.json["detail"], str)


@pytest.mark.parametrize("weak", ["Sh0rt-x", "no-upper-case-1", "NO-LOWER-CASE-1", "No-Digit-Here", "NoSymbol123", "A1-b" + "x" * 80])
def test_a_weak_password_is_400(server, name, weak):
    answer = register(server, name, password=weak)
    assert answer.status == 400 and isinstance(answer.json["detail"], str)


@pytest.mark.parametrize(
    "field,value",
    [
        ("username", "ab"), ("username", "a" * 51), ("username", "a b c"), ("username", "änn"), ("username", None), ("username", 7),
        ("username", ""), ("email", "nobody"), ("email", "a@b@c.de"), ("email", "@example.org"), ("email", 7), ("email", None),
        ("password", 7), ("password", None), ("password", ["x"]),
    ],
)  # fmt: skip
def test_a_field_of_a_wrong_shape_is_422_and_named(server, name, field, value):
    assert_shape_422(register(server, name, **{field: value}), field)


@pytest.mark.parametrize("field", ["username", "email", "password"])
def test_a_missing_field_is_422_and_named(server, name, field):
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    del body[field]
    assert_shape_422(server.http("POST", "/auth/register", json_body=body), field)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null", b'{"username":"x"', b"\xff\xfe", b"username=x"])
def test_a_body_that_is_no_json_object_is_422(server, body):
    assert_shape_422(server.http("POST", "/auth/register", body=body, headers={"Content-Type": "application/json"}))


def test_a_422_does_not_repeat_the_password(server, name):
    answer = server.http("POST", "/auth/register", json_body={"username": name, "password": PASSWORD})
    assert PASSWORD.encode() not in answer.body


def test_register_is_closed_when_the_setting_says_so(start_server, name):
    assert register(start_server(AUTH_REGISTRATION="off"), name).status == 403


# -- login --------------------------------------------------------------------------------------------------------------------------


def test_login_takes_name_or_address_as_json_or_form(server, name):
    register(server, name)
    for who in (name, f"{name}@example.org"):
        for how in ({"json_body": {"username": who, "password": PASSWORD}}, {"form": {"username": who, "password": PASSWORD}}):
            answer = login(server, **how)
            assert answer.status == 200, (how.keys(), answer)
    assert login(server, json_body={"email": f"{name}@example.org", "password": PASSWORD}).status == 200


def test_a_form_may_have_percent_escapes_and_further_fields(server, name):
    register(server, name)
    body = f"grant_type=password&username={name}%40example%2Eorg&password=Correct%2DHorse%2d7&scope=".encode()
    answer = login(server, body=body, headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
    assert answer.status == 200, answer


def test_login_answers_both_tokens_and_who_it_is(server, name, room):
    register(server, name)
    body = login(server, json_body={"username": name, "password": PASSWORD}).json
    assert set(body) == {
        "access_token", "refresh_token", "token_type", "expires_in", "refresh_expires_in", "issued_at", "expires_at", "is_verified",
        "role", "username", "email",
    }  # fmt: skip
    assert body["expires_in"] == 1440 * 60 == body["expires_at"] - body["issued_at"]
    assert body["refresh_expires_in"] == 7 * 86400
    assert (body["token_type"], body["username"], body["email"]) == ("bearer", name, f"{name}@example.org")
    server.join(room, name, token=body["access_token"])


def test_a_refresh_token_is_no_access_token(server, name, room):
    register(server, name)
    token = login(server, json_body={"username": name, "password": PASSWORD}).json["refresh_token"]
    assert server.http("GET", "/webrtc/config", token=token).status == 401
    with pytest.raises(wire.Refused) as caught:
        server.connect(room, token=token)
    assert caught.value.status == 401


def test_a_wrong_password_and_an_unknown_name_are_the_same_401(server, name):
    register(server, name)
    wrong = login(server, json_body={"username": name, "password": "Wrong-Horse-7"})
    unknown = login(server, json_body={"username": name + "-nobody", "password": PASSWORD})
    assert wrong.status == unknown.status == 401
    assert wrong.json == unknown.json == {"detail": "Invalid credentials"}
    assert wrong.headers["www-authenticate"] == unknown.headers["www-authenticate"] == "Bearer"


def test_after_five_failures_the_right_password_is_403_too(server, name):
    register(server, name)
    for _ in range(5):
        assert login(server, json_body={"username": name, "password": "Wrong-Horse-7"}).status == 401
    answer = login(server, json_body={"username": name, "password": PASSWORD})
    assert answer.status == 403 and int(answer.headers["retry-after"]) > 0


def test_a_lock_is_of_name_and_address_so_nobody_is_locked_out_from_afar(server, name):
    register(server, name)
    for _ in range(6):
        login(server, json_body={"username": name, "password": "Wrong-Horse-7"}, source="127.0.0.2")
    assert login(server, json_body={"username": name, "password": PASSWORD}, source="127.0.0.2").status == 403
    assert login(server, json_body={"username": name, "password": PASSWORD}, source="127.0.0.3").status == 200


def test_an_unknown_name_is_locked_after_five_failures_like_a_known_one(server, name):
    answers = [login(server, json_body={"username": name, "password": PASSWORD}).status for _ in range(6)]
    assert answers == [401] * 5 + [403]


@pytest.mark.parametrize(
    "body",
    [{}, {"username": "ann"}, {"password": PASSWORD}, {"username": 7, "password": PASSWORD}, {"username": "ann", "password": 7}],
)
def test_a_login_of_a_wrong_shape_is_422(server, body):
    assert_shape_422(login(server, json_body=body))
    if all(isinstance(v, str) for v in body.values()):
        assert_shape_422(login(server, form=body))


def test_unverified_users_are_403_when_the_setting_says_so(start_server, name):
    server = start_server(AUTH_REQUIRE_VERIFIED="on")
    register(server, name)
    assert login(server, json_body={"username": name, "password": PASSWORD}).status == 403


def test_accounts_outlive_the_server(tmp_path, name):
    first = lunasig_server.Server(tmp_path)
    token = register(first, name).json["access_token"]
    first.end()
    second = lunasig_server.Server(tmp_path)
    try:
        assert login(second, json_body={"username": name, "password": PASSWORD}).status == 200
        assert second.http("GET", "/auth/validate-token", token=token).json["username"] == name
    finally:
        second.end()


def test_many_logins_at_once_are_all_answered(server, name):
    register(server, name)
    body = json.dumps({"username": name, "password": PASSWORD}).encode()
    connections = [Wire(server.port) for _ in range(40)]
    for connection in connections:
        connection.send(request_bytes("POST", "/auth/login", {"Content-Type": "application/json"}, body))
    statuses = {read_answer(connection).status for connection in connections}
    assert statuses <= {200, 503} and 200 in statuses


def test_clients_that_go_before_their_answer_do_no_harm(server, name):
    register(server, name)
    body = json.dumps({"username": name, "password": PASSWORD}).encode()
    for _ in range(20):
        connection = Wire(server.port)
        connection.send(request_bytes("POST", "/auth/login", {"Content-Type": "application/json"}, body))
        connection.reset()
    assert server.http("GET", "/health").status == 200


# -- validate-token, guest ----------------------------------------------------------------------------------------------------------


def test_validate_token_says_who_it_is(server, name):
    token = register(server, name).json["access_token"]
    answer = server.http("GET", "/auth/validate-token", token=token)
    assert answer.status == 200
    assert set(answer.json) >= {"username", "email", "role", "is_verified", "issued_at", "expires_at"}
    assert (answer.json["username"], answer.json["email"]) == (name, f"{name}@example.org")


@pytest.mark.parametrize("bad", ["bad", "bad.bad.bad"])
def test_an_invalid_token_is_answered_with_200_and_the_reason(server, bad):
    answer = server.http("GET", "/auth/validate-token", token=bad)
    assert answer.status == 200
    assert answer.json["token"] == "invalid" and isinstance(answer.json["reason"], str)


def test_an_expired_token_is_invalid(server):
    answer = server.http("GET", "/auth/validate-token", token=make_token("ann", exp=int(time.time()) - 120))
    assert (answer.status, answer.json["token"]) == (200, "invalid")


def test_validate_without_a_token_is_401(server):
    answer = server.http("GET", "/auth/validate-token")
    assert answer.status == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert answer.json == {"detail": "Not authenticated"}


def test_a_guest_gets_a_token_of_one_hour(server, room):
    answer = server.http("POST", "/auth/guest", json_body={"name": "Ann"})
    assert answer.status == 200, answer
    token = answer.json["access_token"]
    body = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert body["sub"] == "guest_Ann" and body["exp"] - body["iat"] == 3600
    assert server.join(room, "guest_Ann", token=token).room_state["participants"][0]["user_id"] == "guest_Ann"


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": 7}, {"name": None}])
def test_a_guest_without_a_name_is_422(server, body):
    assert_shape_422(server.http("POST", "/auth/guest", json_body=body), "name")


def test_there_are_no_guests_unless_the_setting_says_so(start_server):
    assert start_server(GUESTS="off").http("POST", "/auth/guest", json_body={"name": "Ann"}).status in (403, 404)
