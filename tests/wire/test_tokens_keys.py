"""Tokens that are checked with keys of JWT_KEYS_FILE: which are taken, which are not, and how keys are exchanged while the server runs."""

import hashlib
import hmac
import json
import signal
import time

import jwt
import lunasig_secrets as secrets
import lunasig_server
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from lunasig_client import assert_unauthorized, connect, refused, room_path

SHARED = secrets.confidential("wire-tests-shared-with-a-batch-job-0123456789abcdefghijklmnopqrstuv")


def new_key(alg):
    if alg.startswith("RS"):
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key({"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}[alg]())


def public_pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()  # fmt: skip


def claims(**changes):
    return {"sub": "ann", "exp": int(time.time()) + 600, **changes}


def sign(key, alg, kid=None, body=None, **header):
    names = {"kid": kid} if kid is not None else {}
    return secrets.confidential(jwt.encode(body or claims(), key, algorithm=alg, headers={**names, **header}))


def write_keys(path, *keys):
    path.write_text(json.dumps({"keys": keys}))
    path.chmod(0o600)


KEYS = {alg: new_key(alg) for alg in ("RS256", "RS512", "ES256", "ES384", "ES512")}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    (folder / "keys").mkdir()
    entries = [{"kid": "batch", "alg": "HS512", "secret": SHARED}]
    for alg, key in KEYS.items():
        (folder / "keys" / f"{alg}.pem").write_text(public_pem(key))
        entries.append({"kid": f"app-{alg}", "alg": alg, "file": f"{alg}.pem"})
    write_keys(folder / "keys" / "keys.json", *entries)
    running = lunasig_server.Server(folder, {"JWT_KEYS_FILE": "keys/keys.json"})
    assert running.event("jwt-keys-loaded")["keys"] == 6
    yield running
    running.end()


@pytest.mark.parametrize("alg", KEYS)
def test_a_token_of_each_key_is_taken(server, room, alg):
    ann = connect(server.port, room, token=sign(KEYS[alg], alg, f"app-{alg}"), v1=True)
    assert ann.expect("room-state")["payload"]["self"]["user_id"] == "ann"


def test_a_shared_secret_of_the_file_and_the_key_without_a_name_are_taken_too(server, room):
    assert connect(server.port, room, token=sign(SHARED, "HS512", "batch")).expect("room-state")
    assert connect(server.port, room, token=sign(secrets.SECRET, "HS256")).expect("room-state")


def by_hand(header, signer, body=None):
    parts = [header if isinstance(header, bytes) else json.dumps(header).encode(), json.dumps(body or claims()).encode()]
    message = ".".join(secrets.base64url(part) for part in parts)
    signature = signer(message.encode())
    return secrets.confidential(f"{message}.{secrets.base64url(signature)}")


def mac_with(secret, digest=hashlib.sha256):
    return lambda message: hmac.new(secret if isinstance(secret, bytes) else secret.encode(), message, digest).digest()


def der_signature(message):
    from cryptography.hazmat.primitives import hashes

    return KEYS["ES256"].sign(message, ec.ECDSA(hashes.SHA256()))


def raw_signature(message, width=32):
    r, s = utils.decode_dss_signature(der_signature(message))
    return r.to_bytes(width, "big") + s.to_bytes(width, "big")


def rs(kid="app-RS256", **more):
    return {"alg": "RS256", "kid": kid, **more}


def public_der(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


ES = {"alg": "ES256", "kid": "app-ES256"}
PUBLIC = public_pem(KEYS["RS256"])
ATTACKS = {
    "none": lambda: by_hand({"alg": "none"}, lambda _: b""),
    "none with the kid of a key": lambda: by_hand({"alg": "none", "kid": "app-RS256"}, lambda _: b""),
    "NoNe with a signature": lambda: by_hand({"alg": "NoNe", "kid": "batch"}, mac_with(SHARED)),
    "HS256 with the public key as secret": lambda: by_hand({"alg": "HS256", "kid": "app-RS256"}, mac_with(PUBLIC)),
    "the same without a kid": lambda: by_hand({"alg": "HS256"}, mac_with(PUBLIC)),
    "the same with the DER of the key": lambda: by_hand({"alg": "HS256", "kid": "app-RS256"}, mac_with(public_der(KEYS["RS256"]))),
    "RS256 named, HS256 made": lambda: by_hand(rs(), mac_with(PUBLIC)),
    "RS256 with another key": lambda: sign(new_key("RS256"), "RS256", "app-RS256"),
    "ES256 with another key": lambda: sign(new_key("ES256"), "ES256", "app-ES256"),
    "RS256 with the kid of the ES256 key": lambda: sign(KEYS["RS256"], "RS256", "app-ES256"),
    "ES256 with the kid of the RS256 key": lambda: sign(KEYS["ES256"], "ES256", "app-RS256"),
    "RS512 with the RS256 key": lambda: sign(KEYS["RS256"], "RS512", "app-RS256"),
    "RS256 with the RS512 key": lambda: sign(KEYS["RS512"], "RS256", "app-RS512"),
    "PS256 with the RS256 key": lambda: sign(KEYS["RS256"], "PS256", "app-RS256"),
    "HS256 with the secret for HS512": lambda: sign(SHARED, "HS256", "batch"),
    "no kid": lambda: sign(KEYS["RS256"], "RS256"),
    "the first secret with a kid of the file": lambda: sign(secrets.SECRET, "HS256", "batch"),
    "the first secret with an unknown kid": lambda: sign(secrets.SECRET, "HS256", "unknown"),
    "an unknown kid": lambda: sign(KEYS["RS256"], "RS256", "app-RS2"),
    "a path as kid": lambda: sign(KEYS["RS256"], "RS256", "../keys/RS256.pem"),
    "a path as kid, and an empty secret": lambda: by_hand({"alg": "HS256", "kid": "../../../../dev/null"}, mac_with("")),
    "a long kid": lambda: sign(KEYS["RS256"], "RS256", "app-RS256" * 500),
    "a kid that is a number": lambda: by_hand({"alg": "HS256", "kid": 7}, mac_with(secrets.SECRET)),
    "a kid that is null": lambda: by_hand({"alg": "HS256", "kid": None}, mac_with(secrets.SECRET)),
    "two kids": lambda: by_hand(b'{"alg":"HS512","kid":"batch","kid":"app-RS256"}', mac_with(SHARED, hashlib.sha512)),
    "two algs": lambda: by_hand(b'{"alg":"RS256","kid":"batch","alg":"HS512"}', mac_with(SHARED, hashlib.sha512)),
    "a key in the header": lambda: sign(new_key("ES256"), "ES256", "mine", jwk={"kty": "EC", "crv": "P-256"}),
    "an address of keys in the header": lambda: sign(new_key("RS256"), "RS256", "app-RS256", jku="http://127.0.0.1:1/jwks"),
    "crit": lambda: sign(KEYS["RS256"], "RS256", "app-RS256", crit=["exp"]),
    "another typ": lambda: sign(KEYS["RS256"], "RS256", "app-RS256", typ="logout+jwt"),
    "ES256 in DER": lambda: by_hand(ES, der_signature),
    "ES256 one byte wider": lambda: by_hand(ES, lambda message: raw_signature(message, 33)),
    "ES256 cut": lambda: by_hand(ES, lambda message: raw_signature(message)[:-1]),
    "ES256 of two zeros": lambda: by_hand(ES, lambda _: bytes(64)),
    "ES256 with something behind it": lambda: by_hand(ES, lambda message: raw_signature(message) + b"\0"),
    "a token in a token": lambda: by_hand(
        {"alg": "HS512", "kid": "batch", "cty": "JWT"}, mac_with(SHARED, hashlib.sha512), [sign(SHARED, "HS512", "batch")]
    ),
    "expired": lambda: sign(KEYS["ES256"], "ES256", "app-ES256", claims(exp=int(time.time()) - 120)),
    "exp as a text": lambda: by_hand(ES, raw_signature, claims(exp="9999999999")),
    "a refresh token": lambda: sign(KEYS["ES256"], "ES256", "app-ES256", claims(type="refresh")),
    "too long": lambda: sign(KEYS["RS256"], "RS256", "app-RS256", claims(note="x" * 8000)),
}  # fmt: skip


@pytest.mark.parametrize("kind", ATTACKS)
def test_an_attack_is_401(server, room, kind):
    refusal = refused(server, room_path(room, ATTACKS[kind]()))
    assert_unauthorized(refusal)
    assert refusal.answer.json == {"detail": "Could not validate credentials"}


def test_what_the_attacks_are_made_of_is_taken_where_it_is_right(server, room):
    """Else they might be refused for the way in which the test makes them."""
    assert connect(server.port, room, token=by_hand(ES, raw_signature)).expect("room-state")
    good = by_hand({"alg": "HS512", "kid": "batch"}, mac_with(SHARED, hashlib.sha512))
    assert connect(server.port, room, token=good).expect("room-state")


# rotation


class Rotation:
    """A server whose keys file has one key, and can be written anew."""

    def __init__(self, start_server, folder):
        self.path = folder / "keys.json"
        self.old, self.new = new_key("RS256"), new_key("ES256")
        self.write({"kid": "old", "alg": "RS256", "pem": public_pem(self.old)})
        self.server = start_server(JWT_KEYS_FILE=self.path)

    def write(self, *keys):
        write_keys(self.path, *keys)

    def reload(self, outcome):
        """SIGHUP; gives the log line of the outcome."""
        start = len(self.server.lines)
        self.server.signal(signal.SIGHUP)
        return self.server.event(outcome, start)

    def token(self, which, **changes):
        if which == "old":
            return sign(self.old, "RS256", "old", claims(**changes))
        return sign(self.new, "ES256", "new", claims(**changes))

    def both(self):
        return [
            {"kid": "old", "alg": "RS256", "pem": public_pem(self.old)},
            {"kid": "new", "alg": "ES256", "pem": public_pem(self.new)},
        ]


@pytest.fixture
def rotation(start_server, tmp_path):
    return Rotation(start_server, tmp_path)


def test_sighup_brings_new_keys_and_takes_old_ones_away_and_open_sockets_stay(rotation, room):
    server = rotation.server
    ann = connect(server.port, room, token=rotation.token("old"), v1=True)
    ann.expect("room-state")
    assert_unauthorized(refused(server, room_path(room, rotation.token("new"))))
    rotation.write(*rotation.both())  # first both, so that nobody is refused in between
    assert rotation.reload("jwt-keys-loaded")["keys"] == 2
    for which in ("old", "new"):
        assert connect(server.port, room, token=rotation.token(which, sub=f"{which}-user")).expect("room-state")
    rotation.write(rotation.both()[1])
    assert rotation.reload("jwt-keys-loaded")["keys"] == 1
    assert_unauthorized(refused(server, room_path(room, rotation.token("old"))))
    assert server.metrics()["lunasig_jwt_keys"] == 1
    bob = connect(server.port, room, token=rotation.token("new", sub="bob"), v1=True)
    bob.expect("room-state")
    ann.send("chat-message", {"content": "still here"})
    assert bob.expect("chat-message")["payload"]["content"] == "still here"
    # She stays with another token, but not with another one of the key that is gone.
    ann.send("auth", {"token": rotation.token("old")})
    ann.until("error", code="TOKEN_INVALID")
    ann.send("auth", {"token": rotation.token("new")})
    ann.until("token-refreshed")


def test_a_file_that_is_wrong_leaves_the_keys_and_says_why(rotation, room):
    server = rotation.server
    for text, said in [
        ('{"keys":[', "keys.json: line 1 is not JSON"),
        (json.dumps({"keys": [*rotation.both(), {"kid": "x", "alg": "HS256", "secret": "short"}]}), 'key 3 (kid "x")'),
    ]:
        rotation.path.write_text(text)
        assert said in rotation.reload("jwt-keys-refused")["what"]
        assert connect(server.port, room, token=rotation.token("old")).expect("room-state")
        assert_unauthorized(refused(server, room_path(room, rotation.token("new"))))
    rotation.path.unlink()
    assert "No such file" in rotation.reload("jwt-keys-refused")["what"]
    assert connect(server.port, room, token=rotation.token("old")).expect("room-state")
    assert server.metrics()["lunasig_jwt_keys_failures_total"] == 3
    rotation.write(*rotation.both())
    rotation.reload("jwt-keys-loaded")
    assert connect(server.port, room, token=rotation.token("new")).expect("room-state")


def test_a_socket_stays_open_until_the_end_of_its_token_whatever_became_of_the_key(start_server, tmp_path, room):
    rotation = Rotation(lambda **more: start_server(JWT_LEEWAY_S="0", **more), tmp_path)
    ann = connect(rotation.server.port, room, token=rotation.token("old", exp=int(time.time()) + 3))
    ann.expect("room-state")
    rotation.write(rotation.both()[1])
    rotation.reload("jwt-keys-loaded")
    assert ann.close_code() == 4401


def test_secrets_that_everybody_can_read_are_a_warning_and_no_key_is_in_the_log(start_server, tmp_path):
    key = new_key("ES256")
    secrets.confidential(private_pem(key).splitlines()[1])
    path = tmp_path / "keys.json"
    write_keys(path, {"kid": "a", "alg": "ES256", "pem": private_pem(key)}, {"kid": "b", "alg": "HS512", "secret": SHARED})
    path.chmod(0o644)
    server = start_server(JWT_KEYS_FILE=path)
    assert "everybody on this machine can read the file" in server.event("jwt-keys-warning")["what"]
    path.write_text(path.read_text().replace("HS512", "HS513").replace("-----BEGIN PRIVATE", "-----BEGIN PRIVAT"))
    server.signal(signal.SIGHUP)
    server.event("jwt-keys-refused")


def test_a_server_does_not_start_with_a_keys_file_that_is_wrong(tmp_path):
    (tmp_path / "keys.json").write_text('{"keys":[{"kid":"a","alg":"RS256","file":"nowhere.pem"}]}')
    server = lunasig_server.Server(tmp_path, {"JWT_KEYS_FILE": "keys.json"}, wait=False)
    try:
        assert server.wait(lunasig_server.START_SECONDS) == 3
        assert 'lunasig: keys.json: key 1 (kid "a"): nowhere.pem cannot be read: No such file or directory' in server.log
    finally:
        server.kill()
