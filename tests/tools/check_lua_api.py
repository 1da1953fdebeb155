"""Holds docs/lua-api.md against the stubs that it is made from.

check_lua_api.py [--update]
"""

import pathlib
import re
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
STUBS = REPOSITORY / "lua/lunasig/_meta"
PAGE = REPOSITORY / "docs/lua-api.md"
FIRST = ("sig", "room", "member", "message", "request", "route", "schema", "state", "store")
HEAD = """# The Lua interface

Made from the stubs in `lua/lunasig/_meta` by `tests/tools/check_lua_api.py --update`. [Policies](policies.md) says how it all
goes together. `?` behind a type means that it may be nil, behind a field that it may be left out.
"""


def split_type(text):
    """The type at the beginning of a text, and the rest: brackets, parentheses and `fun(…): x` belong together."""
    depth = 0
    at = 0
    while at < len(text):
        if text[at] in "([{<":
            depth += 1
        elif text[at] in ")]}>":
            depth -= 1
        elif text[at] == " " and depth == 0 and text[at - 1] not in ":|,":
            break
        at += 1
    return text[:at], text[at:].strip()


def cell(text):
    return text.replace("|", "\\|")


class Page:
    def __init__(self):
        self.out = [HEAD]
        self.rows = []

    def flush(self):
        if self.rows:
            self.out.append("| field | type | |\n| --- | --- | --- |")
            self.out.extend(self.rows)
            self.out.append("")
            self.rows = []

    def add_class(self, rest, prose):
        name, _, said = rest.partition(" ")
        self.flush()
        self.out.append(f"### {name.removeprefix('lunasig.')}\n")
        self.out.append(" ".join(filter(None, [*prose, said])) + "\n")

    def add_field(self, rest):
        name, _, rest = rest.partition(" ")
        type, said = split_type(rest)
        self.rows.append(f"| `{name}` | `{cell(type)}` | {cell(said)} |")

    def add_function(self, signature, prose, tags):
        self.flush()
        self.out.append(f"#### `{signature}`\n")
        if prose:
            self.out.append("\n".join(prose) + "\n")
        for kind, rest in tags:
            if kind == "param":
                name, _, rest = rest.partition(" ")
                type, said = split_type(rest)
                self.out.append(f"* `{name}`: `{type}`{' ' + said if said else ''}")
            elif kind == "return":
                type, said = split_type(rest)
                self.out.append(f"* returns `{type}`{' ' + said if said else ''}")
        if tags:
            self.out.append("")


def print_stub(page, text):
    prose, tags = [], []
    for line in text.splitlines():
        tag = re.match(r"---@(\w+)\s*(.*)", line)
        function = re.match(r"function (\w+)([.:])(\w+)\((.*)\) end", line)
        if tag and tag[1] == "meta":
            continue
        if tag and tag[1] == "class":
            page.add_class(tag[2], prose)
            prose, tags = [], []
        elif tag and tag[1] == "field":
            page.add_field(tag[2])
        elif tag and tag[1] == "alias":
            page.flush()
            name, _, rest = tag[2].partition(" ")
            page.out.append(f"`{name.removeprefix('lunasig.')}` is `{rest}`.\n")
        elif tag:
            tags.append((tag[1], tag[2]))
        elif line.startswith("---"):
            prose.append(line[3:].removeprefix(" "))
        elif function:
            page.add_function(f"{function[1][0].lower()}{function[1][1:]}{function[2]}{function[3]}({function[4]})", prose, tags)
            prose, tags = [], []
        elif not line.strip():
            prose, tags = [], []
    page.flush()


def made():
    page = Page()
    names = sorted((path.stem for path in STUBS.glob("*.lua")), key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name))
    for name in names:
        page.out.append(f"## {name}\n")
        print_stub(page, (STUBS / f"{name}.lua").read_text(encoding="utf-8"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(page.out)).rstrip() + "\n"


def main(arguments):
    text = made()
    if "--update" in arguments:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        print("docs/lua-api.md is not what the stubs say; tests/tools/check_lua_api.py --update", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
