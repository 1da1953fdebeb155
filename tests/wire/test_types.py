"""Message types: which are relayed, which only the server sends, and how strictly payloads are looked at."""

import contextlib
import json

import lunasig_client as wire
import pytest
from lunasig_secrets import make_token

# The two rooms rest while the other one is tested, and nobody answers pings meanwhile.
SETTINGS = {"WEBSOCKET_PING_S": "3600"}
STAMP = "2024-05-06T07:08:09Z"
# Types that clients send, with a whole and good payload of each.
CLIENT = {
    "offer": {"sdp": wire.SDP, "type": "offer", "target_user_id": "bob"},
    "answer": {"sdp": wire.SDP, "type": "answer", "target_user_id": "bob"},
    "ice-candidate": {"candidate": wire.CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0, "target_user_id": "bob"},
    "media-control": {"action": "mute", "media_type": "audio", "user_id": "ann", "timestamp": STAMP},
    "screen-share-control": {"action": "start", "user_id": "ann", "screen_id": "s", "quality": "high", "timestamp": STAMP},
    "chat-message": {
        "message_id": "m", "user_id": "ann", "username": "Ann", "content": "hi", "timestamp": STAMP, "message_type": "text",
        "reply_to": "n",
    },
    "recording-control": {
        "action": "start", "recording_id": "r", "user_id": "ann", "format": "webm", "quality": "high", "include_audio": True,
        "include_video": False, "timestamp": STAMP,
    },
    "recording-status": {"recording_id": "r", "status": "recording", "duration": 1.5, "file_size": 1000, "timestamp": STAMP},
    "file-share-offer": {
        "transfer_id": "t", "sender_id": "ann", "file_name": "a.txt", "file_size": 100000, "file_type": "text/plain",
        "chunk_size": 16384, "total_chunks": 7, "target_user_id": "bob", "timestamp": STAMP,
    },
    "file-share-accept": {"transfer_id": "u", "user_id": "ann", "timestamp": STAMP},
    "file-share-reject": {"transfer_id": "u", "user_id": "ann", "timestamp": STAMP},
    "file-share-progress": {"transfer_id": "t", "chunks_received": 3, "total_chunks": 7, "percentage": 42.9, "timestamp": STAMP},
    "file-share-complete": {"transfer_id": "t", "success": False, "error": "disk full", "timestamp": STAMP},
    "network-stats": {
        "user_id": "ann", "bandwidth_up": 1.5, "bandwidth_down": 20, "latency": 30, "packet_loss": 0.1, "jitter": 2,
        "connection_quality": "good", "timestamp": STAMP,
    },
    "quality-update": {
        "user_id": "ann", "video_resolution": "1280x720", "video_bitrate": 1500, "audio_bitrate": 64, "frame_rate": 30,
        "reason": "bandwidth", "timestamp": STAMP,
    },
    "analytics-event": {"event_type": "click", "user_id": "ann", "data": {"a": 1}, "timestamp": STAMP},
    "hand-raise": {"user_id": "ann", "username": "Ann", "raised": True, "timestamp": STAMP},
    "reaction": {"user_id": "ann", "username": "Ann", "reaction_type": "heart", "timestamp": STAMP},
    "virtual-background-update": {
        "user_id": "ann", "background_type": "blur", "background_url": "https://example.org/x.png", "blur_intensity": 10,
        "timestamp": STAMP,
    },
    "waiting-room-join": {"user_id": "ann", "username": "Ann", "timestamp": STAMP},
    "e2ee-key-exchange": {
        "sender_user_id": "ann", "recipient_user_id": "bob", "key_type": "ratchet_key", "public_key": "k", "key_id": "1",
        "signature": "s", "timestamp": STAMP,
    },
    "e2ee-ratchet-update": {
        "sender_user_id": "ann", "recipient_user_id": "bob", "chain_key": "k", "message_number": 4, "previous_chain_length": 3,
        "timestamp": STAMP,
    },
}  # fmt: skip
# What v1 cannot do without.
REQUIRED = {
    "offer": ["sdp", "type"],
    "answer": ["sdp", "type"],
    "ice-candidate": ["candidate"],
    "media-control": ["action", "media_type"],
    "screen-share-control": ["action"],
    "chat-message": ["content"],
    "recording-control": ["action", "recording_id"],
    "recording-status": ["recording_id", "status"],
    "file-share-offer": ["transfer_id", "file_name", "file_size", "file_type", "total_chunks"],
    "file-share-accept": ["transfer_id"],
    "file-share-reject": ["transfer_id"],
    "file-share-progress": ["transfer_id", "chunks_received", "total_chunks", "percentage"],
    "file-share-complete": ["transfer_id", "success"],
    "analytics-event": ["event_type"],
    "hand-raise": ["raised"],
    "reaction": ["reaction_type"],
    "virtual-background-update": ["background_type"],
    "e2ee-key-exchange": ["recipient_user_id", "key_type", "public_key", "key_id"],
    "e2ee-ratchet-update": ["recipient_user_id", "chain_key", "message_number", "previous_chain_length"],
}
ENUMS = {
    "media-control": {"action": "mute unmute video_on video_off", "media_type": "audio video screen-share"},
    "screen-share-control": {"action": "start stop"},
    "chat-message": {"message_type": "text emoji system"},
    "recording-control": {"action": "start stop pause resume"},
    "reaction": {"reaction_type": "thumbs_up thumbs_down clap heart laugh surprised thinking celebrate"},
    "virtual-background-update": {"background_type": "none blur image video"},
    "e2ee-key-exchange": {"key_type": "identity_key signed_pre_key one_time_pre_key ratchet_key"},
}
# Fields with a value of a JSON type that cannot be right, also where compat takes a number for a text or a text for a number.
WRONG = {
    "offer": {"sdp": 7, "type": {}},
    "answer": {"sdp": True, "type": 7},
    "ice-candidate": {"candidate": 7, "sdpMid": {}, "sdpMLineIndex": []},
    "media-control": {"action": 7, "media_type": {}},
    "screen-share-control": {"action": ["start"], "screen_id": {}},
    "chat-message": {"content": 7, "message_type": {}, "message_id": {}},
    "recording-control": {"action": 7, "recording_id": {}, "include_audio": "yes", "include_video": {}},
    "recording-status": {"recording_id": {}, "status": {}, "duration": {}, "file_size": True},
    "file-share-offer": {"transfer_id": {}, "file_name": {}, "file_size": [], "file_type": 7, "chunk_size": {}, "total_chunks": {}},
    "file-share-accept": {"transfer_id": {}},
    "file-share-reject": {"transfer_id": ["t"]},
    "file-share-progress": {"transfer_id": {}, "chunks_received": {}, "total_chunks": [], "percentage": True},
    "file-share-complete": {"transfer_id": {}, "success": "yes", "error": {}},
    "network-stats": {"latency": {}, "packet_loss": [], "connection_quality": {}},
    "quality-update": {"video_resolution": {}, "video_bitrate": [], "frame_rate": True, "reason": {}},
    "analytics-event": {"event_type": {}},
    "hand-raise": {"raised": "yes", "username": {}},
    "reaction": {"reaction_type": 7, "username": {}},
    "virtual-background-update": {"background_type": 7, "background_url": {}, "blur_intensity": []},
    "waiting-room-join": {"username": {}},
    "e2ee-key-exchange": {"key_type": 7, "public_key": {}},
    "e2ee-ratchet-update": {"chain_key": {}, "message_number": [], "previous_chain_length": {}},
}
SERVER = [
    "user-joined", "user-left", "error", "room-state", "role-updated", "permission-updated", "participant-update",
    "room-settings-update", "hand-raise-queue", "waiting-room-admit", "waiting-room-reject", "breakout-room-create",
    "breakout-room-assign", "breakout-room-close", "live-stream-start", "live-stream-stop", "peer-joined", "peer-left",
]  # fmt: skip


