#include <stdio.h>
#include <string.h>

#include "codec/json.h"
#include "command.h"
#include "command_describe_core.h"
#include "command_source.h"
#include "script/describe.h"
#include "server.h"

enum { REPORT_MAX = 1 << 20, TEXT_MAX = 16 << 20 };

struct describing {
    struct lsig_buf text;
    bool messages; // AsyncAPI
};

static void print_info(struct lsig_buf *buf, const char *description)
{
    lsig_json_open(buf, "info", '{');
    lsig_json_string(buf, "title", "Lunasig");
    lsig_json_string(buf, "version", LSIG_VERSION);
    lsig_json_string(buf, "description", description);
    lsig_json_close(buf, '}');
}

static void print_openapi(struct lsig_buf *buf, const struct lsig_script *script)
{
    lsig_json_open(buf, NULL, '{');
    lsig_json_string(buf, "openapi", "3.1.0");
    print_info(buf, "What the server answers over HTTP with the policies that this was made from.");
    lsig_json_open(buf, "servers", '[');
    lsig_json_open(buf, NULL, '{');
    lsig_json_string(buf, "url", "/");
    lsig_json_close(buf, '}');
    lsig_json_close(buf, ']');
    lsig_json_open(buf, "security", '[');
    lsig_json_open(buf, NULL, '{');
    lsig_json_open(buf, "bearer", '[');
    lsig_json_close(buf, ']');
    lsig_json_close(buf, '}');
    lsig_json_close(buf, ']');
    lsig_json_open(buf, "paths", '{');
    lsig_describe_core_paths(buf);
    lsig_describe_routes(script, buf);
    lsig_json_close(buf, '}');
    lsig_json_open(buf, "components", '{');
    lsig_describe_core_components(buf);
    lsig_json_close(buf, '}');
    lsig_json_close(buf, '}');
}

static void print_channel(struct lsig_buf *buf, const struct lsig_script *script)
{
    lsig_json_open(buf, "room", '{');
    lsig_json_string(buf, "address", "/webrtc/ws/{room}");
    lsig_json_string(
        buf, "description",
        "One frame is one JSON object. With the subprotocol lunasig.v1 as described "
        "here; without one the dialect of older clients, which may leave out what is "
        "required and use the names of x-lunasig-compat-names. The token stands in the "
        "query, in a header, in the subprotocol, or comes in the first message, `auth`.");
    lsig_json_open(buf, "parameters", '{');
    lsig_json_open(buf, "room", '{');
    lsig_json_string(buf, "description", "1 to 100 of A-Z a-z 0-9 _ -");
    lsig_json_close(buf, '}');
    lsig_json_close(buf, '}');
    lsig_json_open(buf, "messages", '{');
    lsig_describe_channel(script, buf);
    lsig_json_close(buf, '}');
    lsig_json_close(buf, '}');
}

static void print_asyncapi(struct lsig_buf *buf, const struct lsig_script *script)
{
    lsig_json_open(buf, NULL, '{');
    lsig_json_string(buf, "asyncapi", "3.0.0");
    print_info(buf,
               "What the server takes and tells over WebSocket with the policies that this was "
               "made from.");
    lsig_json_string(buf, "defaultContentType", "application/json");
    lsig_json_open(buf, "servers", '{');
    lsig_json_open(buf, "local", '{');
    lsig_json_string(buf, "host", "localhost:8000");
    lsig_json_string(buf, "protocol", "ws");
    lsig_json_close(buf, '}');
    lsig_json_close(buf, '}');
    lsig_json_open(buf, "channels", '{');
    print_channel(buf, script);
    lsig_json_close(buf, '}');
    lsig_json_open(buf, "operations", '{');
    lsig_describe_operations(script, buf);
    lsig_json_close(buf, '}');
    lsig_json_open(buf, "components", '{');
    lsig_json_open(buf, "schemas", '{');
    lsig_describe_core_schemas(buf);
    lsig_json_close(buf, '}');
    lsig_json_open(buf, "messages", '{');
    lsig_describe_messages(script, buf);
    lsig_json_close(buf, '}');
    lsig_json_close(buf, '}');
    lsig_json_close(buf, '}');
}

static void on_loaded(void *arg, const struct lsig_script *script)
{
    struct describing *describing = arg;
    (describing->messages ? print_asyncapi : print_openapi)(&describing->text, script);
    lsig_buf_append_text(&describing->text, "\n");
}

static int describe_loaded(struct lsig_settings *settings, bool messages)
{
    struct lsig_buf report;
    struct describing describing = {.messages = messages};
    lsig_buf_init(&report, REPORT_MAX);
    lsig_buf_init(&describing.text, TEXT_MAX);
    int status = lsig_server_show(settings, &report, on_loaded, &describing);
    if (status == LSIG_EXIT_OK) {
        status = lsig_command_print(&describing.text);
    } else {
        lsig_source_print_problems(settings, lsig_buf_span(&report));
    }
    lsig_buf_clear(&describing.text);
    lsig_buf_clear(&report);
    return status;
}

static int describe(const struct lsig_command *command, int argc, char **argv)
{
    static const char *const known[] = {"openapi", "asyncapi"};
    const char *words[1];
    struct lsig_command_words given = {words, 1, 0};
    const struct lsig_command_flag flags[] = {{.name = "--policy", .key = "POLICY_DIR"},
                                              {.words = &given}};
    struct lsig_command_line line;
    struct lsig_settings settings = {0};
    int status = LSIG_EXIT_USAGE;
    (void)argc;
    if (!lsig_command_parse(command, flags, 2, argv, &line, &status)) {
        return status;
    }
    if (given.count == 0) {
        fputs("lunasig describe: say which: openapi or asyncapi\nSee: lunasig describe --help\n",
              stderr);
        return LSIG_EXIT_USAGE;
    }
    const char *word = words[0];
    bool messages = strcmp(word, "asyncapi") == 0;
    if (!messages && strcmp(word, "openapi") != 0) {
        return lsig_command_unknown(command, "description", word, known, 2);
    }
    if (lsig_command_load(&line, &settings)) {
        status = describe_loaded(&settings, messages);
    }
    lsig_settings_clear(&settings);
    return status;
}

const struct lsig_command lsig_command_describe = {
    .name = "describe",
    .summary = "Describe the HTTP and WebSocket interface for tools",
    .help = "Usage: lunasig describe openapi|asyncapi [-c FILE] [--policy PATH]\n\n"
            "Loads the policy as `lunasig check` does, and prints what clients can ask for with it "
            "as JSON:\nopenapi (3.1) what is answered over HTTP, asyncapi (3.0) the messages over "
            "WebSocket. The same\npolicies give the same text.\n\n"
            "  -c, --config FILE  read settings from FILE, and not from ./.sbd and ./.env\n"
            "      --policy PATH  folder with policy.lua, or a .lua file to load in its place; "
            "POLICY_DIR\n"
            "                     unless it is given\n\n"
            "Exit status: 0 fine; 1 the policy is refused (file and line are told); 2 the command "
            "line\n"
            "or a setting is wrong.\n",
    .run = describe,
};
