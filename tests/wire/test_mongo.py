"""Accounts in MongoDB: users of the original service, and a database that hangs, dies and comes back while calls go on."""

import datetime
import itertools
import time

import bson
import lunasig_mongo
import lunasig_server
import pymongo
import pytest

PASSWORD = "Correct-Horse-7"
HASHED = "$2b$04$aaaaaaaaaaaaaaaaaaaaaeuZilj38S2kzLm6HdvED3GJdaa3ifQIC"  # by bcrypt, cost 4
NUMBERS = itertools.count(1)
LOGIN_SECONDS = 5  # of a login while the database is away: a time-out or two, and never longer
BACK_SECONDS = 20


@pytest.fixture(scope="module")
def mongo():
    running = lunasig_mongo.start()
    yield running
    running.end()


@pytest.fixture
def settings(mongo):
    """Of a server with a database of its own, which notices soon that MongoDB is away."""
    return {"MONGODB_URL": mongo.uri, "DATABASE_NAME": f"test{next(NUMBERS)}", "MONGODB_SOCKET_TIMEOUT_MS": "1000"}


@pytest.fixture
def users(mongo, settings):
    with pymongo.MongoClient(mongo.uri) as client:
        yield client[settings["DATABASE_NAME"]].users


def register(server, name):
    return server.http("POST", "/auth/register", json_body={"username": name, "email": f"{name}@example.org", "password": PASSWORD})


def login(server, name, password=PASSWORD):
    return server.http("POST", "/auth/login", json_body={"username": name, "password": password})


def with_bearer(token):
    return {"headers": {"Authorization": f"Bearer {token}"}}


def original_user(name, **more):
    """As the original service has written it."""
    return {
        "username": name, "email": f"{name}@example.org", "hashed_password": HASHED,
        "created_at": datetime.datetime(2024, 5, 1, 10), "is_active": True, "is_verified": True, "failed_login_attempts": 1,
        "last_login": None, "role": "user", "token_version": 0, "profile": {"language": "de"}, **more,
    }  # fmt: skip


# -- accounts -----------------------------------------------------------------------------------------------------------------------


def test_who_registers_is_a_document_of_the_original_shape(start_server, settings, users, room):
    server = start_server(**settings)
    answer = register(server, "ann")
    assert answer.status == 200, answer
    server.join(room, "ann", token=answer.json["access_token"])
    user = users.find_one({"username": "ann"})
    assert set(user) >= set(original_user("x")) - {"profile"}
    assert user["hashed_password"].startswith("$2b$")
    assert isinstance(user["created_at"], datetime.datetime)
    assert user["is_active"] is True
    assert register(server, "ann").status == 400
    assert login(server, "ann").status == 200
    assert isinstance(users.find_one({"username": "ann"})["last_login"], datetime.datetime)


def test_a_user_of_the_original_logs_in_and_keeps_what_else_it_has(start_server, settings, users):
    users.insert_one(original_user("old", role="admin", token_version=2))
    server = start_server(**settings)
    assert login(server, "old", "Wrong-Horse-7").status == 401
    answer = login(server, "old@example.org")
    assert answer.status == 200, answer
    assert (answer.json["username"], answer.json["role"], answer.json["is_verified"]) == ("old", "admin", True)
    assert server.http("GET", "/auth/validate-token", **with_bearer(answer.json["access_token"])).json["username"] == "old"
    user = users.find_one({"username": "old"})
    assert (user["failed_login_attempts"], user["profile"]) == (0, {"language": "de"})


def test_a_user_that_is_not_active_is_refused(start_server, settings, users):
    users.insert_one(original_user("gone", is_active=False))
    server = start_server(**settings)
    assert login(server, "gone").status in (401, 403)


def test_what_one_server_revoked_the_next_one_knows(start_server, settings, users, tmp_path):
    first = lunasig_server.Server(tmp_path, settings)
    register(first, "ann")
    tokens = login(first, "ann").json
    rotated = first.http("POST", "/auth/refresh", json_body={"refresh_token": tokens["refresh_token"]}).json
    assert first.http("POST", "/auth/logout", **with_bearer(rotated["access_token"])).status == 200
    first.end()
    second = start_server(**settings)
    for token in (tokens["access_token"], rotated["access_token"]):
        assert second.http("GET", "/webrtc/config", **with_bearer(token)).status == 401
    assert second.http("POST", "/auth/refresh", json_body={"refresh_token": rotated["refresh_token"]}).status == 401
    assert login(second, "ann").status == 200


def test_no_token_and_no_password_is_in_the_database(start_server, settings, mongo):
    server = start_server(**settings)
    register(server, "ann")
    tokens = login(server, "ann").json
    with pymongo.MongoClient(mongo.uri) as client:
        database = client[settings["DATABASE_NAME"]]
        written = b"".join(bson.encode(one) for name in database.list_collection_names() for one in database[name].find())
    assert b"ann@example.org" in written
    for secret in (PASSWORD, tokens["refresh_token"], tokens["access_token"]):
        assert secret.encode() not in written


