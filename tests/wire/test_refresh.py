"""Refresh tokens: rotation, reuse, and logout."""

import itertools
import json
import threading
import time

import lunasig_server
import pytest
from lunasig_client import V1, Refused, connect, handshake_headers, room_path, upgrade
from lunasig_secrets import make_token

PASSWORD = "Correct-Horse-7"
NUMBERS = itertools.count(1)
SAME_KEYS = {
    "access_token", "refresh_token", "token_type", "expires_in", "refresh_expires_in", "issued_at", "expires_at", "is_verified",
    "role", "username", "email",
}  # fmt: skip


class User:
    """An account; each login starts a family of refresh tokens."""

    def __init__(self, server):
        self.server = server
        self.name = f"refresher-{next(NUMBERS)}"
        body = {"username": self.name, "email": f"{self.name}@example.org", "password": PASSWORD}
        assert server.http("POST", "/auth/register", json_body=body).status == 200

    def login(self, server=None):
        body = {"username": self.name, "password": PASSWORD}
        answer = (server or self.server).http("POST", "/auth/login", json_body=body)
        assert answer.status == 200, answer
        return answer.json


@pytest.fixture
def user(server):
    return User(server)


def refresh(server, pair, **how):
    return server.http("POST", "/auth/refresh", json_body={"refresh_token": pair["refresh_token"]}, **how)


def refreshed(server, pair):
    answer = refresh(server, pair)
    assert answer.status == 200, answer
    return answer.json


def logout(server, token, **body):
    return server.http("POST", "/auth/logout", token=token, **({"json_body": body} if body else {}))


def is_valid(server, token):
    """Whether every place that looks at tokens takes it; they agree."""
    verdicts = {
        server.http("GET", "/webrtc/config", token=token).status == 200,
        server.http("GET", "/auth/validate-token", token=token).json["token"] == "valid",
        server.http("POST", "/webrtc/ticket", token=token).status == 200,
        upgrades(server, token),
    }
    assert len(verdicts) == 1, verdicts
    return verdicts.pop()


def upgrades(server, token):
    try:
        connect(server.port, "probe", token=token).leave()
        return True
    except Refused as refusal:
        assert refusal.status == 401 and refusal.answer.json == {"detail": "Could not validate credentials"}
        return False


# -- rotation -----------------------------------------------------------------------------------------------------------------------


def test_a_refresh_answers_like_a_login_and_both_tokens_are_new(server, user, room):
    first = user.login()
    answer = refresh(server, first)
    assert answer.status == 200, answer
    assert "no-store" in answer.headers["cache-control"]
    second = answer.json
    assert set(second) == SAME_KEYS == set(first)
    assert second["access_token"] != first["access_token"] and second["refresh_token"] != first["refresh_token"]
    assert (second["username"], second["expires_in"], second["refresh_expires_in"]) == (user.name, 1440 * 60, 7 * 86400)
    assert abs(second["issued_at"] - time.time()) < 30 and second["expires_at"] - second["issued_at"] == 1440 * 60
    server.join(room, user.name, token=second["access_token"])
    refreshed(server, second)


def test_a_used_token_is_dead_and_its_reuse_ends_the_family(server, user):
    other = user.login()
    first = user.login()
    second = refreshed(server, first)
    third = refreshed(server, second)
    answer = refresh(server, first)
    assert (answer.status, answer.json) == (401, {"detail": "Invalid refresh token"})
    assert answer.headers["www-authenticate"] == "Bearer"
    for pair in (third, second, first):
        assert refresh(server, pair).status == 401
    for pair in (first, second, third):
        assert not is_valid(server, pair["access_token"])
    assert is_valid(server, other["access_token"])
    refreshed(server, other)


def test_reuse_closes_the_sockets_of_that_login(server, user, room):
    other = user.login()
    first = user.login()
    second = refreshed(server, first)
    sockets = [server.join(room, user.name, token=pair["access_token"]) for pair in (first, second, other)]
    assert refresh(server, first).status == 401
    for socket in sockets[:2]:
        assert socket.close_code(timeout=2) == 4401
        assert [m["payload"]["code"] for m in socket.last_words if m["type"] == "error"] == ["TOKEN_INVALID"]
    sockets[2].send("chat-message", {"content": "still here"})
    sockets[2].leave()


def test_of_refreshes_at_the_same_time_exactly_one_wins(server, user):
    first = user.login()
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(refresh(server, first).status)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [401] * 7
    assert not is_valid(server, first["access_token"])


