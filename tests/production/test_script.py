"""The script from outside: its statuses, its services, and that it leaves nothing behind."""

import contextlib
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
for folder in ("tests/wire", "tests/tools"):
    sys.path.append(str(REPOSITORY / folder))
import lunasig_certificates as certificates  # noqa: E402
import lunasig_client as wire  # noqa: E402
import lunasig_server  # noqa: E402
import mongo_server  # noqa: E402
from lunasig_secrets import SECRET  # noqa: E402

SCRIPT = REPOSITORY / "scripts" / "run_webrtc_production_tests.sh"
RUN_SECONDS = 120
# A server with its default limits, which the tests of the wire switch off.
DEFAULTS = {"WEBSOCKET_MESSAGE_RATE_LIMIT": None, "WEBSOCKET_BYTE_RATE_LIMIT": None, "WEBSOCKET_CONNECTION_LIMIT": None}


@pytest.fixture
def start_server(tmp_path_factory):
    with contextlib.ExitStack() as running:

        def start(**settings):
            server = lunasig_server.Server(tmp_path_factory.mktemp("server"), {**DEFAULTS, **settings})
            running.callback(server.end)
            return server

        yield start


@pytest.fixture
def temporary(monkeypatch):
    """A folder for what the script keeps and removes, which shows what it has left."""
    with tempfile.TemporaryDirectory(prefix="lunasig-script-") as folder:
        yield pathlib.Path(folder)


def environment(temporary, **more):
    kept = {name: value for name, value in os.environ.items() if name not in ("BASE_URL", "JWT_SECRET_KEY")}
    return {**kept, "TMPDIR": str(temporary), "AUTH_BCRYPT_COST": "4", "LUNASIG_BIN": str(lunasig_server.binary()), **more}


def run(temporary, *options, **more):
    return subprocess.run(
        [SCRIPT, *options], env=environment(temporary, **more), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_SECONDS,
    )  # fmt: skip


def address(server):
    return f"http://localhost:{server.port}"


def needs_mongo():
    if not mongo_server.is_there():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(mongo_server.MISSING)


def said(done):
    return f"status {done.returncode}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"


def test_all_suites_pass_twice_on_one_server_which_goes_on(start_server, temporary):
    server = start_server()
    for _ in range(2):
        done = run(temporary, "--test", "all", "--auto", "--no-services", BASE_URL=address(server), JWT_SECRET_KEY=SECRET)
        assert done.returncode == 0, said(done)
        assert re.search(r"\n\d+ passed, 0 failed, 0 skipped", done.stdout), said(done)
        assert server.alive()
    assert list(temporary.iterdir()) == []


def test_with_services_of_its_own_all_suites_pass_and_nothing_is_left(temporary):
    needs_mongo()
    done = run(temporary, "--test", "all", "--auto", "--logs", str(temporary / "logs"))
    assert done.returncode == 0, said(done)
    assert "Redis: redis://" in done.stderr and "does not use it" in done.stderr
    assert sorted(path.name for path in (temporary / "logs").iterdir()) == ["lunasig.log", "mongo.log", "redis.log", "suites.log"]
    assert [path.name for path in temporary.iterdir()] == ["logs"]
    assert '"redis-not-used"' in (temporary / "logs" / "lunasig.log").read_text()


def test_without_the_servers_key_tests_that_need_it_are_skipped_by_name(start_server, temporary):
    done = run(temporary, "--test=production", "--no-services", BASE_URL=address(start_server()))
    assert done.returncode == 0, said(done)
    assert "1 skipped" in done.stdout and "can be made only with JWT_SECRET_KEY" in done.stdout


def test_a_server_that_breaks_a_promise_is_status_1_and_the_log_is_kept(start_server, temporary, tmp_path):
    policy = lunasig_server.Policy(tmp_path)
    policy.write('require("lunasig").on("message:offer", function() return require("lunasig").deny("NO", "no offers today") end)')
    server = start_server(**policy.settings)
    done = run(temporary, "--test", "simple", "--no-services", BASE_URL=address(server), LUNASIG_TEST_DEADLINE="1")
    assert done.returncode == 1, said(done)
    assert "FAIL" in done.stdout and "1 failed" in done.stdout
    folder = pathlib.Path(re.search(r"^Logs: (.*)$", done.stderr, re.M)[1])
    assert "FAIL" in (folder / "suites.log").read_text()


def test_a_server_with_https_is_tested_as_any_other(start_server, temporary, tmp_path):
    certificate = certificates.make(tmp_path)
    server = start_server(**certificate.settings)
    url = f"https://localhost:{server.port}"
    done = run(temporary, "--test", "simple", "--no-services", BASE_URL=url, SSL_CERT_FILE=certificate.settings["TLS_CERT_FILE"])
    assert done.returncode == 0, said(done)
    done = run(temporary, "--test", "simple", "--no-services", BASE_URL=url)
    assert done.returncode == 3 and "CERTIFICATE_VERIFY_FAILED" in done.stdout, said(done)


