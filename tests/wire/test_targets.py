"""Targets: where a message names its receiver, and who gets it."""

import json

import lunasig_client as wire
import pytest

TOP = ["target_id", "target", "to"]
IN_PAYLOAD = ["target_user_id", "target_id", "targetUserId", "receiver_id", "recipient_user_id"]
NAMES = [("top", n) for n in TOP] + [("payload", n) for n in IN_PAYLOAD]


def say(client, text="mark", **top):
    client.send("chat-message", {"content": text}, **top)


def send_with(client, names, text="to you"):
    """A message with these (place, name, value)s."""
    message = {"type": "chat-message", "payload": {"content": text}}
    for place, name, value in names:
        (message if place == "top" else message["payload"])[name] = value
    client.send_text(json.dumps(message))


def assert_only(receiver, others, sender, text="to you"):
    """receiver has the message; what the others get next is the broadcast behind it."""
    receiver.expect("chat-message", content=text)
    say(sender, "to all")
    for client in (receiver, *others):
        client.expect("chat-message", content="to all")


@pytest.fixture(params=["compat", "v1"])
def trio(server, room, request):
    return server.gather(room, *(f"{user}:{request.param}" for user in ("ann", "bob", "cid")))


@pytest.mark.parametrize("place,name", NAMES)
def test_every_name_of_a_target_is_understood(server, room, place, name):
    ann, bob, cid = server.gather(room, "ann", "bob", "cid")
    send_with(ann, [(place, name, "bob")])
    assert_only(bob, [cid], ann)


@pytest.mark.parametrize("first", range(len(NAMES) - 1))
def test_of_two_names_the_earlier_one_decides(server, room, first):
    ann, bob, cid = server.gather(room, "ann", "bob", "cid")
    send_with(ann, [(*NAMES[first + 1], "cid"), (*NAMES[first], "bob")])
    assert_only(bob, [cid], ann)


def test_the_order_of_names_is_the_protocol_s_and_not_the_frame_s(server, room):
    ann, bob, cid = server.gather(room, "ann", "bob", "cid")
    send_with(ann, [(*name, "cid") for name in reversed(NAMES[1:])] + [(*NAMES[0], "bob")])
    assert_only(bob, [cid], ann)


@pytest.mark.parametrize("first", range(len(NAMES) - 1))
def test_a_name_that_is_null_is_skipped(server, room, first):
    ann, bob, cid = server.gather(room, "ann", "bob", "cid")
    send_with(ann, [(*NAMES[first], None), (*NAMES[first + 1], "bob")])
    assert_only(bob, [cid], ann)


def test_names_that_are_all_null_are_no_target(server, room):
    ann, bob, cid = server.gather(room, "ann", "bob", "cid")
    send_with(ann, [(*name, None) for name in NAMES], "to everybody")
    bob.expect("chat-message", content="to everybody")
    cid.expect("chat-message", content="to everybody")


@pytest.mark.parametrize("place,name", [NAMES[0], NAMES[2], NAMES[3], NAMES[-1]])
@pytest.mark.parametrize("value", [7, True, {"id": "bob"}, ["bob"]])
def test_a_target_that_is_no_string_is_an_invalid_message(server, room, place, name, value):
    ann, bob = server.gather(room, "ann", "bob")
    send_with(ann, [(place, name, value)])
    ann.expect_error("INVALID_MESSAGE")
    say(ann)
    bob.expect("chat-message", content="mark")


def test_a_bad_target_behind_a_good_one_does_not_matter_or_is_refused_whole(server, room):
    ann, bob, cid = server.gather(room, "ann", "bob", "cid")
    send_with(ann, [("top", "target_id", "bob"), ("payload", "receiver_id", 7)])
    say(ann, "to all")
    message = bob.recv()
    if message["payload"]["content"] == "to you":
        bob.expect("chat-message", content="to all")
    else:
        ann.expect_error("INVALID_MESSAGE")
    cid.expect("chat-message", content="to all")


def test_a_key_of_a_target_may_be_escaped(server, room):
    ann, bob, cid = server.gather(room, "ann", "bob", "cid")
    ann.send_text(r'{"type":"chat-message","payload":{"content":"to you"},"target\u005fid":"b\u006fb"}')
    assert_only(bob, [cid], ann)


