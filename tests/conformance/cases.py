"""The cases: what is sent on a fresh WebSocket, and how the answers are judged by RFC 6455. Groups are numbered as Autobahn's are.

Answers are events: ("error",) shows that a text message was received (it is no JSON), ("pong", data), ("close", code or None),
("end",) the end of TCP without a close frame, ("silence",) nothing within the time, ("late",) the rest of what is sent had to follow,
("relayed", text) what another member of the room got.
"""

import json
from collections import namedtuple

import utf8
from frames import BINARY, CLOSE, CONTINUATION, LONG, LONGEST, PING, PONG, TEXT, chops, close, fragments, frame

OK, NON_STRICT, FAILED = "OK", "NON-STRICT", "FAILED"
BOUND = 65536  # WEBSOCKET_FRAME_BYTES
RECEIVED = ("error",)

# number; title; section of RFC 6455; writes: bytes, each sent by itself; answers: how many are awaited before we close, None: the
# server has to close; judge: events -> outcome; late: writes for when the server has not closed yet; relay: another member listens
Case = namedtuple("Case", "number title section writes answers judge late relay", defaults=((), False))


# -- judges -------------------------------------------------------------------------------------------------------------------------


def stays(*events):
    """These answers, and then a close that is answered with its code."""

    def judge(seen):
        if seen == [*events, ("close", 1000)]:
            return OK
        return NON_STRICT if seen == [*events, ("close", None)] else FAILED

    return judge


def fails(code, *before):
    """The connection is failed (section 7.1.7): a close frame with this code. Another code or the bare end of TCP is less helpful."""

    def judge(seen):
        if seen == [*before, ("close", code)]:
            return OK
        over = seen and (seen[-1] == ("end",) or seen[-1][0] == "close" and (seen[-1][1] or 0) in (1002, 1003, 1007, 1008, 1009))
        return NON_STRICT if over and seen[:-1] == list(before)[: len(seen) - 1] else FAILED

    return judge


def answers_close(*codes):
    """Section 5.5.1: a close is answered by a close, typically with its code."""

    def judge(seen):
        if len(seen) == 1 and seen[0][0] == "close":
            return OK if seen[0][1] in codes else NON_STRICT
        return FAILED

    return judge


def fails_fast(seen):
    """Section 8.1 does not say when bytes that are no UTF-8 have to be noticed; at once is best."""
    return OK if seen == [("close", 1007)] else NON_STRICT if seen == [("late",), ("close", 1007)] else FAILED


def pongs_up_to(*payloads):
    """Section 5.5.3: each ping is answered, or only the most recent one of several."""

    def judge(seen):
        *pongs, end = seen
        order = [payloads.index(data) for kind, data in pongs if kind == "pong" and data in payloads]
        good = len(order) == len(pongs) and order == sorted(set(order)) and end == ("close", 1000)
        if good and order and order[-1] == len(payloads) - 1:
            return OK
        return NON_STRICT if good and order else FAILED

    return judge


# -- groups -------------------------------------------------------------------------------------------------------------------------


def message(fill):
    """A message that reaches the other member; fill: its data."""
    return json.dumps({"type": "analytics-event", "payload": {"event_type": "x", "data": fill}}, ensure_ascii=False).encode()


def sized(size):
    fill = "a" * (size - len(message("")))
    return message(fill), fill


