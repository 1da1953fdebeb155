"""The production suite, second half: limits and hostile clients, many people at once."""

import threading

import lunasig_client as wire
from checks import answered, check, equal
from client import CANDIDATE, SDP
from suite import Suite

LIMITS = Suite("production, limits", "floods, oversized and broken frames, hostile texts: refused in words, and the server goes on")
LOAD = Suite("production, many at once", "many people in a room, many rooms, a mesh call of ten")
PEOPLE = ("ann", "bob", "cat", "dan", "eve", "fay", "gus", "hal", "ida", "jon")


@LIMITS.test("a flood is refused with RATE_LIMIT_EXCEEDED and when to try again; the connection stays")
def flood(world):
    _, (one, two) = world.meet("ann", "bob")
    for n in range(200):
        one.send("chat-message", {"content": str(n)})
    details = one.is_refused("RATE_LIMIT_EXCEEDED")["details"]
    check(isinstance(details.get("retry_after"), (int, float)) and details["retry_after"] > 0, f"the error says {details}")
    for n in range(100):  # the burst
        two.hears_next("chat-message", {"content": str(n)})
    one.send("offer", {"sdp": SDP, "type": "offer"})  # signaling has a rate of its own
    two.hears("offer")


@LIMITS.test("the sixth connection of a user is 429")
def connections(world):
    ann = world.user("ann")
    for _ in range(5):
        ann.join(world.room())
    answer = world.target.refusal(world.room(), ann.token)
    equal(answer.status, 429, "the sixth connection")


@LIMITS.test("a frame of 64 KiB passes; a larger one closes with 1009")
def size(world):
    _, (one, two) = world.meet("ann", "bob")
    payload = '{"type":"analytics-event","payload":{"event_type":"x","data":"%s"}}'
    one.send_text(payload % ("x" * (65536 - len(payload) + 2)))
    two.hears_next("analytics-event")
    try:
        one.send_text(payload % ("x" * 65536))
    except OSError:
        pass  # it may close while the frame is still on its way
    equal(one.close_code(), 1009, "the close code")


@LIMITS.test("ten bad frames in a minute close with 1008, a binary frame with 1003")
def bad_frames(world):
    _, (one, two) = world.meet("ann", "bob")
    for _ in range(10):
        one.send_text("not json")
    equal(one.close_code(), 1008, "the close code after ten bad frames")
    errors = [message["payload"]["code"] for message in one.last_words if message["type"] == "error"]
    check(errors and set(errors) == {"INVALID_JSON"}, f"the errors before it: {errors}")
    two.send_frame(wire.BINARY, b"\x00\x01")
    equal(two.close_code(), 1003, "the close code after a binary frame")


@LIMITS.test("tags are taken out of chat; what is none stays; what is nothing but tags, or too long, is refused")
def hostile(world):
    _, (one, two) = world.meet("ann", "bob")
    for content in ("a < b and c > d", "1 <2 and 3> 2", "tea & biscuits \"for\" two", "\U0001f600 grüße", "line\nbreak"):
        one.send("chat-message", {"content": content})
        two.hears_next("chat-message", {"content": content})
    for content, wanted in (("<b>bold</b> words", "bold words"), ("x<script>alert(1)</script>", "xalert(1)"), ("bell\u0007", "bell")):
        one.send("chat-message", {"content": content})
        heard = two.hears_next("chat-message")["payload"]["content"]
        equal(heard, wanted, f"what is left of {content!r}")
    one.send("chat-message", {"content": "<img src=x onerror=alert(1)>"})
    one.is_refused("MALICIOUS_CONTENT")
    one.send("chat-message", {"content": "x" * 17_000})
    one.is_refused("MESSAGE_TOO_LARGE")


@LIMITS.test("files that nobody should open are refused with FILE_VALIDATION_FAILED")
def files(world):
    _, (one, two) = world.meet("ann", "bob")
    good = {"transfer_id": "t", "file_name": "a.png", "file_size": 10, "file_type": "image/png", "chunk_size": 16384, "total_chunks": 1}
    for bad in ({"file_name": "setup.exe"}, {"file_name": "../../etc/passwd"}, {"file_size": 600 * 1024 * 1024, "total_chunks": 38400}):
        one.send("file-share-offer", {**good, **bad})
        one.is_refused("FILE_VALIDATION_FAILED")
    one.send("file-share-offer", good)
    two.hears_next("file-share-offer")


@LIMITS.test("after all of this the server is healthy")
def after(world):
    answered(world.target.http("GET", "/health"), 200, {"status": "healthy"})


# -- many at once


def each(jobs):
    """Runs functions at the same time. Raises what the first of them raised."""
    problems = []

    def run(job):
        try:
            job()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if problems:
        raise problems[0]
    check(not any(thread.is_alive() for thread in threads), "that took more than a minute")


@LOAD.test("ten users log in at the same time, those of them who are new after they have registered")
def login(world):
    each([lambda name=name: answered(world.user(name).login()) for name in PEOPLE])


@LOAD.test("ten users enter a room at the same time, and each hears each other")
def crowd(world):
    room, sockets = world.room(), {}

    def enter(name):
        sockets[name] = world.user(name).connect(room)

    each([lambda name=name: enter(name) for name in PEOPLE])
    first = {}
    for name, socket in sockets.items():
        message = socket.recv()
        equal(message["type"], "room-state", "the first frame of a joiner")
        first[name] = message["payload"]["participant_count"]
    equal(sorted(first.values()), list(range(1, 11)), "participant_count that the joiners saw, one after the other")
    for name, socket in sockets.items():
        socket.send("chat-message", {"content": f"hello from {name}"})
    for name, socket in sockets.items():
        wanted = {f"hello from {other}" for other in PEOPLE if other != name}
        while wanted:
            content = socket.hears("chat-message")["payload"]["content"]
            check(content in wanted, f"{name} heard {content!r} twice, or his own")
            wanted.remove(content)


@LOAD.test("a mesh call of ten: all offers, answers and candidates arrive, with the default limits")
def mesh(world):
    _, sockets = world.meet(*PEOPLE)
    last = sockets[-1]
    for other in sockets[:-1]:  # who joins calls all others at once: 108 messages
        last.send("offer", {"sdp": SDP, "type": "offer", "target_user_id": other.name})
        for n in range(11):
            last.send("ice-candidate", {"candidate": CANDIDATE, "sdpMid": str(n), "sdpMLineIndex": 0, "target_user_id": other.name})
    for other in sockets[:-1]:
        other.hears_next("offer")
        for n in range(11):
            other.hears_next("ice-candidate", {"sdpMid": str(n)})
        other.send("answer", {"sdp": SDP, "type": "answer", "target_user_id": last.name})
    equal({last.hears_next("answer")["sender_id"] for _ in sockets[:-1]}, {other.name for other in sockets[:-1]}, "who answered")


@LOAD.test("twenty-five rooms of two at the same time, signaling in all of them")
def many_rooms(world):
    pairs = [PEOPLE[n : n + 2] for n in range(0, 10, 2)]
    rooms = [world.meet(*pair) for pair in pairs for _ in range(5)]  # five connections of each user: as many as he may have
    for turn in range(5):
        for room, (one, two) in rooms:
            one.send("ice-candidate", {"candidate": CANDIDATE, "sdpMid": f"{room}/{turn}", "target_user_id": two.name})
    for turn in range(5):
        for room, (_, two) in rooms:
            two.hears_next("ice-candidate", {"sdpMid": f"{room}/{turn}"})
