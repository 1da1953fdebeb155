"""Fails when a file breaks a rule of the house (docs/ARCHITECTURE.md). check_house.py [FOLDER]"""

import pathlib
import re
import sys

RANKS = {"base": 0, "codec": 1, "room": 2, "store": 2, "auth": 2, "script": 3, "flow": 4, "net": 5, "scenario": 5}
SERVER_RANK, COMMAND_RANK = 6, 7
# Folders, and single files, that may know a third party's header.
FOREIGN = {
    r"lua\.h|lualib\.h|lauxlib\.h|luajit\.h": {"script"},
    r"libwebsockets\.h": {"net"},
    r"sqlite3\.h": {"store"},
    r"mongoc/.*|bson/.*": {"store"},
    r"jwt\.h": {"auth"},
    r"crypt\.h": {"auth"},
    r"jansson\.h": {"codec", "script"},
    r"uv\.h": {"net", "store", "auth", "script", "server.c", "server_check.c", "server_watch.c"},
    r"openssl/.*": {"base", "auth", "net/tls.c", "net/frame_watch.c"},
    r"curl/.*": {"net/webhook_post.c", "net/dial_parts.h", "net/version.c"},
}
LINES_MAX = {".c": 500, ".h": 200, ".lua": 500, ".py": 500, ".js": 500, ".sh": 500}
FUNCTION_LINES_MAX = 70
LEFT_OPEN = re.compile(r"\b(" + "TO" + "DO|FIX" + "ME|X" + r"XX)\b")
WAITS = re.compile(r"(?<![\w.])(usleep|nanosleep|sleep|time\.sleep)\s*\(")
SEARCHED = ("src", "lua", "tests", "scripts", "examples", "docs", "conf")
# Files whose one piece of changeable state is part of their contract.
STATEFUL = {"base/log.c", "net/frame_watch.c"}


class House:
    def __init__(self, root):
        self.root = root
        self.complaints = []

    def complain(self, path, line, text):
        place = f"{path.relative_to(self.root)}:{line}" if line else f"{path.relative_to(self.root)}"
        self.complaints.append(f"{place}: {text}")

    def rank(self, path):
        """Rank of a file in src/, and the folder (or file of src/) that the rules name it by."""
        parts = path.relative_to(self.root / "src").parts
        if len(parts) == 1:
            command = parts[0] == "main.c" or parts[0].startswith("command")
            return COMMAND_RANK if command else SERVER_RANK, parts[0]
        return RANKS.get(parts[0]), parts[0]

    def check_include(self, path, number, target):
        rank, folder = self.rank(path)
        if target.startswith(".."):
            self.complain(path, number, f"include from src/, not {target}")
            return
        other = self.root / "src" / target
        if not other.exists():
            self.complain(path, number, f"{target} is not in src/")
            return
        other_rank, other_folder = self.rank(other)
        in_folder = len(path.relative_to(self.root / "src").parts) > 1
        same = folder == other_folder or (not in_folder and "/" not in target and rank >= other_rank)
        if other_rank is not None and not same and other_rank >= rank:
            self.complain(path, number, f"{folder} (rank {rank}) must not include {target} (rank {other_rank})")

    def check_foreign(self, path, number, target):
        folder = self.rank(path)[1]
        for pattern, allowed in FOREIGN.items():
            if re.fullmatch(pattern, target) and not {folder, str(path.relative_to(self.root / "src"))} & allowed:
                self.complain(path, number, f"{target} belongs into {', '.join(sorted(allowed))} only")

    def check_c(self, path, lines):
        if self.rank(path)[0] is None:
            self.complain(path, 0, f"folder {self.rank(path)[1]} has no rank")
            return
        own_header = path.with_suffix(".h")
        first = None
        opened = 0
        for number, line in enumerate(lines, 1):
            if ours := re.match(r'\s*#\s*include\s*"([^"]+)"', line):
                first = first or ours[1]
                self.check_include(path, number, ours[1])
            if foreign := re.match(r"\s*#\s*include\s*[<\"]([^>\"]+)[>\"]", line):
                self.check_foreign(path, number, foreign[1])
                first = first or foreign[1]
            if re.match(r"typedef\s+(struct|union|enum)\b", line):
                self.complain(path, number, "struct lsig_x, no typedef")
            if self.is_state(path, line):
                self.complain(path, number, "changeable state of a file; pass it as a parameter")
            if line == "{":
                opened = number
            if line == "}" and opened:
                if number - opened - 1 > FUNCTION_LINES_MAX:
                    self.complain(path, opened, f"function of {number - opened - 1} lines, limit {FUNCTION_LINES_MAX}")
                opened = 0
        if path.suffix == ".c" and own_header.exists() and first != str(own_header.relative_to(self.root / "src")):
            self.complain(path, 0, "the own header comes first")

    def is_state(self, path, line):
        if str(path.relative_to(self.root / "src")) in STATEFUL:
            return False
        return re.match(r"static (?!inline\b)[^()]*(=|;)", line) and not re.search(r"\bconst\b", line)

    def check_links(self, path, text):
        folder = path.parent.name
        for call in re.findall(r"target_link_libraries\(\s*lsig_" + folder + r"\b([^)]*)\)", text):
            for other in re.findall(r"\blsig_(\w+)", call):
                if other != "options" and RANKS.get(other, COMMAND_RANK) >= RANKS.get(folder, 0):
                    self.complain(path, 0, f"lsig_{folder} must not link lsig_{other}")

    def check_text(self, path, lines):
        fixture = path.suffix == ".h" and path.is_relative_to(self.root / "tests")  # code for several tests
        limit = LINES_MAX[".c"] if fixture else LINES_MAX.get(path.suffix)
        if limit and len(lines) > limit:
            self.complain(path, 0, f"{len(lines)} lines, limit {limit}")
        if path.name in ("util.c", "utils.c", "misc.c", "helpers.c"):
            self.complain(path, 0, "name it after what it does")
        for number, line in enumerate(lines, 1):
            if LEFT_OPEN.search(line):
                self.complain(path, number, "left open: do it, or write an issue")
            if path.is_relative_to(self.root / "tests") and path.suffix in (".c", ".h", ".py") and WAITS.search(line):
                self.complain(path, number, "wait for an event with a deadline, not for time")

    def check(self):
        for top in SEARCHED:
            for path in sorted((self.root / top).rglob("*")):
                if not path.is_file() or "node_modules" in path.parts or path.suffix in (".png", ".pyc"):
                    continue
                if any(part.startswith("corpus_") for part in path.parts):
                    continue  # inputs for the fuzzer: not for people
                text = path.read_text("utf-8")
                lines = text.splitlines()
                self.check_text(path, lines)
                if top == "src" and path.suffix in (".c", ".h"):
                    self.check_c(path, lines)
                if top == "src" and path.name == "CMakeLists.txt":
                    self.check_links(path, text)
        return self.complaints


if __name__ == "__main__":
    found = House(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()).check()
    print("\n".join(found), file=sys.stderr)
    sys.exit(1 if found else 0)
