"""A MongoDB-compatible server for tests of the wire (tests/tools/mongo_server.py)."""

import atexit
import functools
import hashlib
import os
import pathlib
import shutil
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import mongo_server  # noqa: E402


def start():
    """A server of the caller's own, to be ended by it. Skips the test where there is none; with CI=true it fails."""
    if not mongo_server.is_there():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(mongo_server.MISSING)
    return mongo_server.MongoServer()


@functools.cache
def shared():
    """One for all tests of the process."""
    server = start()
    atexit.register(server.end)
    return server


def is_slow():
    """Whether tests run on a server without useful indexes."""
    return bool(os.environ.get("LUNASIG_TEST_MONGO")) and shutil.which("mongod") is None


def settings_of(data_dir):
    """Settings for a database that belongs to this data folder. FerretDB looks at every document of a collection: it may take its time."""
    name = "d" + hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
    return {"MONGODB_URL": shared().uri, "DATABASE_NAME": name, "MONGODB_SOCKET_TIMEOUT_MS": "30000"}
