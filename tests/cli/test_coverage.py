"""lunasig test --coverage: which lines of the policies ran, for people and as an lcov tracefile."""

import re

import pytest

POLICY = """local sig = require "lunasig"
sig.use "std.presence"
sig.type "say" { payload = sig.object({}, { extra = true }) }

sig.on("message:say", function(room, member, message)
  if message.payload.loud then
    return sig.deny("TOO_LOUD", "not so loud")
  end
  if message.payload.silent then
    return sig.handled()
  end
end)

local function never()
  local x = 1

  return x
end
"""

TEST = """local sig = require "lunasig"
sig.use "%s"
sig.test("loud is refused", function(t)
  local ann = t:client { user = "ann" }
  ann:joins "r"
  ann:sends("say", { loud = %s })
  %s
end)
"""

REFUSED = 'ann:is_refused "TOO_LOUD"'


@pytest.fixture
def bundle(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one/talk.lua").write_text(POLICY)
    (tmp_path / "one/talk_test.lua").write_text(TEST % ("talk", "true", REFUSED))
    return tmp_path


def rows(output):
    """(percent, ran, all, name, places) of each line of the report, by their order."""
    found = re.findall(r"^(?:# )?\s+([\d.]+)%\s+(\d+)/(\d+)\s+(\S+)(?:  never ran: (.*))?$", output, re.M)
    return [(float(share), int(ran), int(total), name, places) for share, ran, total, name, places in found]


def read_lcov(path):
    """{file: {line: runs}}; holds the form of the file to what geninfo(1) says."""
    files = {}
    records = path.read_text().split("end_of_record\n")
    assert records.pop() == ""
    for record in records:
        lines = record.splitlines()
        assert lines[0] == "TN:"
        assert lines[1].startswith("SF:/")
        name = lines[1].removeprefix("SF:")
        counted = [tuple(int(n) for n in line.removeprefix("DA:").split(",")) for line in lines[2:-2]]
        assert all(line.startswith("DA:") for line in lines[2:-2])
        assert counted == sorted(counted)
        assert len(dict(counted)) == len(counted)
        assert lines[-2] == f"LF:{len(counted)}"
        assert lines[-1] == f"LH:{sum(runs > 0 for _, runs in counted)}"
        assert name not in files
        files[name] = dict(counted)
    return files


def test_lines_that_never_ran_are_told(lunasig, bundle):
    output = lunasig.fine("test", "--coverage", "one/talk_test.lua")
    table = rows(output)
    assert table[0] == (66.6, 8, 12, "talk.lua", "9-10, 15-17")
    assert table[1][3] == "total"
    assert "Lines of the library that ran:" in output
    assert "std/presence.lua" in [row[3] for row in table]
    assert "talk_test.lua" not in [row[3] for row in table]


def test_no_lines_are_told_without_it(lunasig, bundle):
    output = lunasig.fine("test", "one/talk_test.lua")
    assert rows(output) == []


def test_files_sum_up_what_ran_in_several_bundles(lunasig, bundle):
    (bundle / "one/other_test.lua").write_text(TEST % ("talk", "false", 't:advance "1s"'))
    output = lunasig.fine("test", "--coverage", "one/talk_test.lua", "one/other_test.lua", "--repeat", "3")
    assert rows(output)[0] == (75.0, 9, 12, "talk.lua", "10, 15-17")


def test_a_tracefile_is_written(lunasig, bundle):
    lunasig.fine("test", "--coverage-lcov", "cover.info", "one/talk_test.lua")
    files = read_lcov(bundle / "cover.info")
    talk = files[str((bundle / "one/talk.lua").resolve())]
    assert [line for line, runs in talk.items() if runs == 0] == [9, 10, 15, 17]
    assert talk[6] == 1
    assert not any(name.endswith("_test.lua") or "/_meta/" in name for name in files)
    assert any(name.endswith("lua/std/presence.lua") for name in files)


def test_a_run_gives_the_same_tracefile_each_time(lunasig, bundle):
    lunasig.fine("test", "--coverage-lcov", "one.info", "one")
    lunasig.fine("test", "--coverage-lcov", "two.info", "one")
    assert (bundle / "one.info").read_text() == (bundle / "two.info").read_text()


def test_behind_tap_it_is_a_comment(lunasig, bundle):
    output = lunasig.fine("test", "--tap", "--coverage", "one/talk_test.lua")
    assert rows(output)[0][3] == "talk.lua"
    for line in output.splitlines():
        assert re.match(r"TAP version|1\.\.|ok |not ok |#|\s", line), line


def test_failed_tests_have_coverage_too(lunasig, bundle):
    (bundle / "one/talk_test.lua").write_text(TEST % ("talk", "false", REFUSED))
    done = lunasig("test", "--coverage", "one/talk_test.lua")
    assert done.returncode == 1
    assert rows(done.stdout)[0] == (66.6, 8, 12, "talk.lua", "7, 10, 15-17")


def test_a_tracefile_that_cannot_be_written_is_an_error(lunasig, bundle):
    done = lunasig("test", "--coverage-lcov", "none/cover.info", "one/talk_test.lua")
    assert done.returncode == 2
    assert "none/cover.info: No such file or directory" in done.stderr
    done = lunasig("test", "--coverage-lcov", "/dev/full", "one/talk_test.lua")
    assert done.returncode == 2
    assert "/dev/full: No space left on device" in done.stderr


def test_an_endless_loop_ends_and_is_told_as_without_it(lunasig, bundle):
    loops = POLICY.replace("if message.payload.loud then", "while message.payload.loud do end if false then")
    (bundle / "one/talk.lua").write_text(loops)
    (bundle / "one/talk_test.lua").write_text(TEST % ("talk", "true", 't:expects_error "processor time"'))
    plain = lunasig.fine("test", "one/talk_test.lua")
    output = lunasig.fine("test", "--coverage", "one/talk_test.lua")
    assert "1 passed" in plain
    assert "1 passed" in output
    assert rows(output)[0][3] == "talk.lua"
