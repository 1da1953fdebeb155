"""The TURN credentials that clients get work with a real TURN server, and end when they should."""

import time

import lunasig_secrets as secrets
import lunasig_server
import lunasig_turn
import pytest
from lunasig_secrets import make_token

NORTH = secrets.confidential("north-secret-of-the-turn-tests")
SOUTH = secrets.confidential("south-secret-of-the-turn-tests")
LIFETIME = 5  # seconds: the shortest that may be set


@pytest.fixture(scope="module")
def coturn(tmp_path_factory):
    running = lunasig_turn.Coturn(tmp_path_factory.mktemp("coturn"), NORTH)
    yield running
    running.end()


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """While secrets rotate, the TURN server takes both."""
    running = lunasig_turn.Coturn(tmp_path_factory.mktemp("coturn"), NORTH, SOUTH)
    yield running
    running.end()


def turn_of(config):
    (one,) = [one for one in config["ice_servers"] if "username" in one]
    secrets.confidential(one["credential"])
    return one


def credentials(server, user="ann", **claims):
    """What GET /webrtc/config gives this user."""
    one = turn_of(server.http("GET", "/webrtc/config", token=make_token(user, **claims)).json)
    return one["username"], one["credential"]


def settings(coturn, **more):
    return {"WEBRTC_TURN_URLS": coturn.url, "WEBRTC_TURN_SECRET": NORTH, **more}


@pytest.fixture(scope="module")
def server(coturn, tmp_path_factory):
    running = lunasig_server.Server(tmp_path_factory.mktemp("server"), settings(coturn))
    yield running
    running.end()


@pytest.mark.parametrize("user", ["ann", "bob@example.org", "Jürgen", "a:b:c", "x" * 128])
def test_the_credentials_of_the_configuration_get_a_relay_address(server, coturn, user):
    assert lunasig_turn.allocate(coturn.port, *credentials(server, user)) == 200


def test_the_credentials_of_the_join_get_a_relay_address(server, coturn, room):
    one = turn_of(server.join(room, "ann", v1=True).room_state)
    assert one["urls"] == [coturn.url]
    assert lunasig_turn.allocate(coturn.port, one["username"], one["credential"]) == 200


def test_a_wrong_password_is_refused(server, coturn):
    username, _ = credentials(server)
    assert lunasig_turn.allocate(coturn.port, username, "wrong") == 401


def test_the_password_of_another_user_or_a_later_end_is_refused(server, coturn):
    username, password = credentials(server)
    end = username.split(":")[0]
    assert lunasig_turn.allocate(coturn.port, f"{end}:bob", password) == 401
    assert lunasig_turn.allocate(coturn.port, f"{int(end) + 1}:ann", password) == 401
    assert lunasig_turn.allocate(coturn.port, username, password) == 200


def test_credentials_of_another_secret_are_refused(start_server, coturn):
    other = start_server(**settings(coturn, WEBRTC_TURN_SECRET=SOUTH))
    assert lunasig_turn.allocate(coturn.port, *credentials(other)) == 401


@pytest.mark.parametrize("why", ["lifetime", "token"])
def test_credentials_work_until_their_end_and_not_longer(start_server, server, coturn, why):
    if why == "lifetime":
        server = start_server(**settings(coturn, WEBRTC_TURN_LIFETIME_S=LIFETIME))
        username, password = credentials(server)
    else:  # never longer than the token
        username, password = credentials(server, exp=int(time.time()) + LIFETIME)
    end = int(username.split(":")[0])
    assert end - time.time() <= LIFETIME
    with lunasig_turn.Client(coturn.port, username, password) as early:
        assert early.allocate().code == 200
        assert early.refresh().code == 200
        while (code := lunasig_turn.allocate(coturn.port, username, password)) == 200:
            assert time.time() < end + 5, "they do not end"
            early.listen(0.25)
        assert code == 401 and time.time() >= end
        assert early.refresh().code == 200, "coturn lets a call go on that began in time"


def test_secrets_rotate_without_a_gap(start_server, coturn, both):
    before = start_server(**settings(both))
    assert lunasig_turn.allocate(both.port, *credentials(before)) == 200
    # First the TURN server learns the new secret, then it signs here; the old one follows the comma until its last credentials have ended.
    after = start_server(**settings(both, WEBRTC_TURN_SECRET=f"{SOUTH},{NORTH}"))
    assert lunasig_turn.allocate(both.port, *credentials(after)) == 200
    assert lunasig_turn.allocate(both.port, *credentials(before)) == 200
    assert lunasig_turn.allocate(coturn.port, *credentials(after)) == 401, "the first of the two signs"


def test_fixed_credentials_are_given_as_they_are(start_server, coturn):
    username, password = credentials(start_server(**settings(coturn)))
    fixed = start_server(**settings(coturn, WEBRTC_TURN_SECRET=None, WEBRTC_TURN_USERNAME=username, WEBRTC_TURN_CREDENTIAL=password))
    assert credentials(fixed) == (username, password)
    assert lunasig_turn.allocate(coturn.port, *credentials(fixed)) == 200


def test_the_configuration_is_not_kept_by_anybody(server):
    answer = server.http("GET", "/webrtc/config", token=make_token("ann"))
    assert "no-store" in answer.headers["cache-control"]
