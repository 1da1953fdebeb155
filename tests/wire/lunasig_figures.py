"""What a server uses, as the kernel tells it, and how long clients wait. Figures are printed for those who run a test with -s."""

import contextlib
import os
import statistics
import time

import lunasig_client as wire
import lunasig_server

SANITIZED = b"__asan_init" in lunasig_server.binary().read_bytes() or b"__tsan_init" in lunasig_server.binary().read_bytes()
LONG = bool(os.environ.get("LUNASIG_TEST_LONG"))  # figures at full size: minutes, not seconds


def resident_kib(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def cpu_seconds(server):
    """Processor time of all threads of the server up to now."""
    with open(f"/proc/{server.process.pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def show(text):
    print(f"figure: {text}", flush=True)


class Times:
    """How long something took, again and again."""

    def __init__(self, name):
        self.name = name
        self.seconds = []

    @contextlib.contextmanager
    def one(self):
        start = time.monotonic()
        yield
        self.seconds.append(time.monotonic() - start)

    @property
    def median(self):
        return statistics.median(self.seconds)

    def show(self):
        show(f"{self.name}: median {self.median * 1000:.1f} ms, longest {max(self.seconds) * 1000:.1f} ms, of {len(self.seconds)}")


def connects(server, name, count, between=lambda number: None):
    """Joins `count` rooms, one after the other; the times of it."""
    times = Times(name)
    for number in range(count):
        between(number)
        with times.one():
            client = server.join(f"connect-{number}", "ann", source="127.0.0.200")
        client.leave()
    times.show()
    return times


def crowd(server, count, data=b""):
    """That many connections from many addresses, all open at once, each with this much of a request sent."""
    wires = [wire.Wire(server.port, source=f"127.0.{number // 400 + 1}.1") for number in range(count)]
    for one in wires:
        if data:
            one.send(data)
    return wires
