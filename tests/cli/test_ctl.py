"""`lunasig ctl` against a running server: what it prints, its exit statuses, and how it finds the socket."""

import json
import os
import pathlib
import pty
import select
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "wire"))
import lunasig_client as wire  # noqa: E402
import lunasig_secrets as secrets  # noqa: E402
import lunasig_server  # noqa: E402

COMMANDS = ("status", "rooms", "room", "user", "watch", "call", "kick", "close", "broadcast", "revoke", "drain", "reload", "policy", "log")
SECONDS = 10


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = lunasig_server.Server(tmp_path_factory.mktemp("server"))
    yield running
    running.end()


@pytest.fixture
def ctl(lunasig, server):
    """ctl(arguments…): runs `lunasig ctl` as somebody in the server's folder would."""

    def run(*arguments, stdin=""):
        return lunasig("ctl", *arguments, stdin=stdin, DATA_DIR=server.folder / "data")

    return run


def fine(done):
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_help_names_every_command_and_the_exit_statuses(lunasig):
    output = lunasig.fine("ctl", "--help")
    assert output.startswith("Usage: lunasig ctl COMMAND")
    for command in COMMANDS:
        assert f"\n  {command}" in output
    assert "Exit status: 0 done" in output
    assert all(len(line) <= 100 for line in output.splitlines())
    assert lunasig.fine("help", "ctl") == output == lunasig.fine("ctl", "kick", "-h")
    assert "\n  ctl " in lunasig.fine("help")


def test_status_is_a_table_of_names_and_numbers(ctl):
    lines = fine(ctl("status")).splitlines()
    assert lines[0].split() == ["version", lines[0].split()[1]]
    assert {line[:17].strip() for line in lines} == {
        "version", "uptime", "policy version", "connections", "rooms", "members", "away", "memory", "outbox", "kept for away", "longest loop gap",
        "draining",
    }  # fmt: skip
    assert lines[-1] == "draining         no"


def test_tables_are_aligned_and_fit_80_columns(ctl, server):
    clients = server.gather("stand-up", "ann:v1", "bob", "cid:v1", "ann:v1")
    far = server.join("s", "dan")
    lines = fine(ctl("rooms")).splitlines()
    assert lines[0] == "ROOM      MEMBERS  CONNECTIONS  AWAY  WAITING  REVISION"
    assert lines[1].startswith("stand-up        3            4     0        0  ")
    assert lines[2].startswith("s               1            1     0        0  ")
    lines = fine(ctl("room", "stand-up")).splitlines()
    assert lines[0].startswith("room stand-up: 3 members, 4 connections, revision ")
    assert lines[1] == "USER  ROLE         JOINED (UTC)         CONNECTION        DIALECT"
    assert [line[:4].strip() for line in lines[2:]] == ["ann", "", "bob", "cid"]
    for line in lines[2:]:
        assert line[40:56].isalnum() and len(line) <= 80, line
    assert "127.0.0.1" not in "".join(lines)
    assert fine(ctl("room", "stand-up", "--addresses")).count("127.0.0.1") == 4
    assert "and 2 more members; see --limit" in fine(ctl("room", "stand-up", "--limit", "1"))
    assert "and 1 more rooms" in fine(ctl("rooms", "--limit=1"))
    assert "stand-up" in fine(ctl("user", "ann"))
    assert clients and far
    for client in (*clients, far):
        client.leave()


def test_json_is_what_the_server_says(ctl, server):
    client = server.join("json", "ann")
    assert json.loads(fine(ctl("rooms", "--json")))["rooms"][0]["room_id"] == "json"
    assert json.loads(fine(ctl("--json", "room", "json")))["members"][0]["user_id"] == "ann"
    assert json.loads(fine(ctl("status", "--json")))["draining"] is False
    client.leave()