@pytest.mark.parametrize("body", [{}, {"refresh_token": None}, {"refresh_token": 7}, {"refresh_token": ["x"]}, []])
def test_a_wrong_shape_is_422(server, body):
    answer = server.http("POST", "/auth/refresh", json_body=body)
    assert answer.status == 422 and isinstance(answer.json["detail"], list)


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 9000, "' OR 1=1 --"])
def test_an_unknown_token_is_401(server, token):
    answer = server.http("POST", "/auth/refresh", json_body={"refresh_token": token})
    assert (answer.status, answer.json) == (401, {"detail": "Invalid refresh token"})


def test_a_bearer_is_no_refresh_token(server, user):
    pair = user.login()
    assert server.http("POST", "/auth/refresh", token=pair["refresh_token"]).status == 422
    assert server.http("POST", "/auth/refresh", json_body={"refresh_token": pair["access_token"]}).status == 401
    refreshed(server, pair)


def test_guessing_from_one_address_ends_with_429(start_server):
    server = start_server()
    user = User(server)
    pair = user.login()
    answers = [server.http("POST", "/auth/refresh", json_body={"refresh_token": "x"}, source="127.0.0.9") for _ in range(70)]
    assert [a.status for a in answers[:60]] == [401] * 60
    assert answers[-1].status == 429 and int(answers[-1].headers["retry-after"]) > 0
    assert refresh(server, pair, source="127.0.0.9").status == 429
    assert refresh(server, pair).status == 200


def test_accounts_and_guests_of_one_address_are_bounded(start_server):
    server = start_server(GUESTS="on")
    statuses = []
    for i in range(400):
        answer = server.http("POST", "/auth/guest", json_body={"name": f"g{i}"}, source="127.0.0.9")
        statuses.append(answer.status)
        if answer.status != 200:
            break
    assert statuses[-1] == 429 and len(statuses) > 300 and int(answer.headers["retry-after"]) > 0
    assert server.http("POST", "/auth/guest", json_body={"name": "g"}).status == 200
    for i in range(70):
        body = {"username": f"user{i}", "email": f"u{i}@example.org", "password": PASSWORD}
        answer = server.http("POST", "/auth/register", json_body=body, source="127.0.0.9")
        assert answer.status == (200 if i < 60 else answer.status)
    assert answer.status == 429 and int(answer.headers["retry-after"]) > 0


def test_refresh_tokens_and_what_ended_outlive_the_server(tmp_path):
    first = lunasig_server.Server(tmp_path)
    user = User(first)
    good, reused, left = user.login(), user.login(), user.login()
    descendant = refreshed(first, reused)
    assert refresh(first, reused).status == 401
    assert logout(first, left["access_token"]).status == 200
    first.end()
    second = lunasig_server.Server(tmp_path)
    try:
        for pair in (reused, descendant, left):
            assert not is_valid(second, pair["access_token"])
            assert refresh(second, pair).status == 401
        assert is_valid(second, good["access_token"])
        refreshed(second, good)
    finally:
        second.end()


# -- logout -------------------------------------------------------------------------------------------------------------------------


def test_logout_ends_the_token_everywhere_and_the_family_of_its_login(server, user):
    other = user.login()
    pair = user.login()
    answer = logout(server, pair["access_token"])
    assert (answer.status, answer.json) == (200, {"success": True})
    assert not is_valid(server, pair["access_token"])
    assert server.http("GET", "/auth/validate-token", token=pair["access_token"]).json == {
        "token": "invalid", "reason": "the token was revoked",
    }  # fmt: skip
    assert refresh(server, pair).status == 401
    assert is_valid(server, other["access_token"])
    refreshed(server, other)


def test_a_second_logout_with_the_same_token_is_401(server, user):
    token = user.login()["access_token"]
    assert logout(server, token).status == 200
    answer = logout(server, token)
    assert (answer.status, answer.json) == (401, {"detail": "Could not validate credentials"})
    assert answer.headers["www-authenticate"] == "Bearer"


def test_logout_without_a_token_is_401_and_with_a_bad_one_too(server):
    answer = server.http("POST", "/auth/logout")
    assert (answer.status, answer.json) == (401, {"detail": "Not authenticated"})
    for bad in ("x", "a.b.c", make_token("ann", exp=int(time.time()) - 120)):
        answer = server.http("POST", "/auth/logout", token=bad)
        assert (answer.status, answer.json) == (401, {"detail": "Could not validate credentials"})


