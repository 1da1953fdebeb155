"""A blocking client of the wire, for tests: raw sockets, every byte in the test's hand, every wait with a deadline.

Nothing in here sleeps: a wait is always a wait for bytes. Every token that is sent or received is noted (lunasig_secrets), so that the
logs of the servers can be searched for it.
"""

import base64
import hashlib
import json
import os
import re
import socket
import ssl
import struct
import time
from collections import namedtuple
from urllib.parse import quote, urlencode

from lunasig_secrets import CANDIDATE_MARK, SDP_MARK, collect_tokens, confidential, make_token

DEADLINE = float(os.environ.get("LUNASIG_TEST_DEADLINE", "10"))  # seconds until a wait fails
V1 = "lunasig.v1"
SDP = f"v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\ns={SDP_MARK}\r\nt=0 0\r\n"
CANDIDATE = f"candidate:{CANDIDATE_MARK} 1 udp 2122260223 192.0.2.1 54321 typ host"
TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0
TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$")
COMPAT_KEYS = {"type", "payload", "sender_id", "room_id", "timestamp"}
V1_KEYS = COMPAT_KEYS | {"seq", "sender_peer_id"}

OPEN = set()  # connections that nobody has closed yet
TLS = {}  # port: what clients of a server with TLS use (ssl.SSLContext)

Frame = namedtuple("Frame", "fin rsv opcode data")


class Refused(Exception):
    """The server answered a handshake with something else than 101."""

    def __init__(self, answer):
        super().__init__(f"{answer.status}: {answer.body[:300]!r}")
        self.answer = answer
        self.status = answer.status
        self.headers = answer.headers


class Closed(Exception):
    """The connection ended. code: of the close frame, or 1006 when there was none."""

    def __init__(self, code, reason=""):
        super().__init__(f"closed {code} {reason!r}")
        self.code = code
        self.reason = reason


# -- sockets --------------------------------------------------------------------------------------------------------------------


