"""A client of the control socket, for tests."""

import json
import socket
import time

import lunasig_client as wire

ADMIN_KEY = "wire-tests-admin-9876543210-zyxwvutsrqponm"


class Control:
    """One connection to a control socket: a line each way."""

    def __init__(self, path, receive_buffer=None):
        self.buffer = bytearray()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(wire.DEADLINE)
        self.socket.connect(str(path))

    def send(self, data):
        self.socket.sendall(data)

    def line(self, timeout=wire.DEADLINE):
        """The next line; None: the server has hung up."""
        until = time.monotonic() + timeout
        while b"\n" not in self.buffer:
            self.socket.settimeout(max(until - time.monotonic(), 0.0001))
            try:
                data = self.socket.recv(262144)
            except ConnectionError:
                data = b""
            if not data:
                return None
            self.buffer += data
        line, _, rest = bytes(self.buffer).partition(b"\n")
        self.buffer = bytearray(rest)
        return json.loads(line)

    def ask(self, command, **members):
        """Status and answer of a request."""
        self.send(json.dumps({"command": command, **members}).encode() + b"\n")
        line = self.line()
        assert set(line) == {"status", "answer"}, line
        return line["status"], line["answer"]

    def fine(self, command, **members):
        status, answer = self.ask(command, **members)
        assert status == 200, answer
        return answer

    def refused(self, wanted, command, **members):
        """The detail of a refusal with this status."""
        status, answer = self.ask(command, **members)
        assert status == wanted, (status, answer)
        assert set(answer) == {"detail"}, answer
        return answer["detail"]

    def until(self, event, timeout=wire.DEADLINE, **members):
        """Reads a watch up to the first line like this."""
        until = time.monotonic() + timeout
        while True:
            line = self.line(until - time.monotonic())
            assert line is not None, "the watch has ended"
            if line["event"] == event and all(line.get(key) == value for key, value in members.items()):
                return line

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def path_of(server):
    return server.folder / "data" / "control.sock"


def control(server, **how):
    return Control(path_of(server), **how)
