"""Revocations that are in the database: by token, by user, by time, from the start on."""

import contextlib
import hashlib
import time

import lunasig_mongo
import lunasig_records
import lunasig_server
import pytest
from lunasig_client import Refused, connect
from lunasig_secrets import make_token

TOKEN, USER, TIME = 0, 1, 2


@pytest.fixture
def restarted(tmp_path):
    """restarted(rows): a server that finds these revocations in its database."""
    with contextlib.ExitStack() as running:

        def start(rows=()):
            if not (tmp_path / "data").exists():
                lunasig_server.Server(tmp_path).end()
            lunasig_records.add_revocations(tmp_path / "data", rows)
            server = lunasig_server.Server(tmp_path)
            running.callback(lambda: server.end() if server.alive() else server.check_log())
            return server

        yield start


def rows_of(server):
    return lunasig_records.revocations(server.folder / "data")


def key_of(jti):
    return hashlib.sha256(jti.encode()).hexdigest()[:16]


def is_good(server, token):
    try:
        connect(server.port, "probe", token=token).leave()
        return True
    except Refused as refusal:
        assert refusal.status == 401
        return False


def test_a_token_is_known_by_its_jti(restarted):
    now = int(time.time())
    server = restarted([(TOKEN, key_of("one"), now + 600)])
    assert not is_good(server, make_token("ann", jti="one"))
    assert is_good(server, make_token("ann", jti="two"))
    assert is_good(server, make_token("ann", jti=None))


def test_a_user_is_revoked_up_to_a_second(restarted):
    now = int(time.time())
    server = restarted([(USER, "ann", now - 10)])
    assert not is_good(server, make_token("ann", iat=now - 10))
    assert not is_good(server, make_token("ann", iat=None))
    assert is_good(server, make_token("ann", iat=now - 9))
    assert is_good(server, make_token("bob", iat=now - 10))


def test_a_time_revokes_everything_issued_before_it(restarted):
    now = int(time.time())
    server = restarted([(TIME, "", now - 10)])
    assert not is_good(server, make_token("ann", iat=now - 11))
    assert not is_good(server, make_token("bob", iat=None))
    assert is_good(server, make_token("ann", iat=now - 10))


def test_a_revoked_token_stays_so_within_the_leeway_and_is_forgotten_after_it(restarted):
    now = int(time.time())
    server = restarted([(TOKEN, key_of("ended"), now - 1)])
    late = make_token("ann", exp=now - 10)  # within the leeway of 30 s
    assert is_good(server, late)
    assert server.http("POST", "/auth/logout", token=late).status == 200
    assert not is_good(server, late)
    (kept,) = rows_of(server)  # the one that has ended was removed on the way
    assert kept[0] == TOKEN and now + 19 <= kept[2] <= now + 22


def test_a_logout_is_in_the_database_when_it_is_answered(restarted):
    server = restarted()
    token = make_token("ann", jti="mine", exp=int(time.time()) + 300)
    assert server.http("POST", "/auth/logout", token=token).status == 200
    server.process.kill()  # no orderly end
    server.process.wait()
    rows = rows_of(server)
    assert [row[:2] for row in rows] == [(TOKEN, key_of("mine"))]
    again = lunasig_server.Server(server.folder)
    try:
        assert not is_good(again, token)
    finally:
        again.end()


def test_a_login_in_the_second_of_the_revocation_gives_a_good_token(restarted):
    password = "Correct-Horse-7"
    server = restarted()
    body = {"username": "ann", "email": "ann@example.org", "password": password}
    assert server.http("POST", "/auth/register", json_body=body).status == 200
    server.end()
    server = restarted([(USER, "ann", int(time.time()) + 2)])
    pair = server.http("POST", "/auth/login", json_body={"username": "ann", "password": password}).json
    assert is_good(server, pair["access_token"])
    assert server.http("POST", "/auth/refresh", json_body={"refresh_token": pair["refresh_token"]}).status == 200


@pytest.mark.skipif(lunasig_mongo.is_slow(), reason="FerretDB reads the whole collection for each call")
def test_what_was_kept_is_in_force_also_beyond_the_bound_and_a_logout_is_503_then(restarted):
    now = int(time.time())
    users = [(USER, f"user{i}", now) for i in range(65537)]
    server = restarted(users + [(TOKEN, key_of(f"token{i}"), now + 600) for i in range(1000)])
    for user in ("user0", "user65536"):
        assert not is_good(server, make_token(user, iat=now))
    assert not is_good(server, make_token("ann", jti="token999"))
    token = make_token("ann", jti=None)  # would need a place among the users
    answer = server.http("POST", "/auth/logout", token=token)
    assert answer.status == 503 and int(answer.headers["retry-after"]) > 0
    assert is_good(server, token)
    assert server.http("POST", "/auth/logout", token=make_token("ann")).status == 200
