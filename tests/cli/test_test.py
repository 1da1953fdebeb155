"""lunasig test: which files and tests run, in which order, with which seeds, and the exit status."""

import re

import pytest

HEAD = 'local sig = require "lunasig"\nsig.use "std.presence"\n'
PASSES = HEAD + 'sig.test("it passes", function(t) t:client("ann"):joins "r1" end)\n'
FAILS = HEAD + 'sig.test("it fails", function() error "no" end)\n'


def write(lunasig, files):
    for name, text in files.items():
        path = lunasig.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(said):
    """Of the tests of one file, in their order."""
    return re.findall(r"^  (?:ok|FAILED|skipped) +(.*)$", said, re.MULTILINE)


def test_without_a_path_it_is_the_policy_in_force(lunasig):
    write(lunasig, {"mine/policy.lua": PASSES})
    for how in ({"arguments": ["test", "--policy", "mine"]}, {"arguments": ["test"], "POLICY_DIR": "mine"}):
        arguments = how.pop("arguments")
        assert lunasig.fine(*arguments, **how).startswith("mine/policy.lua\n  ok       it passes\n1 passed (1 file, ")
    assert "policy.lua" in lunasig.fine("test")  # that which ships


def test_a_file_is_loaded_in_place_of_policy_lua(lunasig):
    write(lunasig, {"mine/policy.lua": FAILS, "mine/other.lua": PASSES})
    assert names(lunasig.fine("test", "mine/other.lua")) == ["it passes"]
    assert names(lunasig.fine("test", POLICY_DIR="mine/other.lua")) == ["it passes"]


def test_of_a_bundle_the_policy_and_its_test_files_run(lunasig):
    write(lunasig, {
        "mine/policy.lua": PASSES + 'require "part"',
        "mine/part.lua": 'local sig = require "lunasig"\nsig.test("part", function() end)',
        "mine/a_test.lua": HEAD + 'sig.use "policy"\nsig.test("a", function() end)',
        "mine/deep/b_test.lua": HEAD + 'sig.test("b", function() end)',
        "mine/deep/no.lua": "this is no Lua",
        "mine/_meta/no_test.lua": "this is no Lua",
        "mine/.hidden/no_test.lua": "this is no Lua",
    })  # fmt: skip
    listed = lunasig.fine("test", "--list", "mine").splitlines()
    assert listed == ["mine/policy.lua: it passes", "mine/policy.lua: part", "mine/deep/b_test.lua: b", "mine/a_test.lua: a"]
    assert "4 passed (3 files, " in lunasig.fine("test", "mine")
    assert "4 passed (3 files, " in lunasig.fine("test", "mine", "--shuffle", "--seed", "3")


def test_elsewhere_each_file_is_one_and_a_test_runs_once(lunasig):
    write(lunasig, {
        "examples/lobby.lua": HEAD + 'sig.test("own", function() end)',
        "examples/lobby_test.lua": HEAD + 'sig.use "lobby"\nsig.test("more", function() end)',
        "examples/below/chat.lua": PASSES,
    })  # fmt: skip
    listed = lunasig.fine("test", "--list", "examples").splitlines()
    assert listed == ["examples/below/chat.lua: it passes", "examples/lobby.lua: own", "examples/lobby_test.lua: more"]
    for seed in range(5):
        assert "3 passed (3 files, " in lunasig.fine("test", "examples", "--shuffle", "--seed", str(seed))
    assert "2 passed (1 file, " in lunasig.fine("test", "examples/lobby_test.lua")


def test_tests_that_a_helper_declares_for_several_files_all_run(lunasig):
    helper = 'local sig = require "lunasig"\nreturn function() sig.test("shared", function() end) end\n'
    user = HEAD + 'local shared = require "helper"\nshared()\n'
    write(lunasig, {"s/helper.lua": helper, "s/a.lua": user, "s/b.lua": user})
    assert "2 passed (3 files, 1 of them without tests, " in lunasig.fine("test", "s")


def test_a_file_given_twice_runs_once(lunasig):
    write(lunasig, {"s/a.lua": PASSES})
    assert "1 passed (1 file, " in lunasig.fine("test", "s/a.lua", "s", "./s/a.lua")


