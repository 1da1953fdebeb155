// Results as the XML of JUnit: https://github.com/testmoapp/junitxml
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "command_test.h"

enum { CASES_MAX = 64 << 20, TEXT_MAX = 256 * 1024 };

struct lsig_suite_junit {
    char *path;
    bool rounds;
    size_t round;
    uint32_t seed;
    bool written;
    struct lsig_buf suites; // all that are done
    struct lsig_buf cases;  // of the file that runs
    struct lsig_buf clean;
    size_t tests;
    size_t failed;
    size_t skipped;
    size_t errors;
    int64_t real_us;
};

static void print_text(struct lsig_suite_junit *junit, struct lsig_span text, struct lsig_buf *out)
{
    lsig_buf_reset(&junit->clean);
    lsig_suite_print_clean(text, &junit->clean);
    for (const char *at = lsig_buf_span(&junit->clean).data; *at != '\0'; at++) {
        switch (*at) {
        case '<':
            lsig_buf_append_text(out, "&lt;");
            break;
        case '>':
            lsig_buf_append_text(out, "&gt;");
            break;
        case '&':
            lsig_buf_append_text(out, "&amp;");
            break;
        case '"':
            lsig_buf_append_text(out, "&quot;");
            break;
        default:
            lsig_buf_append(out, at, 1);
        }
    }
}

static void on_round(void *self, size_t round, uint32_t seed)
{
    struct lsig_suite_junit *junit = self;
    junit->rounds = true;
    junit->round = round;
    junit->seed = seed;
}

static void on_file(void *self, const struct lsig_suite_file *file)
{
    struct lsig_suite_junit *junit = self;
    (void)file;
    lsig_buf_reset(&junit->cases);
    junit->tests = 0;
    junit->failed = 0;
    junit->skipped = 0;
    junit->errors = 0;
    junit->real_us = 0;
}

static void begin_case(struct lsig_suite_junit *junit,
                       const struct lsig_suite_file *file,
                       const char *name,
                       int64_t real_us)
{
    struct lsig_buf *out = &junit->cases;
    lsig_buf_append_text(out, "    <testcase classname=\"");
    print_text(junit, lsig_span_of(file->shown), out);
    lsig_buf_append_text(out, "\" name=\"");
    print_text(junit, lsig_span_of(name), out);
    lsig_buf_append_format(out, "\" time=\"%.6f\"", (double)real_us / 1e6);
    junit->tests++;
    junit->real_us += real_us;
}

static void on_unloaded(void *self,
                        const struct lsig_suite_file *file,
                        const struct lsig_source_folders *from,
                        struct lsig_span report)
{
    struct lsig_suite_junit *junit = self;
    (void)from;
    begin_case(junit, file, "it loads", 0);
    lsig_buf_append_text(&junit->cases, ">\n      <error message=\"it does not load\">");
    print_text(junit, report, &junit->cases);
    lsig_buf_append_text(&junit->cases, "</error>\n    </testcase>\n");
    junit->errors++;
}

static void on_case(void *self, const struct lsig_suite_case *it)
{
    struct lsig_suite_junit *junit = self;
    const struct lsig_bundle_result *result = it->result;
    struct lsig_buf *out = &junit->cases;
    begin_case(junit, it->file, result->name, result->real_us);
    if (result->verdict == LSIG_BUNDLE_PASSED) {
        lsig_buf_append_text(out, "/>\n");
        return;
    }
    bool failed = result->verdict == LSIG_BUNDLE_FAILED;
    lsig_buf_append_text(out,
                         failed ? ">\n      <failure message=\"" : ">\n      <skipped message=\"");
    print_text(junit, lsig_buf_span(&result->text), out);
    lsig_buf_append_text(out, failed ? "\">" : "\"/>\n    </testcase>\n");
    if (failed) {
        lsig_buf_append_format(out, "%s: ", result->where);
        print_text(junit, lsig_buf_span(&result->text), out);
        lsig_buf_append_text(out, "\n");
        print_text(junit, lsig_buf_span(&result->details), out);
        lsig_buf_append_text(out, "</failure>\n    </testcase>\n");
    }
    junit->failed += failed;
    junit->skipped += !failed;
}

static void on_file_end(void *self, const struct lsig_suite_file *file)
{
    struct lsig_suite_junit *junit = self;
    struct lsig_buf *out = &junit->suites;
    lsig_buf_append_text(out, "  <testsuite name=\"");
    print_text(junit, lsig_span_of(file->shown), out);
    if (junit->rounds) {
        lsig_buf_append_format(out, " (round %zu, seed %u)", junit->round + 1, junit->seed);
    }
    lsig_buf_append_format(
        out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.6f\">\n",
        junit->tests, junit->failed, junit->errors, junit->skipped, (double)junit->real_us / 1e6);
    lsig_buf_append_span(out, lsig_buf_span(&junit->cases));
    lsig_buf_append_text(out, "  </testsuite>\n");
}

static void on_end(void *self, const struct lsig_suite_totals *totals)
{
    struct lsig_suite_junit *junit = self;
    FILE *file = fopen(junit->path, "w");
    bool fine = file != NULL && !junit->suites.overflowed && !junit->cases.overflowed;
    errno = file != NULL && !fine ? EFBIG : errno;
    if (fine) {
        fprintf(file,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<testsuites name=\"lunasig\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
                "skipped=\"%zu\" time=\"%.6f\">\n",
                totals->passed + totals->failed + totals->skipped + totals->unloaded,
                totals->failed, totals->unloaded, totals->skipped, (double)totals->real_us / 1e6);
        fputs(lsig_buf_span(&junit->suites).data, file);
        fputs("</testsuites>\n", file);
        fine = ferror(file) == 0;
    }
    fine = file != NULL && fclose(file) == 0 && fine;
    junit->written = fine;
    if (!fine) {
        fprintf(stderr, "lunasig test: cannot write %s: %s\n", junit->path, strerror(errno));
    }
}

struct lsig_suite_junit *lsig_suite_junit_new(const char *path)
{
    struct lsig_suite_junit *junit = lsig_alloc(sizeof(*junit));
    junit->path = lsig_strdup(path);
    lsig_buf_init(&junit->suites, CASES_MAX);
    lsig_buf_init(&junit->cases, CASES_MAX);
    lsig_buf_init(&junit->clean, TEXT_MAX);
    return junit;
}

struct lsig_suite_reporter lsig_suite_junit_reporter(struct lsig_suite_junit *junit)
{
    return (struct lsig_suite_reporter){
        .self = junit,
        .on_round = on_round,
        .on_file = on_file,
        .on_unloaded = on_unloaded,
        .on_case = on_case,
        .on_file_end = on_file_end,
        .on_end = on_end,
    };
}

bool lsig_suite_junit_is_written(const struct lsig_suite_junit *junit)
{
    return junit->written;
}

void lsig_suite_junit_free(struct lsig_suite_junit *junit)
{
    free(junit->path);
    lsig_buf_clear(&junit->suites);
    lsig_buf_clear(&junit->cases);
    lsig_buf_clear(&junit->clean);
    free(junit);
}
