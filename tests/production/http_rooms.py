"""Every endpoint below /webrtc: what it answers, to whom, and what it refuses."""

from announced import PARTICIPANT, PERMISSIONS, SETTINGS, path
from checks import NUMBER, Optional, answered, check, equal, refused, text, when
from suite import Suite

SUITE = Suite("complete, rooms over HTTP", "every endpoint below /webrtc, answered in the form of the original service")
INFO = {
    **PARTICIPANT, "audio_enabled": bool, "video_enabled": bool, "screen_sharing": bool, "hand_raised": bool, "is_speaking": bool,
    "hand_raised_at": Optional((when, None)), "connection_quality": Optional((text, None)),
}  # fmt: skip
TRANSFER = {
    "transfer_id": text, "room_id": text, "sender_id": text, "receiver_id": text, "filename": text, "file_size": int, "mime_type": (text, None),
    "chunk_size": 65536, "total_chunks": int, "chunks_sent": int, "chunks_received": int, "status": text, "progress_percent": NUMBER,
}  # fmt: skip


@SUITE.test("without a token every endpoint is 401")
def unauthorized(world):
    room = world.room()
    gets = ("participants", "participants/enhanced", "roles/x", "permissions/x", "settings", "hand-raise/queue", "waiting-room", "live-streams",
            "recordings", "analytics", "analytics/summary", "reconnection-state", "e2ee/keys/x")  # fmt: skip
    for rest in gets:
        refused(world.target.http("GET", path(room, rest)), 401, "Not authenticated")
    for rest in ("settings", "roles/x?role=host", "hand-raise", "breakout-rooms", "live-streams/start", "recording/start", "connection-quality"):
        refused(world.target.http("POST", path(room, rest)), 401, "Not authenticated")
    for whole in ("/webrtc/recordings", "/webrtc/file-transfers"):
        refused(world.target.http("GET", whole), 401, "Not authenticated")


@SUITE.test("GET participants and participants/enhanced")
def participants(world):
    ann, bob = world.people("ann", "bob")
    room, _ = world.meet("ann", "bob")
    body = answered(ann.get(path(room, "participants")), 200, {"room_id": room, "participants": [PARTICIPANT], "participant_count": 2})
    equal([one["user_id"] for one in body["participants"]], [ann.name, bob.name], "the participants")
    answered(ann.get(path(room, "participants/enhanced")), 200, {"room_id": room, "participants": [INFO], "participant_count": 2})


@SUITE.test("POST participants/{user}/info changes one's own, and only that")
def info(world):
    ann, bob = world.people("ann", "bob")
    room, _ = world.meet("ann", "bob")
    wanted = {"success": True, "user_id": bob.name, "info": {**INFO, "user_id": bob.name, "audio_enabled": False}}
    answered(bob.post(path(room, f"participants/{bob.name}/info"), {"audio_enabled": False}), 200, wanted)
    refused(ann.post(path(room, f"participants/{bob.name}/info"), {"audio_enabled": True}), 403)
    body = answered(ann.get(path(room, "participants/enhanced")))
    equal([one["audio_enabled"] for one in body["participants"]], [True, False], "who has his microphone on")


@SUITE.test("GET and POST roles: hosts and moderators give them; no moderator makes a host; unknown ones are 422")
def roles(world):
    ann, bob, cat = world.people("ann", "bob", "cat")
    room, sockets = world.meet("ann", "bob", "cat")
    answered(ann.get(path(room, f"roles/{ann.name}")), 200, {"user_id": ann.name, "role": "host"})
    refused(bob.post(path(room, f"roles/{cat.name}"), role="observer"), 403)
    answered(ann.post(path(room, f"roles/{bob.name}"), role="moderator"), 200, {"success": True, "user_id": bob.name, "role": "moderator"})
    answered(bob.get(path(room, f"roles/{bob.name}")), 200, {"user_id": bob.name, "role": "moderator"})
    refused(bob.post(path(room, f"roles/{cat.name}"), role="host"), 403)
    answered(bob.post(path(room, f"roles/{cat.name}"), role="observer"), 200, {"success": True, "user_id": cat.name, "role": "observer"})
    sockets[2].leave()
    answered(ann.get(path(room, f"roles/{cat.name}")), 200, {"user_id": cat.name, "role": "observer"})
    refused(ann.post(path(room, f"roles/{cat.name}"), role="king"), 422)
    refused(ann.post(path(room, f"roles/{cat.name}")), 422)