# -- MongoDB is away ----------------------------------------------------------------------------------------------------------------


def assert_messages_go_on(first, second, count=20):
    for number in range(count):
        began = time.monotonic()
        first.send("chat-message", {"content": str(number)})
        second.expect("chat-message", content=str(number))
        assert time.monotonic() - began < 1


def assert_away(server):
    """Logins are 503 soon, then at once; so is what asks for health."""
    began = time.monotonic()
    answer = login(server, "ann")
    assert answer.status == 503, answer
    assert int(answer.headers["retry-after"]) > 0
    assert time.monotonic() - began < LOGIN_SECONDS
    began = time.monotonic()
    for _ in range(20):
        assert login(server, "ann").status == 503
    assert time.monotonic() - began < LOGIN_SECONDS
    assert server.http("GET", "/health").status == 503
    assert server.http("GET", "/health").json["database"] == "disconnected"
    answer = server.http("GET", "/webrtc/health")
    assert (answer.status, answer.json["components"]["mongodb"]["status"]) == (503, "unreachable")
    assert server.http("GET", "/readyz").status == 503
    assert server.http("GET", "/live").status == 200
    metrics = server.metrics()
    assert metrics["lunasig_mongodb_away"] == 1
    assert metrics["lunasig_mongodb_dropped_total"] >= 19
    assert metrics["lunasig_mongodb_waiting"] <= 1


def assert_back(server):
    until = time.monotonic() + BACK_SECONDS
    while login(server, "ann").status != 200:
        assert time.monotonic() < until, server.log[-2000:]
    assert server.http("GET", "/health").status == 200
    answer = server.http("GET", "/webrtc/health")
    assert (answer.status, answer.json["components"]["mongodb"]["status"]) == (200, "connected")
    assert server.metrics()["lunasig_mongodb_away"] == 0


@pytest.fixture
def house(start_server, settings, room):
    """A server with an account, and two members who talk to each other."""
    server = start_server(**settings)
    assert register(server, "ann").status == 200
    return server, *server.gather(room, "ann", "bob")


def test_while_it_hangs_messages_go_on_and_logins_are_503(house, mongo):
    server, ann, bob = house
    mongo.hang()
    try:
        assert_messages_go_on(ann, bob)
        assert_away(server)
        assert_messages_go_on(bob, ann)
    finally:
        mongo.go_on()
    assert_back(server)
    assert server.metrics()["lunasig_loop_gap_max_seconds"] < 0.5


def test_when_it_is_killed_messages_go_on_and_it_is_found_again(house, mongo):
    server, ann, bob = house
    mongo.kill()
    try:
        assert_messages_go_on(ann, bob)
        assert_away(server)
        assert_messages_go_on(bob, ann)
    finally:
        mongo.start()
    assert_back(server)
    assert register(server, "eve").status == 200


def test_members_come_and_go_while_it_hangs(house, mongo, room):
    server, ann, bob = house
    mongo.hang()
    try:
        eve = server.join(room, "eve")
        ann.until("user-joined", user_id="eve")
        assert_messages_go_on(eve, ann)
        bob.leave()
        ann.until("user-left", user_id="bob")
    finally:
        mongo.go_on()
    assert_back(server)


def test_a_server_ends_while_it_hangs(settings, mongo, tmp_path):
    server = lunasig_server.Server(tmp_path, settings)
    register(server, "ann")
    mongo.hang()
    try:
        server.end()
    finally:
        mongo.go_on()


def test_a_server_ends_while_it_hangs_and_calls_wait(settings, mongo, tmp_path, room):
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "policy.lua").write_text("""
local sig = require "lunasig"
sig.on("join", function(_, member) sig.store.visits:incr(member.id) end)""")
    server = lunasig_server.Server(tmp_path, {**settings, "POLICY_DIR": str(policies)})
    server.gather(room, "ann")
    mongo.hang()
    try:
        for number in range(40):
            server.connect(room, f"user{number}")
        assert server.metrics()["lunasig_mongodb_waiting"] >= 20
        server.end()
    finally:
        mongo.go_on()


def test_without_it_no_server_starts_and_says_why(settings, tmp_path):
    server = lunasig_server.Server(tmp_path, {**settings, "MONGODB_URL": "mongodb://ann:Very-Secret-1@127.0.0.1:1/"}, wait=False)
    assert server.wait(20) != 0
    assert "MONGODB_URL" in server.log
    assert "Very-Secret-1" not in server.log


def test_an_url_that_is_none_is_refused_at_the_start(settings, tmp_path):
    server = lunasig_server.Server(tmp_path, {**settings, "MONGODB_URL": "mongodb://ann:Very@Secret:1@host/"}, wait=False)
    assert server.wait(20) != 0
    assert "percent-encoded" in server.log
    assert "Secret:1" not in server.log
