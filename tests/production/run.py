"""Runs suites against a server: run.py [--auto] [--log FILE] URL SUITE...

SUITE: simple, production, complete, manual, or all. --auto: nobody is asked anything. The status is 0 when all tests
passed, 1 when one failed, 2 when the command line is wrong, and 3 when the server is not there or not healthy.
JWT_SECRET_KEY, if it is set, is the server's: tests that make tokens of their own are skipped without it."""

import os
import sys
import time

import client
from checks import Failed
from suite import printer

SUITES = ("simple", "production", "complete", "manual")
HEALTH_SECONDS = 10


def healthy(target):
    """What the server says about its health. Raises Failed when it does not say in time that it is healthy."""
    until, why = time.monotonic() + HEALTH_SECONDS, "it does not answer"
    while True:
        try:
            answer = target.http("GET", "/health")
            if answer.status == 200 and answer.json.get("status") == "healthy":
                return answer.json
            why = f"GET /health: {answer.status} {answer.body[:300]!r}"
        except (OSError, ValueError, client.Closed, AssertionError) as problem:
            why = str(problem) or type(problem).__name__
            if isinstance(problem, (ConnectionRefusedError, OSError)) and not isinstance(problem, TimeoutError):
                break  # nobody listens there: it does not become better by waiting
        if time.monotonic() > until:
            break
    raise Failed(f"the server at {target.url} is not healthy: {why}")


def chosen(names):
    import complete
    import manual
    import production
    import simple

    known = {"simple": [simple.SUITE], "production": production.SUITES, "complete": complete.SUITES, "manual": [manual.SUITE]}
    return [suite for name in (SUITES if "all" in names else names) for suite in known[name]]


def arguments(words):
    """(auto, log, url, suites). Raises ValueError."""
    auto, log, left, words = False, None, [], list(words)
    while words:
        word = words.pop(0)
        if word == "--auto":
            auto = True
        elif word == "--log":
            if not words:
                raise ValueError("--log needs a file")
            log = words.pop(0)
        elif word.startswith("-"):
            raise ValueError(f"there is no option {word}")
        else:
            left.append(word)
    unknown = [name for name in left[1:] if name not in (*SUITES, "all")]
    if unknown or len(left) < 2:
        raise ValueError(f"there is no suite {unknown[0]}" if unknown else "a URL and a suite are needed")
    return auto, log, left[0], left[1:]


def main(words):
    try:
        auto, log, url, names = arguments(words)
        target = client.Target(url)
    except ValueError as problem:
        print(f"run.py: {problem}\n{__doc__}", file=sys.stderr)
        return 2
    say = printer(log)
    world = client.World(target, os.environ.get("JWT_SECRET_KEY"))
    world.auto, world.say = auto, say
    try:
        health = healthy(target)
    except Failed as problem:
        say(f"FAIL  {problem}")
        return 3
    say(f"server: {target.url}, " + ", ".join(f"{name} {value}" for name, value in health.items()))
    say(f"users and rooms of this run have {world.run} in their names")
    began, total = time.monotonic(), {"passed": 0, "failed": 0, "skipped": 0}
    for suite in chosen(names):
        for outcome, count in suite.run(world, say).items():
            total[outcome] += count
    say(f"\n{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped in {time.monotonic() - began:.1f} s")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