@SUITE.test("GET and POST permissions: stored, and enforced on messages")
def permissions(world):
    ann, bob = world.people("ann", "bob")
    room, (_, two) = world.meet("ann", "bob")
    answered(ann.get(path(room, f"permissions/{bob.name}")), 200, PERMISSIONS)
    refused(bob.post(path(room, f"permissions/{bob.name}"), {"can_record": True}), 403)
    change = {"can_send_chat": False, "can_share_files": False, "can_share_screen": False, "can_share_video": False, "can_speak": False}
    body = answered(ann.post(path(room, f"permissions/{bob.name}"), change), 200, {"success": True, "user_id": bob.name, "permissions": PERMISSIONS})
    equal({name: body["permissions"][name] for name in change}, change, "the permissions")
    offer = {"transfer_id": "t-1", "file_name": "a.txt", "file_size": 1, "file_type": "text/plain", "chunk_size": 16384, "total_chunks": 1}
    for type, payload in (
        ("chat-message", {"content": "x"}),
        ("file-share-offer", offer),
        ("screen-share-control", {"action": "start"}),
        ("media-control", {"action": "video_on", "media_type": "video"}),
        ("media-control", {"action": "unmute", "media_type": "audio"}),
        ("recording-control", {"action": "start", "recording_id": "r"}),
    ):
        two.send(type, payload)
        two.is_refused("PERMISSION_DENIED")


@SUITE.test("GET and POST settings: the host's, merged, and enforced")
def settings(world):
    ann, bob, cat = world.people("ann", "bob", "cat")
    room, (_, two) = world.meet("ann", "bob")
    answered(bob.get(path(room, "settings")), 200, {"room_id": room, "settings": SETTINGS})
    refused(bob.post(path(room, "settings"), {"enable_chat": False}), 403)
    refused(ann.post(path(room, "settings"), {"enable_chat": "perhaps"}), 422)
    off = {"enable_chat": False, "enable_reactions": False, "enable_screen_share": False, "enable_file_sharing": False, "lock_room": True}
    answered(ann.post(path(room, "settings"), {"enable_chat": False}))
    answered(ann.post(path(room, "settings"), {name: value for name, value in off.items() if name != "enable_chat"}))
    answered(ann.get(path(room, "settings")), 200, {"room_id": room, "settings": {**SETTINGS, **off}})
    for type, payload in (("chat-message", {"content": "x"}), ("reaction", {"reaction_type": "clap"}), ("screen-share-control", {"action": "start"})):
        two.send(type, payload)
        two.is_refused("PERMISSION_DENIED")
    late = cat.connect(room)
    late.is_refused("ROOM_LOCKED")
    equal(late.close_code(), 1008, "the close code of a locked room")
    answered(ann.post(path(room, "settings"), {"lock_room": False, "max_participants": 2}))
    late = cat.connect(room)
    late.is_refused("ROOM_FULL")
    equal(late.close_code(), 1008, "the close code of a full room")


@SUITE.test("settings as GET answers them may be posted as a whole, and values go back to what they were")
def settings_whole(world):
    ann = world.user("ann")
    room, _ = world.meet("ann", "bob")
    whole = answered(ann.get(path(room, "settings")))["settings"]
    answered(ann.post(path(room, "settings"), {"max_participants": 3}), 200, {"settings": {"max_participants": 3}})
    answered(ann.post(path(room, "settings"), whole))
    answered(ann.get(path(room, "settings")), 200, {"room_id": room, "settings": whole})


@SUITE.test("settings hold while somebody leads the room; an empty room locks nobody out")
def settings_empty(world):
    ann, bob = world.people("ann", "bob")
    room, (one,) = world.meet("ann")
    answered(ann.post(path(room, "settings"), {"lock_room": True}))
    one.leave()
    equal(answered(bob.get(path(room, "settings")))["settings"]["lock_room"], True, "lock_room of the empty room")
    refused(bob.post(path(room, "settings"), {"lock_room": False}), 403)
    answered(ann.post(path(room, "settings"), {"enable_chat": False}))  # he was its host
    bob.join(room)


