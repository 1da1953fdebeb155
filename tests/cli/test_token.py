"""lunasig token: made here, checked here, and readable by others."""

import json
import stat
import subprocess
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
    assert (checked.returncode, checked.stderr) == (0, "key: JWT_SECRET_KEY (HS256)\n")
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
        ["check", "--key", "key.pem", "--alg", "RS256", "--kid", "k"],
        ["make", "--user", "ann", "--key", "key.pem"],
        ["make", "--user", "ann", "--key", "key.pem", "--alg", "RS256"],
        ["make", "--user", "ann", "--key", "nowhere.pem", "--alg", "RS256", "--kid", "k"],
        ["make", "--user", "ann", "--key", "nowhere.pem", "--alg", "none", "--kid", "k"],
        ["make", "--user", "ann", "--key", "nowhere.pem", "--alg", "RS256", "--kid", ""],
        ["make", "--user", "ann", "--alg", "HS512"],
    ],
)
def test_what_cannot_be_done_is_status_2(lunasig, arguments):
    done = lunasig("token", *arguments, JWT_SECRET_KEY=SECRET)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lunasig token: ")


# keys with a name


CURVES = {"ES256": "prime256v1", "ES384": "secp384r1", "ES512": "secp521r1"}


def run(*command, **how):
    return subprocess.run(command, check=True, capture_output=True, timeout=60, **how).stdout


def make_key(folder, alg):
    """NAME.pem and NAME.pub in the folder, as docs/operating.md says, or a secret for HS. Gives the name of the private one."""
    if alg.startswith("HS"):
        path = folder / f"{alg}.secret"
        path.write_bytes(run("openssl", "rand", "-hex", "32"))
        path.chmod(0o600)
        return path.name
    if alg.startswith("RS"):
        run("openssl", "genrsa", "-out", f"{alg}.pem", "2048", cwd=folder)
    else:
        run("openssl", "ecparam", "-genkey", "-noout", "-name", CURVES[alg], "-out", f"{alg}.pem", cwd=folder)
    run("openssl", "pkey", "-in", f"{alg}.pem", "-pubout", "-out", f"{alg}.pub", cwd=folder)
    return f"{alg}.pem"


def write_keys(folder, *keys):
    (folder / "keys.json").write_text(json.dumps({"keys": list(keys)}))
    (folder / "keys.json").chmod(0o600)


@pytest.mark.parametrize("alg", [f"{kind}{bits}" for kind in ("HS", "RS", "ES") for bits in (256, 384, 512)])
def test_a_token_of_a_named_key_is_for_everybody_who_has_the_other_half(lunasig, alg):
    private = make_key(lunasig.folder, alg)
    public = private if alg.startswith("HS") else f"{alg}.pub"
    write_keys(lunasig.folder, {"kid": "app é", "alg": alg, "file": public})
    token = lunasig.fine("token", "make", "--user", "ann", "--key", private, "--alg", alg, "--kid", "app é").strip()
    assert not (lunasig.folder / "data").exists()  # no secret is made that nobody needs
    assert jwt.get_unverified_header(token) == {"alg": alg, "typ": "JWT", "kid": "app é"}
    key = (lunasig.folder / public).read_text().strip()
    assert jwt.decode(token, key, algorithms=[alg])["sub"] == "ann"
    done = lunasig("token", "check", stdin=token, JWT_SECRET_KEY=SECRET, JWT_KEYS_FILE="keys.json")
    assert (done.returncode, done.stderr) == (0, f"key: kid app é ({alg})\n")
    assert json.loads(done.stdout)["sub"] == "ann"
    # PyJWT signs with it, too.
    foreign = jwt.encode(
        {"sub": "bob", "exp": int(time.time()) + 60}, (lunasig.folder / private).read_text().strip(), algorithm=alg,
        headers={"kid": "app é"},
    )  # fmt: skip
    done = lunasig("token", "check", stdin=foreign, JWT_SECRET_KEY=SECRET, JWT_KEYS_FILE="keys.json")
    assert (done.returncode, done.stderr) == (0, f"key: kid app é ({alg})\n")


@pytest.mark.parametrize("alg", ["HS384", "HS512"])
def test_jwt_algorithm_is_the_one_of_jwt_secret_key(lunasig, alg):
    secret = SECRET * 2
    token = make(lunasig, "--user", "ann", JWT_ALGORITHM=alg, JWT_SECRET_KEY=secret)
    assert jwt.get_unverified_header(token)["alg"] == alg
    assert jwt.decode(token, secret, algorithms=[alg])["sub"] == "ann"
    assert lunasig("token", "check", stdin=token, JWT_ALGORITHM=alg, JWT_SECRET_KEY=secret).returncode == 0
    assert lunasig("token", "check", stdin=token, JWT_SECRET_KEY=secret).returncode == 1
    short = lunasig("token", "make", "--user", "ann", JWT_ALGORITHM=alg, JWT_SECRET_KEY="0123456789abcdef" * 2)
    assert (short.returncode, short.stdout) == (2, "")
    assert "openssl rand -hex 32" in short.stderr


def test_a_keys_file_that_is_wrong_is_told_by_check_serve_and_token(lunasig):
    make_key(lunasig.folder, "RS256")
    write_keys(lunasig.folder, {"kid": "a", "alg": "RS256", "file": "RS256.pub"}, {"kid": "b", "alg": "ES256", "file": "RS256.pub"})
    said = 'keys.json: key 2 (kid "b"): RS256.pub: ES256 needs an EC key and this is none: write the alg of the key\n'
    settings = {"JWT_SECRET_KEY": SECRET, "JWT_KEYS_FILE": "keys.json", "PORT": 0}
    assert lunasig("check", **settings).stderr == said
    assert lunasig("serve", **settings).stderr == f"lunasig: {said}"
    done = lunasig("token", "check", stdin="x.y.z", **settings)
    assert done.stderr == said
    assert [lunasig(command, **settings).returncode for command in ("check", "serve")] == [3, 3]
    assert done.returncode == 3
    write_keys(lunasig.folder, {"kid": "a", "alg": "RS256", "file": "RS256.pub"})
    assert lunasig.fine("check", **settings).startswith("fine: ")


def test_a_key_that_everybody_can_read_is_a_warning(lunasig):
    make_key(lunasig.folder, "ES256")
    (lunasig.folder / "ES256.pem").chmod(0o644)
    done = lunasig("token", "make", "--user", "ann", "--key", "ES256.pem", "--alg", "ES256", "--kid", "k")
    assert done.returncode == 0
    assert done.stderr.startswith("lunasig token: warning: ES256.pem: everybody on this machine can read the file")


def test_a_key_that_does_not_fit_is_said_without_the_key(lunasig):
    make_key(lunasig.folder, "ES256")
    text = (lunasig.folder / "ES256.pem").read_text()
    for name, alg, said in [
        ("ES256.pem", "RS256", "RS256 needs an RSA key"),
        ("ES256.pem", "ES384", "ES384 needs P-384"),
        ("ES256.pem", "HS256", "the secret is a PEM text"),
        ("ES256.pub", "ES256", "this is a public key, which signs nothing"),
    ]:
        done = lunasig("token", "make", "--user", "ann", "--key", name, "--alg", alg, "--kid", "k")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"lunasig token: --key: {name}: ") and said in done.stderr
        assert text.splitlines()[1] not in done.stderr
