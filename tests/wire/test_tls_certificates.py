"""Certificates that are bad at the start, and certificates that change while the server runs."""

import signal
import socket
import time

import lunasig_certificates as certificates
import lunasig_client as wire
import lunasig_server
import pytest
from cryptography.hazmat.primitives import serialization

NOT_STARTED = 3


@pytest.fixture
def pair(tmp_path):
    return certificates.make(tmp_path)


# -- at the start -------------------------------------------------------------------------------------------------------------------


def refusal(tmp_path, settings):
    """What a server says that does not start."""
    (tmp_path / "refused").mkdir()
    server = lunasig_server.Server(tmp_path / "refused", settings, wait=False)
    assert server.wait(lunasig_server.START_SECONDS) == NOT_STARTED
    return [line for line in server.lines if line.startswith("lunasig: ")][0]


@pytest.mark.parametrize("set_one,other", [("TLS_CERT_FILE", "TLS_KEY_FILE"), ("TLS_KEY_FILE", "TLS_CERT_FILE")])
def test_one_setting_without_the_other_is_told(tmp_path, pair, set_one, other):
    said = refusal(tmp_path, {**pair.settings, other: None})
    assert said == f"lunasig: {set_one} is set and {other} is not: TLS needs both"


@pytest.mark.parametrize("key", ["TLS_CERT_FILE", "TLS_KEY_FILE"])
def test_a_missing_file_is_told(tmp_path, pair, key):
    said = refusal(tmp_path, {**pair.settings, key: "/nowhere/at.pem"})
    assert said == f'lunasig: {key}: cannot read "/nowhere/at.pem": No such file or directory'


@pytest.mark.parametrize("key", ["TLS_CERT_FILE", "TLS_KEY_FILE"])
@pytest.mark.parametrize("text", ["", "no PEM", "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"])
def test_a_file_of_something_else_is_told(tmp_path, pair, key, text):
    (tmp_path / "bad.pem").write_text(text)
    said = refusal(tmp_path, {**pair.settings, key: tmp_path / "bad.pem"})
    assert said.startswith(f"lunasig: {key}: no ") and "(PEM" in said and str(tmp_path / "bad.pem") in said


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_key_that_does_not_match_is_told(tmp_path, pair, kind):
    other = certificates.make(tmp_path, "other", kind, key_number=1)
    said = refusal(tmp_path, {**pair.settings, "TLS_KEY_FILE": other.key})
    assert said == f'lunasig: TLS_KEY_FILE: "{other.key}" is not the key of the certificate in "{pair.cert}"'


def test_a_key_with_a_password_is_told_and_nobody_is_asked_for_it(tmp_path, pair):
    key = certificates.make_key("ec", 0)
    form = serialization.PrivateFormat.PKCS8
    pair.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.BestAvailableEncryption(b"open sesame")))
    assert "without a password" in refusal(tmp_path, pair.settings)


@pytest.mark.parametrize(
    "begin,end,event", [(-9, -1, "tls-certificate-expired"), (1, 9, "tls-certificate-not-yet-valid"), (-1, 9, "tls-certificate-ends-soon")]
)
def test_a_certificate_out_of_its_time_is_used_with_a_warning(start_server, tmp_path, begin, end, event):
    pair = certificates.make(tmp_path, begin_days=begin, end_days=end)
    server = start_server(**pair.settings)
    warning = server.event(event)
    assert warning["level"] == "warning" and abs(warning["ends_at"] - time.time() - end * 86400) < 600
    assert abs(server_end(server) - warning["ends_at"]) < 1


def server_end(server):
    trusting = certificates.trust(None, check=False)
    with wire.Wire(server.port, tls=trusting) as client:
        client.send(wire.request_bytes("GET", "/metrics", {"Connection": "close"}))
        text = wire.read_answer(client).body.decode()
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith("lunasig_tls_certificate_end_seconds "))


# -- while it runs ------------------------------------------------------------------------------------------------------------------


def shown(server):
    """The certificate that a newcomer sees."""
    with socket.create_connection(("127.0.0.1", server.port), wire.DEADLINE) as plain:
        with certificates.trust(None, check=False).wrap_socket(plain) as secure:
            return secure.getpeercert(True)