def framing():
    for size in (0, 1, 125, 126, 127, 128):
        yield f"text of {size} bytes", "5.6", [frame(TEXT, b"*" * size)], 1, stays(RECEIVED)
    for size in (200, 65535, 65536):
        data, fill = sized(size)
        yield f"message of {size} bytes", "5.6", [frame(TEXT, data)], 0, stays(("relayed", fill)), (), True
        yield f"message of {size} bytes in writes of 997", "5.6", chops(frame(TEXT, data), 997), 0, stays(("relayed", fill)), (), True
    for key in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\1", b"{}{}"):
        data, fill = sized(300)
        yield f"mask {key.hex()}", "5.3", [frame(TEXT, data, key=key)], 0, stays(("relayed", fill)), (), True
    for size in (0, 1, 125, 126, 65535, 65536):
        yield f"binary of {size} bytes", "7.4.1", [frame(BINARY, b"\xfe" * size)], None, fails(1003)
    for size, form in ((0, LONG), (1, LONG), (125, LONG), (0, LONGEST), (125, LONGEST), (126, LONGEST), (65535, LONGEST)):
        yield f"{size} bytes with a length of {form} bits", "5.2", [frame(TEXT, b"*" * size, form=form)], None, fails(1002)
    for opcode, name in ((PING, "ping"), (PONG, "pong")):
        yield f"{name} with a length of 16 bits", "5.2", [frame(opcode, b"*", form=LONG)], None, fails(1002)
    yield "length of 2^63", "5.2", [frame(TEXT, b"*", form=LONGEST, length=1 << 63)], None, fails(1002)
    yield "length of 2^64 - 1", "5.2", [frame(TEXT, b"*", form=LONGEST, length=(1 << 64) - 1)], None, fails(1002)
    for opcode, name in ((TEXT, "text"), (BINARY, "binary"), (PING, "ping"), (PONG, "pong"), (CLOSE, "close")):
        data = b"\x03\xe8" if opcode == CLOSE else b"**"
        yield f"{name} without a mask", "5.1", [frame(opcode, data, key=None)], None, fails(1002)
        good = frame(TEXT, b"*")
        yield f"{name} without a mask behind a good text", "5.1", [good + frame(opcode, data, key=None)], None, fails(1002, RECEIVED)
    yield "a continuation without a mask", "5.1", [frame(TEXT, b"*", fin=False), frame(CONTINUATION, b"*", key=None)], None, fails(1002)


def pings():
    for data in (b"", b"hello", b"*" * 125, bytes([0, 255, 254, 253, 252, 251, 0, 255])):
        yield f"ping of {len(data)} bytes", "5.5.2", [frame(PING, data)], 1, stays(("pong", data))
        yield f"ping of {len(data)} bytes, byte by byte", "5.5.2", chops(frame(PING, data), 1), 1, stays(("pong", data))
    for size in (126, 127, 65536):
        yield f"ping of {size} bytes", "5.5", [frame(PING, b"*" * size)], None, fails(1002)
        yield f"pong of {size} bytes", "5.5", [frame(PONG, b"*" * size)], None, fails(1002)
    for data in (b"", b"unasked"):
        yield f"unasked pong of {len(data)} bytes", "5.5.3", [frame(PONG, data)], 0, stays()
        yield f"unasked pong of {len(data)} bytes, then a ping", "5.5.3", [frame(PONG, data), frame(PING, b"p")], 1, stays(("pong", b"p"))
    many = [b"payload-%d" % n for n in range(10)]
    yield "ten pings in one write", "5.5.3", [b"".join(frame(PING, data) for data in many)], 1, pongs_up_to(*many)
    two = many[:2]
    yield "two pings in one write", "5.5.3", [b"".join(frame(PING, data) for data in two)], 1, pongs_up_to(*two)


def reserved_bits():
    kinds = ((TEXT, "text", b"*"), (BINARY, "binary", b"*"), (PING, "ping", b"*"), (PONG, "pong", b""), (CLOSE, "close", b"\x03\xe8"))
    for rsv in range(1, 8):
        for opcode, name, data in kinds:
            yield f"{name} with reserved bits {rsv}", "5.2", [frame(opcode, data, rsv=rsv)], None, fails(1002)
        writes = [frame(TEXT, b"*") + frame(TEXT, b"*", rsv=rsv) + frame(PING)]
        yield f"reserved bits {rsv} behind a good text, before a ping", "5.2", writes, None, fails(1002, RECEIVED)
        yield f"reserved bits {rsv} byte by byte", "5.2", chops(frame(TEXT, b"*", rsv=rsv), 1), None, fails(1002)
        writes = [frame(TEXT, b"*", fin=False), frame(CONTINUATION, b"*", rsv=rsv)]
        yield f"reserved bits {rsv} in a continuation", "5.2", writes, None, fails(1002)


def opcodes():
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield f"opcode {opcode}", "5.2", [frame(opcode)], None, fails(1002)
        yield f"opcode {opcode} with data", "5.2", [frame(opcode, b"reserved")], None, fails(1002)
        yield f"opcode {opcode} behind a good text", "5.2", [frame(TEXT, b"*") + frame(opcode, b"*") + frame(PING)], None, fails(1002, RECEIVED)
        yield f"opcode {opcode} byte by byte", "5.2", chops(frame(opcode, b"*"), 1), None, fails(1002)
        yield f"opcode {opcode} without fin", "5.2", [frame(opcode, b"*", fin=False)], None, fails(1002)


