#include <assert.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "command_test.h"
#include "script/entry.h"
#include "server_policies.h"

enum { REPORT_MAX = 1 << 20, KEY_SIZE = PATH_MAX + LSIG_TEST_WHERE_SIZE + LSIG_TEST_NAME_MAX };

static const char late_text[] = "stopped here: a test may take 10 s of real time";
_Static_assert(LSIG_SUITE_TEST_S == 10, "late_text says so");

struct suite {
    const struct lsig_suite_options *options;
    const struct lsig_suite_reporters *reporters;
    struct lsig_suite_totals totals;
    size_t round;
    uint64_t random; // of the order
    char **own;      // "FOLDER/WHERE NAME" of tests that run with the file that they stand in
    size_t own_count;
};

// --- order

// SplitMix64 (Steele, Lea, Flood 2014); below `count`. The bias of the remainder is too small to
// matter for an order.
static size_t draw(struct suite *suite, size_t count)
{
    suite->random += 0x9e3779b97f4a7c15;
    uint64_t mixed = suite->random;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return (size_t)((mixed ^ (mixed >> 31)) % count);
}

// The numbers below count, in the order in which they are taken; to be freed.
static size_t *make_order(struct suite *suite, size_t count)
{
    size_t *order = lsig_alloc((count + 1) * sizeof(*order));
    for (size_t i = 0; i < count; i++) {
        size_t other = suite->options->shuffle ? draw(suite, i + 1) : i;
        order[i] = order[other];
        order[other] = i;
    }
    return order;
}

// --- which tests

static bool is_wanted(const struct lsig_suite_options *options, const char *name)
{
    char pattern[LSIG_TEST_NAME_MAX + 3];
    if (options->only == NULL) {
        return true;
    }
    if (strpbrk(options->only, "*?") == NULL) {
        return strstr(name, options->only) != NULL;
    }
    snprintf(pattern, sizeof(pattern), "*%.*s*", LSIG_TEST_NAME_MAX, options->only);
    return fnmatch(pattern, name, 0) == 0;
}

// The file part of "chat.lua:12".
static bool stands_in(const struct lsig_test *test, const char *file)
{
    size_t len = strlen(file);
    return strncmp(test->where, file, len) == 0 && test->where[len] == ':';
}

// What names a test of a folder. Returns its length.
static int
print_key(char out[KEY_SIZE], const struct lsig_suite_file *file, const struct lsig_test *test)
{
    return snprintf(out, KEY_SIZE, "%s/%s %s", file->folder, test->where, test->name);
}

static bool is_own(const struct lsig_suite_file *file, const struct lsig_test *test)
{
    return stands_in(test, file->name) || strcmp(file->name, LSIG_ENTRY_FILE) == 0;
}

static void
note_own(struct suite *suite, const struct lsig_suite_file *file, const struct lsig_test *test)
{
    char key[KEY_SIZE];
    if (is_own(file, test) && print_key(key, file, test) < KEY_SIZE) {
        suite->own = lsig_realloc(suite->own, (suite->own_count + 1) * sizeof(suite->own[0]));
        suite->own[suite->own_count++] = lsig_strdup(key);
    }
}

// A test of a file that this one uses, and that is a file of its own with the same test: it runs
// there.
static bool runs_elsewhere(const struct suite *suite,
                           const struct lsig_suite_file *file,
                           const struct lsig_test *test)
{
    char key[KEY_SIZE];
    if (is_own(file, test) || print_key(key, file, test) >= KEY_SIZE) {
        return false;
    }
    for (size_t i = 0; i < suite->own_count; i++) {
        if (strcmp(suite->own[i], key) == 0) {
            return true;
        }
    }
    return false;
}

// --- one file

static struct lsig_bundle *open_file(const struct lsig_suite_options *options,
                                     const struct lsig_suite_file *file,
                                     struct lsig_buf *report)
{
    struct lsig_script_options script = lsig_server_policies(options->settings, NULL, NULL);
    script.entry = file->name;
    script.coverage = options->coverage;
    struct lsig_bundle_options bundle = {
        .script = &script,
        .folder = file->folder,
        .real = options->real,
    };
    return lsig_bundle_open(&bundle, report);
}

