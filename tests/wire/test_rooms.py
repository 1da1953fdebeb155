"""Joining and leaving: who hears of it, in what order, and who is host."""

import time

import lunasig_client as wire
import lunasig_secrets as secrets
import lunasig_server
import pytest
from lunasig_client import TIMESTAMP

SETTINGS = {"RESUME_WINDOW_S": "1"}

ROLES = {"host", "moderator", "participant", "observer"}


def say(client, text="mark"):
    client.send("chat-message", {"content": text})


def people(room_state):
    return [p["user_id"] for p in room_state["participants"]]


# -- compat -------------------------------------------------------------------------------------------------------------------------


def test_a_compat_joiner_gets_room_state_and_nothing_else_before_the_next_event(server, room):
    ann = server.join(room, "ann")
    bob = server.join(room, "bob")
    ann.expect("room-state")
    ann.expect("user-joined", user_id="bob")
    say(ann)
    bob.expect("chat-message", content="mark")


def test_a_room_state_lists_everybody_with_name_role_and_time(server, room):
    server.join(room, "ann")
    state = server.join(room, "bob").room_state
    assert state["room_id"] == room
    assert state["participant_count"] == 2
    assert people(state) == ["ann", "bob"]
    for one in state["participants"]:
        assert one["username"] == one["user_id"]
        assert one["role"] in ROLES
        assert TIMESTAMP.match(one["joined_at"]), one


def test_the_others_get_room_state_then_user_joined(server, room):
    ann = server.join(room, "ann")
    server.join(room, "bob")
    assert people(ann.expect("room-state", room_id=room, participant_count=2)["payload"]) == ["ann", "bob"]
    joined = ann.expect("user-joined", user_id="bob", username="bob")["payload"]
    assert TIMESTAMP.match(joined["timestamp"])


def test_the_others_get_room_state_then_user_left(server, room):
    ann, bob = server.gather(room, "ann", "bob")
    bob.leave()
    assert people(ann.expect("room-state", participant_count=1)["payload"]) == ["ann"]
    left = ann.expect("user-left", user_id="bob", username="bob", reason="bye")["payload"]
    assert TIMESTAMP.match(left["timestamp"])


def test_username_is_the_token_s_when_it_has_one(server, room):
    ann = server.join(room, "ann")
    bob = server.join(room, "bob", token=secrets.make_token("bob", username="Bob the Builder"))
    assert bob.room_state["participants"][1]["username"] in ("Bob the Builder", "bob")
    ann.expect("room-state")
    ann.expect("user-joined", user_id="bob", username=bob.room_state["participants"][1]["username"])


@pytest.mark.parametrize("dialect", ["compat", "v1"])
def test_a_connection_that_vanishes_leaves_the_room_after_the_window(server, room, dialect):
    ann, bob = server.gather(room, f"ann:{dialect}", f"bob:{dialect}")
    bob.vanish()
    left, before = ann.until("user-left", user_id="bob")
    assert left["payload"]["reason"] == "timeout"
    assert [m["type"] for m in before] == (["user-away"] if ann.v1 else ["room-state"])


def test_who_left_can_come_back(server, room):
    ann, bob = server.gather(room, "ann", "bob")
    bob.leave()
    ann.until("user-left", user_id="bob")
    bob = server.join(room, "bob")
    ann.expect("room-state", participant_count=2)
    ann.expect("user-joined", user_id="bob")
    say(ann)
    bob.expect("chat-message")


def test_a_message_reaches_everybody_but_its_sender(server, room):
    clients = server.gather(room, "ann", "bob:v1", "cid", "dan:v1")
    for sender in clients:
        say(sender, sender.user)
    for receiver in clients:
        others = {c.user for c in clients if c is not receiver}
        assert {receiver.expect("chat-message")["payload"]["content"] for _ in others} == others