def fragmentation():
    data, fill = sized(300)
    relayed = stays(("relayed", fill))
    for opcode, name in ((PING, "ping"), (PONG, "pong"), (CLOSE, "close")):
        yield f"{name} in two fragments", "5.4", [frame(opcode, b"ab", fin=False), frame(CONTINUATION, b"c")], None, fails(1002)
    for size in (1, 7, 100, 150, 299, 300):
        yield f"fragments of {size}", "5.4", fragments(data, size), 0, relayed, (), True
        yield f"fragments of {size} in one write", "5.4", [b"".join(fragments(data, size))], 0, relayed, (), True
    yield "fragments of 100, byte by byte", "5.4", chops(b"".join(fragments(data, 100)), 1), 0, relayed, (), True
    pong = ("pong", b"between")
    between = fragments(data, 150, between=frame(PING, b"between"))
    yield "ping between two fragments", "5.4", between, 1, stays(pong, ("relayed", fill)), (), True
    yield "ping between two fragments, in one write", "5.4", [b"".join(between)], 1, stays(pong, ("relayed", fill)), (), True
    yield "ping between two fragments, byte by byte", "5.4", chops(b"".join(between), 1), 1, stays(pong, ("relayed", fill)), (), True
    yield "pongs between all fragments", "5.4", fragments(data, 30, between=frame(PONG, b"?")), 0, relayed, (), True
    empty = [frame(TEXT, fin=False), frame(CONTINUATION, fin=False), frame(CONTINUATION)]
    yield "three empty fragments", "5.4", empty, 1, stays(RECEIVED)
    yield "empty fragments around the data", "5.4", [empty[0], frame(CONTINUATION, data, fin=False), empty[2]], 0, relayed, (), True
    for fin in (True, False):
        name = "with" if fin else "without"
        yield f"continuation of nothing, {name} fin", "5.4", [frame(CONTINUATION, b"*", fin=fin), frame(TEXT, b"*")], None, fails(1002)
        writes = [frame(TEXT, b"*") + frame(CONTINUATION, b"*", fin=fin)]
        yield f"continuation behind a whole message, {name} fin", "5.4", writes, None, fails(1002, RECEIVED)
        writes = [*fragments(b"ab", 1), frame(CONTINUATION, b"c", fin=fin)]
        yield f"continuation behind the last fragment, {name} fin", "5.4", writes, None, fails(1002, RECEIVED)
        for opcode, kind in ((TEXT, "text"), (BINARY, "binary")):
            yield f"new {kind} inside of a message, {name} fin", "5.4", [frame(TEXT, b"*", fin=False), frame(opcode, b"*", fin=fin)], None, fails(1002)
    yield "a thousand fragments", "5.4", [b"".join(fragments(sized(1000)[0], 1))], 0, stays(("relayed", sized(1000)[1])), (), True
    writes = [frame(TEXT, b"*", fin=False) + close(1000)]
    yield "close inside of a message", "5.4", writes, None, answers_close(1000)


def characters():
    for name, data in utf8.VALID:
        text = data.decode()
        yield f"good: {name}", "8.1", [frame(TEXT, message(text))], 0, stays(("relayed", text)), (), True
        yield f"good, a fragment for each byte: {name}", "8.1", fragments(message(text), 1), 0, stays(("relayed", text)), (), True
    for name, data in utf8.INVALID:
        yield f"bad: {name}", "8.1", [frame(TEXT, data)], None, fails(1007)
        yield f"bad, within a message: {name}", "8.1", [frame(TEXT, b'{"a":"' + data + b'"}')], None, fails(1007)
        yield f"bad, a fragment for each byte: {name}", "8.1", fragments(b"<" + data + b">", 1), None, fails(1007)
        yield f"bad, byte by byte: {name}", "8.1", chops(frame(TEXT, b"<" + data + b">"), 1), None, fails(1007)
    start, bad, end = "κόσμε".encode(), b"\xf4\x90\x80\x80", b"edited"
    for cut in range(1, 5):
        writes = [frame(TEXT, start + bad[:cut], fin=False)]
        late = [frame(CONTINUATION, bad[cut:] + end)]
        judge = fails_fast if cut > 1 else fails(1007, ("late",))
        yield f"bad from byte {cut} of a character on, the rest later", "8.1", writes, None, judge, late
        whole = frame(TEXT, start + bad + end)
        at = len(whole) - len(end) - len(bad) + cut
        yield f"bad in byte {cut} of a character, the rest of the frame later", "8.1", [whole[:at]], None, judge, [whole[at:]]