static void tell_case(struct suite *suite,
                      const struct lsig_suite_file *file,
                      const struct lsig_bundle_result *result)
{
    struct lsig_suite_case it = {
        .file = file,
        .result = result,
        .round = suite->round,
        .seed = suite->options->seed + (uint32_t)suite->round,
        .from = {file->folder, suite->options->settings->lua_dir},
    };
    suite->totals.passed += result->verdict == LSIG_BUNDLE_PASSED;
    suite->totals.failed += result->verdict == LSIG_BUNDLE_FAILED;
    suite->totals.skipped += result->verdict == LSIG_BUNDLE_SKIPPED;
    for (size_t i = 0; i < suite->reporters->count; i++) {
        const struct lsig_suite_reporter *reporter = &suite->reporters->items[i];
        reporter->on_case(reporter->self, &it);
    }
}

static void run_test(struct suite *suite,
                     const struct lsig_suite_file *file,
                     struct lsig_bundle *bundle,
                     const struct lsig_test *test,
                     struct lsig_bundle_result *result)
{
    const struct lsig_suite_options *options = suite->options;
    if (suite->round == 0 && !options->shuffle) {
        note_own(suite, file, test);
    }
    if (runs_elsewhere(suite, file, test)) {
        return;
    }
    if (!is_wanted(options, test->name)) {
        suite->totals.left_out++;
        return;
    }
    if (test->slow && options->real != NULL) {
        lsig_bundle_skip(test, "it is slow, and needs virtual time", result);
    } else if (test->slow && !options->slow) {
        lsig_bundle_skip(test, "it is slow: --slow runs it", result);
    } else {
        struct lsig_bundle_run how = {
            .seed = options->seed + (uint32_t)suite->round,
            .end_us = lsig_clock_mono_us() + (int64_t)LSIG_SUITE_TEST_S * 1000000,
            .late = late_text,
        };
        lsig_bundle_run(bundle, test, &how, result);
    }
    tell_case(suite, file, result);
}

// A test is good until one has run, so they are known by their place.
static void
run_tests(struct suite *suite, const struct lsig_suite_file *file, struct lsig_bundle *bundle)
{
    struct lsig_test test;
    struct lsig_bundle_result result;
    size_t places[LSIG_TESTS_MAX];
    size_t count = 0;
    size_t cursor = 0;
    for (;;) {
        size_t place = cursor;
        if (count == LSIG_TESTS_MAX || !lsig_bundle_next(bundle, &cursor, &test)) {
            break;
        }
        places[count++] = place;
    }
    suite->totals.empty += count == 0 && suite->round == 0;
    // By the seed alone, so that the file by itself has the same order again.
    suite->random = suite->options->seed + (uint32_t)suite->round;
    size_t *order = make_order(suite, count);
    lsig_bundle_result_init(&result);
    for (size_t i = 0; i < count; i++) {
        cursor = places[order[i]];
        bool found = lsig_bundle_next(bundle, &cursor, &test);
        assert(found);
        run_test(suite, file, bundle, &test, &result);
    }
    lsig_bundle_result_clear(&result);
    free(order);
}

static void tell_unloaded(struct suite *suite,
                          const struct lsig_suite_file *file,
                          const struct lsig_buf *report)
{
    struct lsig_source_folders from = {file->folder, suite->options->settings->lua_dir};
    suite->totals.unloaded++;
    for (size_t i = 0; i < suite->reporters->count; i++) {
        const struct lsig_suite_reporter *reporter = &suite->reporters->items[i];
        reporter->on_unloaded(reporter->self, file, &from, lsig_buf_span(report));
    }
}

static void run_file(struct suite *suite, const struct lsig_suite_file *file)
{
    struct lsig_buf report;
    const struct lsig_suite_reporters *reporters = suite->reporters;
    lsig_buf_init(&report, REPORT_MAX);
    for (size_t i = 0; i < reporters->count; i++) {
        if (reporters->items[i].on_file != NULL) {
            reporters->items[i].on_file(reporters->items[i].self, file);
        }
    }
    struct lsig_bundle *bundle = open_file(suite->options, file, &report);
    if (bundle != NULL) {
        run_tests(suite, file, bundle);
        lsig_bundle_close(bundle);
    } else {
        tell_unloaded(suite, file, &report);
    }
    for (size_t i = 0; i < reporters->count; i++) {
        if (reporters->items[i].on_file_end != NULL) {
            reporters->items[i].on_file_end(reporters->items[i].self, file);
        }
    }
    lsig_buf_clear(&report);
}

