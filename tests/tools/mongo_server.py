"""A MongoDB-compatible server for tests: mongod where there is one, else build/mongo/ferretdb (scripts/lib/mongo.sh).

mongo_server.py: prints `URI PID` when it serves, and ends it when its standard input ends. Status 77 where there is none,
1 if CI=true then."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

FERRETDB = pathlib.Path(__file__).resolve().parents[2] / "build" / "mongo" / "ferretdb"
MISSING = "there is neither mongod nor build/mongo/ferretdb, which scripts/test builds"
START_SECONDS = 60
HANG_SECONDS = 10
SKIPPED = 77
ATTEMPTS = 5


def is_there():
    return shutil.which("mongod") is not None or FERRETDB.exists()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


class MongoServer:
    """Runs until end(). Killed or ended, start() runs it again with the same data and address."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="lunasig-mongo-")
        self.process = None
        for attempt in range(ATTEMPTS):
            self.port = free_port()  # another process may take it first
            try:
                self.start()
                break
            except RuntimeError:
                if attempt == ATTEMPTS - 1:
                    shutil.rmtree(self.folder, ignore_errors=True)
                    raise
        self.uri = f"mongodb://127.0.0.1:{self.port}/"

    def start(self):
        mongod = shutil.which("mongod")
        if mongod:
            command = [mongod, "--quiet", "--bind_ip", "127.0.0.1", "--port", str(self.port), "--dbpath", self.folder, "--unixSocketPrefix", self.folder]
        else:
            command = [str(FERRETDB), f"127.0.0.1:{self.port}", self.folder]
        path = pathlib.Path(self.folder, "log")
        with open(path, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS
        # What it says itself: on its port, another server might answer.
        while (b"Waiting for connections" if mongod else b"mongodb://") not in path.read_bytes():
            if self.process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise RuntimeError(path.read_text(errors="replace")[-2000:])
            wait_a_bit(self.process)

    def hang(self):
        """Stops it, and waits until all its threads have stopped: on a busy machine some answer a moment longer."""
        self.process.send_signal(signal.SIGSTOP)
        until = time.monotonic() + HANG_SECONDS
        while not all(state == "T" for state in self.states()):
            assert time.monotonic() < until, "it did not stop"
            wait_a_bit(self.process)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def states(self):
        for path in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/stat"):
            with contextlib.suppress(FileNotFoundError):  # that thread has ended
                yield path.read_text().rpartition(")")[2].split()[0]

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def end(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def wait_a_bit(process):
    """Until it ends, but not long."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(0.02)


def main():
    if not is_there():
        print(MISSING, file=sys.stderr)
        return 1 if os.environ.get("CI") == "true" else SKIPPED
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = MongoServer()
    try:
        print(server.uri, server.process.pid, flush=True)
        sys.stdin.read()
    finally:
        server.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