class Room:
    """Two members of one dialect who stay for the whole module. After a failure, and before ten bad frames are counted against ann, they
    are replaced."""

    def __init__(self, server, name, dialect):
        self.server, self.name, self.v1 = server, name, dialect == "v1"
        self.rooms = 0
        self.arrive()

    def arrive(self):
        self.rooms += 1
        name = f"{self.name}-{self.rooms}"
        self.bob = self.server.join(name, "bob", v1=self.v1)  # the host: he hears waiting-room-join too
        self.ann = self.server.join(name, "ann", v1=self.v1)
        self.bob.until("user-joined", user_id="ann")
        path = f"/webrtc/rooms/{name}/roles/ann?role=moderator"  # who may record, and all else
        assert self.server.http("POST", path, token=make_token("bob")).status == 200
        self.bad = 0

    @contextlib.contextmanager
    def fresh_after_failure(self):
        try:
            yield
        except BaseException:
            self.arrive()
            raise

    def relays(self, type, payload, delivered_as=None):
        with self.fresh_after_failure():
            self.ann.send(type, payload)
            message, before = self.bob.until(delivered_as or type)
            assert message["payload"] == payload
            assert message["sender_id"] == "ann"
            assert all(other["sender_id"] is None for other in before), before  # what the server says of it

    def refuses(self, type, payload, *codes):
        with self.fresh_after_failure():
            self.ann.send(type, payload)
            error = self.ann.until("error")[0]["payload"]
            assert error["code"] in codes, error
            self.relays("chat-message", {"content": "nothing before this"})
        self.bad += 1
        if self.bad == 8:
            self.arrive()
        return error


@pytest.fixture(scope="module")
def compat(server):
    return Room(server, "types-compat", "compat")


@pytest.fixture(scope="module")
def v1(server):
    return Room(server, "types-v1", "v1")


@pytest.fixture(params=["compat", "v1"])
def either(request, compat, v1):
    return {"compat": compat, "v1": v1}[request.param]


@pytest.fixture(autouse=True)
def sockets():
    """These rooms outlive their tests: they are closed with the server."""