def test_links_are_not_followed_while_folders_are_walked(lunasig):
    write(lunasig, {"s/a.lua": PASSES})
    (lunasig.folder / "s" / "again").symlink_to(lunasig.folder / "s")
    assert "1 passed (1 file, " in lunasig.fine("test", "s")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["nowhere"], 2, "lunasig test: nowhere: No such file or directory\n"),
        (["notes.txt"], 2, "lunasig test: notes.txt is neither a .lua file nor a folder\n"),
        (["empty"], 2, "lunasig test: empty has no .lua file to test\n"),
        (["--repeat", "0", "a.lua"], 2, "lunasig test: --repeat takes how many times: 1 to 100000\n"),
        (["--repeat", "3x", "a.lua"], 2, "lunasig test: --repeat takes how many times: 1 to 100000\n"),
        (["--seed", "-1", "a.lua"], 2, "lunasig test: --seed takes a whole number from 0 to 4294967295\n"),
        (["--seed", "4294967296", "a.lua"], 2, "lunasig test: --seed takes a whole number from 0 to 4294967295\n"),
        (["--sloow", "a.lua"], 2, "lunasig test: there is no flag --sloow; did you mean --slow?\n"),
        (["--list", "--tap", "a.lua"], 2, "lunasig test: --list runs nothing: not with --watch, --tap, --junit and --coverage\n"),
        (["--real", "http://127.0.0.1:1", "--coverage", "a.lua"], 2, "lunasig test: --coverage counts lines of policies that run here"),
        (["--only", "nothing", "a.lua"], 2, 'lunasig test: no test has "nothing" in its name\n'),
        (["--junit", "no/such.xml", "a.lua"], 2, "lunasig test: cannot write no/such.xml: No such file or directory\n"),
        (["--coverage-lcov", "no/such.info", "a.lua"], 2, "lunasig test: cannot write no/such.info: No such file or directory\n"),
    ],
)
def test_a_mistake_is_told_with_status_2(lunasig, arguments, status, said):
    write(lunasig, {"a.lua": PASSES, "notes.txt": ""})
    (lunasig.folder / "empty").mkdir()
    done = lunasig("test", *arguments)
    assert (done.returncode, done.stderr[: len(said)]) == (status, said)


def test_the_status_says_what_became_of_the_tests(lunasig):
    write(lunasig, {"a.lua": PASSES, "b.lua": FAILS, "c.lua": "local x = = 1\n", "d.lua": HEAD})
    assert lunasig("test", "a.lua", "d.lua").returncode == 0
    assert lunasig("test", "a.lua", "b.lua").returncode == 1
    assert lunasig("test", "b.lua", "c.lua").returncode == 2
    assert lunasig("test", "--list", "c.lua").returncode == 2
    assert "0 passed (1 file, 1 of them without tests, " in lunasig.fine("test", "d.lua")


def test_the_others_run_when_a_file_does_not_load(lunasig):
    write(lunasig, {"s/a.lua": "local x = = 1\n", "s/b.lua": PASSES})
    done = lunasig("test", "s")
    assert done.returncode == 2
    assert "ok       s/b.lua  1\n1 file does not load, 1 passed (2 files, " in done.stdout


def test_only_some_by_their_names(lunasig):
    text = HEAD + "".join(f'sig.test("{name}", function() end)\n' for name in ("who leaves", "who comes late", "chat"))
    write(lunasig, {"a.lua": text})
    assert names(lunasig.fine("test", "a.lua", "--only", "who")) == ["who leaves", "who comes late"]
    assert names(lunasig.fine("test", "a.lua", "--only", "w*late")) == ["who comes late"]
    assert names(lunasig.fine("test", "a.lua", "--only", "c?at")) == ["chat"]
    assert lunasig.fine("test", "a.lua", "--only", "leaves", "--list") == "a.lua: who leaves\n"


def test_slow_ones_run_when_asked_for(lunasig):
    write(lunasig, {"a.lua": HEAD + 'sig.test("long", { slow = true }, function(t) t:advance "1d" end)'})
    said = lunasig.fine("test", "a.lua")
    assert "  skipped  long (it is slow: --slow runs it)\n1 skipped: it is slow: --slow runs it\n0 passed, 1 skipped (" in said
    assert "  ok       long\n1 passed (" in lunasig.fine("test", "a.lua", "--slow")
    assert lunasig.fine("test", "a.lua", "--list") == "a.lua: long (slow)\n"