def test_all_receivers_see_the_messages_of_several_senders_in_one_order(server, room):
    clients = server.gather(room, "ann", "bob:v1", "cid", "eve", "fay:v1")
    for number in range(50):
        for sender in clients[:3]:
            say(sender, f"{sender.user} {number}")
    eve, fay = ([c.expect("chat-message")["payload"]["content"] for _ in range(150)] for c in clients[3:])
    assert eve == fay
    for sender in clients[:3]:
        assert [text for text in eve if text.startswith(sender.user)] == [f"{sender.user} {number}" for number in range(50)]


def test_rooms_are_apart_also_when_their_names_differ_in_case_only(server, room):
    ann = server.join(room.lower(), "ann")
    bob = server.join(room.upper(), "bob")
    cid = server.join(room.lower(), "cid")
    assert people(bob.room_state) == ["bob"]
    assert people(cid.room_state) == ["ann", "cid"]
    say(bob, "elsewhere")
    say(cid, "here")
    ann.until("user-joined", user_id="cid")
    ann.expect("chat-message", content="here")


def test_a_user_may_be_in_two_rooms(server, room):
    one = server.join(room + "-1", "ann")
    two = server.join(room + "-2", "ann")
    bob = server.join(room + "-1", "bob")
    one.until("user-joined", user_id="bob")
    say(one, "first")
    bob.expect("chat-message", content="first")
    server.join(room + "-2", "cid")
    two.expect("room-state")
    two.expect("user-joined", user_id="cid")


# -- lunasig.v1 ---------------------------------------------------------------------------------------------------------------------


def test_a_v1_room_state_has_self_revision_ice_servers_and_peers(server, room):
    ann = server.join(room, "ann", v1=True)
    bob = server.join(room, "bob", v1=True)
    for client, role in ((ann, "host"), (bob, "participant")):
        me = client.room_state["self"]
        assert set(me) >= {"user_id", "peer_id", "join_seq", "role"}
        assert (me["user_id"], me["role"]) == (client.user, role)
        assert isinstance(client.room_state["revision"], int)
        assert isinstance(client.room_state["ice_servers"], list)
    peers = {p["user_id"]: p["peers"] for p in bob.room_state["participants"]}
    assert peers == {
        "ann": [{"peer_id": ann.peer_id, "join_seq": ann.room_state["self"]["join_seq"]}],
        "bob": [{"peer_id": bob.peer_id, "join_seq": bob.room_state["self"]["join_seq"]}],
    }


def test_of_two_peers_the_later_one_has_the_higher_join_seq(server, room):
    clients = server.gather(room, "ann:v1", "bob:v1", "ann:v1", "cid:v1")
    seqs = [c.room_state["self"]["join_seq"] for c in clients]
    assert seqs == sorted(set(seqs))
    assert len({c.peer_id for c in clients}) == 4


def test_v1_members_get_user_joined_and_user_left_with_revision_and_no_room_state(server, room):
    ann = server.join(room, "ann", v1=True)
    bob = server.join(room, "bob", v1=True)
    joined = ann.expect("user-joined", user_id="bob", username="bob")["payload"]
    assert joined["peers"] == [{"peer_id": bob.peer_id, "join_seq": bob.room_state["self"]["join_seq"]}]
    assert TIMESTAMP.match(joined["timestamp"])
    bob.leave()
    left = ann.expect("user-left", user_id="bob", reason="bye")["payload"]
    assert ann.room_state["revision"] < joined["revision"] < left["revision"]
    assert joined["revision"] == bob.room_state["revision"]


