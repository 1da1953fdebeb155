"""The OpenAPI and AsyncAPI descriptions, held against a server that runs with the stock policies."""

import itertools

import lunasig_client as wire
import lunasig_described as described
import lunasig_server
import pytest
from lunasig_secrets import make_token

OPENAPI = described.described("openapi")
ASYNCAPI = described.described("asyncapi")
OPERATIONS = [(method.upper(), path, operation) for path, operations in OPENAPI["paths"].items() for method, operation in operations.items()]
ROOM = "described"
PASSWORD = "SecurePass123!"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    settings = {"GUESTS": "on", "POLICY_DIR": str(lunasig_server.REPOSITORY / "lua"), "WEBSOCKET_CONNECTION_LIMIT": "0", "WEBSOCKET_BAD_FRAMES": "1000000"}
    running = lunasig_server.Server(tmp_path_factory.mktemp("server"), settings)
    yield running
    running.end()


def schema_of(operation, status="200", kind="application/json"):
    response = described.resolved(operation["responses"][str(status)], OPENAPI)
    return response.get("content", {}).get(kind, {}).get("schema")


def checked(method, path, operation, answer):
    """The answer is one of those that are described, and has its shape."""
    assert str(answer.status) in operation["responses"], (method, path, answer)
    if "json" in answer.headers.get("content-type", ""):
        found = described.problems(answer.json, schema_of(operation, answer.status))
        assert not found, (method, path, answer.status, answer.json, found)
    return answer


def operation_of(method, path):
    """The described one for a path with values in it."""
    parts = path.partition("?")[0].split("/")
    for candidate in OPERATIONS:
        pattern = candidate[1].split("/")
        if candidate[0] == method and len(pattern) == len(parts):
            if all(one == other or one.startswith("{") for one, other in zip(pattern, parts)):
                return candidate
    raise AssertionError(f"{method} {path} is not described")


# -- what the server answers ---------------------------------------------------------------------------------------------------------


