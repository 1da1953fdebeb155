"""How well the server keeps to RFC 6455. run.py [--expect FILE] [--write FILE] [--table FILE] [CASE or GROUP ...]

Starts the server (LUNASIG_BIN, or the newest build), runs each case on a WebSocket of its own, and prints the score. --expect: a case
that does worse than FILE says makes it fail; FILE lists the cases that are not OK. --write: makes FILE anew. --table: all outcomes.
"""

import argparse
import collections
import pathlib
import struct
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "wire"))

import cases  # noqa: E402
import frames  # noqa: E402
import lunasig_client as wire  # noqa: E402
import lunasig_server  # noqa: E402

SETTINGS = {"WEBSOCKET_BAD_FRAMES": "1000000", "WEBSOCKET_ADDRESS_LIMIT": "0", "LOG_LEVEL": "info"}
SECONDS = 3  # for an answer, or the end of the connection
LATE_SECONDS = 0.2  # how long the server may take to notice bad bytes early
RANKS = [cases.FAILED, cases.NON_STRICT, cases.OK]


def write(client, data):
    try:
        client.send_bytes(data)
    except OSError:
        pass  # the server has closed already: what it said is still to be read


def event_of(client, until):
    """The next answer of the server as an event, see cases.py."""
    try:
        frame = client.recv_frame(until - time.monotonic())
    except TimeoutError:
        return ("silence",)
    except wire.Closed:
        return ("end",)
    if frame.opcode == wire.CLOSE:
        return ("close", struct.unpack(">H", frame.data[:2])[0] if frame.data else None)
    if frame.opcode == wire.PONG:
        return ("pong", frame.data)
    return ("error",) if b'"INVALID_JSON"' in frame.data else ("frame", frame.opcode, frame.data[:80])


def is_last(event):
    return event[0] in ("close", "end", "silence")


def collect(client, events, count=None, seconds=SECONDS):
    """Takes events up to the last one, or until there are `count` of them. True: it is over."""
    until = time.monotonic() + seconds
    while count is None or len(events) < count:
        events.append(event_of(client, until))
        if is_last(events[-1]):
            return True
    return False


def run_late(client, case, events):
    """What the server has not refused in time goes on."""
    if not collect(client, events, seconds=LATE_SECONDS) or events[-1] == ("silence",):
        events[-1] = ("late",)
        for data in case.late:
            write(client, data)
        collect(client, events)


def run_case(server, case):
    room = "case-" + case.number.replace(".", "-")
    listener = server.join(room, "listener") if case.relay else None
    client = server.join(room, "client")
    events = []
    for data in case.writes:
        write(client, data)
    if case.late:
        run_late(client, case, events)
        over = True
    else:
        over = collect(client, events, case.answers)
    if listener is not None and not over:
        heard, _ = listener.until("analytics-event", timeout=SECONDS)
        events.append(("relayed", heard["payload"]["data"]))
    if not over:
        write(client, frames.close(1000))
        collect(client, events)
    if events[-1][0] == "close":
        write(client, frames.close(events[-1][1] or 1000))
        ended = event_of(client, time.monotonic() + SECONDS)
        if ended != ("end",):
            events.append(ended)  # section 7.1.1: the server ends TCP first
    for connection in filter(None, (client, listener)):
        connection.wire.close()
    return events


def outcome_of(server, case):
    try:
        events = run_case(server, case)
    except (TimeoutError, AssertionError, OSError, wire.Closed) as failure:
        return cases.FAILED, f"{type(failure).__name__}: {failure}"
    assert server.alive(), f"the server ended in case {case.number}"
    return case.judge(events), " ".join(str(event)[:60] for event in events)


def read_expected(path):
    """Outcomes by number of the cases that are not OK."""
    rows = [line.split("\t") for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {row[0]: row[1] for row in rows}


def write_expected(path, results):
    lines = ["# Cases that are not OK: number, outcome, title, what the server did. Written by run.py --write."]
    lines += ["\t".join((case.number, outcome, case.title, seen)) for case, outcome, seen in results if outcome != cases.OK]
    path.write_text("\n".join(lines) + "\n")


def print_score(results, out):
    counts = collections.Counter((case.number.split(".")[0], outcome) for case, outcome, _ in results)
    print(f"{'group':<26}{'cases':>7}{'OK':>7}{'NON-STRICT':>12}{'FAILED':>8}", file=out)
    totals = collections.Counter()
    for group, name, _ in cases.GROUPS:
        row = [counts[str(group), outcome] for outcome in (cases.OK, cases.NON_STRICT, cases.FAILED)]
        if sum(row):
            totals.update(dict(enumerate(row)))
            print(f"{group:>2} {name:<23}{sum(row):>7}{row[0]:>7}{row[1]:>12}{row[2]:>8}", file=out)
    row = [totals[index] for index in range(3)]
    print(f"{'all':<26}{sum(row):>7}{row[0]:>7}{row[1]:>12}{row[2]:>8}", file=out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option in ("--expect", "--write", "--table"):
        parser.add_argument(option, type=pathlib.Path)
    parser.add_argument("wanted", nargs="*")
    arguments = parser.parse_args()
    wanted = [case for case in cases.all_cases() if not arguments.wanted or {case.number, case.number.split(".")[0]} & set(arguments.wanted)]
    with tempfile.TemporaryDirectory() as folder:
        server = lunasig_server.Server(folder, SETTINGS)
        try:
            results = [(case, *outcome_of(server, case)) for case in wanted]
        finally:
            server.end()
    for case, outcome, seen in results:
        if outcome != cases.OK:
            print(f"{case.number:<7}{outcome:<11}{case.title} (RFC 6455 {case.section}): {seen}")
    print_score(results, sys.stdout)
    if arguments.table:
        with open(arguments.table, "w") as table:
            for case, outcome, seen in results:
                print(case.number, outcome, case.section, case.title, seen, sep="\t", file=table)
            print_score(results, table)
    if arguments.write:
        write_expected(arguments.write, results)
    expected = read_expected(arguments.expect) if arguments.expect else {}
    worse = [case.number for case, outcome, _ in results if arguments.expect and RANKS.index(outcome) < RANKS.index(expected.get(case.number, cases.OK))]
    if worse:
        print("worse than expected:", *worse)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
