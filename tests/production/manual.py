"""The manual suite: a person is led through the server, step by step. With --auto the steps answer themselves."""

import json
import sys

import lunasig_client as wire
from checks import Failed, Skipped, answered, check, text
from client import PASSWORD
from suite import Suite

SUITE = Suite("manual", "what one tries by hand first, with the commands for it")
PERSON_SECONDS = 120  # that somebody has to open a page


def asked(world, question):
    """A person says whether it is so; with --auto what the test itself has checked is enough."""
    if world.auto:
        return
    while True:
        print(f"        {question} [Y/n] ", end="", flush=True)
        line = sys.stdin.readline()
        if line.strip().lower() in ("", "y", "yes") and line:
            return
        if line.strip().lower() in ("n", "no", ""):
            raise Failed(f"the person at the terminal said no: {question}")


def shows(world, command, answer):
    """Prints what one would type, and what came."""
    world.say(f"        $ {command}")
    body = answer.json if "json" in answer.headers.get("content-type", "") else answer.body[:200].decode("utf-8", "replace")
    if isinstance(body, dict):
        body = json.dumps({key: short(value) if key.endswith("_token") else value for key, value in body.items()}, ensure_ascii=False)
    world.say(f"        {answer.status} {body}")


def short(value):
    return f"{value[:8]}…" if isinstance(value, str) else value


@SUITE.test("1. the server answers")
def health(world):
    answer = world.target.http("GET", "/health")
    shows(world, f"curl {world.target.url}/health", answer)
    answered(answer, 200, {"status": "healthy"})
    asked(world, "Is this the server that you meant, and is it healthy?")


@SUITE.test("2. an account is made")
def register(world):
    user = world.user("person")
    body = json.dumps({"username": user.name, "email": user.email, "password": PASSWORD})
    shows(world, f"curl -X POST {world.target.url}/auth/register -H 'Content-Type: application/json' -d '{body}'", user.registered)
    asked(world, "Is there an access_token?")


@SUITE.test("3. one logs in with it")
def login(world):
    user = world.user("person")
    answer = user.login()
    body = json.dumps({"username": user.name, "password": PASSWORD})
    shows(world, f"curl -X POST {world.target.url}/auth/login -H 'Content-Type: application/json' -d '{body}'", answer)
    answered(answer, 200, {"access_token": text, "refresh_token": text})
    asked(world, "Are there an access_token and a refresh_token?")


@SUITE.test("4. the token says whose it is")
def validate(world):
    user = world.user("person")
    answer = user.get("/auth/validate-token")
    shows(world, f'curl -H "Authorization: Bearer TOKEN" {world.target.url}/auth/validate-token', answer)
    answered(answer, 200, {"username": user.name})
    asked(world, "Is it the name of the account?")


@SUITE.test("5. the configuration for calls")
def config(world):
    answer = world.user("person").get("/webrtc/config")
    shows(world, f'curl -H "Authorization: Bearer TOKEN" {world.target.url}/webrtc/config', answer)
    answered(answer, 200, {"ice_servers": list})
    asked(world, "Are these your STUN and TURN servers?")


@SUITE.test("6. somebody comes into a room, and is greeted")
def visit(world):
    room, person = world.room(), world.user("person")
    host = world.user("ann").join(room)
    address = f"{world.target.url.replace('http', 'ws', 1)}/webrtc/ws/{room}?token={person.token}"
    visitor = None
    if world.auto:
        world.say(f'        $ wscat -c "{address.partition("=")[0]}=TOKEN"')
        visitor = person.join(room)
    else:
        print(f'        $ wscat -c "{address}"', flush=True)  # not into the log: there is a token in it
        world.say(f"        Come in with this, or with any other client. Somebody waits there for {PERSON_SECONDS} s.")
    try:
        joined = host.hears("user-joined", timeout=wire.DEADLINE if world.auto else PERSON_SECONDS)["payload"]
    except Failed:
        if world.auto:
            raise
        raise Skipped("nobody came") from None
    world.say(f"        {joined['username']} came in")
    host.send("chat-message", {"content": "Welcome!"})
    if visitor:
        visitor.hears_next("chat-message", {"content": "Welcome!"})
    asked(world, "Did room-state come first, and then a chat-message, Welcome! ?")


@SUITE.test("7. the page for trying out a call")
def page(world):
    answer = world.target.http("GET", "/", headers={"Accept": "text/html"})
    check(answer.status == 200, f"GET /: {answer.status}")
    if "html" not in answer.headers.get("content-type", ""):
        raise Skipped("this server has no page (PAGE_DIR=none)")
    world.say(f"        Open {world.target.url}/ in two tabs, and enter the same room.")
    asked(world, "Do the two see and hear each other? (it needs GUESTS=on)")