def closing():
    yield "close after a message", "5.5.1", [frame(TEXT, b"*")], 1, stays(RECEIVED)
    yield "two closes", "5.5.1", [close(1000) + close(1000)], None, answers_close(1000)
    yield "text behind a close", "5.5.1", [close(1000) + frame(TEXT, b"*")], None, answers_close(1000)
    yield "ping behind a close", "5.5.1", [close(1000) + frame(PING, b"*")], None, answers_close(1000)
    yield "rubbish behind a close", "5.5.1", [close(1000) + b"\xff" * 100], None, answers_close(1000)
    yield "the rest of a message behind a close", "5.5.1", [frame(TEXT, b"*", fin=False) + close(1000) + frame(CONTINUATION, b"*")], None, answers_close(1000)
    yield "a big message, then a close", "5.5.1", [frame(TEXT, b"*" * BOUND)], 1, stays(RECEIVED)
    yield "close without a body", "5.5.1", [close()], None, answers_close(None, 1000)
    yield "close without a body, byte by byte", "5.5.1", chops(close(), 1), None, answers_close(None, 1000)
    yield "close with half a code", "5.5.1", [frame(CLOSE, b"\x03")], None, fails(1002)
    for size in (1, 20, 123):
        yield f"close with a reason of {size} bytes", "5.5.1", [close(1000, b"*" * size)], None, answers_close(1000)
        yield f"close with a reason of {size} bytes, byte by byte", "5.5.1", chops(close(1000, b"*" * size), 1), None, answers_close(1000)
    yield "close with a reason in letters of three bytes", "5.5.1", [close(1000, "日本語".encode())], None, answers_close(1000)
    yield "close with a reason of 124 bytes", "5.5", [close(1000, b"*" * 124)], None, fails(1002)
    for name, data in utf8.INVALID[:: len(utf8.INVALID) // 12]:
        yield f"close with a bad reason: {name}", "5.5.1", [close(1000, data)], None, fails(1007)
    for code in (*range(1000, 1004), *range(1007, 1015), 3000, 3999, 4000, 4999):
        yield f"close {code}", "7.4", [close(code)], None, answers_close(code)
        yield f"close {code} with a reason", "7.4", [close(code, b"reason")], None, answers_close(code)
    for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
        yield f"close {code}, which must not be sent", "7.4", [close(code)], None, fails(1002)
        yield f"close {code} with a reason", "7.4", [close(code, b"reason")], None, fails(1002)


def big():
    for size in (4096, 16384, 32768, BOUND - 1, BOUND):
        data, fill = sized(size)
        relayed = stays(("relayed", fill))
        yield f"{size} bytes", "5.6", [frame(TEXT, data)], 0, relayed, (), True
        for piece in (64, 256, 1024, 4096, 16384):
            yield f"{size} bytes in fragments of {piece}", "5.4", [b"".join(fragments(data, piece))], 0, relayed, (), True
        for piece in (64, 512, 2048):
            yield f"{size} bytes in writes of {piece}", "5.6", chops(frame(TEXT, data), piece), 0, relayed, (), True
    for size in (BOUND + 1, 2 * BOUND, 1 << 20, 4 << 20):
        yield f"{size} bytes, above the bound", "7.4.1", [frame(TEXT, b"*" * size)], None, fails(1009)
        yield f"{size} bytes in fragments, above the bound", "7.4.1", fragments(b"*" * size, 16384), None, fails(1009)


def automatic():
    for size in (1000, 10000, BOUND):
        data, fill = sized(size)
        for piece in (127, 1300, 32768):
            yield f"{size} bytes in fragments of {piece}, each written by itself", "5.4", fragments(data, piece), 0, stays(("relayed", fill)), (), True


GROUPS = (
    (1, "framing", framing),
    (2, "pings and pongs", pings),
    (3, "reserved bits", reserved_bits),
    (4, "opcodes", opcodes),
    (5, "fragmentation", fragmentation),
    (6, "UTF-8", characters),
    (7, "close", closing),
    (9, "big messages", big),
    (10, "automatic fragments", automatic),
)


def all_cases():
    for group, _, make in GROUPS:
        for number, row in enumerate(make(), 1):
            yield Case(f"{group}.{number}", *row)
