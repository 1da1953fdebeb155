"""Every endpoint that the server itself has: health, accounts, tokens, tickets, configuration; and the form of its refusals."""

import json

from checks import Skipped, answered, check, equal, refused, text, unix
from client import PASSWORD, User
from simple import TOKEN
from suite import Suite

SUITE = Suite("complete, accounts and configuration", "every endpoint of the server itself, answered in the form of the original service")
PAIR = {
    "access_token": text, "refresh_token": text, "token_type": "bearer", "expires_in": int, "refresh_expires_in": int, "issued_at": unix,
    "expires_at": unix, "is_verified": bool, "role": text, "username": text, "email": text,
}  # fmt: skip


@SUITE.test("GET /health, /healthz, /ready, /readyz, /live answer 200")
def health(world):
    wanted = {"status": "healthy", "database": "connected", "redis": ("connected", "embedded"), "api": "running"}
    answered(world.target.http("GET", "/health"), 200, wanted)
    for path in ("/healthz", "/ready", "/readyz", "/live"):
        answered(world.target.http("GET", path), 200)


@SUITE.test("GET / is JSON for programs, and a page for browsers")
def root(world):
    answered(world.target.http("GET", "/"), 200, {"message": text, "version": text, "status": "running"})
    page = world.target.http("GET", "/", headers={"Accept": "text/html,*/*;q=0.8"})
    equal(page.status, 200, "the status for a browser")


@SUITE.test("GET /metrics is text for Prometheus")
def metrics(world):
    answer = world.target.http("GET", "/metrics")
    equal(answer.status, 200, "GET /metrics")
    check(answer.headers["content-type"].startswith("text/plain"), f"its type is {answer.headers['content-type']}")
    check(b"\n# TYPE " in b"\n" + answer.body and b"lunasig_rooms" in answer.body, "it has no metrics of rooms")


@SUITE.test("POST /auth/register answers a token that is usable at once; unknown fields are ignored")
def register(world):
    fresh = User(world.target, f"Fresh-{world.run}")
    answered(fresh.registered, 200, TOKEN)
    answered(fresh.get("/auth/validate-token"), 200, {"username": fresh.name.lower()})
    world.users["fresh"] = fresh


@SUITE.test("POST /auth/register refuses a taken name, a weak password (400), and what has no shape (422)")
def register_refused(world):
    def register(**changes):
        body = {"username": f"other-{world.run}", "email": f"other-{world.run}@example.org", "password": PASSWORD, **changes}
        return world.target.register(**{k: v for k, v in body.items() if v is not None})

    ann = world.user("ann")
    refused(register(username=ann.name), 400)
    refused(register(email=ann.email), 400)
    for weak in ("Short-1", "no-upper-case-1", "NO-LOWER-CASE-1", "No-Digit-Here", "NoSymbol123"):
        refused(register(password=weak), 400)
    for wrong in ({"username": "x"}, {"username": "a b c"}, {"username": None}, {"email": "none"}, {"password": 7}):
        refused(register(**wrong), 422)
    answer = world.target.http("POST", "/auth/register", body=b"no json", headers={"Content-Type": "application/json"})
    refused(answer, 422)


@SUITE.test("POST /auth/login takes name or address, as JSON or as a form")
def login(world):
    ann = world.user("ann")
    for how in (
        {"json_body": {"username": ann.name, "password": PASSWORD}},
        {"json_body": {"email": ann.email, "password": PASSWORD}},
        {"form": {"username": ann.name, "password": PASSWORD}},
    ):
        answered(world.target.http("POST", "/auth/login", **how), 200, {**PAIR, "username": ann.name, "email": ann.email})


@SUITE.test("POST /auth/login: a wrong password is 401 Invalid credentials, the sixth attempt 403")
def login_refused(world):
    locked = User(world.target, f"locked-{world.run}")
    wrong = {"username": locked.name, "password": "Wrong-Horse-7"}
    for _ in range(5):
        refused(world.target.http("POST", "/auth/login", json_body=wrong), 401, "Invalid credentials")
    answer = locked.login()
    refused(answer, 403)
    check(int(answer.headers.get("retry-after", "0")) > 0, "403 of a locked account without Retry-After")
    refused(world.target.http("POST", "/auth/login", json_body={"username": locked.name}), 422)