class Wire:
    """A TCP connection with a buffer. Times are absolute (time.monotonic())."""

    def __init__(self, port, source=None, receive_buffer=None, tls=None):
        self.port = port
        self.buffer = bytearray()
        self.ended = False
        OPEN.add(self)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.socket.bind((source, 0))
        self.socket.settimeout(DEADLINE)
        self.socket.connect(("127.0.0.1", port))
        if tls := tls or TLS.get(port):
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")

    def send(self, data):
        self.socket.settimeout(DEADLINE)
        self.socket.sendall(data)

    def fill(self, until):
        """Waits for more bytes. False: the other side has ended the connection. TimeoutError at the deadline."""
        if self.ended:
            return False
        self.socket.settimeout(max(until - time.monotonic(), 0.0001))
        try:
            data = self.socket.recv(262144)
        except (ConnectionError, ssl.SSLError):
            data = b""
        if not data:
            self.ended = True
            return False
        self.buffer += data
        return True

    def take(self, count, until):
        while len(self.buffer) < count:
            if not self.fill(until):
                raise Closed(1006, "end of stream")
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def take_through(self, mark, until, limit=65536):
        while (end := self.buffer.find(mark)) < 0:
            assert len(self.buffer) <= limit, "no end in sight"
            if not self.fill(until):
                raise Closed(1006, f"end of stream behind {bytes(self.buffer[:200])!r}")
        return self.take(end + len(mark), until)

    def ends(self, timeout=DEADLINE):
        """Waits for the end of the stream and gives what came before it."""
        until = time.monotonic() + timeout
        while self.fill(until):
            pass
        return bytes(self.buffer)

    def reset(self):
        """Ends the connection at once, without a close frame and without a FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        OPEN.discard(self)
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# -- HTTP -----------------------------------------------------------------------------------------------------------------------


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # names in lower case; repeated ones joined with ", "
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:300]!r}>"


def read_answer(wire, until=None, head_only=False):
    """Reads one HTTP answer, as HTTP/1.1 frames it: content length, chunks, or the end of the connection."""
    until = until or time.monotonic() + DEADLINE
    head = wire.take_through(b"\r\n\r\n", until).decode("latin-1").split("\r\n")
    version, status = head[0].split(" ")[:2]
    assert version in ("HTTP/1.1", "HTTP/1.0"), head[0]
    headers = {}
    for line in filter(None, head[1:]):
        name, _, value = line.partition(":")
        name = name.strip().lower()
        headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    body = b""
    if int(status) == 101 or head_only or int(status) in (204, 304):
        pass
    elif "chunked" in headers.get("transfer-encoding", ""):
        while size := int(wire.take_through(b"\r\n", until).split(b";")[0], 16):
            body += wire.take(size + 2, until)[:-2]
        wire.take_through(b"\r\n", until)
    elif "content-length" in headers:
        body = wire.take(int(headers["content-length"]), until)
    else:
        body = wire.ends(until - time.monotonic())
    answer = Answer(int(status), headers, body)
    if body and "json" in headers.get("content-type", ""):
        collect_tokens(answer.json)
    return answer


def request_bytes(method, path, headers=(), body=b"", host="localhost"):
    lines = [f"{method} {path} HTTP/1.1"]
    every = dict(headers)
    if host is not None and "Host" not in every:
        lines.append(f"Host: {host}")
    if (body or method in ("POST", "PUT")) and not {"Content-Length", "Transfer-Encoding"} & every.keys():
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in every.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def http(port, method, path, *, token=None, json_body=None, form=None, headers=(), body=b"", source=None):
    """One request on a connection of its own."""
    every = dict(headers)
    if token is not None:
        every["Authorization"] = f"Bearer {confidential(token)}"
    if json_body is not None:
        body = json.dumps(json_body).encode()
        every.setdefault("Content-Type", "application/json")
        for key in ("password",):
            if isinstance(json_body, dict) and isinstance(json_body.get(key), str):
                confidential(json_body[key])
    if form is not None:
        body = urlencode(form).encode()
        every.setdefault("Content-Type", "application/x-www-form-urlencoded")
    every.setdefault("Connection", "close")
    with Wire(port, source) as wire:
        wire.send(request_bytes(method, path, every, body))
        return read_answer(wire, head_only=method == "HEAD")


# -- WebSocket ------------------------------------------------------------------------------------------------------------------


def handshake_headers(**changes):
    """The headers of an upgrade, in order; a change of None drops one, names are written with _ for -."""
    headers = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
    }
    for name, value in changes.items():
        name = name.replace("_", "-").replace("Sec-Websocket", "Sec-WebSocket")
        if value is None:
            headers.pop(name, None)
        else:
            headers[name] = value
    return headers


def room_path(room, token=None, **query):
    if token is not None:
        query = {"token": confidential(token), **query}
    return f"/webrtc/ws/{quote(room, safe='')}" + (f"?{urlencode(query)}" if query else "")


def encode_frame(opcode, data=b"", *, fin=True, rsv=0, mask=True, length=None):
    """The bytes of one frame. length: what the header says, when it is to lie."""
    size = len(data) if length is None else length
    head = bytearray([(0x80 if fin else 0) | rsv << 4 | opcode])
    if size < 126:
        head.append(size)
    elif size < 65536:
        head += struct.pack(">BH", 126, size)
    else:
        head += struct.pack(">BQ", 127, size)
    if not mask:
        return bytes(head) + data
    head[1] |= 0x80
    key = os.urandom(4)
    pad = (key * (len(data) // 4 + 1))[: len(data)]
    masked = (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(data), "big")
    return bytes(head) + key + masked


class WebSocket:
    """A WebSocket after its 101. Answers pings of the server by itself."""

    def __init__(self, wire, answer):
        self.wire = wire
        self.answer = answer
        self.protocol = answer.headers.get("sec-websocket-protocol")
        self.v1 = self.protocol == V1
        self.seq = None
        self.room_state = None  # payload of the one that came at the join

    # sending

    def send_bytes(self, data):
        self.wire.send(data)

    def send_frame(self, opcode, data=b"", **how):
        self.wire.send(encode_frame(opcode, data, **how))

    def send_text(self, text):
        self.send_frame(TEXT, text.encode() if isinstance(text, str) else text)

    def send(self, type, payload=None, **top):
        message = {"type": type, "payload": {} if payload is None else payload, **top}
        if isinstance(message["payload"], dict):
            collect_tokens(message["payload"])
        self.send_text(json.dumps(message))

    # receiving

    def recv_frame(self, timeout=DEADLINE):
        """The next frame as it came. Checks what RFC 6455 asks of a server."""
        until = time.monotonic() + timeout
        first, second = self.wire.take(2, until)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", self.wire.take(2, until))
            assert size >= 126, "a length that is not the shortest"
        elif size == 127:
            (size,) = struct.unpack(">Q", self.wire.take(8, until))
            assert size >= 65536, "a length that is not the shortest"
        assert not second & 0x80, "frames of a server are not masked"
        frame = Frame(bool(first & 0x80), first >> 4 & 7, first & 15, self.wire.take(size, until))
        assert frame.rsv == 0, "no extension was agreed"
        return frame

    def recv_text(self, timeout=DEADLINE):
        """The next text message, whole. Raises Closed when the server closes."""
        until = time.monotonic() + timeout
        parts = None
        while True:
            frame = self.recv_frame(until - time.monotonic())
            if frame.opcode == CLOSE:
                code = struct.unpack(">H", frame.data[:2])[0] if len(frame.data) > 1 else 1005
                reason = frame.data[2:].decode()
                self.finish(frame.data[:2])
                raise Closed(code, reason)
            if frame.opcode == PING:
                self.send_frame(PONG, frame.data)
                continue
            if frame.opcode == PONG:
                continue
            assert frame.opcode == (TEXT if parts is None else CONTINUATION), frame
            parts = (parts or b"") + frame.data
            if frame.fin:
                return parts.decode()

    def recv(self, timeout=DEADLINE):
        """The next message, its envelope checked: all keys are there, `seq` goes up by one."""
        message = json.loads(self.recv_text(timeout))
        assert set(message) == (V1_KEYS if self.v1 else COMPAT_KEYS), message
        assert isinstance(message["type"], str) and isinstance(message["payload"], dict), message
        if self.v1:
            assert self.seq is None or message["seq"] == self.seq + 1, (self.seq, message)
            self.seq = message["seq"]
        collect_tokens(message)
        return message

    def expect(self, type, timeout=DEADLINE, **payload):
        """The very next message has this type and these payload members."""
        message = self.recv(timeout)
        assert message["type"] == type, message
        for key, value in payload.items():
            assert message["payload"].get(key, "missing") == value, (key, message)
        return message

    def expect_error(self, code, timeout=DEADLINE):
        """The very next message is an error with this code."""
        message = self.expect("error", timeout)
        payload = message["payload"]
        assert {"code", "message", "details"} == set(payload), payload
        assert isinstance(payload["message"], str) and payload["message"], payload
        assert payload["details"] is None or isinstance(payload["details"], dict), payload
        assert payload["code"] == code, payload
        return message

    def until(self, type, timeout=DEADLINE, **payload):
        """Reads up to the first message like this; gives it and those before it."""
        until = time.monotonic() + timeout
        skipped = []
        while True:
            message = self.recv(until - time.monotonic())
            if message["type"] == type and all(message["payload"].get(k, "missing") == v for k, v in payload.items()):
                return message, skipped
            skipped.append(message)

    def close_code(self, timeout=DEADLINE):
        """Reads up to the end of the connection; the code of the close frame. Messages before it are kept in `last_words`."""
        until = time.monotonic() + timeout
        self.last_words = []
        try:
            while True:
                self.last_words.append(self.recv(until - time.monotonic()))
        except Closed as closed:
            return closed.code

    def listen(self, seconds):
        """Everything that comes within this time."""
        until = time.monotonic() + seconds
        messages = []
        try:
            while True:
                messages.append(self.recv(until - time.monotonic()))
        except TimeoutError:
            return messages

    # ending

    def finish(self, code=b"\x03\xe8"):
        try:
            self.send_frame(CLOSE, code)
        except OSError:
            pass

    def leave(self, code=1000):
        """Says goodbye, waits for the server's answer, and ends."""
        self.send_frame(CLOSE, struct.pack(">H", code))
        try:
            while self.recv_frame().opcode != CLOSE:
                pass
        except Closed:
            pass
        self.wire.close()

    def vanish(self):
        self.wire.reset()


