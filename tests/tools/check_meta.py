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


def main(root):
    complaints = []

    def read(path):
        return (root / path).read_text(encoding="utf-8")

    def compare(what, in_c, in_stub):
        if not in_c:
            complaints.append(f"{what}: found nothing in C: is this test out of date?")
        complaints.extend(f"{what}.{name}: in C, not in the stub" for name in sorted(in_c - in_stub))
        complaints.extend(f"{what}.{name}: in the stub, not in C" for name in sorted(in_stub - in_c))

    for module in ("room", "member", "message"):
        source = read(f"{SCRIPT}/lib_{module}.c")
        names = array_names(source, f"{module}_fields") | array_names(source, f"{module}_methods")
        title = module.capitalize()
        compare(module, names, stub_names(read(f"{META}/{module}.lua"), f"lunasig.{title}", title))

    stub = read(f"{META}/sig.lua")
    sig = array_names(read(f"{SCRIPT}/lib_sig.c"), "sig_functions") | {"null", "type"}
    sig |= array_names(read(f"{SCRIPT}/lib_schema.c"), "kinds")
    compare("sig", sig, stub_names(stub, "lunasig", "sig"))
    declaring = read(f"{SCRIPT}/lib_type.c")
    compare("sig.type", array_names(declaring, "type_functions"), stub_names(stub, "lunasig.Declare", "Declare"))
    compare("fields of sig.type", array_names(declaring, "field_names") - {"keep"}, stub_names(stub, "lunasig.Type", "?"))

    sandbox = read(f"{SCRIPT}/sandbox.c")
    luacheck = read(".luacheckrc")
    text = read(f"{SCRIPT}/lib_string.c")
    table = set(re.findall(r'\{"(\w+)", table_\w+\}', read(f"{SCRIPT}/lib_table.c")))
    libraries = {
        "bit": array_names(sandbox, "bit_names"),
        "math": array_names(sandbox, "math_names"),
        "os": array_names(sandbox, "os_names") | {"date"},
        "string": array_names(sandbox, "string_names") | array_names(text, "bounded") | {"find"},
        "table": table,
    }
    for name, in_c in libraries.items():
        fields = re.search(r"\b" + name + r" = \{\s*fields = \{(.*?)\}", luacheck, re.S).group(1)
        compare(f".luacheckrc {name}", in_c, set(re.findall(r'"(\w+)"', fields)))
    first = re.search(r"read_globals = \{(.*?)bit =", luacheck, re.S).group(1)
    base = array_names(sandbox, "base_names") | {"rawset", "print", "require"}
    compare(".luacheckrc", base, set(re.findall(r'"(\w+)"', first)))

    print("\n".join(complaints) or "stubs and C agree")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
