"""Numbered messages: acknowledged once they are queued, never relayed twice; ping and pong."""

import time

import lunasig_client as wire
import lunasig_secrets as secrets
import pytest

SETTINGS = {"RESUME_WINDOW_S": "5"}


def say(client, text, id):
    client.send("chat-message", {"content": text}, id=id)


def test_an_accepted_message_is_acknowledged(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    say(ann, "one", 1)
    ann.expect("ack", id=1)
    message = bob.expect("chat-message", content="one")
    assert "id" not in message


def test_compat_gets_no_acks(server, room):
    ann, bob = server.gather(room, "ann", "bob")
    say(ann, "one", 1)
    say(ann, "again", 1)
    bob.expect("chat-message", content="one")
    bob.expect("chat-message", content="again")
    assert ann.listen(0.2) == []


def test_a_message_sent_again_is_acknowledged_again_and_relayed_once(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    for id in (5, 5, 4, 6):
        say(ann, str(id), id)
        ann.expect("ack", id=id)
    assert [m["payload"]["content"] for m in bob.listen(0.3)] == ["5", "6"]


def test_a_refused_message_is_named_and_not_acknowledged(server, room):
    ann = server.join(room, "ann", v1=True)
    ann.send("chat-message", {"content": 7}, id=3)
    error = ann.expect_error("INVALID_MESSAGE")
    assert error["payload"]["details"]["id"] == 3
    say(ann, "right", 3)
    ann.expect("ack", id=3)


@pytest.mark.parametrize("id", [0, -1, 1.5, "7", True, [1]])
def test_an_id_is_a_positive_integer(server, room, id):
    ann = server.join(room, "ann", v1=True)
    ann.send("chat-message", {"content": "x"}, id=id)
    ann.expect_error("INVALID_MESSAGE")


def test_after_a_loss_the_server_says_the_last_id_and_what_is_sent_again_is_not_doubled(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    for id in (1, 2, 3):
        say(bob, str(id), id)
        ann.expect("chat-message", content=str(id))
    bob.vanish()  # before it has read its acks
    back = wire.resume(bob)
    assert back.room_state["session"]["last_id"] == 3
    assert [m["payload"]["id"] for m in back.listen(0.3)] == [1, 2, 3]  # acks are frames like others
    for id in (2, 3, 4):
        say(back, str(id), id)
        back.expect("ack", id=id)
    ann.until("chat-message", content="4")
    assert ann.listen(0.2) == []


def test_a_ping_is_answered_with_its_payload(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    ann.send("ping", {"at": 12, "text": "ä"})
    ann.expect("pong", at=12, text="ä")
    assert bob.listen(0.2) == []
    ann.send("ping", {}, id=9)
    ann.expect("pong")
    ann.expect("ack", id=9)


def test_a_fresh_token_in_band_keeps_the_connection(start_server, room):
    server = start_server(JWT_LEEWAY_S="0")
    ann = server.connect(room, token=secrets.make_token("ann", exp=int(time.time()) + 4), v1=True)
    state = ann.expect("room-state")
    assert state["payload"]["self"]["user_id"] == "ann"
    expiring, _ = ann.until("token-expiring")
    assert 0 < expiring["payload"]["expires_at"] - time.time() <= 5
    ann.send("auth", {"token": secrets.make_token("bob")})
    ann.expect_error("TOKEN_INVALID")
    end = int(time.time()) + 7
    ann.send("auth", {"token": secrets.make_token("ann", exp=end)})
    ann.expect("token-refreshed", expires_at=end)
    ann.until("token-expiring", expires_at=end)
    ann.until("error", code="TOKEN_EXPIRED")
    assert time.time() >= end
    assert ann.close_code() == 4401
    ann.user, ann.port, ann.room_state = "ann", server.port, state["payload"]
    assert wire.resume(ann).room_state["resumed"] is False  # who was sent away does not resume
