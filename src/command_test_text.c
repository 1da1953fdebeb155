// What `lunasig test` tells people.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "codec/utf8.h"
#include "command_test.h"

enum { LINE_MAX_BYTES = 128 * 1024, PATH_SIZE = 4096, SEEDS_TOLD_MAX = 5 };

// Something that is counted, in the order in which it first came.
struct tally {
    char *what;
    char *file; // of a test that failed; NULL: of a reason
    size_t count;
    uint32_t seeds[SEEDS_TOLD_MAX];
};

struct tallies {
    struct tally *items;
    size_t count;
};

struct lsig_suite_text {
    struct lsig_suite_text_options options; // flags: a copy
    FILE *out;
    bool rounds; // there are several
    bool headed; // the file has been named
    size_t tests;
    size_t skipped_here;
    struct tallies failures;
    struct tallies skips;
    struct lsig_buf line;
};

void lsig_suite_print_clean(struct lsig_span text, struct lsig_buf *out)
{
    const char *end = text.data + text.len;
    for (const char *at = text.data; at < end;) {
        size_t len = lsig_utf8_len(at, end);
        bool control =
            len == 1 && ((unsigned char)*at < 0x20 || *at == 0x7f) && *at != '\n' && *at != '\t';
        bool high = len == 2 && (unsigned char)at[0] == 0xc2 && (unsigned char)at[1] < 0xa0;
        if (len == 0 || control || high) {
            lsig_buf_append_text(out, "?");
        } else {
            lsig_buf_append(out, at, len);
        }
        at += len > 0 ? len : 1;
    }
}

// --- counting

static struct tally *count(struct tallies *tallies, const char *what, const char *file)
{
    for (size_t i = 0; i < tallies->count; i++) {
        struct tally *tally = &tallies->items[i];
        if (strcmp(tally->what, what) == 0 && (file == NULL || strcmp(tally->file, file) == 0)) {
            tally->count++;
            return tally;
        }
    }
    tallies->items = lsig_realloc(tallies->items, (tallies->count + 1) * sizeof(tallies->items[0]));
    struct tally *tally = &tallies->items[tallies->count++];
    *tally = (struct tally){
        .what = lsig_strdup(what),
        .file = file != NULL ? lsig_strdup(file) : NULL,
        .count = 1,
    };
    return tally;
}

static void tallies_clear(struct tallies *tallies)
{
    for (size_t i = 0; i < tallies->count; i++) {
        free(tallies->items[i].what);
        free(tallies->items[i].file);
    }
    free(tallies->items);
    *tallies = (struct tallies){NULL, 0};
}

// --- words in colour

static const char *paint(const struct lsig_suite_text *text, const char *colour)
{
    return text->options.colour ? colour : "";
}

#define GREEN "\033[32m"
#define RED "\033[1;31m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

static void
print_word(const struct lsig_suite_text *text, const char *colour, const char *word, int width)
{
    fprintf(text->out, "%s%s%s%*s", paint(text, colour), word, paint(text, PLAIN),
            width - (int)strlen(word), "");
}

static void print_clean(struct lsig_suite_text *text, struct lsig_span span)
{
    lsig_buf_reset(&text->line);
    lsig_suite_print_clean(span, &text->line);
    fputs(lsig_buf_span(&text->line).data, text->out);
}

// --- a file

static void on_round(void *self, size_t round, uint32_t seed)
{
    struct lsig_suite_text *text = self;
    (void)round;
    (void)seed;
    text->rounds = true;
}

static void on_file(void *self, const struct lsig_suite_file *file)
{
    struct lsig_suite_text *text = self;
    text->headed = text->options.each && !text->rounds;
    text->tests = 0;
    text->skipped_here = 0;
    if (text->headed) {
        fprintf(text->out, "%s\n", file->shown);
    }
}

static void head(struct lsig_suite_text *text, const struct lsig_suite_file *file)
{
    if (!text->headed) {
        print_word(text, RED, "FAILED", 9);
        fprintf(text->out, "%s\n", file->shown);
        text->headed = true;
    }
}

static void on_unloaded(void *self,
                        const struct lsig_suite_file *file,
                        const struct lsig_source_folders *from,
                        struct lsig_span report)
{
    struct lsig_suite_text *text = self;
    if (count(&text->failures, "it does not load", file->shown)->count == 1) {
        head(text, file);
        fputs("it does not load:\n", text->out);
        lsig_source_print(text->out, from, report);
    }
}

