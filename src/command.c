#include "command.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/nearest.h"

enum {
    NOTES_MAX = 1 << 20, // bytes
    SHOWN_MAX =
        40, // bytes of an argument that is not understood: a token given by mistake is not repeated
};

static const char *name_of(const struct lsig_command *command)
{
    return command == NULL ? "" : command->name;
}

int lsig_command_unknown(const struct lsig_command *command,
                         const char *what,
                         const char *written,
                         const char *const *known,
                         size_t known_count)
{
    const char *space = command == NULL ? "" : " ";
    const char *nearest = lsig_nearest_find(written, known, known_count);
    fprintf(stderr, "lunasig%s%s: there is no %s %.*s", space, name_of(command), what, SHOWN_MAX,
            written);
    if (nearest != NULL) {
        fprintf(stderr, "; did you mean %s?", nearest);
    }
    fprintf(stderr, "\nSee: lunasig%s%s --help\n", space, name_of(command));
    return LSIG_EXIT_USAGE;
}

int lsig_command_print(const struct lsig_buf *text)
{
    bool fine = lsig_buf_status(text) == LSIG_OK;
    fine = fwrite(lsig_buf_span(text).data, 1, text->len, stdout) == text->len && fine;
    fine = fflush(stdout) == 0 && fine;
    if (!fine) {
        perror("lunasig: standard output");
    }
    return fine ? LSIG_EXIT_OK : LSIG_EXIT_FAILED;
}

// The flag that the argument names, with its value behind a = in *value; or NULL.
static const struct lsig_command_flag *find_flag(const struct lsig_command_flag *flags,
                                                 size_t count,
                                                 const char *argument,
                                                 const char **value)
{
    size_t len = strcspn(argument, "=");
    *value = argument[len] == '=' ? argument + len + 1 : NULL;
    for (size_t i = 0; i < count; i++) {
        if (flags[i].words != NULL) {
            continue;
        }
        if (strlen(flags[i].name) == len && strncmp(flags[i].name, argument, len) == 0) {
            return &flags[i];
        }
        if (flags[i].letter != NULL && strcmp(flags[i].letter, argument) == 0) {
            return &flags[i];
        }
    }
    return NULL;
}

static void set_override(struct lsig_command_line *line,
                         const struct lsig_command_flag *flag,
                         const char *value)
{
    size_t i = 0;
    while (i < line->override_count && strcmp(line->overrides[i].key, flag->key) != 0) {
        i++;
    }
    assert(i < LSIG_COMMAND_FLAGS_MAX);
    line->overrides[i] = (struct lsig_setting_override){flag->key, value, flag->name};
    line->override_count += i == line->override_count ? 1 : 0;
}

static bool
take_value(struct lsig_command_line *line, const struct lsig_command_flag *flag, const char *value)
{
    if (flag->given != NULL) {
        *flag->given = true;
        return value == NULL;
    }
    if (value == NULL) {
        return false;
    }
    if (flag->key != NULL) {
        set_override(line, flag, value);
    } else {
        *flag->value = value;
    }
    return true;
}

// Notes what is no flag, where the command takes such. False: it does not, or takes no more.
static bool take_word(const struct lsig_command_flag *flags, size_t count, const char *argument)
{
    for (size_t i = 0; i < count && argument[0] != '-'; i++) {
        struct lsig_command_words *words = flags[i].words;
        if (words != NULL && words->count < words->max) {
            words->items[words->count++] = argument;
            return true;
        }
    }
    return false;
}

static int unknown_argument(const struct lsig_command *command,
                            const struct lsig_command_flag *flags,
                            size_t count,
                            const char *argument)
{
    const char *names[LSIG_COMMAND_FLAGS_MAX + 1] = {"--help"};
    size_t named = 1;
    for (size_t i = 0; i < count; i++) {
        if (flags[i].words == NULL) {
            names[named++] = flags[i].name;
        }
    }
    const char *what = argument[0] == '-' ? "flag" : "argument";
    return lsig_command_unknown(command, what, argument, names, named);
}

bool lsig_command_parse(const struct lsig_command *command,
                        const struct lsig_command_flag *flags,
                        size_t flag_count,
                        char **argv,
                        struct lsig_command_line *line,
                        int *exit_status)
{
    struct lsig_command_flag all[LSIG_COMMAND_FLAGS_MAX];
    assert(flag_count < LSIG_COMMAND_FLAGS_MAX);
    *line = (struct lsig_command_line){0};
    if (flag_count > 0) {
        memcpy(all, flags, flag_count * sizeof(*flags));
    }
    all[flag_count++] =
        (struct lsig_command_flag){.name = "--config", .letter = "-c", .value = &line->config_file};
    for (char **at = argv + 1; *at != NULL; at++) {
        if (strcmp(*at, "-h") == 0 || strcmp(*at, "--help") == 0) {
            fputs(command->help, stdout);
            *exit_status = LSIG_EXIT_OK;
            return false;
        }
        if (take_word(all, flag_count, *at)) {
            continue;
        }
        const char *value;
        const struct lsig_command_flag *flag = find_flag(all, flag_count, *at, &value);
        if (flag == NULL) {
            *exit_status = unknown_argument(command, all, flag_count, *at);
            return false;
        }
        if (value == NULL && flag->given == NULL && at[1] != NULL) {
            value = *++at;
        }
        if (!take_value(line, flag, value)) {
            fprintf(stderr, "lunasig %s: %s takes %s\nSee: lunasig %s --help\n", command->name,
                    flag->name, flag->given != NULL ? "no value" : "a value", command->name);
            *exit_status = LSIG_EXIT_USAGE;
            return false;
        }
    }
    return true;
}

bool lsig_command_load(const struct lsig_command_line *line, struct lsig_settings *settings)
{
    const struct lsig_settings_sources sources = {
        .config_file = line->config_file,
        .environment = environ,
        .overrides = line->overrides,
        .override_count = line->override_count,
    };
    struct lsig_buf notes;
    lsig_buf_init(&notes, NOTES_MAX);
    enum lsig_status status = lsig_settings_load(settings, &sources, &notes);
    fputs(lsig_buf_span(&notes).data, stderr);
    lsig_buf_clear(&notes);
    return status == LSIG_OK;
}
