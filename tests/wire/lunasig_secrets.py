"""Tokens for tests, and the list of everything that no log may hold."""

import base64
import hashlib
import hmac
import json
import os
import time

SECRET = "wire-tests-only-0123456789abcdefghijklmnopqrstuvwxyz"
SDP_MARK = "SdpMarkOfTheWireTests"
CANDIDATE_MARK = "CandidateMarkOfTheWireTests"
CONFIDENTIAL = {SECRET, SDP_MARK, CANDIDATE_MARK}
SHORTEST = 12  # characters: what is shorter cannot be told from ordinary text
SIGNATURE = 20  # of a token: it may stand in a log without its head


def confidential(text):
    """Notes a text that no log may hold. What is too short to be told from ordinary text is not noted."""
    if len(text) >= SHORTEST:
        CONFIDENTIAL.add(text)
    return text


def found_in(text):
    """Where a text holds something confidential, or the signature of a token; -1: nowhere. Thousands are searched for in one pass."""
    starts = {}
    for secret in CONFIDENTIAL:
        signature = secret.rpartition(".")[2]
        for needle in {secret, signature if len(signature) >= SIGNATURE else secret}:
            starts.setdefault(needle[:SHORTEST], []).append(needle)
    for at in range(len(text) - SHORTEST + 1):
        for needle in starts.get(text[at : at + SHORTEST], ()):
            if text.startswith(needle, at):
                return at
    return -1


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(header, claims, secret=SECRET, digest=hashlib.sha256):
    """A token with exactly this header and these claims (dicts, or bytes of JSON as they are to stand there)."""
    parts = [x if isinstance(x, bytes) else json.dumps(x).encode() for x in (header, claims)]
    signed = ".".join(base64url(x) for x in parts)
    mac = hmac.new(secret.encode(), signed.encode(), digest).digest()
    return confidential(f"{signed}.{base64url(mac)}")


def make_token(user, **claims):
    """A good token of the user; claims overwrite, a claim that is None is left out."""
    now = int(time.time())
    every = {"sub": user, "username": user, "iat": now, "exp": now + 3600, "jti": os.urandom(8).hex(), "type": "access", **claims}
    return sign({"alg": "HS256", "typ": "JWT"}, {k: v for k, v in every.items() if v is not None})


def collect_tokens(value):
    """Notes every text below keys that hold secrets, wherever it is in an answer."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str) and key in ("access_token", "refresh_token", "token", "ticket", "resume_token", "credential"):
                confidential(item)
            collect_tokens(item)
    elif isinstance(value, list):
        for item in value:
            collect_tokens(item)
