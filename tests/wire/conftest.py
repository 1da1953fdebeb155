"""Servers for the tests. A module's SETTINGS are those of its `server`; `start_server` makes more of them."""

import contextlib
import itertools
import resource

import pytest

import lunasig_client
import lunasig_server


@pytest.fixture(scope="module")
def server(request, tmp_path_factory):
    """One server for all tests of a module; each test uses rooms and users of its own."""
    settings = getattr(request.module, "SETTINGS", {})
    running = lunasig_server.Server(tmp_path_factory.mktemp("server"), settings)
    yield running
    running.end()


@pytest.fixture
def start_server(tmp_path_factory):
    """start_server(KEY=value, …): a server with other settings, ended and checked after the test."""
    with contextlib.ExitStack() as running:

        def start(**settings):
            new = lunasig_server.Server(tmp_path_factory.mktemp("server"), settings)
            running.callback(new.end)
            return new

        yield start


@pytest.fixture
def policy(tmp_path):
    return lunasig_server.Policy(tmp_path)


# A test holds a thousand sockets, and the server's descriptors are derived from what it inherits.
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))

ROOMS = itertools.count(1)


@pytest.fixture
def room(request):
    """A room id of this test alone."""
    return f"{request.node.originalname[5:60]}-{next(ROOMS)}"


@pytest.fixture(autouse=True)
def sockets():
    """Closes every connection that the test has opened, so that no test leaves members behind."""
    before = set(lunasig_client.OPEN)
    yield
    for wire in set(lunasig_client.OPEN) - before:
        wire.close()
