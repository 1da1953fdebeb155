"""What an answer has to be, and how it is said when it is not."""

import json
import re

WHEN = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$")
NUMBER = (int, float)
SHOWN = 400  # characters of what came


class Failed(Exception):
    """A test failed; the text is for the person who reads the output."""


class Skipped(Exception):
    """A test does not fit this server; the text says why."""


class Optional:
    """A member that may be missing."""

    def __init__(self, shape):
        self.shape = shape


def when(value):
    """Whether it is a time, ISO 8601 in UTC."""
    return isinstance(value, str) and WHEN.match(value) is not None


def text(value):
    return isinstance(value, str) and value != ""


def unix(value):
    """Whether it is a time in seconds since 1970, of these years."""
    return isinstance(value, NUMBER) and not isinstance(value, bool) and 1.7e9 < value < 1e10


def check(fine, what):
    if not fine:
        raise Failed(what)


def equal(got, wanted, what):
    check(got == wanted, f"{what}: {shown(wanted)} was expected, and {shown(got)} came")


def shown(value):
    if isinstance(value, (list, tuple)) and callable(next(iter(value), None)):
        return " or ".join(shown(one) for one in value)
    if isinstance(value, type) or callable(value):
        return f"<{value.__name__}>"
    try:
        said = json.dumps(value, ensure_ascii=False)
    except TypeError:
        said = repr(value)
    return said if len(said) <= SHOWN else said[:SHOWN] + "…"


def is_of(value, shape):
    """Whether a value that is no object and no list has a shape: a type, a literal, a function, or a tuple of these."""
    if isinstance(shape, tuple):
        return any(is_of(value, one) for one in shape)
    if isinstance(shape, type):
        return isinstance(value, shape) and (shape is bool or not isinstance(value, bool))
    if callable(shape):
        return shape(value)
    return value == shape and isinstance(value, bool) == isinstance(shape, bool)


def fits(value, shape, where):
    """Raises Failed, with the place, where a value is not of a shape. An object has at least the members of its shape, each of them
    fitting; of a list [shape] each element has it."""
    if isinstance(shape, dict):
        check(isinstance(value, dict), f"{where}: an object was expected, and {shown(value)} came")
        for name, inner in shape.items():
            if isinstance(inner, Optional):
                if name not in value:
                    continue
                inner = inner.shape
            check(name in value, f"{where}: there is no {name!r} in {shown(value)}")
            fits(value[name], inner, f"{where}.{name}")
    elif isinstance(shape, list):
        check(isinstance(value, list), f"{where}: a list was expected, and {shown(value)} came")
        check(shape or not value, f"{where}: an empty list was expected, and {shown(value)} came")
        for i, one in enumerate(value):
            fits(one, shape[0], f"{where}[{i}]")
    else:
        check(is_of(value, shape), f"{where}: {shown(shape)} was expected, and {shown(value)} came")


def answered(answer, status=200, shape=None):
    """The JSON of an answer that has this status (or one of these) and shape."""
    wanted = status if isinstance(status, tuple) else (status,)
    what = getattr(answer, "request", "the request")
    if answer.status not in wanted:
        raise Failed(f"{what}: {' or '.join(map(str, wanted))} was expected, and {answer.status} came: {shown(answer.body.decode('utf-8', 'replace'))}")
    try:
        body = answer.json
    except ValueError:
        raise Failed(f"{what}: JSON was expected, and {answer.body[:SHOWN]!r} came") from None
    if shape is not None:
        fits(body, shape, what)
    return body


def refused(answer, status, detail=None):
    """The answer is this refusal, in the form of the protocol: {"detail": …}."""
    body = answered(answer, status, {"detail": (str, list)})
    if detail is not None:
        equal(body["detail"], detail, f"{answer.request}: detail")
    if status == 401:
        equal(answer.headers.get("www-authenticate"), "Bearer", f"{answer.request}: WWW-Authenticate")
    if status == 422 and isinstance(body["detail"], list):
        check(body["detail"], f"{answer.request}: 422 without a word about what is wrong")
        fits(body["detail"], [{"type": str, "loc": list, "msg": str, "input": lambda _: True}], f"{answer.request}: detail")
    return body
