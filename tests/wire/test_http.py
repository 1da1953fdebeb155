"""The HTTP interface that is in C: health, metrics, accounts, configuration, and HTTP itself."""

import base64
import hashlib
import hmac
import json
import shutil
import subprocess
import time

import lunasig_client as wire
import lunasig_secrets as secrets
import lunasig_server
import pytest
from lunasig_client import Wire, read_answer, request_bytes
from lunasig_secrets import make_token

SETTINGS = {"WEBRTC_STUN_URLS": "stun:a.example:3478, stun:b.example", "GUESTS": "on", "WEBSOCKET_ADDRESS_LIMIT": "0"}
GUEST = json.dumps({"name": "Ann"}).encode()


# -- health and metrics -------------------------------------------------------------------------------------------------------------


def test_health_names_the_parts(server):
    answer = server.http("GET", "/health")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json == {"status": "healthy", "database": "connected", "redis": "embedded", "api": "running"}


@pytest.mark.parametrize("path", ["/healthz", "/ready", "/readyz", "/live"])
def test_the_other_names_of_health_are_200(server, path):
    assert server.http("GET", path).status == 200


def test_the_root_is_a_page_for_browsers(server):
    answer = server.http("GET", "/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert b"<html" in answer.body.lower()


@pytest.mark.parametrize("headers", [{}, {"Accept": "*/*"}, {"Accept": "application/json"}])
def test_the_root_is_json_for_others(server, headers):
    answer = server.http("GET", "/", headers=headers)
    assert answer.status == 200
    assert set(answer.json) == {"message", "version", "status"} and answer.json["status"] == "running"


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_finds_nothing_to_say_about_the_metrics(server, room):
    ann, bob = server.gather(room, "ann", "bob")
    ann.send("chat-message", {"content": "x"})
    bob.expect("chat-message")
    ann.send("no-such-type")
    ann.expect("error")
    answer = server.http("GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    checked = subprocess.run(["promtool", "check", "metrics"], input=answer.body, capture_output=True, timeout=20)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_metrics_count_what_happens(server, room):
    before = server.metrics()
    ann, bob = server.gather(room, "ann", "bob")
    for _ in range(5):
        ann.send("chat-message", {"content": "x"})
        bob.expect("chat-message")
    after = server.metrics()
    assert after["lunasig_messages_relayed_total"] - before["lunasig_messages_relayed_total"] == 5
    assert after["lunasig_joins_total"] - before["lunasig_joins_total"] == 2
    assert after["lunasig_connections_total"] - before["lunasig_connections_total"] == 2
    assert after["lunasig_rooms"] >= 1 and after["lunasig_members"] >= 2


# -- /webrtc/config -----------------------------------------------------------------------------------------------------------------


def test_config_without_a_token_is_401(server):
    answer = server.http("GET", "/webrtc/config")
    assert (answer.status, answer.json) == (401, {"detail": "Not authenticated"})
    assert answer.headers["www-authenticate"] == "Bearer"
    answer = server.http("GET", "/webrtc/config", token="bad.bad.bad")
    assert (answer.status, answer.json) == (401, {"detail": "Could not validate credentials"})
    assert answer.headers["www-authenticate"] == "Bearer"


def test_config_names_stun_servers_and_policies(server):
    config = server.http("GET", "/webrtc/config", token=make_token("ann")).json
    assert set(config) == {"ice_servers", "ice_transport_policy", "bundle_policy", "rtcp_mux_policy"}
    assert (config["ice_transport_policy"], config["bundle_policy"], config["rtcp_mux_policy"]) == ("all", "balanced", "require")
    urls = [url for one in config["ice_servers"] for url in one["urls"]]
    assert urls == ["stun:a.example:3478", "stun:b.example"]


def turn(config):
    return [one for one in config["ice_servers"] if any(url.startswith("turn") for url in one["urls"])]


def test_config_has_static_turn_credentials(start_server):
    server = start_server(
        WEBRTC_TURN_URLS="turn:t.example:3478,turns:t.example:5349", WEBRTC_TURN_USERNAME="tom",
        WEBRTC_TURN_CREDENTIAL=secrets.confidential("StaticTurnCredential"), WEBRTC_ICE_TRANSPORT_POLICY="relay",
        WEBRTC_BUNDLE_POLICY="max-bundle", WEBRTC_RTCP_MUX_POLICY="negotiate",
    )  # fmt: skip
    config = server.http("GET", "/webrtc/config", token=make_token("ann")).json
    assert (config["ice_transport_policy"], config["bundle_policy"], config["rtcp_mux_policy"]) == ("relay", "max-bundle", "negotiate")
    found = turn(config)
    assert [url for one in found for url in one["urls"]] == ["turn:t.example:3478", "turns:t.example:5349"]
    assert {(one["username"], one["credential"]) for one in found} == {("tom", "StaticTurnCredential")}


def test_config_signs_turn_credentials_per_user_with_the_first_secret(start_server, room):
    secret = secrets.confidential("first-turn-secret-of-the-tests")
    server = start_server(WEBRTC_TURN_URLS="turn:t.example", WEBRTC_TURN_SECRET=f"{secret},second-turn-secret", WEBRTC_TURN_USERNAME="no")
    answer = server.http("GET", "/webrtc/config", token=make_token("ann"))
    assert "no-store" in answer.headers["cache-control"]
    state = server.join(room, "ann", v1=True).room_state
    for config in (answer.json, state):
        (one,) = turn(config)
        expiry, user = one["username"].split(":")
        assert user == "ann" and time.time() + 3000 < int(expiry) <= time.time() + 3601
        mac = hmac.new(secret.encode(), one["username"].encode(), hashlib.sha1).digest()
        assert one["credential"] == base64.b64encode(mac).decode()


def test_turn_credentials_end_with_the_token(start_server):
    server = start_server(WEBRTC_TURN_URLS="turn:t.example", WEBRTC_TURN_SECRET="a-turn-secret-of-the-tests")
    token = make_token("ann", exp=int(time.time()) + 300)
    (one,) = turn(server.http("GET", "/webrtc/config", token=token).json)
    assert int(one["username"].split(":")[0]) <= time.time() + 301


# -- errors -------------------------------------------------------------------------------------------------------------------------


STRANGE = ["/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/call.js/../../../etc/passwd", "/call.js/x"]


@pytest.mark.parametrize("path", ["/nowhere", "/auth", "/auth/", "/auth/login/x", "/health/x", "/webrtc", *STRANGE])
def test_an_unknown_path_is_404(server, path):
    answer = server.http("GET", path)
    assert answer.status == 404, answer
    assert answer.json == {"detail": "Not Found"}


@pytest.mark.parametrize(
    "method,path,allowed",
    [
        ("POST", "/health", "GET"), ("DELETE", "/health", "GET"), ("GET", "/auth/login", "POST"), ("PUT", "/auth/register", "POST"),
        ("POST", "/metrics", "GET"), ("PATCH", "/webrtc/config", "GET"), ("POST", "/webrtc/ws/room", "GET"), ("POST", "/", "GET"),
    ],
)  # fmt: skip
def test_a_method_that_a_path_does_not_have_is_405_and_names_those_it_has(server, method, path, allowed):
    answer = server.http(method, path)
    assert answer.status == 405, answer
    assert allowed in [one.strip() for one in answer.headers["allow"].split(",")]
    assert method not in answer.headers["allow"]
    assert answer.json == {"detail": "Method Not Allowed"}


@pytest.mark.parametrize("path", ["/auth/register", "/auth/login", "/auth/guest"])
def test_a_body_above_the_bound_is_413(server, path):
    answer = server.http("POST", path, body=b"{" + b" " * 70000 + b"}", headers={"Content-Type": "application/json"})
    assert answer.status == 413, answer
    assert isinstance(answer.json["detail"], str)


def test_a_body_that_only_says_it_is_too_big_is_413(server):
    connection = Wire(server.port)
    connection.send(request_bytes("POST", "/auth/login", {"Content-Type": "application/json", "Content-Length": "10000000000"}))
    assert read_answer(connection).status == 413


def test_an_unknown_method_is_refused_and_the_server_goes_on(server):
    connection = Wire(server.port)
    connection.send(request_bytes("BREW", "/health"))
    try:
        assert read_answer(connection).status in (400, 405, 501)
    except wire.Closed:
        pass
    assert server.http("GET", "/health").status == 200


# -- CORS ---------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def picky(tmp_path_factory):
    running = lunasig_server.Server(tmp_path_factory.mktemp("server"), {"CORS_ORIGINS": "https://app.example,http://localhost:3000"})
    yield running
    running.end()


@pytest.mark.parametrize("path", ["/health", "/webrtc/config", "/nowhere"])
def test_a_configured_origin_may_read_answers_with_credentials(picky, path):
    headers = picky.http("GET", path, headers={"Origin": "https://app.example"}).headers
    assert headers["access-control-allow-origin"] == "https://app.example"
    assert headers["access-control-allow-credentials"] == "true"
    assert "origin" in headers["vary"].lower()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://app.example.evil.example"])
def test_another_origin_may_not(picky, origin):
    assert "access-control-allow-origin" not in picky.http("GET", "/health", headers={"Origin": origin}).headers


def test_without_configured_origins_any_may(server):
    headers = server.http("GET", "/health", headers={"Origin": "https://anywhere.example"}).headers
    allowed = headers["access-control-allow-origin"]
    assert allowed == "https://anywhere.example" or (allowed == "*" and "access-control-allow-credentials" not in headers)


def test_a_preflight_is_answered(picky):
    headers = {
        "Origin": "http://localhost:3000",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    answer = picky.http("OPTIONS", "/auth/login", headers=headers)
    assert answer.status in (200, 204)
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "POST" in answer.headers["access-control-allow-methods"]
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert "authorization" in allowed and "content-type" in allowed


def test_a_preflight_of_another_origin_allows_nothing(picky):
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    assert "access-control-allow-origin" not in picky.http("OPTIONS", "/auth/login", headers=headers).headers


# -- HTTP/1.1 -----------------------------------------------------------------------------------------------------------------------


def test_a_connection_serves_several_requests(server):
    connection = Wire(server.port)
    for _ in range(3):
        connection.send(request_bytes("GET", "/health"))
        assert read_answer(connection).status == 200
        connection.send(request_bytes("GET", "/nowhere"))
        assert read_answer(connection).status == 404
        connection.send(request_bytes("POST", "/auth/guest", {"Content-Type": "application/json"}, GUEST))
        assert read_answer(connection).status == 200
        connection.send(request_bytes("GET", "/metrics"))
        assert b"lunasig_rooms" in read_answer(connection).body


def test_pipelined_requests_are_answered_in_order(server):
    connection = Wire(server.port)
    connection.send(request_bytes("GET", "/health") + request_bytes("GET", "/nowhere") + request_bytes("GET", "/webrtc/config"))
    assert [read_answer(connection).status for _ in range(3)] == [200, 404, 401]


def test_connection_close_is_obeyed(server):
    connection = Wire(server.port)
    connection.send(request_bytes("GET", "/health", {"Connection": "close"}))
    assert read_answer(connection).status == 200
    assert connection.ends(5) == b""


@pytest.mark.parametrize("path", ["/health", "/metrics", "/", "/nowhere"])
def test_head_has_the_status_of_get_and_no_body(server, path):
    got = server.http("GET", path)
    connection = Wire(server.port)
    connection.send(request_bytes("HEAD", path, {"Connection": "close"}))
    answer = read_answer(connection, head_only=True)
    assert answer.status == got.status
    assert connection.ends(5) == b""


def test_a_chunked_body_is_understood_or_refused_and_never_waited_for(server):
    connection = Wire(server.port)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (GUEST[:5], GUEST[5:])) + b"0\r\n\r\n"
    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    connection.send(request_bytes("POST", "/auth/guest", headers, chunks))
    assert read_answer(connection).status in (200, 400, 411, 501)


def test_a_body_that_comes_in_pieces_is_put_together(server):
    data = request_bytes("POST", "/auth/guest", {"Content-Type": "application/json"}, GUEST)
    connection = Wire(server.port)
    for i in range(0, len(data), 11):
        connection.send(data[i : i + 11])
    assert read_answer(connection).status == 200
