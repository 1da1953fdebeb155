"""lunasig check: each problem with its source line, and what was loaded when there is none."""

import re

HOOK = 'local sig = require "lunasig"\n\nsig.on("join", function(room, member)\n%s\nend)\n'


STOCK = 'local sig = require "lunasig" sig.use "std.signaling"\n'


def write(folder, text):
    folder.mkdir(exist_ok=True)
    (folder / "policy.lua").write_text(text)


def test_a_policy_that_is_fine_is_summed_up_in_one_line(lunasig):
    write(lunasig.folder / "mine", 'local sig = require "lunasig"\nsig.use { "std.chat" }\n' + "sig.on('join', function() end)\n")
    output = lunasig.fine("check", "mine")
    assert re.fullmatch(r"fine: files [2-9], types \d+, hooks [1-9]\d*, routes 0, tests 0\n", output), output
    assert lunasig.fine("check", "--policy", "mine") == output
    assert lunasig.fine("check", POLICY_DIR="mine") == output
    assert lunasig.fine("check").startswith("fine: ")


def test_the_folder_of_the_command_line_counts_before_that_of_the_settings(lunasig):
    write(lunasig.folder / "good", "")
    write(lunasig.folder / "bad", "local = 1")
    assert lunasig("check", "bad", POLICY_DIR="good").returncode == 1
    assert lunasig("check", "good", POLICY_DIR="bad").returncode == 0


def test_each_problem_has_its_source_line_and_a_caret_under_the_name(lunasig):
    write(lunasig.folder / "mine", HOOK % "  if mmeber.role then return end\n\tcount = 1")
    done = lunasig("check", "mine")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "policy.lua:4: there is no 'mmeber' in policies; did you mean 'member'?\n"
        "    if mmeber.role then return end\n"
        "       ^~~~~~\n"
        "policy.lua:5: 'count' would be a global variable, and globals are read-only: write `local count` where it first appears\n"
        "  \tcount = 1\n"
        "  \t^~~~~\n"
        "2 problems\n"
    )


def test_without_a_name_the_line_itself_is_marked(lunasig):
    write(lunasig.folder / "mine", "\n  local x = = 1\n")
    done = lunasig("check", "mine")
    assert done.returncode == 1
    assert re.fullmatch(r"policy\.lua:2: [^\n]+\n    local x = = 1\n +\^~*\n1 problem\n", done.stderr), done.stderr


def test_a_column_counts_characters(lunasig):
    write(lunasig.folder / "mine", "local t = { 'äöü', wrong }\n")
    lines = lunasig("check", "mine").stderr.splitlines()
    assert lines[2].index("^") == lines[1].index("wrong")


def test_a_name_is_found_as_a_word_of_its_own(lunasig):
    write(lunasig.folder / "mine", "local wrong_too, x = 1, wrong\n")
    lines = lunasig("check", "mine").stderr.splitlines()
    assert lines[1].index(", wrong") + 2 == lines[2].index("^")


def test_files_of_the_bundle_and_of_the_library_are_shown(lunasig):
    write(lunasig.folder / "mine", 'require "rules.entry"\n')
    (lunasig.folder / "mine" / "rules").mkdir()
    (lunasig.folder / "mine" / "rules" / "entry.lua").write_text("\nlocal x = nowhere_at_all\n")
    assert "rules/entry.lua:2: there is no 'nowhere_at_all'" in (said := lunasig("check", "mine").stderr)
    assert "\n  local x = nowhere_at_all\n            ^~~~" in said


def test_control_characters_and_long_lines_of_a_source_do_not_reach_the_terminal(lunasig):
    write(lunasig.folder / "mine", "local x = wrong -- \x1b[31m" + "y" * 1000 + "\n")
    said = lunasig("check", "mine").stderr
    assert "\x1b" not in said
    assert all(len(line) < 200 for line in said.splitlines())


def test_a_lua_file_is_loaded_in_place_of_policy_lua(lunasig):
    write(lunasig.folder / "mine", "this is never read")
    (lunasig.folder / "mine" / "lobby.lua").write_text(STOCK + 'require "door"\n')
    (lunasig.folder / "mine" / "door.lua").write_text("return 1\n")
    said = lunasig.fine("check", "mine/lobby.lua")
    assert said.startswith("fine: files ")
    assert lunasig.fine("check", POLICY_DIR="mine/lobby.lua") == said
    assert lunasig.fine("check", "--policy", "mine/lobby.lua") == said
    (lunasig.folder / "lobby.lua").write_text(STOCK + "local x = nowhere_at_all\n")
    done = lunasig("check", "lobby.lua")
    assert done.returncode == 1
    assert "lobby.lua:2: there is no 'nowhere_at_all'" in done.stderr
    assert "\n  local x = nowhere_at_all\n            ^~~~" in done.stderr


def test_a_lua_file_that_is_not_there_is_named(lunasig):
    done = lunasig("check", "lobby.lua")
    assert done.returncode == 1
    assert "there is no lobby.lua" in done.stderr


def test_a_folder_may_be_called_like_a_file(lunasig):
    write(lunasig.folder / "mine.lua", STOCK)
    assert lunasig("check", "mine.lua").returncode == 0


def test_another_file_is_no_policy(lunasig):
    (lunasig.folder / "notes.txt").write_text("")
    done = lunasig("check", "notes.txt")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "lunasig check: notes.txt is neither a folder that has policy.lua nor a .lua file\nSee: lunasig check --help\n"


def test_a_folder_that_is_not_there_is_named(lunasig):
    done = lunasig("check", "nowhere")
    assert done.returncode == 1
    assert "nowhere" in done.stderr


def test_a_second_folder_is_a_mistake(lunasig):
    done = lunasig("check", "one", "two")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lunasig check: there is no argument two\n")


def test_a_bundle_whose_tests_fail_is_refused(lunasig):
    write(lunasig.folder / "mine", 'local sig = require "lunasig"\nsig.test("no", function() error "it fails" end)\n')
    done = lunasig("check", "mine")
    assert done.returncode == 1
    assert "it fails" in done.stderr
