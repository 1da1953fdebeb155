#include "command_source.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "script/entry.h"

enum {
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
    if (line.len > 0 && line.data[0] == ' ') {
        return false; // explains the one before
    }
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
static bool read_source(const struct lsig_source_folders *from,
                        const struct problem *problem,
                        char out[LINE_SHOWN_MAX + 1])
{
    const char *folders[] = {from->bundle, from->library};
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
static void print_source(FILE *out, const char *indent, const char *source, struct lsig_span text)
{
    size_t len;
    const char *place = find_place(text, source, &len);
    fprintf(out, "%s  %s\n%s  ", indent, source, indent);
    for (const char *at = source; at < place; at++) {
        if (((unsigned char)*at & 0xc0) != 0x80) {
            putc(*at == '\t' ? '\t' : ' ', out);
        }
    }
    putc('^', out);
    for (const char *at = place + 1; at < place + len; at++) {
        if (((unsigned char)*at & 0xc0) != 0x80) {
            putc('~', out);
        }
    }
    putc('\n', out);
}

void lsig_source_print_line(FILE *out,
                            const struct lsig_source_folders *from,
                            const char *indent,
                            struct lsig_span line)
{
    struct problem problem;
    char source[LINE_SHOWN_MAX + 1];
    if (parse_problem(line, &problem) && read_source(from, &problem, source)) {
        print_source(out, indent, source, problem.text);
    }
}

size_t lsig_source_print(FILE *out, const struct lsig_source_folders *from, struct lsig_span report)
{
    size_t count = 0;
    while (report.len > 0) {
        const char *end = memchr(report.data, '\n', report.len);
        size_t len = end != NULL ? (size_t)(end - report.data) : report.len;
        struct lsig_span line = {report.data, len};
        struct problem problem;
        fprintf(out, "%.*s\n", LSIG_SPAN_ARG(line));
        count += parse_problem(line, &problem);
        lsig_source_print_line(out, from, "", line);
        len += end != NULL ? 1 : 0;
        report = (struct lsig_span){report.data + len, report.len - len};
    }
    return count;
}

void lsig_source_print_problems(const struct lsig_settings *settings, struct lsig_span report)
{
    char *folder;
    char *file;
    lsig_entry_split(settings->policy_dir, &folder, &file);
    struct lsig_source_folders from = {folder, settings->lua_dir};
    size_t count = lsig_source_print(stderr, &from, report);
    if (count > 0) {
        fprintf(stderr, "%zu %s\n", count, count == 1 ? "problem" : "problems");
    }
    free(folder);
    free(file);
}
