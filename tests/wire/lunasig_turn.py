"""coturn for the tests, and a small TURN client (RFC 8489, RFC 8656) that tells exactly how it was answered.

Fails, and is never skipped, when coturn cannot be started.
"""

import hashlib
import hmac
import os
import select
import socket
import struct
import subprocess
import time
from collections import namedtuple

import lunasig_client as wire

COOKIE = 0x2112A442
BINDING, ALLOCATE, REFRESH = 0x0001, 0x0003, 0x0004
SUCCESS, ERROR = 0x0100, 0x0110
USERNAME, INTEGRITY, ERROR_CODE, LIFETIME, REALM, NONCE, RELAYED, TRANSPORT = 0x06, 0x08, 0x09, 0x0D, 0x14, 0x15, 0x16, 0x19
UDP = struct.pack(">I", 17 << 24)
RESEND = 0.2  # seconds until a datagram is thought to be lost

Answer = namedtuple("Answer", "code attributes")  # code: 200, or that of the error


def free_port():
    """One that is free for UDP and for TCP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            udp.bind(("127.0.0.1", 0))
            try:
                tcp.bind(udp.getsockname())
            except OSError:
                continue
            return udp.getsockname()[1]


class Coturn:
    """A TURN server on loopback that takes credentials signed with any of these secrets."""

    def __init__(self, folder, *secrets):
        self.port = free_port()
        self.log = open(folder / "coturn.log", "w+")
        self.process = subprocess.Popen(
            ["turnserver", "-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={self.port}",
             "--min-port=42000", "--max-port=42999", "--no-tls", "--no-dtls", "--no-cli", "--fingerprint",
             "--use-auth-secret", *(f"--static-auth-secret={secret}" for secret in secrets), "--realm=lunasig.test",
             "--allow-loopback-peers", f"--db={folder / 'turndb'}", f"--pidfile={folder / 'turn.pid'}",
             "--log-file=stdout", "--simple-log"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            with Client(self.port) as client:
                assert client.ask(BINDING).code == 200
        except BaseException as failure:
            self.end()
            self.log.seek(0)
            raise AssertionError("coturn does not run:\n" + self.log.read()[-3000:]) from failure

    @property
    def url(self):
        return f"turn:127.0.0.1:{self.port}"

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def attribute(kind, value):
    return struct.pack(">HH", kind, len(value)) + value + bytes(-len(value) % 4)


def parse(data):
    kind, size, cookie = struct.unpack(">HHI", data[:8])
    assert cookie == COOKIE and size == len(data) - 20
    attributes, at = {}, 20
    while at < len(data):
        name, length = struct.unpack(">HH", data[at : at + 4])
        attributes.setdefault(name, data[at + 4 : at + 4 + length])
        at += 4 + length + -length % 4
    return kind, attributes


class Client:
    """One client socket of a TURN server, with long-term credentials (RFC 8489 section 9.2)."""

    def __init__(self, port, username="", password=""):
        self.username = username
        self.password = password
        self.realm = self.nonce = b""
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def listen(self, seconds):
        """Whether something comes within this time."""
        return bool(select.select([self.socket], [], [], seconds)[0])

    def exchange(self, message, transaction):
        """Sends until the answer is there."""
        until = time.monotonic() + wire.DEADLINE
        while time.monotonic() < until:
            try:
                self.socket.send(message)
                if self.listen(RESEND):
                    data = self.socket.recv(4096)
                    if data[8:20] == transaction:
                        return parse(data)
            except ConnectionRefusedError:  # nobody listens there yet
                self.listen(RESEND)
        raise TimeoutError("the TURN server does not answer")

    def ask(self, method, attributes=b"", sign=False):
        transaction = os.urandom(12)
        if sign:
            attributes += attribute(USERNAME, self.username.encode()) + attribute(REALM, self.realm) + attribute(NONCE, self.nonce)
        size = len(attributes) + (24 if sign else 0)
        message = struct.pack(">HHI", method, size, COOKIE) + transaction + attributes
        if sign:
            key = hashlib.md5(f"{self.username}:{self.realm.decode()}:{self.password}".encode()).digest()
            message += attribute(INTEGRITY, hmac.new(key, message, hashlib.sha1).digest())
        kind, found = self.exchange(message, transaction)
        if kind == method | SUCCESS:
            return Answer(200, found)
        assert kind == method | ERROR, hex(kind)
        code = found[ERROR_CODE][2] * 100 + found[ERROR_CODE][3]
        self.realm, self.nonce = found.get(REALM, self.realm), found.get(NONCE, self.nonce)
        return Answer(code, found)

    def authenticated(self, method, attributes=b""):
        """Asks with credentials; the first answer of a server is the challenge."""
        if not self.nonce:
            challenge = self.ask(method, attributes)
            if challenge.code == 437:
                return challenge
            assert challenge.code == 401, f"no challenge, but {challenge}"
        answer = self.ask(method, attributes, sign=True)
        return self.ask(method, attributes, sign=True) if answer.code == 438 else answer  # 438: a stale nonce

    def allocate(self):
        return self.authenticated(ALLOCATE, attribute(TRANSPORT, UDP))

    def refresh(self):
        return self.authenticated(REFRESH)

    def release(self):
        return self.authenticated(REFRESH, attribute(LIFETIME, bytes(4)))


def allocate(port, username, password):
    """The code with which a new client's request for a relay address is answered."""
    for _ in range(20):
        with Client(port, username, password) as client:
            answer = client.allocate()
            if answer.code == 200:
                assert RELAYED in answer.attributes and client.release().code == 200
            if answer.code != 437:  # of an earlier client with the same port
                return answer.code
    raise AssertionError("no port without an earlier allocation")
