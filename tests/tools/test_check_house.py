"""The checker of the house rules finds each breach in a small bad tree, and nothing in a good one."""

import pytest

from check_house import House

GOOD = {
    "src/base/buf.h": "#pragma once\n",
    "src/base/buf.c": '#include "base/buf.h"\n\n#include <string.h>\n',
    "src/codec/CMakeLists.txt": "target_link_libraries(lsig_codec PUBLIC lsig_base lsig_options)\n",
    "src/store/store.h": "#pragma once\n",
    "src/room/room.h": '#pragma once\n#include "base/buf.h"\n',
    "src/script/vm.c": "#include <lua.h>\n#include <uv.h>\n",
    "src/net/listener.h": "#pragma once\n",
    "src/server.h": "#pragma once\n",
    "src/server.c": '#include "server.h"\n\n#include <uv.h>\n\n#include "net/listener.h"\n',
    "src/main.c": '#include "server.h"\n',
    "tests/unit/test_buf.c": "int main(void) { return 0; }\n",
    "lua/policy.lua": "sig.sleep(1)\n",
}


def complaints(folder, files):
    for name, text in {**GOOD, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return House(folder).check()


def function_of(lines):
    return "static void f(void)\n{\n" + "    g();\n" * lines + "}\n"


def test_a_good_tree_has_no_complaints(tmp_path):
    files = {
        "src/base/long.c": function_of(70),
        "src/net/tls.c": "#include <openssl/ssl.h>\n",
        "src/base/full.c": "\n" * 500,
        "src/base/fuller.h": "\n" * 200,
        "tests/unit/fixture.h": "\n" * 500,
        "src/base/table.c": "static const int table[] = {1};\nstatic inline int f(void);\nstatic int g(void);\n",
        "src/base/log.c": "static struct ring ring;\n",
        "tests/wire/test_policy.py": 'POLICY = "sig.sleep(1)"\n',
    }
    assert complaints(tmp_path, files) == []


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("src/base/a.c", '#include "room/room.h"\n', "src/base/a.c:1: base (rank 0) must not include room/room.h (rank 2)"),
        ("src/store/a.c", '#include "room/room.h"\n', "src/store/a.c:1: store (rank 2) must not include room/room.h (rank 2)"),
        ("src/net/a.c", '#include "server.h"\n', "src/net/a.c:1: net (rank 5) must not include server.h (rank 6)"),
        ("src/server.c", '#include "server.h"\n#include "command.h"\n', "src/server.c:2: command.h is not in src/"),
        ("src/base/a.c", '#include "../base/buf.h"\n', "src/base/a.c:1: include from src/, not ../base/buf.h"),
        ("src/new/a.c", "\n", "src/new/a.c: folder new has no rank"),
        ("src/flow/a.c", "#include <lua.h>\n", "src/flow/a.c:1: lua.h belongs into script only"),
        ("src/flow/a.c", "#  include <uv.h>\n", "src/flow/a.c:1: uv.h belongs into auth, net, script, server.c, server_check.c, server_watch.c, store only"),
        ("src/folders.c", "#include <uv.h>\n", "src/folders.c:1: uv.h belongs into auth, net, script, server.c, server_check.c, server_watch.c, store only"),
        ("src/net/a.c", "#include <openssl/sha.h>\n", "src/net/a.c:1: openssl/sha.h belongs into auth, base, net/frame_watch.c, net/tls.c only"),
        ("src/net/a.c", "#include <curl/curl.h>\n", "src/net/a.c:1: curl/curl.h belongs into net/dial_parts.h, net/version.c, net/webhook_post.c only"),
        ("src/room/a.c", "#include <sqlite3.h>\n", "src/room/a.c:1: sqlite3.h belongs into store only"),
        ("src/flow/a.h", "#include <jansson.h>\n", "src/flow/a.h:1: jansson.h belongs into codec, script only"),
        ("src/base/buf.c", '#include <string.h>\n\n#include "base/buf.h"\n', "src/base/buf.c: the own header comes first"),
        ("src/base/a.c", "\n" * 501, "src/base/a.c: 501 lines, limit 500"),
        ("src/base/a.h", "\n" * 201, "src/base/a.h: 201 lines, limit 200"),
        ("lua/std/a.lua", "\n" * 501, "lua/std/a.lua: 501 lines, limit 500"),
        ("src/base/a.c", function_of(71), "src/base/a.c:2: function of 71 lines, limit 70"),
        ("src/base/a.c", "static int counter;\n", "src/base/a.c:1: changeable state of a file; pass it as a parameter"),
        ("src/base/a.c", "static int counter = 0;\n", "src/base/a.c:1: changeable state of a file; pass it as a parameter"),
        ("src/base/a.h", "typedef struct a a;\n", "src/base/a.h:1: struct lsig_x, no typedef"),
        ("src/base/util.c", "\n", "src/base/util.c: name it after what it does"),
        ("docs/a.md", "TO" + "DO: write\n", "docs/a.md:1: left open: do it, or write an issue"),
        ("tests/unit/a.c", "    us" + "leep(5);\n", "tests/unit/a.c:1: wait for an event with a deadline, not for time"),
        ("tests/wire/a.py", "time.sl" + "eep(1)\n", "tests/wire/a.py:1: wait for an event with a deadline, not for time"),
        (
            "src/codec/CMakeLists.txt",
            "target_link_libraries(lsig_codec PUBLIC lsig_base\n    PRIVATE lsig_room)\n",
            "src/codec/CMakeLists.txt: lsig_codec must not link lsig_room",
        ),
        (
            "src/auth/CMakeLists.txt",
            "target_link_libraries(lsig_auth PUBLIC lsig_store)\n",
            "src/auth/CMakeLists.txt: lsig_auth must not link lsig_store",
        ),
    ],
)
def test_each_breach_is_found(tmp_path, name, text, complaint):
    assert complaints(tmp_path, {name: text}) == [complaint]
