"""Routes of policies over HTTP: who may ask, what is checked before Lua, what is answered, and what waiting and reloading do to them."""

import json
import select
import signal
import threading
import time

import lunasig_client as wire
import lunasig_server
import pytest
from lunasig_client import Wire, read_answer, request_bytes
from lunasig_secrets import confidential, make_token

HEAD = 'local sig = require "lunasig"\n'
ROUTES = HEAD + """
sig.route("GET /webrtc/rooms/:room/queue", function(request, room)
    return 200, { room_id = room.id, count = room.count, user = request.user, method = request.method }
end)
local entered = sig.metric.counter { name = "queue_entered" }
sig.route("POST /webrtc/rooms/:room/queue", {
    body = sig.object { raised = sig.boolean, note = sig.string { max = 5, optional = true },
                        list = sig.array(sig.object { n = sig.integer }, { optional = true }) },
    query = { limit = sig.integer { min = 1, max = 1000, optional = true }, deep = sig.boolean { optional = true } },
}, function(request)
    entered:add()
    return 201, { body = request.body, query = request.query }
end)
sig.route("PUT /things/:id/:part", { auth = false }, function(request) return 200, { request.params.id, request.params.part } end)
sig.route("PATCH /things/:id/:part", { auth = "open" }, function(request) return 200, { patched = request.body } end)
sig.route("DELETE /things/:id/:part", { auth = "open" }, function() end)
sig.route("GET /things/:id/text", { auth = "open" }, function(request)
    return 200, request.params.id, { ["x-own"] = "yes", ["cache-control"] = "max-age=5", ["content-type"] = "text/csv" }
end)
sig.route("GET /webrtc/rooms/:room/secret", { roles = { "host", "moderator" } }, function(request, room) return 200, { ok = true } end)
sig.route("GET /seen", { auth = false }, function(request)
    return 200, {
        ip = request.ip, origin = request.origin, query = request.query, path = request.path, agent = request:header("User-Agent"),
        id = request:header("x-request-id"), claims = request.claims == nil, dialect = request.dialect == nil,
    }
end)
sig.route("GET /fails/:how", { auth = false }, function(request)
    local how = request.params.how
    if how == "deny" then return sig.deny("LOCKED", 'say "please"', { retry = 3 }) end
    if how == "close" then return sig.close(4400, "no more") end
    if how == "loop" then while true do end end
    if how == "wait" then sig.sleep "20s" end
    if how == "status" then return 99 end
    if how == "none" then return 404, { detail = "No such thing" } end
    error("it broke")
end)
sig.route("GET /slow/:room/:ms", { auth = false }, function(request, room)
    local before = room.count
    sig.sleep(request.params.ms .. "ms")
    return 200, { before = before, after = room.count }
end)
sig.route("POST /small", { auth = false, max_body = 10 }, function(request) return 200, { #request.body } end)
sig.route("POST /large", { auth = false, max_body = 200000 }, function(request) return 200, { #request.body } end)
sig.route("POST /largest", { auth = false, max_body = 1048576 }, function(request) return 200, { #request.body } end)
sig.route("GET /rated/ip", { auth = false, rate = "1/h burst 2 per ip" }, function() end)
sig.route("GET /rated/user", { rate = "1/h burst 2 per user" }, function() end)
sig.route("GET /rated/:room", { auth = false, rate = "1/h burst 2 per room" }, function() end)
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    policy = lunasig_server.Policy(tmp_path_factory.mktemp("policy"))
    policy.write(ROUTES)
    settings = {**policy.settings, "POLICY_WAIT_MS": "5000", "GUESTS": "on", "CORS_ORIGINS": "https://app.example"}
    server = lunasig_server.Server(tmp_path_factory.mktemp("server"), settings)
    yield server, policy
    server.end()


@pytest.fixture
def server(house):
    return house[0]


@pytest.fixture
def load(house):
    """load(LUA): the stock policy with this behind it is in force until the end of the test."""
    server, policy = house
    yield lambda added, good=True: policy.reload(server, added, good)
    policy.reload(server, ROUTES)


def get(server, path, user=None, **how):
    return server.http("GET", path, token=make_token(user) if user else None, **how)


# -- the way there ------------------------------------------------------------------------------------------------------------------


def test_a_route_answers_json_with_the_room_of_its_path(server, room):
    answer = get(server, f"/webrtc/rooms/{room}/queue", "ann")
    assert (answer.status, answer.json) == (200, {"room_id": room, "count": 0, "user": "ann", "method": "GET"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store" and answer.headers["x-content-type-options"] == "nosniff"
    server.gather(room, "ann", "bob")
    assert get(server, f"/webrtc/rooms/{room}/queue", "ann").json["count"] == 2


def test_every_method_has_its_route_and_the_others_are_405_with_allow(server):
    assert server.http("PUT", "/things/a/b").json == ["a", "b"]
    assert server.http("PATCH", "/things/a/b", json_body=[1]).json == {"patched": [1]}
    gone = server.http("DELETE", "/things/a/b")
    assert (gone.status, gone.body) == (204, b"") and "content-length" not in gone.headers and "content-type" not in gone.headers
    assert get(server, "/things/a/text").body == b"a"
    answer = server.http("POST", "/things/a/text")
    assert (answer.status, answer.json) == (405, {"detail": "Method Not Allowed"})
    assert answer.headers["allow"] == "GET, HEAD, PUT, PATCH, DELETE"
    assert server.http("OPTIONS", "/things/a/b").headers["allow"] == "PUT, PATCH, DELETE"


@pytest.mark.parametrize("path", ["/things", "/things/a", "/things/a/b/c", "/things/a/", "/Things/a/b", "/webrtc/rooms/x"])
def test_a_path_that_no_route_has_is_404(server, path):
    answer = server.http("PUT", path)
    assert (answer.status, answer.json) == (404, {"detail": "Not Found"})


def test_parameters_are_decoded_and_bounded(server):
    assert server.http("PUT", "/things/a%20%C3%A4/%22").json == ["a ä", '"']
    assert server.http("PUT", "/things/" + "x" * 128 + "/b").status == 200
    assert server.http("PUT", "/things/" + "x" * 129 + "/b").status == 404
    for bad in ("%FF", "%01", "a%0Ab"):
        assert server.http("PUT", f"/things/{bad}/b").status == 404


def test_head_gets_the_head_of_get(server, room):
    answer = server.http("HEAD", f"/webrtc/rooms/{room}/queue", token=make_token("ann"))
    assert (answer.status, answer.body) == (200, b"") and int(answer.headers["content-length"]) > 10


def test_what_the_server_answers_itself_stays_its_own(server, load):
    for path in ("/health", "/metrics", "/webrtc/config", "/auth/login", "/webrtc/ws/:room"):
        start = load(HEAD + f'sig.route("GET {path}", function() end)', good=False)
        server.line(lambda line: "the server's own" in line, start)
    load(HEAD + 'sig.route("GET /:any", { auth = false }, function(request) return 200, request.params.any end)')
    assert server.http("GET", "/health").json["status"] == "healthy"
    assert server.http("GET", "/other").body == b"other"


# -- who may ask --------------------------------------------------------------------------------------------------------------------


def test_without_a_good_token_it_is_401(server, room):
    path = f"/webrtc/rooms/{room}/queue"
    for token, detail in ((None, "Not authenticated"), ("bad.bad.bad", "Could not validate credentials")):
        answer = server.http("GET", path, token=token)
        assert (answer.status, answer.json) == (401, {"detail": detail})
        assert answer.headers["www-authenticate"] == "Bearer"
    for claims in ({"exp": int(time.time()) - 100}, {"type": "refresh"}):
        assert server.http("GET", path, token=make_token("ann", **claims)).status == 401
    assert get(server, f"{path}?token={make_token('ann')}").status == 401  # a query gets into logs


def test_a_revoked_token_is_401(server, room):
    token = make_token("cid")
    path = f"/webrtc/rooms/{room}/queue"
    assert server.http("GET", path, token=token).status == 200
    assert server.http("POST", "/auth/logout", token=token).status == 200
    assert server.http("GET", path, token=token).json == {"detail": "Could not validate credentials"}


def test_a_room_id_follows_the_rule_of_sockets(server):
    for bad in ("a%20b", "x" * 101, "%C3%A4", "a.b"):
        answer = get(server, f"/webrtc/rooms/{bad}/queue", "ann")
        assert (answer.status, answer.json) == (400, {"detail": "The room id has to match ^[A-Za-z0-9_-]{1,100}$"})


def test_roles_are_those_of_the_room_also_of_one_who_left(server, room):
    path = f"/webrtc/rooms/{room}/secret"
    denied = {"detail": "This role may not do that", "code": "PERMISSION_DENIED"}
    answer = get(server, path, "ann")
    assert (answer.status, answer.json) == (403, denied)  # nobody has been here
    ann, bob = server.gather(room, "ann", "bob")
    assert get(server, path, "ann").json == {"ok": True}
    assert get(server, path, "bob").json == denied
    ann.leave()
    bob.until("user-left")
    assert get(server, path, "bob").json == {"ok": True}  # he is host now
    assert get(server, path, "ann").json == {"ok": True}  # and she would be moderator
    assert get(server, path, "eve").status == 403


def test_rates_are_kept_per_address_user_and_room_also_over_a_reload(server, load, room):
    for path, user in (("/rated/ip", None), ("/rated/user", "ann"), (f"/rated/{room}", None)):
        assert get(server, path, user).status == 204
        load(ROUTES)
        assert get(server, path, user).status == 204
        answer = get(server, path, user)
        assert answer.status == 429 and int(answer.headers["retry-after"]) > 60
        assert answer.json == {"detail": "Too many requests", "code": "RATE_LIMIT_EXCEEDED"}
    assert get(server, "/rated/user", "bob").status == 204
    assert get(server, f"/rated/{room}-2").status == 204


# -- what is checked of it ----------------------------------------------------------------------------------------------------------


def post(server, room, body=None, query="", **how):
    return server.http("POST", f"/webrtc/rooms/{room}/queue{query}", token=make_token("ann"), json_body=body, **how)


def test_body_and_query_reach_the_function_in_their_types(server, room):
    answer = post(server, room, {"raised": True, "list": [{"n": 2}]}, "?limit=7&deep=on&other=x")
    assert (answer.status, answer.json["query"]) == (201, {"limit": 7, "deep": True})
    assert answer.json["body"] == {"raised": True, "list": [{"n": 2}]}
    assert post(server, room, {"raised": False}).json["query"] == {}


@pytest.mark.parametrize(
    "body, query, loc, kind",
    [
        ({}, "", ["body", "raised"], "missing"),
        ({"raised": 1}, "", ["body", "raised"], "value_error"),
        ({"raised": True, "note": "123456"}, "", ["body", "note"], "value_error"),
        ({"raised": True, "list": [{"n": 1}, {"n": 1.5}]}, "", ["body", "list", 1, "n"], "value_error"),
        ({"raised": True, "what": 1}, "", ["body"], "value_error"),
        ([], "", ["body"], "value_error"),
        ({"raised": True}, "?limit=0", ["query", "limit"], "value_error"),
        ({"raised": True}, "?limit=ten", ["query", "limit"], "value_error"),
        ({"raised": True}, "?limit=1.5", ["query", "limit"], "value_error"),
        ({"raised": True}, "?deep=perhaps", ["query", "deep"], "value_error"),
    ],
)
def test_a_body_or_query_of_another_shape_is_422_with_its_place(server, room, body, query, loc, kind):
    def entered():
        return server.metrics()["lunasig_policy_queue_entered_total"]

    assert post(server, room, {"raised": True}).status == 201
    before = entered()
    answer = post(server, room, body, query)
    assert (answer.status, before > 0) == (422, True)
    (complaint,) = answer.json["detail"]
    assert (complaint["loc"], complaint["type"], complaint["input"]) == (loc, kind, None) and complaint["msg"]
    assert entered() == before  # Lua was not entered


@pytest.mark.parametrize(
    "body, content_type, kind",
    [
        (b"{", "application/json", "json_invalid"),
        (b'{"raised":true} x', "application/json", "json_invalid"),
        (b'{"raised":"\xff"}', None, "json_invalid"),
        (b"", None, "missing"),
        (b"raised=true", "application/x-www-form-urlencoded", "model_attributes_type"),
        (b'{"raised":true}', "text/plain", "model_attributes_type"),
    ],
)
def test_a_body_that_is_no_json_is_422(server, room, body, content_type, kind):
    headers = {"Content-Type": content_type} if content_type else {}
    answer = post(server, room, body=None, headers=headers) if not body else server.http(
        "POST", f"/webrtc/rooms/{room}/queue", token=make_token("ann"), body=body, headers=headers
    )  # fmt: skip
    assert answer.status == 422
    assert [(one["loc"], one["type"]) for one in answer.json["detail"]] == [(["body"], kind)]


def test_a_route_says_how_large_a_body_may_be(server):
    text = {"Content-Type": "text/plain"}

    def announce(path, length):
        return server.http("POST", path, headers={**text, "Content-Length": str(length)})

    assert server.http("POST", "/small", body=b"x" * 10, headers=text).json == [10]
    answer = announce("/small", 11)
    assert (answer.status, answer.json) == (413, {"detail": "The body is above 10 bytes"})
    assert server.http("POST", "/large", body=b"x" * 200000, headers=text).json == [200000]
    assert announce("/large", 200001).status == 413
    assert announce("/webrtc/rooms/x/queue", 65537).json == {"detail": "The body is above 64 KiB"}
    assert announce("/no-such-route", 65537).status == 413


def test_bodies_that_are_on_their_way_have_a_bound_of_bytes_in_all(server):
    def announce(number):
        connection = Wire(server.port, source=f"127.0.0.{20 + number // 8}")
        headers = {"Content-Type": "text/plain", "Content-Length": "1048576"}
        connection.send(request_bytes("POST", "/largest", headers, b"x"))
        return connection

    uploads = [announce(number) for number in range(32)]
    until = time.monotonic() + wire.DEADLINE
    while (answer := server.http("POST", "/small", body=b"x", source="127.0.0.9")).status == 422:
        assert time.monotonic() < until, "the uploads were never counted"
        for number, upload in enumerate(uploads):
            if select.select([upload.socket], [], [], 0)[0]:  # refused: the body of a test before was still being counted
                upload.close()
                uploads[number] = announce(number)
    assert (answer.status, answer.json) == (503, {"detail": "Too many requests with a body at once"})
    uploads[0].send(b"x" * 1048575)
    assert read_answer(uploads[0]).json == [1048576]
    assert server.http("POST", "/small", body=b"x", source="127.0.0.9").status == 422  # not JSON, but looked at
    for upload in uploads:
        upload.close()


def test_a_function_sees_the_request_without_its_secrets(server):
    token = confidential(make_token("ann"))
    headers = {"Origin": "https://app.example", "User-Agent": "tests/1", "X-Request-Id": "r-7", "Cookie": "a=b"}
    answer = server.http("GET", f"/seen?token={token}&a=1%262&a=2&b=x+y%20z&ticket=t&resume=r", headers=headers)
    seen = answer.json
    assert seen == {
        "ip": "127.0.0.1", "origin": "https://app.example", "query": {"a": "1&2", "b": "x y z"}, "path": "/seen", "agent": "tests/1",
        "id": "r-7", "claims": True, "dialect": True,
    }  # fmt: skip


# -- what it answers ----------------------------------------------------------------------------------------------------------------


def test_headers_of_the_answer_are_the_functions(server):
    answer = get(server, "/things/a/text")
    assert answer.headers["x-own"] == "yes" and answer.headers["cache-control"] == "max-age=5"
    assert answer.headers["content-type"] == "text/csv"


def test_cors_is_as_everywhere(server, room):
    path = f"/webrtc/rooms/{room}/queue"
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}
    answer = server.http("OPTIONS", path, headers=asked)
    assert answer.status == 200 and "PUT" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    for path, status in ((path, 401), ("/fails/deny", 403), ("/things/a/text", 200)):
        answer = get(server, path, headers={"Origin": "https://app.example"})
        assert answer.status == status and answer.headers["access-control-allow-origin"] == "https://app.example"
        assert answer.headers["access-control-allow-credentials"] == "true" and "Origin" in answer.headers["vary"]
        assert "access-control-allow-origin" not in get(server, path, headers={"Origin": "https://evil.example"}).headers


def test_refusals_are_403_and_failures_500_with_policy_and_version(server):
    answer = get(server, "/fails/deny")
    assert (answer.status, answer.json) == (403, {"detail": 'say "please"', "code": "LOCKED", "details": {"retry": 3}})
    answer = get(server, "/fails/close")
    assert answer.status == 403 and answer.json["detail"] == "no more"
    assert get(server, "/fails/none").json == {"detail": "No such thing"}
    before = server.metrics()["lunasig_hook_errors_total"]
    for how in ("error", "loop", "wait", "status"):
        answer = get(server, f"/fails/{how}")
        assert answer.status == 500, how
        assert set(answer.json) == {"detail", "code", "policy", "version"}, how
        assert (answer.json["detail"], answer.json["code"]) == ("a policy failed", "POLICY_ERROR")
    assert server.metrics()["lunasig_hook_errors_total"] == before + 4
    assert server.http("GET", "/health").status == 200


def test_a_route_may_send_to_its_room(server, load, room):
    load(HEAD + """sig.type "bell" { from = "server", to = "room", payload = sig.object { n = sig.integer } }
        sig.route("POST /ring/:room", function(request, room) room:send("bell", { n = request.body.n }) return 200, { room.count } end)""")
    ann, bob = server.gather(room, "ann", "bob")
    answer = server.http("POST", f"/ring/{room}", token=make_token("eve"), json_body={"n": 3})
    assert answer.json == [2]
    for client in (ann, bob):
        client.expect("bell", n=3)
    assert server.http("POST", f"/ring/{room}-empty", token=make_token("eve"), json_body={"n": 3}).json == [0]


# -- waiting ------------------------------------------------------------------------------------------------------------------------


def begin(server, path, **headers):
    """A request on a connection of its own whose answer is awaited later."""
    connection = Wire(server.port)
    connection.send(request_bytes("GET", path, headers))
    return connection


def await_waiting(server, count):
    until = time.monotonic() + wire.DEADLINE
    while server.metrics()["lunasig_hooks_waiting"] != count:
        assert time.monotonic() < until, "the number of waiting hooks"


def test_while_a_route_waits_others_are_served(server, room):
    with begin(server, f"/slow/{room}/1500") as slow:
        await_waiting(server, 1)
        ann, bob = server.gather(room, "ann", "bob")
        ann.send("chat-message", {"content": "x"})
        bob.expect("chat-message")
        assert get(server, "/things/a/text").status == 200
        assert read_answer(slow).json == {"before": 0, "after": 2}
        # The connection is good for another one.
        slow.send(request_bytes("GET", "/things/b/text"))
        assert read_answer(slow).body == b"b"


def test_pipelined_requests_are_answered_in_their_order(server, room):
    with Wire(server.port) as one:
        one.send(request_bytes("GET", f"/slow/{room}/300") + request_bytes("GET", "/things/next/text"))
        assert read_answer(one).json["before"] == 0
        assert read_answer(one).body == b"next"


def test_a_client_that_goes_while_its_route_waits_leaves_nothing(server, room):
    before = server.metrics()["lunasig_hook_errors_total"]
    for end in (Wire.close, Wire.reset):
        clients = [begin(server, f"/slow/{room}/1000") for _ in range(5)]
        await_waiting(server, 5)
        for client in clients:
            end(client)
        await_waiting(server, 0)
    assert server.metrics()["lunasig_hook_errors_total"] == before
    assert get(server, "/things/a/text").status == 200


def test_a_route_that_waits_over_a_reload_finishes_on_its_own_version(server, load, room):
    def versioned(number):
        return HEAD + f"""sig.route("GET /version/:ms", {{ auth = false }}, function(request)
            sig.sleep(request.params.ms .. "ms") return 200, {{ {number} }} end)"""

    load(versioned(1))
    with begin(server, "/version/1200") as first:
        await_waiting(server, 1)
        load(versioned(2))
        assert get(server, "/version/1").json == [2]
        load(HEAD)
        assert get(server, "/version/1").status == 404
        assert read_answer(first).json == [1]


def test_so_many_routes_may_wait_and_no_more(server, room):
    waiting = [begin(server, f"/slow/{room}/3000") for _ in range(256)]
    await_waiting(server, 256)
    answer = get(server, f"/slow/{room}/1")
    assert (answer.status, answer.json) == (503, {"detail": "Too many requests are waiting, try again"})
    assert answer.headers["retry-after"] == "1"
    for client in waiting:
        client.close()
    await_waiting(server, 0)


def test_a_server_that_stops_answers_503_and_ends_waits(tmp_path_factory, policy, room):
    policy.write(ROUTES)
    server = lunasig_server.Server(tmp_path_factory.mktemp("server"), {**policy.settings, "POLICY_WAIT_MS": "5000"})
    try:
        stubborn = server.join(room, "stubborn")  # its close is awaited
        with Wire(server.port) as kept, begin(server, f"/slow/{room}/60") as short, begin(server, f"/slow/{room}/4900") as long:
            kept.send(request_bytes("GET", "/things/a/text"))
            assert read_answer(kept).status == 200
            await_waiting(server, 1)
            server.signal(signal.SIGTERM)
            server.event("stopping")
            kept.send(request_bytes("GET", "/things/a/text"))
            answer = read_answer(kept)
            assert (answer.status, answer.json) == (503, {"detail": "The server is shutting down"})
            assert answer.headers["retry-after"] == "1" and answer.headers["connection"] == "close"
            assert read_answer(short).status == 200  # what is under way is finished while there is time
            stubborn.wire.close()
            assert server.wait() == 0
            assert long.ends() == b"" or b" 503 " in long.ends()
    finally:
        server.kill()
        server.check_log()


def test_many_requests_at_once_over_reloads_are_all_answered(server, load, room):
    """Each by one whole version: 200 of the old or the new one, never anything between."""
    wrong = []

    def ask(number):
        for _ in range(20):
            answer = get(server, f"/webrtc/rooms/{room}/queue", f"user{number}")
            if answer.status != 200 or answer.json["user"] != f"user{number}":
                wrong.append(answer)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        load(ROUTES)
    for thread in threads:
        thread.join()
    assert not wrong


def test_an_answer_is_as_large_as_1_mib_and_no_larger(server, load):
    load(HEAD + """sig.route("GET /much/:n", { auth = false }, function(request)
        return 200, ("x"):rep(tonumber(request.params.n)), { ["content-type"] = "text/html" } end)""")
    answer = get(server, "/much/1048576")
    assert answer.status == 200 and len(answer.body) == 1048576
    assert json.loads(get(server, "/much/1048577").body)["code"] == "POLICY_ERROR"
