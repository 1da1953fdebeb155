"""The simple suite: two people with tokens of their own meet in a room."""

from checks import answered, check, equal, text, unix, when
from client import CANDIDATE, SDP
from suite import Suite

SUITE = Suite("simple", "two people register, log in, meet in a room, and signal")
TOKEN = {
    "access_token": text, "token_type": "bearer", "issued_at": unix, "expires_at": unix, "is_verified": bool,
    "two_fa_enabled": False, "client_side_encryption": False,
}  # fmt: skip


@SUITE.test("the server says that it is healthy")
def health(world):
    answered(world.target.http("GET", "/health"), 200, {"status": "healthy", "database": "connected", "redis": ("connected", "embedded"), "api": "running"})


@SUITE.test("two users register, and each gets a token")
def register(world):
    ann, bob = world.people("ann", "bob")
    for user in (ann, bob):
        answered(user.registered, 200, TOKEN)
    check(ann.token != bob.token, "both got the same token")


@SUITE.test("they log in with their passwords")
def login(world):
    for user in world.people("ann", "bob"):
        answered(user.login(), 200, {"access_token": text, "refresh_token": text, "username": user.name, "email": user.email})


@SUITE.test("each token is valid, and says whose it is")
def validate(world):
    for user in world.people("ann", "bob"):
        answered(user.get("/auth/validate-token"), 200, {"username": user.name})


@SUITE.test("both connect to one room, and each sees the other in it")
def connect(world):
    ann, bob = world.people("ann", "bob")
    room = world.room()
    first = ann.join(room)
    equal([one["user_id"] for one in first.room_state["participants"]], [ann.name], "who is there when the first one comes")
    second = bob.join(room)
    equal([one["user_id"] for one in second.room_state["participants"]], [ann.name, bob.name], "who is there when the second one comes")
    equal(second.room_state["participant_count"], 2, "participant_count")
    equal(first.hears_next("room-state")["payload"]["participant_count"], 2, "participant_count that the first one is told")
    first.hears_next("user-joined", {"user_id": bob.name, "username": bob.name, "timestamp": when})


@SUITE.test("offer, answer and candidates go from one to the other")
def signal(world):
    ann, bob = world.people("ann", "bob")
    _, (one, two) = world.meet("ann", "bob")
    one.send("offer", {"sdp": SDP, "type": "offer", "target_user_id": bob.name})
    message = two.hears_next("offer", {"sdp": SDP, "type": "offer"})
    equal(message["sender_id"], ann.name, "sender_id of the offer")
    two.send("answer", {"sdp": SDP, "type": "answer", "target_user_id": ann.name})
    equal(one.hears_next("answer", {"sdp": SDP, "type": "answer"})["sender_id"], bob.name, "sender_id of the answer")
    for sender, receiver, user in ((one, two, bob), (two, one, ann)):
        sender.send("ice-candidate", {"candidate": CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0, "target_user_id": user.name})
        receiver.hears_next("ice-candidate", {"candidate": CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0})


@SUITE.test("when one leaves, the other is told, and is alone")
def leave(world):
    bob = world.user("bob")
    _, (one, two) = world.meet("ann", "bob")
    two.leave()
    equal(one.hears_next("room-state")["payload"]["participant_count"], 1, "participant_count")
    one.hears_next("user-left", {"user_id": bob.name, "username": bob.name, "timestamp": when, "reason": text})
