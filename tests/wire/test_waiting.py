"""Who waits to be let in: what goes over his socket, and that he still waits after a reload, a lost connection and a restart."""

import lunasig_client as wire
import lunasig_secrets as secrets
import lunasig_webhooks as webhooks
import pytest
from lunasig_control import control
from test_drain import restart  # noqa: F401 (a fixture)

PATH = "/webrtc/rooms/{}/waiting-room"


def ask(server, room, method="GET", user="ann", rest="", **how):
    return server.http(method, PATH.format(room) + rest, token=secrets.make_token(user), **how)


def admit(server, room, user, by="ann"):
    answer = ask(server, room, "POST", by, f"/{user}/admit")
    assert answer.status == 200, answer.body


def close_door(server, room, *inside):
    """The host switches the waiting room on; everybody inside has read that."""
    settings = server.http("POST", f"/webrtc/rooms/{room}/settings", token=secrets.make_token("ann"), json_body={"enable_waiting_room": True})
    assert settings.status == 200, settings.body
    for client in inside:
        client.expect("room-settings-update")


def assert_alone(state, user):
    assert [p["user_id"] for p in state["participants"]] == [user] and state["participant_count"] == 1
    assert state["participants"][0]["waiting"] is True and "kept" not in state and state["session"]["resume_token"]


def say(client, text, **more):
    client.send("chat-message", {"content": text, **more})


@pytest.mark.parametrize("dialect", ["compat", "v1"])
def test_who_waits_hears_nothing_and_is_announced_when_he_is_let_in(server, room, dialect):
    ann, bob = server.gather(room, "ann:v1", "bob")
    close_door(server, room, ann, bob)
    eve = server.join(room, "eve", v1=dialect == "v1")
    assert_alone(eve.room_state, "eve")
    ann.expect("waiting-room-join", user_id="eve")
    say(ann, "between us")
    bob.expect("chat-message", content="between us")
    say(eve, "hello")
    assert eve.expect_error("STILL_WAITING")["payload"]["details"]["type"] == "chat-message"  # and nothing came before it
    say(bob, "psst", target_user_id="eve")
    assert bob.expect_error("STILL_WAITING")["payload"]["details"]["user_id"] == "eve"
    assert ask(server, room).json["participants"][0]["user_id"] == "eve"
    admit(server, room, "eve")
    state = eve.expect("room-state")["payload"]
    assert state["participant_count"] == 3 and "session" not in state
    assert ("self" in state) == (dialect == "v1")
    eve.expect("waiting-room-admit", user_id="eve", actioned_by="ann")
    ann.expect("user-joined", user_id="eve")
    assert bob.expect("room-state")["payload"]["participant_count"] == 3
    bob.expect("user-joined", user_id="eve")
    say(eve, "thank you")
    ann.until("chat-message", content="thank you")
    bob.until("chat-message", content="thank you")


def test_operators_see_who_waits_and_a_broadcast_does_not_reach_him(server, room):
    ann = server.join(room, "ann", v1=True)
    close_door(server, room, ann)
    eve = server.join(room, "eve", v1=True)
    ann.expect("waiting-room-join")
    with control(server) as ctl:
        listed = next(entry for entry in ctl.fine("rooms")["rooms"] if entry["room_id"] == room)
        assert (listed["members"], listed["waiting"]) == (2, 1)
        view = ctl.fine("room", room_id=room)
        assert view["waiting_count"] == 1
        assert [(m["user_id"], m["waiting"]) for m in view["members"]] == [("ann", False), ("eve", True)]
        assert ctl.fine("broadcast", room_id=room, type="chat-message", payload={"content": "all"})["connections"] == 1
        ann.expect("chat-message", content="all")
        admit(server, room, "eve")
        eve.expect("room-state")
        call = ctl.fine("call", room_id=room)
        assert call["waiting"] == 0
        told = [entry["event"] for entry in call["entries"] if entry.get("user_id") == "eve"]
        assert told == ["joined", "waiting", "admitted"]