def test_what_is_not_there_is_refused_with_status_1(ctl):
    for arguments in (["room", "none"], ["user", "none"], ["call", "none"], ["call", "none", "--follow"], ["close", "none"], ["kick", "none", "ann"]):
        done = ctl(*arguments)
        assert done.returncode == 1 and done.stdout == "", done
        assert done.stderr.startswith("lunasig ctl: ") and "none" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "lunasig ctl: write a command\nSee: lunasig ctl --help\n"),
        (["stauts"], "lunasig ctl: there is no command stauts; did you mean status?\nSee: lunasig ctl --help\n"),
        (["room"], "lunasig ctl: room needs ROOM\nSee: lunasig ctl --help\n"),
        (["call"], "lunasig ctl: call needs ROOM\nSee: lunasig ctl --help\n"),
        (["room", "r1", "--follow"], "lunasig ctl: there is no flag --follow\nSee: lunasig ctl --help\n"),
        (["kick", "r1"], "lunasig ctl: kick needs ROOM USER\nSee: lunasig ctl --help\n"),
        (["status", "now"], "lunasig ctl: status takes no further words\nSee: lunasig ctl --help\n"),
        (["watch", "r1"], "lunasig ctl: watch needs room=ROOM or user=USER\nSee: lunasig ctl --help\n"),
        (["rooms", "--limt", "3"], "lunasig ctl: there is no flag --limt; did you mean --limit?\nSee: lunasig ctl --help\n"),
        (["status", "--limit", "3"], "lunasig ctl: there is no flag --limit\nSee: lunasig ctl --help\n"),
        (["rooms", "--limit", "x"], "lunasig ctl: --limit must be a whole number above 0\n"),
        (["rooms", "--limit", "99999"], "lunasig ctl: limit: write a whole number from 1 to 10000\n"),
        (["room", "a b"], "lunasig ctl: room_id: a room id has 1 to 100 of A-Z a-z 0-9 _ -\n"),
        (["log", "loud"], "lunasig ctl: level: write debug, info, warning or error\n"),
        (["broadcast", "r1"], "lunasig ctl: broadcast needs ROOM TYPE [JSON], or --all TYPE [JSON]\nSee: lunasig ctl --help\n"),
        (["broadcast", "r1", "say", "{"], "lunasig ctl: the payload is not JSON, at byte 1: "),
        (["broadcast", "r1", "say", '{},"all":true'], "lunasig ctl: the payload is not JSON, at byte 2: "),
        (["broadcast", "r1", "say", "[]"], "lunasig ctl: the payload has to be a JSON object\nSee: lunasig ctl --help\n"),
        (["revoke"], "lunasig ctl: revoke needs one of --token-stdin, --user USER and --before TIME\nSee: lunasig ctl --help\n"),
        (["revoke", "--token-stdin"], "lunasig ctl: revoke --token-stdin reads one token from standard input, and there is none\nSee: lunasig ctl --help\n"),
        (["revoke", "--before", "noon"], "lunasig ctl: --before needs unix seconds, 2026-11-22, 2026-11-22T20:15:04Z or now\nSee: lunasig ctl --help\n"),
        (["revoke", "--before", "2090-01-01"], "lunasig ctl: before: it is in the future\n"),
    ],
)
def test_mistakes_are_named_with_status_2(ctl, arguments, said):
    done = ctl(*arguments)
    assert (done.returncode, done.stdout) == (2, ""), done
    assert done.stderr == said if said.endswith("\n") else done.stderr.startswith(said), done.stderr


def test_members_are_kicked_rooms_closed_and_told(ctl, server):
    ann, bob, cid = server.gather("-orders", "ann:v1", "bob", "cid")
    told = fine(ctl("broadcast", "chat-message", '{"content":\n"hello"}', "--all"))
    assert told == "chat-message goes to rooms: 1, connections: 3\n"
    fine(ctl("broadcast", "--", "-orders", "chat-message", '{"content":"one"}'))
    fine(ctl("broadcast", "--all", "chat-message", stdin='\n{"content":\n"two"}\n'))
    for client in (ann, bob, cid):
        for content in ("hello", "one", "two"):
            client.expect("chat-message", content=content)
    done = ctl("kick", "--reason", "spam", "--", "-orders", "ann")
    assert fine(done) == "ann is out of -orders; connections closed: 1\n"
    assert ann.expect_error("KICKED")["payload"]["message"] == "spam"
    assert ann.close_code() == 4403
    bob.until("user-left", user_id="ann")
    assert fine(ctl("close", "--", "-orders")) == "-orders is closed; members sent away: 2\n"
    for client in (bob, cid):
        assert client.close_code() == 4403