def test_logout_closes_every_socket_of_the_token_within_a_second(server, user, room):
    pair, other = user.login(), user.login()
    mine = [server.join(f"{room}-{i}", user.name, token=pair["access_token"], v1=i % 2 == 1) for i in range(4)]
    his = server.join(f"{room}-0", user.name, token=other["access_token"], v1=True)
    bob = server.join(f"{room}-3", "bob", v1=True)
    began = time.monotonic()
    assert logout(server, pair["access_token"]).status == 200
    for socket in mine:
        assert socket.close_code(timeout=1) == 4401
        assert [m["payload"]["code"] for m in socket.last_words if m["type"] == "error"] == ["TOKEN_INVALID"]
    bob.until("user-left", user_id=user.name, reason="expired", timeout=1)
    assert time.monotonic() - began < 1
    his.send("chat-message", {"content": "still here"})
    his.leave()
    bob.leave()


def test_logout_ends_a_session_that_is_away_and_nobody_resumes_it(server, user, room):
    bob = server.join(room, "bob", v1=True)
    pair, other = user.login(), user.login()
    ann = server.join(room, user.name, token=pair["access_token"], v1=True)
    bob.expect("user-joined", user_id=user.name)
    resume_token = ann.room_state["session"]["resume_token"]
    ann.vanish()
    bob.expect("user-away", user_id=user.name)
    assert logout(server, pair["access_token"]).status == 200
    bob.expect("user-left", user_id=user.name, timeout=1)
    headers = handshake_headers(Sec_WebSocket_Protocol=V1)
    with pytest.raises(Refused) as caught:
        upgrade(server.port, room_path(room, pair["access_token"], resume=resume_token, seq=1), headers)
    assert caught.value.status == 401
    again = upgrade(server.port, room_path(room, other["access_token"], resume=resume_token, seq=1), headers)
    assert again.expect("room-state")["payload"]["resumed"] is False
    bob.expect("user-joined", user_id=user.name)
    again.leave()


def test_a_logged_out_token_is_no_first_message_either(server, user, room):
    token = user.login()["access_token"]
    assert logout(server, token).status == 200
    ann = connect(server.port, room, v1=True)
    ann.send("auth", {"token": token})
    ann.expect_error("TOKEN_INVALID")
    assert ann.close_code() == 4401


def test_after_an_in_band_refresh_the_socket_belongs_to_the_new_token(server, user, room):
    old, new = user.login(), user.login()
    ann = server.join(room, user.name, token=old["access_token"], v1=True)
    ann.send("auth", {"token": new["access_token"]})
    ann.expect("token-refreshed")
    assert logout(server, old["access_token"]).status == 200
    ann.send("ping", {})
    ann.expect("pong")
    assert logout(server, new["access_token"]).status == 200
    assert ann.close_code(timeout=1) == 4401


def test_logout_may_name_the_refresh_token_of_another_login_of_the_user(server, user):
    one, two = user.login(), user.login()
    assert logout(server, one["access_token"], refresh_token=two["refresh_token"]).status == 200
    for pair in (one, two):
        assert refresh(server, pair).status == 401
        assert not is_valid(server, pair["access_token"])


def test_logout_leaves_the_refresh_token_of_another_user_alone(server, user):
    stranger = User(server).login()
    assert logout(server, user.login()["access_token"], refresh_token=stranger["refresh_token"]).status == 200
    refreshed(server, stranger)


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"refresh_token":7}', b"refresh_token=x"])
def test_a_logout_of_a_wrong_shape_is_422_and_does_nothing(server, user, body):
    token = user.login()["access_token"]
    assert server.http("POST", "/auth/logout", token=token, body=body).status == 422
    assert is_valid(server, token)


def test_tokens_that_were_made_elsewhere_can_be_logged_out(server):
    now = int(time.time())
    with_jti, without = make_token("elsewhere"), make_token("elsewhere-too", jti=None, iat=now - 60)
    younger, ageless = make_token("elsewhere-too", jti=None), make_token("elsewhere-too", jti=None, iat=None)
    for token in (with_jti, without):
        assert logout(server, token).status == 200
        assert not is_valid(server, token)
    assert is_valid(server, make_token("elsewhere"))
    # Without a jti it is told from others of its user by its age alone.
    assert is_valid(server, younger)
    assert not is_valid(server, ageless)


def test_the_log_names_no_token(server, user):
    pair = user.login()
    second = refreshed(server, pair)
    assert refresh(server, pair).status == 401
    assert logout(server, second["access_token"]).status == 401
    assert server.event("refresh-token-reused")["user"]
    for text in (pair["refresh_token"], second["refresh_token"], pair["access_token"], json.dumps(second["access_token"])):
        assert text not in server.log