def test_a_name_deeper_in_the_payload_is_no_target(server, room):
    ann, bob, cid = server.gather(room, "ann", "bob", "cid")
    ann.send("chat-message", {"content": "deep", "reply": {"target_id": "bob"}, "list": [{"to": "bob"}]})
    bob.expect("chat-message", content="deep")
    cid.expect("chat-message", content="deep")


# -- present, left, never there -----------------------------------------------------------------------------------------------------


def test_a_message_for_a_present_member_reaches_that_member_only(trio):
    ann, bob, cid = trio
    say(ann, "to you", target_id="bob")
    assert_only(bob, [cid], ann)


def test_a_target_that_was_a_member_and_left_is_not_found(trio):
    ann, bob, cid = trio
    bob.leave()
    ann.until("user-left")
    cid.until("user-left")
    say(ann, "to you", target_id="bob")
    ann.expect_error("TARGET_NOT_FOUND")
    say(ann)
    cid.expect("chat-message", content="mark")


def test_a_target_that_left_and_came_back_is_found(trio):
    ann, bob, cid = trio
    bob.leave()
    again = wire.join(ann.port, bob.room_state["room_id"], "bob", v1=bob.v1)
    for client in (ann, cid):
        client.until("user-joined", user_id="bob")
    say(ann, "to you", target_id="bob")
    assert_only(again, [cid], ann)


@pytest.mark.parametrize("type,payload", [("chat-message", {"content": "x"}), ("offer", {"sdp": wire.SDP, "type": "offer"})])
def test_a_target_that_never_was_there_means_everybody_in_compat(server, room, type, payload):
    ann, bob, cid = server.gather(room, "ann", "bob", "cid")
    ann.send(type, payload, target_id="nobody")
    bob.expect(type)
    cid.expect(type)


@pytest.mark.parametrize("type,payload", [("chat-message", {"content": "x"}), ("offer", {"sdp": wire.SDP, "type": "offer"})])
def test_a_target_that_never_was_there_is_not_found_in_v1(server, room, type, payload):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    ann.send(type, payload, target_id="nobody")
    ann.expect_error("TARGET_NOT_FOUND")
    say(ann)
    bob.expect("chat-message", content="mark")