def test_tokens_are_revoked_and_read_from_standard_input_only(ctl, server):
    token = secrets.make_token("revoked")
    client = server.join("revoking", "revoked", token=token)
    assert fine(ctl("revoke", "--token-stdin", stdin=f"  {token}\n")) == "revoked; connections closed: 1\n"
    assert client.close_code() == 4401
    done = ctl("revoke", token)
    assert done.returncode == 2 and token not in done.stderr
    assert fine(ctl("revoke", "--user", "revoked")) == "revoked; connections closed: 0\n"
    assert fine(ctl("revoke", "--before", "2001-01-01T00:00:00Z")) == "revoked; connections closed: 0\n"
    assert fine(ctl("revoke", "--before", "978307200")) == "revoked; connections closed: 0\n"


def test_log_and_reload_say_what_they_did(ctl, server):
    assert fine(ctl("log", "warning")) == "the log shows warning and above\n"
    assert fine(ctl("log", "debug")) == "the log shows debug and above\n"
    assert fine(ctl("reload")) == "version 2 is in force; its files are unchanged\n"


def test_versions_of_the_policy_are_listed_used_and_discarded(lunasig, tmp_path):
    other = lunasig_server.Server(tmp_path)

    def ctl(*arguments):
        return lunasig("ctl", "policy", *arguments, DATA_DIR=other.folder / "data")

    try:
        assert fine(ctl("load")) == "version 2 is ready; in force is version 1; its files are unchanged\n"
        title, first, second = fine(ctl("list")).splitlines()
        assert title.split()[:2] == ["VERSION", "STATE"] and "in force" in first and "ready" in second
        assert fine(ctl("use", "2")) == fine(ctl("use", "2")) == "version 2 is in force\n"
        assert fine(ctl("rollback")) == "version 1 is in force\n"
        assert fine(ctl("discard", "2")) == "version 1 is in force\n"
        done = ctl("use", "2")
        assert (done.returncode, done.stderr) == (1, "lunasig ctl: there is no version 2\n")
        done = ctl("load", "/etc")
        assert done.returncode == 1 and "version 1 stays in force" in done.stderr and "outside of POLICY_DIR" in done.stderr
        done = ctl("lod")
        assert done.returncode == 2 and "there is no policy command lod; did you mean load?" in done.stderr
        assert ctl().returncode == 2 and ctl("use").returncode == 2 and ctl("use", "x").returncode == 2
    finally:
        other.end()


