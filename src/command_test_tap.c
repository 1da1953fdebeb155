// Results as TAP version 14: https://testanything.org/tap-version-14-specification.html
#include <stdlib.h>

#include "base/alloc.h"
#include "command_test.h"

enum { TEXT_MAX = 256 * 1024 };

struct lsig_suite_tap {
    FILE *out;
    size_t number;
    bool rounds;
    size_t round;
    uint32_t seed;
    struct lsig_buf clean;
};

// A description: '#' would begin a directive.
static void print_description(struct lsig_suite_tap *tap, const char *text)
{
    lsig_buf_reset(&tap->clean);
    lsig_suite_print_clean(lsig_span_of(text), &tap->clean);
    for (const char *at = lsig_buf_span(&tap->clean).data; *at != '\0'; at++) {
        if (*at == '#' || *at == '\\') {
            putc('\\', tap->out);
        }
        putc(*at == '\n' ? ' ' : *at, tap->out);
    }
}

static void print_point(struct lsig_suite_tap *tap, bool fine, const char *file, const char *name)
{
    tap->number++;
    fprintf(tap->out, "%sok %zu - ", fine ? "" : "not ", tap->number);
    print_description(tap, file);
    fputs(": ", tap->out);
    print_description(tap, name);
    if (tap->rounds) {
        fprintf(tap->out, " (round %zu, seed %u)", tap->round + 1, tap->seed);
    }
}

// A block scalar of YAML: each line behind the indent.
static void print_block(struct lsig_suite_tap *tap, const char *key, struct lsig_span text)
{
    lsig_buf_reset(&tap->clean);
    lsig_suite_print_clean(text, &tap->clean);
    fprintf(tap->out, "  %s: |2-\n    ", key); // lines may begin with spaces of their own
    for (const char *at = lsig_buf_span(&tap->clean).data; *at != '\0'; at++) {
        putc(*at, tap->out);
        if (*at == '\n' && at[1] != '\0') {
            fputs("    ", tap->out);
        }
    }
    if (tap->clean.len == 0 || tap->clean.data[tap->clean.len - 1] != '\n') {
        putc('\n', tap->out);
    }
}

static void on_round(void *self, size_t round, uint32_t seed)
{
    struct lsig_suite_tap *tap = self;
    tap->rounds = true;
    tap->round = round;
    tap->seed = seed;
}

static void on_unloaded(void *self,
                        const struct lsig_suite_file *file,
                        const struct lsig_source_folders *from,
                        struct lsig_span report)
{
    struct lsig_suite_tap *tap = self;
    (void)from;
    print_point(tap, false, file->shown, "it does not load");
    fputs("\n  ---\n", tap->out);
    print_block(tap, "message", report);
    fputs("  ...\n", tap->out);
}

static void on_case(void *self, const struct lsig_suite_case *it)
{
    struct lsig_suite_tap *tap = self;
    const struct lsig_bundle_result *result = it->result;
    print_point(tap, result->verdict != LSIG_BUNDLE_FAILED, it->file->shown, result->name);
    if (result->verdict == LSIG_BUNDLE_SKIPPED) {
        fputs(" # SKIP ", tap->out);
        print_description(tap, lsig_buf_span(&result->text).data);
    }
    putc('\n', tap->out);
    if (result->verdict == LSIG_BUNDLE_FAILED) {
        fputs("  ---\n", tap->out);
        print_block(tap, "message", lsig_buf_span(&result->text));
        print_block(tap, "at", lsig_span_of(result->where));
        fprintf(tap->out, "  seed: %u\n  duration_ms: %.3f\n", result->seed,
                (double)result->real_us / 1000);
        print_block(tap, "details", lsig_buf_span(&result->details));
        fputs("  ...\n", tap->out);
    }
}

static void on_end(void *self, const struct lsig_suite_totals *totals)
{
    struct lsig_suite_tap *tap = self;
    fprintf(tap->out, "1..%zu%s\n", tap->number,
            tap->number == 0 ? " # SKIP there are no tests" : "");
    fprintf(tap->out, "# passed %zu, failed %zu, skipped %zu, files that do not load %zu\n",
            totals->passed, totals->failed, totals->skipped, totals->unloaded);
    fflush(tap->out);
}

struct lsig_suite_tap *lsig_suite_tap_new(FILE *out)
{
    struct lsig_suite_tap *tap = lsig_alloc(sizeof(*tap));
    tap->out = out;
    lsig_buf_init(&tap->clean, TEXT_MAX);
    fputs("TAP version 14\n", out);
    return tap;
}

struct lsig_suite_reporter lsig_suite_tap_reporter(struct lsig_suite_tap *tap)
{
    return (struct lsig_suite_reporter){
        .self = tap,
        .on_round = on_round,
        .on_unloaded = on_unloaded,
        .on_case = on_case,
        .on_end = on_end,
    };
}

void lsig_suite_tap_free(struct lsig_suite_tap *tap)
{
    lsig_buf_clear(&tap->clean);
    free(tap);
}
