"""Runs the server under test: a free port, a data folder of its own, settings from the environment, its log kept for inspection."""

import collections
import json
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time

import lunasig_certificates as certificates
import lunasig_client as wire
import lunasig_log
import lunasig_mongo
import lunasig_secrets as secrets

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS = 20
RELOAD_SECONDS = 30  # a policy that loops is stopped after so much processor time, not after so much time
STOP_SECONDS = 5
# What servers of the tests share. Limits that every test would run into are off; tests of limits set them.
SETTINGS = {
    "HOST": "127.0.0.1",
    "PORT": "0",
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "debug",
    "JWT_SECRET_KEY": secrets.SECRET,
    "AUTH_BCRYPT_COST": "4",
    "WEBSOCKET_MESSAGE_RATE_LIMIT": "0",
    "WEBSOCKET_BYTE_RATE_LIMIT": "0",
    "WEBSOCKET_CONNECTION_LIMIT": "0",
}
SANITIZER_REPORTS = ("ERROR: AddressSanitizer", "runtime error:", "LeakSanitizer", "WARNING: ThreadSanitizer", "Assertion `")


def binary():
    named = os.environ.get("LUNASIG_BIN")
    if named:
        return pathlib.Path(named).resolve()
    found = [REPOSITORY / "build" / preset / "lunasig" for preset in ("dev", "release")]
    found = [path for path in found if path.exists()]
    assert found, "build the server first, or name it in LUNASIG_BIN"
    return max(found, key=lambda path: path.stat().st_mtime)


def environment(settings, folder):
    """Only what the test says reaches the server, and what sanitizers need: there, hooks take longer, too."""
    kept = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "POLICY_CPU_MS", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "LLVM_PROFILE_FILE")
    values = {name: os.environ[name] for name in kept if name in os.environ}
    # A killed process leaves its counters of libmongoc in /dev/shm, and the next one with its number would say so.
    values.update(SETTINGS, DATA_DIR=str(folder / "data"), MONGOC_DISABLE_SHM="1")
    values.update({name: str(value) for name, value in settings.items() if value is not None})
    for name, value in settings.items():
        if value is None:
            values.pop(name, None)
    return values


class Server:
    def __init__(self, folder, settings=(), wait=True, arguments=("serve",), preexec=None):
        self.folder = pathlib.Path(folder)
        self.settings = environment(dict(settings), self.folder)
        self.lines = []  # of the log, standard output and error together
        self.changed = threading.Condition()
        self.reading = True
        self.port = None
        if os.environ.get("LUNASIG_TEST_TLS"):
            self.settings |= certificates.make(self.folder).settings
        if os.environ.get("LUNASIG_TEST_MONGO"):
            self.settings |= lunasig_mongo.settings_of(self.settings["DATA_DIR"])
        self.process = subprocess.Popen(
            [str(binary()), *arguments], env=self.settings, cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=preexec,
        )  # fmt: skip
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if wait:
            try:
                self.port = int(self.event("listening", timeout=START_SECONDS)["port"])
                wire.TLS.pop(self.port, None)
                if "TLS_CERT_FILE" in self.settings:
                    wire.TLS[self.port] = certificates.trust(self.settings["TLS_CERT_FILE"])
            except BaseException:
                self.kill()
                raise

    def _read(self):
        with open(self.folder / "server.log", "wb") as kept:
            for line in self.process.stdout:
                kept.write(line)
                kept.flush()
                with self.changed:
                    self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                    self.changed.notify_all()
        with self.changed:
            self.reading = False
            self.changed.notify_all()

    # the log

    @property
    def log(self):
        return "\n".join(self.lines)

    def line(self, wanted, start=0, timeout=wire.DEADLINE):
        """Waits for a log line, from number `start` on, for which wanted(line) holds. TimeoutError, also when the server has ended."""
        until = time.monotonic() + timeout
        position = start
        with self.changed:
            while True:
                while position < len(self.lines):
                    if wanted(self.lines[position]):
                        return self.lines[position]
                    position += 1
                left = until - time.monotonic()
                if left <= 0 or not self.reading:
                    raise TimeoutError("no such line in the log:\n" + "\n".join(self.lines[start:][-40:]))
                self.changed.wait(left)

    def event(self, name, start=0, timeout=wire.DEADLINE):
        """Waits for a log line of this event; gives its fields."""

        def wanted(line):
            return line.startswith("{") and json.loads(line).get("event") == name

        return json.loads(self.line(wanted, start, timeout))

    # the process

    def signal(self, number):
        self.process.send_signal(number)

    def alive(self):
        return self.process.poll() is None

    def wait(self, timeout=STOP_SECONDS):
        """The exit status."""
        status = self.process.wait(timeout)
        self.reader.join(5)
        return status

    def end(self, hang_up=True):
        """Stops the server as an operator does, and checks what it leaves behind. hang_up: the clients go first, else it waits for them."""
        for connection in list(wire.OPEN):
            if hang_up and connection.port == self.port:
                connection.close()
        try:
            if self.alive():
                self.signal(signal.SIGTERM)
                try:
                    status = self.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    raise AssertionError(f"no end within {STOP_SECONDS} s of SIGTERM:\n" + "\n".join(self.lines[-20:])) from None
                assert status == 0, f"exit status {status} after SIGTERM:\n" + "\n".join(self.lines[-60:])
            else:
                raise AssertionError(f"the server ended by itself, {self.wait()}:\n" + "\n".join(self.lines[-60:]))
        finally:
            self.kill()
            self.check_log()

    def kill(self):
        if self.alive():
            self.process.kill()
            self.process.wait()
        self.reader.join(5)

    def check_log(self):
        log = self.log
        for report in SANITIZER_REPORTS:
            assert report not in log, log[max(log.find(report) - 200, 0) :][:6000]
        position = secrets.found_in(log)
        assert position < 0, f"a secret is in the log: …{log[max(position - 200, 0) : position + 40]}…"
        lunasig_log.check(self.lines)

    # asking it

    def http(self, method, path, **how):
        return wire.http(self.port, method, path, **how)

    def connect(self, room, user=None, **how):
        return wire.connect(self.port, room, user, **how)

    def join(self, room, user, **how):
        return wire.join(self.port, room, user, **how)

    def gather(self, room, *names, **how):
        return wire.gather(self.port, room, *names, **how)

    def metrics(self):
        """Values of /metrics by name, labels included as they stand there."""
        values = {}
        for line in self.http("GET", "/metrics").body.decode().splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                values[name] = float(value)
        return collections.defaultdict(float, values)


class Policy:
    """A copy of the Lua tree that a test may edit. Needs POLICY_DIR and LUA_DIR of the server set to `folder`."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / "lua"
        shutil.copytree(REPOSITORY / "lua", self.folder)
        self.file = self.folder / "policy.lua"
        self.original = self.file.read_text()
        self.settings = {"POLICY_DIR": self.folder, "LUA_DIR": self.folder}

    def write(self, added=""):
        """The stock policy with these lines behind it."""
        self.file.write_text(f"{self.original}\n{added}\n")

    def reload(self, server, added=None, good=True):
        """Writes, sends SIGHUP, waits until the outcome counts. Gives the number of the first log line of it."""
        if added is not None:
            self.write(added)
        start = len(server.lines)
        name = "lunasig_policy_loads_total" if good else "lunasig_policy_load_failures_total"
        before = server.metrics()[name]
        server.signal(signal.SIGHUP)
        until = time.monotonic() + RELOAD_SECONDS
        while server.metrics()[name] <= before:
            assert time.monotonic() < until, "the reload had no outcome:\n" + "\n".join(server.lines[start:])
        return start