class Watch:
    """`lunasig ctl watch` while it runs, or another command that follows what happens."""

    def __init__(self, lunasig, server, *arguments, command="watch"):
        environment = lunasig.environment({"DATA_DIR": server.folder / "data"})
        self.process = subprocess.Popen([lunasig.path, "ctl", command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        server.line(lambda line: '"command":"watch"' in line and f'pid {self.process.pid}"' in line)

    def line(self):
        ready, _, _ = select.select([self.process.stdout], [], [], SECONDS)
        assert ready, "nothing comes"
        line = b""
        while not line.endswith(b"\n"):
            line += os.read(self.process.stdout.fileno(), 1) or b"\n"
        return line.decode()

    def end(self):
        self.process.kill()
        self.process.communicate(timeout=SECONDS)


def test_a_watch_shows_a_line_for_each_event(lunasig, server):
    watch = Watch(lunasig, server, "room=watched")
    ann = server.join("watched", "ann", v1=True)
    lines = [watch.line() for _ in range(3)]
    ann.send("evil\x1b[31m", {})
    lines.append(watch.line())
    ann.leave()
    lines += [watch.line() for _ in range(3)]
    watch.end()
    words = [line.split()[1] for line in lines]
    assert words == ["room-opened", "joined", "connected", "refused", "disconnected", "left", "room-closed"], lines
    assert " watched ann " in lines[1] and "UNKNOWN_TYPE" in lines[3] and "reason bye" in lines[5]
    assert not any("\x1b" in line for line in lines)


def test_a_call_is_shown_and_followed(ctl, lunasig, server):
    ann = server.join("called", "ann", v1=True)
    assert fine(ctl("call", "called")).splitlines()[0].startswith("room called on 20")
    assert [entry["event"] for entry in json.loads(fine(ctl("call", "called", "--json")))["entries"]] == ["joined"]
    following = Watch(lunasig, server, "called", "--follow", command="call")
    assert following.line().startswith("room called on 20")
    assert following.line().split()[-1] == "host"
    bob = server.join("called", "bob")
    assert following.line().split(None, 1)[1] == "bob               joined as participant\n"
    assert following.line().split(None, 1)[1] == "bob               connected\n"
    bob.send("evil\x1b[31m", {})
    assert following.line().split(None, 1)[1] == "bob → all         evil?[31m refused: UNKNOWN_TYPE: no policy declares this message type\n"
    assert "\x1b" not in fine(ctl("call", "called")) and "evil?[31m" in fine(ctl("call", "called"))
    ann.send("offer", {"type": "offer", "sdp": wire.SDP, "target_user_id": "nobody"})
    assert following.line().split(None, 1)[1] == "ann → nobody      offer refused: TARGET_NOT_FOUND: the target is not in this room\n"
    bob.leave()
    following.end()
    ann.leave()


def test_a_watch_ends_with_the_server_and_gives_json_lines(lunasig, tmp_path):
    (tmp_path / "other").mkdir()
    other = lunasig_server.Server(tmp_path / "other")
    try:
        watch = Watch(lunasig, other, "user=ann", "--json")
        ann = other.join("r1", "ann")
        assert json.loads(watch.line())["event"] == "room-opened"
        assert ann
    finally:
        other.end()
    out, err = watch.process.communicate(timeout=SECONDS)
    assert watch.process.returncode == 1 and b"the watch has ended" in err, (out, err)
    assert [json.loads(line)["user_id"] for line in out.splitlines()][0] == "ann"


def test_without_a_server_it_says_what_to_do_with_status_3(lunasig, tmp_path):
    done = lunasig("ctl", "status")
    assert (done.returncode, done.stdout) == (3, "")
    assert "data/control.sock" in done.stderr and "--data" in done.stderr
    done = lunasig("ctl", "status", CONTROL_SOCKET="none")
    assert done.returncode == 3 and "CONTROL_SOCKET is none" in done.stderr
    other = tmp_path / "other.sock"
    with wire.socket.socket(wire.socket.AF_UNIX) as listening:
        listening.bind(str(other))
        done = lunasig("ctl", "status", "--socket", other)
        assert done.returncode == 3 and "the server that made it is gone" in done.stderr
    done = lunasig("ctl", "status", "--socket", "x" * 200)
    assert done.returncode == 2 and "107 bytes" in done.stderr


def test_the_socket_is_found_as_the_server_finds_it(lunasig, server, tmp_path):
    path = server.folder / "data" / "control.sock"
    settings = tmp_path / "settings.env"
    settings.write_text(f"DATA_DIR={server.folder / 'data'}\n")
    for arguments, environment in (
        (["--data", server.folder / "data"], {}),
        ([f"--socket={path}"], {"PORT": "nonsense"}),
        (["-c", settings], {}),
        ([], {"CONTROL_SOCKET": path}),
    ):
        assert "uptime" in lunasig.fine("ctl", "status", *arguments, **environment), arguments


@pytest.mark.parametrize("no_colour", [False, True])
def test_colour_is_for_terminals_only(lunasig, server, no_colour):
    leader, follower = pty.openpty()
    environment = lunasig.environment({"DATA_DIR": server.folder / "data", **({"NO_COLOR": "1"} if no_colour else {})})
    subprocess.run([lunasig.path, "ctl", "rooms"], stdout=follower, env=environment, timeout=SECONDS, check=True)
    os.close(follower)
    output = b""
    until = time.monotonic() + SECONDS
    while b"REVISION" not in output and time.monotonic() < until:
        output += os.read(leader, 4096)
    os.close(leader)
    assert (b"\x1b[1m" in output) != no_colour, output


def test_drain_ends_the_server(lunasig, tmp_path):
    (tmp_path / "other").mkdir()
    other = lunasig_server.Server(tmp_path / "other")
    try:
        done = lunasig("ctl", "drain", DATA_DIR=tmp_path / "other" / "data")
        assert fine(done) == "the server drains and ends\n"
        assert other.wait() == 0, other.log
    finally:
        other.kill()
