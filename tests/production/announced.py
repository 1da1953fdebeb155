"""Every message that the server makes: by joins and leaves, and by requests over HTTP."""

from checks import Optional, answered, check, equal, fits, text, when
from client import CANDIDATE
from suite import Suite

SUITE = Suite("complete, announcements", "every message that the server makes, by what it is caused, with all that it has to say")
PARTICIPANT = {"user_id": text, "username": text, "joined_at": when, "role": ("host", "moderator", "participant", "observer")}
ROOM_STATE = {"room_id": text, "participants": [PARTICIPANT], "participant_count": int}
PERMISSIONS = {
    name: bool
    for name in ("can_speak", "can_share_video", "can_share_screen", "can_send_chat", "can_share_files", "can_manage_participants", "can_record")
}
SETTINGS = {
    "lock_room": False, "enable_waiting_room": False, "mute_on_entry": False, "disable_video_on_entry": False, "enable_chat": True,
    "enable_screen_share": True, "enable_reactions": True, "enable_file_sharing": True, "enable_recording": True, "max_participants": None,
    "require_host_to_start": False, "allow_participants_rename": True, "allow_participants_unmute": True,
}  # fmt: skip


def path(room, rest):
    return f"/webrtc/rooms/{room}/{rest}"


@SUITE.test("room-state, user-joined and user-left tell of joins and leaves")
def presence(world):
    ann, bob = world.people("ann", "bob")
    room = world.room()
    one = ann.connect(room)
    one.hears_next("room-state", {**ROOM_STATE, "participant_count": 1})
    two = bob.connect(room)
    two.hears_next("room-state", {**ROOM_STATE, "participant_count": 2})
    one.hears_next("room-state", {**ROOM_STATE, "participant_count": 2})
    one.hears_next("user-joined", {"user_id": bob.name, "username": bob.name, "timestamp": when})
    two.leave()
    one.hears_next("room-state", {**ROOM_STATE, "participant_count": 1})
    one.hears_next("user-left", {"user_id": bob.name, "username": bob.name, "timestamp": when, "reason": text})


@SUITE.test("role-updated, when somebody gets a role, and when a host who leaves hands over")
def role(world):
    ann, bob = world.people("ann", "bob")
    room, (one, two, three) = world.meet("ann", "bob", "cat")
    answered(ann.post(path(room, f"roles/{bob.name}"), role="moderator"), 200, {"success": True, "user_id": bob.name, "role": "moderator"})
    for socket in (one, two, three):
        socket.hears("role-updated", user_id=bob.name, role="moderator", updated_by=ann.name)
    one.leave()
    said = three.hears("role-updated", user_id=bob.name, role="host")["payload"]
    check(when(said["timestamp"]), "role-updated without a timestamp")
    equal(said["updated_by"], None, "updated_by, when the server did it")


@SUITE.test("permission-updated, with all seven permissions")
def permission(world):
    ann, bob = world.people("ann", "bob")
    room, (_, two) = world.meet("ann", "bob")
    answered(ann.post(path(room, f"permissions/{bob.name}"), {"can_send_chat": False}))
    said = two.hears("permission-updated", user_id=bob.name, updated_by=ann.name)["payload"]
    equal({name: type(value) for name, value in said["permissions"].items()}, PERMISSIONS, "the permissions")
    check(said["permissions"]["can_send_chat"] is False and when(said["timestamp"]), f"permission-updated says {said}")


@SUITE.test("room-settings-update, with all settings")
def settings(world):
    ann, bob = world.people("ann", "bob")
    room, (_, two) = world.meet("ann", "bob")
    answered(ann.post(path(room, "settings"), {"enable_chat": False}))
    said = two.hears("room-settings-update", updated_by=ann.name)["payload"]
    equal(said["settings"], {**SETTINGS, "enable_chat": False}, "the settings")


@SUITE.test("participant-update, when somebody says something about himself")
def participant(world):
    bob = world.user("bob")
    room, (one, _) = world.meet("ann", "bob")
    answered(bob.post(path(room, f"participants/{bob.name}/info"), {"audio_enabled": False, "is_speaking": False}))
    said = one.hears("participant-update")["payload"]
    flags = {name: bool for name in ("video_enabled", "screen_sharing", "hand_raised", "is_speaking")}
    wanted = {**PARTICIPANT, **flags, "user_id": bob.name, "audio_enabled": False, "connection_quality": Optional((str, None))}
    fits(said["participant"], wanted, "participant-update.participant")