def upgrade(port, path, headers=None, *, source=None, receive_buffer=None, method="GET"):
    """A handshake with exactly these headers. Raises Refused for any answer but 101."""
    headers = handshake_headers() if headers is None else headers
    wire = Wire(port, source, receive_buffer)
    try:
        wire.send(request_bytes(method, path, headers, host=None))
        answer = read_answer(wire)
    except BaseException:
        wire.close()
        raise
    if answer.status != 101:
        wire.close()
        raise Refused(answer)
    key = headers.get("Sec-WebSocket-Key", "")
    digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
    assert answer.headers["sec-websocket-accept"] == base64.b64encode(digest).decode(), answer
    assert "sec-websocket-extensions" not in answer.headers, answer
    return WebSocket(wire, answer)


def refused(server, path, headers=None, **how):
    """The answer to a handshake that has to be refused."""
    try:
        upgrade(server.port, path, headers, **how)
    except Refused as refusal:
        return refusal
    raise AssertionError(f"{path[:80]}… was not refused")


def assert_unauthorized(refusal):
    assert refusal.status == 401, refusal
    assert refusal.headers["www-authenticate"] == "Bearer"


def connect(port, room, user=None, *, token=None, v1=False, protocols=None, headers=None, source=None, receive_buffer=None, **query):
    """A handshake with a token in the URL. Of user and token one, or none of them."""
    token = make_token(user) if token is None and user is not None else token
    every = handshake_headers(**(headers or {}))
    protocols = protocols or (V1 if v1 else None)
    if protocols:
        every["Sec-WebSocket-Protocol"] = protocols
    return upgrade(port, room_path(room, token, **query), every, source=source, receive_buffer=receive_buffer)


