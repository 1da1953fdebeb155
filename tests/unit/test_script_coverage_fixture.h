// test_script_coverage_fixture.h - a script that counts lines, and a look at them.
#pragma once

#include "script/coverage.h"
#include "test_script_fixture.h"

#define SIG "local sig = require 'lunasig'\n"

static inline int coverage_setup(void **state)
{
    int failed = fixture_setup(state);
    struct fixture *f = *state;
    lsig_script_free(f->script, NULL, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    f->options.loop = NULL;
    f->options.versions_kept = 4;
    f->options.coverage = lsig_coverage_new();
    f->script = lsig_script_new(&f->options);
    return failed;
}

static inline int coverage_teardown(void **state)
{
    struct lsig_coverage *coverage = ((struct fixture *)*state)->options.coverage;
    int failed = fixture_teardown(state);
    lsig_coverage_free(coverage);
    return failed;
}

#define COVERAGE_TEST(name) cmocka_unit_test_setup_teardown(name, coverage_setup, coverage_teardown)

static inline const struct lsig_coverage_file *find(const struct fixture *f, const char *name)
{
    size_t number = 0;
    const struct lsig_coverage_file *file;
    while ((file = lsig_coverage_file(f->options.coverage, number++)) != NULL) {
        if (strcmp(file->name, name) == 0) {
            return file;
        }
    }
    return NULL;
}

// All lines that can run, with how often they did: "1:1 3:0".
static inline void expect(const struct fixture *f, const char *name, const char *wanted)
{
    struct lsig_buf text;
    const struct lsig_coverage_file *file = find(f, name);
    assert_non_null(file);
    lsig_buf_init(&text, 65536);
    for (size_t line = 1; line < file->line_count; line++) {
        if (file->lines[line].code && !file->lines[line].left_out) {
            lsig_buf_append_format(&text, "%s%zu:%d", text.len > 0 ? " " : "", line,
                                   (int)file->lines[line].runs);
        } else {
            assert_true(file->lines[line].left_out || file->lines[line].runs == 0);
        }
    }
    assert_string_equal(lsig_buf_span(&text).data, wanted);
    lsig_buf_clear(&text);
}

// Runs the file and looks at its lines.
static inline void counts(struct fixture *f, const char *lua, const char *wanted)
{
    if (fixture_load(f, lua) != LSIG_OK) {
        fail_msg("not loaded: %s", f->report.data);
    }
    expect(f, "policy.lua", wanted);
}