def test_slow_ones_do_not_run_at_load(lunasig):
    write(lunasig, {"mine/policy.lua": HEAD + 'sig.test("long", { slow = true }, function(t) error "it runs" end)'})
    lunasig.fine("check", "mine")
    assert lunasig("test", "mine", "--slow").returncode == 1


DICE = """
sig.test("dice", function() error("math " .. math.random() .. " sig " .. sig.random.hex(8) .. " at " .. os.time()) end)
"""


def test_the_seed_decides_what_is_random(lunasig):
    write(lunasig, {"a.lua": HEAD + DICE, "b.lua": HEAD + DICE.replace('"dice", ', '"dice", { seed = 9 }, ')})

    def thrown(*arguments):
        return re.search(r"math .*", lunasig("test", *arguments).stdout)[0]

    one = thrown("a.lua")
    assert thrown("a.lua", "--seed", "1") == one
    two = thrown("a.lua", "--seed", "2")
    assert [left != right for left, right in zip(one.split()[1:4:2], two.split()[1:4:2])] == [True, True]
    assert thrown("b.lua") == thrown("b.lua", "--seed", "2") == thrown("a.lua", "--seed", "9")


def test_rounds_have_seeds_of_their_own_and_are_summed_up(lunasig):
    write(lunasig, {"a.lua": HEAD + 'sig.test("odd", function() if math.random() < 0.5 then error "half" end end)\nsig.test("always", function() end)'})
    done = lunasig("test", "a.lua", "--repeat", "20", "--seed", "100")
    assert done.returncode == 1
    failed, of = map(int, re.search(r"^a\.lua: odd: failed in (\d+) of (\d+) rounds, seeds 1\d\d, 1\d\d", done.stdout, re.MULTILINE).groups())
    assert of == 20 and 0 < failed < 20
    assert f"{failed} failed, {40 - failed} passed, in 20 rounds (1 file, " in done.stdout
    seed = re.search(r"again: lunasig test a\.lua --seed (\d+) --only odd\n", done.stdout)[1]
    assert lunasig("test", "a.lua", "--only", "odd", "--seed", seed).returncode == 1
    assert done.stdout.count("FAILED   odd") == 1  # each is told once


def test_shuffling_goes_by_the_seed_and_can_be_repeated(lunasig):
    text = HEAD + "".join(f'sig.test("t{number}", function() end)\n' for number in range(10))
    write(lunasig, {"a.lua": text})
    plain = names(lunasig.fine("test", "a.lua"))
    assert plain == [f"t{number}" for number in range(10)]
    one = names(lunasig.fine("test", "a.lua", "--shuffle"))
    assert sorted(one) == sorted(plain) and one != plain
    assert names(lunasig.fine("test", "a.lua", "--shuffle", "--seed", "1")) == one
    assert names(lunasig.fine("test", "a.lua", "--shuffle", "--seed", "2")) != one


def test_what_fails_in_one_order_fails_again_as_it_is_told(lunasig):
    text = HEAD + "local n = 0\n" + "".join(f'sig.test("t{number}", function() n = n + 1 end)\n' for number in range(5))
    write(lunasig, {"s/a.lua": text + 'sig.test("last", function() assert(n == 5) end)\n', "s/b.lua": PASSES, "s/c.lua": PASSES})
    assert lunasig("test", "s").returncode == 0
    done = lunasig("test", "s", "--shuffle", "--repeat", "5")
    assert done.returncode == 1
    seed = re.search(r"again: lunasig test s/a\.lua --shuffle --seed (\d+)\n", done.stdout)[1]
    assert lunasig("test", "s/a.lua", "--shuffle", "--seed", seed).returncode == 1


