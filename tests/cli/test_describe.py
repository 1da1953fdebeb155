"""lunasig describe: what the policies declare, for tools of OpenAPI and AsyncAPI."""

import json

POLICY = """local sig = require "lunasig"
sig.route("POST /webrtc/rooms/:room/polls/:id", {
  summary = "Answers a poll.", roles = { "host", "moderator" }, rate = "2/s burst 5 per user",
  query = { last = sig.boolean { optional = true }, page = sig.integer { min = 1, max = 9 } },
  body = sig.object { choice = sig.string { one_of = { "yes", "no" } }, why = sig.string { max = 20, optional = true, null = true } },
  answer = sig.object { count = sig.integer },
}, function() return 200, { count = 1 } end)
sig.route("GET /webrtc/polls", { auth = "open" }, function() return 200, {} end)
sig.describe("GET /webrtc/polls", { summary = "All polls." })
sig.describe("GET /webrtc/nothing", { summary = "Not there.", optional = true })
sig.type "knock" { from = "waiting", to = "role:host", rate = "1/s burst 2 per user", alias = "knock_knock" }
sig.type "poll" { from = { "host", "moderator" }, keep = "latest", payload = sig.object({ question = sig.string }, { extra = true }) }
sig.type "poll-over" { from = "server", payload = sig.object { votes = sig.array(sig.number { min = 0 }, { max = 10 }) } }
"""


def describe(lunasig, kind):
    (lunasig.folder / "mine").mkdir(exist_ok=True)
    (lunasig.folder / "mine/policy.lua").write_text(POLICY)
    return json.loads(lunasig.fine("describe", kind, "--policy", "mine"))


def test_a_route_is_an_operation_with_all_that_is_checked(lunasig):
    paths = describe(lunasig, "openapi")["paths"]
    operation = paths["/webrtc/rooms/{room}/polls/{id}"]["post"]
    assert operation["operationId"] == "post_webrtc_rooms_room_polls_id"
    assert operation["summary"] == "Answers a poll."
    parameters = {one["name"]: one for one in operation["parameters"]}
    assert list(parameters) == ["room", "id", "last", "page"]
    assert parameters["room"] == {"name": "room", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,100}$"}}
    assert parameters["page"] == {"name": "page", "in": "query", "required": True, "schema": {"type": "integer", "minimum": 1, "maximum": 9}}
    assert parameters["last"]["required"] is False
    assert operation["requestBody"]["content"]["application/json"]["schema"] == {
        "type": "object",
        "properties": {"choice": {"type": "string", "enum": ["yes", "no"]}, "why": {"type": ["string", "null"], "maxLength": 20}},
        "required": ["choice"],
        "additionalProperties": False,
    }
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer["properties"] == {"count": {"type": "integer"}} and "401" in operation["responses"] and "422" in operation["responses"]
    assert operation["x-lunasig-roles"] == ["moderator", "host"] and operation["x-lunasig-rate"] == ["2/s burst 5 per user"]
    public = paths["/webrtc/polls"]["get"]
    assert public["security"] == [] and "401" not in public["responses"] and public["summary"] == "All polls."
    assert "security" not in operation and "/auth/login" in paths and "/webrtc/nothing" not in paths


def test_a_type_is_a_message_with_who_sends_it_and_who_hears_it(lunasig):
    document = describe(lunasig, "asyncapi")
    messages = document["components"]["messages"]
    assert list(messages) == ["knock", "poll", "poll-over"]
    assert messages["knock"]["x-lunasig-from"] == ["waiting"] and messages["knock"]["x-lunasig-to"] == ["host"]
    assert messages["knock"]["x-lunasig-compat-names"] == ["knock_knock"] and messages["knock"]["x-lunasig-rate"] == ["1/s burst 2 per user"]
    assert messages["poll"]["x-lunasig-from"] == ["moderator", "host"] and messages["poll"]["x-lunasig-to"] == "room"
    assert messages["poll"]["x-lunasig-keep"] == "latest"
    properties = messages["poll-over"]["payload"]["properties"]
    assert properties["type"] == {"const": "poll-over"}
    assert properties["payload"]["properties"]["votes"] == {"type": "array", "maxItems": 10, "items": {"type": "number", "minimum": 0}}
    assert "target_id" not in properties and "x-lunasig-from" not in messages["poll-over"]
    actions = {name: operation["action"] for name, operation in document["operations"].items()}
    assert actions == {"take knock": "receive", "tell knock": "send", "take poll": "receive", "tell poll": "send", "tell poll-over": "send"}


def test_the_same_policies_give_the_same_text(lunasig):
    for kind in ("openapi", "asyncapi"):
        assert lunasig.fine("describe", kind) == lunasig.fine("describe", kind)


def test_a_policy_that_does_not_load_is_told_as_check_does(lunasig):
    (lunasig.folder / "mine").mkdir()
    (lunasig.folder / "mine/policy.lua").write_text('local sig = require "lunasig"\nsig.describe("GET /webrtc/x", {})\n')
    done = lunasig("describe", "openapi", "--policy", "mine")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith('policy.lua:2: sig.describe "GET /webrtc/x": there is no such route; it is declared before it is described\n')


def test_what_is_described_has_to_be_said(lunasig):
    done = lunasig("describe")
    assert (done.returncode, done.stdout) == (2, "") and "openapi or asyncapi" in done.stderr
    done = lunasig("describe", "openap")
    assert done.returncode == 2 and "did you mean openapi?" in done.stderr
