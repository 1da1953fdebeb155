"""The timeline of a call: what `call` tells operators of a room, that it names who decided, and that nothing of the messages is in it."""

import json
import subprocess
import time

import lunasig_client as wire
import lunasig_secrets as secrets
import lunasig_server
import pytest
from lunasig_control import ADMIN_KEY, control

OFFER = {"type": "offer", "sdp": wire.SDP}
ANSWER = {"type": "answer", "sdp": wire.SDP}
CANDIDATE = {"candidate": {"candidate": wire.CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0}}

POLICY = """
sig.type "question" { to = "role:host" }
sig.type "vote" { to = "server" }
sig.type "only-host" { from = { "host" } }
sig.type "often" { rate = "1/min burst 2" }
sig.type "numbered" { payload = sig.object { n = sig.integer } }
sig.on("message:chat-message", function(room, member, message)
  local content = message.payload.content
  if content == "deny" then
    return sig.deny("MUTED", "you are muted") -- DENY
  elseif content == "close" then
    return sig.close(4000, "enough") -- CLOSE
  elseif content == "handled" then
    return sig.handled() -- HANDLED
  elseif content == "fail" then
    error("it failed") -- FAIL
  elseif content == "later" then
    sig.sleep("20ms")
    return sig.deny("LATE") -- LATER
  end
end)
sig.on("auth", function(request, claims)
  if claims.sub == "mallory" then
    return sig.deny("NO_MALLORY") -- AUTH
  end
end)
sig.on("join", function(room, member)
  if member.id == "eve" then
    return sig.deny("NO_EVE") -- JOIN
  end
end)
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    policy = lunasig_server.Policy(tmp_path_factory.mktemp("policy"))
    policy.write(POLICY)
    server = lunasig_server.Server(
        tmp_path_factory.mktemp("server"),
        {**policy.settings, "ADMIN_KEY": ADMIN_KEY, "ADMIN_PORT": "0", "WEBSOCKET_MESSAGE_RATE_LIMIT": "1000/s", "TIMELINE_ENTRIES": "64"},
    )  # fmt: skip
    yield server, policy
    server.end()


@pytest.fixture
def server(house):
    return house[0]


def line_of(policy, mark):
    """policy.lua:LINE of the line with that word in it."""
    lines = policy.file.read_text().splitlines()
    return f"policy.lua:{next(number for number, line in enumerate(lines, 1) if mark in line)}"


def call(server, room):
    with control(server) as ctl:
        answer = ctl.fine("call", room_id=room)
    text = json.dumps(answer)
    assert secrets.SDP_MARK not in text and secrets.CANDIDATE_MARK not in text
    return answer


def short(entry):
    """An entry as few words: event, who, to whom, type or reason or role."""
    words = [entry["event"], entry.get("user_id"), entry.get("target"), entry.get("type"), entry.get("role"), entry.get("reason")]
    return " ".join(word for word in words if word)


def ctl_of(server, *arguments):
    return subprocess.run(
        [str(lunasig_server.binary()), "ctl", "--socket", str(server.folder / "data" / "control.sock"), *arguments],
        capture_output=True, text=True, timeout=10, cwd=server.folder, env={"TZ": "UTC", "PATH": "/usr/bin"},
    )  # fmt: skip


@pytest.mark.parametrize("dialect", ["compat", "v1"])
def test_a_call_is_told_from_its_first_join_to_its_end(server, room, dialect):
    ann, bob = server.gather(room, f"ann:{dialect}", f"bob:{dialect}")
    ann.send("offer", {**OFFER, "target_user_id": "bob"})
    bob.until("offer")
    bob.send("answer", {**ANSWER, "target_user_id": "ann"})
    ann.until("answer")
    for n in range(12):
        ann.send("ice_candidate" if n % 2 and dialect == "compat" else "ice-candidate", {**CANDIDATE, "target_user_id": "bob"})
        bob.until("ice-candidate")
        bob.send("ice-candidate", {**CANDIDATE, "target_user_id": "ann"})
        ann.until("ice-candidate")
    ann.send("offer", {**OFFER, "target_user_id": "bob"})
    bob.until("offer")
    bob.leave()
    ann.until("user-left")
    told = call(server, room)
    assert [short(entry) for entry in told["entries"]] == [
        "joined ann host", "joined bob participant", "message ann bob offer", "message bob ann answer",
        "message ann bob ice-candidate", "message bob ann ice-candidate", "message ann bob offer", "left bob bye",
    ]  # fmt: skip
    assert [entry.get("count", 1) for entry in told["entries"]] == [1, 1, 1, 1, 12, 12, 1, 1]
    assert told["entries"][6]["renegotiation"] is True and told["lost"] == 0 and told["members"] == 1
    assert [entry["time_ms"] for entry in told["entries"]] == sorted(entry["time_ms"] for entry in told["entries"])
    (pair,) = told["pairs"]
    assert (pair["from"], pair["to"], pair["offers"], pair["answers"], pair["left"]) == ("ann", "bob", 2, 1, True)
    assert (pair["candidates_sent"], pair["candidates_received"]) == (12, 12)
    assert 0 <= pair["first"]["answer_ms"] < 5000 and pair["last"]["answer_ms"] is None and pair["unanswered_ms"] >= 0
    ann.leave()
    until = time.monotonic() + wire.DEADLINE
    while call(server, room)["entries"][-1]["event"] != "room-closed":
        assert time.monotonic() < until


def test_a_target_that_is_a_peer_and_an_offer_to_everybody_lead_to_the_user(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    ann.send("offer", {**OFFER, "target_user_id": bob.peer_id})
    bob.until("offer")
    bob.send("answer", ANSWER)
    ann.until("answer")
    told = call(server, room)
    assert [short(entry) for entry in told["entries"]][-2:] == ["message ann bob offer", "message bob answer"]
    assert told["pairs"][0]["first"]["answer_ms"] is not None


def test_who_refused_is_named_with_line_and_version(house, room):
    server, policy = house
    ann, bob = server.gather(room, "ann:v1", "bob:v1")

    def refused(code, type, payload):
        bob.send(type, payload)
        bob.until("error")
        entry = call(server, room)["entries"][-1]
        assert (entry["event"], entry["user_id"], entry["code"]) == ("refused", "bob", code), entry
        return entry

    denied = refused("MUTED", "chat-message", {"content": "deny"})
    assert (denied["where"], denied["version"], denied["message"]) == (line_of(policy, "DENY"), 1, "you are muted")
    assert denied["type"] == "chat-message"
    assert refused("LATE", "chat-message", {"content": "later"})["where"] == line_of(policy, "LATER")
    failed = refused("POLICY_ERROR", "chat-message", {"content": "fail"})
    assert (failed["where"], failed["version"]) == (line_of(policy, "FAIL"), 1)
    assert refused("PERMISSION_DENIED", "only-host", {})["where"] == line_of(policy, '"only-host"')
    wrong = refused("INVALID_MESSAGE", "numbered", {"n": "x"})
    assert wrong["where"] == line_of(policy, '"numbered"') and "n" in wrong["message"]
    for _ in range(2):
        bob.send("often", {})
    often = refused("RATE_LIMIT_EXCEEDED", "often", {})
    assert (often["where"], often["message"]) == (line_of(policy, '"often"'), "often per connection")
    bob.send("often", {})
    bob.send("no-such-type", {})
    bob.until("error")
    entries = call(server, room)["entries"]
    assert entries[-1]["code"] == "UNKNOWN_TYPE" and "where" not in entries[-1]
    assert entries[-2]["count"] == 2  # also the one of which the client was not told
    bob.send_text("no JSON")
    bob.until("error")
    assert call(server, room)["entries"][-1]["code"] == "INVALID_JSON"
    bob.send("chat-message", {"content": "handled"})
    bob.send("ping", {})
    bob.until("pong")
    handled = call(server, room)["entries"][-1]
    assert (handled["event"], handled["where"]) == ("handled", line_of(policy, "HANDLED"))
    bob.send("chat-message", {"content": "close"})
    assert bob.close_code() == 4000
    ann.until("user-left")
    closed, left = call(server, room)["entries"][-2:]
    assert closed["where"] == line_of(policy, "CLOSE") and short(left).startswith("left bob")
    eve = server.connect(room, "eve", v1=True)
    assert eve.close_code() == 1008
    entry = call(server, room)["entries"][-1]
    assert (short(entry), entry["code"], entry["where"]) == ("refused eve join", "NO_EVE", line_of(policy, "JOIN"))
    mallory = server.connect(room, "mallory", v1=True)
    assert mallory.close_code() == 4401
    entry = call(server, room)["entries"][-1]
    assert (short(entry), entry["code"], entry["where"]) == ("refused mallory auth", "NO_MALLORY", line_of(policy, "AUTH"))
    assert server.event("join-refused")["at"] == line_of(policy, "JOIN")


def test_a_lost_connection_is_away_and_resumes(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    ann.vanish()
    bob.until("user-away", user_id="ann")
    wire.resume(ann)
    bob.until("user-back", user_id="ann")
    assert [short(entry) for entry in call(server, room)["entries"]][-3:] == ["away ann", "resumed ann", "back ann"]


def test_a_room_has_a_bound_and_says_what_it_lost(server, room):
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    ann.send("offer", {**OFFER, "target_user_id": "bob"})
    for n in range(100):  # two in turn that are not counted as one: offers stand alone
        ann.send("offer", {**OFFER, "target_user_id": "bob"})
    ann.send("ping", {})
    ann.until("pong")
    told = call(server, room)
    assert len(told["entries"]) == 64 and told["lost"] == 103 - 64
    assert told["pairs"][0]["offers"] == 101  # of all, also of those that are no longer listed
    assert bob


def test_what_is_not_known_is_refused(start_server, room):
    server = start_server()
    with control(server) as ctl:
        assert "nothing is known" in ctl.refused(404, "call", room_id=room)
        server.join(room, "ann")
        assert ctl.fine("call", room_id=room)["members"] == 1
        ctl.refused(400, "call")
    done = ctl_of(server, "call", "nowhere")
    assert done.returncode == 1 and "nothing is known of a call in nowhere" in done.stderr and done.stdout == ""


def test_a_restart_forgets_all_but_who_is_there(tmp_path, room):
    first = lunasig_server.Server(tmp_path)
    ann = first.join(room, "ann", v1=True)
    ann.send("offer", OFFER)
    ann.send("ping", {})
    ann.until("pong")
    assert [short(entry) for entry in call(first, room)["entries"]] == ["joined ann host", "message ann offer"]
    first.end(hang_up=False)
    second = lunasig_server.Server(tmp_path)
    try:
        with control(second) as ctl:
            assert "when the server starts" in ctl.refused(404, "call", room_id=f"{room}-2")
        assert wire.resume(ann, port=second.port).room_state["resumed"]
        assert [short(entry) for entry in call(second, room)["entries"]] == ["joined ann host", "resumed ann", "back ann"]
    finally:
        second.end()


def test_0_entries_record_nothing(start_server, room):
    server = start_server(TIMELINE_ENTRIES="0")
    server.join(room, "ann")
    with control(server) as ctl:
        assert "TIMELINE_ENTRIES is 0" in ctl.refused(409, "call", room_id=room)


def test_the_admin_api_tells_the_same(server, room):
    server.join(room, "ann")
    port = int(server.event("admin-listening")["port"])
    answer = wire.http(port, "GET", f"/admin/v1/rooms/{room}/call", token=ADMIN_KEY)
    assert answer.status == 200 and [short(entry) for entry in answer.json["entries"]] == ["joined ann host"]
    assert wire.http(port, "GET", "/admin/v1/rooms/nowhere/call", token=ADMIN_KEY).status == 404
    assert wire.http(port, "POST", f"/admin/v1/rooms/{room}/call", token=ADMIN_KEY).status == 405


def test_messages_for_some_are_not_shown_as_for_all(house, room):
    server, _ = house
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    with control(server) as watching:
        watching.fine("watch", room_id=room)
        bob.send("question", {})
        ann.until("question")
        bob.send("vote", {})
        bob.send("chat-message", {"content": "hello"})
        ann.until("chat-message")
        seen = {it["type"]: it.get("to") for it in (watching.line() for _ in range(3))}
    assert seen == {"question": "role:host", "vote": "server", "chat-message": None}
    entries = {entry["type"]: entry.get("to") for entry in call(server, room)["entries"] if "type" in entry}
    assert entries == seen
    shown = ctl_of(server, "call", room).stdout
    assert "bob → role:host  question\n" in shown and "bob → server     vote\n" in shown and "bob → all        chat-message\n" in shown


def test_ctl_shows_it_to_people(house, room):
    server, policy = house
    ann, bob = server.gather(room, "ann:v1", "bob")
    ann.send("offer", {**OFFER, "target_user_id": "bob"})
    bob.until("offer")
    bob.send("answer", {**ANSWER, "target_user_id": "ann"})
    for _ in range(3):
        bob.send("ice-candidate", {**CANDIDATE, "target_user_id": "ann"})
    bob.send("chat-message", {"content": "deny"})
    bob.until("error")
    cid = server.join(room, "cid")
    cid.send("offer", {**OFFER, "target_user_id": "ann"})
    ann.until("offer")
    done = ctl_of(server, "call", room)
    assert done.returncode == 0, done
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"room {room} on 20") and lines[0].endswith("UTC+0000; members now: 3; policy version 1")
    words = [line.split(None, 2)[2] for line in lines[1:8]]
    assert words[:3] == ["ann        joined as host", "bob        joined as participant", "ann → bob  offer"]
    assert words[3] == "bob → ann  answer" and words[4].startswith("bob → ann  3 candidates")
    assert words[5] == f"bob → all  chat-message refused: MUTED at {line_of(policy, 'DENY')}, version 1: you are muted"
    assert [line.split()[1] for line in lines[1:3]][0] == "+0.000"
    assert lines[-2].startswith("ann → bob: offer ") and "answer after" in lines[-2] and lines[-2].endswith("candidates 0/3")
    assert lines[-1].startswith("cid → ann: offer ") and "no answer for" in lines[-1] and lines[-1].endswith("candidates 0/0")
