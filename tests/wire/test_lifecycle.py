"""Starting and stopping: exit statuses, messages, and what is left behind."""

import os
import pathlib
import signal
import socket
import stat

import lunasig_client as wire
import lunasig_secrets as secrets
import lunasig_server
import pytest


def fails(tmp_path, status, *mentions, arguments=("serve",), **settings):
    """The server does not start with these settings, and says why."""
    server = lunasig_server.Server(tmp_path, settings, wait=False, arguments=arguments)
    try:
        assert server.wait(lunasig_server.START_SECONDS) == status, server.log
    finally:
        server.kill()
    server.check_log()
    for mention in mentions:
        assert mention in server.log, server.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("v1", [False, True])
def test_a_stopped_server_says_1001_and_ends_with_0(tmp_path, room, number, v1):
    server = lunasig_server.Server(tmp_path)
    try:
        ann, bob = server.gather(room, f"ann:{'v1' if v1 else 'compat'}", "bob")
        server.signal(number)
        assert ann.close_code() == 1001
        assert bob.close_code() == 1001
        assert server.wait() == 0, server.log
    finally:
        server.kill()
        server.check_log()


def test_a_server_stops_at_once_also_with_idle_and_half_open_connections(tmp_path, room):
    server = lunasig_server.Server(tmp_path)
    server.join(room, "ann")
    half = wire.Wire(server.port)
    half.send(b"GET /health HTTP/1.1\r\nHost:")
    wire.Wire(server.port)
    kept = wire.Wire(server.port)
    kept.send(wire.request_bytes("GET", "/health"))
    wire.read_answer(kept)
    server.end(hang_up=False)


def test_a_server_stops_also_when_a_client_does_not_answer_its_close(tmp_path, room):
    server = lunasig_server.Server(tmp_path)
    stubborn = server.join(room, "stubborn", receive_buffer=4096)
    ann = server.join(room, "ann")
    for _ in range(20):
        ann.send("chat-message", {"content": "x" * 60000})
    server.end(hang_up=False)
    assert stubborn


def test_a_server_that_is_stopped_while_it_starts_ends_with_0(tmp_path):
    server = lunasig_server.Server(tmp_path, wait=False)
    server.line(lambda line: True, timeout=lunasig_server.START_SECONDS)
    server.end()


