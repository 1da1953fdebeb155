"""Frames and envelopes: what passes, what the server fills in, what it answers to a bad frame, what closes."""

import json
import struct
from datetime import datetime, timezone

import lunasig_client as wire
import pytest
from lunasig_client import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, TIMESTAMP, Closed

SETTINGS = {"RESUME_WINDOW_S": "0", "WEBSOCKET_BAD_FRAMES": None}  # 10, the default


@pytest.fixture(params=["compat", "v1"])
def pair(server, room, request):
    """ann, who sends, and bob, who listens."""
    return server.gather(room, f"ann:{request.param}", f"bob:{request.param}")


@pytest.fixture
def compat(server, room):
    return server.gather(room, "ann", "bob")


def assert_still_open(ann, bob):
    """ann's next message is the next thing that bob gets."""
    ann.send("chat-message", {"content": "still open"})
    bob.expect("chat-message", content="still open")


# -- what the server fills in -------------------------------------------------------------------------------------------------------


def test_server_frames_have_all_keys_and_a_utc_timestamp(pair, server):
    ann, bob = pair
    ann.send("chat-message", {"content": "hi"})
    message = bob.expect("chat-message")  # recv() holds the set of keys against the dialect
    assert message["sender_id"] == "ann"
    assert message["room_id"] == bob.room_state["room_id"]
    assert TIMESTAMP.match(message["timestamp"]), message
    if bob.v1:
        assert message["sender_peer_id"] == ann.peer_id


def test_a_set_timestamp_is_the_time_of_now(pair):
    ann, bob = pair
    ann.send("chat-message", {"content": "hi"})
    stamp = datetime.fromisoformat(bob.recv()["timestamp"].replace("Z", "+00:00"))
    assert abs((datetime.now(timezone.utc) - stamp).total_seconds()) < 5


@pytest.mark.parametrize("stamp", ["2024-05-06T07:08:09Z", "whenever", "", 'quo"te\\ ü \u2028'])
def test_a_timestamp_that_is_a_string_is_kept(pair, stamp):
    ann, bob = pair
    ann.send("chat-message", {"content": "hi"}, timestamp=stamp)
    assert bob.recv()["timestamp"] == stamp


@pytest.mark.parametrize("stamp", [None, 1234567890, True, {"a": 1}, ["x"]])
def test_a_timestamp_that_is_no_string_is_set_anew(pair, stamp):
    ann, bob = pair
    ann.send("chat-message", {"content": "hi"}, timestamp=stamp)
    assert TIMESTAMP.match(bob.recv()["timestamp"])


@pytest.mark.parametrize("forged", ["bob", "", None, 7, {"a": 1}])
def test_sender_and_room_of_a_client_are_overwritten(pair, forged):
    ann, bob = pair
    ann.send("chat-message", {"content": "hi"}, sender_id=forged, room_id=forged)
    message = bob.expect("chat-message")
    assert message["sender_id"] == "ann"
    assert message["room_id"] == bob.room_state["room_id"]


def test_other_top_level_keys_are_dropped_and_the_payload_is_kept(pair):
    ann, bob = pair
    payload = {"content": "hi", "message_id": "7"}
    if not ann.v1:  # where a policy need not know every field
        payload.update(extra={"nested": [1, 2.5, None, True, "ü"]}, sender_id="x")
    ann.send("chat-message", payload, foo=1, seq=99, sender_peer_id="x", target_id=None)
    message = bob.expect("chat-message")  # recv() refuses further keys
    assert message["payload"] == payload


def test_payload_bytes_reach_the_other_side_as_they_were(compat):
    ann, bob = compat
    payload = r'{ "content" :"a\u00e9\/\n\ud83d\ude00" , "n":1e2,"big":12345678901234567, "e":{ } }'
    ann.send_text(f'{{"type":"chat-message","payload":{payload}}}')
    assert payload in bob.recv_text()


def test_user_ids_are_escaped_in_what_the_server_writes(server, room):
    odd = 'a"b\\c/d <ü>'
    ann, bob = server.gather(room, odd, "bob")
    ann.send("chat-message", {"content": "hi"})
    assert bob.expect("chat-message")["sender_id"] == odd


def test_an_alias_with_underscores_is_delivered_with_hyphens(pair):
    ann, bob = pair
    ann.send("ice_candidate", {"candidate": wire.CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0})
    bob.expect("ice-candidate")
    ann.send("chat_message", {"content": "hi"})
    bob.expect("chat-message", content="hi")


def test_keys_are_compared_after_unescaping(pair):
    ann, bob = pair
    ann.send_text(r'{"t\u0079pe":"ch\u0061t-message","payl\u006fad":{"content":"hi"},"sender\u005fid":"x"}')
    assert bob.expect("chat-message", content="hi")["sender_id"] == "ann"


