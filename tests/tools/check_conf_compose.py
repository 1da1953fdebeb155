"""Holds conf/docker/compose.yaml and what lies beside it where no container engine is at hand: check_conf_compose.py PROGRAM

It has the shape of the compose specification, and asks for what has no default; its secrets are those that make-secrets makes, and none of
them stands in an environment; Lunasig knows every setting, and takes all values; the scripts of redis and coturn start both.
"""

import base64
import hashlib
import hmac
import ipaddress
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import yaml

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests/wire"))

import lunasig_turn  # noqa: E402

FOLDER = REPOSITORY / "conf/docker"
COMPOSE = FOLDER / "compose.yaml"
HOST = "signaling.example.com"
NAME = "name: lunasig\n"
DEADLINE = 10


def run(*command, **how):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, **how)


def fine(*command, **how):
    done = run(*command, **how)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stdout[-2000:]}"
    return done.stdout


def check_shape(text, folder):
    """By the schema that Debian's docker-compose has; it asks no engine. `name` is younger than it."""
    assert text.count(NAME) == 1
    (folder / "compose.yaml").write_text(text.replace(NAME, ""))
    command = ("docker-compose", "-f", str(folder / "compose.yaml"), "config", "-q")
    fine(*command, env={"PATH": "/usr/bin:/bin", "LUNASIG_HOST": HOST})
    refused = run(*command, env={"PATH": "/usr/bin:/bin"})
    assert refused.returncode != 0 and "set it to the name" in refused.stdout, f"starts without LUNASIG_HOST: {refused.stdout}"


def check_services(compose):
    for name, service in compose["services"].items():
        image = service["image"]
        assert "build" in service or re.search(r":\d", image), f"{name}: {image} has no version"
        assert "no-new-privileges:true" in service["security_opt"], name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name}: {port} is open to everybody"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (FOLDER / source).is_file(), f"{name}: {source} is nowhere"
        for secret in service.get("secrets", []):
            assert secret in compose["secrets"], f"{name}: no secret {secret}"
    build = compose["services"]["lunasig"]["build"]
    assert (FOLDER / build["context"]).resolve() == REPOSITORY and (REPOSITORY / build["dockerfile"]).is_file()
    used = {secret for service in compose["services"].values() for secret in service.get("secrets", [])}
    assert used == set(compose["secrets"]), "a secret that nobody uses"


def make_secrets(compose, folder):
    """Runs make-secrets on a copy, twice; what it makes is what the file names."""
    for file in ("make-secrets", "turnserver.conf"):
        shutil.copy(FOLDER / file, folder)
    fine(str(folder / "make-secrets"))
    made = {path.name: path.read_text() for path in (folder / "secrets").iterdir()}
    fine(str(folder / "make-secrets"))
    assert made == {path.name: path.read_text() for path in (folder / "secrets").iterdir()}, "the second run changed something"
    assert {name: f"./secrets/{name}" for name in made} == {name: secret["file"] for name, secret in compose["secrets"].items()}
    assert all(len(text.strip()) >= 32 for text in made.values()) and len(set(made.values())) == len(made)
    assert made["mongo_password"].strip() in made["mongodb_url"] and made["redis_password"].strip() in made["redis_url"]
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700


def local(text, folder):
    """With the places of a container in the folder. $$ is compose's $."""
    places = {"/run/secrets/": "secrets", "/tmp/": "tmp", "/etc/coturn/": "etc"}
    for name in places.values():
        (folder / name).mkdir(exist_ok=True)
    text = re.sub("|".join(places), lambda place: f"{folder}/{places[place[0]]}/", text)
    return text.replace("$$", "$").replace("${LUNASIG_HOST:?set it to the name that clients reach this machine by}", HOST)