@SUITE.test("hand-raise-queue goes to all, in order, by message and by request")
def hands(world):
    ann, bob, cat = world.people("ann", "bob", "cat")
    room, sockets = world.meet("ann", "bob", "cat")
    sockets[2].send("hand-raise", {"user_id": cat.name, "username": cat.name, "raised": True})
    for socket in sockets:
        entry = {"username": cat.name, "raised_at": when, "position": 1, "user_id": cat.name}
        socket.hears("hand-raise-queue")
    answered(bob.post(path(room, "hand-raise"), raised="true"), 200, {"success": True, "raised": True, "position": 2})
    for socket in sockets:
        queue = socket.hears("hand-raise-queue")["payload"]["queue"]
        equal([(one["user_id"], one["position"], sorted(one)) for one in queue], [(cat.name, 1, sorted(entry)), (bob.name, 2, sorted(entry))], "the queue")
    sockets[0].hears_nothing_but("hand-raise", of=sockets[1])
    sockets[2].leave()
    queue = sockets[0].hears("hand-raise-queue")["payload"]["queue"]
    equal([one["user_id"] for one in queue], [bob.name], "the queue, when the first one has left")


@SUITE.test("waiting-room-join, -admit and -reject; who waits hears nothing until he is let in")
def waiting(world):
    ann, bob, cat = world.people("ann", "bob", "cat")
    room, (host,) = world.meet("ann")
    answered(ann.post(path(room, "settings"), {"enable_waiting_room": True}))
    two = bob.join(room)
    equal(host.hears("waiting-room-join")["payload"]["user_id"], bob.name, "who waits")
    host.send("chat-message", {"content": "not for those who wait"})
    two.send("chat-message", {"content": "from outside"})
    two.hears("error")
    check(not [it for it in two.skipped if it["type"] == "chat-message"], "who waits has heard chat")
    answered(ann.post(path(room, f"waiting-room/{bob.name}/admit")), 200, {"success": True, "user_id": bob.name, "action": "admit"})
    said = two.hears("waiting-room-admit", user_id=bob.name, actioned_by=ann.name)["payload"]
    check(when(said["timestamp"]), "waiting-room-admit without a timestamp")
    check(not [it for it in two.skipped if it["type"] == "chat-message"], "who was let in has heard chat from before")
    host.send("chat-message", {"content": "for all"})
    two.hears("chat-message", content="for all")
    three = cat.join(room)
    host.hears("waiting-room-join", user_id=cat.name)
    answered(ann.post(path(room, f"waiting-room/{cat.name}/reject")), 200, {"success": True, "user_id": cat.name, "action": "reject"})
    three.hears("waiting-room-reject", user_id=cat.name, actioned_by=ann.name)
    check(three.close_code() in (1008, 4403), "who was rejected stays connected")


@SUITE.test("breakout-room-create, -assign and -close; who is assigned is told where to connect")
def breakout(world):
    ann, bob = world.people("ann", "bob")
    room, (one, two) = world.meet("ann", "bob")
    made = answered(ann.post(path(room, "breakout-rooms"), {"name": "Corner", "duration_minutes": 5}), 200, {"success": True, "breakout_room_id": text})
    small = made["breakout_room_id"]
    said = two.hears("breakout-room-create", created_by=ann.name)["payload"]
    equal((said["config"]["breakout_room_id"], said["config"]["name"]), (small, "Corner"), "the breakout room")
    answered(ann.post(path(room, f"breakout-rooms/{small}/assign/{bob.name}")), 200, {"success": True, "breakout_room_id": small, "user_id": bob.name})
    said = two.hears("breakout-room-assign", user_id=bob.name, breakout_room_id=small, assigned_by=ann.name)["payload"]
    check(when(said["timestamp"]) and said.get("connect_to"), f"breakout-room-assign says {said}")
    inside = bob.connect(small)
    inside.hears_next("room-state", {"room_id": small, "participant_count": 1})
    answered(ann.delete(path(room, f"breakout-rooms/{small}")), 200, {"success": True, "breakout_room_id": small, "status": "closed"})
    two.hears("breakout-room-close", breakout_room_id=small, closed_by=ann.name)
    inside.hears("breakout-room-close", breakout_room_id=small)


