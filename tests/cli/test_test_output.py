"""lunasig test: what it prints for people and for machines."""

import os
import pty
import re
import xml.etree.ElementTree as ElementTree

HEAD = 'local sig = require "lunasig"\nsig.use "std.presence"\n'
# A test that fails, with names that mean something to a terminal, to TAP, to XML and to a shell.
SAY = HEAD + """sig.type "say" { payload = sig.object({}, { extra = true }) }
sig.test("who says <it's> & \\27[31m#1", function(t)
  local ann, bob = t:client "ann", t:client "bob"
  ann:joins "r1" bob:joins "r1"
  ann:sends("say", { x = 1, text = "\\27[31m\\255" })
  bob:receives("say", { x = 2 })
end)
sig.test("it passes", function() end)
sig.test("it is long", { slow = true }, function() end)
"""


def write(lunasig, files):
    for name, text in files.items():
        path = lunasig.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="latin-1")


def test_a_failure_shows_place_source_difference_and_what_happened(lunasig):
    write(lunasig, {"mine/say_test.lua": SAY})
    said = lunasig("test", "mine/say_test.lua").stdout
    lines = said.splitlines()
    assert lines[:2] == ["mine/say_test.lua", "  FAILED   who says <it's> & ?[31m#1"]
    assert lines[2].startswith('    mine/say_test.lua:8: bob:receives: nothing like this came: {"type":"say",')
    assert lines[3] == '        bob:receives("say", { x = 2 })'
    assert lines[4].strip() == "^~~" and lines[4].index("^") == lines[3].index("say")
    assert "    nearest: say: payload.x is 1, not 2\n" in said
    assert "    what happened, in virtual time:\n       0.000 s  ann -> joins r1\n" in said
    assert "\n    seed 1\n    again: lunasig test mine/say_test.lua --only 'who says <it'\\''s> & ?[31m#1'\n" in said
    assert lines[-4:-1] == ["  ok       it passes", "  skipped  it is long (it is slow: --slow runs it)", "1 skipped: it is slow: --slow runs it"]
    assert re.fullmatch(r"1 failed, 1 passed, 1 skipped \(1 file, \d+\.\d\d s\)", lines[-1])
    assert "\x1b" not in said


def test_the_command_to_see_it_again_works(lunasig):
    write(lunasig, {"mine/say_test.lua": SAY})
    again = re.search(r"again: lunasig (test \S+ --only) '(.*)'\n", lunasig("test", "mine").stdout)
    done = lunasig(*again[1].split(), again[2].replace("'\\''", "'"))
    assert done.returncode == 1
    assert "1 failed, 0 passed (" in done.stdout


def test_an_error_in_the_library_is_shown_where_it_is(lunasig):
    write(lunasig, {"lib/std/mine.lua": "\n\nreturn { fail = function() error('deep') end }\n", "a.lua": 'local sig = require "lunasig"\n'
                    'local mine = require "std.mine"\nsig.test("x", function() mine.fail() end)\n'})  # fmt: skip
    done = lunasig("test", "a.lua", LUA_DIR="lib")
    assert "\n    std/mine.lua:3: deep\n      return { fail = function() error('deep') end }\n" in done.stdout


def test_of_several_files_each_has_a_line(lunasig):
    write(lunasig, {"s/a.lua": HEAD + 'sig.test("x", function() end)\nsig.test("y", { slow = true }, function() end)', "s/b.lua": HEAD, "s/say.lua": SAY})
    said = lunasig("test", "s").stdout.splitlines()
    assert said[0] == "ok       s/a.lua  2, 1 skipped"
    assert said[1] == "FAILED   s/say.lua"
    assert re.fullmatch(r"1 failed, 2 passed, 2 skipped \(3 files, 1 of them without tests, \d+\.\d\d s\)", said[-1])


