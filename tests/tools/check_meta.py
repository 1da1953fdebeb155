"""Fails when the editor stubs in lua/lunasig/_meta and what C gives to Lua differ, or when .luacheckrc and the sandbox do."""

import pathlib
import re
import sys

SCRIPT = "src/script"
META = "lua/lunasig/_meta"


def array_names(source, array):
    """First strings of the entries of a C array: {"name", …} or "name"."""
    body = re.search(re.escape(array) + r"\[\]\s*=\s*\{(.*?)\};", source, re.S)
    if body is None:
        return set()
    entries = re.findall(r'\{\s*"([^"]+)"', body.group(1))
    return set(entries or re.findall(r'"([^"]+)"', body.group(1)))


def stub_names(text, class_name, table):
    """Fields of ---@class class_name and functions of its table."""
    block = re.search(r"---@class " + re.escape(class_name) + r"\b[^\n]*\n((?:---[^\n]*\n)*)", text)
    fields = set(re.findall(r"---@field (\w+)", block.group(1))) if block else set()
    return fields | set(re.findall(r"^function " + table + r"[.:](\w+)\(", text, re.M))


ARRAYS = re.compile(r"\b(?:luaL_Reg|struct lsig_handle_field)\s+(\w+)\[\]\s*=\s*\{(.*?)\};", re.S)
SET = re.compile(r'lua_setfield\(L, -?\d+, "([a-z]\w*)"\)')
# What may stand behind ---@ in a stub, and in which form (the annotations of LuaLS).
NAME = r"[A-Za-z_][\w.]*"
ANNOTATIONS = {
    "meta": rf"( {NAME})?",
    "class": rf" {NAME}( ?: ?{NAME})?( .*)?",
    "field": rf" ((public|private|protected) )?({NAME}\??|\[.+?\]) \S.*",
    "param": rf" ({NAME}\??|\.\.\.) \S.*",
    "return": r" \S.*",
    "alias": rf" {NAME} \S.*",
    "overload": r" fun\(.*\).*",
    "type": r" \S.*",
    "generic": rf" {NAME}.*",
    "operator": r" \w+(\(.*\))?: ?\S.*",
    "deprecated": "",
    "nodiscard": "",
}


def check_annotations(path, text):
    """Complaints about lines that an editor would not understand."""
    complaints = []
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r"---@(\w+)(.*)$", line)
        if found is None:
            continue
        kind, rest = found.groups()
        if kind not in ANNOTATIONS:
            complaints.append(f"{path}:{number}: there is no annotation @{kind}")
        elif not re.fullmatch(ANNOTATIONS[kind], rest.rstrip()):
            complaints.append(f"{path}:{number}: @{kind} is not of its form")
        elif any(rest.count(a) != rest.count(b) for a, b in ("()", "[]", "{}")) and "`" not in rest:
            complaints.append(f"{path}:{number}: a bracket is missing")
    return complaints


def check_parameters(path, text):
    """Every @param in front of a function is one of its parameters, and the other way round."""
    complaints = []
    pattern = re.compile(r"((?:^---[^\n]*\n)+)^function ([\w.:]+)\((.*?)\)", re.M)
    for block, function, written in pattern.findall(text):
        named = [name.rstrip("?") for name in re.findall(r"^---@param (\S+)", block, re.M)]
        parameters = [name.strip() for name in written.split(",") if name.strip()]
        if named != parameters:
            complaints.append(f"{path}: {function}: has {parameters}, but @param says {named}")
    return complaints


def check_all(root):
    """Every function that any file of C gives to Lua has a stub, and every stub is one of those."""
    stubs, complaints = "", []
    for path in sorted((root / META).glob("*.lua")):
        text = path.read_text(encoding="utf-8")
        complaints += check_annotations(path.name, text) + check_parameters(path.name, text)
        if path.name != "lua.lua":  # Lua's own
            stubs += text
    documented = set(re.findall(r"^function \w+[.:](\w+)\(", stubs, re.M)) | set(re.findall(r"^---@field (\w+)", stubs, re.M))
    given = set()
    for path in sorted((root / SCRIPT).glob("*.c")):
        source = path.read_text(encoding="utf-8")
        given |= set(SET.findall(source)) | array_names(source, "kinds") | array_names(source, "operators")
        for array, body in ARRAYS.findall(source):
            names = set(re.findall(r'\{\s*"([a-z]\w*)"', body))
            given |= names
            if path.name not in ("lib_string.c", "lib_table.c", "lib_coroutine.c"):  # Lua's own
                complaints += [f"{path.name}: {array}: {name} has no stub" for name in sorted(names - documented)]
    functions = set(re.findall(r"^function (\w+[.:]\w+)\(", stubs, re.M))
    complaints += [f"{name}: in the stubs, not in C" for name in sorted(functions) if re.split(r"[.:]", name)[1] not in given]
    return complaints


