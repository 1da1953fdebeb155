// command_test.h - the parts of `lunasig test`: which files there are, running their tests, and
// telling what they came to.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "codec/settings.h"
#include "command_source.h"
#include "scenario/bundle.h"

enum {
    LSIG_SUITE_FILES_MAX = 10000,
    LSIG_SUITE_TEST_S = 10, // of real time that one test may take
};

// --- which files there are (command_test_find.c)

// A file that is loaded, as that of a bundle of its own.
struct lsig_suite_file {
    char *folder; // real path
    char *name;   // "policy.lua"
    char *shown;  // as it is told: "examples/policies/chat_test.lua"
};

struct lsig_suite_files {
    struct lsig_suite_file *items;
    size_t count;
    size_t met; // with those that were there already
};

// Adds the .lua file, or those of the folder: where it has policy.lua, that one and each
// *_test.lua, else all, and likewise in the folders below it; not what begins with a dot, _meta and
// what links lead to. In the order of their names, policy.lua first, *_test.lua last. What is there
// already is not added again. False: there is none, told on standard error.
bool lsig_suite_find(struct lsig_suite_files *files, const char *path);
void lsig_suite_files_clear(struct lsig_suite_files *files);

// --- running them (command_test_run.c)

struct lsig_coverage;

struct lsig_suite_options {
    const struct lsig_settings *settings; // folders are complete
    const struct lsig_real *real;         // the running server that is tested; NULL: in process
    struct lsig_coverage *coverage;       // NULL: lines are not counted
    const char *only;                     // part of a test's name, * and ? as in a shell; NULL: all
    size_t rounds;
    uint32_t seed; // of the first round; the next one has the next
    bool shuffle;
    bool slow;
};

struct lsig_suite_totals {
    size_t passed;
    size_t failed;
    size_t skipped;
    size_t left_out; // by --only
    size_t files;
    size_t empty;    // files that declare no test
    size_t unloaded; // files that do not load
    size_t rounds;
    int64_t real_us;
};

// What one test came to.
struct lsig_suite_case {
    const struct lsig_suite_file *file;
    const struct lsig_bundle_result *result;
    size_t round;                    // from 0
    uint32_t seed;                   // of the round
    struct lsig_source_folders from; // its sources
};

// Who tells it. Functions may be NULL.
struct lsig_suite_reporter {
    void *self;
    void (*on_round)(void *self, size_t round, uint32_t seed); // only of several
    void (*on_file)(void *self, const struct lsig_suite_file *file);
    // The file does not load; report has lines with file:line.
    void (*on_unloaded)(void *self,
                        const struct lsig_suite_file *file,
                        const struct lsig_source_folders *from,
                        struct lsig_span report);
    void (*on_case)(void *self, const struct lsig_suite_case *it);
    void (*on_file_end)(void *self, const struct lsig_suite_file *file);
    void (*on_end)(void *self, const struct lsig_suite_totals *totals);
};

enum { LSIG_SUITE_REPORTERS_MAX = 2 };

struct lsig_suite_reporters {
    struct lsig_suite_reporter items[LSIG_SUITE_REPORTERS_MAX];
    size_t count;
};

// Runs all rounds.
struct lsig_suite_totals lsig_suite_run(const struct lsig_suite_files *files,
                                        const struct lsig_suite_options *options,
                                        const struct lsig_suite_reporters *reporters);
// Prints where each test stands and its name. Returns how many there are; *unloaded: files that do
// not load, told on standard error.
size_t lsig_suite_list(FILE *out,
                       const struct lsig_suite_files *files,
                       const struct lsig_suite_options *options,
                       size_t *unloaded);

// --- telling it (command_test_text.c, command_test_tap.c, command_test_junit.c)

struct lsig_suite_text;
struct lsig_suite_tap;
struct lsig_suite_junit;

struct lsig_suite_text_options {
    FILE *out;
    bool colour;
    bool each;         // tests that pass are told, too
    bool shuffle;      // a test alone may not fail again
    const char *flags; // of the command, to run a test again: " --slow"
};

// For people.
struct lsig_suite_text *lsig_suite_text_new(const struct lsig_suite_text_options *options);
struct lsig_suite_reporter lsig_suite_text_reporter(struct lsig_suite_text *text);
void lsig_suite_text_free(struct lsig_suite_text *text);
// TAP version 14 (testanything.org).
struct lsig_suite_tap *lsig_suite_tap_new(FILE *out);
struct lsig_suite_reporter lsig_suite_tap_reporter(struct lsig_suite_tap *tap);
void lsig_suite_tap_free(struct lsig_suite_tap *tap);
// JUnit's XML, as GitLab, Jenkins and others read it: to the file when all is done.
struct lsig_suite_junit *lsig_suite_junit_new(const char *path);
struct lsig_suite_reporter lsig_suite_junit_reporter(struct lsig_suite_junit *junit);
bool lsig_suite_junit_is_written(const struct lsig_suite_junit *junit); // false: told
void lsig_suite_junit_free(struct lsig_suite_junit *junit);
// Appends text as it can be shown: control characters and bytes that are no UTF-8 become '?', line
// ends stay.
void lsig_suite_print_clean(struct lsig_span text, struct lsig_buf *out);