def test_a_file_that_does_not_load_is_shown_as_check_shows_it(lunasig):
    write(lunasig, {"a.lua": HEAD + "local x = nowhere_at_all\n"})
    done = lunasig("test", "a.lua")
    shown = "a.lua:3: there is no 'nowhere_at_all'"
    assert shown in done.stdout and "\n  local x = nowhere_at_all\n            ^~~~" in done.stdout
    assert shown in lunasig("check", "a.lua").stderr
    assert re.search(r"^1 file does not load, 0 passed \(1 file, ", done.stdout, re.MULTILINE)


def colours(lunasig, **settings):
    """What it prints on a terminal."""
    write(lunasig, {"a.lua": HEAD + 'sig.test("x", function() end)'})
    reader, writer = pty.openpty()
    pid = os.fork()
    if pid == 0:
        os.chdir(lunasig.folder)
        os.dup2(writer, 1)
        os.execve(lunasig.path, ["lunasig", "test", "a.lua"], lunasig.environment(settings))
    os.close(writer)
    said = b""
    try:
        while piece := os.read(reader, 4096):
            said += piece
    except OSError:
        pass  # the other end is closed
    os.close(reader)
    assert os.waitpid(pid, 0)[1] == 0
    return said


def test_colour_is_for_terminals_that_want_it(lunasig):
    assert b"\x1b[32mok\x1b[0m" in colours(lunasig, TERM="xterm")
    assert b"\x1b" not in colours(lunasig, TERM="xterm", NO_COLOR="1")
    assert b"\x1b" not in colours(lunasig, TERM="dumb")
    assert b"\x1b[32m" in colours(lunasig, TERM="xterm", NO_COLOR="")
    assert "\x1b" not in lunasig.fine("test", "a.lua", TERM="xterm")


POINT = re.compile(r"(not )?ok (\d+) - ((?:[^#\\]|\\[#\\])+?)(?: # SKIP (.+))?")


def parse_tap(said):
    """TAP 14, strictly: points as (fine, description, reason of a skip, lines of the YAML block)."""
    lines = said.splitlines()
    assert lines[0] == "TAP version 14"
    points, plan, at = [], None, 1
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith("#"):
            continue
        if found := re.fullmatch(r"1\.\.(\d+)( # SKIP .+)?", line):
            assert plan is None
            plan = int(found[1])
            continue
        found = POINT.fullmatch(line)
        assert found, line
        assert int(found[2]) == len(points) + 1
        block = []
        if at < len(lines) and lines[at] == "  ---":
            end = lines.index("  ...", at)
            block = lines[at + 1 : end]
            assert all(line.startswith("  ") for line in block)
            at = end + 1
        points.append((found[1] is None, found[3], found[4], block))
    assert plan == len(points)
    return points


def test_tap_is_valid_line_by_line(lunasig):
    write(lunasig, {"s/say.lua": SAY, "s/bad.lua": "local x = = 1"})
    done = lunasig("test", "s", "--tap")
    assert (done.returncode, done.stderr) == (2, "")
    bad, say, passes, slow = parse_tap(done.stdout)
    assert bad[:3] == (False, "s/bad.lua: it does not load", None)
    assert "    bad.lua:1: unexpected symbol near '='" in bad[3]
    assert say[:3] == (False, "s/say.lua: who says <it's> & ?[31m\\#1", None)
    assert say[3][:4] == ["  message: |2-", '    bob:receives: nothing like this came: {"type":"say","payload":{"x":2}}', "  at: |2-", "    say.lua:8"]
    assert "  seed: 1" in say[3]
    assert "        nearest: say: payload.x is 1, not 2" in say[3]
    assert passes == (True, "s/say.lua: it passes", None, [])
    assert slow == (True, "s/say.lua: it is long", "it is slow: --slow runs it", [])


def test_the_blocks_of_tap_are_yaml(lunasig):
    yaml = __import__("pytest").importorskip("yaml")
    write(lunasig, {"say.lua": SAY})
    block = yaml.safe_load("\n".join(parse_tap(lunasig("test", "say.lua", "--tap").stdout)[0][3]))
    assert sorted(block) == ["at", "details", "duration_ms", "message", "seed"]
    assert block["at"] == "say.lua:8" and block["seed"] == 1
    assert block["details"].splitlines()[0] == "    nearest: say: payload.x is 1, not 2"


