"""Every message type that clients send: what they put into it, and what the others hear. Payloads are those of the original service."""

from checks import check, equal, when
from client import CANDIDATE, FENCE, SDP
from suite import Suite

SUITE = Suite("complete, messages", "every type that clients send is relayed, to whom it is for, in the envelope of the server")
NOW = "2026-01-02T03:04:05.678Z"

# A name of a participant in a payload: {ann} is the sender, {bob} the receiver.
RELAYED = {
    "offer": {"sdp": SDP, "type": "offer"},
    "answer": {"sdp": SDP, "type": "answer"},
    "ice-candidate": {"candidate": CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0},
    "media-control": {"action": "mute", "media_type": "audio", "user_id": "{ann}", "timestamp": NOW},
    "screen-share-control": {"action": "start", "user_id": "{ann}", "screen_id": "screen-1", "quality": "hd", "timestamp": NOW},
    "chat-message": {
        "message_id": "m-1", "user_id": "{ann}", "username": "{ann}", "content": "hello", "timestamp": NOW, "message_type": "text", "reply_to": None,
    },
    "recording-control": {
        "action": "start", "recording_id": "rec-1", "user_id": "{ann}", "format": "webm", "quality": "high", "include_audio": True,
        "include_video": True, "timestamp": NOW,
    },
    "recording-status": {"recording_id": "rec-1", "status": "recording", "duration": 1.5, "file_size": 1000, "timestamp": NOW},
    "file-share-offer": {
        "transfer_id": "t-1", "sender_id": "{ann}", "file_name": "notes.txt", "file_size": 32768, "file_type": "text/plain",
        "chunk_size": 16384, "total_chunks": 2, "target_user_id": "{bob}", "timestamp": NOW,
    },
    "file-share-accept": {"transfer_id": "t-2", "user_id": "{ann}", "timestamp": NOW},
    "file-share-reject": {"transfer_id": "t-2", "user_id": "{ann}", "timestamp": NOW},
    "file-share-progress": {"transfer_id": "t-2", "chunks_received": 1, "total_chunks": 2, "percentage": 50.0, "timestamp": NOW},
    "file-share-complete": {"transfer_id": "t-2", "success": True, "error": None, "timestamp": NOW},
    "network-stats": {
        "user_id": "{ann}", "bandwidth_up": 1000.0, "bandwidth_down": 2000.0, "latency": 20.0, "packet_loss": 0.1, "jitter": 2.0,
        "connection_quality": "good", "timestamp": NOW,
    },
    "quality-update": {
        "user_id": "{ann}", "video_resolution": "1280x720", "video_bitrate": 1500, "audio_bitrate": 64, "frame_rate": 30, "reason": "cpu",
        "timestamp": NOW,
    },
    "analytics-event": {"event_type": "tab_hidden", "user_id": "{ann}", "data": {"seconds": 3}, "timestamp": NOW},
    "hand-raise": {"user_id": "{ann}", "username": "{ann}", "raised": True, "timestamp": NOW},
    "reaction": {"user_id": "{ann}", "username": "{ann}", "reaction_type": "clap", "timestamp": NOW},
    "virtual-background-update": {
        "user_id": "{ann}", "background_type": "blur", "background_url": None, "blur_intensity": 0.5, "timestamp": NOW,
    },
}  # fmt: skip
TO_ONE = {
    "e2ee-key-exchange": {
        "sender_user_id": "{ann}", "recipient_user_id": "{bob}", "key_type": "identity_key", "public_key": "AAAA", "key_id": "k1",
        "signature": "BBBB", "timestamp": NOW,
    },
    "e2ee-ratchet-update": {
        "sender_user_id": "{ann}", "recipient_user_id": "{bob}", "chain_key": "AAAA", "message_number": 1, "previous_chain_length": 0,
        "timestamp": NOW,
    },
}  # fmt: skip
# Values of the protocol's lists, each of which is relayed.
VALUES = {
    ("media-control", "action"): ("mute", "unmute", "video_on", "video_off"),
    ("media-control", "media_type"): ("audio", "video", "screen-share"),
    ("screen-share-control", "action"): ("start", "stop"),
    ("chat-message", "message_type"): ("text", "emoji", "system"),
    ("recording-control", "action"): ("start", "pause", "resume", "stop"),
    ("reaction", "reaction_type"): ("thumbs_up", "thumbs_down", "clap", "heart", "laugh", "surprised", "thinking", "celebrate"),
    ("virtual-background-update", "background_type"): ("none", "blur", "image", "video"),
    ("e2ee-key-exchange", "key_type"): ("identity_key", "signed_pre_key", "one_time_pre_key", "ratchet_key"),
}
SERVER_ONLY = (
    "user-joined", "user-left", "error", "room-state", "role-updated", "permission-updated", "participant-update", "room-settings-update",
    "hand-raise-queue", "waiting-room-admit", "waiting-room-reject", "breakout-room-create", "breakout-room-assign", "breakout-room-close",
    "live-stream-start", "live-stream-stop",
)  # fmt: skip


def filled(payload, ann, bob):
    names = {"{ann}": ann.name, "{bob}": bob.name}
    return {key: names.get(value, value) if isinstance(value, str) else value for key, value in payload.items()}


