"""nginx and HAProxy for the tests, each with the file that conf/ ships: only paths, addresses and ports in it are changed.

Fails, and is never skipped, when one of them cannot be started.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import lunasig_certificates as certificates
import lunasig_client as wire
import lunasig_secrets as secrets

CONF = pathlib.Path(__file__).resolve().parents[2] / "conf"
# What snippets for conf.d/ lie in. Everything that nginx writes goes to the test's folder.
NGINX = """\
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log notice;
events {{ worker_connections 4096; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/lunasig.conf;
}}
"""


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def changed(text, changes):
    """Each of the texts has to be there: a snippet that changes makes the tests look at it again."""
    for before, after in changes.items():
        assert before in text, f"not in the snippet: {before}"
        text = text.replace(before, str(after))
    return text


class Proxy:
    """In front of a server on loopback: https on `port`, http on `plain_port`."""

    def __init__(self, folder, server_port, changes=()):
        self.folder = pathlib.Path(folder)
        self.server_port = server_port
        self.pair = certificates.make(self.folder, "proxy")
        self.port, self.plain_port = free_port(), free_port()
        self.configure(dict(changes))
        assert shutil.which(self.command[0]), f"{self.command[0]} is missing"
        with open(self.folder / "proxy.out", "w") as out:
            # A group of its own: both have processes that outlive a reload.
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        try:
            self.wait_until_it_listens()
        except BaseException:
            self.kill()
            raise
        wire.TLS[self.port] = certificates.trust(self.pair.cert)

    def wait_until_it_listens(self):
        until = time.monotonic() + wire.DEADLINE
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                for port in (self.port, self.plain_port):
                    with socket.create_connection(("127.0.0.1", port), wire.DEADLINE) as found:
                        if found.getsockname() == found.getpeername():  # a port that nobody listens on, connected to itself
                            raise ConnectionRefusedError
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.02)
                raise AssertionError(f"{self.command[0]} does not run: {self.log}")
            assert time.monotonic() < until, f"{self.command[0]} does not listen: {self.log}"

    @property
    def log(self):
        """All that it has written."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")) + [self.folder / "proxy.out"] if path.exists())

    def until_it_says(self, text, times=1, deadline=wire.DEADLINE):
        until = time.monotonic() + deadline
        while self.log.count(text) < times:
            assert time.monotonic() < until, self.log

    def until_ready(self):
        """Asks for /ready until the server is reached."""
        until = time.monotonic() + wire.DEADLINE
        while (answer := wire.http(self.port, "GET", "/ready")).status != 200:
            assert time.monotonic() < until, answer

    def end(self):
        wire.TLS.pop(self.port, None)
        try:
            assert self.process.poll() is None, f"{self.command[0]} ended by itself: {self.log}"
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(wire.DEADLINE)
        finally:
            self.kill()
        log = self.log
        assert secrets.found_in(log) < 0, f"a secret is in the log of {self.command[0]}"

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Nginx(Proxy):
    def configure(self, changes):
        folder = self.folder
        text = changed((CONF / "nginx/lunasig.conf").read_text(), changes | {
            "server 127.0.0.1:8000;": f"server 127.0.0.1:{self.server_port};",
            "    listen [::]:80;\n": "",
            "    listen [::]:443 ssl;\n": "",
            "listen 80;": f"listen 127.0.0.1:{self.plain_port};",
            "listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
            "/etc/letsencrypt/live/signaling.example.com/fullchain.pem": self.pair.cert,
            "/etc/letsencrypt/live/signaling.example.com/privkey.pem": self.pair.key,
            "/var/log/nginx/lunasig.log": folder / "access.log",
            "/var/log/nginx/lunasig-error.log": folder / "error.log",
        })  # fmt: skip
        (folder / "lunasig.conf").write_text(text)
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, user=user))
        self.command = ["nginx", "-e", str(folder / "nginx.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")]

    def reload(self):
        self.process.send_signal(signal.SIGHUP)
        self.until_it_says("gracefully shutting down")  # the old worker


class Haproxy(Proxy):
    def configure(self, changes):
        chain = self.folder / "chain.pem"
        chain.write_bytes(self.pair.cert.read_bytes() + self.pair.key.read_bytes())
        text = changed((CONF / "haproxy/lunasig.cfg").read_text(), changes | {
            "server one 127.0.0.1:8000 check": f"server one 127.0.0.1:{self.server_port} check",
            "bind :80\n": f"bind 127.0.0.1:{self.plain_port}\n",
            "bind :443 ssl": f"bind 127.0.0.1:{self.port} ssl",
            "/etc/haproxy/certs/signaling.example.com.pem": chain,
            "log /dev/log local0": "log stdout format raw local0",
            "    user haproxy\n    group haproxy\n": "",
            "maxconn 20000": "maxconn 1000",  # the tests have fewer descriptors than a service
        })  # fmt: skip
        (self.folder / "haproxy.cfg").write_text(text)
        self.command = ["haproxy", "-W", "-f", str(self.folder / "haproxy.cfg")]

    def reload(self):
        self.until_it_says("Loading success")
        for _ in range(5):  # a signal that comes just before it listens for signals is lost
            self.process.send_signal(signal.SIGUSR2)
            with contextlib.suppress(AssertionError):
                return self.until_it_says("Loading success", 2, wire.DEADLINE / 5)
        raise AssertionError(self.log)


KINDS = {"nginx": Nginx, "haproxy": Haproxy}
