"""Holds the code map of docs/ARCHITECTURE.md against the first comment of every header. check_code_map.py [--update]"""

import pathlib
import re
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs/ARCHITECTURE.md"
START, END = "<!-- code map: made from the headers by tests/tools/check_code_map.py --update -->\n", "<!-- end of the code map -->\n"
FOLDERS = ("base", "codec", "room", "store", "auth", "script", "flow", "net", "scenario", ".")


def headline(path):
    """The first sentence of the comment that opens a header, without its name."""
    comment = []
    for line in path.read_text().splitlines():
        if not line.startswith("//") or line == "//":
            break
        comment.append(line[2:].strip())
    said = re.match(r"\S+ - (.*)", " ".join(comment))
    assert said, f"{path.relative_to(REPOSITORY)} does not begin with // {path.name} - what it is"
    return re.split(r"(?<=[.;])\s", said[1], maxsplit=1)[0].rstrip(".;")


def code_map():
    rows = []
    for folder in FOLDERS:
        rows.append(f"\n**{'src' if folder == '.' else 'src/' + folder}**\n")
        for path in sorted((REPOSITORY / "src" / folder).glob("*.h")):
            rows.append(f"* `{path.name}`: {headline(path)}")
    return "\n".join(rows).lstrip("\n") + "\n"


def main(*options):
    text = PAGE.read_text()
    head, start, rest = text.partition(START)
    tail = rest.partition(END)[2]
    assert start and END in rest, "the marks of the code map are not in docs/ARCHITECTURE.md"
    wanted = f"{head}{START}\n{code_map()}\n{END}{tail}"
    if options == ("--update",):
        PAGE.write_text(wanted)
    elif text != wanted:
        print("docs/ARCHITECTURE.md: the code map is old; tests/tools/check_code_map.py --update", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except AssertionError as failure:
        sys.exit(str(failure))
