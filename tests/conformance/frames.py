"""Frames of RFC 6455 section 5.2 as bytes, good and bad ones: every field is the caller's to set."""

import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
SHORTEST, SHORT, LONG, LONGEST = None, 7, 16, 64  # forms of the length: bits of it
KEY = b"\x37\xfa\x21\x3d"


def mask(data, key):
    pad = (key * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(data), "big")


def frame(opcode, data=b"", *, fin=True, rsv=0, key=KEY, form=SHORTEST, length=None):
    """key None: no mask. form: how the length is written, if not in the shortest way. length: what the header says, when it lies."""
    size = len(data) if length is None else length
    form = form or (SHORT if size < 126 else LONG if size < 65536 else LONGEST)
    masked = 0x80 if key is not None else 0
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if form == SHORT:
        head += bytes([masked | size])
    elif form == LONG:
        head += struct.pack(">BH", masked | 126, size)
    else:
        head += struct.pack(">BQ", masked | 127, size)
    return head + data if key is None else head + key + mask(data, key)


def close(code=None, reason=b"", **how):
    return frame(CLOSE, b"" if code is None else struct.pack(">H", code) + reason, **how)


def fragments(data, size, opcode=TEXT, between=b""):
    """The frames of one message in pieces of `size` bytes, with `between` behind each but the last."""
    pieces = [data[at : at + size] for at in range(0, len(data), size)] or [b""]
    last = len(pieces) - 1
    return [frame(opcode if n == 0 else CONTINUATION, piece, fin=n == last) + (between if n < last else b"") for n, piece in enumerate(pieces)]


def chops(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]
