// command.h - the command line: one command_<name>.c per command, dispatched by main.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "codec/settings.h"

enum lsig_exit {
    LSIG_EXIT_OK = 0,
    LSIG_EXIT_FAILED = 1, // what was asked about is refused: a policy, a token
    LSIG_EXIT_USAGE = 2,  // the command line or a setting is wrong
    LSIG_EXIT_START = 3,  // could not start: port in use, data folder not writable
};

struct lsig_command {
    const char *name;
    const char *summary; // one line
    const char *help;    // the whole text of --help
    // argv[0] is the command's own name. Returns the exit status.
    int (*run)(const struct lsig_command *command, int argc, char **argv);
};

extern const struct lsig_command lsig_command_serve;
extern const struct lsig_command lsig_command_check;
extern const struct lsig_command lsig_command_new;
extern const struct lsig_command lsig_command_token;
extern const struct lsig_command lsig_command_config;
extern const struct lsig_command lsig_command_ctl;
extern const struct lsig_command lsig_command_describe;
extern const struct lsig_command lsig_command_version;
extern const struct lsig_command lsig_command_test;

// What is written without a flag. Borrowed from argv.
struct lsig_command_words {
    const char **items;
    size_t max;
    size_t count;
};

// One flag that a command takes. Exactly one of key, value, given and words is set.
struct lsig_command_flag {
    const char *name;   // "--port"; of words NULL
    const char *letter; // "-p", or NULL
    const char *key;    // the setting that its value goes to
    const char **value; // where its value goes
    bool *given;        // it has no value
    struct lsig_command_words *words;
};

enum { LSIG_COMMAND_FLAGS_MAX = 16 };

// What the settings are loaded from, besides the environment. Borrowed from argv.
struct lsig_command_line {
    const char *config_file; // -c FILE
    struct lsig_setting_override overrides[LSIG_COMMAND_FLAGS_MAX];
    size_t override_count;
};

// Reads the flags behind the command's name: -c FILE, -h, --help and the given ones, as --flag
// VALUE or --flag=VALUE; the last of a flag given twice counts. True: go on. False: the process
// ends with *exit_status; help or an error has been printed.
bool lsig_command_parse(const struct lsig_command *command,
                        const struct lsig_command_flag *flags,
                        size_t flag_count,
                        char **argv,
                        struct lsig_command_line *line,
                        int *exit_status);
// Loads the settings and prints what there is to say about them to standard error. False: they are
// wrong. To be cleared in any case.
bool lsig_command_load(const struct lsig_command_line *line, struct lsig_settings *settings);
// Prints "lunasig COMMAND: …" with the nearest of the known words and where to find help. Returns
// LSIG_EXIT_USAGE.
int lsig_command_unknown(const struct lsig_command *command,
                         const char *what,
                         const char *written,
                         const char *const *known,
                         size_t known_count);
// Writes the bytes to standard output. Returns LSIG_EXIT_OK, or LSIG_EXIT_FAILED where they could
// not all be written (a full disk).
int lsig_command_print(const struct lsig_buf *text);
