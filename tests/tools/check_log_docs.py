"""Holds docs/log.md against the events that the sources log: name, levels, fields. The tests of tests/wire hold every line of the
servers that they start against the same table.

check_log_docs.py [--list]
"""

import pathlib
import re
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = REPOSITORY / "docs/log.md"
ANY = "…"  # among the fields: more of any name
ROW = re.compile(r"\| `([a-z-]+)` \| ([a-z, ]+) \| (.*?) \| (.+) \|$")
LITERAL = r'"((?:[^"\\]|\\.)*)"'


def documented(text=None):
    """Event -> (its levels, its fields)."""
    rows = [ROW.match(line) for line in (text or REFERENCE.read_text()).splitlines()]
    return {row[1]: (set(row[2].split(", ")), set(re.findall(r"`([a-z_]+)`", row[3])) | ({ANY} & set(row[3]))) for row in rows if row}


def arguments(text, start):
    """What stands between the brackets of a call whose first byte is at `start`, and where it ends."""
    depth, at = 1, start
    while depth:
        literal = re.compile(LITERAL).match(text, at)
        at = literal.end() if literal else at + 1
        if not literal:
            depth += {"(": 1, ")": -1}.get(text[at - 1], 0)
    return text[start : at - 1]


def events_named(text, call, position):
    """The literals in the second argument; where that is a parameter, those that its function is called with."""
    second = call.split(",")[1]  # neither level nor name has a comma
    names = re.findall(LITERAL, second)
    if names:
        return names
    function = re.findall(r"(?m)^(?:static )?\w[\w ]*?\**(\w+)\([^;{}]*\)\n\{", text[:position])[-1]
    calls = (arguments(text, found.end()) for found in re.finditer(rf"(?<=    ){function}\(", text))
    return [name for call in calls for name in re.findall(LITERAL, call)]


def logged():
    """The same of the sources; fields None: they are put together while it runs."""
    found = {}
    for path in sorted((REPOSITORY / "src").rglob("*.c")):
        text = path.read_text()
        for call in re.finditer(r"(?<=    )lsig_log(_write)?\(", text):
            inside = arguments(text, call.end())
            levels = {level.lower() for level in re.findall(r"LSIG_(DEBUG|INFO|WARNING|ERROR)", inside)}
            fields = None if call[1] else set(re.findall(r'LSIG_LOG_(?:TEXT|SPAN|NUMBER)\(\s*"(\w+)"', inside))
            for name in events_named(text, inside, call.start()):
                known = found.setdefault(name, (set(), set()))
                found[name] = (known[0] | levels, None if fields is None or known[1] is None else known[1] | fields)
    return found


def main(listing):
    in_source, in_docs = logged(), documented()
    if listing:
        for name, (levels, fields) in sorted(in_source.items()):
            print(f"| `{name}` | {', '.join(sorted(levels))} | {', '.join(f'`{field}`' for field in sorted(fields or []))} | |")
        return 0
    wrong = [f"{name}: logged, not in {REFERENCE.name}" for name in in_source.keys() - in_docs.keys()]
    wrong += [f"{name}: in {REFERENCE.name}, never logged" for name in in_docs.keys() - in_source.keys()]
    for name in in_source.keys() & in_docs.keys():
        (levels, fields), (told_levels, told_fields) = in_source[name], in_docs[name]
        if levels and not told_levels <= levels:
            wrong.append(f"{name}: levels are {sorted(levels)}, not {sorted(told_levels)}")
        if fields is not None and fields != told_fields:
            wrong.append(f"{name}: fields are {sorted(fields)}, not {sorted(told_fields)}")
    print("\n".join(sorted(wrong)), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main("--list" in sys.argv))