def test_a_server_that_is_not_there_is_status_3(temporary):
    done = run(temporary, "--test", "simple", "--no-services", BASE_URL=f"http://localhost:{mongo_server.free_port()}")
    assert done.returncode == 3, said(done)
    assert "is not healthy" in done.stdout


def test_a_program_that_does_not_start_is_status_3_and_its_log_is_shown(temporary):
    needs_mongo()
    done = run(temporary, "--test", "simple", "--auto", PORT="1", AUTH_BCRYPT_COST="99")
    assert done.returncode == 3, said(done)
    assert "AUTH_BCRYPT_COST" in done.stderr and "lunasig did not start" in done.stderr
    assert not list(temporary.glob("lunasig-production-data*"))


@pytest.mark.parametrize(
    "options, why",
    [
        (["--tset"], "there is no option --tset"),
        (["simple"], "there is no option simple"),
        (["--test", "quick"], "there is no suite quick"),
        (["--test"], "--test needs a value"),
        ([], "Add --test"),
        (["--test", "manual"], "add --auto"),
        (["--test", "all", "--no-services"], "add --auto"),
    ],
)
def test_a_wrong_command_line_is_status_2_with_the_usage(temporary, options, why):
    done = run(temporary, *options)
    assert done.returncode == 2 and why in done.stderr and "usage: " in done.stderr, said(done)
    assert list(temporary.iterdir()) == []


def test_a_base_url_that_is_none_is_status_2(temporary):
    done = run(temporary, "--test", "simple", "--no-services", BASE_URL="localhost:8000")
    assert done.returncode == 2 and "no address of a server" in done.stderr, said(done)


def test_help_says_what_the_statuses_mean(temporary):
    done = run(temporary, "--help")
    assert done.returncode == 0
    assert {"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "ENVIRONMENT", "EXIT STATUS", "FILES", "EXAMPLES"} <= set(done.stdout.splitlines())


# -- signals


def children(pid):
    """Its children and theirs."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += [int(child), *children(int(child))]
    return found


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_what_was_started(temporary, number, status):
    needs_mongo()
    script = subprocess.Popen(
        [SCRIPT, "--test", "complete", "--auto"], env=environment(temporary), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        for line in script.stdout:
            if line.startswith("complete, announcements"):
                break
        begun = children(script.pid)
        assert len(begun) >= 4, begun  # Redis, MongoDB, Lunasig, the suites
        script.send_signal(number)
        _, errors = script.communicate(timeout=30)
        assert script.returncode == status, errors
    finally:
        script.kill()
        script.communicate()
    assert [pid for pid in begun if pathlib.Path(f"/proc/{pid}").exists()] == []
    assert not list(temporary.glob("lunasig-production-data*"))
    assert "Logs: " in errors


# -- a person at a terminal


class Terminal:
    """The script with a terminal of its own, and somebody who answers."""

    def __init__(self, temporary, *options, **more):
        main, other = pty.openpty()
        self.main, self.text, self.position, self.changed = main, "", 0, threading.Condition()
        self.process = subprocess.Popen([SCRIPT, *options], env=environment(temporary, **more), stdin=other, stdout=other, stderr=other)
        os.close(other)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with contextlib.suppress(OSError):
            while data := os.read(self.main, 65536):
                with self.changed:
                    self.text += data.decode("utf-8", "replace")
                    self.changed.notify_all()

    def sees(self, pattern):
        until = time.monotonic() + 30
        with self.changed:
            while not (found := re.compile(pattern).search(self.text, self.position)):
                assert self.changed.wait(until - time.monotonic()), f"no {pattern!r} in {self.text[self.position :]!r}"
            self.position = found.end()
            return found

    def types(self, line):
        os.write(self.main, f"{line}\n".encode())

    def ends(self):
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()
            self.process.wait()
            os.close(self.main)


def test_a_person_is_led_through_the_manual_suite_and_may_say_no(start_server, temporary):
    server = start_server()
    person = Terminal(temporary, "--no-services", BASE_URL=address(server))
    person.sees(r"Which suite\?")
    person.types("4")
    for _ in range(5):
        person.sees(r"\? \[Y/n\] ")
        person.types("y")
    path = person.sees(r'wscat -c "ws://localhost:\d+(\S+)"')[1]
    visitor = wire.upgrade(server.port, path)
    visitor.expect("room-state")
    visitor.expect("chat-message", content="Welcome!")
    person.sees(r"\[Y/n\] ")
    person.types("")
    person.sees(r"\[Y/n\] ")
    person.types("n")
    person.sees("the person at the terminal said no")
    person.sees("6 passed, 1 failed")
    assert person.ends() == 1
    visitor.wire.close()
