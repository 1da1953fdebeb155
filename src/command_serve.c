#include "command.h"
#include "server.h"

static int serve(const struct lsig_command *command, int argc, char **argv)
{
    (void)argc;
    static const struct lsig_command_flag flags[] = {
        {.name = "--host", .key = "HOST"},
        {.name = "--port", .letter = "-p", .key = "PORT"},
        {.name = "--data", .key = "DATA_DIR"},
        {.name = "--policy", .key = "POLICY_DIR"},
    };
    struct lsig_command_line line;
    struct lsig_settings settings = {0};
    int status = LSIG_EXIT_USAGE;
    if (!lsig_command_parse(command, flags, sizeof(flags) / sizeof(flags[0]), argv, &line,
                            &status)) {
        return status;
    }
    if (lsig_command_load(&line, &settings)) {
        status = lsig_server_run(&settings);
    }
    lsig_settings_clear(&settings);
    return status;
}

const struct lsig_command lsig_command_serve = {
    .name = "serve",
    .summary = "Run the server",
    .help =
        "Usage: lunasig serve [-c FILE] [--host H] [--port P] [--data DIR] [--policy PATH]\n\n"
        "Runs the server in the foreground until SIGINT or SIGTERM; SIGHUP loads the policy "
        "and\nJWT_KEYS_FILE anew.\n\n"
        "  -c, --config FILE  read settings from FILE, and not from ./.sbd and ./.env\n"
        "      --host H       address to listen on (HOST)\n"
        "  -p, --port P       TCP port; 0 lets the system choose (PORT)\n"
        "      --data DIR     folder of the database and of secrets made here (DATA_DIR)\n"
        "      --policy PATH  folder with policy.lua, or a .lua file (POLICY_DIR)\n\n"
        "Exit status: 0 after an orderly end; 1 the policy is refused; 2 the command line or a\n"
        "setting is wrong; 3 could not start (port in use, data folder not writable).\n",
    .run = serve,
};