@SUITE.test("a breakout room closes by its time, and its people are told to come back")
def breakout_time(world):
    ann, bob = world.people("ann", "bob")
    room, (one, _) = world.meet("ann", "bob")
    made = answered(ann.post(path(room, "breakout-rooms"), {"name": "Short", "duration_minutes": 0.1}), 200)
    small = made["breakout_room_id"]
    answered(ann.post(path(room, f"breakout-rooms/{small}/assign/{bob.name}")))
    inside = bob.join(small)
    said = inside.hears("breakout-room-close", timeout=20, breakout_room_id=small)["payload"]
    equal(said["closed_by"], None, "closed_by, when the time is over")
    one.hears("breakout-room-close", breakout_room_id=small)


@SUITE.test("live-stream-start and -stop, and the stream key in no message and no answer")
def live_stream(world):
    ann = world.user("ann")
    room, (one, two) = world.meet("ann", "bob")
    key = "StreamKeyThatNobodyMaySee"
    body = {"platform": "custom", "title": "Tea", "stream_key": key, "stream_url": f"rtmp://example.org/live/{key}"}
    answers = [ann.post(path(room, "live-streams/start"), body)]
    stream = answered(answers[0], 200, {"success": True, "stream_id": text, "status": text})["stream_id"]
    said = two.hears("live-stream-start", started_by=ann.name)
    check(when(said["payload"]["timestamp"]), "live-stream-start without a timestamp")
    answers.append(ann.get(path(room, "live-streams")))
    answered(answers[-1], 200, {"room_id": room, "active_streams": list, "count": 1})
    answers.append(ann.post(path(room, f"live-streams/{stream}/stop")))
    answered(answers[-1], 200, {"success": True, "stream_id": stream, "status": text})
    stopped = two.hears("live-stream-stop", stream_id=stream, stopped_by=ann.name)
    check(isinstance(stopped["payload"]["duration_seconds"], (int, float)), "live-stream-stop without duration_seconds")
    check(key not in f"{said}{stopped}", "the stream key was sent to the room")
    check(not any(key.encode() in answer.body for answer in answers), "the stream key was in an answer")
    answered(ann.get(path(room, "live-streams")), 200, {"active_streams": [], "count": 0})


@SUITE.test("recording-control by request tells the room, as one by message does")
def recording(world):
    ann = world.user("ann")
    room, (_, two) = world.meet("ann", "bob")
    answered(ann.post(path(room, "recordings/start"), recording_id="rec-7"), 200, {"success": True, "recording_id": "rec-7"})
    two.hears("recording-control", action="start", recording_id="rec-7")
    answered(ann.post(path(room, "recordings/rec-7/stop")), 200, {"success": True, "recording_id": "rec-7"})
    two.hears("recording-control", action="stop", recording_id="rec-7")


@SUITE.test("file-share-offer, -accept and -reject by request tell the other side only")
def files(world):
    ann, bob = world.people("ann", "bob")
    room, (one, two, three) = world.meet("ann", "bob", "cat")
    offer = {"receiver_id": bob.name, "filename": "a.png", "file_size": 100000, "mime_type": "image/png"}
    for action, heard in (("accept", "file-share-accept"), ("reject", "file-share-reject")):
        made = answered(ann.post(path(room, "file-transfer/offer"), offer))
        said = two.hears("file-share-offer", transfer_id=made["transfer_id"])
        equal((said["sender_id"], said["payload"]["file_name"], said["payload"]["file_size"]), (ann.name, "a.png", 100000), "the offer")
        check({"file_type", "total_chunks", "chunk_size", "timestamp"} <= set(said["payload"]), f"the offer lacks fields: {said['payload']}")
        answered(bob.post(path(room, f"file-transfer/{made['transfer_id']}/{action}")))
        one.hears(heard, transfer_id=made["transfer_id"])
    three.hears_nothing_but(of=one)


@SUITE.test("error names a code, says it in words, and gives details that help")
def errors(world):
    _, (one, two) = world.meet("ann", "bob")
    two.leave()
    one.hears("user-left")
    one.send("ice-candidate", {"candidate": CANDIDATE, "target_user_id": two.name})
    one.is_refused("TARGET_NOT_FOUND")