# -- bad frames ---------------------------------------------------------------------------------------------------------------------

NOT_JSON = [
    "",
    " ",
    "hello",
    "{",
    '{"type":"chat-message","payload":{"content":"hi"}',
    '{"type":"chat-message","payload":{"content":"hi"}}x',
    '{"type":"chat-message","payload":{"content":"hi"}}{}',
    '{"type":"chat-message","payload":{"content":"hi",}}',
    "{'type':'chat-message','payload':{}}",
    '{"type":"chat-message","payload":{"content":"a\nb"}}',
    '{"type":"chat-message","payload":{"content":"\\x"}}',
    '{"type":"chat-message","payload":{"content":"hi","n":01}}',
    '{"type":"chat-message","payload":{"content":"hi","n":NaN}}',
    '{"type":"chat-message","payload":{"content":"hi","n":+1}}',
    '{"type":"chat-message","payload":{"content":"hi","n":.5}}',
    '\ufeff{"type":"chat-message","payload":{"content":"hi"}}',
    '{"type":"chat-message","payload":{"content":"\\ud800"}}',
    '{"type":"chat-message","payload":{"content":"\\udc00\\ud800"}}',
    '{"type":"chat-message","payload":{"content":"\\ud800\\u0041"}}',
    '{"type":"chat-message","payload":{"\\ud800":1,"content":"hi"}}',
    '{"type":"chat-message","payload":{"content":"a\\u0000b"}}',
    '{"type":"chat-message","type":"offer","payload":{"content":"hi"}}',
    '{"type":"chat-message","t\\u0079pe":"offer","payload":{"content":"hi"}}',
    '{"type":"chat-message","payload":{"content":"hi"},"payload":{}}',
    '{"type":"chat-message","payload":{"content":"hi"},"sender_id":"x","sender_id":"x"}',
    '{"type":"chat-message","payload":{"content":"hi"},"room_id":"x","room\\u005fid":"x"}',
    '{"type":"chat-message","payload":{"content":"hi"},"target_id":"bob","target_id":"cid"}',
    '{"type":"chat-message","payload":{"content":"hi","target_user_id":"bob","target_user\\u005fid":"cid"}}',
]


@pytest.mark.parametrize("text", NOT_JSON)
def test_what_is_not_strict_json_is_answered_and_the_connection_stays(compat, text):
    ann, bob = compat
    ann.send_text(text)
    ann.expect_error("INVALID_JSON")
    assert_still_open(ann, bob)


NOT_A_MESSAGE = [
    "null",
    "7",
    '"text"',
    "[]",
    '[{"type":"chat-message","payload":{}}]',
    "{}",
    '{"type":"chat-message"}',
    '{"payload":{"content":"hi"}}',
    '{"type":null,"payload":{}}',
    '{"type":7,"payload":{}}',
    '{"type":"chat-message","payload":null}',
    '{"type":"chat-message","payload":[]}',
    '{"type":"chat-message","payload":"x"}',
]


@pytest.mark.parametrize("text", NOT_A_MESSAGE)
def test_json_that_is_no_message_is_answered_and_the_connection_stays(pair, text):
    ann, bob = pair
    ann.send_text(text)
    ann.expect_error("INVALID_MESSAGE")
    assert_still_open(ann, bob)


@pytest.mark.parametrize("type", ["no-such-type", "", "Chat-Message", "chat-message ", "x" * 64, "x" * 5000, "chat–message"])
def test_an_unknown_type_is_answered_and_the_connection_stays(pair, type):
    ann, bob = pair
    ann.send(type, {"content": "hi"})
    ann.expect_error("UNKNOWN_TYPE")
    assert_still_open(ann, bob)


def test_a_type_of_the_server_is_answered_and_the_connection_stays(pair):
    ann, bob = pair
    ann.send("room-state", {"room_id": "x", "participants": [], "participant_count": 0})
    ann.expect_error("FORBIDDEN_TYPE")
    assert_still_open(ann, bob)


def test_an_error_goes_to_its_sender_only_and_comes_from_the_server(pair):
    ann, bob = pair
    ann.send("no-such-type")
    assert ann.expect_error("UNKNOWN_TYPE")["sender_id"] is None
    assert_still_open(ann, bob)


def test_the_tenth_bad_frame_of_a_minute_closes_with_1008(pair):
    ann, bob = pair
    for number in range(9):
        ann.send_text("bad")
        ann.expect_error("INVALID_JSON")
        if number == 4:
            assert_still_open(ann, bob)
    ann.send_text("bad")
    assert ann.close_code() == 1008