def test_a_port_that_is_taken_ends_with_3_and_names_it(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        fails(tmp_path, 3, port, PORT=port)


def test_two_servers_do_not_share_a_port(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first = lunasig_server.Server(tmp_path / "one")
    try:
        fails(tmp_path / "two", 3, str(first.port), PORT=first.port)
        assert first.http("GET", "/health").status == 200
    finally:
        first.end()


def test_an_address_that_is_not_ours_ends_with_3(tmp_path):
    fails(tmp_path, 3, "192.0.2.1", HOST="192.0.2.1", PORT="0")


def test_a_data_folder_that_cannot_be_written_ends_with_3_and_is_named(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    fails(tmp_path, 3, "file/data", DATA_DIR=tmp_path / "file" / "data")


def test_a_database_that_is_none_ends_with_3(tmp_path):
    data = tmp_path / "data"
    first = lunasig_server.Server(tmp_path)
    first.end()
    databases = [p for p in data.rglob("*") if p.is_file() and p.read_bytes()[:6] == b"SQLite"]
    assert databases, list(data.rglob("*"))
    for path in databases:
        path.write_bytes(b"this is no database" * 500)
    fails(tmp_path, 3, databases[0].name)


@pytest.mark.parametrize(
    "key,value",
    [
        ("PORT", "abc"), ("PORT", "70000"), ("PORT", "-1"), ("LOG_LEVEL", "loud"), ("GUESTS", "perhaps"), ("JWT_LEEWAY_S", "1h"),
        ("WEBSOCKET_MESSAGE_RATE_LIMIT", "often"), ("WEBSOCKET_MESSAGE_RATE_LIMIT", "10/day"), ("WEBSOCKET_OUTBOX_BYTES", "1"),
        ("WEBRTC_ICE_TRANSPORT_POLICY", "none"), ("AUTH_BCRYPT_COST", "3"), ("WEBSOCKET_PING_S", "0"), ("TRUSTED_PROXIES", "10.0.0.0/33"),
    ],
)  # fmt: skip
def test_a_bad_setting_ends_with_2_and_names_the_key(tmp_path, key, value):
    fails(tmp_path, 2, key, **{key: value})


EXAMPLES = ["your-super-secure-jwt-secret-key", "use-a-strong-randomly-generated-secret-key-here"]
PEM = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----"


@pytest.mark.parametrize("secret", ["short", "x" * 31, *EXAMPLES, PEM])
def test_a_secret_that_is_short_or_an_example_ends_with_2(tmp_path, secret):
    fails(tmp_path, 2, "JWT_SECRET_KEY", JWT_SECRET_KEY=secret)


def test_a_bad_line_of_a_settings_file_is_named_with_file_and_line(tmp_path):
    (tmp_path / "my.conf").write_text("# comment\nLOG_LEVEL=info\nPING=7\nHANDSHAKE_TIMEOUT_S=soon\n")
    fails(tmp_path, 2, "my.conf:4", "HANDSHAKE_TIMEOUT_S", arguments=("serve", "-c", "my.conf"))


def test_an_unknown_key_of_a_settings_file_is_a_warning_with_the_nearest_name(tmp_path):
    (tmp_path / ".env").write_text("WEBRTC_STUN_URL=stun:a.example\n")
    server = lunasig_server.Server(tmp_path)
    try:
        line = server.line(lambda text: "WEBRTC_STUN_URL" in text)
        assert "WEBRTC_STUN_URLS" in line and ".env" in line
    finally:
        server.end()


def test_flags_stand_above_the_environment(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = tmp_path / "elsewhere"
    server = lunasig_server.Server(tmp_path, {"PORT": "1"}, arguments=("serve", "--port", str(port), "--data", str(data)))
    try:
        assert server.port == port
        assert data.is_dir() and not (tmp_path / "data").exists()
    finally:
        server.end()


def test_without_a_secret_one_is_made_once_in_the_data_folder_and_said_so(tmp_path, room):
    settings = {"JWT_SECRET_KEY": None, "GUESTS": "on"}
    server = lunasig_server.Server(tmp_path, settings)
    token = server.http("POST", "/auth/guest", json_body={"name": "Ann"}).json["access_token"]
    server.join(room, "guest_Ann", token=token)
    made = tmp_path / "data" / "jwt-secret"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    secrets.confidential(made.read_text().strip())
    server.event("development-secret-made")
    server.end()
    again = lunasig_server.Server(tmp_path, settings)
    try:
        again.join(room, "guest_Ann", token=token)
    finally:
        again.end()


def test_a_secret_may_be_in_a_file(tmp_path, room):
    (tmp_path / "secret").write_text(secrets.SECRET + "\n")
    server = lunasig_server.Server(tmp_path, {"JWT_SECRET_KEY": None, "JWT_SECRET_KEY_FILE": tmp_path / "secret"})
    try:
        server.join(room, "ann")
    finally:
        server.end()


def test_the_log_is_one_json_object_per_line_and_names_room_and_user(tmp_path, room):
    server = lunasig_server.Server(tmp_path)
    server.join(room, "ann").leave()
    server.line(lambda line: room in line and '"ann"' in line)
    server.end()
    assert all(line.startswith("{") and line.endswith("}") for line in server.lines), server.log


def test_the_log_as_text_names_the_address_to_open(tmp_path):
    server = lunasig_server.Server(tmp_path, {"LOG_FORMAT": "text"}, wait=False)
    try:
        line = server.line(lambda text: " listening " in text, timeout=lunasig_server.START_SECONDS)
        assert "url=http://" in line and "port=" in line
    finally:
        server.end()


def test_user_names_cannot_forge_a_line_of_the_log(tmp_path, room):
    server = lunasig_server.Server(tmp_path, {"LOG_FORMAT": "text"}, wait=False)
    line = server.line(lambda text: " listening " in text, timeout=lunasig_server.START_SECONDS)
    server.port = int(line.partition("port=")[2].split()[0])
    server.join(room, 'ann" event=forged x="\u2028').leave()
    server.end()
    assert not any(" event=forged " in line and '\\"' not in line for line in server.lines)


def test_a_log_that_nobody_reads_does_not_stop_the_server(tmp_path, room):
    """Standard error is a pipe that is full: lines are dropped, members go on."""
    read_end, write_end = os.pipe()
    process = None
    try:
        import subprocess

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        settings = lunasig_server.environment({"PORT": port, "LOG_LEVEL": "debug"}, pathlib.Path(tmp_path))
        process = subprocess.Popen([str(lunasig_server.binary()), "serve"], env=settings, cwd=tmp_path, stdout=write_end, stderr=write_end)
        os.read(read_end, 1)  # its first line; nobody reads on
        ann = bob = None
        until = wire.time.monotonic() + lunasig_server.START_SECONDS
        while ann is None:
            assert wire.time.monotonic() < until
            try:
                ann = wire.join(port, room, "ann")
            except OSError:
                continue
        for _ in range(600):  # each comes and goes with lines of its own, 64 KiB fill the pipe
            bob = wire.join(port, room, "bob")
            bob.leave()
        bob = wire.join(port, room, "bob")
        ann.send("chat-message", {"content": "x"})
        bob.expect("chat-message")
        process.send_signal(signal.SIGTERM)
        assert process.wait(lunasig_server.STOP_SECONDS) == 0
    finally:
        if process and process.poll() is None:
            process.kill()
            process.wait()
        os.close(read_end)
        os.close(write_end)