def test_tap_of_rounds_and_of_nothing(lunasig):
    write(lunasig, {"a.lua": HEAD + 'sig.test("x", function() end)', "b.lua": HEAD})
    points = parse_tap(lunasig.fine("test", "a.lua", "--tap", "--repeat", "2", "--seed", "7"))
    assert [point[1] for point in points] == ["a.lua: x (round 1, seed 7)", "a.lua: x (round 2, seed 8)"]
    assert parse_tap(lunasig.fine("test", "b.lua", "--tap")) == []


def test_coverage_does_not_break_tap(lunasig):
    write(lunasig, {"a.lua": HEAD + 'sig.on("join", function() end)\nsig.test("x", function() end)'})
    said = lunasig.fine("test", "a.lua", "--tap", "--coverage")
    assert len(parse_tap(said)) == 1
    assert "a.lua" in said.split("1..1")[1]


def test_coverage_is_told_and_written(lunasig):
    write(lunasig, {"rules.lua": 'local sig = require "lunasig"\nsig.on("join", function()\n  return sig.deny("NO", "no")\nend)\n',
                    "a_test.lua": HEAD + 'sig.use "rules"\nsig.test("x", function() end)\n'})  # fmt: skip
    said = lunasig.fine("test", "a_test.lua", "--coverage", "--coverage-lcov", "out.info")
    assert re.search(r"^ .*rules\.lua.*3", said, re.MULTILINE)
    lines = (lunasig.folder / "out.info").read_text().splitlines()
    start = lines.index(f"SF:{lunasig.folder}/rules.lua")
    assert "DA:3,0" in lines[start : lines.index("end_of_record", start)]
    assert "Lines that ran" not in lunasig.fine("test", "a_test.lua", "--coverage-lcov", "out.info")


def test_junit_is_xml_with_every_test(lunasig):
    write(lunasig, {"s/say.lua": SAY, "s/bad.lua": "local x = = 1"})
    done = lunasig("test", "s", "--junit", "out.xml")
    assert done.returncode == 2
    assert "FAILED   s/say.lua" in done.stdout
    suites = ElementTree.parse(lunasig.folder / "out.xml").getroot()
    assert suites.tag == "testsuites"
    assert [suites.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["4", "1", "1", "1"]
    bad, say = suites
    assert [bad.get(name) for name in ("name", "tests", "failures", "errors", "skipped")] == ["s/bad.lua", "1", "0", "1", "0"]
    assert bad[0].find("error").text.startswith("bad.lua:1: unexpected symbol")
    assert [say.get(name) for name in ("name", "tests", "failures", "errors", "skipped")] == ["s/say.lua", "3", "1", "0", "1"]
    assert [case.get("name") for case in say] == ["who says <it's> & ?[31m#1", "it passes", "it is long"]
    assert {case.get("classname") for case in say} == {"s/say.lua"}
    assert all(float(case.get("time")) >= 0 for case in say)
    failure = say[0].find("failure")
    assert failure.get("message").startswith("bob:receives: nothing like this came: ")
    assert failure.text.startswith("say.lua:8: bob:receives: ") and "    nearest: say: payload.x is 1, not 2\n" in failure.text
    assert [len(case) for case in say] == [1, 0, 1]
    assert say[2].find("skipped").get("message") == "it is slow: --slow runs it"


def test_junit_of_rounds(lunasig):
    write(lunasig, {"a.lua": HEAD + 'sig.test("x", function() end)'})
    assert parse_tap(lunasig.fine("test", "a.lua", "--repeat", "2", "--junit", "out.xml", "--tap"))
    names = [suite.get("name") for suite in ElementTree.parse(lunasig.folder / "out.xml").getroot()]
    assert names == ["a.lua (round 1, seed 1)", "a.lua (round 2, seed 2)"]