@SUITE.test("POST hand-raise and GET hand-raise/queue; a hand is in it once, and goes down when its owner leaves")
def hands(world):
    ann, bob = world.people("ann", "bob")
    room, (one, two) = world.meet("ann", "bob")
    two.send("hand-raise", {"raised": True})
    two.hears("hand-raise-queue")
    answered(ann.post(path(room, "hand-raise"), raised="true"), 200, {"success": True, "raised": True, "position": 2})
    answered(ann.post(path(room, "hand-raise"), raised="true"), 200, {"success": True, "raised": True, "position": 2})
    body = answered(ann.get(path(room, "hand-raise/queue")), 200, {"room_id": room, "queue": [{"user_id": text, "username": text, "raised_at": when, "position": int}]})
    equal([hand["user_id"] for hand in body["queue"]], [bob.name, ann.name], "the queue")
    two.leave()
    one.hears("user-left")
    answered(ann.post(path(room, "hand-raise"), raised="false"), 200, {"success": True, "raised": False})
    equal(answered(ann.get(path(room, "hand-raise/queue")))["queue"], [], "the queue in the end")


@SUITE.test("GET waiting-room, POST admit and reject are for hosts and moderators")
def waiting(world):
    ann, bob, cat = world.people("ann", "bob", "cat")
    room, (one, _) = world.meet("ann", "bob")
    answered(ann.post(path(room, "settings"), {"enable_waiting_room": True}))
    cat.join(room)
    one.hears("waiting-room-join", user_id=cat.name)
    body = answered(ann.get(path(room, "waiting-room")), 200, {"room_id": room, "participants": [{"user_id": cat.name}], "count": 1})
    equal(len(body["participants"]), 1, "how many wait")
    refused(bob.get(path(room, "waiting-room")), 403)
    for action in ("admit", "reject"):
        refused(bob.post(path(room, f"waiting-room/{cat.name}/{action}")), 403)
        refused(ann.post(path(room, f"waiting-room/nobody/{action}")), 404)
    answered(ann.post(path(room, f"waiting-room/{cat.name}/admit")), 200, {"success": True, "user_id": cat.name, "action": "admit"})
    answered(ann.get(path(room, "waiting-room")), 200, {"participants": [], "count": 0})


@SUITE.test("breakout-rooms: only hosts and moderators make, assign and close; only who is assigned comes in")
def breakout(world):
    ann, bob, cat = world.people("ann", "bob", "cat")
    room, _ = world.meet("ann", "bob", "cat")
    refused(bob.post(path(room, "breakout-rooms"), {"name": "x"}), 403)
    small = answered(ann.post(path(room, "breakout-rooms"), {"name": "x"}), 200, {"success": True, "breakout_room_id": text})["breakout_room_id"]
    refused(bob.post(path(room, f"breakout-rooms/{small}/assign/{bob.name}")), 403)
    refused(ann.post(path(room, f"breakout-rooms/no-such/assign/{bob.name}")), 404)
    answered(ann.post(path(room, f"breakout-rooms/{small}/assign/{bob.name}")), 200, {"success": True, "breakout_room_id": small, "user_id": bob.name})
    equal(cat.connect(small).close_code(), 1008, "the close code for who is not assigned")
    refused(bob.delete(path(room, f"breakout-rooms/{small}")), 403)
    answered(ann.delete(path(room, f"breakout-rooms/{small}")), 200, {"success": True, "breakout_room_id": small, "status": "closed"})


@SUITE.test("live-streams: only hosts and moderators start and stop them")
def live_streams(world):
    ann, bob = world.people("ann", "bob")
    room, _ = world.meet("ann", "bob")
    refused(bob.post(path(room, "live-streams/start"), {"platform": "custom", "stream_key": "secret-key"}), 403)
    answered(ann.get(path(room, "live-streams")), 200, {"room_id": room, "active_streams": [], "count": 0})
    refused(ann.post(path(room, "live-streams/no-such/stop")), 404)


@SUITE.test("recordings: start needs can_record, stopping an unknown one is 200, and the list has what runs")
def recordings(world):
    ann, bob = world.people("ann", "bob")
    room, _ = world.meet("ann", "bob")
    refused(bob.post(path(room, "recordings/start"), recording_id="r1"), 403)
    answered(ann.post(path(room, "recordings/start"), recording_id="r1"), 200, {"success": True, "recording_id": "r1", "status": text})
    body = answered(ann.get(path(room, "recordings")), 200, {"room_id": room, "count": 1})
    check("r1" in str(body), "the list does not have the recording")
    answered(ann.post(path(room, "recordings/r1/stop")), 200, {"success": True, "recording_id": "r1"})
    answered(ann.post(path(room, "recordings/no-such/stop")), 200, {"success": True})
    answered(ann.get(path(room, "recordings")), 200, {"room_id": room, "count": 0})


