"""Runs the commands that the docs show. check_docs_commands.py PROGRAM

A fenced block that begins with ```sh test is run by bash, stopping at the first command that fails. A block ```text shown right behind
it lists lines that its output must have, … standing for anything. A block ```lua FILE is written to that file, ```lua +FILE is appended to
it. The blocks of a page run in order, in one folder of their own that has
lua/ and examples/ of the repository in it, with `lunasig` on the PATH and a server that was started there with GUESTS=on; localhost:8000
in the text means that server, localhost:8001 its admin API, whose key is $ADMIN_KEY, and `pidof lunasig` its process.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 30
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.M | re.S)


def blocks_of(page):
    """[line, commands, lines that must be shown or None, file or None] of each block to run, or to write to the file."""
    text = page.read_text()
    found = [(match.start(), match[1].strip(), match[2]) for match in BLOCK.finditer(text)]
    runs = []
    for start, kind, body in found:
        line = text.count("\n", 0, start) + 1
        if kind == "sh test":
            runs.append([line, body, None, None])
        elif kind.startswith("lua "):
            runs.append([line, body, None, kind.removeprefix("lua ")])
        elif kind == "text shown" and runs:
            runs[-1][2] = body.splitlines()
    return runs


@contextlib.contextmanager
def server(program, folder, environment):
    """A server in folder/ on ports that the system chose; yields pid, port, and the admin API's port."""
    log = folder / "server.log"
    with open(log, "wb") as kept:
        process = subprocess.Popen(
            [program, "serve"], cwd=folder, stdout=kept, stderr=subprocess.STDOUT,
            env={**environment, "PORT": "0", "HOST": "127.0.0.1", "GUESTS": "on", "LOG_FORMAT": "json", "ADMIN_PORT": "0"},
        )  # fmt: skip
    try:
        port = wait_for_port(process, log)
        yield process.pid, port, port_of("admin-listening", log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0, f"the server ended with {process.returncode}: {log.read_text()}"
    finally:
        process.kill()
        process.wait()


def port_of(event, log):
    """The port that a line of the log names; None: there is no such line yet."""
    for line in log.read_text().rpartition("\n")[0].splitlines():
        if line.startswith("{") and json.loads(line).get("event") == event:
            return int(json.loads(line)["port"])
    return None


def wait_for_port(process, log):
    until = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
        if port := port_of("listening", log):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=SECONDS) as answer:
                assert answer.status == 200
            return port
    raise AssertionError(f"the server did not start: {log.read_text()}")


def missing_line(shown, output):
    for line in shown or []:
        pattern = ".*".join(re.escape(part) for part in line.split("…"))
        if not re.search(f"^{pattern}$", output, re.M):
            return line
    return None


def write(folder, name, text):
    """A name that begins with + is appended to, behind an empty line."""
    file = folder / name.removeprefix("+")
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_text() + "\n" if name.startswith("+") else ""
    file.write_text(before + text)


def run_page(page, program):
    """The number of blocks that ran; AssertionError for the first that failed."""
    runs = blocks_of(page)
    if not runs:
        return 0
    with tempfile.TemporaryDirectory(prefix="lunasig-docs-") as name:
        folder = pathlib.Path(name)
        tools = folder / "bin"
        tools.mkdir()
        (folder / "build/release").mkdir(parents=True)
        for place in (tools, folder / "build/release"):
            (place / "lunasig").symlink_to(program)
        for tree in ("lua", "examples"):
            shutil.copytree(REPOSITORY / tree, folder / tree)
        environment = {
            "PATH": f"{tools}:{os.environ['PATH']}", "HOME": name, "DATA_DIR": str(folder / "data"),
            "POLICY_DIR": str(folder / "lua"), "LUA_DIR": str(folder / "lua"),
            "ADMIN_KEY": "docs-only-9876543210-zyxwvutsrqponmlk",
        }  # fmt: skip
        environment.update({key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")})
        with server(program, folder, environment) as (pid, port, admin_port):
            (tools / "pidof").write_text(f"#!/bin/sh\necho {pid}\n")
            (tools / "pidof").chmod(0o755)
            for line, commands, shown, file in runs:
                if file:
                    write(folder, file, commands)
                    continue
                done = subprocess.run(
                    ["bash", "-euo", "pipefail", "-c", commands.replace("localhost:8000", f"localhost:{port}").replace("localhost:8001", f"localhost:{admin_port}")],
                    cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS,
                )  # fmt: skip
                place = f"{page.relative_to(REPOSITORY)}:{line}"
                assert done.returncode == 0, f"{place}: status {done.returncode}\n{commands}\n{done.stdout}"
                absent = missing_line(shown, done.stdout)
                assert absent is None, f"{place}: not shown: {absent}\n{commands}\n{done.stdout}"
    return len(runs)


def main(program):
    program = pathlib.Path(program).resolve()
    total = 0
    for page in [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]:
        total += run_page(page, program)
    print(f"{total} blocks ran")
    return 0 if total else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except AssertionError as failure:
        sys.exit(str(failure))
