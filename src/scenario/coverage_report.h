// coverage_report.h - what a run of tests left of lines that ran (script/coverage.h), for people
// and for tools.
//
// Files that declare tests and nothing else are left out, and in others the functions of tests; so
// are files without a line that can run.
//
// Whoever runs tests does this, with --coverage or --coverage-lcov FILE:
//     struct lsig_coverage *coverage = lsig_coverage_new();   // once, for all bundles and rounds
//     options.coverage = coverage;         // of struct lsig_script_options, of each bundle
//     ... and when the last bundle is closed:
//     lsig_coverage_report_print(coverage, &buf);             // to standard output
//     lsig_coverage_report_write_lcov(coverage, file);
//     lsig_coverage_free(coverage);
// Tests against a running server (real.h) run no policies here, and there is nothing to count.
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "script/coverage.h"

enum {
    LSIG_COVERAGE_REPORT_FILES = 200, // shown; the others are counted
    LSIG_COVERAGE_REPORT_RANGES = 30, // shown of a file
};

// A line per file, the one with the smallest share of lines that ran first: its share, "run/all",
// its name, and which lines never ran; the library's own files behind those of the bundles, and a
// total of each. Files that share a name are told by their paths.
void lsig_coverage_report_print(const struct lsig_coverage *coverage, struct lsig_buf *out);
// An lcov tracefile, as of geninfo(1): TN, SF, DA, LF, LH, end_of_record. False: it could not be
// written, and errno says why. The file stays open.
bool lsig_coverage_report_write_lcov(const struct lsig_coverage *coverage, FILE *out);
