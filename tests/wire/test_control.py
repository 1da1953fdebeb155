"""The control socket: what operators see and do through it, who may, and what happens at its bounds."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time

import lunasig_client as wire
import lunasig_figures
import lunasig_secrets as secrets
import lunasig_server
import pytest
from lunasig_control import Control, control, path_of

OFFER = {"type": "offer", "sdp": wire.SDP}


def fails(tmp_path, *mentions, **settings):
    """The server does not start with these settings, and says why."""
    server = lunasig_server.Server(tmp_path, settings, wait=False)
    try:
        assert server.wait(lunasig_server.START_SECONDS) == 3, server.log
    finally:
        server.kill()
    for mention in mentions:
        assert mention in server.log, server.log


# -- looking


def test_status_rooms_room_and_user_tell_what_is_there(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob")
    server.join(f"{room}-2", "ann")
    with control(server) as ctl:
        status = ctl.fine("status")
        assert status["policy_version"] == 1 and status["draining"] is False
        assert status["rooms"] >= 2 and status["members"] >= 3 and status["memory_bytes"] > 1 << 20
        rooms = ctl.fine("rooms")
        assert rooms["rooms"][0] == {"room_id": room, "members": 2, "connections": 2, "away": 0, "waiting": 0, "revision": ann.room_state["revision"] + 1}
        answer = ctl.fine("room", room_id=room)
        assert [member["user_id"] for member in answer["members"]] == ["ann", "bob"]
        assert answer["members"][0]["role"] == "host"
        assert answer["members"][0]["connections"][0]["peer_id"] == ann.peer_id
        assert "127.0.0.1" not in json.dumps(answer)
        assert "127.0.0.1" in json.dumps(ctl.fine("room", room_id=room, addresses=True))
        assert {entry["room_id"] for entry in ctl.fine("user", user_id="ann")["rooms"]} == {room, f"{room}-2"}
        assert room in ctl.refused(404, "room", room_id=f"{room}-9")
        assert "nobody-here" in ctl.refused(404, "user", user_id="nobody-here")
    assert bob


def test_an_away_member_is_shown_as_such(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    ann.vanish()
    bob.until("user-away", user_id="ann")
    with control(server) as ctl:
        member = ctl.fine("room", room_id=room, addresses=True)["members"][0]
        assert member["away"] is True
        assert member["connections"][0]["away"] is True and member["connections"][0]["address"] is None
        assert ctl.fine("status")["away"] >= 1


# -- doing


@pytest.mark.parametrize("dialect", ["compat", "v1"])
def test_a_kick_closes_with_4403_and_the_others_hear_it(server, room, dialect):
    ann, bob = server.gather(room, f"ann:{dialect}", "bob:v1")
    with control(server) as ctl:
        assert ctl.fine("kick", room_id=room, user_id="ann", reason="spam, again")["connections"] == 1
        ann.expect_error("KICKED")
        assert ann.close_code() == 4403
        bob.expect("user-left", user_id="ann", reason="kicked")
        assert "ann" in ctl.refused(404, "kick", room_id=room, user_id="ann")
    assert server.event("operator")["who"].startswith(f"uid {os.getuid()} pid {os.getpid()}")


def test_who_is_kicked_is_out_of_the_room_also_when_its_client_never_answers(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    began = time.monotonic()
    with control(server) as ctl:
        assert ctl.fine("kick", room_id=room, user_id="ann")["connections"] == 1
        assert [it["user_id"] for it in ctl.fine("room", room_id=room)["members"]] == ["bob"]
    bob.expect("user-left", user_id="ann", reason="kicked")
    again = server.join(room, "ann", v1=True)
    bob.until("user-joined", user_id="ann")
    assert time.monotonic() - began < 4  # the server waits five seconds for the answer to its close frame
    ann.send("chat-message", {"content": "still here"})
    assert bob.listen(0.3) == []
    assert ann.close_code() == 4403
    assert again.room_state["participant_count"] == 2


def test_a_kicked_member_cannot_resume_and_one_who_is_away_leaves_at_once(server, room):
    ann, bob, cid = server.gather(room, "ann:v1", "bob:v1", "cid:v1")
    ann.vanish()
    bob.until("user-away", user_id="ann")
    with control(server) as ctl:
        assert ctl.fine("kick", room_id=room, user_id="ann")["connections"] == 1
        bob.expect("user-left", user_id="ann", reason="kicked")
        assert ctl.fine("kick", room_id=room, user_id="cid")["connections"] == 1
        cid.until("error")
        assert cid.close_code() == 4403
        bob.until("user-left", user_id="cid")
    assert wire.resume(ann, seq=ann.seq).room_state["resumed"] is False
    assert wire.resume(cid, seq=cid.seq).room_state["resumed"] is False


def test_close_sends_everybody_out(server, room):
    clients = server.gather(room, "ann", "bob:v1", "cid")
    with control(server) as ctl:
        assert ctl.fine("close", room_id=room) == {"room_id": room, "members": 3, "connections": 3}
        for client in clients:
            assert client.close_code() == 4403
        server.join(room, "dan")  # it is no lock
        assert ctl.fine("room", room_id=room)["member_count"] == 1


def test_a_broadcast_reaches_one_room_or_all_in_both_dialects(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob")
    far = server.join(f"{room}-2", "far")
    with control(server) as ctl:
        payload = {"content": "Pause at three", "user_id": "server"}
        assert ctl.fine("broadcast", room_id=room, type="chat-message", payload=payload)["connections"] == 2
        for client in (ann, bob):
            message = client.expect("chat-message", **payload)
            assert message["sender_id"] is None and message["room_id"] == room
        assert ctl.fine("broadcast", all=True, type="chat-message", payload={"content": "all"})["rooms"] >= 2
        for client in (ann, bob, far):
            client.expect("chat-message", content="all")
        assert "no-such-type" in ctl.refused(400, "broadcast", room_id=room, type="no-such-type", payload={})
        assert "content" in ctl.refused(400, "broadcast", room_id=room, type="chat-message", payload={"content": 7})


def test_a_revoked_token_closes_its_sockets_and_opens_none(server, room):
    user = f"revoked-{room}"
    token, other = secrets.make_token(user), secrets.make_token(user)
    ann = server.join(room, user, token=token, v1=True)
    again = server.join(f"{room}-2", user, token=other)
    with control(server) as ctl:
        assert ctl.fine("revoke", token=token) == {"revoked": True, "connections": 1}
        ann.expect_error("TOKEN_INVALID")
        assert ann.close_code() == 4401
        wire.assert_unauthorized(wire.refused(server, wire.room_path(room, token)))
        assert ctl.fine("revoke", token=token)["connections"] == 0
        assert ctl.fine("revoke", user_id=user)["connections"] == 1
        assert again.close_code() == 4401
        wire.assert_unauthorized(wire.refused(server, wire.room_path(room, other)))
        assert "jti" in ctl.refused(400, "revoke", token=secrets.make_token("bob", jti=None))
        assert "expired" in ctl.refused(400, "revoke", token=secrets.make_token("bob", iat=1, exp=2))
        ctl.refused(400, "revoke", token="not.a.token")
        ctl.refused(400, "revoke", before=4000000000)


def test_the_level_of_the_log_changes_at_once(start_server):
    server = start_server(LOG_LEVEL="info")
    with control(server) as ctl:
        ctl.fine("status")
        ctl.fine("log", level="debug")
        assert server.event("operator")["log_level"] == "debug"
        start = len(server.lines)
        ctl.fine("status")
        assert server.event("operator", start)["command"] == "status"
        ctl.fine("log", level="error")
        server.line(lambda line: '"log_level":"error"' in line)
        start = len(server.lines)
        ctl.fine("status")
        ctl.fine("log", level="info")
        seen = server.event("operator", start)
        assert (seen["command"], seen["log_level"]) == ("log", "info")


def test_a_reload_puts_a_new_policy_in_force(start_server, policy):
    server = start_server(**policy.settings)
    with control(server) as ctl:
        answer = ctl.fine("reload")
        assert answer["version"] == answer["in_force"] == 2 and answer["unchanged"] is True
        assert ctl.fine("status")["policy_version"] == 2


def test_a_drain_ends_the_server_as_sigterm_does(tmp_path, room):
    server = lunasig_server.Server(tmp_path)
    try:
        ann = server.join(room, "ann", v1=True)
        with control(server) as ctl:
            assert ctl.fine("drain") == {"draining": True}
            assert ctl.fine("status")["draining"] is True
            ann.expect("draining")
            assert ann.close_code() == 1001
            assert server.wait() == 0, server.log
            assert ctl.line() is None
        assert not path_of(server).exists()
    finally:
        server.kill()
        server.check_log()


# -- watching


def test_a_watch_tells_who_does_what_and_no_payload(server, room):
    with control(server) as ctl:
        assert ctl.fine("watch", room_id=room) == {"room_id": room}
        ann, bob = server.gather(room, "ann:v1", "bob:v1")
        ann.send("offer", OFFER, target_id="bob")
        bob.expect("offer")
        ann.send("no-such-type")
        ann.until("error")
        bob.leave()
        seen = [ctl.until("room-opened"), ctl.until("joined", user_id="ann"), ctl.until("joined", user_id="bob")]
        message = ctl.until("message")
        seen.append(message)
        assert message["type"] == "offer" and message["target"] == "bob" and message["user_id"] == "ann"
        assert message["peer_id"] == ann.peer_id and message["bytes"] > len(wire.SDP)
        seen.append(ctl.until("refused", code="UNKNOWN_TYPE", user_id="ann"))
        seen.append(ctl.until("left", user_id="bob", reason="bye"))
        assert secrets.SDP_MARK not in json.dumps(seen)
    start = len(server.lines)
    server.join(room, "cid")
    server.event("joined", start)  # nobody watches any more, and nothing is wrong


def test_a_watch_of_a_user_goes_over_rooms(server, room):
    with control(server) as ctl:
        ctl.fine("watch", user_id=f"u-{room}")
        server.join(room, f"u-{room}")
        server.join(f"{room}-2", f"u-{room}")
        server.join(room, "other")
        assert ctl.until("joined")["room_id"] == room
        assert ctl.until("joined")["room_id"] == f"{room}-2"


def flood(server, room, count):
    """Two members; one says so much that a watcher who does not read cannot keep up. Gives them."""
    ann, bob = server.gather(room, "ann", "bob")
    for number in range(count):
        ann.send("chat-message", {"content": f"{number}"})
        if number % 50 == 49:
            bob.until("chat-message", content=f"{number}")
    return ann, bob


def test_a_watcher_who_is_too_slow_loses_lines_and_is_told_how_many(server, room):
    with control(server, receive_buffer=4096) as ctl:
        ctl.fine("watch", room_id=room)
        ann, _ = flood(server, room, 5000)
        ann.send("chat-message", {"content": "the last"})
        told, dropped = 0, []
        while told + sum(dropped) < 5001:
            line = ctl.line()
            told += line["event"] == "message"
            dropped += [line["count"]] if line["event"] == "dropped" else []
        assert told + sum(dropped) == 5001 and sum(dropped) > 100, (told, dropped)
        assert len(dropped) == 1, "they are said together, not one by one"
        ann.send("chat-message", {"content": "one more"})
        assert ctl.until("message")["type"] == "chat-message"


def test_a_watcher_who_reads_nothing_for_ten_seconds_is_closed(server, room):
    with control(server, receive_buffer=4096) as ctl:
        ctl.fine("watch", room_id=room)
        ann, bob = flood(server, room, 4000)
        start = len(server.lines)
        for number in range(100):
            ann.send("chat-message", {"content": f"more {number}"})
            bob.until("chat-message", content=f"more {number}")
            bob.listen(0.15)
            if any("watch-closed" in line for line in server.lines[start:]):
                break
        server.event("watch-closed", start, timeout=1)


# -- bounds and bad requests


def test_bad_requests_are_answered_and_the_connection_stays(server):
    with control(server) as ctl:
        for text, detail in (
            (b"hello", "not JSON"),
            (b"[]", "object"),
            (b'{"command":"stauts"}', "did you mean status"),
            (b'{"command":"room"}', "room_id"),
            (b'{"command":"status","x":1}', "nothing is called x"),
            (b"\xff\xfe", "not JSON"),
            (b'{"command":"' + b"[" * 60000, "not JSON"),
        ):
            ctl.send(text + b"\n")
            line = ctl.line()
            assert line["status"] == 400 and detail in line["answer"]["detail"], line
        ctl.send(b"\n\r\n")
        assert ctl.fine("status")


def test_many_requests_in_one_write_are_answered_in_order(server, room):
    server.join(room, "ann")
    with control(server) as ctl:
        ctl.send(b"".join(b'{"command":"user","user_id":"u%d"}\n' % n for n in range(2000)))
        for n in range(2000):
            assert ctl.line()["answer"]["detail"] == f"u{n} is in no room"


def test_who_asks_much_and_reads_nothing_is_no_longer_read_from(server, room):
    server.gather(room, *[f"u{n}:v1" for n in range(48)])  # an answer has 11 KB
    with control(server, receive_buffer=4096) as ctl:
        ctl.socket.settimeout(0.5)
        question = json.dumps({"command": "room", "room_id": room}).encode() + b"\n"
        asked = 0
        with pytest.raises(TimeoutError):
            while asked < 200_000:
                ctl.socket.send(question * 600)
                asked += 600
        with control(server) as other:
            assert lunasig_figures.SANITIZED or other.fine("status")["memory_bytes"] < 256 << 20
        for _ in range(100):
            assert ctl.line()["answer"]["room_id"] == room


def test_a_line_that_is_too_long_ends_the_connection(server):
    with control(server) as ctl:
        try:
            ctl.send(b"x" * 200_000)
        except ConnectionError:
            pass
        line = ctl.line()
        assert line["status"] == 413
        assert ctl.line() is None


def test_who_hangs_up_after_asking_gets_the_answer(server):
    with control(server) as ctl:
        ctl.send(b'{"command":"status"}\n{"command":"rooms"}\n')
        ctl.socket.shutdown(socket.SHUT_WR)
        assert "uptime_s" in ctl.line()["answer"]
        assert "count" in ctl.line()["answer"]
        assert ctl.line() is None


def test_the_seventeenth_connection_is_refused(server):
    others = [control(server) for _ in range(16)]
    for other in others:
        assert other.fine("status")
    with control(server) as ctl:
        assert ctl.line()["status"] == 503
        assert ctl.line() is None
    others.pop().close()
    assert others[0].fine("status")  # the server has seen by now that one is gone
    others.append(control(server))
    assert others[-1].fine("status")
    for other in others:
        other.close()


# -- the file


def test_the_socket_is_for_owner_and_group_and_is_removed_at_the_end(tmp_path):
    server = lunasig_server.Server(tmp_path)
    path = path_of(server)
    try:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660 and stat.S_ISSOCK(path.stat().st_mode)
        assert server.event("control-listening")["path"] == str(path)
        server.end()
    finally:
        server.kill()
    assert not path.exists()


def test_a_stale_socket_is_replaced_and_a_live_one_is_not(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    path = tmp_path / "ctl.sock"
    first = lunasig_server.Server(tmp_path / "one", {"CONTROL_SOCKET": path})
    try:
        fails(tmp_path / "two", str(path), f"process {first.process.pid}", "CONTROL_SOCKET", CONTROL_SOCKET=path)
        with Control(path) as ctl:
            assert ctl.fine("status")
        first.signal(signal.SIGKILL)
        first.process.wait()
        assert path.exists()
        second = lunasig_server.Server(tmp_path / "two", {"CONTROL_SOCKET": path})
        try:
            with Control(path) as ctl:
                assert ctl.fine("status")
        finally:
            second.end()
    finally:
        first.kill()


def test_a_socket_that_somebody_else_made_there_is_not_removed(tmp_path):
    path = tmp_path / "ctl.sock"
    server = lunasig_server.Server(tmp_path, {"CONTROL_SOCKET": path})
    try:
        path.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
            server.end()
            assert path.exists()
    finally:
        server.kill()


def test_any_other_file_in_its_place_is_an_error(tmp_path):
    path = tmp_path / "ctl.sock"
    path.write_text("mine")
    fails(tmp_path, str(path), "no socket", CONTROL_SOCKET=path)
    assert path.read_text() == "mine"


def test_a_path_without_a_folder_or_too_long_is_an_error_that_says_so(tmp_path):
    fails(tmp_path, "No such file", "CONTROL_SOCKET", CONTROL_SOCKET=tmp_path / "none" / "ctl.sock")
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    fails(tmp_path, "107 bytes", "CONTROL_SOCKET", DATA_DIR=folder)


def test_none_is_no_socket(start_server):
    server = start_server(CONTROL_SOCKET="none")
    assert not path_of(server).exists()
    assert "control-listening" not in server.log


ASK = """
import os, socket, sys
path, uid, gid, groups = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), [int(g) for g in sys.argv[4:]]
os.setgroups(groups)
os.setgid(gid)
os.setuid(uid)
client = socket.socket(socket.AF_UNIX)
client.settimeout(10)
client.connect(path)
try:
    client.sendall(b'{"command":"status"}\\n')
except OSError:
    pass
sys.stdout.write(client.makefile().readline())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_only_the_owner_root_and_the_group_of_the_socket_may_speak(start_server):
    folder = lunasig_server.pathlib.Path("/tmp") / f"lunasig-control-{os.getpid()}"
    folder.mkdir(mode=0o755)
    path = folder / "ctl.sock"
    try:
        server = start_server(CONTROL_SOCKET=path)

        def ask(*identity):
            done = subprocess.run(
                [sys.executable, "-c", ASK, str(path), *map(str, identity)], capture_output=True, text=True, timeout=30, check=True
            )
            return json.loads(done.stdout)["status"]

        path.chmod(0o666)  # what the file allows is not all that is looked at
        os.chown(path, -1, 4242)
        assert ask(65534, 65534) == 403
        assert server.event("operator-refused")["who"].startswith("uid 65534")
        assert ask(65534, 4242) == 200
        assert ask(65534, 65534, 4241, 4242) == 200
        assert ask(65534, 65534, 4241) == 403
        assert ask(0, 0) == 200
    finally:
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()