def der(pair):
    return certificates.ssl.PEM_cert_to_DER_cert(pair.cert.read_text())


@pytest.mark.parametrize("kinds", ["ec ec", "rsa ec", "ec rsa"])
def test_newcomers_see_the_new_certificate_and_who_is_there_stays(start_server, tmp_path, room, kinds):
    first, second = kinds.split()
    pair = certificates.make(tmp_path, "first", first)
    renewed = certificates.make(tmp_path, "second", second, key_number=2)
    server = start_server(**pair.settings)
    ann, bob = server.gather(room, "ann", "bob")
    assert shown(server) == der(pair)
    renewed.copy_to(pair)
    start = len(server.lines)
    server.signal(signal.SIGHUP)
    server.event("tls-certificate", start)
    wire.TLS[server.port] = certificates.trust(pair.cert)
    for _ in range(3):
        assert shown(server) == der(renewed)
    server.join(room, "cid")
    for client in (ann, bob):
        client.until("user-joined", user_id="cid")
    ann.send("chat-message", {"content": "still here"})
    bob.expect("chat-message", content="still here")


def test_a_bad_pair_keeps_the_old_one_and_is_told(start_server, tmp_path, pair, room):
    other = certificates.make(tmp_path, "other", key_number=1)
    server = start_server(**pair.settings)
    ann, bob = server.gather(room, "ann", "bob")
    good, key = der(pair), pair.key.read_bytes()
    for spoil, word in (
        (lambda: pair.key.write_bytes(other.key.read_bytes()), "is not the key"),
        (lambda: pair.key.unlink(), "cannot read"),
        (lambda: pair.cert.write_text("half a fi"), "no certificate"),
    ):
        spoil()
        start = len(server.lines)
        server.signal(signal.SIGHUP)
        failed = server.event("tls-reload-failed", start)
        assert failed["level"] == "error" and word in failed["message"]
        assert shown(server) == good
        pair.key.write_bytes(key)
    server.join(room, "cid")
    ann.until("user-joined", user_id="cid")
    bob.until("user-joined", user_id="cid")


def test_a_handshake_that_is_under_way_survives_a_reload(start_server, tmp_path, pair):
    renewed = certificates.make(tmp_path, "second", "rsa", key_number=2)
    server = start_server(**pair.settings)
    context = certificates.trust(None, check=False)
    for _ in range(20):
        incoming, outgoing = certificates.ssl.MemoryBIO(), certificates.ssl.MemoryBIO()
        client = context.wrap_bio(incoming, outgoing)
        with socket.create_connection(("127.0.0.1", server.port), wire.DEADLINE) as plain:
            with pytest.raises(certificates.ssl.SSLWantReadError):
                client.do_handshake()
            plain.sendall(outgoing.read())
            incoming.write(plain.recv(65536))  # its first flight is there: the certificate has been chosen
            renewed.copy_to(pair)
            start = len(server.lines)
            server.signal(signal.SIGHUP)
            server.event("tls-certificate", start)
            while True:
                try:
                    client.do_handshake()
                    break
                except certificates.ssl.SSLWantReadError:
                    incoming.write(plain.recv(65536))
            plain.sendall(outgoing.read())
            client.write(wire.request_bytes("GET", "/live"))
            plain.sendall(outgoing.read())
            incoming.write(plain.recv(65536))
            assert client.read(4096).startswith(b"HTTP/1.1 200 ")


# -- lunasig check ------------------------------------------------------------------------------------------------------------------


def test_check_looks_at_the_pair_too(tmp_path, pair):
    def check(name, settings):
        (tmp_path / name).mkdir()
        checked = lunasig_server.Server(tmp_path / name, settings, wait=False, arguments=("check",))
        return checked.wait(lunasig_server.START_SECONDS), checked.lines[-1]

    status, said = check("good", pair.settings)
    assert status == 0 and said.startswith("fine: ")
    status, said = check("bad", {**pair.settings, "TLS_KEY_FILE": pair.cert})
    assert status == NOT_STARTED and said.startswith("TLS_KEY_FILE: no private key (PEM")
