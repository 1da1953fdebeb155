"""The hooks that see a handshake: connect, before the upgrade, and auth, when its token is good."""

import lunasig_client as wire
import lunasig_server
import pytest
from lunasig_secrets import make_token

HEAD = 'local sig = require "lunasig"\n'
SEES = """
    local claims = request.claims
    return sig.deny("SEEN", table.concat({ request.ip, tostring(request.origin), request.room_id, request.dialect, request.method,
        tostring(claims and claims.sub), tostring(request.user), tostring(request:header("user-agent")), tostring(request.body),
        tostring(request.query.token), tostring(request.query.x) }, "|"))
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    policy = lunasig_server.Policy(tmp_path_factory.mktemp("policy"))
    server = lunasig_server.Server(tmp_path_factory.mktemp("server"), policy.settings)
    yield server, policy
    server.end()


@pytest.fixture
def load(house):
    server, policy = house
    yield lambda added, good=True: policy.reload(server, added, good)
    policy.reload(server, "")


@pytest.fixture
def server(house):
    return house[0]


def on(event, body, arguments="request"):
    return f'{HEAD}sig.on("{event}", function({arguments}) {body} end)\n'


def refused(server, room, user="ann", **how):
    with pytest.raises(wire.Refused) as caught:
        server.connect(room, user, **how)
    return caught.value.answer


def seen(server):
    """How often the hook of the test ran: hooks of other tests may still see somebody leave."""
    return sum(value for name, value in server.metrics().items() if name.startswith("lunasig_policy_seen_total"))


@pytest.mark.parametrize("v1", [False, True])
def test_a_denial_is_403_before_the_upgrade(server, load, room, v1):
    load(on("connect", 'return sig.deny("NOT_HERE", \'say "please"\', { limit = 3 })'))
    before = server.metrics()
    answer = refused(server, room, v1=v1)
    assert (answer.status, answer.json) == (403, {"detail": 'say "please"', "code": "NOT_HERE", "details": {"limit": 3}})
    assert answer.headers["cache-control"] == "no-store"
    after = server.metrics()
    assert after["lunasig_connections_refused_total"] == before["lunasig_connections_refused_total"] + 1
    assert after["lunasig_connections_total"] == before["lunasig_connections_total"]


def test_a_denial_of_any_text_fits_into_the_answer(server, load, room):
    load(on("connect", 'return sig.deny(("C"):rep(47), ("\\1"):rep(255), { x = ("\\2"):rep(80) })'))
    assert refused(server, room).json == {"detail": "\1" * 255, "code": "C" * 47, "details": {"x": "\2" * 80}}


def test_close_is_403_too(server, load, room):
    load(on("connect", 'return sig.close(4400, "no more")'))
    answer = refused(server, room)
    assert (answer.status, answer.json["detail"]) == (403, "no more")


def test_the_hook_sees_the_request_without_its_token(server, load, room):
    load(on("connect", SEES))
    headers = wire.handshake_headers(Origin="https://app.example", User_Agent="tests/1")
    with pytest.raises(wire.Refused) as caught:
        wire.upgrade(server.port, wire.room_path(room, make_token("ann"), x="1"), headers)
    assert caught.value.answer.json["detail"] == f"127.0.0.1|https://app.example|{room}|compat|GET|ann|ann|tests/1|nil|nil|1"


def test_claims_are_nil_where_the_token_comes_in_the_first_message(server, load, room):
    load(on("connect", "if request.claims ~= nil or request.user ~= nil or request.dialect ~= 'lunasig.v1' then return sig.deny('NO') end"))
    headers = wire.handshake_headers(Sec_WebSocket_Protocol="lunasig.v1")
    client = wire.upgrade(server.port, wire.room_path(room), headers)
    client.send("auth", {"token": make_token("ann")})
    client.until("room-state")
    assert refused(server, room, "bob", v1=True).json["code"] == "NO"


def test_what_is_wrong_with_a_handshake_is_said_before_the_hook_runs(server, load, room):
    load(on("connect", 'seen:add(1) return sig.deny("HOOK")').replace(HEAD, f'{HEAD}local seen = sig.metric.counter {{ name = "seen" }}\n'))
    with pytest.raises(wire.Refused) as caught:
        wire.upgrade(server.port, wire.room_path(room, "bad.bad.bad"))
    assert caught.value.status == 401
    with pytest.raises(wire.Refused) as caught:
        wire.upgrade(server.port, wire.room_path("a b", make_token("ann")))
    assert caught.value.status == 400
    assert seen(server) == 0
    assert refused(server, room).json["code"] == "HOOK"
    assert seen(server) == 1


def test_an_error_refuses_with_policy_error_unless_it_is_allowed(server, load, room):
    load(on("connect", 'error("x")'))
    answer = refused(server, room)
    assert (answer.status, answer.json["code"], answer.json["detail"]) == (403, "POLICY_ERROR", "a policy failed")
    assert answer.json["version"] >= 1 and answer.json["policy"]
    load(f'{HEAD}sig.on("connect", {{ on_error = "allow" }}, function() error("x") end)')
    assert server.join(room, "ann").room_state["participant_count"] == 1


def test_a_connect_hook_may_not_wait(server, load, room):
    start = load(on("connect", 'sig.sleep "1ms"'))
    assert refused(server, room).json["code"] == "POLICY_ERROR"
    server.line(lambda line: 'a hook of \\"connect\\" may not wait' in line, start)


def test_a_refused_handshake_takes_no_place_of_its_user(start_server, policy, room):
    policy.write(on("connect", 'if request.query.no then return sig.deny("NO") end'))
    server = start_server(**policy.settings, WEBSOCKET_CONNECTION_LIMIT="1")
    for _ in range(3):
        with pytest.raises(wire.Refused) as caught:
            wire.upgrade(server.port, wire.room_path(room, make_token("ann"), no="1"))
        assert caught.value.status == 403
    server.join(room, "ann")
    with pytest.raises(wire.Refused) as caught:
        wire.upgrade(server.port, wire.room_path(room, make_token("ann")))
    assert caught.value.status == 429


@pytest.mark.parametrize("v1", [False, True])
def test_an_auth_hook_sees_the_same_request_and_the_claims(server, load, room, v1):
    load(on("auth", f"""if request.room_id ~= "{room}" or request.ip ~= "127.0.0.1" or request.user ~= claims.sub or
        request.query.token or request.dialect ~= "{'lunasig.v1' if v1 else 'compat'}" then return sig.deny("WRONG") end
        sig.sleep "30ms"
        if request.claims.sub ~= claims.sub then return sig.deny("WRONG") end
        if claims.sub == "eve" then return sig.deny("BANNED", "go away") end""", "request, claims"))
    assert server.join(room, "ann", v1=v1).room_state["participant_count"] == 1
    eve = server.connect(room, "eve", v1=v1)
    eve.expect_error("BANNED")
    assert eve.close_code() == 4401


def test_an_auth_hook_sees_the_request_of_a_first_message_too(server, load, room):
    load(on("auth", f'if request.room_id ~= "{room}" or request.claims.sub ~= "ann" then return sig.deny("WRONG") end', "request, claims"))
    client = wire.upgrade(server.port, wire.room_path(room), wire.handshake_headers(Sec_WebSocket_Protocol="lunasig.v1"))
    client.send("auth", {"token": make_token("ann")})
    client.until("room-state")


def test_clients_that_go_before_or_while_they_are_asked_about_leave_nothing(server, load, room):
    load(on("auth", 'sig.sleep "200ms"', "request, claims"))
    for _ in range(5):
        server.connect(room, "ann").vanish()
        wire.upgrade(server.port, wire.room_path(room), wire.handshake_headers(Sec_WebSocket_Protocol="lunasig.v1")).vanish()
        with pytest.raises(wire.Refused):
            wire.upgrade(server.port, wire.room_path(room, make_token("ann")), wire.handshake_headers(Sec_WebSocket_Key="short"))
    assert server.join(room, "bob").room_state["participant_count"] == 1


def test_without_hooks_a_handshake_does_not_enter_lua(start_server, tmp_path, room):
    (tmp_path / "policy.lua").write_text(f'{HEAD}sig.policy {{ name = "bare", api = 1 }}\nsig.use "std.signaling"\n')
    server = start_server(POLICY_DIR=tmp_path)
    server.gather(room, "ann", "bob")
    assert server.metrics()["lunasig_hook_calls_total"] == 0


def test_the_ice_servers_hook_sees_the_request_of_the_configuration(server, load):
    load(on("ice_servers", """
        list[#list + 1] = { urls = "turn:" .. request.user .. "." .. request.path:gsub("/", "-"):sub(2) .. ".example" }
        return list""", "member, list, request"))
    config = server.http("GET", "/webrtc/config", token=make_token("ann")).json
    assert config["ice_servers"][-1] == {"urls": "turn:ann.webrtc-config.example"}
