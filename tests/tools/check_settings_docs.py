"""Holds docs/settings.md and conf/lunasig.env.example against the table of settings in the program, and starts a server with
the example.

check_settings_docs.py PROGRAM [--update]
"""

import pathlib
import re
import signal
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = REPOSITORY / "docs/settings.md"
EXAMPLE = REPOSITORY / "conf/lunasig.env.example"
SECONDS = 30
TABLE_START = "| key |"
EXAMPLE_START = """\
# Settings of Lunasig, each with its default. Take away the # in front of a key to change it.
# Use: lunasig serve -c FILE; or copy it to ./.env where the server starts. docs/settings.md says more.
# For a server that others reach: JWT_SECRET_KEY, TRUSTED_PROXIES behind a proxy, CORS_ORIGINS, and WEBRTC_TURN_URLS with
# WEBRTC_TURN_SECRET. A secret may stand in a file of its own: JWT_SECRET_KEY_FILE=/run/secrets/jwt

"""
# The headings, by the key that each stands before.
GROUPS = {
    "HOST": "Where it listens, and where its files are",
    "LOG_LEVEL": "Log",
    "REDIS_URL": "Redis: not used by this version, which says so at the start",
    "JWT_SECRET_KEY": "Tokens",
    "AUTH_REGISTRATION": "Accounts",
    "CORS_ORIGINS": "Who may come, and from where",
    "WEBRTC_STUN_URLS": "What clients are told about STUN and TURN",
    "WEBRTC_MAX_PARTICIPANTS_PER_ROOM": "Bounds of rooms and connections",
    "RESUME_WINDOW_S": "Connections that break and come back, restarts",
    "WEBSOCKET_BAD_FRAMES": "Bad clients",
    "CONTROL_SOCKET": "Operators: lunasig ctl, the admin API",
    "WEBHOOK_URL": "Webhooks",
    "DATABASE_NAME": "MongoDB",
    "POLICY_CPU_MS": "Policies: bounds, loading, versions",
}


def output_of(program, *arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True, timeout=60).stdout


def example_of(defaults):
    """The defaults as comments, each group below a heading."""
    entries = re.split(r"(?m)^(?=# )", re.sub(r"(?m)^([A-Z])", r"#\1", defaults))
    for key, title in GROUPS.items():
        (place,) = [number for number, entry in enumerate(entries) if re.search(rf"(?m)^#{key}=", entry)]
        entries[place] = f"# ---- {title}\n\n{entries[place]}"
    return EXAMPLE_START + "".join(entries)


def check_start(program):
    """A server takes the file as it is, and with every default written out, without a warning."""
    text = EXAMPLE.read_text()
    with tempfile.TemporaryDirectory(prefix="lunasig-settings-") as name:
        for number, version in enumerate((text, re.sub(r"(?m)^#(?=[A-Z_]+=)", "", text))):
            file = pathlib.Path(name) / f"{number}.env"
            file.write_text(version)
            environment = {"PATH": "/usr/bin:/bin", "DATA_DIR": f"{name}/data", "PORT": "0"}
            server = subprocess.Popen([program, "serve", "-c", file], stderr=subprocess.PIPE, text=True, cwd=name, env=environment)
            lines = []
            try:
                for line in server.stderr:  # ends when the server does
                    lines.append(line)
                    if " listening " in line:
                        server.send_signal(signal.SIGTERM)
                status = server.wait(SECONDS)
            finally:
                server.kill()
                server.wait()
            told = "".join(lines)
            assert status == 0 and " listening " in told, f"{EXAMPLE.name}: a server does not start with it:\n{told}"
            assert str(file) not in told, f"{EXAMPLE.name}: a warning:\n{told}"


def wanted(program):
    intro = REFERENCE.read_text().partition(TABLE_START)[0]
    defaults = output_of(program, "config", "--defaults")
    return {
        REFERENCE: intro + output_of(program, "config", "--defaults", "--markdown"),
        EXAMPLE: example_of(defaults),
    }


def main(program, *options):
    program = str(pathlib.Path(program).resolve())
    stale = []
    for path, text in wanted(program).items():
        if options == ("--update",):
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(path.relative_to(REPOSITORY))
    for path in stale:
        print(f"{path} is not what the program says; tests/tools/check_settings_docs.py PROGRAM --update", file=sys.stderr)
    if not stale:
        check_start(program)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
