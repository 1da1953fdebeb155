#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "server.h"

enum {
    REPORT_MAX = 1 << 20, // bytes
    ARGUMENTS_MAX = 64,
    LINE_SHOWN_MAX = 160, // bytes of a source line
    QUOTED_MAX = 100,
};

// A message of the report: "FILE:LINE: TEXT".
struct problem {
    struct lsig_span file;
    unsigned long line;
    struct lsig_span text;
};

static bool parse_problem(struct lsig_span line, struct problem *problem)
{
    const char *end = line.data + line.len;
    for (const char *at = line.data; at < end; at++) {
        char *after = NULL;
        if (*at != ':' || at == line.data || at + 1 == end || at[1] < '1' || at[1] > '9') {
            continue;
        }
        problem->line = strtoul(at + 1, &after, 10); // the report ends with a NUL
        if (after < end && *after == ':') {
            problem->file = (struct lsig_span){line.data, (size_t)(at - line.data)};
            problem->text = (struct lsig_span){after + 1, (size_t)(end - after - 1)};
            return true;
        }
    }
    return false;
}

// The line of the file in the bundle's folder, else in the library's, without its end; in `out`.
static bool read_source(const struct lsig_settings *settings,
                        const struct problem *problem,
                        char out[LINE_SHOWN_MAX + 1])
{
    const char *folders[] = {settings->policy_dir, settings->lua_dir};
    FILE *file = NULL;
    for (int i = 0; i < 2 && file == NULL; i++) {
        char path[PATH_MAX];
        int len = snprintf(path, sizeof(path), "%s/%.*s", folders[i], LSIG_SPAN_ARG(problem->file));
        file = len < (int)sizeof(path) ? fopen(path, "r") : NULL;
    }
    if (file == NULL) {
        return false;
    }
    unsigned long line = 1;
    size_t len = 0;
    int c;
    while ((c = getc(file)) != EOF && line <= problem->line) {
        if (c == '\n') {
            line++;
        } else if (line == problem->line && len < LINE_SHOWN_MAX && c != '\r') {
            out[len++] = (char)((c >= 0 && c < 0x20 && c != '\t') || c == 0x7f ? '?' : c);
        }
    }
    bool found = line >= problem->line;
    fclose(file);
    while (len > 0 && ((unsigned char)out[len - 1] & 0xc0) == 0x80 && len == LINE_SHOWN_MAX) {
        len--; // not half of a character
    }
    out[len] = '\0';
    return found && len > 0;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

// Where the name stands in the source as a word of its own; NULL: nowhere.
static const char *find_word(const char *source, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = strstr(source, name); len > 0 && at != NULL; at = strstr(at + 1, name)) {
        bool before = at > source && is_word(at[-1]) && is_word(name[0]);
        bool after = is_word(at[len]) && is_word(name[len - 1]);
        if (!before && !after) {
            return at;
        }
    }
    return NULL;
}

// What the message is about: the first of the names that it quotes ('x', "x") and that stands in
// the source; else all of the line.
static const char *find_place(struct lsig_span text, const char *source, size_t *len)
{
    for (size_t i = 0; i < text.len; i++) {
        char quote = text.data[i];
        const char *end = quote == '\'' || quote == '"'
                              ? memchr(text.data + i + 1, quote, text.len - i - 1)
                              : NULL;
        size_t quoted = end != NULL ? (size_t)(end - text.data) - i - 1 : 0;
        if (end == NULL || quoted > QUOTED_MAX) {
            continue;
        }
        char name[QUOTED_MAX + 1];
        memcpy(name, text.data + i + 1, quoted);
        name[quoted] = '\0';
        const char *place = find_word(source, name);
        if (place != NULL) {
            *len = quoted;
            return place;
        }
        i += quoted + 1;
    }
    const char *place = source + strspn(source, " \t");
    *len = 1;
    return place;
}

// The source line, and below it what is meant.
static void print_source(const char *source, struct lsig_span text)
{
    size_t len;
    const char *place = find_place(text, source, &len);
    fprintf(stderr, "  %s\n  ", source);
    for (const char *at = source; at < place; at++) {
        if (((unsigned char)*at & 0xc0) != 0x80) {
            putc(*at == '\t' ? '\t' : ' ', stderr);
        }
    }
    putc('^', stderr);
    for (const char *at = place + 1; at < place + len; at++) {
        if (((unsigned char)*at & 0xc0) != 0x80) {
            putc('~', stderr);
        }
    }
    putc('\n', stderr);
}

static void print_problems(const struct lsig_settings *settings, struct lsig_span report)
{
    size_t count = 0;
    while (report.len > 0) {
        const char *end = memchr(report.data, '\n', report.len);
        size_t len = end != NULL ? (size_t)(end - report.data) : report.len;
        struct lsig_span line = {report.data, len};
        struct problem problem;
        char source[LINE_SHOWN_MAX + 1];
        fprintf(stderr, "%.*s\n", LSIG_SPAN_ARG(line));
        if (parse_problem(line, &problem)) {
            count++;
            if (read_source(settings, &problem, source)) {
                print_source(source, problem.text);
            }
        }
        len += end != NULL ? 1 : 0;
        report = (struct lsig_span){report.data + len, report.len - len};
    }
    if (count > 0) {
        fprintf(stderr, "%zu %s\n", count, count == 1 ? "problem" : "problems");
    }
}

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

static bool is_folder_or_missing(const char *path)
{
    struct stat info;
    if (path[0] == '\0' || stat(path, &info) != 0 || S_ISDIR(info.st_mode)) {
        return true;
    }
    const char *slash = strrchr(path, '/');
    int len = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
    fprintf(stderr,
            "lunasig check: %s is a file: give the folder that has policy.lua\n"
            "Try: lunasig check %.*s\n",
            path, len, slash == NULL ? "." : path);
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
    if (lsig_command_load(&line, &settings) && is_folder_or_missing(settings.policy_dir)) {
        struct lsig_buf report;
        lsig_buf_init(&report, REPORT_MAX);
        status = lsig_server_check(&settings, &report);
        if (status == LSIG_EXIT_OK) {
            fputs(lsig_buf_span(&report).data, stdout);
        } else {
            print_problems(&settings, lsig_buf_span(&report));
        }
        lsig_buf_clear(&report);
    }
    lsig_settings_clear(&settings);
    return status;
}

const struct lsig_command lsig_command_check = {
    .name = "check",
    .summary = "Check settings and policy without serving",
    .help = "Usage: lunasig check [-c FILE] [DIR]\n\n"
            "Reads the settings, JWT_KEYS_FILE and TLS_CERT_FILE and loads the policy as `lunasig "
            "serve`\nwould, with its tests, then ends. Each problem is told with its source "
            "line.\n\n"
            "  DIR                folder with policy.lua, in place of POLICY_DIR\n"
            "  -c, --config FILE  read settings from FILE, and not from ./.sbd and ./.env\n"
            "      --policy DIR   the same as DIR\n\n"
            "Exit status: 0 fine; 1 the policy is refused (file and line are told); 2 the command "
            "line\n"
            "or a setting is wrong; 3 JWT_KEYS_FILE or TLS_CERT_FILE is refused.\n",
    .run = check,
};
