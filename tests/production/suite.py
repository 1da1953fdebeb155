"""A suite: tests with titles, run one after the other, each told in a line."""

import os
import sys
import time
import traceback

from checks import Failed, Skipped


class Suite:
    def __init__(self, name, title):
        self.name, self.title, self.tests = name, title, []

    def test(self, title):
        """Decorates a test: a function of the world. Its title says what holds when it passes."""

        def add(function):
            self.tests.append((title, function))
            return function

        return add

    def run(self, world, say):
        """The number of tests that passed, failed and were skipped."""
        say(f"\n{self.name}: {self.title}")
        counts = {"passed": 0, "failed": 0, "skipped": 0}
        for title, function in self.tests:
            began = time.monotonic()
            outcome, why = run_one(function, world)
            counts[outcome] += 1
            word = {"passed": "ok", "failed": "FAIL", "skipped": "skip"}[outcome]
            say(f"  {word:<4} {time.monotonic() - began:6.2f} s  {title}")
            for line in why:
                say(f"        {line}")
        return counts


def run_one(function, world):
    """The outcome of a test, and lines that say why."""
    try:
        function(world)
        return "passed", []
    except Skipped as skipped:
        return "skipped", str(skipped).splitlines()
    except Exception as problem:  # a test that breaks has failed, and the next one is run
        return "failed", reasons(problem)
    finally:
        world.hang_up()


def reasons(problem):
    """What went wrong, and in which line of which test."""
    if isinstance(problem, Failed):
        what = str(problem)
    elif isinstance(problem, TimeoutError):
        what = "no answer came in time"
    else:
        what = f"{type(problem).__name__}: {problem}"
    lines = what.splitlines() or [type(problem).__name__]
    folder = os.path.dirname(os.path.abspath(__file__))
    frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if frame.filename.startswith(folder)]
    helpers = ("client.py", "checks.py", "suite.py")
    frames = [frame for frame in frames if os.path.basename(frame.filename) not in helpers] or frames
    lines += [f"in {os.path.relpath(frame.filename)}:{frame.lineno}: {frame.line}" for frame in frames[-2:]]
    return lines


def printer(path=None):
    """A function that prints a line at once, and writes it to a file, too."""
    log = open(path, "a", encoding="utf-8") if path else None

    def say(line=""):
        print(line, flush=True)
        if log:
            print(line, file=log, flush=True)

    sys.stdout.reconfigure(errors="replace")
    return say
