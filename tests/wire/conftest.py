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


def close_all(sockets):
    for wire in sockets:
        with contextlib.suppress(OSError):
            wire.close()


@pytest.fixture
def start_server(tmp_path_factory, sockets):
    """start_server(KEY=value, …): a server with other settings, ended and checked after the test."""
    with contextlib.ExitStack() as running:

        def start(**settings):
            new = lunasig_server.Server(tmp_path_factory.mktemp("server"), settings)
            running.callback(new.end)
            return new

        yield start
        close_all(sockets)  # else the server waits for answers to its closes


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
def sockets(monkeypatch):
    """Closes every socket that the test has opened, so that no test leaves members behind."""
    opened = []
    original = lunasig_client.Wire.__init__

    def init(wire, *args, **how):
        original(wire, *args, **how)
        opened.append(wire)

    monkeypatch.setattr(lunasig_client.Wire, "__init__", init)
    yield opened
    close_all(opened)
