"""Holds docs/settings.md and conf/lunasig.env.example against the table of settings in the program.

check_settings_docs.py PROGRAM [--update]
"""

import pathlib
import re
import subprocess
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = REPOSITORY / "docs/settings.md"
EXAMPLE = REPOSITORY / "conf/lunasig.env.example"
TABLE_START = "| key |"
EXAMPLE_START = """\
# Settings of Lunasig, each with its default. Take away the # in front of a key to change it.
# Use: lunasig serve -c FILE; or copy it to ./.env where the server starts. docs/settings.md says more.

"""


def output_of(program, *arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True, timeout=60).stdout


def wanted(program):
    intro = REFERENCE.read_text().partition(TABLE_START)[0]
    defaults = output_of(program, "config", "--defaults")
    return {
        REFERENCE: intro + output_of(program, "config", "--defaults", "--markdown"),
        EXAMPLE: EXAMPLE_START + re.sub(r"(?m)^([A-Z])", r"#\1", defaults),
    }


def main(program, *options):
    stale = []
    for path, text in wanted(program).items():
        if options == ("--update",):
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(path.relative_to(REPOSITORY))
    for path in stale:
        print(f"{path} is not what the program says; tests/tools/check_settings_docs.py PROGRAM --update", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
