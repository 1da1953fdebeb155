"""lunasig new policy: what it writes works as it is."""

import json
import re
import shutil
import subprocess

import pytest


def test_what_it_writes_passes_check_with_its_test(lunasig):
    output = lunasig.fine("new", "policy", "quiz")
    assert "lunasig check ./quiz" in output
    said = lunasig.fine("check", "quiz")
    found = re.fullmatch(r"fine: files (\d+), types (\d+), hooks (\d+), routes (\d+), tests (\d+)\n", said)
    assert found and all(int(number) > 0 for number in found.groups()), said


def test_its_test_runs_and_fails_where_the_policy_is_broken(lunasig):
    assert "lunasig test --watch ./quiz" in lunasig.fine("new", "policy", "quiz")
    assert "  ok       quiz: a hand that is up stands in the queue once\n1 passed (1 file, " in lunasig.fine("test", "quiz")
    path = lunasig.folder / "quiz" / "policy.lua"
    path.write_text(path.read_text().replace("queue:add(member.id)", ""))
    done = lunasig("test", "quiz")
    assert done.returncode == 1
    assert "quiz/policy.lua:" in done.stdout and "nothing like this came" in done.stdout


def test_its_name_stands_in_the_policy(lunasig):
    lunasig.fine("new", "policy", "my-quiz_2", "--dir", ".")
    text = (lunasig.folder / "my-quiz_2" / "policy.lua").read_text()
    assert 'sig.policy { name = "my-quiz_2", api = 1 }' in text
    assert "@" not in text
    assert lunasig("check", "my-quiz_2").returncode == 0


def test_editors_find_the_stubs(lunasig):
    lunasig.fine("new", "policy", "quiz")
    settings = json.loads((lunasig.folder / "quiz" / ".luarc.json").read_text())
    (library,) = settings["workspace.library"]
    assert (lunasig.folder / library / "lunasig" / "_meta" / "sig.lua").is_file()
    assert settings["runtime.version"] == "LuaJIT"


@pytest.mark.skipif(shutil.which("luacheck") is None, reason="luacheck is not installed")
def test_luacheck_is_content_and_still_finds_mistakes(lunasig):
    lunasig.fine("new", "policy", "quiz")
    folder = lunasig.folder / "quiz"
    done = subprocess.run(["luacheck", "--no-color", "--no-cache", "policy.lua"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "other.lua").write_text("return os.execute, io, print\n")
    done = subprocess.run(["luacheck", "--no-color", "--no-cache", "other.lua"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert "execute" in done.stdout and "'io'" in done.stdout and "print" not in done.stdout


def test_what_is_there_already_is_left_as_it_is(lunasig):
    (lunasig.folder / "quiz").mkdir()
    (lunasig.folder / "quiz" / "policy.lua").write_text("mine")
    done = lunasig("new", "policy", "quiz")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "lunasig new: cannot make ./quiz: it is there already, and is left as it is\n"
    assert [path.name for path in (lunasig.folder / "quiz").iterdir()] == ["policy.lua"]
    assert (lunasig.folder / "quiz" / "policy.lua").read_text() == "mine"


def test_a_folder_may_be_named_to_make_it_in(lunasig):
    (lunasig.folder / "policies").mkdir()
    lunasig.fine("new", "policy", "quiz", "--dir", "policies")
    assert (lunasig.folder / "policies" / "quiz" / "policy.lua").is_file()
    assert lunasig("new", "policy", "quiz", "--dir", "nowhere").returncode == 1


@pytest.mark.parametrize("name", ["", "Quiz", "1st", "-x", "a b", "a/b", "../a", "a.b", "é", "a" * 41])
def test_a_name_that_does_not_fit_is_a_mistake(lunasig, name):
    done = lunasig("new", "policy", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert "1 to 40 small letters, digits, _ and -" in done.stderr
    assert list(lunasig.folder.iterdir()) == []


def test_what_else_it_might_make_is_a_mistake(lunasig):
    assert lunasig("new").stderr == "lunasig new: write policy NAME\nSee: lunasig new --help\n"
    assert lunasig("new", "polcy", "x").stderr.startswith("lunasig new: there is no thing polcy; did you mean policy?\n")
    assert lunasig("new", "policy", "x", "--dri", "y").returncode == 2
    assert lunasig.fine("new", "policy", "--help") == lunasig.fine("new", "--help")