def test_settings_and_date_of_a_test_hold_for_it_alone(lunasig):
    write(lunasig, {"a.lua": HEAD + """
sig.type "say" {}
local function flood(t)
  local ann = t:client "ann"
  ann:joins "r1"
  for _ = 1, 9 do ann:sends("say", {}) end
  return ann
end
sig.test("few", { settings = { WEBSOCKET_MESSAGE_RATE_LIMIT = "1/s burst 3" }, date = "2026-03-01T09:00:00Z" }, function(t)
  assert(os.date("!%Y-%m-%d %H:%M", os.time()) == "2026-03-01 09:00", os.date())
  flood(t):is_refused "RATE_LIMIT_EXCEEDED"
end)
sig.test("many", function(t)
  assert(os.date("!%A %H", os.time()) == "Monday 12")
  flood(t)
end)
"""})  # fmt: skip
    assert names(lunasig.fine("test", "a.lua")) == ["few", "many"]
    lunasig.fine("test", "a.lua", "--repeat", "10", "--shuffle")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("slo = true", "there is no 'slo'; did you mean 'slow'?"),
        ("slow = 1", "slow is true or false, not a number"),
        ("seed = 1.5", "seed is a whole number from 0 to 4294967295"),
        ("seed = -1", "seed is a whole number from 0 to 4294967295"),
        ('seed = "1"', "seed is a number, not a string"),
        ('date = "2026-02-30T00:00:00Z"', 'date is a time in UTC like "2026-03-01T09:00:00Z", from 1970 to 2099'),
        ('date = "2026-02-03"', "date is a time in UTC"),
        ("settings = 3", "settings is a table { NAME = value }, not a number"),
        ("settings = { 3 }", "settings: write them as NAME = value"),
        ("settings = { PORT = {} }", "settings: PORT is a text, a number or a boolean, not a table"),
        ("settings = { WEBSOCKET_MESSAGE_RATE_LIMI = 3 }", "settings: there is no setting WEBSOCKET_MESSAGE_RATE_LIMI; did you mean WEBSOCKET_MESSAGE_RATE_LIMIT?"),
        ('settings = { WEBSOCKET_MESSAGE_RATE_LIMIT = "x" }', 'settings: WEBSOCKET_MESSAGE_RATE_LIMIT: "x" is not a rate'),
        ("settings = { POLICY_CPU_MS = 3 }", "settings: POLICY_CPU_MS holds for all tests of a bundle"),
    ],
)
def test_a_wrong_option_of_a_test_is_told_at_load(lunasig, options, said):
    write(lunasig, {"a.lua": HEAD + f'sig.test("x", {{ {options} }}, function() end)\n'})
    done = lunasig("test", "a.lua")
    assert done.returncode == 2
    assert f'a.lua:3: sig.test "x": {said}' in done.stdout


def test_an_empty_table_of_options_is_fine_and_a_function_is_needed(lunasig):
    write(lunasig, {"a.lua": HEAD + 'sig.test("x", {}, function() end)\n', "b.lua": HEAD + 'sig.test("x", {})\n'})
    lunasig.fine("test", "a.lua")
    assert 'sig.test "x": a function is missing' in lunasig("test", "b.lua").stdout


def test_a_test_that_does_not_end_is_stopped_and_the_others_run(lunasig):
    endless = HEAD + 'sig.test("endless", function() while true do end end)\nsig.test("other", function() end)\n'
    write(lunasig, {"a.lua": endless})
    done = lunasig("test", "a.lua")
    assert done.returncode == 1
    assert "  ok       other\n" in done.stdout


def test_a_virtual_day_is_short_and_a_thousand_small_ones_run(lunasig):
    text = HEAD + 'sig.type "say" { payload = sig.object { n = sig.number } }\n'
    for number in range(1000):
        text += f"""
sig.test("{number}", function(t)
  local ann, bob = t:client "ann", t:client "bob"
  ann:joins "r1" bob:joins "r1"
  ann:sends("say", {{ n = {number} }})
  bob:receives("say", {{ n = {number} }})
end)"""
    write(lunasig, {"a.lua": text, "day.lua": HEAD + 'sig.test("day", function(t) t:client("ann"):joins "r1" t:advance "1d" end)'})
    print(lunasig.fine("test", "a.lua").splitlines()[-1])
    print(lunasig.fine("test", "day.lua").splitlines()[-1])


def test_a_hundred_shuffled_rounds_give_one_verdict(lunasig):
    text = PASSES + """
sig.type "say" {}
sig.on("message:say", function(room) sig.sleep "2s" room:after("5s", "later") end)
sig.on("timer:later", function(room) room:send("said", {}) end)
sig.type "said" { from = "server" }
sig.test("time", function(t)
  local ann = t:client "ann"
  ann:joins "r1"
  ann:sends("say", {})
  t:advance(math.random(1, 100))
end)
sig.test("silence", function(t) local ann = t:client "ann" ann:joins "r1" ann:vanishes() t:advance "1min" end)
"""
    write(lunasig, {"a.lua": text})
    said = lunasig.fine("test", "a.lua", "--repeat", "100", "--shuffle")
    assert said.splitlines()[-1].startswith("300 passed, in 100 rounds (1 file, ")
