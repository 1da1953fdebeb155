#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "command_source.h"
#include "server.h"

enum {
    REPORT_MAX = 1 << 20, // bytes
    ARGUMENTS_MAX = 64,
};

// A folder without its flag becomes one with it. `out` has room for one argument more.
static void name_folder(char **argv, char **out)
{
    static char flag[] = "--policy";
    bool named = false;
    *out++ = *argv++;
    while (*argv != NULL) {
        bool takes =
            strcmp(*argv, "-c") == 0 || strcmp(*argv, "--config") == 0 || strcmp(*argv, flag) == 0;
        if ((*argv)[0] != '-' && !named) {
            *out++ = flag;
            named = true;
        }
        *out++ = *argv++;
        if (takes && *argv != NULL) {
            *out++ = *argv++;
        }
    }
    *out = NULL;
}

// A folder, a .lua file, or nothing at all, which the load tells.
static bool may_be_policy(const char *path)
{
    struct stat info;
    size_t len = strlen(path);
    bool lua = len > 4 && strcmp(path + len - 4, ".lua") == 0;
    if (len == 0 || lua || stat(path, &info) != 0 || S_ISDIR(info.st_mode)) {
        return true;
    }
    fprintf(stderr,
            "lunasig check: %s is neither a folder that has policy.lua nor a .lua file\n"
            "See: lunasig check --help\n",
            path);
    return false;
}

static int check(const struct lsig_command *command, int argc, char **argv)
{
    static const struct lsig_command_flag flags[] = {{.name = "--policy", .key = "POLICY_DIR"}};
    char *arguments[ARGUMENTS_MAX + 2];
    struct lsig_command_line line;
    struct lsig_settings settings = {0};
    int status = LSIG_EXIT_USAGE;
    if (argc >= ARGUMENTS_MAX) {
        fputs("lunasig check: too many arguments\n", stderr);
        return status;
    }
    name_folder(argv, arguments);
    if (!lsig_command_parse(command, flags, 1, arguments, &line, &status)) {
        return status;
    }
    if (lsig_command_load(&line, &settings) && may_be_policy(settings.policy_dir)) {
        struct lsig_buf report;
        lsig_buf_init(&report, REPORT_MAX);
        status = lsig_server_check(&settings, &report);
        if (status == LSIG_EXIT_OK) {
            fputs(lsig_buf_span(&report).data, stdout);
        } else {
            lsig_source_print_problems(&settings, lsig_buf_span(&report));
        }
        lsig_buf_clear(&report);
    }
    lsig_settings_clear(&settings);
    return status;
}

const struct lsig_command lsig_command_check = {
    .name = "check",
    .summary = "Check settings and policy without serving",
    .help = "Usage: lunasig check [-c FILE] [PATH]\n\n"
            "Reads the settings, JWT_KEYS_FILE and TLS_CERT_FILE and loads the policy as `lunasig "
            "serve`\nwould, with its tests, then ends. Each problem is told with its source "
            "line.\n\n"
            "  PATH               folder with policy.lua, or a .lua file to load in its place; "
            "POLICY_DIR\n"
            "                     unless it is given\n"
            "  -c, --config FILE  read settings from FILE, and not from ./.sbd and ./.env\n"
            "      --policy PATH  the same as PATH\n\n"
            "Exit status: 0 fine; 1 the policy is refused (file and line are told); 2 the command "
            "line\n"
            "or a setting is wrong; 3 JWT_KEYS_FILE or TLS_CERT_FILE is refused.\n",
    .run = check,
};
