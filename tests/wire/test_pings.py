"""Silence: who answers pings stays, however quiet; who does not is gone after WEBSOCKET_PING_S and WEBSOCKET_PONG_S."""

import time

import lunasig_client as wire
import pytest

PING_S, PONG_S = 1, 1
SETTINGS = {"RESUME_WINDOW_S": "1", "WEBSOCKET_PING_S": PING_S, "WEBSOCKET_PONG_S": PONG_S}


@pytest.mark.parametrize("v1", [False, True])
def test_a_quiet_client_that_answers_pings_stays(server, room, v1):
    ann = server.join(room, "ann", v1=v1)
    for _ in range(3):
        while (frame := ann.recv_frame()).opcode != wire.PING:
            pass
        ann.send_frame(wire.PONG, frame.data)
    bob = server.join(room, "bob", v1=True)
    assert [p["user_id"] for p in bob.room_state["participants"]] == ["ann", "bob"]


def test_a_client_that_answers_no_ping_is_away_after_the_time_for_it_and_then_has_left(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    start = time.monotonic()
    bob.until("user-away", user_id="ann")  # reading, bob answers; ann does not read
    assert PING_S + PONG_S - 0.5 < time.monotonic() - start < PING_S + PONG_S + 3
    assert ann.wire.ends() is not None
    gone, _ = bob.until("user-left", user_id="ann")
    assert gone["payload"]["reason"] == "timeout"


def test_a_client_that_talks_is_not_asked(server, room):
    ann = server.join(room, "ann")
    until = time.monotonic() + 2.5 * PING_S
    while time.monotonic() < until:
        ann.send("chat-message", {"content": "x"})
        with pytest.raises(TimeoutError):
            assert ann.recv_frame(0.3).opcode != wire.PING
