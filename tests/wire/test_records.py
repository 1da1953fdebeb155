"""Records of the service by its own policies, in the database that it has: who was there, what was said, what was recorded. Run with
LUNASIG_TEST_MONGO, too: there they are ordinary documents of MongoDB."""

import os
import time

import lunasig_records
import lunasig_server
import pytest

DEADLINE = 20


@pytest.fixture
def kept(tmp_path):
    """A data folder that outlives its server."""
    return {"DATA_DIR": str(tmp_path / "kept")}


def written(server, collection, count):
    """Waits until so many records of that collection have been written."""
    until = time.monotonic() + DEADLINE
    metric = f'lunasig_policy_records_written_total{{collection="{collection}"}}'
    while server.metrics()[metric] < count:
        assert time.monotonic() < until, {name: value for name, value in server.metrics().items() if "records_" in name}


def of_room(server, collection, room):
    found = lunasig_records.documents(server.settings["DATA_DIR"], collection).items()
    return [one for _, one in sorted(found) if one["room_id"] == room]


def test_a_session_has_its_beginning_and_its_end(start_server, kept, room):
    server = start_server(**kept)
    ann, bob = server.gather(room, "ann", "bob")
    written(server, "room_sessions", 2)
    assert [one["user_id"] for one in of_room(server, "room_sessions", room) if "left_at" not in one] == ["ann", "bob"]
    bob.leave()
    ann.until("user-left")
    written(server, "room_sessions", 3)
    sessions = {one["user_id"]: one for one in of_room(server, "room_sessions", room)}
    assert set(sessions) == {"ann", "bob"}
    assert "left_at" not in sessions["ann"]
    assert sessions["bob"]["left_at"] >= sessions["bob"]["joined_at"] and sessions["bob"]["seconds"] >= 0


def test_the_session_of_a_killed_server_stays_without_an_end(tmp_path, start_server, kept, room):
    server = lunasig_server.Server(tmp_path, kept)
    try:
        server.gather(room, "ann")
        written(server, "room_sessions", 1)
    finally:
        server.kill()
    again = start_server(**kept)
    (session,) = of_room(again, "room_sessions", room)
    assert session["user_id"] == "ann" and "left_at" not in session


def test_messages_events_and_recordings_are_there(start_server, kept, room):
    server = start_server(**kept)
    ann, bob = server.gather(room, "ann", "bob")
    ann.send("chat-message", {"content": "a < b", "message_id": "m1"})
    bob.send("analytics-event", {"event_type": "click", "data": {"$where": "x", "a.b": [1, {"_c": None}]}})
    ann.send("recording-control", {"action": "start", "recording_id": "rec1"})
    for collection in ("chat_messages", "analytics_events", "recordings"):
        written(server, collection, 1)
    (said,) = of_room(server, "chat_messages", room)
    assert (said["user_id"], said["content"], said["message_id"]) == ("ann", "a < b", "m1")
    (event,) = of_room(server, "analytics_events", room)
    assert (event["user_id"], event["event_type"]) == ("bob", "click")
    (recording,) = of_room(server, "recordings", room)
    assert (recording["user_id"], recording["recording_id"], recording["status"]) == ("ann", "rec1", "recording")


@pytest.mark.skipif("LUNASIG_TEST_MONGO" not in os.environ, reason="runs with LUNASIG_TEST_MONGO")
def test_what_a_policy_asks_of_mongodb_is_what_others_have_written(start_server, policy, room):
    policy.write("""
sig.on("join", function(_, member)
  local user, code, why = sig.mongo.users:find_one { username = member.id }
  if code then return sig.deny(code, why) end
  if user and user.plan == "none" then return sig.deny("NO_PLAN", sig.json.encode(user)) end
  sig.mongo.visits:upsert({ user = member.id }, { times = sig.mongo.op.inc(1), at = sig.mongo.date(sig.now() * 1000) })
end)""")
    server = start_server(**policy.settings)
    with lunasig_records.database(server.settings["DATA_DIR"]) as database:
        database.users.insert_one({"username": "eve", "email": "e@x", "plan": "none", "hashed_password": "$2b$secret"})
        server.gather(room, "ann")
        visit = database.visits.find_one({"user": "ann"})
    assert visit["times"] == 1 and visit["at"].year >= 2024
    eve = server.connect(room, "eve")
    refusal = eve.until("error")[0]["payload"]
    assert refusal["code"] == "NO_PLAN" and "eve" in refusal["message"] and "secret" not in refusal["message"]