def test_a_member_of_another_room_is_no_target(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    server.join(room + "-other", "elsewhere", v1=True)
    say(ann, target_id="elsewhere")
    ann.expect_error("TARGET_NOT_FOUND")


@pytest.mark.parametrize("target", ["b" * 129, "b" * 60000])
def test_a_target_longer_than_any_user_id_is_refused_and_nobody_hears_of_it(server, room, target):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    say(ann, "to you", target_id=target)
    assert ann.expect("error")["payload"]["code"] in ("TARGET_NOT_FOUND", "INVALID_MESSAGE")
    say(ann)
    bob.expect("chat-message", content="mark")


# -- several connections of the target ----------------------------------------------------------------------------------------------


def test_in_v1_a_peer_id_reaches_that_connection_only(server, room):
    ann, one = server.gather(room, "ann:v1", "bob:v1")
    two = server.join(room, "bob", v1=True)
    ann.expect("peer-joined")
    for receiver, other in ((one, two), (two, one)):
        say(ann, "to one", target_id=receiver.peer_id)
        assert receiver.until("chat-message")[0]["payload"]["content"] == "to one"
        say(ann, "to all")
        assert other.until("chat-message")[0]["payload"]["content"] == "to all"
        receiver.expect("chat-message", content="to all")


def test_in_v1_a_peer_id_of_a_closed_connection_is_not_found(server, room):
    ann, one, two = server.gather(room, "ann:v1", "bob:v1", "bob:v1")
    two.leave()
    ann.until("peer-left")
    say(ann, target_id=two.peer_id)
    ann.expect_error("TARGET_NOT_FOUND")


@pytest.mark.parametrize("type,payload", [("chat-message", {"content": "x"}), ("offer", {"sdp": wire.SDP, "type": "offer"})])
def test_in_v1_a_user_means_all_his_connections(server, room, type, payload):
    ann, one = server.gather(room, "ann:v1", "bob:v1")
    two = server.join(room, "bob", v1=True)
    ann.send(type, payload, target_id="bob")
    one.until(type)
    two.until(type)


SIGNALS = [
    ("offer", {"sdp": wire.SDP, "type": "offer"}),
    ("answer", {"sdp": wire.SDP, "type": "answer"}),
    ("ice-candidate", {"candidate": wire.CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0}),
]


@pytest.mark.parametrize("type,payload", SIGNALS)
def test_in_compat_a_signal_goes_to_the_newest_connection(server, room, type, payload):
    ann, one, two = server.gather(room, "ann", "bob", "bob")
    ann.send(type, {**payload, "target_user_id": "bob"})
    two.expect(type)
    say(ann, "to all")
    one.expect("chat-message", content="to all")


@pytest.mark.parametrize("type,payload", SIGNALS)
def test_in_compat_a_signal_goes_to_the_connection_that_last_spoke_to_the_sender(server, room, type, payload):
    ann, one, two = server.gather(room, "ann", "bob", "bob")
    for speaker, silent in ((one, two), (two, one)):
        speaker.send("offer", {"sdp": wire.SDP, "type": "offer", "target_user_id": "ann"})
        ann.expect("offer")
        ann.send(type, {**payload, "target_user_id": "bob"})
        speaker.expect(type)
        say(ann, "to all")
        silent.expect("chat-message", content="to all")
        speaker.expect("chat-message", content="to all")


def test_in_compat_a_signal_goes_to_the_newest_when_the_one_that_spoke_has_gone(server, room):
    ann, one, two, three = server.gather(room, "ann", "bob", "bob", "bob")
    one.send("offer", {"sdp": wire.SDP, "type": "offer", "target_user_id": "ann"})
    ann.expect("offer")
    one.leave()
    ann.send("answer", {"sdp": wire.SDP, "type": "answer", "target_user_id": "bob"})
    three.expect("answer")


def test_in_compat_other_messages_reach_all_connections_of_the_target(server, room):
    ann, one, two = server.gather(room, "ann", "bob", "bob")
    say(ann, "to you", target_id="bob")
    one.expect("chat-message", content="to you")
    two.expect("chat-message", content="to you")


# -- types with receivers of their own ----------------------------------------------------------------------------------------------

RATCHET = {"chain_key": "k", "message_number": 1, "previous_chain_length": 0}
KEY = {"key_type": "identity_key", "public_key": "k", "key_id": "1"}
E2EE = [("e2ee-ratchet-update", RATCHET), ("e2ee-key-exchange", KEY)]


@pytest.mark.parametrize("type,payload", E2EE)
def test_keys_reach_their_recipient_only(trio, type, payload):
    ann, bob, cid = trio
    ann.send(type, {**payload, "recipient_user_id": "bob"})
    bob.expect(type, recipient_user_id="bob")
    say(ann)
    cid.expect("chat-message", content="mark")


@pytest.mark.parametrize("type,payload", E2EE)
def test_keys_for_an_absent_recipient_are_not_found_and_never_broadcast(trio, type, payload):
    ann, bob, cid = trio
    ann.send(type, {**payload, "recipient_user_id": "nobody"})
    ann.expect_error("TARGET_NOT_FOUND")
    say(ann)
    bob.expect("chat-message", content="mark")
    cid.expect("chat-message", content="mark")


@pytest.mark.parametrize("type,payload", E2EE)
def test_keys_without_a_recipient_are_refused_and_never_broadcast(trio, type, payload):
    ann, bob, cid = trio
    ann.send(type, payload)
    assert ann.expect("error")["payload"]["code"] in ("INVALID_MESSAGE", "TARGET_NOT_FOUND")
    say(ann)
    bob.expect("chat-message", content="mark")
    cid.expect("chat-message", content="mark")


def test_waiting_room_join_goes_to_host_and_moderators(trio):
    ann, bob, cid = trio
    room = ann.room_state["room_id"]
    ann.leave()
    bob.until("role-updated", user_id="bob")
    ann = wire.join(bob.port, room, "ann", v1=bob.v1)  # as moderator
    bob.until("user-joined", user_id="ann")
    dan = wire.join(bob.port, room, "dan", v1=bob.v1)
    dan.send("waiting-room-join", {"user_id": "dan", "username": "dan"})
    say(dan)
    for client in (ann, bob):
        client.until("user-joined", user_id="dan")
        client.expect("waiting-room-join", user_id="dan")
        client.expect("chat-message", content="mark")
    cid.until("user-joined", user_id="dan")
    cid.expect("chat-message", content="mark")
