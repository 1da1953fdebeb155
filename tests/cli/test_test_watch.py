"""lunasig test --watch: runs again when a file is saved."""

import queue
import signal
import subprocess
import threading

import pytest

HEAD = 'local sig = require "lunasig"\nsig.use "std.presence"\n'
PASSES = HEAD + 'sig.test("it passes", function() end)\n'
SECONDS = 30


class Watching:
    def __init__(self, lunasig, *arguments):
        self.process = subprocess.Popen(
            [lunasig.path, "test", *arguments], cwd=lunasig.folder, env=lunasig.environment({}),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def round(self):
        """What it prints until it waits."""
        said = ""
        while not said.endswith("Waiting for a change; Ctrl-C ends.\n"):
            line = self.lines.get(timeout=SECONDS)
            assert line is not None, f"it has ended: {said}"
            said += line
        return said

    def end(self, number):
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


@pytest.fixture
def watch(lunasig):
    started = []

    def start(*arguments):
        started.append(Watching(lunasig, *arguments))
        return started[-1]

    yield start
    for watching in started:
        watching.process.kill()
        watching.process.wait()
        watching.reader.join(SECONDS)
        watching.process.stdout.close()


def test_it_runs_again_when_a_file_is_saved_until_it_is_interrupted(lunasig, watch):
    path = lunasig.folder / "s" / "a.lua"
    path.parent.mkdir()
    path.write_text(PASSES)
    watching = watch("s", "--watch")
    assert "1 passed (1 file" in watching.round()
    path.write_text(PASSES.replace("end)", 'error "broken" end)'))
    assert "broken" in (said := watching.round()) and "1 failed, 0 passed" in said
    (lunasig.folder / "s" / "b.lua").write_text(PASSES)  # one that comes later
    assert "1 failed, 1 passed (2 files" in watching.round()
    path.write_text("this is no Lua")
    assert "1 file does not load, 1 passed" in watching.round()
    path.write_text(PASSES)
    assert "2 passed (2 files" in watching.round()
    assert watching.end(signal.SIGINT) == 0


def test_its_status_is_that_of_the_last_run(lunasig, watch):
    (lunasig.folder / "a.lua").write_text(PASSES.replace("end)", 'error "broken" end)'))
    watching = watch("a.lua", "--watch")
    watching.round()
    assert watching.end(signal.SIGTERM) == 1


def test_files_that_a_scenario_uses_are_watched_too(lunasig, watch):
    (lunasig.folder / "a_test.lua").write_text(HEAD + 'sig.use "rules"\nsig.test("x", function(t) t:client("ann"):joins "r1" end)\n')
    rules = lunasig.folder / "rules.lua"
    rules.write_text("return 1\n")
    watching = watch("a_test.lua", "--watch")
    assert "1 passed" in watching.round()
    rules.write_text('local sig = require "lunasig"\nsig.on("join", function() return sig.deny("FULL", "no") end)\n')
    assert "FULL" in watching.round()
    rules.unlink()
    assert "1 file does not load" in watching.round()
    assert watching.end(signal.SIGINT) == 2