def check_settings(compose, program, folder):
    environment = compose["services"]["lunasig"]["environment"]
    rows = re.findall(r"(?m)^\| `(\w+)` \| (\w+)[^|]*\|[^|]*\|[^|]*\|([^|]*)\|", fine(program, "config", "--defaults", "--markdown"))
    known = {key: kind for key, kind, _ in rows} | {f"{key}_FILE": "path" for key, kind, _ in rows if kind == "secret"}
    for key in environment:
        assert key in known, f"{key} is no setting"
        assert known[key] != "secret", f"{key}: a secret stands in a file ({key}_FILE)"
    values = {key: local(str(value), folder) for key, value in environment.items()}
    shown = fine(program, "config", "--effective", env={"PATH": "/usr/bin:/bin", "DATA_DIR": str(folder / "data"), **values}, cwd=folder)
    assert not re.search(r"(?m)^(environment|\S+:\d+):", shown), shown  # warnings
    assert f"WEBRTC_TURN_URLS=turn:{HOST}:3478" in shown
    (network,) = compose["networks"]["front"]["ipam"]["config"]
    assert environment["TRUSTED_PROXIES"] == network["gateway"]
    assert ipaddress.ip_address(network["gateway"]) in ipaddress.ip_network(network["subnet"])


def script_of(words, folder):
    assert words[:2] == ["sh", "-euc"] and len(words) == 3, words
    fine("shellcheck", "--shell=sh", "--severity=style", "-", input=words[2].replace("$$", "$"))
    return local(words[2], folder)


def check_coturn(service, folder):
    """coturn takes the configuration, and the credentials that Lunasig makes; it relays to no private address."""
    script = script_of(service["entrypoint"], folder)
    port = lunasig_turn.free_port()
    text = (folder / "turnserver.conf").read_text()
    assert "\nlistening-port=3478\n" in text and "\nstatic-auth-secret" not in text, "turnserver.conf"
    here = f"listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\ndb={folder}/turndb\n"
    (folder / "etc/lunasig.conf").write_text(text.replace("listening-port=3478\n", f"listening-port={port}\n{here}"))
    secret = (folder / "secrets/turn_secret").read_text().strip()
    user = f"{int(time.time()) + 600}:ann"
    password = base64.b64encode(hmac.new(secret.encode(), user.encode(), hashlib.sha1).digest()).decode()
    with open(folder / "coturn.out", "w+") as out:
        process = subprocess.Popen(["sh", "-euc", script], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            code = lunasig_turn.allocate(port, user, password)
            assert code == 200, f"coturn answers {code}"
            assert lunasig_turn.allocate(port, user, "wrong") == 401
        except TimeoutError as failure:
            raise AssertionError(f"coturn: {(folder / 'coturn.out').read_text()[-2000:]}") from failure
        finally:
            process.terminate()
            process.wait(DEADLINE)
    told = (folder / "coturn.out").read_text()
    assert not re.search(r"(?i)bad configuration|unrecognized|unknown", told), told


def ask_redis(port, *commands):
    """The first line of each answer; redis may not listen yet."""
    until = time.monotonic() + DEADLINE
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), DEADLINE) as wire:
                if wire.getsockname() == wire.getpeername():  # nobody listens, and the kernel chose this port: TCP connects it to itself
                    raise ConnectionRefusedError
                lines = wire.makefile("rw", newline="\r\n")
                answers = []
                for command in commands:
                    lines.write(command + "\r\n")
                    lines.flush()
                    answers.append(lines.readline().strip())
                return answers
        except ConnectionRefusedError:
            assert time.monotonic() < until, "redis does not listen"


def check_redis(service, folder):
    """The configuration that the script writes asks for the password."""
    script = script_of(service["command"], folder)
    port = lunasig_turn.free_port()
    password = (folder / "secrets/redis_password").read_text().strip()
    process = subprocess.Popen(["sh", "-euc", f"{script.strip()} --bind 127.0.0.1 --port {port}"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        refused, taken, answered = ask_redis(port, "PING", f"AUTH {password}", "PING")
        assert refused.startswith("-NOAUTH") and (taken, answered) == ("+OK", "+PONG"), (refused, taken, answered)
    finally:
        process.terminate()
        process.wait(DEADLINE)


def main(program):
    program = pathlib.Path(program).resolve()
    text = COMPOSE.read_text()
    compose = yaml.safe_load(text)
    with tempfile.TemporaryDirectory(prefix="lunasig-compose-") as name:
        folder = pathlib.Path(name)
        check_shape(text, folder)
        check_services(compose)
        make_secrets(compose, folder)
        check_settings(compose, program, folder)
        check_coturn(compose["services"]["coturn"], folder)
        check_redis(compose["services"]["redis"], folder)
    fine("shellcheck", str(FOLDER / "make-secrets"))


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except AssertionError as failure:
        sys.exit(f"{COMPOSE.relative_to(REPOSITORY)}: {failure}")
