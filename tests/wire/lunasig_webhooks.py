"""A receiver of webhooks: a real HTTP server in a thread, that answers as the test says and verifies every signature by itself."""

import base64
import collections
import hashlib
import hmac
import http.server
import json
import queue
import re
import threading
import time

import lunasig_client as wire
import lunasig_secrets as secrets

KEY = bytes(range(100, 132))
SECRET = secrets.confidential("whsec_" + base64.b64encode(KEY).decode())
HANG = "hang"
TOLERANCE_S = 60

Delivery = collections.namedtuple("Delivery", "path headers body event at")


def signatures(delivery):
    """Those of Standard Webhooks 1.0.0, version 1."""
    signed = delivery.headers["webhook-signature"].split(" ")
    assert all(re.fullmatch(r"v1,[A-Za-z0-9+/]{43}=", one) for one in signed), signed
    return [base64.b64decode(one[3:]) for one in signed]


def verify(delivery, key=KEY):
    content = b".".join([delivery.headers["webhook-id"].encode(), delivery.headers["webhook-timestamp"].encode(), delivery.body])
    wanted = hmac.new(key, content, hashlib.sha256).digest()
    assert any(hmac.compare_digest(wanted, one) for one in signatures(delivery)), delivery
    assert abs(int(delivery.headers["webhook-timestamp"]) - time.time()) < TOLERANCE_S


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.receiver.take(self, Delivery(self.path, headers, body, json.loads(body), time.monotonic()))

    do_GET = do_PUT = do_POST

    def log_message(self, *_):
        pass


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        pass  # clients that go in the middle are what some tests are about


class Receiver:
    """answers: what the next requests get, (status, headers), or HANG: nothing until `released`; all others get 204."""

    def __init__(self, *answers, port=0, tls=None, path="/hook"):
        self.answers = collections.deque(answers)
        self.deliveries = queue.Queue()
        self.released = threading.Event()
        self.peers = set()
        self.server = Quiet(("127.0.0.1", port), Handler)
        self.server.receiver = self
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}{path}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def take(self, handler, delivery):
        answer = self.answers.popleft() if self.answers else (204, {})
        self.peers.add(handler.client_address)
        self.deliveries.put(delivery)
        if answer == HANG:
            self.released.wait(60)
            answer = (204, {})
        status, headers = answer
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if status != 204:
            handler.send_header("Content-Length", "0")
        handler.end_headers()

    def next(self, timeout=wire.DEADLINE, key=KEY):
        """The next request; its signature is good."""
        try:
            delivery = self.deliveries.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError("no webhook came") from None
        verify(delivery, key)
        return delivery

    def expect(self, type, timeout=wire.DEADLINE, **data):
        """The very next event is of this type and has this data."""
        delivery = self.next(timeout)
        assert delivery.event["type"] == type, delivery.event
        for name, value in data.items():
            assert delivery.event["data"].get(name, "missing") == value, (name, delivery.event)
        return delivery

    def end(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)
