"""Runs the program in an empty folder with a clean environment."""

import os
import pathlib
import subprocess

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
KEPT = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS")
SECONDS = 60


class Program:
    def __init__(self, folder):
        self.folder = folder
        self.path = pathlib.Path(os.environ.get("LUNASIG_BIN", REPOSITORY / "build/release/lunasig")).resolve()

    def environment(self, settings):
        values = {name: os.environ[name] for name in KEPT if name in os.environ}
        values["MONGOC_DISABLE_SHM"] = "1"  # a killed process leaves its counters there, and the next one with its number says so
        values.update({name: str(value) for name, value in settings.items()})
        return values

    def __call__(self, *arguments, stdin="", **settings):
        """Runs it to its end; gives status, output and errors as text."""
        return subprocess.run(
            [self.path, *arguments], input=stdin, text=True, capture_output=True, timeout=SECONDS,
            cwd=self.folder, env=self.environment(settings),
        )  # fmt: skip

    def fine(self, *arguments, **how):
        """The output, where the status has to be 0."""
        done = self(*arguments, **how)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def lunasig(tmp_path):
    return Program(tmp_path)
