"""Tokens: which are taken and which are not, whatever their place is."""

import time

import lunasig_secrets as secrets
import pytest
from lunasig_client import assert_unauthorized, connect, handshake_headers, refused, room_path
from lunasig_secrets import make_token

HS256 = {"alg": "HS256", "typ": "JWT"}


def claims(**changes):
    now = int(time.time())
    every = {"sub": "ann", "iat": now, "exp": now + 600, **changes}
    return {k: v for k, v in every.items() if v is not None}


def rs256_token():
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = rsa.generate_private_key(65537, 2048)
    signed, _, _ = secrets.sign({"alg": "RS256", "typ": "JWT"}, claims()).rpartition(".")
    signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return secrets.confidential(f"{signed}.{secrets.base64url(signature)}")


def unsigned_token():
    return secrets.sign({"alg": "none", "typ": "JWT"}, claims()).rpartition(".")[0] + "."


def twisted_token():
    """The last character of the signature holds bits that mean nothing: another one there is not the same token."""
    token = secrets.sign(HS256, claims())
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 4]


BAD_TOKENS = {
    "expired": lambda: secrets.sign(HS256, claims(exp=int(time.time()) - 120)),
    "no exp": lambda: secrets.sign(HS256, claims(exp=None)),
    "exp is a string": lambda: secrets.sign(HS256, claims(exp=str(int(time.time()) + 600))),
    "exp is null": lambda: secrets.sign(HS256, b'{"sub":"ann","exp":null}'),
    "exp twice": lambda: secrets.sign(HS256, f'{{"sub":"ann","exp":1,"exp":{int(time.time()) + 600}}}'.encode()),
    "exp is negative": lambda: secrets.sign(HS256, claims(exp=-1)),
    "not yet valid": lambda: secrets.sign(HS256, claims(nbf=int(time.time()) + 600)),
    "made in the future": lambda: secrets.sign(HS256, claims(iat=int(time.time()) + 600, exp=int(time.time()) + 1200)),
    "wrong key": lambda: secrets.sign(HS256, claims(), secret="another-key-that-is-also-long-enough-for-hs256"),
    "signature changed": twisted_token,
    "no signature": lambda: secrets.sign(HS256, claims()).rpartition(".")[0] + ".",
    "two parts": lambda: secrets.sign(HS256, claims()).rpartition(".")[0],
    "four parts": lambda: secrets.sign(HS256, claims()) + ".AAAA",
    "alg none": unsigned_token,
    "alg none with a signature": lambda: secrets.sign({"alg": "none", "typ": "JWT"}, claims()),
    "alg in small letters": lambda: secrets.sign({"alg": "hs256", "typ": "JWT"}, claims()),
    "no alg": lambda: secrets.sign({"typ": "JWT"}, claims()),
    "HS512": lambda: secrets.sign({"alg": "HS512", "typ": "JWT"}, claims(), digest="sha512"),
    "HS384": lambda: secrets.sign({"alg": "HS384", "typ": "JWT"}, claims(), digest="sha384"),
    "RS256": rs256_token,
    "crit": lambda: secrets.sign({**HS256, "crit": ["exp"]}, claims()),
    "refresh token": lambda: secrets.sign(HS256, claims(type="refresh")),
    "type of something else": lambda: secrets.sign(HS256, claims(type="reset")),
    "type is no string": lambda: secrets.sign(HS256, claims(type=7)),
    "no sub": lambda: secrets.sign(HS256, claims(sub=None)),
    "sub is empty": lambda: secrets.sign(HS256, claims(sub="")),
    "sub is a number": lambda: secrets.sign(HS256, claims(sub=7)),
    "sub of 129 bytes": lambda: secrets.sign(HS256, claims(sub="a" * 129)),
    "sub has braces": lambda: secrets.sign(HS256, claims(sub="a{b}")),
    "sub has a control character": lambda: secrets.sign(HS256, claims(sub="a\x07b")),
    "sub has a NUL": lambda: secrets.sign(HS256, claims(sub="ann\x00x")),
    "sub twice": lambda: secrets.sign(HS256, f'{{"sub":"a","sub":"b","exp":{int(time.time()) + 600}}}'.encode()),
    "claims are a list": lambda: secrets.sign(HS256, b"[1]"),
    "claims are no JSON": lambda: secrets.sign(HS256, b"{"),
    "too long": lambda: secrets.sign(HS256, claims(note="x" * 8000)),
    "text": lambda: "hello",
    "dots": lambda: "..",
    "nothing": lambda: "",
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
def test_a_token_that_is_not_right_is_401(server, room, kind):
    refusal = refused(server, room_path(room, BAD_TOKENS[kind]()))
    assert_unauthorized(refusal)
    if kind != "nothing":
        assert refusal.answer.json == {"detail": "Could not validate credentials"}


@pytest.mark.parametrize("kind", ["too long", "text", "nothing", "expired"])
def test_a_bad_token_in_the_query_is_never_replaced_by_a_good_one_in_the_header(server, room, kind):
    headers = handshake_headers(Authorization=f"Bearer {make_token('ann')}")
    assert_unauthorized(refused(server, room_path(room, BAD_TOKENS[kind]()), headers))


GOOD_TOKENS = {
    "sub and exp only": lambda: secrets.sign(HS256, {"sub": "ann", "exp": int(time.time()) + 60}),
    "exp with a fraction": lambda: secrets.sign(HS256, {"sub": "ann", "exp": int(time.time()) + 60.5}),
    "just expired, within the leeway": lambda: secrets.sign(HS256, claims(exp=int(time.time()) - 10)),
    "issuer and audience, not configured": lambda: secrets.sign(HS256, claims(iss="elsewhere", aud=["x", "y"])),
    "unknown claims": lambda: secrets.sign(HS256, claims(tenant={"a": [1, 2]}, token_version=None)),
    "no typ": lambda: secrets.sign({"alg": "HS256"}, claims()),
    "type access": lambda: secrets.sign(HS256, claims(type="access")),
    "token_version of a name without an account": lambda: secrets.sign(HS256, claims(token_version=7)),
}


@pytest.mark.parametrize("kind", GOOD_TOKENS)
def test_a_token_that_is_right_is_taken(server, room, kind):
    assert connect(server.port, room, token=GOOD_TOKENS[kind]()).expect("room-state")


@pytest.mark.parametrize("sub", ["a" * 128, "Änn Ünal 日本", "ann@example.org", "a.b:c/d"])
def test_a_user_id_is_the_sub_of_the_token(server, room, sub):
    ann = server.join(room, sub, v1=True)
    assert ann.room_state["self"]["user_id"] == sub


def test_issuer_and_audience_are_looked_at_when_configured(start_server, room):
    server = start_server(JWT_ISSUER="us", JWT_AUDIENCE="calls", JWT_LEEWAY_S="0")
    for bad in ({}, {"iss": "us"}, {"aud": "calls"}, {"iss": "them", "aud": "calls"}, {"iss": "us", "aud": ["a", "b"]}):
        assert_unauthorized(refused(server, room_path(room, make_token("ann", **bad))))
    for good in ({"iss": "us", "aud": "calls"}, {"iss": "us", "aud": ["other", "calls"]}):
        connect(server.port, room, "ann", token=make_token("ann", **good)).expect("room-state")
    late = make_token("ann", iss="us", aud="calls", exp=int(time.time()) - 1)
    assert_unauthorized(refused(server, room_path(room, late)))


@pytest.mark.parametrize("v1", [False, True])
def test_a_connection_whose_token_ends_is_told_and_closed_with_4401(start_server, room, v1):
    server = start_server(JWT_LEEWAY_S="0")
    ann = connect(server.port, room, token=make_token("ann", exp=int(time.time()) + 2), v1=v1)
    ann.expect("room-state")
    assert ann.close_code() == 4401
    assert [m["payload"]["code"] for m in ann.last_words if m["type"] == "error"] == ["TOKEN_EXPIRED"]


def test_what_is_confidential_is_found_in_a_log_wherever_it_stands_there():
    """What all other tests rely on when they look through the logs of their servers."""
    token = secrets.make_token("ann")
    head, _, signature = token.rpartition(".")
    assert secrets.found_in("") < 0 and secrets.found_in("a line\n" * 1000) < 0
    for secret in (token, secrets.SECRET, secrets.SDP_MARK, signature):
        for before, after in (("", ""), ("x=", ""), ("", ";"), ("a line\n" * 1000 + '"', '"')):
            assert secrets.found_in(before + secret + after) == len(before)
        assert secrets.found_in(secret[:-1]) < 0
    assert secrets.found_in(head) < 0