@SUITE.test("GET /auth/validate-token: 200 with the user, 200 invalid with the reason, 401 without a token")
def validate(world):
    ann = world.user("ann")
    wanted = {"username": ann.name, "email": ann.email, "role": text, "is_verified": bool, "issued_at": unix, "expires_at": unix}
    answered(ann.get("/auth/validate-token"), 200, wanted)
    answered(world.target.http("GET", "/auth/validate-token", token=ann.token[:-4] + "AAAA"), 200, {"token": "invalid", "reason": text})
    refused(world.target.http("GET", "/auth/validate-token"), 401, "Not authenticated")


@SUITE.test("POST /auth/refresh gives a new pair; an old refresh token is dead, and its reuse ends the family")
def refresh(world):
    first = answered(world.user("ann").login())

    def refresh(pair):
        return world.target.http("POST", "/auth/refresh", json_body={"refresh_token": pair["refresh_token"]})

    second = answered(refresh(first), 200, PAIR)
    refused(refresh(first), 401)
    refused(refresh(second), 401)


@SUITE.test("POST /auth/logout ends the token everywhere")
def logout(world):
    token = answered(world.user("ann").login())["access_token"]
    room = world.room()
    socket = world.target.connect(room, token)
    socket.hears_next("room-state")
    answered(world.target.http("POST", "/auth/logout", token=token), 200)
    equal(socket.close_code(), 4401, "the close code of the open WebSocket")
    refused(world.target.http("GET", "/webrtc/config", token=token), 401, "Could not validate credentials")
    equal(world.target.refusal(room, token).status, 401, "a WebSocket with it")


@SUITE.test("POST /auth/guest gives a token where guests are let in, and is refused elsewhere")
def guest(world):
    answer = world.target.http("POST", "/auth/guest", json_body={"name": f"visitor-{world.run}"})
    if answer.status != 200:
        return refused(answer, (403, 404))
    body = answered(answer, 200, {"access_token": text, "token_type": "bearer"})
    answered(world.target.http("GET", "/auth/validate-token", token=body["access_token"]), 200, {"username": f"guest_visitor-{world.run}"})


@SUITE.test("GET /webrtc/config names ICE servers and policies; 401 without a token")
def config(world):
    wanted = {
        "ice_servers": list, "ice_transport_policy": ("all", "relay"), "bundle_policy": ("balanced", "max-compat", "max-bundle"),
        "rtcp_mux_policy": ("require", "negotiate"),
    }  # fmt: skip
    body = answered(world.user("ann").get("/webrtc/config"), 200, wanted)
    for server in body["ice_servers"]:
        check(isinstance(server["urls"], list) and server["urls"], f"an ICE server without urls: {json.dumps(server)}")
    refused(world.target.http("GET", "/webrtc/config"), 401, "Not authenticated")
    refused(world.target.http("GET", "/webrtc/config", token="no.good.token"), 401, "Could not validate credentials")


@SUITE.test("POST /webrtc/ticket opens one WebSocket, once")
def ticket(world):
    ann = world.user("ann")
    room = world.room()
    made = answered(ann.post("/webrtc/ticket"), 200, {"ticket": text, "expires_in": 30})["ticket"]
    world.target.connect(room, ticket=made).hears_next("room-state")
    equal(world.target.refusal(room, ticket=made).status, 401, "the same ticket again")
    refused(world.target.http("POST", "/webrtc/ticket"), 401)


@SUITE.test("refusals have the form {\"detail\": …}: 404, 405, 413, 422")
def refusals(world):
    refused(world.target.http("GET", "/no/such/path"), 404, "Not Found")
    answer = world.target.http("DELETE", "/auth/login")
    refused(answer, 405)
    check("POST" in answer.headers.get("allow", ""), "405 does not say what is allowed")
    refused(world.target.http("POST", "/auth/login", body=b" " * 300_000, headers={"Content-Type": "application/json"}), 413)


@SUITE.test("browsers may read the answers: with credentials from CORS_ORIGINS, from anywhere where it is not set")
def cors(world):
    origin = world.target.url
    headers = world.target.http("GET", "/health", headers={"Origin": origin}).headers
    allowed = headers.get("access-control-allow-origin")
    if allowed is None:
        raise Skipped("CORS_ORIGINS of this server does not have its own address")
    if allowed != "*":
        equal((allowed, headers.get("access-control-allow-credentials")), (origin, "true"), "the headers for browsers")