static void on_file_end(void *self, const struct lsig_suite_file *file)
{
    struct lsig_suite_text *text = self;
    if (text->tests > 0 && !text->headed && !text->rounds) {
        print_word(text, GREEN, "ok", 9);
        fprintf(text->out, "%s  %zu", file->shown, text->tests);
        if (text->skipped_here > 0) {
            fprintf(text->out, ", %zu skipped", text->skipped_here);
        }
        fputs("\n", text->out);
    }
    fflush(text->out);
}

// --- a test

// Where it is, from where the command runs.
static void print_where(struct lsig_suite_text *text, const struct lsig_suite_case *it)
{
    char path[PATH_SIZE];
    const char *where = it->result->where;
    const char *colon = strrchr(where, ':');
    int len = colon != NULL ? (int)(colon - where) : (int)strlen(where);
    const char *slash = strrchr(it->file->shown, '/');
    int folder = slash != NULL ? (int)(slash - it->file->shown) + 1 : 0;
    int printed = snprintf(path, sizeof(path), "%s/%.*s", it->from.bundle, len, where);
    bool here = printed < (int)sizeof(path) && access(path, R_OK) == 0;
    fprintf(text->out, "    %.*s%s: ", here ? folder : 0, it->file->shown, where);
}

static void print_source(struct lsig_suite_text *text, const struct lsig_suite_case *it)
{
    struct lsig_buf line;
    lsig_buf_init(&line, LINE_MAX_BYTES);
    lsig_buf_append_format(&line, "%s: ", it->result->where);
    lsig_buf_append_span(&line, lsig_buf_span(&it->result->text));
    lsig_source_print_line(text->out, &it->from, "    ", lsig_buf_span(&line));
    lsig_buf_clear(&line);
}

// A shell's word.
static void print_quoted(struct lsig_suite_text *text, const char *word)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=:,./@";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        fputs(word, text->out);
        return;
    }
    lsig_buf_reset(&text->line);
    lsig_suite_print_clean(lsig_span_of(word), &text->line);
    fputs("'", text->out);
    for (const char *at = lsig_buf_span(&text->line).data; *at != '\0'; at++) {
        if (*at == '\'') {
            fputs("'\\''", text->out);
        } else {
            putc(*at, text->out);
        }
    }
    fputs("'", text->out);
}

// How to see it once more. In a shuffled file it may be the others that make it fail.
static void print_again(struct lsig_suite_text *text, const struct lsig_suite_case *it)
{
    const struct lsig_suite_text_options *options = &text->options;
    fputs("    again: lunasig test ", text->out);
    print_quoted(text, it->file->shown);
    fputs(options->flags, text->out);
    if (options->shuffle || it->seed != 1) {
        fprintf(text->out, "%s --seed %u", options->shuffle ? " --shuffle" : "", it->seed);
    }
    if (!options->shuffle) {
        fputs(" --only ", text->out);
        print_quoted(text, it->result->name);
    }
    fputs("\n", text->out);
}

static void print_failure(struct lsig_suite_text *text, const struct lsig_suite_case *it)
{
    const struct lsig_bundle_result *result = it->result;
    head(text, it->file);
    fputs("  ", text->out);
    print_word(text, RED, "FAILED", 9);
    print_clean(text, lsig_span_of(result->name));
    fputs("\n", text->out);
    print_where(text, it);
    print_clean(text, lsig_buf_span(&result->text));
    fputs("\n", text->out);
    print_source(text, it);
    print_clean(text, lsig_buf_span(&result->details));
    print_again(text, it);
}

static void on_failed(struct lsig_suite_text *text, const struct lsig_suite_case *it)
{
    struct tally *tally = count(&text->failures, it->result->name, it->file->shown);
    if (tally->count <= SEEDS_TOLD_MAX) {
        tally->seeds[tally->count - 1] = it->result->seed;
    }
    if (tally->count == 1) {
        print_failure(text, it);
    }
}

// By its reason, without the place behind it: "t:room looks inside (chat_test.lua:12)".
static void count_skip(struct lsig_suite_text *text, const char *reason)
{
    const char *place = strrchr(reason, '(');
    bool placed = place != NULL && place > reason + 1 && strstr(place, ".lua:") != NULL;
    char *why = lsig_strndup(reason, placed ? (size_t)(place - reason) - 1 : strlen(reason));
    count(&text->skips, why, NULL);
    free(why);
    text->skipped_here++;
}