@SUITE.test("recording: start, pause, resume, status, stop, cancel, and GET /webrtc/recordings")
def recording(world):
    ann, bob = world.people("ann", "bob")
    room, _ = world.meet("ann", "bob")
    state = {"recording_id": text, "room_id": room, "user_id": ann.name, "status": "recording"}
    made = answered(ann.post(path(room, "recording/start"), recording_format="webm", quality="high"), 200, state)["recording_id"]
    refused(bob.post(path(room, "recording/start")), 403)
    for action, status in (("pause", "paused"), ("resume", "recording")):
        answered(ann.post(path(room, f"recording/{made}/{action}")), 200, {**state, "recording_id": made, "status": status})
        answered(ann.get(path(room, f"recording/{made}/status")), 200, {"recording_id": made, "status": status})
    answered(ann.post(path(room, f"recording/{made}/stop")), 200, {"recording_id": made, "status": "stopped"})
    answered(ann.post(path(room, "recording/no-such/stop")), 200)
    refused(ann.get(path(room, "recording/no-such/status")), 404)
    other = answered(ann.post(path(room, "recording/start")))["recording_id"]
    answered(ann.delete(path(room, f"recording/{other}")), 200)
    listed = answered(ann.get("/webrtc/recordings"), 200, {"recordings": [{"recording_id": text, "status": text}], "count": int})
    check({made, other} <= {one["recording_id"] for one in listed["recordings"]}, "GET /webrtc/recordings does not have them")


@SUITE.test("analytics and analytics/summary have what was reported, and real figures")
def analytics(world):
    ann, bob = world.people("ann", "bob")
    room, (one, two) = world.meet("ann", "bob")
    for name in ("camera_on", "camera_on", "tab_hidden"):
        two.send("analytics-event", {"event_type": name, "data": {"x": 1}})
        one.hears("analytics-event")
    body = answered(ann.get(path(room, "analytics"), limit="2"), 200, {"room_id": room, "events": [{"event_type": text, "user_id": bob.name, "timestamp": when}], "count": 2})
    equal(len(body["events"]), 2, "events under limit=2")
    wanted = {"total_events": 3, "event_types": {"camera_on": 2, "tab_hidden": 1}, "unique_users": 2, "peak_participants": 2, "current_participants": 2}
    answered(ann.get(path(room, "analytics/summary")), 200, wanted)


@SUITE.test("file-transfer: offer, accept, pause, resume, progress, cancel, reject, and GET /webrtc/file-transfers")
def files(world):
    ann, bob, cat = world.people("ann", "bob", "cat")
    room, _ = world.meet("ann", "bob", "cat")
    offer = {"receiver_id": bob.name, "filename": "a.png", "file_size": 200000, "mime_type": "image/png"}
    state = {**TRANSFER, "room_id": room, "sender_id": ann.name, "receiver_id": bob.name, "filename": "a.png", "file_size": 200000, "total_chunks": 4}
    made = answered(ann.post(path(room, "file-transfer/offer"), offer), 200, {**state, "status": "pending"})["transfer_id"]
    at = path(room, f"file-transfer/{made}")
    refused(cat.post(f"{at}/accept"), 403)
    for user, action, status in ((bob, "accept", "active"), (ann, "pause", "paused"), (bob, "resume", "active")):
        answered(user.post(f"{at}/{action}"), 200, {**state, "status": status})
    answered(ann.get(f"{at}/progress"), 200, {**state, "status": "active"})
    answered(ann.delete(at), 200)
    other = answered(ann.post(path(room, "file-transfer/offer"), offer))["transfer_id"]
    answered(bob.post(path(room, f"file-transfer/{other}/reject")), 200)
    refused(bob.get(path(room, "file-transfer/no-such/progress")), 404)
    for wrong in ({"filename": "virus.exe"}, {"file_size": 600 * 1024 * 1024}, {"filename": "../a.png"}):
        refused(ann.post(path(room, "file-transfer/offer"), {**offer, **wrong}), (400, 413, 422))
    listed = answered(bob.get("/webrtc/file-transfers"), 200, {"transfers": [{**TRANSFER, "chunk_size": int, "receiver_id": (text, None)}], "count": int})
    check({made, other} <= {one["transfer_id"] for one in listed["transfers"]}, "GET /webrtc/file-transfers does not have them")