@pytest.mark.parametrize("type", CLIENT)
def test_what_clients_send_is_relayed(either, type):
    either.relays(type, CLIENT[type])


@pytest.mark.parametrize("type", [t for t in CLIENT if "-" in t])
def test_underscores_in_a_type_are_an_alias(either, type):
    either.relays(type.replace("-", "_"), CLIENT[type], delivered_as=type)


@pytest.mark.parametrize("type", SERVER)
def test_what_only_the_server_sends_is_forbidden(either, type):
    either.refuses(type, {}, "FORBIDDEN_TYPE")


@pytest.mark.parametrize("type", [t for t in SERVER if "-" in t])
def test_an_alias_of_what_only_the_server_sends_is_not_relayed(either, type):
    either.refuses(type.replace("-", "_"), {}, "FORBIDDEN_TYPE", "UNKNOWN_TYPE")


@pytest.mark.parametrize("type,field", [(t, f) for t, fields in ENUMS.items() for f in fields])
def test_every_value_of_an_enumeration_passes(either, type, field):
    for value in ENUMS[type][field].split():
        either.relays(type, {**CLIENT[type], field: value})


def test_sdp_and_candidate_may_be_text_object_or_null_in_compat(compat):
    for type in ("offer", "answer"):
        for sdp in (wire.SDP, {"type": type, "sdp": wire.SDP}, None):
            compat.relays(type, {"sdp": sdp, "type": type, "target_user_id": "bob"})
    for candidate in (wire.CANDIDATE, "", {"candidate": wire.CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0}, None):
        compat.relays("ice-candidate", {"candidate": candidate, "target_user_id": "bob"})


def test_a_candidate_may_be_text_object_or_null_in_v1(v1):
    for candidate in (wire.CANDIDATE, "", {"candidate": wire.CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0}, None):
        v1.relays("ice-candidate", {"candidate": candidate, "target_user_id": "bob"})


@pytest.mark.parametrize("sdp", [None, {"type": "offer", "sdp": wire.SDP}, 7])
def test_sdp_is_a_string_in_v1(v1, sdp):
    v1.refuses("offer", {"sdp": sdp, "type": "offer"}, "INVALID_MESSAGE")


@pytest.mark.parametrize("type", [t for t in REQUIRED if not t.startswith("e2ee")])
def test_compat_lets_missing_fields_pass(compat, type):
    compat.relays(type, {})


@pytest.mark.parametrize("type,field", [(t, f) for t, fields in REQUIRED.items() for f in fields])
def test_v1_refuses_a_missing_required_field_and_names_it(v1, type, field):
    error = v1.refuses(type, {k: v for k, v in CLIENT[type].items() if k != field}, "INVALID_MESSAGE")
    assert field in error["details"]["field"]


@pytest.mark.parametrize(
    "type,field",
    [(t, f) for t, fields in REQUIRED.items() for f in fields if f not in ("candidate", "recipient_user_id", "key_id")],
)
def test_v1_refuses_null_in_a_required_field(v1, type, field):
    v1.refuses(type, {**CLIENT[type], field: None}, "INVALID_MESSAGE")


@pytest.mark.parametrize("type", CLIENT)
def test_v1_lets_optional_fields_be_missing(v1, type):
    payload = {k: v for k, v in CLIENT[type].items() if k in REQUIRED.get(type, ())}
    v1.relays(type, payload)


@pytest.mark.parametrize("type", [t for t in CLIENT if not t.startswith("e2ee")])
def test_compat_lets_null_pass_in_every_field(compat, type):
    compat.relays(type, dict.fromkeys(CLIENT[type]))


@pytest.mark.parametrize("type", CLIENT)
def test_compat_lets_extra_fields_and_foreign_user_ids_pass(compat, type):
    payload = {**CLIENT[type], "something_else": {"a": [1, None]}}
    for name in ("user_id", "sender_id", "sender_user_id"):
        if name in payload:
            payload[name] = "somebody-else"
    compat.relays(type, payload)


@pytest.mark.parametrize("type,field", [(t, f) for t, fields in ENUMS.items() for f in fields])
def test_compat_lets_unknown_values_of_an_enumeration_pass_and_v1_does_not(compat, v1, type, field):
    payload = {**CLIENT[type], field: "something-new"}
    compat.relays(type, payload)
    error = v1.refuses(type, payload, "INVALID_MESSAGE")
    assert field in error["details"]["field"]


@pytest.mark.parametrize("type,field", [(t, f) for t, fields in WRONG.items() for f in fields])
def test_a_known_field_of_a_wrong_json_type_is_refused_in_both_dialects(either, type, field):
    error = either.refuses(type, {**CLIENT[type], field: WRONG[type][field]}, "INVALID_MESSAGE")
    assert field in error["details"]["field"]


def test_the_answer_to_a_bad_field_does_not_repeat_its_value(either):
    error = either.refuses("chat-message", {"content": {"value": "NotToBeSeen"}}, "INVALID_MESSAGE")
    assert "NotToBeSeen" not in json.dumps(error)
