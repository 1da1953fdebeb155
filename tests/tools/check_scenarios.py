"""Holds tests/scenario against what there is to be tested: each message type of lua/std and each
code with which a client is refused or closed is named by a scenario.

Names are looked for in the Lua sources without their comments: a type as a text of its own, a code
in is_refused and is_closed. What cannot be reached is in EXCEPTIONS, with the reason.
"""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

INSIDE = "steps of the server say it to each other; no client hears it"

EXCEPTIONS = {
    "OK": INSIDE,
    "WAITING": INSIDE,
    "HANDLED": INSIDE,
    "NOT_FOUND": INSIDE,
    "EXISTS": INSIDE,
    "BUSY": INSIDE,
    "TOO_BIG": INSIDE,
    "INTERNAL_ERROR": "said when the server has failed, which no scenario can make it do",
    "1000": "the client's own: leaves() says it",
    "1006": "no close at all: drops() and vanishes() do it",
    "1002": "no WebSocket (RFC 6455): below what a scenario's client speaks",
}

# Closes that no `error` frame comes before (src/flow/line.c): a scenario sees the close code.
CLOSE_ALONE = {
    "BINARY_FRAME": "1003",
    "BAD_UTF8": "1007",
    "FRAME_TOO_BIG": "1009",
    "TOO_MANY_BAD_FRAMES": "1008",
    "FLOODING": "4429",
    "REPLACED": "4409",
    "TOO_SLOW": "4408",
    "DRAINING": "1001",
}

# A `lunasig` that takes everything and notes the names of types; prints them with their policies.
LISTER = """
local any
any = setmetatable({}, {
  __index = function() return any end,
  __call = function() return any end,
  __concat = function() return "" end,
})
local sig = setmetatable({}, { __index = function() return any end })
sig.type = function(name)
  print(arg[1] .. "\\t" .. name)
  return function() end
end
package.path = arg[2] .. "/?.lua"
package.preload.lunasig = function() return sig end
dofile(arg[2] .. "/" .. arg[1]:gsub("%.", "/") .. ".lua")
"""


def declared_types():
    """{type: policy} of all of lua/std."""
    lua = next(filter(None, map(shutil.which, ("luajit", "lua5.1", "lua"))), None)
    if lua is None:
        sys.exit("check_scenarios: no Lua is installed; luajit, lua5.1 or lua will do")
    types = {}
    for path in sorted((ROOT / "lua" / "std").glob("*.lua")):
        listing = subprocess.run(
            [lua, "-", f"std.{path.stem}", str(ROOT / "lua")],
            input=LISTER, capture_output=True, text=True, check=False)
        if listing.returncode != 0:
            sys.exit(f"check_scenarios: lua/std/{path.name}: {listing.stderr.strip()}")
        for line in listing.stdout.splitlines():
            policy, name = line.split("\t")
            types[name] = policy
    return types


def codes():
    """{code: where it comes from}: wire codes of status.h, close codes of protocol.md's table."""
    status = (ROOT / "src" / "base" / "status.h").read_text()
    found = {name: "src/base/status.h" for name in re.findall(r'X\(\w+, \d+, "(\w+)"', status)}
    table = (ROOT / "docs" / "protocol.md").read_text().split("## Close codes")[1]
    for row in re.findall(r"^\| ([\d ]+) \|", table, re.MULTILINE):
        found.update((code, "docs/protocol.md, Close codes") for code in row.split())
    return found


def scenarios():
    """All their sources, without comments."""
    paths = sorted((ROOT / "tests" / "scenario").rglob("*.lua"))
    if not paths:
        sys.exit("check_scenarios: tests/scenario has no .lua files")
    return "\n".join(re.sub(r"--.*", "", path.read_text()) for path in paths)


def main():
    text = scenarios()
    texts = set(re.findall(r'"([a-z][a-z0-9-]*)"', text))
    said = set(re.findall(r'is_refused\(? ?"(\w+)"', text))
    said.update(re.findall(r"is_(?:closed|refused)\((\d+)", text))
    problems = [
        f"lua/std: the type {name} of {policy} is named by no scenario in tests/scenario"
        for name, policy in declared_types().items() if name not in texts
    ]
    known = codes()
    for code, source in known.items():
        seen = CLOSE_ALONE.get(code, code) in said
        if seen and code in EXCEPTIONS:
            problems.append(f"check_scenarios.py: {code} is an exception, but a scenario reaches it")
        elif not seen and code not in EXCEPTIONS:
            problems.append(f"{source}: no scenario in tests/scenario is refused or closed with {code}")
    for code in EXCEPTIONS.keys() - known.keys():
        problems.append(f"check_scenarios.py: the exception {code} is no code any more")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