// --- all of them

static void forget_own(struct suite *suite)
{
    for (size_t i = 0; i < suite->own_count; i++) {
        free(suite->own[i]);
    }
    free(suite->own);
}

// Which tests stand where, before files are taken in any order.
static void note_all(struct suite *suite, const struct lsig_suite_files *files)
{
    struct lsig_buf report;
    lsig_buf_init(&report, REPORT_MAX);
    for (size_t i = 0; i < files->count; i++) {
        struct lsig_test test;
        size_t cursor = 0;
        struct lsig_bundle *bundle = open_file(suite->options, &files->items[i], &report);
        while (bundle != NULL && lsig_bundle_next(bundle, &cursor, &test)) {
            note_own(suite, &files->items[i], &test);
        }
        if (bundle != NULL) {
            lsig_bundle_close(bundle);
        }
    }
    lsig_buf_clear(&report);
}

static void run_round(struct suite *suite, const struct lsig_suite_files *files)
{
    const struct lsig_suite_reporters *reporters = suite->reporters;
    uint32_t seed = suite->options->seed + (uint32_t)suite->round;
    suite->random = seed;
    for (size_t i = 0; i < reporters->count && suite->options->rounds > 1; i++) {
        if (reporters->items[i].on_round != NULL) {
            reporters->items[i].on_round(reporters->items[i].self, suite->round, seed);
        }
    }
    size_t *order = make_order(suite, files->count);
    for (size_t i = 0; i < files->count; i++) {
        run_file(suite, &files->items[order[i]]);
    }
    free(order);
}

struct lsig_suite_totals lsig_suite_run(const struct lsig_suite_files *files,
                                        const struct lsig_suite_options *options,
                                        const struct lsig_suite_reporters *reporters)
{
    int64_t began_us = lsig_clock_mono_us();
    struct suite suite = {.options = options, .reporters = reporters};
    if (options->shuffle && files->count > 1) {
        note_all(&suite, files);
    }
    for (; suite.round < options->rounds; suite.round++) {
        run_round(&suite, files);
    }
    suite.totals.files = files->count;
    suite.totals.rounds = options->rounds;
    suite.totals.real_us = lsig_clock_mono_us() - began_us;
    for (size_t i = 0; i < reporters->count; i++) {
        reporters->items[i].on_end(reporters->items[i].self, &suite.totals);
    }
    forget_own(&suite);
    return suite.totals;
}

// The report is left with what is wrong.
static bool list_file(struct suite *suite,
                      const struct lsig_suite_file *file,
                      struct lsig_buf *text,
                      size_t *count)
{
    struct lsig_test test;
    size_t cursor = 0;
    struct lsig_bundle *bundle = open_file(suite->options, file, text);
    if (bundle == NULL) {
        return false;
    }
    while (lsig_bundle_next(bundle, &cursor, &test)) {
        note_own(suite, file, &test);
        if (is_wanted(suite->options, test.name) && !runs_elsewhere(suite, file, &test)) {
            lsig_buf_append_format(text, "%s: ", file->shown);
            lsig_suite_print_clean(lsig_span_of(test.name), text);
            lsig_buf_append_text(text, test.slow ? " (slow)\n" : "\n");
            ++*count;
        }
    }
    lsig_bundle_close(bundle);
    return true;
}

size_t lsig_suite_list(FILE *out,
                       const struct lsig_suite_files *files,
                       const struct lsig_suite_options *options,
                       size_t *unloaded)
{
    struct suite suite = {.options = options};
    struct lsig_buf text;
    size_t count = 0;
    *unloaded = 0;
    lsig_buf_init(&text, REPORT_MAX);
    for (size_t i = 0; i < files->count; i++) {
        const struct lsig_suite_file *file = &files->items[i];
        struct lsig_source_folders from = {file->folder, options->settings->lua_dir};
        lsig_buf_reset(&text);
        if (list_file(&suite, file, &text, &count)) {
            fputs(lsig_buf_span(&text).data, out);
        } else {
            fprintf(stderr, "%s does not load:\n", file->shown);
            lsig_source_print(stderr, &from, lsig_buf_span(&text));
            ++*unloaded;
        }
    }
    lsig_buf_clear(&text);
    forget_own(&suite);
    return count;
}