def relay_test(type, payload):
    """A test for one type. What only its recipient may hear is not heard by a third."""

    def test(world):
        ann, bob = world.people("ann", "bob")
        _, (one, two, three) = world.meet("ann", "bob", "cat")
        sent = filled(payload, ann, bob)
        one.send(type, sent, sender_id="somebody-else", room_id="elsewhere")
        message = two.hears(type)
        equal(message["sender_id"], ann.name, "sender_id, which the server sets")
        check(message["room_id"] != "elsewhere", "room_id was taken from the client")
        check(when(message["timestamp"]), f"the timestamp of the envelope is {message['timestamp']!r}")
        for key, value in sent.items():
            equal(message["payload"].get(key, "missing"), value, f"payload.{key} as the receiver has it")
        if type in TO_ONE or "target_user_id" in sent:
            three.hears_nothing_but("recording-status", of=two)
        else:
            three.hears(type)
        if "-" in type:  # the name with _ means the same
            again = {**sent, "transfer_id": "t-3"} if "transfer_id" in sent else sent
            one.send(type.replace("-", "_"), again)
            two.hears(type)

    return test


for name, example in {**RELAYED, **TO_ONE}.items():
    whom = "its recipient only" if name in TO_ONE or "target_user_id" in example else "everybody"
    SUITE.test(f"{name} reaches {whom}")(relay_test(name, example))


@SUITE.test("every listed value of a field is relayed")
def values(world):
    ann, bob = world.people("ann", "bob")
    _, (one, two) = world.meet("ann", "bob")
    for (type, field), wanted in VALUES.items():
        for value in wanted:
            payload = {**filled({**RELAYED, **TO_ONE}[type], ann, bob), field: value}
            one.send(type, payload)
            equal(two.hears(type)["payload"][field], value, f"{type}.{field}")


@SUITE.test("waiting-room-join reaches host and moderators only")
def waiting(world):
    cat = world.user("cat")
    _, (one, two, three) = world.meet("ann", "bob", "cat")
    three.send("waiting-room-join", {"user_id": cat.name, "username": cat.name, "timestamp": NOW})
    equal(one.hears("waiting-room-join")["sender_id"], cat.name, "sender_id")
    two.hears_nothing_but(of=one)


@SUITE.test("with a target, any message is private")
def private(world):
    _, (one, two, three) = world.meet("ann", "bob", "cat")
    for place in ("top", "payload"):
        for name in ("target_id", "target", "to") if place == "top" else ("target_user_id", "target_id", "targetUserId", "receiver_id", "recipient_user_id"):
            content, target = f"for bob by {place} {name}", {name: two.name}
            payload = {"content": content} | (target if place == "payload" else {})
            one.send("chat-message", payload, **(target if place == "top" else {}))
            two.hears("chat-message", content=content)
    three.hears_nothing_but(of=one)


@SUITE.test("clients of the original may send null, extra fields and foreign names")
def lenient(world):
    ann, bob = world.people("ann", "bob")
    _, (one, two) = world.meet("ann", "bob")
    one.send("recording-control", {"action": "start", "recording_id": "rec-1", "user_id": None})
    one.send("media-control", {"action": "mute", "media_type": "audio", "user_id": "somebody-else", "more": {"x": 1}})
    equal(two.hears("media-control")["payload"]["more"], {"x": 1}, "an extra field")
    for type, payload in RELAYED.items():
        if type in ("chat-message", "file-share-offer", "recording-control", "recording-status"):
            continue  # of these some fields are looked at by the rules of the room
        one.send(type, {key: None for key in payload if key != "target_user_id"})
        two.hears(type)
    for candidate in (CANDIDATE, {"candidate": CANDIDATE, "sdpMid": "0"}, None):
        one.send("ice-candidate", {"candidate": candidate})
        equal(two.hears("ice-candidate")["payload"]["candidate"], candidate, "the candidate")


@SUITE.test("types that only the server makes are refused with FORBIDDEN_TYPE, and nobody hears them")
def forged(world):
    _, (one, two) = world.meet("ann", "bob")
    for type in SERVER_ONLY:
        for name in {type, type.replace("-", "_")} - {"error"} or {"error"}:
            one.send(name, {"user_id": "mallory", "code": "X", "message": "x"})
            error = one.is_refused("FORBIDDEN_TYPE" if name in SERVER_ONLY else ("FORBIDDEN_TYPE", "UNKNOWN_TYPE"))
            check(error["message"], "the error has no text")
            if one_more_bad_frame(world):
                two.hears_nothing_but(of=one)
                one.leave()
                two.hears("user-left")
                one = world.user("ann").join(two.room_state["room_id"])
                two.hears("user-joined")
    two.hears_nothing_but(of=one)


def one_more_bad_frame(world, most=8):
    """Counts; True after so many: the tenth bad frame of a minute closes the connection."""
    world.bad_frames = getattr(world, "bad_frames", 0) + 1
    if world.bad_frames < most:
        return False
    world.bad_frames = 0
    return True


@SUITE.test("an unknown type is refused with UNKNOWN_TYPE, a broken frame with INVALID_JSON or INVALID_MESSAGE")
def broken(world):
    _, (one, two) = world.meet("ann", "bob")
    one.send("no-such-type", {})
    one.is_refused("UNKNOWN_TYPE")
    one.send_text("{not json")
    one.is_refused("INVALID_JSON")
    for wrong in ('{"payload": {}}', '{"type": "chat-message"}', '["chat-message"]', '{"type": "chat-message", "payload": "text"}'):
        one.send_text(wrong)
        one.is_refused("INVALID_MESSAGE")
    two.hears_nothing_but(of=one)


@SUITE.test("e2ee messages for somebody who is not there are answered by TARGET_NOT_FOUND, and none is ever for all")
def absent(world):
    ann, bob = world.people("ann", "bob")
    _, (one, two) = world.meet("ann", "bob")
    for type, payload in TO_ONE.items():
        one.send(type, {**filled(payload, ann, bob), "recipient_user_id": "nobody"})
        one.is_refused("TARGET_NOT_FOUND")
        one.send(type, {**filled(payload, ann, bob), "recipient_user_id": None})
        one.hears("error")
    two.hears_nothing_but(of=one)


assert FENCE in RELAYED
