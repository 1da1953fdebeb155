"""lunasig token: made here, checked here, and readable by others."""

import json
import stat
import time

import jwt
import pytest

SECRET = "a-secret-for-tests-of-the-command-line"


def make(lunasig, *arguments, **settings):
    return lunasig.fine("token", "make", *arguments, **{"JWT_SECRET_KEY": SECRET, **settings}).strip()


def test_a_token_has_the_claims_of_an_access_token(lunasig):
    before = int(time.time())
    claims = jwt.decode(make(lunasig, "--user", "ann", "--minutes", "5"), SECRET, algorithms=["HS256"])
    assert claims["sub"] == "ann"
    assert claims["type"] == "access"
    assert claims["jti"]
    assert before <= claims["iat"] <= time.time()
    assert claims["exp"] == claims["iat"] + 300


def test_its_life_is_the_setting_unless_said(lunasig):
    claims = jwt.decode(
        make(lunasig, "-u", "ann", JWT_ACCESS_TOKEN_EXPIRE_MINUTES=7), SECRET, algorithms=["HS256"]
    )  # fmt: skip
    assert claims["exp"] - claims["iat"] == 7 * 60


def test_issuer_and_audience_of_the_settings_are_in_it(lunasig):
    names = {"JWT_ISSUER": "us", "JWT_AUDIENCE": "them"}
    token = make(lunasig, "--user", "ann", **names)
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience="them", issuer="us")
    assert claims["sub"] == "ann"
    assert lunasig("token", "check", stdin=token, JWT_SECRET_KEY=SECRET, **names).returncode == 0
    assert lunasig("token", "check", stdin=token, JWT_SECRET_KEY=SECRET, JWT_ISSUER="others").returncode == 1


def test_check_reads_from_standard_input_and_prints_the_claims(lunasig):
    token = make(lunasig, "--user", "ann")
    claims = json.loads(lunasig.fine("token", "check", stdin=f"  {token}\r\n", JWT_SECRET_KEY=SECRET))
    assert claims["sub"] == "ann"
    assert claims == jwt.decode(token, SECRET, algorithms=["HS256"])


def test_check_accepts_a_foreign_token_with_our_key(lunasig):
    token = jwt.encode({"sub": "bob", "exp": int(time.time()) + 60}, SECRET, algorithm="HS256")
    assert json.loads(lunasig.fine("token", "check", stdin=token, JWT_SECRET_KEY=SECRET))["sub"] == "bob"


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (jwt.encode({"sub": "bob", "exp": 1}, SECRET, algorithm="HS256"), "TOKEN_EXPIRED"),
        (jwt.encode({"sub": "bob", "exp": 9999999999}, SECRET + "x", algorithm="HS256"), "TOKEN_INVALID"),
        (jwt.encode({"sub": "bob"}, SECRET, algorithm="HS256"), "TOKEN_INVALID"),
        (jwt.encode({"sub": "bob", "exp": 9999999999}, SECRET, algorithm="HS512"), "TOKEN_INVALID"),
        ("x" * 9000, "TOKEN_INVALID"),
        ("nonsense", "TOKEN_INVALID"),
    ],
)
def test_a_refused_token_is_status_1_with_the_reason_and_without_the_token(lunasig, token, code):
    done = lunasig("token", "check", stdin=token, JWT_SECRET_KEY=SECRET)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"refused: {code}: ")
    assert token not in done.stderr


def test_without_a_key_a_secret_is_made_once_and_said_so(lunasig):
    made = lunasig("token", "make", "--user", "ann")
    assert made.returncode == 0
    assert "JWT_SECRET_KEY is not set: a secret for development was made in data\n" in made.stderr
    secret = lunasig.folder / "data" / "jwt-secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    checked = lunasig("token", "check", stdin=made.stdout)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert lunasig("token", "check", "--data", "other", stdin=made.stdout).returncode == 1


def test_a_data_folder_that_cannot_be_made_is_status_3(lunasig):
    done = lunasig("token", "make", "--user", "ann", "--data", "/proc/nowhere/data")
    assert done.returncode == 3
    assert done.stderr.startswith("lunasig token: ")
    assert "/proc/nowhere/data" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["make"],
        ["make", "--user", ""],
        ["make", "--user", "a{b"],
        ["make", "--user", "x" * 129],
        ["make", "--user", "ann", "--minutes", "0"],
        ["make", "--user", "ann", "--minutes", "1h"],
        ["make", "--user", "ann", "--minutes", "525601"],
        ["check", "--user", "ann"],
        ["check"],  # with nothing on standard input
        ["check", "a-token-as-argument"],
    ],
)
def test_what_cannot_be_done_is_status_2(lunasig, arguments):
    done = lunasig("token", *arguments, JWT_SECRET_KEY=SECRET)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lunasig token: ")
