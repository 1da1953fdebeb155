"""Calls through nginx and HAProxy, with the files of conf/: upgrades, addresses, big frames, resuming, reloads and restarts."""

import re
import subprocess

import lunasig_client as wire
import lunasig_control
import lunasig_proxies
import lunasig_server
import pytest

TRUSTED = {"TRUSTED_PROXIES": "127.0.0.1"}
CLIENT, OTHER, FORGED = "127.0.0.5", "127.0.0.6", "203.0.113.9"
WHO = "sig.route('GET /who', { auth = 'open' }, function(request) return 200, { ip = request.ip } end)"


@pytest.fixture(params=lunasig_proxies.KINDS)
def start_proxy(request, tmp_path):
    """start_proxy(server, text=other text, …): a proxy in front of the server, with this changed in its file."""
    running = []

    def start(server, **changes):
        running.append(lunasig_proxies.KINDS[request.param](tmp_path, server.port, changes.get(request.param, {})))
        return running[-1]

    yield start
    for proxy in running:
        proxy.end()


@pytest.fixture
def pair(start_server, start_proxy):
    """pair(KEY=value, …): a server, and a proxy in front of it."""

    def start(**settings):
        server = start_server(**{**TRUSTED, **settings})
        return server, start_proxy(server)

    return start


def addresses(server, room):
    """Where the server sees each member of a room."""
    control = lunasig_control.Control(server.folder / "data/control.sock")
    members = control.fine("room", room_id=room, addresses=True)["members"]
    return {member["user_id"]: [connection["address"] for connection in member["connections"]] for member in members}


def test_a_call_passes(pair, room):
    server, proxy = pair(GUESTS="on")
    assert wire.http(proxy.port, "GET", "/health").json["status"] == "healthy"
    guest = wire.http(proxy.port, "POST", "/auth/guest", json_body={"name": "cid"})
    assert guest.status == 200, guest
    assert b"<html" in wire.http(proxy.port, "GET", "/", headers={"Accept": "text/html"}).body
    ann, bob = wire.gather(proxy.port, room, "ann:v1", "bob")
    ann.send("offer", {"sdp": wire.SDP, "type": "offer"}, target_id="bob", id=1)
    bob.expect("offer", sdp=wire.SDP)
    ann.until("ack", id=1)
    bob.send("answer", {"sdp": wire.SDP, "type": "answer"}, target_id="ann")
    ann.expect("answer", sdp=wire.SDP)
    bob.leave()
    ann.until("user-left", user_id="bob", reason="bye")
    assert server.metrics()["lunasig_rooms"] == 1


def test_http_is_sent_to_https_and_metrics_are_not_shown(pair):
    server, proxy = pair()
    answer = wire.http(proxy.plain_port, "GET", "/webrtc/config")
    assert answer.status == 301 and answer.headers["location"] == "https://localhost/webrtc/config"
    assert wire.http(proxy.port, "GET", "/metrics").status == 404
    assert server.metrics()["lunasig_rooms"] == 0


def test_refusals_come_as_the_server_says_them(pair, room):
    _, proxy = pair(CORS_ORIGINS="https://app.example.com")
    with pytest.raises(wire.Refused) as refused:
        wire.connect(proxy.port, room)
    assert refused.value.status == 401
    host = f"localhost:{proxy.port}"
    for origin, status in {"https://app.example.com": 101, f"https://{host}": 101, "https://evil.example.com": 403}.items():
        try:
            wire.connect(proxy.port, room, "ann", headers={"Host": host, "Origin": origin}).wire.close()
            assert status == 101, origin
        except wire.Refused as refusal:
            assert refusal.status == status, (origin, refusal)


# -- addresses


@pytest.mark.parametrize("trusted, seen", [("127.0.0.1", CLIENT), ("", "127.0.0.1"), ("192.0.2.0/24", "127.0.0.1")])
@pytest.mark.parametrize("forged", [{}, {"X-Forwarded-For": FORGED, "X-Real-IP": FORGED, "Forwarded": f"for={FORGED}"}])
def test_the_address_is_the_clients_where_the_proxy_is_trusted(start_server, start_proxy, policy, room, trusted, seen, forged):
    policy.write(WHO)
    server = start_server(**policy.settings, TRUSTED_PROXIES=trusted)
    proxy = start_proxy(server)
    assert wire.http(proxy.port, "GET", "/who", source=CLIENT, headers=forged).json == {"ip": seen}
    wire.join(proxy.port, room, "ann", source=CLIENT, headers=forged)
    assert addresses(server, room) == {"ann": [seen]}


def test_a_stranger_who_goes_past_the_proxy_is_not_believed(pair, room):
    server, _ = pair()
    server.join(room, "ann", source=OTHER, headers={"X-Forwarded-For": FORGED})
    assert addresses(server, room) == {"ann": [OTHER]}