def main(root):
    complaints = []

    def read(path):
        return (root / path).read_text(encoding="utf-8")

    def compare(what, in_c, in_stub):
        if not in_c:
            complaints.append(f"{what}: found nothing in C: is this test out of date?")
        complaints.extend(f"{what}.{name}: in C, not in the stub" for name in sorted(in_c - in_stub))
        complaints.extend(f"{what}.{name}: in the stub, not in C" for name in sorted(in_stub - in_c))

    for module in ("room", "member", "message", "request"):
        source = read(f"{SCRIPT}/lib_{module}.c")
        names = array_names(source, f"{module}_fields") | array_names(source, f"{module}_methods")
        title = module.capitalize()
        compare(module, names, stub_names(read(f"{META}/{module}.lua"), f"lunasig.{title}", title))

    tests = read(f"{SCRIPT}/lib_test.c")
    stub = read(f"{META}/test.lua")
    of_test = array_names(tests, "test_fields") | array_names(tests, "test_methods")
    compare("t", of_test, stub_names(stub, "lunasig.Test", "Test"))
    compare("client of a test", array_names(tests, "client_fields"), stub_names(stub, "lunasig.TestClient", "TestClient"))

    sig = {"null", "type", "sleep"}
    for path in (root / SCRIPT).glob("lib_*.c"):
        source = path.read_text(encoding="utf-8")
        for array in ("sig_functions", "declare_functions", "kinds", "state_functions", "stats_functions"):
            sig |= array_names(source, array)
        sig |= set(re.findall(r'lua_setfield\(L, -2, "(json|metric|mongo|random|store)"\)', source))
        sig |= set(re.findall(r'add_absent\(L, "(\w+)"', source))
    stubs = "".join(path.read_text(encoding="utf-8") for path in (root / META).glob("*.lua"))
    documented = set()
    for block in stubs.split("---@class "):
        if re.match(r"lunasig\s", block):
            documented |= set(re.findall(r"^---@field (\w+)", block.split("\n\n")[0], re.M))
    compare("sig", sig, documented | set(re.findall(r"^function sig\.(\w+)\(", stubs, re.M)))
    declaring = read(f"{SCRIPT}/lib_type.c")
    stub = read(f"{META}/sig.lua")
    compare("sig.type", array_names(declaring, "type_functions"), stub_names(stub, "lunasig.Declare", "Declare"))
    compare("fields of sig.type", array_names(declaring, "field_names"), stub_names(stub, "lunasig.Type", "?"))

    sandbox = read(f"{SCRIPT}/sandbox.c")
    luacheck = read(".luacheckrc")
    text = read(f"{SCRIPT}/lib_string.c")
    table = set(re.findall(r'\{"(\w+)", table_\w+\}', read(f"{SCRIPT}/lib_table.c")))
    coroutines = read(f"{SCRIPT}/lib_coroutine.c")
    coroutines = set(re.findall(r'"  (\w+) = function', coroutines)) | set(re.findall(r'lua_setfield\(L, -3, "(\w+)"\)', coroutines))
    libraries = {
        "coroutine": coroutines,
        "bit": array_names(sandbox, "bit_names"),
        "math": array_names(sandbox, "math_names"),
        "os": array_names(sandbox, "os_names") | {"date"},
        "string": array_names(sandbox, "string_names") | array_names(text, "bounded") | array_names(text, "patterns"),
        "table": table,
    }
    for name, in_c in libraries.items():
        fields = re.search(r"\b" + name + r" = \{\s*fields = \{(.*?)\}", luacheck, re.S).group(1)
        compare(f".luacheckrc {name}", in_c, set(re.findall(r'"(\w+)"', fields)))
    compare("coroutine", coroutines, set(re.findall(r"^function coroutine\.(\w+)\(", read(f"{META}/lua.lua"), re.M)))
    first = re.search(r"read_globals = \{(.*?)bit =", luacheck, re.S).group(1)
    base = array_names(sandbox, "base_names") | {"rawset", "print", "require", "xpcall"}
    compare(".luacheckrc", base, set(re.findall(r'"(\w+)"', first)))

    complaints += check_all(root)
    print("\n".join(complaints) or "stubs and C agree")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
