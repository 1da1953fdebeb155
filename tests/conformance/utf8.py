"""Byte sequences in the order of Markus Kuhn's UTF-8 decoder capability and stress test, as RFC 3629 judges them."""


def over_long(code, size):
    """A code point in more bytes than it needs."""
    tail = bytes(0x80 | code >> 6 * n & 0x3F for n in range(size - 2, -1, -1))
    return bytes([(0xF00 >> size & 0xFF) | code >> 6 * (size - 1)]) + tail


def surrogate(code):
    return bytes([0xE0 | code >> 12, 0x80 | code >> 6 & 0x3F, 0x80 | code & 0x3F])


def valid():
    yield "1 the word kosme", "κόσμε".encode()
    for code in (0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF, 0xD7FF, 0xE000, 0xFFFD):
        yield f"2 boundary U+{code:04X}", chr(code).encode()
    for code in (0xFFFE, 0xFFFF, 0xFDD0, 0xFDEF, *(plane << 16 | 0xFFFE for plane in range(1, 17))):
        yield f"5.3 noncharacter U+{code:04X}", chr(code).encode()
    yield "all lengths", "$¢€😀".encode() * 5


def invalid():
    yield "2.1.5 first of five bytes", b"\xf8\x88\x80\x80\x80"
    yield "2.1.6 first of six bytes", b"\xfc\x84\x80\x80\x80\x80"
    yield "2.2.4 last of four bytes", b"\xf7\xbf\xbf\xbf"
    yield "2.2.5 last of five bytes", b"\xfb\xbf\xbf\xbf\xbf"
    yield "2.2.6 last of six bytes", b"\xfd\xbf\xbf\xbf\xbf\xbf"
    yield "2.3.5 U+110000", b"\xf4\x90\x80\x80"
    yield "3.1.1 first continuation byte", b"\x80"
    yield "3.1.2 last continuation byte", b"\xbf"
    for count in range(2, 8):
        yield f"3.1.{count + 1} {count} continuation bytes", (b"\x80\xbf" * 4)[:count]
    yield "3.1.9 all continuation bytes", bytes(range(0x80, 0xC0))
    for number, (first, last) in enumerate(((0xC0, 0xDF), (0xE0, 0xEF), (0xF0, 0xF7), (0xF8, 0xFB), (0xFC, 0xFD)), 1):
        yield f"3.2.{number} start bytes each before a blank", b"".join(bytes([byte, 0x20]) for byte in range(first, last + 1))
    cut = [b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80", b"\xfc\x80\x80\x80\x80"]
    cut += [b"\xdf", b"\xef\xbf", b"\xf7\xbf\xbf", b"\xfb\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf"]
    for number, data in enumerate(cut, 1):
        yield f"3.3.{number} last byte missing", data
    yield "3.4 all of these behind each other", b"".join(cut)
    for number, data in enumerate((b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"), 1):
        yield f"3.5.{number} impossible bytes", data
    for group, code, first in ((1, 0x2F, 2), (3, 0, 2)):
        for size in range(first, 7):
            yield f"4.{group}.{size - 1} over-long U+{code:04X} in {size} bytes", over_long(code, size)
    for size, code in ((2, 0x7F), (3, 0x7FF), (4, 0xFFFF), (5, 0x1FFFFF), (6, 0x3FFFFFF)):
        yield f"4.2.{size - 1} the largest over-long of {size} bytes", over_long(code, size)
    for number, code in enumerate((0xD800, 0xDB7F, 0xDB80, 0xDBFF, 0xDC00, 0xDF80, 0xDFFF), 1):
        yield f"5.1.{number} surrogate U+{code:04X}", surrogate(code)
    pairs = ((0xD800, 0xDC00), (0xD800, 0xDFFF), (0xDB7F, 0xDC00), (0xDB7F, 0xDFFF), (0xDB80, 0xDC00), (0xDB80, 0xDFFF), (0xDBFF, 0xDC00), (0xDBFF, 0xDFFF))
    for number, (high, low) in enumerate(pairs, 1):
        yield f"5.2.{number} surrogates U+{high:04X} U+{low:04X}", surrogate(high) + surrogate(low)
    for data in (b"\xe2\x82", b"\xf0\x9f\x98", b"\xc3"):
        yield f"a character cut short: {data.hex()}", data


VALID = list(valid())
INVALID = list(invalid())
