"""Policies that attack the server they run in: each attack ends in an error with file and line and is counted, other rooms go on, and the
loop is never held for long. The attacks are those of tests/unit/attacks.h."""

import json
import re
import statistics
import threading
import time

import lunasig_figures
import lunasig_server
import pytest

CPU_MS = 20
GAP_SECONDS = CPU_MS / 1000 + 0.050
TRIES = 3
# A version that fails this often would be taken out of force.
SETTINGS = {"POLICY_CPU_MS": CPU_MS, "POLICY_ROLLBACK_ERRORS": "0"}
ATTACKS = (lunasig_server.REPOSITORY / "tests" / "unit" / "attacks.h").read_text()
COUNTERS = ("lunasig_hook_errors_total", "lunasig_hook_cpu_exceeded_total", "lunasig_hook_memory_exceeded_total")


def rows(name):
    """The rows of one list: (what, Lua, what the error says)."""
    body = re.search(rf"#define ATTACKS_{name}\(X\)(.*?)(?:\n\n|\Z)", ATTACKS, re.S)[1]
    body = re.sub(r'"\s*\\\n\s*"', "", body)
    found = re.findall(r'X\("([^"]*)",\s*(?:\\\n\s*)?"([^"]*)",\s*(?:\\\n\s*)?"([^"]*)"\)', body)
    assert len(found) == body.count("X("), f"{name}: a row is written in another way"
    return found


def refused_at_load(row):
    """Attacks that name globals which are not there do not come as far as running."""
    return row[2].startswith("'") or "globals are read-only" in row[2]


def queued_seconds(server):
    """How long the thread of the loop has waited for a processor up to now: on a busy machine that looks like a gap."""
    with open(f"/proc/{server.process.pid}/task/{server.process.pid}/schedstat") as stat:
        return int(stat.read().split()[1]) / 1e9


class Arena:
    """A server with a policy of attacks, somebody who asks for them, and a room next door where two talk all the time."""

    def __init__(self, folder, attacks):
        folder.mkdir()
        self.policy = lunasig_server.Policy(folder)
        self.attacks = attacks
        lines = ["local attacks = {}"]
        lines += [f"attacks[{number}] = function(room, member, message) {lua} end" for number, (_, lua, _) in enumerate(attacks)]
        lines += [
            'require("lunasig").on("message:chat-message", function(room, member, message)',
            "    local attack = attacks[message.payload.attack]",
            "    if attack then attack(room, member, message) end",
            "end)",
        ]
        self.policy.write("\n".join(lines))
        self.first_line = self.policy.file.read_text().splitlines().index(lines[0]) + 2
        (folder / "server").mkdir()
        self.server = lunasig_server.Server(folder / "server", {**self.policy.settings, **SETTINGS})
        self.queued = [0, queued_seconds(self.server)]
        self.waits = []
        self.going = True
        self.fault = None

    def talk(self, cid, dan):
        try:
            number = 0
            while self.going:
                began = time.monotonic()
                cid.send("chat-message", {"content": str(number)})
                dan.expect("chat-message", content=str(number))
                self.waits.append(time.monotonic() - began)
                number += 1
        except BaseException as fault:  # told by the thread that waits for this one
            self.fault = fault

    def run(self):
        """Each attack once, and after it a message that passes. Gives what /metrics counted of each, and what the log said."""
        ann, bob = self.server.gather("attacked", "ann", "bob")
        talking = threading.Thread(target=self.talk, args=self.server.gather("next-door", "cid", "dan"))
        talking.start()
        outcomes = []
        try:
            for number, (what, _, _) in enumerate(self.attacks):
                before, start = self.server.metrics(), len(self.server.lines)
                ann.send("chat-message", {"content": what, "attack": number})
                ann.expect_error("POLICY_ERROR")
                ann.send("chat-message", {"content": "after " + what})
                bob.expect("chat-message", content="after " + what)
                after = self.server.metrics()
                said = self.server.event("hook-failed", start)["error"]
                self.queued.append(queued_seconds(self.server))
                outcomes.append(({name: after[name] - before[name] for name in COUNTERS}, said))
        finally:
            self.going = False
            talking.join()
        assert self.fault is None, f"next door: {self.fault!r}"
        assert len(self.waits) > len(self.attacks) and statistics.median(self.waits) < 0.25, self.waits
        return outcomes

    def gap(self):
        """The longest time that the loop was held, without what it can have waited for a processor meanwhile."""
        queued = max(after - before for before, after in zip(self.queued, self.queued[1:]))
        return round(self.server.metrics()["lunasig_loop_gap_max_seconds"] - queued, 3)