def visit(server, seen):
    """Asks for everything with success; seen gets the operations."""

    def ask(user, method, path, body=None, token=None, headers=None):
        how = {} if body is None else {"json_body": body}
        token = token if token is not None or user is None else make_token(user)
        candidate = operation_of(method, path)
        answer = checked(*candidate, server.http(method, path, token=token, headers=headers or {}, **how))
        assert answer.status == 200, (method, path, answer)
        seen.add(candidate[:2])
        return answer.json if "json" in answer.headers["content-type"] else None

    def room(user, method, path, body=None):
        return ask(user, method, f"/webrtc/rooms/{ROOM}/{path}", body)

    ann, bob = server.gather(ROOM, "ann", "bob")
    for path in ("/", "/health", "/healthz", "/ready", "/readyz", "/live", "/metrics", "/webrtc/health", "/webrtc/stats", "/webrtc/webrtc-metrics"):
        ask(None, "GET", path, headers={"Accept": "application/json"})
    ask(None, "POST", "/auth/register", {"username": "testuser", "email": "t@example.com", "password": PASSWORD})
    tokens = ask(None, "POST", "/auth/login", {"username": "testuser", "password": PASSWORD})
    tokens = ask(None, "POST", "/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    ask(None, "GET", "/auth/validate-token", token=tokens["access_token"])
    ask(None, "POST", "/auth/logout", token=tokens["access_token"])
    ask(None, "POST", "/auth/guest", {"name": "max"})
    ask("ann", "GET", "/webrtc/config")
    ask("ann", "POST", "/webrtc/ticket", {"room_id": ROOM})
    ask("ann", "GET", "/webrtc/rate-limits/message/status")

    for path in ("participants", "participants/enhanced", "roles/bob", "permissions/bob", "settings", "reconnection-state", "analytics/summary"):
        room("ann", "GET", path)
    room("ann", "POST", "participants/ann/info", {"is_speaking": True})
    room("ann", "POST", "roles/bob?role=moderator")
    room("ann", "POST", "permissions/bob", {"can_record": True})
    room("ann", "POST", "settings", {"enable_waiting_room": True})
    for user, action in (("eve", "admit"), ("max", "reject")):
        knocking = server.connect(ROOM, user)
        ann.until("waiting-room-join", user_id=user)
        assert room("ann", "GET", "waiting-room")["participants"]
        room("ann", "POST", f"waiting-room/{user}/{action}")
        knocking.vanish()
    room("ann", "POST", "hand-raise?raised=true")
    assert room("ann", "GET", "hand-raise/queue")["queue"]
    breakout = room("ann", "POST", "breakout-rooms", {"name": "x", "duration_minutes": 5})["breakout_room_id"]
    room("ann", "POST", f"breakout-rooms/{breakout}/assign/bob")
    assert room("bob", "GET", "breakout-rooms")["breakout_rooms"]
    room("ann", "DELETE", f"breakout-rooms/{breakout}")
    stream = room("ann", "POST", "live-streams/start", {"platform": "youtube", "stream_url": "rtmp://x/y", "stream_key": "k"})["stream_id"]
    assert room("ann", "GET", "live-streams")["active_streams"]
    room("ann", "POST", f"live-streams/{stream}/stop")

    room("ann", "POST", "recordings/start?recording_id=rec1")
    assert room("ann", "GET", "recordings")["active_recordings"]
    room("ann", "POST", "recordings/rec1/stop")
    for last in (("POST", "stop"), ("DELETE", "")):
        recording = "recording/" + room("ann", "POST", "recording/start", {})["recording_id"]
        for action in ("pause", "resume"):
            room("ann", "POST", f"{recording}/{action}")
        room("ann", "GET", f"{recording}/status")
        room("ann", last[0], f"{recording}/{last[1]}".rstrip("/"))
    assert ask("ann", "GET", "/webrtc/recordings")["recordings"]
    for action in ("accept", "reject"):
        offer = {"receiver_id": "bob", "filename": "a.txt", "file_size": 100, "mime_type": "text/plain"}
        transfer = "file-transfer/" + room("ann", "POST", "file-transfer/offer", offer)["transfer_id"]
        room("bob", "POST", f"{transfer}/{action}")
        room("bob", "GET", f"{transfer}/progress")
        if action == "accept":
            room("bob", "POST", f"{transfer}/pause")
            room("bob", "POST", f"{transfer}/resume")
            assert ask("bob", "GET", "/webrtc/file-transfers")["transfers"]
            room("bob", "DELETE", transfer)
    ann.send("analytics-event", {"event_type": "clicked", "user_id": "ann", "timestamp": "2026-01-01T00:00:00Z"})
    bob.until("analytics-event")
    assert room("ann", "GET", "analytics")["events"]
    room("ann", "POST", "connection-quality", {"latency_ms": 20, "packet_loss_percent": 0, "jitter_ms": 1})
    room("ann", "POST", "e2ee/keys/publish", {"public_key": "abc", "key_id": "k1", "key_type": "identity_key"})
    assert room("bob", "GET", "e2ee/keys/ann")["keys"]
    room("ann", "DELETE", "e2ee/keys/k1")


def test_every_operation_answers_as_described(server):
    seen = set()
    visit(server, seen)
    assert {candidate[:2] for candidate in OPERATIONS} - seen == set()
    assert all("summary" in operation for _, _, operation in OPERATIONS)


def filled(path):
    return path.replace("{room}", ROOM).replace("{user}", "ann").replace("{id}", "k1").replace("{type}", "message")


@pytest.mark.parametrize("method, path, operation", OPERATIONS, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_refused_is_refused_as_described(server, method, path, operation):
    public = operation.get("security") == []
    body = {} if method == "POST" else None
    if not public:
        answer = checked(method, path, operation, server.http(method, filled(path), json_body=body) if body is not None else server.http(method, filled(path)))
        assert answer.status == 401
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content and operation["requestBody"]["required"]:
        token = None if public else make_token("ann")
        for wrong in ([1], 5):
            answer = checked(method, path, operation, server.http(method, filled(path), token=token, json_body=wrong))
            assert answer.status in (422, 429), (method, path, answer)
    if path != "/":
        methods = {other.upper() for other in OPENAPI["paths"][path]}
        answer = server.http("PATCH", filled(path))
        assert answer.status in (401, 405) and "PATCH" not in methods, (path, answer)


# -- what the server takes and tells -------------------------------------------------------------------------------------------------

MESSAGES = ASYNCAPI["components"]["messages"]
FROM_CLIENTS = sorted(name for name, message in MESSAGES.items() if "x-lunasig-from" in message)


def payload_schema(name):
    return described.resolved(MESSAGES[name]["payload"], ASYNCAPI)["properties"]["payload"]


# What a schema cannot say: formats of texts, and fields that depend on each other.
SAMPLES = {
    "offer": {"sdp": wire.SDP, "type": "offer"},
    "answer": {"sdp": wire.SDP, "type": "answer"},
    "ice-candidate": {"candidate": wire.CANDIDATE, "sdpMid": "0"},
}
SHAPE = {"INVALID_MESSAGE", "INVALID_JSON", "UNKNOWN_TYPE"}


@pytest.mark.parametrize("name", FROM_CLIENTS)
def test_a_message_of_the_described_shape_is_taken_and_another_is_not(server, name, room):
    schema = payload_schema(name)
    ann, bob = server.gather(room, "ann:v1", "bob:v1")
    sample = SAMPLES.get(name) or described.example(schema)
    assert described.problems(sample, schema) == []
    numbers = itertools.count(1)

    def refusal(payload):
        """The code with which it is refused, or None: it is acknowledged."""
        number = next(numbers)
        ann.send(name, payload, target_id=bob.user, id=number)
        while True:
            frame = ann.recv()
            if frame["type"] == "ack" and frame["payload"]["id"] == number:
                return None
            if frame["type"] == "error" and frame["payload"]["details"].get("id") == number:
                return frame["payload"]["code"]

    assert refusal(sample) not in SHAPE
    broken = [{**sample, field: {"wrong": []}} for field, of in schema.get("properties", {}).items() if "object" not in of.get("type", "object")]
    broken += [{other: value for other, value in sample.items() if other != field} for field in schema.get("required", [])]
    if schema.get("additionalProperties") is False:
        broken.append({**sample, "nobody-knows-this": 1})
    for payload in broken:
        assert described.problems(payload, schema), payload
        assert refusal(payload) == "INVALID_MESSAGE", payload


def test_what_the_server_tells_has_the_described_shape(server, room):
    heard = set()

    def check(client):
        for frame in client.listen(1):
            message = described.resolved(MESSAGES[frame["type"]]["payload"], ASYNCAPI)
            assert described.problems(frame, message) == [], frame
            heard.add(frame["type"])

    ann = server.connect(room, "ann", v1=True)
    bob = server.connect(room, "bob", v1=True)
    ann.send("chat-message", {"content": "hello"}, id=1)
    ann.send("ping", {})
    ann.send("offer", SAMPLES["offer"], target_id="nobody-here", id=2)
    ann.send("hand-raise", {"raised": True}, id=3)
    server.http("POST", f"/webrtc/rooms/{room}/roles/bob?role=moderator", token=make_token("ann"))
    bob.send("chat-message", {"content": "bye"}, id=1)
    check(ann)
    check(bob)
    assert {"room-state", "user-joined", "chat-message", "ack", "pong", "error", "hand-raise-queue", "role-updated"} <= heard, heard
