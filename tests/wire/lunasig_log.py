"""Lines of a log in JSON against docs/log.md."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import check_log_docs

EVENTS = check_log_docs.documented()


def check(lines):
    """Each is told of there: its event, its level and its fields. What is no JSON, or was cut off with its server, is left out."""
    for line in lines:
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if not isinstance(said, dict) or "event" not in said:
            continue
        assert said["event"] in EVENTS, f"not in docs/log.md: {line}"
        levels, fields = EVENTS[said["event"]]
        more = said.keys() - fields - {"time", "level", "event"}
        assert said["level"] in levels and (not more or check_log_docs.ANY in fields), f"not as in docs/log.md: {line}"
