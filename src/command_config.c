#include <stdio.h>

#include "command.h"
#include "folders.h"

enum { OUTPUT_MAX = 1 << 20 }; // bytes

static bool load_defaults(struct lsig_settings *settings)
{
    // An empty file in place of ./.sbd and ./.env, and no environment: nothing can be wrong.
    const struct lsig_settings_sources sources = {.config_file = "/dev/null"};
    struct lsig_buf notes;
    lsig_buf_init(&notes, 4096);
    enum lsig_status status = lsig_settings_load(settings, &sources, &notes);
    fputs(lsig_buf_span(&notes).data, stderr);
    lsig_buf_clear(&notes);
    return status == LSIG_OK;
}

static int config(const struct lsig_command *command, int argc, char **argv)
{
    (void)argc;
    bool defaults = false;
    bool effective = false;
    bool markdown = false;
    const struct lsig_command_flag flags[] = {
        {.name = "--host", .key = "HOST"},
        {.name = "--port", .letter = "-p", .key = "PORT"},
        {.name = "--data", .key = "DATA_DIR"},
        {.name = "--policy", .key = "POLICY_DIR"},
        {.name = "--defaults", .given = &defaults},
        {.name = "--effective", .given = &effective},
        {.name = "--markdown", .given = &markdown},
    };
    struct lsig_command_line line;
    int status = LSIG_EXIT_USAGE;
    if (!lsig_command_parse(command, flags, sizeof(flags) / sizeof(flags[0]), argv, &line,
                            &status)) {
        return status;
    }
    if (defaults == effective || (markdown && effective)) {
        fputs("lunasig config: write --defaults, --defaults --markdown or --effective\n"
              "See: lunasig config --help\n",
              stderr);
        return LSIG_EXIT_USAGE;
    }
    struct lsig_settings settings = {0};
    struct lsig_buf out;
    lsig_buf_init(&out, OUTPUT_MAX);
    if (defaults ? load_defaults(&settings) : lsig_command_load(&line, &settings)) {
        if (markdown) {
            lsig_settings_print_reference(&out);
        } else {
            if (effective) {
                lsig_folders_complete(&settings);
            }
            lsig_settings_print(&settings, &out);
        }
        status = lsig_command_print(&out);
    }
    lsig_buf_clear(&out);
    lsig_settings_clear(&settings);
    return status;
}

const struct lsig_command lsig_command_config = {
    .name = "config",
    .summary = "Show the settings: defaults, or what is in effect",
    .help = "Usage: lunasig config --defaults [--markdown]\n"
            "       lunasig config --effective [-c FILE] [FLAGS OF serve]\n\n"
            "Prints the settings in the form of a settings file. Secrets that are set appear as "
            "********.\n\n"
            "      --defaults     every setting with its default\n"
            "      --markdown     as the table of docs/settings.md\n"
            "      --effective    what a server started here and now would use\n"
            "  -c, --config FILE  read settings from FILE, and not from ./.sbd and ./.env\n\n"
            "Exit status: 0 fine; 2 the command line or a setting is wrong.\n",
    .run = config,
};
