"""Loads the Lua that the docs show. check_docs_lua.py PROGRAM

Each snippet of docs/lua-api.md (indented by four spaces), and each block ```lua of the other pages that is not written to a file there
(check_docs_commands.py), is a policy: with the stock policies in front of it, unless it says what it uses, it has to pass `lunasig check`. One that
speaks of `t` is the inside of a test.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = REPOSITORY / "lua"
FENCED = re.compile(r"^```lua\n(.*?)^```$", re.M | re.S)
INDENTED = re.compile(r"(?:(?<=\n\n)|\A)((?:    .*\n|\n(?=    ))+)", re.M)
HEAD = 'local sig = require "lunasig"\n'
NAMED = 'sig.policy { name = "example", api = 1 }\n'


def snippets_of(page):
    """(line, Lua) of each snippet."""
    text = page.read_text(encoding="utf-8")
    pattern = INDENTED if page.name == "lua-api.md" else FENCED
    for match in pattern.finditer(text):
        yield text.count("\n", 0, match.start(1)) + 1, re.sub(r"^    ", "", match[1], flags=re.M) if pattern is INDENTED else match[1]


def used():
    """The stock policies, as lua/policy.lua lists them."""
    return re.search(r"sig\.use \{.*?\n\}", (LIBRARY / "policy.lua").read_text(encoding="utf-8"), re.S)[0] + "\n"


def policy_of(snippet):
    lines = HEAD if 'require "lunasig"' not in snippet else ""
    if "sig.policy" not in snippet:
        lines += NAMED
    if "sig.use" not in snippet:
        lines += used()
    if re.match(r"t:|local \w+ = t:", snippet):
        snippet = f'sig.test("example", function(t)\n{snippet}end)\n'
    return lines + snippet


def main(program):
    count = 0
    wrong = 0
    for page in [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]:
        for line, snippet in snippets_of(page):
            with tempfile.TemporaryDirectory(prefix="lunasig-docs-") as folder:
                (pathlib.Path(folder) / "policy.lua").write_text(policy_of(snippet), encoding="utf-8")
                done = subprocess.run(
                    [program, "check", folder], env={"LUA_DIR": str(LIBRARY)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
                )
            count += 1
            if done.returncode != 0:
                wrong += 1
                print(f"{page.relative_to(REPOSITORY)}:{line}:\n{done.stdout}\n{snippet}", file=sys.stderr)
    print(f"{count} snippets were loaded")
    return 1 if wrong or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
