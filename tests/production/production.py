"""The production suite: what has to hold before real users come. Tokens, entering, order, many rooms, many people, loss."""

import json
import threading
import time

import load
import lunasig_client as wire
import lunasig_secrets
from checks import Skipped, answered, check, equal, refused, text
from client import SDP
from suite import Suite

DOORS = Suite("production, entering", "health, accounts, tokens, and who is let in")
ROOMS = Suite("production, rooms", "who is there, who leaves, who is lost and comes back, and in which order messages come")
SUITES = [DOORS, ROOMS, load.LIMITS, load.LOAD]


@DOORS.test("the server is up, healthy, and ready")
def health(world):
    for path in ("/live", "/ready", "/health", "/webrtc/health"):
        answered(world.target.http("GET", path), 200)


@DOORS.test("an account logs in again and again, and its tokens all work")
def login(world):
    ann = world.user("ann")
    tokens = [answered(ann.login(), 200, {"access_token": text})["access_token"] for _ in range(2)]
    for token in tokens:
        answered(world.target.http("GET", "/webrtc/config", token=token), 200, {"ice_servers": list})


@DOORS.test("a token comes in the URL or in the Authorization header")
def places(world):
    ann = world.user("ann")
    room = world.room()
    ann.join(room).leave()
    world.target.connect(room, headers={"Authorization": f"Bearer {ann.token}"}).hears_next("room-state")