@SUITE.test("a user has at most five open file transfers")
def transfers_at_once(world):
    dan, bob = world.people("dan", "bob")
    room, _ = world.meet("dan", "bob")
    offer = {"receiver_id": bob.name, "filename": "a.png", "file_size": 1, "mime_type": "image/png"}
    made = [answered(dan.post(path(room, "file-transfer/offer"), offer))["transfer_id"] for _ in range(5)]
    refused(dan.post(path(room, "file-transfer/offer"), offer), (400, 409, 429))
    answered(dan.delete(path(room, f"file-transfer/{made[0]}")))
    answered(dan.post(path(room, "file-transfer/offer"), offer))


@SUITE.test("POST connection-quality grades a connection: poor, fair, good")
def quality(world):
    bob = world.user("bob")
    room, _ = world.meet("ann", "bob")
    for figures, grade in (
        ({"latency": 20, "packet_loss": 0, "jitter": 1}, ("good", "excellent")),
        ({"latency": 160, "packet_loss": 0, "jitter": 1}, "fair"),
        ({"latency": 20, "packet_loss": 3, "jitter": 1}, "fair"),
        ({"latency": 20, "packet_loss": 0, "jitter": 31}, "fair"),
        ({"latency": 301, "packet_loss": 0, "jitter": 1}, "poor"),
        ({"latency_ms": 200, "packet_loss_percent": 0, "jitter_ms": 1, "bandwidth_kbps": 900}, "fair"),
        ({"latency": 20, "packet_loss": 6, "jitter": 1}, "poor"),
        ({"latency": 20, "packet_loss": 0, "jitter": 51}, "poor"),
    ):
        answered(bob.post(path(room, "connection-quality"), figures), 200, {"success": True, "quality": grade})


@SUITE.test("GET reconnection-state says whether one is connected")
def reconnection(world):
    bob = world.user("bob")
    room, (_, two) = world.meet("ann", "bob")
    answered(bob.get(path(room, "reconnection-state")), 200, {"room_id": room, "user_id": bob.name, "state": {"is_connected": True}})
    two.leave()
    answered(bob.get(path(room, "reconnection-state")), 200, {"room_id": room, "user_id": bob.name, "state": {"is_connected": False}})


@SUITE.test("GET /webrtc/rate-limits/{type}/status says what is left")
def rate_limits(world):
    refused(world.target.http("GET", "/webrtc/rate-limits/offer/status"), 401, "Not authenticated")
    for type in ("chat-message", "offer"):
        answered(world.user("ann").get(f"/webrtc/rate-limits/{type}/status"), 200)


@SUITE.test("GET /webrtc/health, /webrtc/webrtc-metrics and /webrtc/stats are open to all")
def monitors(world):
    world.meet("ann", "bob", "cat")
    state = {"status": text}
    answered(world.target.http("GET", "/webrtc/health"), 200, {"status": "healthy", "components": {"redis": state, "mongodb": state}})
    answered(world.target.http("GET", "/webrtc/webrtc-metrics"), 200)
    sizes = {name: int for name in ("1-5", "6-10", "11-25", "26-50", "51+")}
    body = answered(world.target.http("GET", "/webrtc/stats"), 200, {"rooms_by_size": sizes, "top_rooms": list})
    check(body["rooms_by_size"]["1-5"] >= 1, f"a room of three is not counted: {body['rooms_by_size']}")


@SUITE.test("e2ee keys: published, read by others in the room, removed; no private keys; strangers see none")
def e2ee(world):
    ann, bob, cat = world.people("ann", "bob", "cat")
    room, _ = world.meet("ann", "bob")
    key = {"key_id": "k1", "key_type": "identity_key", "public_key": "QUJD", "signature": "U0lH"}
    answered(ann.post(path(room, "e2ee/keys/publish"), key), 200, {"success": True})
    check("QUJD" in str(answered(bob.get(path(room, f"e2ee/keys/{ann.name}")))), "the key is not in the answer")
    refused(cat.get(path(room, f"e2ee/keys/{ann.name}")), 403)
    refused(ann.post(path(room, "e2ee/keys/publish"), {**key, "key_type": "no-such"}), 422)
    refused(ann.post(path(room, "e2ee/keys/publish"), {**key, "public_key": "-----BEGIN PRIVATE KEY-----"}), 422)
    answered(ann.delete(path(room, "e2ee/keys/k1")), 200)
    refused(bob.get(path(room, f"e2ee/keys/{ann.name}")), 404)