def join(port, room, user, **how):
    """Connects and takes the one frame that a joiner gets."""
    client = connect(port, room, user, **how)
    client.port = port
    client.user = user
    client.room_state = client.expect("room-state", room_id=room)["payload"]
    client.peer_id = client.room_state["self"]["peer_id"] if client.v1 else None
    return client


def resume(old, *, seq=None, token=None, resume_token=None, port=None):
    """Takes up the session of a lunasig.v1 client where it was, over a new socket. Its room-state is checked; what follows is not read."""
    seq = old.seq if seq is None else seq
    resume_token = old.room_state["session"]["resume_token"] if resume_token is None else resume_token
    room = old.room_state["room_id"]
    client = connect(port or old.port, room, old.user, token=token, v1=True, resume=confidential(resume_token), seq=seq)
    client.port, client.user = port or old.port, old.user
    state = json.loads(client.recv_text())
    collect_tokens(state)
    assert state["type"] == "room-state", state
    client.room_state = state["payload"]
    client.peer_id = client.room_state["self"]["peer_id"]
    if client.room_state["resumed"]:
        assert set(state) == V1_KEYS - {"seq"}, state
        client.seq = seq
    else:
        client.seq = state["seq"]
    return client


def gather(port, room, *names, **how):
    """Members who join one after the other; `bob:v1` speaks v1. Everybody has read what the joins caused."""
    clients = []
    users = set()
    for name in names:
        user, _, dialect = name.partition(":")
        new = join(port, room, user, v1=dialect == "v1", **how)
        for client in clients:
            if user in users:  # a further connection: news for v1 only, the user's own other connections included
                if client.v1:
                    client.expect("peer-joined", user_id=user)
                continue
            if not client.v1:
                client.expect("room-state")
            client.expect("user-joined", user_id=user)
        users.add(user)
        clients.append(new)
    return clients