@pytest.mark.parametrize("trusted, other", [("127.0.0.1", 101), ("", 429)])
def test_limits_per_address_are_those_of_clients(start_server, start_proxy, room, trusted, other):
    server = start_server(TRUSTED_PROXIES=trusted, WEBSOCKET_ADDRESS_LIMIT="2")
    proxy = start_proxy(server)
    kept = [wire.connect(proxy.port, room, f"u{n}", source=CLIENT) for n in range(2)]
    for source, status in ((CLIENT, 429), (OTHER, other)):
        try:
            kept.append(wire.connect(proxy.port, room, "late", source=source))
            assert status == 101, source
        except wire.Refused as refusal:
            assert refusal.status == status, (source, refusal)


# -- frames, silence


def test_large_frames_pass_whole_and_too_large_ones_are_refused(pair, room):
    _, proxy = pair()
    ann, bob = wire.gather(proxy.port, room, "ann", "bob")
    for size in (125, 126, 4096, 16384, 60000, 65400):
        data = {"fill": "x" * size}
        ann.send("analytics-event", {"event_type": "x", "data": data})
        bob.expect("analytics-event", data=data)
    ann.send("analytics-event", {"event_type": "x", "data": {"fill": "x" * 65536}})
    assert ann.close_code() == 1009


def test_many_messages_keep_their_order(pair, room):
    _, proxy = pair()
    ann, bob = wire.gather(proxy.port, room, "ann", "bob")
    for n in range(500):
        ann.send("analytics-event", {"event_type": str(n), "data": {}})
    for n in range(500):
        bob.expect("analytics-event", event_type=str(n))


def test_silence_ends_nothing_while_pings_are_answered(start_server, start_proxy, room):
    server = start_server(**TRUSTED, WEBSOCKET_PING_S="1", WEBSOCKET_PONG_S="1")
    short = {"nginx": {"proxy_read_timeout 90s": "proxy_read_timeout 3s"}, "haproxy": {"timeout tunnel 90s": "timeout tunnel 3s"}}
    proxy = start_proxy(server, **short)
    ann = wire.join(proxy.port, room, "ann", v1=True)
    for _ in range(5):
        ping = ann.recv_frame()
        assert ping.opcode == wire.PING
        ann.send_frame(wire.PONG, ping.data)
    ann.send("ping")
    ann.expect("pong")


def test_timeouts_of_the_files_are_longer_than_the_servers_silence():
    defaults = subprocess.run([lunasig_server.binary(), "config", "--defaults"], check=True, capture_output=True, text=True).stdout
    silence = sum(int(number) for number in re.findall(r"(?m)^WEBSOCKET_P[IO]NG_S=(\d+)", defaults))
    for file, key in (("nginx/lunasig.conf", "proxy_read_timeout"), ("nginx/lunasig.conf", "proxy_send_timeout"), ("haproxy/lunasig.cfg", "timeout tunnel")):
        (seconds,) = re.findall(rf"(?m)^ *{key} (\d+)s", (lunasig_proxies.CONF / file).read_text())
        assert int(seconds) > silence >= 25, (file, key)


# -- what breaks, and goes on


def test_a_session_is_resumed_through_the_proxy(pair, room):
    _, proxy = pair()
    ann, bob = wire.gather(proxy.port, room, "ann:v1", "bob:v1")
    ann.vanish()
    bob.until("user-away", user_id="ann")
    bob.send("chat-message", {"content": "while you were away"})
    back = wire.resume(ann, port=proxy.port)
    assert back.room_state["resumed"] is True
    back.expect("chat-message", content="while you were away")
    bob.until("user-back", user_id="ann")


def test_calls_go_on_over_a_reload_of_the_proxy(pair, room):
    server, proxy = pair()
    ann, bob = wire.gather(proxy.port, room, "ann", "bob")
    proxy.reload()
    wire.join(proxy.port, f"{room}-new", "cid")
    for n in range(3):
        ann.send("chat-message", {"content": str(n)})
        bob.expect("chat-message", content=str(n))
    assert server.metrics()["lunasig_connections_open"] == 3


def test_calls_go_on_over_a_restart_of_the_server(start_proxy, tmp_path_factory, room):
    folder = tmp_path_factory.mktemp("server")
    server = lunasig_server.Server(folder, TRUSTED)
    try:
        proxy = start_proxy(server)
        clients = wire.gather(proxy.port, room, "ann:v1", "bob:v1")
        seqs = [client.seq for client in clients]
        server.end(hang_up=False)
        for client, seq in zip(clients, seqs):
            assert client.close_code() == 1001
            assert [message["type"] for message in client.last_words] == ["draining"]
            client.seq = seq
        status = wire.http(proxy.port, "GET", "/ready").status
        assert status in (502, 503)
        with pytest.raises(wire.Refused) as refused:
            wire.connect(proxy.port, room, "cid")
        assert refused.value.status in (502, 503)
        server = lunasig_server.Server(folder, {**TRUSTED, "PORT": server.port})
        proxy.until_ready()
        for client in clients:
            assert wire.resume(client, port=proxy.port).room_state["resumed"] is True
    finally:
        server.kill()
        server.check_log()