static void on_case(void *self, const struct lsig_suite_case *it)
{
    struct lsig_suite_text *text = self;
    const struct lsig_bundle_result *result = it->result;
    bool told = text->options.each && !text->rounds;
    text->tests++;
    if (result->verdict == LSIG_BUNDLE_FAILED) {
        on_failed(text, it);
    } else if (result->verdict == LSIG_BUNDLE_SKIPPED) {
        count_skip(text, lsig_buf_span(&result->text).data);
    }
    if (told && result->verdict != LSIG_BUNDLE_FAILED) {
        bool passed = result->verdict == LSIG_BUNDLE_PASSED;
        fputs("  ", text->out);
        print_word(text, passed ? GREEN : YELLOW, passed ? "ok" : "skipped", 9);
        print_clean(text, lsig_span_of(result->name));
        if (!passed) {
            fprintf(text->out, " (%s)", lsig_buf_span(&result->text).data);
        }
        fputs("\n", text->out);
    }
}

// --- all of them

static void print_rounds(struct lsig_suite_text *text, size_t rounds)
{
    for (size_t i = 0; i < text->failures.count; i++) {
        const struct tally *tally = &text->failures.items[i];
        print_clean(text, lsig_span_of(tally->file));
        fputs(": ", text->out);
        print_clean(text, lsig_span_of(tally->what));
        fprintf(text->out, ": failed in %zu of %zu rounds", tally->count, rounds);
        for (size_t k = 0; k < tally->count && k < SEEDS_TOLD_MAX; k++) {
            fprintf(text->out, "%s%u", k == 0 ? ", seeds " : ", ", tally->seeds[k]);
        }
        fprintf(text->out, "%s\n", tally->count > SEEDS_TOLD_MAX ? " …" : "");
    }
}

static void on_end(void *self, const struct lsig_suite_totals *totals)
{
    struct lsig_suite_text *text = self;
    bool fine = totals->failed == 0 && totals->unloaded == 0;
    if (totals->rounds > 1) {
        print_rounds(text, totals->rounds);
    }
    for (size_t i = 0; i < text->skips.count; i++) {
        fprintf(text->out, "%zu skipped: %s\n", text->skips.items[i].count,
                text->skips.items[i].what);
    }
    fputs(paint(text, fine ? GREEN : RED), text->out);
    if (totals->unloaded > 0) {
        fprintf(text->out, "%zu %s not load, ", totals->unloaded,
                totals->unloaded == 1 ? "file does" : "files do");
    }
    if (totals->failed > 0) {
        fprintf(text->out, "%zu failed, ", totals->failed);
    }
    fprintf(text->out, "%zu passed", totals->passed);
    if (totals->skipped > 0) {
        fprintf(text->out, ", %zu skipped", totals->skipped);
    }
    fputs(paint(text, PLAIN), text->out);
    if (totals->rounds > 1) {
        fprintf(text->out, ", in %zu rounds", totals->rounds);
    }
    fprintf(text->out, " (%zu %s", totals->files, totals->files == 1 ? "file" : "files");
    if (totals->empty > 0) {
        fprintf(text->out, ", %zu of them without tests", totals->empty);
    }
    fprintf(text->out, ", %.2f s)\n", (double)totals->real_us / 1e6);
    fflush(text->out);
}

struct lsig_suite_text *lsig_suite_text_new(const struct lsig_suite_text_options *options)
{
    struct lsig_suite_text *text = lsig_alloc(sizeof(*text));
    text->options = *options;
    text->options.flags = lsig_strdup(options->flags);
    text->out = options->out;
    lsig_buf_init(&text->line, LINE_MAX_BYTES);
    return text;
}

struct lsig_suite_reporter lsig_suite_text_reporter(struct lsig_suite_text *text)
{
    return (struct lsig_suite_reporter){
        .self = text,
        .on_round = on_round,
        .on_file = on_file,
        .on_unloaded = on_unloaded,
        .on_case = on_case,
        .on_file_end = on_file_end,
        .on_end = on_end,
    };
}

void lsig_suite_text_free(struct lsig_suite_text *text)
{
    free((char *)(uintptr_t)text->options.flags);
    tallies_clear(&text->failures);
    tallies_clear(&text->skips);
    lsig_buf_clear(&text->line);
    free(text);
}
