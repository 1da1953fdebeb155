"""A server that stops and starts again: nobody has left, nothing is lost, and all come back in their own time."""

import os
import pathlib
import signal
import stat
import time

import lunasig_client as wire
import lunasig_secrets as secrets
import lunasig_server
import pytest
from lunasig_figures import show


@pytest.fixture
def restart(tmp_path):
    """restart(server, clients…, KEY=value, …): stops it if there is one, starts the next on the same data folder."""
    running = []

    def again(old=None, *clients, **settings):
        if old is not None:
            stop(old, *clients)
        new = lunasig_server.Server(tmp_path, settings)
        running.append(new)
        return new

    yield again
    for server in running:
        server.kill()
        server.check_log()


def stop(server, *clients):
    """Ends the server; it need not wait for those clients that answer its close."""
    seqs = [client.seq for client in clients]
    server.signal(signal.SIGTERM)
    for client, seq in zip(clients, seqs):
        assert client.close_code() == 1001
        client.seq = seq  # what came in these last moments counts as lost on the way
    assert server.wait() == 0, server.log


def say(client, text):
    client.send("chat-message", {"content": text})


def test_readiness_says_so_and_v1_is_told_when_to_come_back(restart, room):
    server = restart(DRAIN_RETRY_MS="1000")
    clients = [server.join(room, f"u{n}", v1=True) for n in range(8)]
    compat = server.join(room, "compat")
    stubborn = server.join(room, "stubborn", receive_buffer=4096)
    for _ in range(20):
        clients[0].send("analytics-event", {"event_type": "x", "data": {"fill": "x" * 60000}})
    server.signal(signal.SIGTERM)
    began = time.monotonic()
    hints = []
    for client in clients:
        notice, _ = client.until("draining")
        hints.append(notice["payload"]["retry_after_ms"])
        assert client.close_code() == 1001
    assert all(0 <= hint <= 1000 for hint in hints) and len(set(hints)) > 1
    assert compat.close_code() == 1001
    assert not any(m["type"] in ("draining", "user-left", "user-away") for m in compat.last_words)
    assert stubborn.wire is not None
    assert server.wait() == 0
    assert time.monotonic() - began < 5


def test_v1_clients_resume_over_a_restart_and_nobody_has_left(restart, room):
    server = restart()
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    for n in range(5):
        say(ann, str(n))
    for n in range(4):
        bob.expect("chat-message", content=str(n))  # one is still on its way
    server = restart(server, ann, bob)
    back = wire.resume(bob, port=server.port)
    assert back.room_state["resumed"] is True and back.peer_id == bob.peer_id
    back.expect("chat-message", content="4")
    participants = {p["user_id"]: p for p in back.room_state["participants"]}
    assert participants["ann"]["away"] is True and participants["ann"]["role"] == "host"
    assert participants["ann"]["peers"] == [{"peer_id": ann.peer_id, "join_seq": 1}]
    again = wire.resume(ann, port=server.port)
    assert again.room_state["resumed"] is True and again.room_state["self"]["role"] == "host"
    back.until("user-back", user_id="ann")
    say(again, "on we go")
    back.expect("chat-message", content="on we go")
    assert server.metrics()["lunasig_joins_total"] == 0


def test_compat_clients_find_each_other_again(restart, room):
    server = restart()
    ann, bob = server.gather(room, "ann", "bob")
    joined = {p["user_id"]: p["joined_at"] for p in bob.room_state["participants"]}
    server = restart(server, ann, bob)
    back = server.join(room, "ann")
    assert {p["user_id"]: p["joined_at"] for p in back.room_state["participants"]} == joined
    assert back.room_state["reconnected"] is True
    server.join(room, "bob")
    assert back.listen(0.3) == []  # nobody came, nobody left


def test_who_does_not_come_back_has_left_after_the_window(restart, room):
    server = restart(RESUME_WINDOW_S="2")
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    server = restart(server, ann, bob, RESUME_WINDOW_S="2")
    back = wire.resume(ann, port=server.port)
    assert back.room_state["resumed"] is True
    left, _ = back.until("user-left", user_id="bob")
    assert left["payload"]["reason"] == "timeout"