@DOORS.test("without a good token nobody comes in: none, nonsense, a forged signature, a changed name, a refresh token")
def tokens(world):
    ann = world.user("ann")
    room = world.room()
    head, body, signature = ann.token.split(".")
    claims = json.loads(wire.base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    changed = lunasig_secrets.base64url(json.dumps({**claims, "sub": world.user("bob").name}).encode())
    none = lunasig_secrets.base64url(b'{"alg":"none","typ":"JWT"}')
    forged = lunasig_secrets.sign({"alg": "HS256", "typ": "JWT"}, claims, secret="not-the-secret-of-this-server-0123456789")
    refresh = answered(ann.login())["refresh_token"]
    for bad in (None, "x", "a.b.c", f"{head}.{body}.", f"{head}.{changed}.{signature}", f"{none}.{body}.", forged, refresh):
        answer = world.target.refusal(room, bad)
        equal((answer.status, answer.headers.get("www-authenticate")), (401, "Bearer"), "the answer to a bad token")
    equal(answered(ann.get(f"/webrtc/rooms/{room}/participants"))["participant_count"], 0, "who is in the room")


@DOORS.test("a token that has ended is refused, and one that ends closes its connection with 4401")
def expiry(world):
    if not world.secret:
        raise Skipped("a token with another end can be made only with JWT_SECRET_KEY of the server, which is not set here")
    name, room, now = world.user("ann").name, world.room(), int(time.time())

    def token(**claims):
        every = {"sub": name, "iat": now - 3600, "type": "access", "jti": wire.os.urandom(8).hex(), **claims}
        return lunasig_secrets.sign({"alg": "HS256", "typ": "JWT"}, every, secret=world.secret)

    equal(world.target.refusal(room, token(exp=now - 3000)).status, 401, "a token that has ended")
    equal(world.target.refusal(room, token()).status, 401, "a token without an end")
    equal(world.target.refusal(room, token(exp=now + 600, type="refresh")).status, 401, "a token of another type")
    socket = world.target.connect(room, token(exp=int(time.time()) - 27))  # JWT_LEEWAY_S is 30: it lives for 2 to 3 s
    socket.hears_next("room-state")
    equal(socket.close_code(timeout=10), 4401, "the close code when the token ends")
    equal(socket.last_words[-1]["payload"].get("code"), "TOKEN_EXPIRED", "the error before it")


@DOORS.test("bad addresses and handshakes are refused as HTTP says: 400, 404, 405, 426")
def handshakes(world):
    ann = world.user("ann")
    for room, status in (("bad room", 400), ("x" * 101, 400), ("a.b", 400)):
        equal(world.target.refusal(room, ann.token).status, status, f"room id {room[:20]!r}")
    equal(ann.get("/webrtc/ws/").status, 404, "no room id")
    equal(ann.get("/webrtc/ws/a/b").status, 404, "a further segment")
    equal(ann.get(f"/webrtc/ws/{world.room()}").status, 426, "a plain GET")
    equal(ann.post(f"/webrtc/ws/{world.room()}").status, 405, "a POST")
    answer = world.target.refusal(world.room(), ann.token, headers={"Sec_WebSocket_Version": "8"})
    equal((answer.status, answer.headers.get("sec-websocket-version")), (426, "13"), "an old version of WebSocket")
    equal(world.target.refusal(world.room(), ann.token, headers={"Sec_WebSocket_Key": None}).status, 400, "no key")


@DOORS.test("configuration for calls: ICE servers and policies, for those with a token")
def config(world):
    wanted = {"ice_servers": list, "ice_transport_policy": text, "bundle_policy": text, "rtcp_mux_policy": text}
    answered(world.user("ann").get("/webrtc/config"), 200, wanted)
    refused(world.target.http("GET", "/webrtc/config"), 401)


# -- rooms


@ROOMS.test("everybody has the same picture of a room of five, and the first is its host")
def picture(world):
    names = ("ann", "bob", "cat", "dan", "eve")
    _, sockets = world.meet(*names)
    wanted = [socket.name for socket in sockets]
    last = sockets[-1].room_state
    equal([one["user_id"] for one in last["participants"]], wanted, "the participants that the last one sees")
    equal([one["role"] for one in last["participants"]], ["host"] + ["participant"] * 4, "their roles")


@ROOMS.test("two users with tokens of their own signal in both directions, with a third who hears nothing of it")
def signaling(world):
    _, (one, two, three) = world.meet("ann", "bob", "cat")
    for sender, receiver in ((one, two), (two, one)):
        for type, payload in (("offer", {"sdp": SDP, "type": "offer"}), ("answer", {"sdp": SDP, "type": "answer"}), ("ice-candidate", {"candidate": wire.CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0})):
            sender.send(type, {**payload, "target_user_id": receiver.name})
            message = receiver.hears_next(type, payload)
            equal(message["sender_id"], sender.name, f"sender_id of {type}")
    three.hears_nothing_but(of=one)


@ROOMS.test("who leaves is gone at once: others are told, and messages to him are answered by TARGET_NOT_FOUND")
def leaving(world):
    _, (one, two, three) = world.meet("ann", "bob", "cat")
    two.leave()
    for socket in (one, three):
        equal(socket.hears_next("room-state")["payload"]["participant_count"], 2, "participant_count")
        socket.hears_next("user-left", {"user_id": two.name})
    one.send("offer", {"sdp": SDP, "type": "offer", "target_user_id": two.name})
    one.is_refused("TARGET_NOT_FOUND")


@ROOMS.test("a lost client that comes back gets its room-state, then what was said meanwhile; others saw nobody leave")
def returning(world):
    bob = world.user("bob")
    room, (one, two, three) = world.meet("ann", "bob", "cat")
    two.vanish()
    until_away(bob, room)
    for n in range(5):
        one.send("chat-message", {"content": f"missed {n}"})
        three.hears("chat-message", content=f"missed {n}")
    back = bob.join(room)
    equal(back.room_state["participant_count"], 3, "participant_count")
    for n in range(5):
        back.hears_next("chat-message", {"content": f"missed {n}"})
    one.hears_nothing_but(of=three)


def until_away(user, room, timeout=wire.DEADLINE):
    until = time.monotonic() + timeout
    while answered(user.get(f"/webrtc/rooms/{room}/reconnection-state"), 200, {"state": {"is_connected": bool}})["state"]["is_connected"]:
        check(time.monotonic() < until, "the server has not noticed that the connection is lost")


@ROOMS.test("clients of lunasig.v1 resume with exactly what they missed")
def resuming(world):
    bob = world.user("bob")
    room = world.room()
    one, two = world.user("ann").join(room, v1=True), bob.join(room, v1=True)
    one.hears_next("user-joined")
    two.vanish()
    one.hears("user-away", user_id=bob.name)
    for n in range(5):
        one.send("chat-message", {"content": f"missed {n}"}, id=n + 1)
        one.hears("ack", id=n + 1)
    back = bob.connect(room, v1=True, resume=two.room_state["session"]["resume_token"], seq=two.seq)
    state = json.loads(back.recv_text())
    equal((state["type"], state["payload"]["resumed"]), ("room-state", True), "the first frame")
    back.seq = two.seq
    for n in range(5):
        equal(back.hears_next("chat-message")["payload"]["content"], f"missed {n}", "what was missed")
    one.hears_next("user-back")


@ROOMS.test("messages of three senders reach everybody in the order in which each sent them")
def order(world):
    _, sockets = world.meet("ann", "bob", "cat", "dan")
    for n in range(90):  # below the burst of a connection
        for socket in sockets[:3]:
            socket.send("chat-message", {"content": str(n)})
    heard = {socket.name: [] for socket in sockets[:3]}
    for _ in range(270):
        message = sockets[3].hears_next("chat-message")
        heard[message["sender_id"]].append(message["payload"]["content"])
    for name, contents in heard.items():
        equal(contents, [str(n) for n in range(90)], f"what {name} said, as the fourth heard it")


@ROOMS.test("a host who leaves hands over, and who comes back is not host again")
def succession(world):
    ann, bob = world.people("ann", "bob")
    room, (one, two) = world.meet("ann", "bob")
    one.leave()
    two.hears("role-updated", user_id=bob.name, role="host")
    ann.join(room)
    equal(answered(bob.get(f"/webrtc/rooms/{room}/roles/{bob.name}"))["role"], "host", "the role of the new host")
    equal(answered(bob.get(f"/webrtc/rooms/{room}/roles/{ann.name}"))["role"], "moderator", "the role of the old one")


@ROOMS.test("what one says is heard in one's own room, and in no other")
def apart(world):
    rooms = [world.meet("ann", "bob") for _ in range(4)]
    for room, (one, _) in rooms:
        one.send("chat-message", {"content": f"in {room}"})
    for room, (_, two) in rooms:
        two.hears_next("chat-message", {"content": f"in {room}"})
    for _, (one, two) in rooms:
        two.hears_nothing_but(of=one)


@ROOMS.test("names of users are told as they are registered, whatever a client writes into a message")
def names(world):
    _, (one, two) = world.meet("ann", "bob")
    one.send("chat-message", {"content": "x", "user_id": two.name}, sender_id=two.name)
    equal(two.hears_next("chat-message")["sender_id"], one.name, "sender_id")


@ROOMS.test("connections that come and go a hundred times leave nobody behind")
def coming_and_going(world):
    room, _ = world.meet("ann")
    users = world.people("bob", "cat", "dan", "eve")

    def come_and_go(user):
        for _ in range(25):
            user.join(room).leave()

    together([threading.Thread(target=come_and_go, args=(user,)) for user in users])
    equal(answered(world.user("ann").get(f"/webrtc/rooms/{room}/participants"))["participant_count"], 1, "who is there in the end")


def together(threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        check(not thread.is_alive(), "that took more than a minute")