def test_v1_and_compat_members_of_one_room_hear_each_other(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob")
    say(ann, "from v1")
    bob.expect("chat-message", content="from v1")
    say(bob, "from compat")
    assert ann.expect("chat-message", content="from compat")["sender_id"] == "bob"


# -- several connections of a user --------------------------------------------------------------------------------------------------


def test_a_further_connection_is_no_news_for_compat(server, room):
    ann = server.join(room, "ann")
    bob, again = server.join(room, "bob"), server.join(room, "bob")
    ann.expect("room-state")
    ann.expect("user-joined", user_id="bob")
    assert again.room_state["participant_count"] == 2
    assert people(again.room_state) == ["ann", "bob"]
    bob.leave()
    say(again)
    ann.expect("chat-message")  # neither room-state nor user-left before it
    again.leave()
    ann.expect("room-state", participant_count=1)
    ann.expect("user-left", user_id="bob")


def test_a_further_connection_is_told_to_v1_by_peer_joined_and_peer_left(server, room):
    ann = server.join(room, "ann", v1=True)
    bob = server.join(room, "bob", v1=True)
    first = ann.expect("user-joined", user_id="bob")["payload"]
    again = server.join(room, "bob", v1=True)
    came = ann.expect("peer-joined", user_id="bob", peer_id=again.peer_id)["payload"]
    assert came["join_seq"] == again.room_state["self"]["join_seq"] > first["peers"][0]["join_seq"]
    cid = server.join(room, "cid", v1=True)
    peers = {p["user_id"]: {q["peer_id"] for q in p["peers"]} for p in cid.room_state["participants"]}
    assert peers["bob"] == {bob.peer_id, again.peer_id}
    ann.expect("user-joined", user_id="cid")
    bob.leave()
    ann.expect("peer-left", user_id="bob", peer_id=bob.peer_id)
    again.leave()
    ann.expect("user-left", user_id="bob")
    say(cid)
    ann.expect("chat-message")


def test_relay_skips_the_sender_s_other_connections_in_compat(server, room):
    ann, one, two = server.gather(room, "ann", "bob", "bob")
    say(one, "mine")
    ann.expect("chat-message", content="mine")
    say(ann, "yours")
    one.expect("chat-message", content="yours")
    two.expect("chat-message", content="yours")


def test_relay_reaches_the_sender_s_other_connections_in_v1(server, room):
    ann, one = server.gather(room, "ann:v1", "bob:v1")
    two = server.join(room, "bob", v1=True)
    say(one, "mine")
    message, _ = two.until("chat-message")
    assert message["payload"]["content"] == "mine" and message["sender_peer_id"] == one.peer_id
    say(ann, "yours")
    message, before = one.until("chat-message")
    assert message["payload"]["content"] == "yours"
    assert {m["type"] for m in before} <= {"peer-joined"}


# -- seats --------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    running = lunasig_server.Server(tmp_path_factory.mktemp("server"), {"WEBRTC_MAX_PARTICIPANTS_PER_ROOM": "2"})
    yield running
    running.end()


@pytest.mark.parametrize("v1", [False, True])
def test_a_full_room_accepts_says_room_full_and_closes_with_1008(small, room, v1):
    ann, bob = small.gather(room, "ann", "bob")
    cid = small.connect(room, "cid", v1=v1)
    cid.expect_error("ROOM_FULL")
    assert cid.close_code() == 1008
    assert cid.last_words == []
    say(bob)
    ann.expect("chat-message")  # nobody heard of cid


def test_a_further_connection_of_a_member_takes_no_seat(small, room):
    small.gather(room, "ann", "bob", "bob", "ann")


def test_a_seat_is_free_again_when_its_member_has_left(small, room):
    ann, bob = small.gather(room, "ann", "bob")
    bob.leave()
    ann.until("user-left")
    small.join(room, "cid")


def test_fifty_members_is_the_default(server, room):
    for number in range(50):
        server.join(room, f"user{number}")
    late = server.connect(room, "late")
    late.expect_error("ROOM_FULL")
    assert late.close_code() == 1008


# -- large rooms --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["compat", "v1"])
def test_in_a_large_room_nobody_is_heard_before_his_user_joined(server, room, dialect):
    clients = []
    for number in range(30):
        clients.append(server.join(room, f"user{number}", v1=dialect == "v1"))
        say(clients[-1], f"I am user{number}")
    for number, client in enumerate(clients):
        known = set(people(client.room_state))
        waiting = {f"user{i}" for i in range(number + 1, 30)}
        seen = []
        while waiting:
            message = client.recv()
            if message["type"] == "room-state":
                seen = people(message["payload"])
                assert message["payload"]["participant_count"] == len(seen)
            elif message["type"] == "user-joined":
                user = message["payload"]["user_id"]
                assert user not in known, f"{user} joined twice"
                assert client.v1 or user in seen, f"user-joined of {user} without a room-state before it"
                known.add(user)
            elif message["type"] == "chat-message":
                assert message["sender_id"] in known, f"{message['sender_id']} is heard before he joined"
                waiting.discard(message["sender_id"])
        assert len(known) == 30


def test_in_a_large_room_who_comes_and_goes_at_once_leaves_no_trace_or_a_whole_one(server, room):
    clients = [server.join(room, f"user{number}") for number in range(30)]
    for _ in range(3):
        server.join(room, "mayfly").leave()
    last = server.join(room, "last")
    say(last, "end")
    for client in clients:
        mayflies = 0
        while True:
            message = client.recv()
            if message["type"] == "user-joined" and message["payload"]["user_id"] == "mayfly":
                mayflies += 1
            if message["type"] == "user-left":
                mayflies -= 1
            assert mayflies in (0, 1)
            if message["type"] == "chat-message":
                break
        assert mayflies == 0


def test_room_states_of_a_large_room_are_fewer_than_joins_when_many_come_at_once(server, room):
    first = server.join(room, "first")
    for number in range(45):
        server.join(room, f"user{number}")
    states = 0
    joined = set()
    while len(joined) < 45:
        message = first.recv()
        states += message["type"] == "room-state"
        if message["type"] == "user-joined":
            joined.add(message["payload"]["user_id"])
    assert states < 45


# -- host ---------------------------------------------------------------------------------------------------------------------------


def roles(room_state):
    return {p["user_id"]: p["role"] for p in room_state["participants"]}


def test_the_first_member_is_host_and_later_ones_participants(server, room):
    server.gather(room, "ann", "bob")
    assert roles(server.join(room, "cid").room_state) == {"ann": "host", "bob": "participant", "cid": "participant"}


@pytest.mark.parametrize("dialect", ["compat", "v1"])
def test_when_the_host_leaves_the_longest_present_is_host_and_all_are_told(server, room, dialect):
    ann, bob, cid = server.gather(room, *(f"{user}:{dialect}" for user in ("ann", "bob", "cid")))
    ann.leave()
    for client in (bob, cid):
        change, _ = client.until("role-updated")
        payload = change["payload"]
        assert (payload["user_id"], payload["role"], payload["updated_by"]) == ("bob", "host", None)
        assert TIMESTAMP.match(payload["timestamp"])
    assert roles(server.join(room, "dan").room_state)["bob"] == "host"


def test_a_host_with_another_connection_stays_host(server, room):
    ann, again, bob = server.gather(room, "ann", "ann", "bob")
    ann.leave()
    assert roles(server.join(room, "cid").room_state)["ann"] == "host"
    again.leave()
    bob.until("role-updated", user_id="bob", role="host")


def test_a_returning_former_host_is_moderator_while_there_is_another(server, room):
    ann, bob = server.gather(room, "ann", "bob")
    ann.leave()
    bob.until("role-updated", user_id="bob", role="host")
    assert roles(server.join(room, "ann").room_state) == {"bob": "host", "ann": "moderator"}


def test_a_moderator_is_host_before_an_older_participant(server, room):
    ann, bob, cid = server.gather(room, "ann", "bob", "cid")
    ann.leave()
    cid.until("role-updated", user_id="bob", role="host")
    server.join(room, "ann")
    bob.leave()
    cid.until("role-updated", user_id="ann", role="host")


def test_the_first_who_comes_to_an_empty_room_is_host(server, room):
    ann = server.join(room, "ann")
    ann.leave()
    assert roles(server.join(room, "bob").room_state) == {"bob": "host"}
    assert roles(server.join(room, "ann").room_state) == {"bob": "host", "ann": "moderator"}


def test_a_room_whose_members_have_all_gone_is_empty_for_the_next(server, room):
    for client in server.gather(room, "ann", "bob", "cid"):
        client.vanish()
    until = time.monotonic() + wire.DEADLINE
    while (newcomer := server.join(room, "dan")).room_state["participant_count"] > 1:
        newcomer.leave()
        assert time.monotonic() < until
    assert roles(newcomer.room_state) == {"dan": "host"}