def test_ids_and_roles_go_on(restart, room):
    server = restart()
    ann, bob, cid = server.gather(room, "ann:v1", "bob:v1", "cid:v1")
    cid.leave()
    bob.until("user-left", user_id="cid")
    ann.leave()
    bob.until("role-updated", user_id="bob", role="host")
    bob.send("chat-message", {"content": "7"}, id=7)
    bob.until("ack", id=7)
    server = restart(server, bob)
    back = wire.resume(bob, port=server.port)
    assert back.room_state["session"]["last_id"] == 7
    back.listen(0.2)
    back.send("chat-message", {"content": "7"}, id=7)
    back.until("ack", id=7)
    ann = server.join(room, "ann", v1=True)
    assert ann.room_state["self"]["role"] == "moderator"  # the former host


def test_the_file_is_private_and_good_for_one_start(restart, room, tmp_path):
    server = restart()
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    ann.send("offer", {"sdp": wire.SDP, "type": "offer"}, target_id="bob")
    bob.expect("offer")
    stop(server, ann, bob)
    file = pathlib.Path(tmp_path / "data" / "sessions")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ann.room_state["session"]["resume_token"] not in file.read_text()
    server = restart()
    assert not file.exists()
    assert wire.resume(bob, port=server.port).room_state["resumed"] is True


def test_an_old_file_and_a_damaged_one_are_dropped_and_said(restart, room, tmp_path):
    server = restart()
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    stop(server, ann, bob)
    file = pathlib.Path(tmp_path / "data" / "sessions")
    whole = file.read_text()
    lines = whole.splitlines(keepends=True)
    head = lines[0]
    for text, number in (
        (head.replace('"saved_at":1', '"saved_at":0') + "".join(lines[1:]), 1),
        (head.replace('"version":2', '"version":9') + "".join(lines[1:]), 1),
        ("".join(lines[1:]), 1),
        (head + "nonsense\n", 2),
        (head + '{"kind":"member","id":"x","username":"x","role":1}\n', 2),
        (head + lines[1] + '{"kind":"former","id":"x","role":99}\n', 3),
        (whole[:-10], len(lines)),
        ("\x00\xff" * 100, 1),
        (head + '{"kind":"frame","text":"{}"}\n', 2),
    ):
        file.write_bytes(text.encode("latin-1"))
        server = restart()
        dropped = server.event("sessions-dropped")
        assert dropped["line"] == number, (dropped, text[:80])
        assert server.join(room + "-new", "eve").room_state["participant_count"] == 1
        server.kill()
        file.unlink(missing_ok=True)


def test_one_who_may_not_come_back_does_not_keep_the_others(restart, room):
    server = restart(WEBSOCKET_CONNECTION_LIMIT="3")
    twins = [server.join(room, "ann", v1=True) for _ in range(3)]
    bob = server.join(room, "bob", v1=True)
    server = restart(server, *twins, bob, WEBSOCKET_CONNECTION_LIMIT="2")
    assert server.event("sessions-restored")["away"] == 3
    back = wire.resume(bob, port=server.port)
    assert back.room_state["resumed"] is True
    assert [len(p["peers"]) for p in back.room_state["participants"]] == [2, 1]


def test_without_a_window_only_what_rooms_remember_is_kept(restart, room, tmp_path):
    server = restart(RESUME_WINDOW_S="0")
    stop(server, *server.gather(room, "ann:v1", "bob:v1"))
    kinds = [line.split('"')[3] for line in (tmp_path / "data" / "sessions").read_text().splitlines()]
    assert "former" in kinds and not {"member", "connection", "frame"} & set(kinds)
    server = restart(RESUME_WINDOW_S="0")
    assert server.event("sessions-restored")["away"] == 0
    bob, ann = server.gather(room, "bob:v1", "ann:v1")
    assert ann.room_state["self"]["role"] == "moderator" and bob.room_state["self"]["role"] == "host"


def test_without_anybody_no_file_is_written(restart, tmp_path):
    stop(restart())
    assert not os.path.exists(tmp_path / "data" / "sessions")


def test_many_sessions_survive(restart):
    server = restart(WEBSOCKET_ADDRESS_LIMIT="0", RESUME_WINDOW_S="60")
    clients = [server.join(f"r{n // 5}", f"u{n}", v1=True) for n in range(400)]
    began = time.monotonic()
    server = restart(server, *clients, WEBSOCKET_ADDRESS_LIMIT="0", RESUME_WINDOW_S="60")
    assert server.event("sessions-restored")["away"] == 400
    served = time.monotonic()
    assert all(wire.resume(client, port=server.port).room_state["resumed"] for client in clients)
    show(f"400 sessions: {1000 * (served - began):.0f} ms from SIGTERM until the next server is ready, {1000 * (time.monotonic() - served) / 400:.1f} ms for each resume, one after the other")
