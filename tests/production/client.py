"""A client of any server that a URL names, on the client of tests/wire. It has nothing but what users have: an address and a password."""

import base64
import hashlib
import json
import os
import pathlib
import secrets
import socket
import ssl
import sys
import threading
import time
from urllib.parse import quote, urlencode, urlsplit

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "wire"))
import lunasig_client as wire  # noqa: E402
from checks import Failed, fits  # noqa: E402
from lunasig_client import CANDIDATE, SDP, Closed, Refused  # noqa: E402, F401  (for the suites)

PASSWORD = "Correct-Horse-7"
REGISTER_SECONDS = 90  # that an account may take where too many were made
FENCE = "quality-update"  # a type that no setting of a room switches off


class Target:
    """The server at a URL: http://HOST:PORT, https://HOST, either with a path in front of all others."""

    def __init__(self, url):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{url!r} is no address of a server; write for example http://localhost:8000")
        self.url = url.rstrip("/")
        self.tls = ssl.create_default_context() if parts.scheme == "https" else None  # SSL_CERT_FILE names further authorities
        self.name, self.host = parts.hostname, parts.netloc.rpartition("@")[2]
        self.port = parts.port or (443 if self.tls else 80)
        self.prefix = parts.path.rstrip("/")

    def http(self, method, path, *, token=None, json_body=None, form=None, body=b"", query=None, headers=None):
        every = {"Host": self.host, "Connection": "close", **(headers or {})}
        if token is not None:
            every["Authorization"] = f"Bearer {token}"
        if json_body is not None:
            body, every["Content-Type"] = json.dumps(json_body).encode(), "application/json"
        if form is not None:
            body, every["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        path = self.prefix + path + (f"?{urlencode(query)}" if query else "")
        with Connection(self) as connection:
            connection.send(wire.request_bytes(method, path, every, body))
            answer = wire.read_answer(connection, head_only=method == "HEAD")
        answer.request = f"{method} {path.partition('?token=')[0]}"
        return answer

    def register(self, **body):
        """An address may make so many accounts a minute: waits as long as the server says, as a client should."""
        until = time.monotonic() + REGISTER_SECONDS
        while (answer := self.http("POST", "/auth/register", json_body=body)).status == 429:
            left, asked = until - time.monotonic(), float(answer.headers.get("retry-after", "0"))
            if left <= 0 or asked <= 0:
                break
            threading.Event().wait(min(left, asked))
        return answer

    def upgrade(self, path, *, v1=False, headers=None):
        """A WebSocket. Raises Refused when the answer is not 101."""
        every = wire.handshake_headers(Host=self.host, **(headers or {}))
        if v1:
            every["Sec-WebSocket-Protocol"] = wire.V1
        connection = Connection(self)
        try:
            connection.send(wire.request_bytes("GET", self.prefix + path, every, host=None))
            answer = wire.read_answer(connection)
            if answer.status != 101:
                raise Refused(answer)
            digest = hashlib.sha1(f"{every['Sec-WebSocket-Key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
            if answer.headers.get("sec-websocket-accept") != base64.b64encode(digest).decode():
                raise Failed("the answer to the upgrade has a wrong Sec-WebSocket-Accept")
        except BaseException:
            connection.close()
            raise
        return Socket(connection, answer)

    def connect(self, room, token=None, v1=False, headers=None, **query):
        if token is not None:
            query = {"token": token, **query}
        return self.upgrade(f"/webrtc/ws/{quote(room, safe='')}" + (f"?{urlencode(query)}" if query else ""), v1=v1, headers=headers)

    def refusal(self, room, token=None, **how):
        """The answer to an upgrade that has to be refused."""
        try:
            self.connect(room, token, **how)
        except Refused as refused:
            return refused.answer
        raise Failed(f"the WebSocket of room {room[:60]!r} was opened, and should have been refused")


class Connection(wire.Wire):
    """A TCP connection to a target, with TLS where it has it."""

    def __init__(self, target):
        self.port, self.buffer, self.ended = target.port, bytearray(), False
        self.socket = socket.create_connection((target.name, target.port), wire.DEADLINE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if target.tls:
            self.socket = target.tls.wrap_socket(self.socket, server_hostname=target.name)
        wire.OPEN.add(self)


class Socket(wire.WebSocket):
    """A member of a room. What fails is told in words."""

    name = "a client"

    def hears(self, type, timeout=wire.DEADLINE, **payload):
        """Waits for a message of this type with these payload members; gives it. Others that come before it are in `skipped`."""
        until = time.monotonic() + timeout
        self.skipped = []
        while True:
            try:
                message = self.recv(max(until - time.monotonic(), 0.001))
            except TimeoutError:
                wanted = type + (f" with {payload}" if payload else "")
                raise Failed(f"{self.name} waited {timeout:g} s for {wanted}, and heard {told(self.skipped)}") from None
            except Closed as closed:
                raise Failed(f"{self.name} waited for {type}, and was closed: {closed.code} {closed.reason}; heard {told(self.skipped)}") from None
            if message["type"] == type and all(message["payload"].get(k, "missing") == v for k, v in payload.items()):
                return message
            self.skipped.append(message)

    def hears_next(self, type, shape=None):
        """The very next message: of this type, its payload of this shape. Gives it."""
        message = self.hears(type)
        if self.skipped:
            raise Failed(f"{self.name} should have heard {type} next, and heard {told(self.skipped)}")
        if shape is not None:
            fits(message["payload"], shape, f"payload of {type}")
        return message

    def is_refused(self, code):
        """The next answer is an error with this code. Gives its payload."""
        payload = self.hears("error")["payload"]
        fits(payload, {"code": code, "message": str, "details": (dict, None)}, "the error")
        return payload

    def hears_nothing_but(self, *types, of=None):
        """What the server has sent until now is of these types; a message of `of` (another member) to this one is the fence."""
        mark = secrets.token_hex(8)
        (of or self).send(FENCE, {"reason": mark, "target_user_id": self.name})
        self.hears(FENCE, reason=mark)
        wrong = [message for message in self.skipped if message["type"] not in types]
        if wrong:
            raise Failed(f"{self.name} should have heard nothing of this, and heard {told(wrong)}")
        return self.skipped

    def close_code(self, timeout=wire.DEADLINE):
        try:
            return super().close_code(timeout)
        except TimeoutError:
            raise Failed(f"{self.name} was not closed within {timeout:g} s; heard {told(self.last_words)}") from None


def told(messages):
    if not messages:
        return "nothing"
    texts = [message["type"] + (f" {message['payload'].get('code')}" if message["type"] == "error" else "") for message in messages]
    return ", ".join(texts[:12]) + (f" and {len(texts) - 12} more" if len(texts) > 12 else "")


class User:
    """An account of its own: registered when it is made."""

    def __init__(self, target, name):
        self.target, self.name, self.email = target, name, f"{name}@example.org"
        more = {"first_name": "Test", "last_name": "User"}  # clients of the original send them
        self.registered = target.register(username=name, email=self.email, password=PASSWORD, **more)
        if self.registered.status != 200:
            raise Failed(f"the user {name} could not be registered: {self.registered}")
        self.token = self.registered.json["access_token"]

    def login(self):
        return self.target.http("POST", "/auth/login", json_body={"username": self.name, "password": PASSWORD})

    def get(self, path, **query):
        return self.target.http("GET", path, token=self.token, query=query)

    def post(self, path, json_body=None, **query):
        return self.target.http("POST", path, token=self.token, json_body=json_body, query=query)

    def delete(self, path):
        return self.target.http("DELETE", path, token=self.token)

    def connect(self, room, **how):
        socket = self.target.connect(room, self.token, **how)
        socket.name = self.name
        return socket

    def join(self, room, **how):
        """Connects, and takes the one frame that a joiner gets."""
        socket = self.connect(room, **how)
        socket.room_state = socket.hears_next("room-state")["payload"]
        return socket


class World:
    """What the tests of a run share: a server, users that are registered when a test first asks for them, rooms for one test each."""

    def __init__(self, target, secret=None):
        self.target, self.secret = target, secret
        self.run = f"{int(time.time()):x}{os.urandom(2).hex()}"  # no other run has its names
        self.users, self.rooms = {}, 0

    def user(self, name):
        if name not in self.users:
            self.users[name] = User(self.target, f"{name}-{self.run}")
        return self.users[name]

    def people(self, *names):
        return [self.user(name) for name in names]

    def room(self):
        self.rooms += 1
        return f"test-{self.run}-{self.rooms}"

    def meet(self, *names, room=None):
        """(room, sockets): these users are in it, in this order; the first is its host. All have read what the joins caused."""
        room, sockets = room or self.room(), []
        for name in names:
            new = self.user(name).join(room)
            for socket in sockets:
                socket.hears_next("room-state")
                socket.hears_next("user-joined")
            sockets.append(new)
        return room, sockets

    def hang_up(self):
        """Ends what the test has left open: with a goodbye, so that nobody stays away in a room."""
        for connection in list(wire.OPEN):
            try:
                connection.send(wire.encode_frame(wire.CLOSE, b"\x03\xe8"))
                connection.ends(2)
            except (OSError, TimeoutError):
                pass
            connection.close()
