#include <string.h>

#include "auth/version.h"
#include "codec/version.h"
#include "command.h"
#include "net/version.h"
#include "script/version.h"
#include "store/version.h"

static int version(const struct lsig_command *command, int argc, char **argv)
{
    (void)argc;
    struct lsig_command_line line;
    int status;
    if (!lsig_command_parse(command, NULL, 0, argv, &line, &status)) {
        return status;
    }
    struct lsig_buf out;
    lsig_buf_init(&out, 4096);
    lsig_buf_append_format(&out, "lunasig %s\n", LSIG_VERSION);
    // "4.1.6-" and the name of a commit, if it was built from one.
    const char *websockets = lsig_version_libwebsockets();
    lsig_buf_append_format(&out, "libwebsockets %.*s\n", (int)strcspn(websockets, "-"), websockets);
    lsig_buf_append_format(&out, "LuaJIT %s\n", lsig_version_luajit());
    lsig_buf_append_format(&out, "libuv %s\n", lsig_version_libuv());
    lsig_buf_append_format(&out, "libcurl %s\n", lsig_version_libcurl());
    lsig_buf_append_format(&out, "jansson %s\n", lsig_version_jansson());
    lsig_buf_append_format(&out, "libjwt %s\n", lsig_version_libjwt());
    lsig_buf_append_format(&out, "SQLite %s\n", lsig_version_sqlite());
    lsig_buf_append_format(&out, "libmongoc %s\n", lsig_version_mongoc());
    lsig_buf_append_format(&out, "OpenSSL %s\n", lsig_version_openssl());
    status = lsig_command_print(&out);
    lsig_buf_clear(&out);
    return status;
}

const struct lsig_command lsig_command_version = {
    .name = "version",
    .summary = "Show the versions of Lunasig and of its libraries",
    .help = "Usage: lunasig version\n\n"
            "Prints one line each: the name, a blank, the version. Lunasig comes first.\n\n"
            "Exit status: 0 fine; 2 the command line is wrong.\n",
    .run = version,
};
