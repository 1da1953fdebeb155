"""Sockets that are lost: away, back, and left; what was missed comes once and in order, or an honest snapshot does."""

import json
import time

import lunasig_client as wire
import lunasig_secrets as secrets
import pytest

WINDOW_S = 4
SETTINGS = {"RESUME_WINDOW_S": WINDOW_S, "RESUME_FRAMES": "20", "WEBSOCKET_PING_S": "2", "WEBSOCKET_PONG_S": "1"}


def say(client, text):
    client.send("chat-message", {"content": text})


def numbers(messages):
    return [int(m["payload"]["content"]) for m in messages if m["type"] == "chat-message"]


def test_a_lost_client_gets_exactly_what_it_missed_in_order(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    for n in range(3):
        say(ann, str(n))
        bob.expect("chat-message", content=str(n))
    bob.vanish()
    ann.until("user-away", user_id="bob")
    for n in range(3, 8):
        say(ann, str(n))
    back = wire.resume(bob)
    assert back.room_state["resumed"] is True
    assert back.peer_id == bob.peer_id
    for n in range(3, 8):
        back.expect("chat-message", content=str(n))  # with the seq that follows: recv checks it
    ann.until("user-back", user_id="bob")
    say(back, "here")
    ann.until("chat-message", content="here")
    assert back.listen(0.2) == []


def test_what_was_in_flight_is_sent_again_from_the_last_seq(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    for n in range(10):
        say(ann, str(n))
    early = bob.seq
    for n in range(10):
        bob.expect("chat-message", content=str(n))
    bob.vanish()
    back = wire.resume(bob, seq=early + 4)  # as if the rest had been lost on the way
    assert back.room_state["resumed"] is True
    for n in range(4, 10):
        back.expect("chat-message", content=str(n))
    assert back.listen(0.2) == []


def test_a_resume_takes_over_a_socket_that_still_looks_open(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    resumed = server.metrics()["lunasig_resumes_total"]
    new = wire.resume(bob)
    assert new.room_state["resumed"] is True and new.peer_id == bob.peer_id
    assert bob.close_code() == 4409
    say(ann, "still")
    assert new.expect("chat-message", content="still")
    assert [m["type"] for m in ann.listen(0.3)] == []  # nobody left, nobody was away
    assert server.metrics()["lunasig_resumes_total"] == resumed + 1


def test_a_take_over_needs_no_second_place(start_server, room):
    server = start_server(WEBSOCKET_CONNECTION_LIMIT="1")
    ann = server.join(room, "ann", v1=True)
    new = wire.resume(ann)
    assert new.room_state["resumed"] is True
    assert ann.close_code() == 4409
    assert wire.refused(server, wire.room_path(room, secrets.make_token("ann")), wire.handshake_headers()).status == 429


def test_the_first_message_can_resume_too(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    bob.vanish()
    ann.until("user-away", user_id="bob")
    say(ann, "missed")
    back = wire.connect(server.port, room, v1=True)
    token = secrets.make_token("bob")
    back.send("auth", {"token": token, "resume": bob.room_state["session"]["resume_token"], "seq": bob.seq})
    state = json.loads(back.recv_text())
    assert state["type"] == "room-state" and state["payload"]["resumed"] is True and "seq" not in state
    back.seq = bob.seq
    back.expect("chat-message", content="missed")


def test_a_resume_token_is_good_until_the_client_is_heard_on_its_new_socket(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    first = bob.room_state["session"]["resume_token"]
    back = wire.resume(bob)
    assert back.room_state["session"]["resume_token"] != first
    back = wire.resume(bob, resume_token=first)  # as if that room-state had been lost on the way
    assert back.room_state["resumed"] is True
    back.send("ping", {})
    back.until("pong")
    other = wire.resume(bob, resume_token=first)
    assert other.room_state["resumed"] is False
    assert other.peer_id != bob.peer_id
    ann.until("peer-joined", peer_id=other.peer_id)


@pytest.mark.parametrize("kind", ["unknown", "other-user", "other-room", "empty", "huge", "strange"])
def test_a_token_that_is_not_his_is_an_ordinary_join(server, room, kind):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    elsewhere = server.join(room + "-b", "bob", v1=True)
    bob.vanish()
    ann.until("user-away", user_id="bob")
    token = {
        "unknown": "0" * 32,
        "other-user": ann.room_state["session"]["resume_token"],
        "other-room": elsewhere.room_state["session"]["resume_token"],
        "empty": "",
        "huge": "f" * 4000,
        "strange": "\u00e4\u20ac",
    }[kind]
    new = wire.resume(bob, resume_token=token)
    assert new.room_state["resumed"] is False and new.peer_id != bob.peer_id
    say(ann, "ok")
    new.until("chat-message", content="ok")


def test_more_than_what_is_kept_makes_a_snapshot_and_the_seq_goes_on(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    bob.vanish()
    ann.until("user-away", user_id="bob")
    for n in range(30):  # RESUME_FRAMES is 20
        say(ann, str(n))
    say(ann, "last")
    ann.send("ping", {})
    ann.until("pong")
    back = wire.resume(bob)
    assert back.room_state["resumed"] is False
    assert back.peer_id == bob.peer_id  # the session lived on
    assert back.seq > 0
    say(ann, "after")
    back.expect("chat-message", content="after")
    assert server.metrics()["lunasig_resumes_lossy_total"] >= 1


@pytest.mark.parametrize("seq", [10**6, 2**63, -5, 0, "x", ""])
def test_a_seq_that_was_never_sent_makes_a_snapshot(server, room, seq):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    say(ann, "1")
    bob.expect("chat-message")
    bob.vanish()
    ann.until("user-away", user_id="bob")
    client = wire.connect(server.port, room, "bob", v1=True, resume=bob.room_state["session"]["resume_token"], seq=seq)
    state = json.loads(client.recv_text())
    assert state["payload"]["resumed"] is False and state["payload"]["self"]["peer_id"] == bob.peer_id


def test_after_the_window_the_member_has_left_and_the_token_is_dead(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    began = time.monotonic()
    bob.vanish()
    ann.until("user-away", user_id="bob")
    left, _ = ann.until("user-left", user_id="bob")
    assert left["payload"]["reason"] == "timeout"
    assert WINDOW_S - 0.5 <= time.monotonic() - began < WINDOW_S + 3
    back = wire.resume(bob)
    assert back.room_state["resumed"] is False and back.peer_id != bob.peer_id


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4000])
def test_a_close_frame_of_the_client_is_leaving(server, room, code):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    bob.leave(code)
    left, before = ann.until("user-left", user_id="bob")
    assert left["payload"]["reason"] == "bye" and before == []
    back = wire.resume(bob)
    assert back.room_state["resumed"] is False


def test_a_resume_needs_a_good_token_of_the_same_user(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    bob.vanish()
    ann.until("user-away", user_id="bob")
    resume_token = bob.room_state["session"]["resume_token"]
    expired = secrets.make_token("bob", exp=int(time.time()) - 3600)
    answer = wire.refused(server, wire.room_path(room, expired, resume=resume_token, seq=0), wire.handshake_headers(Sec_WebSocket_Protocol=wire.V1))
    assert answer.status == 401
    thief = wire.connect(server.port, room, "eve", v1=True, resume=resume_token, seq=0)
    state = json.loads(thief.recv_text())
    assert state["payload"]["resumed"] is False and state["payload"]["self"]["user_id"] == "eve"
    assert wire.resume(bob).room_state["resumed"] is True  # it was not used up


def test_a_compat_client_that_returns_gets_what_was_queued_behind_its_one_room_state(server, room):
    ann, bob = server.gather(room, "ann", "bob")
    dan = server.join(room, "dan", v1=True)
    for client in (ann, bob):
        client.until("user-joined", user_id="dan")
    bob.vanish()
    dan.until("user-away", user_id="bob")
    for n in range(5):
        say(ann, str(n))
        dan.until("chat-message", content=str(n))
    back = server.join(room, "bob")
    assert back.room_state["reconnected"] is True and back.room_state["missed_message_count"] == 5
    assert [p["user_id"] for p in back.room_state["participants"]] == ["ann", "bob", "dan"]
    for n in range(5):
        back.expect("chat-message", content=str(n))
    assert ann.listen(0.2) == []  # nobody left, nobody came


def test_compat_room_states_have_fields_more_and_frames_no_more(server, room):
    ann = server.join(room, "ann")
    session = ann.room_state["session"]
    assert session["expires_in"] == WINDOW_S and len(session["resume_token"]) == 32 and session["id"]
    assert "resumed" not in ann.room_state and "reconnected" not in ann.room_state
    assert ann.listen(0.2) == []


def test_a_message_to_one_who_is_away_is_kept_for_him(server, room):
    ann, bob, cid = server.gather(room, "ann:v1", "bob:v1", "cid:v1")
    bob.vanish()
    ann.until("user-away", user_id="bob")
    ann.send("offer", {"sdp": wire.SDP, "type": "offer"}, target_id=bob.peer_id)
    ann.send("ice-candidate", {"candidate": wire.CANDIDATE}, target_id="bob")
    ann.send("ping", {})
    assert ann.recv()["type"] == "pong"  # no TARGET_NOT_FOUND
    back = wire.resume(bob)
    back.expect("offer", sdp=wire.SDP)
    back.expect("ice-candidate")
    cid.expect("user-away")
    cid.expect("user-back")
    assert cid.listen(0.2) == []


def test_participants_who_are_away_are_marked_in_v1(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    bob.vanish()
    ann.until("user-away", user_id="bob")
    cid = server.join(room, "cid", v1=True)
    assert {p["user_id"]: p.get("away") for p in cid.room_state["participants"]} == {"ann": None, "bob": True, "cid": None}
    wire.resume(bob)
    cid.until("user-back", user_id="bob")
    dan = server.join(room, "dan", v1=True)
    assert not any("away" in p for p in dan.room_state["participants"])


def test_pongs_free_what_was_kept(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    for n in range(10):
        say(ann, "x" * 1000)
    for client in (ann, bob):
        client.listen(0.3)
    assert server.metrics()["lunasig_kept_bytes"] > 5000
    until = time.monotonic() + wire.DEADLINE
    while server.metrics()["lunasig_kept_bytes"] > 1000:  # ann and bob answer pings while they listen
        assert time.monotonic() < until
        ann.listen(0.2)
        bob.listen(0.2)


def test_what_is_kept_for_all_is_bounded(start_server, room):
    server = start_server(RESUME_TOTAL_BYTES="64 KiB", RESUME_FRAMES="500", WEBSOCKET_MESSAGE_RATE_LIMIT="0")
    ann = server.join(room, "ann", v1=True)
    lost = [server.join(room, f"u{n}", v1=True) for n in range(4)]
    for client in lost:
        client.vanish()
        ann.until("user-away", user_id=client.user)
    for n in range(60):
        say(ann, "y" * 1000)
    ann.send("ping", {})
    ann.until("pong")
    assert server.metrics()["lunasig_kept_bytes"] <= 64 * 1024
    answers = [wire.resume(client).room_state["resumed"] for client in lost]
    assert False in answers  # and each of them has been told the truth: those that say True got everything
    assert server.metrics()["lunasig_connections_away"] == 0


def test_rates_survive_the_loss(start_server, room):
    server = start_server(WEBSOCKET_MESSAGE_RATE_LIMIT="1/s burst 5")
    ann = server.join(room, "ann", v1=True)
    bob = server.join(room, "bob", v1=True)
    for _ in range(5):
        say(bob, "x")
    ann.until("chat-message")
    bob.send("ping", {})
    bob.until("error")
    bob.vanish()
    back = wire.resume(bob)
    for _ in range(6):
        say(back, "late")
    assert len([m for m in ann.listen(0.6) if m["payload"].get("content") == "late"]) <= 1


def test_a_hundred_losses_in_a_row_lose_and_repeat_nothing(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    sent = 0
    heard = []
    for turn in range(100):
        for _ in range(turn % 4):
            ann.send("analytics-event", {"event_type": str(sent)})
            sent += 1
        if turn % 3 == 0:  # reads some of it before the line breaks
            while len(heard) < sent - 1:
                message = bob.recv()
                if message["type"] == "analytics-event":
                    heard.append(int(message["payload"]["event_type"]))
        bob.vanish() if turn % 2 else None
        bob = wire.resume(bob)
        assert bob.room_state["resumed"] is True, turn
        if turn % 10 == 0:
            time_left = time.monotonic() + wire.DEADLINE
            ann.send("ping", {})
            ann.until("pong", time_left - time.monotonic())
    while len(heard) < sent:
        message = bob.recv()
        if message["type"] == "analytics-event":
            heard.append(int(message["payload"]["event_type"]))
    assert heard == list(range(sent))
    assert bob.listen(0.2) == []