def test_bad_frames_of_all_kinds_are_counted_together(pair):
    ann, bob = pair
    wrong = ['{"type":"no-such-type","payload":{}}', '{"type":"room-state","payload":{}}', '{"type":"offer","payload":{"sdp":7}}']
    kinds = ["{", "{}", *wrong]
    for text in (kinds * 2)[:9]:
        ann.send_text(text)
        ann.expect("error")
    ann.send_text("{")
    assert ann.close_code() == 1008
    left, _ = bob.until("user-left")
    assert left["payload"]["user_id"] == "ann" and left["payload"]["reason"] == "closed"


# -- bounds -------------------------------------------------------------------------------------------------------------------------


def nested(depth):
    """A frame of this depth: the envelope is 1, the payload 2."""
    return '{"type":"chat-message","payload":{"content":"hi","deep":' + "[" * (depth - 2) + "]" * (depth - 2) + "}}"


def test_a_frame_of_depth_32_passes(compat):
    ann, bob = compat
    ann.send_text(nested(32))
    bob.expect("chat-message", content="hi")


def test_a_frame_of_depth_33_does_not(compat):
    ann, bob = compat
    ann.send_text(nested(33))
    ann.expect_error("INVALID_JSON")
    assert_still_open(ann, bob)


def counted(values, kind):
    """A frame with this many object members and array elements in all: type, payload, content and many are 4."""
    rest = values - 4
    many = [1] * rest if kind == "elements" else {f"k{i}": 1 for i in range(rest)}
    return json.dumps({"type": "chat-message", "payload": {"content": "hi", "many": many}})


@pytest.mark.parametrize("kind", ["elements", "members"])
def test_a_frame_of_1024_members_and_elements_passes(compat, kind):
    ann, bob = compat
    ann.send_text(counted(1024, kind))
    bob.expect("chat-message", content="hi")


@pytest.mark.parametrize("kind", ["elements", "members"])
def test_a_frame_of_1025_members_and_elements_does_not(compat, kind):
    ann, bob = compat
    ann.send_text(counted(1025, kind))
    ann.expect_error("INVALID_JSON")
    assert_still_open(ann, bob)


def sized(size):
    """A message in a frame of exactly this many bytes, blanks between its members."""
    head, tail = '{"type":"chat-message",', '"payload":{"content":"hi"}}'
    return (head + " " * (size - len(head) - len(tail)) + tail).encode()


def test_a_frame_of_65536_bytes_passes(pair):
    ann, bob = pair
    ann.send_text(sized(65536))
    bob.expect("chat-message", content="hi")


