"""Holds conf/systemd/lunasig.service: check_conf_service.py PROGRAM

systemd reads it without a complaint and finds it hardened; and a server that starts, serves, reloads and stops, with everything that it
may be asked to do, needs no system call, address family or kind of memory that the unit forbids.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests/wire"))

import lunasig_control  # noqa: E402
import lunasig_server  # noqa: E402

UNIT = REPOSITORY / "conf/systemd/lunasig.service"
PROGRAM_OF_UNIT = "/usr/local/bin/lunasig"
EXPOSURE_MAX = 15  # tenths, as systemd-analyze security counts
CALL = re.compile(r"^\d+ +(\w+)\((.*)")


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)


def values(unit, key):
    """The words of all lines of this key."""
    return [word for line in re.findall(rf"(?m)^{key}=(.*)$", unit) for word in line.split()]


def check_systemd(unit, program, folder):
    """What systemd itself says of it. The program of the unit need not be installed here."""
    copy = folder / UNIT.name
    assert unit.count(PROGRAM_OF_UNIT) == 1, f"{UNIT.name} names {PROGRAM_OF_UNIT} once"
    copy.write_text(unit.replace(PROGRAM_OF_UNIT, str(program)))
    verified = run("systemd-analyze", "verify", "--man=no", str(copy))
    assert verified.returncode == 0 and not verified.stdout, verified.stdout
    judged = run("systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE_MAX}", str(copy))
    assert judged.returncode == 0, judged.stdout[-500:]


def calls_of(group):
    """The system calls of a group of SystemCallFilter=, those of the groups in it included."""
    if not group.startswith("@"):
        return {group}
    listed = run("systemd-analyze", "syscall-filter", group)
    assert listed.returncode == 0, listed.stdout
    words = [line.strip() for line in listed.stdout.splitlines()[1:]]
    return set().union(*(calls_of(word) for word in words if word and not word.startswith("#")))


def allowed_calls(unit):
    allowed = calls_of("@default")
    for line in re.findall(r"(?m)^SystemCallFilter=(.*)$", unit):
        groups = set().union(*(calls_of(word) for word in line.lstrip("~").split()))
        allowed = allowed - groups if line.startswith("~") else allowed | groups
    return allowed


def trace(program, folder):
    """The lines of strace of a server's whole life."""
    report = folder / "strace"
    wrapper = folder / "lunasig"
    # -D: the server has the number of the process that is started, and gets its signals.
    wrapper.write_text(f'#!/bin/sh\nexec strace -D -f -qq -s 32 -o {report} {program} "$@"\n')
    wrapper.chmod(0o755)
    os.environ["LUNASIG_BIN"] = str(wrapper)
    policy = lunasig_server.Policy(folder)
    webhooks = {"WEBHOOK_URL": "http://localhost:9/", "WEBHOOK_SECRET": "tests-only-9876543210-zyxwvutsrqponmlk"}
    server = lunasig_server.Server(folder, {**policy.settings, **webhooks, "CONTROL_SOCKET": folder / "control.sock"})
    try:
        account = {"username": "ann", "email": "ann@example.com", "password": "Good-Password-1"}
        assert server.http("POST", "/auth/register", json_body=account).status == 200
        assert server.http("POST", "/auth/login", json_body=account).status == 200
        assert server.http("GET", "/").status == 200
        ann, bob = server.gather("service", "ann:v1", "bob")
        ann.send("chat-message", {"content": "hello"})
        bob.until("chat-message")
        policy.reload(server, "sig.on('join', function() end)")
        assert lunasig_control.Control(folder / "control.sock").fine("status")
        server.end(hang_up=False)
    finally:
        server.kill()
    return report.read_text().splitlines()


def check_calls(unit, lines):
    allowed = allowed_calls(unit)
    families = set(values(unit, "RestrictAddressFamilies"))
    seen = set()
    for line in lines:
        call = CALL.match(line)
        if not call:
            continue
        name, arguments = call[1], call[2]
        seen.add(name)
        if name == "fchown" and os.geteuid() == 0:
            continue  # SQLite's, when root runs it; the unit does not
        assert name in allowed, f"SystemCallFilter= forbids: {line}"
        # Netlink is what getaddrinfo asks for the kinds of addresses here; refused, it takes all for there.
        if name == "socket" and not arguments.startswith("AF_NETLINK"):
            assert arguments.split(",")[0] in families, f"RestrictAddressFamilies= forbids: {line}"
        if name == "mmap":
            assert not {"PROT_WRITE", "PROT_EXEC"} <= set(re.split(r"[|,\s]+", arguments)), f"MemoryDenyWriteExecute= forbids: {line}"
        if name in ("mprotect", "pkey_mprotect"):
            assert "PROT_EXEC" not in arguments, f"MemoryDenyWriteExecute= forbids: {line}"
    missing = {"mmap", "socket", "epoll_wait", "accept4", "execve"} - seen - {"epoll_wait" if "epoll_pwait" in seen else ""}
    assert not missing, f"the trace is not one of a server: no {missing}"


def main(program):
    unit = UNIT.read_text()
    with tempfile.TemporaryDirectory(prefix="lunasig-service-") as name:
        folder = pathlib.Path(name)
        check_systemd(unit, pathlib.Path(program).resolve(), folder)
        check_calls(unit, trace(pathlib.Path(program).resolve(), folder))


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except AssertionError as failure:
        sys.exit(f"{UNIT.relative_to(REPOSITORY)}: {failure}")