@pytest.fixture
def outcomes_of(tmp_path):
    """outcomes_of(NAME): runs the attacks of a list; the loop was never held for longer than a hook may take and 50 ms."""

    def run(name):
        attacks = [row for row in rows(name) if not refused_at_load(row)]
        gaps = []
        for number in range(TRIES):
            arena = Arena(tmp_path / str(number), attacks)
            try:
                outcomes = arena.run()
                gaps.append(arena.gap())
            finally:
                arena.server.end()
            if lunasig_figures.SANITIZED or gaps[-1] <= GAP_SECONDS:
                break
        lunasig_figures.show(f"{name}: loop held for at most {gaps} s, next door waited at most {max(arena.waits):.3f} s")
        assert lunasig_figures.SANITIZED or min(gaps) <= GAP_SECONDS, f"the loop was held for {gaps} s"
        for row, (counted, said), line in zip(attacks, outcomes, range(arena.first_line, 10**6)):
            assert counted["lunasig_hook_errors_total"] == 1, (row, counted)
            assert said.startswith("policy.lua:"), (row, said)
            # Memory that runs out, and time that runs out while it does, are noticed outside of the line that took them.
            if name != "MEMORY" and "not enough memory" not in said and "error with" not in said:
                assert said.startswith(f"policy.lua:{line}: "), (row, said)
            yield row, counted, said

    return run


def test_each_shape_of_an_endless_loop_is_stopped(outcomes_of):
    outcomes = list(outcomes_of("LOOPS"))
    assert len(outcomes) >= 12
    for row, counted, said in outcomes:
        assert counted["lunasig_hook_cpu_exceeded_total"] == 1, (row, counted)
        assert f"stopped after {CPU_MS} ms of processor time" in said, (row, said)


def test_a_pattern_that_backtracks_is_stopped(outcomes_of):
    for row, counted, said in outcomes_of("PATTERNS"):
        steps = "took more than 4000000 steps" in said
        assert steps or counted["lunasig_hook_cpu_exceeded_total"] == 1, (row, counted, said)


def test_what_takes_more_memory_than_there_is_is_stopped(outcomes_of):
    full = 0
    for row, counted, said in outcomes_of("MEMORY"):
        full += counted["lunasig_hook_memory_exceeded_total"]
        both = counted["lunasig_hook_memory_exceeded_total"] + counted["lunasig_hook_cpu_exceeded_total"]
        assert both == 1, (row, counted, said)
    assert full >= 1


def test_recursion_is_stopped(outcomes_of):
    for row, counted, said in outcomes_of("RECURSIONS"):
        assert row[2] in said or counted["lunasig_hook_cpu_exceeded_total"] == 1, (row, counted, said)


def test_known_ways_out_of_sandboxes_are_closed(outcomes_of):
    for row, counted, said in outcomes_of("WAYS"):
        assert row[2] in said and counted["lunasig_hook_cpu_exceeded_total"] == 0, (row, counted, said)


def test_what_reaches_for_the_server_is_not_even_loaded(tmp_path):
    reaching = [row for row in rows("WAYS") if refused_at_load(row)]
    assert len(reaching) >= 12 and len(rows("WAYS")) >= 40
    policy = lunasig_server.Policy(tmp_path)
    server = lunasig_server.Server(tmp_path, policy.settings)
    try:
        ann, bob = server.gather("room", "ann", "bob")
        for what, lua, wanted in reaching:
            hook = f'require("lunasig").on("message:chat-message", function(room, member, message)\n{lua} end)'
            start = policy.reload(server, hook, good=False)
            line = policy.file.read_text().splitlines().index(f"{lua} end)") + 1
            told = server.line(lambda text, place=f"policy.lua:{line}: ": place in text, start)
            assert wanted in json.dumps(told) or "would be a global" in told, (what, told)
            ann.send("chat-message", {"content": what})
            bob.expect("chat-message", content=what)
    finally:
        server.end()