def test_webhooks_tell_of_it(start_server, room):
    receiver = webhooks.Receiver()
    try:
        events = "joined,waiting,admitted,left"
        server = start_server(WEBHOOK_URL=receiver.url, WEBHOOK_SECRET=webhooks.SECRET, WEBHOOK_EVENTS=events)
        ann = server.join(room, "ann", v1=True)
        close_door(server, room, ann)
        server.join(room, "eve", v1=True)
        admit(server, room, "eve")
        receiver.expect("joined", user_id="ann", waiting=False)
        receiver.expect("joined", user_id="eve", waiting=True)
        receiver.expect("waiting", user_id="eve", waiting=True)
        receiver.expect("admitted", user_id="eve", waiting=False)
    finally:
        receiver.end()


def test_a_reload_lets_nobody_in(start_server, room, policy):
    server = start_server(**policy.settings)
    ann = server.join(room, "ann", v1=True)
    close_door(server, room, ann)
    eve = server.join(room, "eve", v1=True)
    ann.expect("waiting-room-join")
    policy.reload(server, "-- another version")
    say(ann, "still between us")
    say(eve, "hello")
    eve.expect_error("STILL_WAITING")
    assert ask(server, room).json["count"] == 1
    admit(server, room, "eve")
    assert eve.expect("room-state")["payload"]["participant_count"] == 2


def test_a_lost_connection_does_not_let_in(server, room):
    ann = server.join(room, "ann", v1=True)
    close_door(server, room, ann)
    eve = server.join(room, "eve", v1=True)
    ann.expect("waiting-room-join")
    eve.vanish()
    say(ann, "while he is away")
    eve = wire.resume(eve)
    assert eve.room_state["resumed"] is True and eve.room_state["self"]["waiting"] is True
    assert_alone(eve.room_state, "eve")
    say(eve, "hello")
    eve.expect_error("STILL_WAITING")
    eve.vanish()
    admit(server, room, "eve")
    eve = wire.resume(eve)
    assert eve.room_state["resumed"] is True and "waiting" not in eve.room_state["self"]
    assert eve.expect("room-state")["payload"]["participant_count"] == 2
    eve.expect("waiting-room-admit", user_id="eve")


@pytest.mark.parametrize("dialect", ["compat", "v1"])
def test_a_restart_lets_nobody_in(restart, room, dialect):  # noqa: F811
    server = restart()
    ann = server.join(room, "ann", v1=True)
    close_door(server, room, ann)
    eve = server.join(room, "eve", v1=dialect == "v1")
    ann.expect("waiting-room-join")
    server = restart(server, ann, eve)
    ann = wire.resume(ann, port=server.port)
    assert [p["user_id"] for p in ann.room_state["participants"]] == ["ann"]
    eve = wire.resume(eve, port=server.port) if dialect == "v1" else server.join(room, "eve")
    assert_alone(eve.room_state, "eve")
    say(eve, "hello")
    assert eve.until("error")[0]["payload"]["code"] == "STILL_WAITING"  # in front of it what he missed of the server's end
    assert ask(server, room).json["count"] == 1
    admit(server, room, "eve")
    assert eve.expect("room-state")["payload"]["participant_count"] == 2
    ann.until("user-joined", user_id="eve")


def test_the_last_who_could_let_in_is_lost_and_all_are_in(start_server, room):
    server = start_server(RESUME_WINDOW_S="1")
    ann = server.join(room, "ann", v1=True)
    close_door(server, room, ann)
    eve = server.join(room, "eve", v1=True)
    max = server.join(room, "max")
    ann.vanish()
    assert eve.until("room-state")[0]["payload"]["self"]["role"] == "host"
    assert max.until("room-state")[0]["payload"]["participant_count"] == 2
    say(max, "hello")
    eve.until("chat-message", content="hello")