def test_a_payload_that_fills_the_frame_arrives_whole(compat):
    ann, bob = compat
    text = '{"type":"chat-message","payload":{"content":"hi","fill":""}}'
    fill = "ü" * ((65536 - len(text)) // 2)
    ann.send_text(text[:-3] + fill + text[-3:])
    bob.expect("chat-message", content="hi", fill=fill)


def test_a_frame_of_65537_bytes_closes_with_1009_and_no_error_frame(pair):
    ann, bob = pair
    ann.send_text(sized(65537))
    assert ann.close_code() == 1009
    assert ann.last_words == []
    left, _ = bob.until("user-left")
    assert left["payload"]["reason"] == "closed"


def test_a_message_of_65537_bytes_in_fragments_closes_with_1009(compat):
    ann, _ = compat
    data = sized(65537)
    ann.send_frame(TEXT, data[:30000], fin=False)
    ann.send_frame(CONTINUATION, data[30000:60000], fin=False)
    ann.send_frame(CONTINUATION, data[60000:])
    assert ann.close_code() == 1009


def test_fragments_without_end_close_with_1009(compat):
    ann, _ = compat
    with pytest.raises((Closed, OSError)) as caught:
        ann.send_frame(TEXT, b"x" * 1000, fin=False)
        for _ in range(2000):
            ann.send_frame(CONTINUATION, b"x" * 1000, fin=False)
        ann.recv()
    if isinstance(caught.value, OSError):  # it closed while we were writing
        try:
            assert ann.close_code() == 1009
        except OSError:
            pass
    else:
        assert caught.value.code == 1009


@pytest.mark.parametrize("length", [65537, 1 << 31, 1 << 40, (1 << 63) - 1])
def test_a_frame_that_announces_too_much_closes_and_others_go_on(compat, server, length):
    ann, bob = compat
    ann.send_frame(TEXT, b"x" * 65537, length=length)
    assert ann.close_code() in (1009, 1006)
    server.join(bob.room_state["room_id"], "cid")


# -- kinds of frames ----------------------------------------------------------------------------------------------------------------


def test_a_binary_frame_closes_with_1003(pair):
    ann, bob = pair
    ann.send_frame(BINARY, b'{"type":"chat-message","payload":{"content":"hi"}}')
    assert ann.close_code() == 1003
    left, between = bob.until("user-left")
    assert left["payload"]["reason"] == "closed"
    assert "chat-message" not in {m["type"] for m in between}


INVALID_UTF8 = [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80"]


@pytest.mark.parametrize("bad", INVALID_UTF8)
def test_invalid_utf8_closes_with_1007(compat, bad):
    ann, bob = compat
    ann.send_text(b'{"type":"chat-message","payload":{"content":"' + bad + b'"}}')
    assert ann.close_code() == 1007
    left, between = bob.until("user-left")
    assert left["payload"]["reason"] == "closed"
    assert "chat-message" not in {m["type"] for m in between}


def test_invalid_utf8_behind_broken_json_closes_with_1007(compat):
    ann, _ = compat
    ann.send_text(b"{bad \xff")
    assert ann.close_code() == 1007


def test_fragments_are_put_together_also_inside_of_a_character(pair):
    ann, bob = pair
    data = '{"type":"chat-message","payload":{"content":"grün 日本 😀"}}'.encode()
    ann.send_frame(TEXT, data[:1], fin=False)
    for i in range(1, len(data)):
        ann.send_frame(CONTINUATION, data[i : i + 1], fin=False)
    ann.send_frame(CONTINUATION, b"")
    bob.expect("chat-message", content="grün 日本 😀")


def test_a_frame_whose_bytes_come_one_by_one_is_understood(pair):
    ann, bob = pair
    for byte in wire.encode_frame(TEXT, b'{"type":"chat-message","payload":{"content":"slow"}}'):
        ann.send_bytes(bytes([byte]))
    bob.expect("chat-message", content="slow")


def test_many_messages_in_one_segment_arrive_in_order(pair):
    ann, bob = pair
    frames = [json.dumps({"type": "chat-message", "payload": {"content": str(i)}}).encode() for i in range(300)]
    ann.send_bytes(b"".join(wire.encode_frame(TEXT, f) for f in frames))
    for i in range(300):
        bob.expect("chat-message", content=str(i))


@pytest.mark.parametrize("data", [b"", b"hello", b"x" * 125])
def test_a_ping_is_answered_by_a_pong_with_its_bytes(pair, data):
    ann, bob = pair
    ann.send_frame(PING, data)
    assert ann.recv_frame() == (True, 0, PONG, data)
    assert_still_open(ann, bob)


def test_a_ping_between_fragments_is_answered_and_the_message_arrives(pair):
    ann, bob = pair
    data = b'{"type":"chat-message","payload":{"content":"parts"}}'
    ann.send_frame(TEXT, data[:20], fin=False)
    ann.send_frame(PING, b"now")
    ann.send_frame(CONTINUATION, data[20:])
    assert ann.recv_frame() == (True, 0, PONG, b"now")
    bob.expect("chat-message", content="parts")


def test_an_unasked_pong_is_ignored(pair):
    ann, bob = pair
    ann.send_frame(PONG, b"what")
    assert_still_open(ann, bob)


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
def test_a_close_is_answered_by_a_close_and_the_end(pair, code):
    ann, bob = pair
    ann.send_frame(CLOSE, struct.pack(">H", code) + b"bye")
    frame = ann.recv_frame()
    assert frame.opcode == CLOSE
    ann.wire.ends()
    left, _ = bob.until("user-left")
    assert left["payload"]["reason"] == "bye"


VIOLATIONS = {
    "RSV1": wire.encode_frame(TEXT, b'{"type":"chat-message","payload":{"content":"evil"}}', rsv=4),
    "RSV3": wire.encode_frame(TEXT, b'{"type":"chat-message","payload":{"content":"evil"}}', rsv=1),
    "opcode 3": wire.encode_frame(3, b'{"type":"chat-message","payload":{"content":"evil"}}'),
    "opcode 11": wire.encode_frame(11, b"x"),
    "ping of 126 bytes": wire.encode_frame(PING, b"x" * 126),
    "ping in fragments": wire.encode_frame(PING, b"x", fin=False),
    "continuation of nothing": wire.encode_frame(CONTINUATION, b'{"type":"chat-message","payload":{"content":"evil"}}'),
    "text within a message": wire.encode_frame(TEXT, b"x", fin=False) + wire.encode_frame(TEXT, b"x"),
    "close of one byte": wire.encode_frame(CLOSE, b"\x03"),
    "close with a code that is not for the wire": wire.encode_frame(CLOSE, b"\x03\xed"),
    "length with the top bit": bytes([0x81, 0xFF]) + b"\xff" * 8 + bytes(4) + b"x",
}


@pytest.mark.parametrize("kind", VIOLATIONS)
def test_a_breach_of_rfc_6455_ends_the_connection_and_relays_nothing(compat, kind):
    ann, bob = compat
    ann.send_bytes(VIOLATIONS[kind])
    ann.close_code()
    _, between = bob.until("user-left")
    assert "chat-message" not in {m["type"] for m in between}
