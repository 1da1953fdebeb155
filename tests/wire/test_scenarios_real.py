"""lunasig test --real: the same scenarios over real sockets come to the same verdicts as in process."""

import concurrent.futures
import pathlib
import re
import subprocess

import pytest

import lunasig_certificates as certificates
import lunasig_figures
import lunasig_secrets as secrets
import lunasig_server

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("tests/scenario", "examples/policies")
SECONDS = 120
# The scenarios expect a server with the limits that it has by default.
DEFAULTS = {
    "WEBSOCKET_MESSAGE_RATE_LIMIT": None,
    "WEBSOCKET_BYTE_RATE_LIMIT": None,
    "WEBSOCKET_CONNECTION_LIMIT": None,
    "POLICY_SKIP_TESTS": "true",
}
POINT = re.compile(r"(not )?ok \d+ - (.*?)(?: # SKIP (.*))?$")


def run(folder, *arguments, **settings):
    environment = lunasig_server.environment(settings, pathlib.Path(folder))
    return subprocess.run(
        [lunasig_server.binary(), "test", *arguments], env=environment, cwd=REPOSITORY, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip


def verdicts(done):
    """Name of each test -> "ok", "not ok" or "skip"; and the reasons of those that were skipped."""
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found, reasons = {}, {}
    for line in done.stdout.splitlines():
        point = POINT.match(line)
        if point:
            found[point[2]] = "skip" if point[3] else "not ok" if point[1] else "ok"
            if point[3]:
                reasons[point[2]] = point[3]
    return found, reasons


class Tested:
    __test__ = False

    """A file's tests, run both ways against a server of its own."""

    def __init__(self, folder, file):
        self.file = file
        folder.mkdir()
        server = lunasig_server.Server(folder, DEFAULTS, arguments=("serve", "--policy", str(REPOSITORY / file)))
        try:
            self.process = run(folder, "--tap", file)
            self.real = run(folder, "--tap", "--real", f"http://127.0.0.1:{server.port}", file)
        finally:
            server.end()

    def differences(self):
        expected, _ = verdicts(self.process)
        got, _ = verdicts(self.real)
        assert expected.keys() == got.keys(), self.file
        return [name for name in got if got[name] != "skip" and got[name] != expected[name]]


def files_with_tests(folder):
    done = run(folder, "--list", *FOLDERS)
    assert done.returncode == 0, done.stdout + done.stderr
    return sorted({line.split(":")[0] for line in done.stdout.splitlines() if ".lua:" in line})


def write(tmp_path, text):
    path = tmp_path / "policy.lua"
    head = 'local sig = require "lunasig"\nsig.policy { name = "test", api = 1 }\nsig.use { "std.presence", "std.chat", "std.roles" }\n'
    path.write_text(head + text)
    return path


def test_all_scenarios_of_the_repository_agree(tmp_path):
    files = files_with_tests(tmp_path)
    assert len(files) > 20
    if lunasig_figures.SANITIZED and not lunasig_figures.LONG:
        files = files[::5]  # the verdicts are those of the release build: here it is about the memory of both ends
    with concurrent.futures.ThreadPoolExecutor(4) as workers:
        jobs = [workers.submit(Tested, tmp_path / str(i), file) for i, file in enumerate(files)]
        tested = [job.result() for job in jobs]
    different = [name for it in tested for name in it.differences()]
    said = "\n".join(it.real.stdout for it in tested if it.differences())
    assert different == [], said
    compared = sum(list(verdicts(it.real)[0].values()).count("ok") for it in tested)
    skipped = sum(len(verdicts(it.real)[1]) for it in tested)
    assert compared > 2 * skipped, (compared, skipped)


WRONG = {
    "another payload": 'bob:receives("chat-message", { content = "bye" })',
    "a type that never came": 'bob:receives "hand-raise"',
    "read before": 'bob:receives "chat-message"; bob:receives "chat-message"',
    "silence": 'bob:receives_nothing "chat-message"',
    "no refusal": 'ann:is_refused "INVALID_MESSAGE"',
    "another refusal": 'ann:sends("chat-message", {}); ann:is_refused "UNKNOWN_TYPE"',
    "no close": "bob:is_closed(1008)",
    "another close": 'for _ = 1, 10 do bob:sends_raw "x" end; bob:is_closed(1009)',
    "nobody left": 'ann:receives "user-left"',
    "its own assertion": "assert(bob:receives('chat-message').sender_id == 'bob')",
    "an unexpected refusal": 't:client("eve"):joins "locked"',
}


def test_a_wrong_expectation_fails_both_ways(tmp_path):
    begin = 'local ann, bob = t:client "ann", t:client "bob"; ann:joins "r1"; bob:joins "r1"; ann:sends("chat-message", { content = "hi" })'
    policy = 'sig.on("join", function(room) if room.id == "locked" then return sig.deny("LOCKED", "ask the host") end end)\n'
    every = WRONG | {"right": 'bob:receives("chat-message", { content = "hi" })'}

    def try_one(numbered):
        number, (name, line) = numbered
        (tmp_path / f"{number}").mkdir()
        file = write(tmp_path / f"{number}", f'{policy}sig.test("{name}", function(t) {begin}\n{line} end)\n')
        return name, Tested(tmp_path / f"server{number}", str(file))

    with concurrent.futures.ThreadPoolExecutor(4) as workers:
        for name, it in workers.map(try_one, enumerate(every.items())):
            for done in (it.process, it.real):
                assert list(verdicts(done)[0].values()) == ["ok" if name == "right" else "not ok"], done.stdout
                assert done.returncode == (name != "right")


# What a test says of itself, and why it is skipped then.
OPTIONS = {
    'date = "2026-03-01T09:00:00Z"': "it has a date of its own",
    'settings = { WEBSOCKET_MESSAGE_RATE_LIMIT = "5/s" }': "it has settings of its own",
    "virtual = true": "it needs virtual time",
    "slow = true": "it is slow, and needs virtual time",
}
SKIPPED = {
    'ann:joins "r1"; t:state "r1"': "t:state looks inside of the server (policy.lua:",
    't:room "r1"': "t:room looks inside of the server (policy.lua:",
    't:advance "1h"': "3600.000 s of waiting need virtual time (policy.lua:",
    'pcall(function() t:advance "1h" end); error "not looked at"': "3600.000 s of waiting need virtual time (policy.lua:",
    'for _ = 1, 10 do t:advance "1900ms" end': "3.800 s of waiting need virtual time (policy.lua:",
    'ann:joins "r1"; ann:receives { type = "x", within = "5s" }': "5.000 s of waiting need virtual time (policy.lua:",
    't:client { address = "192.0.2.7" }': "a client has the address of this machine (policy.lua:",
}


def test_what_needs_virtual_time_or_looks_inside_is_skipped_and_says_so(tmp_path):
    tests = "".join(f'sig.test("{i}", function(t) local ann = t:client "ann"; {line} end)\n' for i, line in enumerate(SKIPPED))
    tests += "".join(f'sig.test("{i + 100}", {{ {option} }}, function() end)\n' for i, option in enumerate(OPTIONS))
    it = Tested(tmp_path / "server", str(write(tmp_path, tests)))
    _, reasons = verdicts(it.real)
    assert it.real.returncode == 0
    for got, (line, wanted) in zip(reasons.values(), (SKIPPED | OPTIONS).items(), strict=True):
        assert got.startswith(wanted), (line, got)


def test_tests_do_not_meet_and_see_the_names_that_they_wrote(tmp_path):
    meet = """
sig.type "quick" { payload = sig.object { to = sig.string }, rate = "2/min burst 2 per user" }
sig.on("join", function(room, member)
  if room.id == "locked" then return sig.deny("LOCKED", member.id .. " may not enter " .. room.id) end
end)
for i = 1, 3 do
  sig.test("meeting " .. i, function(t)
    local ann, bob = t:client "ann", t:client { user = "bob", claims = { friend = "ann" } }
    local welcome = ann:joins "r1"
    assert(welcome.room_id == "r1" and welcome.payload.self.user_id == "ann" and #welcome.payload.participants == 1)
    bob:joins "r1"
    ann:receives("user-joined", { user_id = "bob", username = "bob" })
    ann:sends("quick", { to = "bob" }); ann:sends("quick", { to = "nobody" })
    bob:receives { type = "quick", sender_id = "ann", payload = { to = "bob" } }
    bob:receives { type = "quick", payload = { to = "nobody" } }
    ann:sends("quick", { to = "bob" })
    ann:is_refused "RATE_LIMIT_EXCEEDED"
    local eve = t:client "eve"
    eve:joins "locked"
    assert(eve:is_refused("LOCKED").payload.message == "eve may not enter locked")
  end)
end
"""
    it = Tested(tmp_path / "server", str(write(tmp_path, meet)))
    assert it.differences() == []
    assert set(verdicts(it.real)[0].values()) == {"ok"}, it.real.stdout


def test_what_waits_in_hooks_is_waited_for(tmp_path):
    order = """
local notes = sig.store "notes"
sig.type "slow" { to = "server", payload = sig.object { text = sig.string } }
sig.on("message:slow", function(room, _, message)
  notes:put("last", { text = message.payload.text })
  sig.sleep "50ms"
  room:send("slow-done", { text = notes:get("last").text })
end)
sig.type "slow-done" { from = "server" }
sig.test("in order", function(t)
  local ann, bob = t:client "ann", t:client "bob"
  ann:joins "r1"; bob:joins "r1"
  for i = 1, 5 do
    ann:sends("slow", { text = "" .. i })
    t:advance "60ms"
    bob:sends("chat-message", { content = "after " .. i })
    ann:receives("slow-done", { text = "" .. i })
    ann:receives("chat-message", { content = "after " .. i })
  end
end)
"""
    it = Tested(tmp_path / "server", str(write(tmp_path, order)))
    assert it.differences() == []
    assert set(verdicts(it.real)[0].values()) == {"ok"}, it.real.stdout


def test_tokens_and_requests_are_the_same(tmp_path):
    asked = """
sig.route("POST /webrtc/rooms/:room/poll", { auth = true, body = sig.object { of = sig.string } }, function(request, room)
  room:send("polled", { by = request.claims.sub, of = request.body.of })
  return 201, { room_id = room.id, by = request.claims.sub, plan = request.claims.plan, of = request.body.of }, { ["x-mark"] = "yes" }
end)
sig.type "polled" { from = "server" }
sig.test("a route", function(t)
  local ann, bob = t:client { user = "ann", claims = { plan = "pro" } }, t:client "bob"
  ann:joins "r1"; bob:joins "r1"
  local answer = ann:requests("POST /webrtc/rooms/r1/poll", { of = "bob" })
  assert(answer.status == 201 and answer.body.room_id == "r1" and answer.body.by == "ann" and answer.body.plan == "pro")
  assert(answer.body.of == "bob" and answer.headers["x-mark"] == "yes")
  bob:receives("polled", { by = "ann", of = "bob" })
  assert(t:request("POST /webrtc/rooms/r1/poll", { of = "bob" }).status == 401)
  assert(ann:requests("POST /webrtc/rooms/r1/poll", { of = 1 }).status == 422)
  assert(t:request("/nowhere").status == 404)
end)
sig.test("a first message", function(t)
  local ann, bob = t:client { user = "ann", auth = "message" }, t:client "bob"
  ann:joins "r1"
  bob:joins "r1"
  ann:receives("user-joined", { user_id = "bob" })
  ann:drops()
  bob:receives "user-away"
  bob:sends("chat-message", { content = "missed" })
  assert(ann:resumes().payload.resumed)
  ann:receives("chat-message", { content = "missed" })
end)
sig.test("another token", function(t)
  local ann = t:client { user = "ann", token = "nonsense" }
  ann:joins "r1"
  ann:is_refused(401)
  local late = t:client { user = "late", token = t:token { user = "late", expires = "-1h" } }
  late:joins "r1"
  late:is_refused(401)
  local none = t:client { user = "none", dialect = "compat", token = "" }
  none:joins "r1"
  none:is_refused(401)
end)
sig.test("bytes", function(t)
  local ann = t:client "ann"
  ann:joins "r1"
  ann:sends_binary "x"
  ann:is_closed(1003)
end)
sig.test("a fresh token", function(t)
  local ann = t:client "ann"
  ann:joins "r1"
  ann:refreshes { expires = "2h" }
  ann:receives "token-refreshed"
end)
"""
    it = Tested(tmp_path / "server", str(write(tmp_path, asked)))
    assert set(verdicts(it.process)[0].values()) == {"ok"}, it.process.stdout
    assert set(verdicts(it.real)[0].values()) == {"ok"}, it.real.stdout


def test_it_leaves_nothing_behind(tmp_path):
    lua = """
sig.test("it", function(t)
  local ann, bob, eve = t:client "ann", t:client "bob", t:client "eve"
  ann:joins "r1"; bob:joins "r1"; eve:joins "r2"
  bob:vanishes()
  bob:resumes()
  eve:vanishes()
end)
"""
    folder = tmp_path / "server"
    folder.mkdir()
    server = lunasig_server.Server(folder, DEFAULTS, arguments=("serve", "--policy", str(write(tmp_path, lua))))
    try:
        done = run(folder, "--real", f"ws://127.0.0.1:{server.port}", str(tmp_path / "policy.lua"))
        assert done.returncode == 0, done.stdout + done.stderr
        assert server.metrics()["lunasig_connections"] == 0
    finally:
        server.end()


def test_over_tls_the_certificate_is_verified(tmp_path):
    lua = """
sig.test("it", function(t)
  local ann, bob = t:client "ann", t:client "bob"
  ann:joins "r1"; bob:joins "r1"
  local long = ("x"):rep(16000)
  for _ = 1, 20 do ann:sends("chat-message", { content = long }) end
  for _ = 1, 20 do bob:receives("chat-message", { content = long }) end
  bob:drops()
  ann:receives "user-away"
  bob:resumes()
  ann:receives "user-back"
end)
"""
    folder = tmp_path / "server"
    folder.mkdir()
    pair = certificates.make(folder)
    policy = str(write(tmp_path, lua))
    server = lunasig_server.Server(folder, DEFAULTS | pair.settings, arguments=("serve", "--policy", policy))
    try:
        url = f"wss://localhost:{server.port}"
        done = run(folder, "--real", url, policy, SSL_CERT_FILE=pair.cert)
        assert done.returncode == 0, done.stdout + done.stderr
        done = run(folder, "--real", url, policy)
        assert done.returncode == 2 and "no server answers there" in done.stderr and "certificate" in done.stderr, done.stderr
    finally:
        server.end()


@pytest.mark.parametrize(
    ("url", "settings", "wanted"),
    [
        ("nonsense", {}, "is no address of a server"),
        ("http://127.0.0.1:1", {}, "no server answers there"),
        ("http://127.0.0.1:1", {"JWT_SECRET_KEY": None}, "--real needs JWT_SECRET_KEY"),
    ],
)
def test_what_is_missing_is_told_before_anything_runs(tmp_path, url, settings, wanted):
    done = run(tmp_path, "--real", url, str(write(tmp_path, "")), **settings)
    assert done.returncode == 2 and wanted in done.stderr, done.stdout + done.stderr


def test_a_server_with_another_secret_refuses_everybody(tmp_path):
    policy = write(tmp_path, 'sig.test("it", function(t) t:client("ann"):joins "r1" end)')
    folder = tmp_path / "server"
    folder.mkdir()
    server = lunasig_server.Server(folder, DEFAULTS, arguments=("serve", "--policy", str(policy)))
    try:
        done = run(folder, "--real", f"http://127.0.0.1:{server.port}", str(policy), JWT_SECRET_KEY=secrets.SECRET[::-1])
        assert done.returncode == 1 and "TOKEN_INVALID: Could not validate credentials" in done.stdout, done.stdout
    finally:
        server.end()
