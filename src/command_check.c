#include <stdio.h>

#include "command.h"
#include "server.h"

enum { REPORT_MAX = 1 << 20 }; // bytes

static int check(const struct lsig_command *command, int argc, char **argv)
{
    (void)argc;
    static const struct lsig_command_flag flags[] = {{.name = "--policy", .key = "POLICY_DIR"}};
    struct lsig_command_line line;
    struct lsig_settings settings = {0};
    int status = LSIG_EXIT_USAGE;
    if (!lsig_command_parse(command, flags, 1, argv, &line, &status)) {
        return status;
    }
    if (lsig_command_load(&line, &settings)) {
        struct lsig_buf report;
        lsig_buf_init(&report, REPORT_MAX);
        status = lsig_server_check(&settings, &report);
        fputs(lsig_buf_span(&report).data, status == LSIG_EXIT_OK ? stdout : stderr);
        lsig_buf_clear(&report);
        if (status == LSIG_EXIT_OK) {
            puts("fine");
        }
    }
    lsig_settings_clear(&settings);
    return status;
}

const struct lsig_command lsig_command_check = {
    .name = "check",
    .summary = "Check settings and policy without serving",
    .help = "Usage: lunasig check [-c FILE] [--policy DIR]\n\n"
            "Reads the settings, JWT_KEYS_FILE and TLS_CERT_FILE and loads the policy as `lunasig "
            "serve`\nwould, then ends.\n\n"
            "  -c, --config FILE  read settings from FILE, and not from ./.sbd and ./.env\n"
            "      --policy DIR   folder with policy.lua (POLICY_DIR)\n\n"
            "Exit status: 0 fine; 1 the policy is refused (file and line are told); 2 the command "
            "line\n"
            "or a setting is wrong; 3 JWT_KEYS_FILE or TLS_CERT_FILE is refused.\n",
    .run = check,
};
