// test_scenario_fixture.h - a bundle in a folder of its own, and what its tests come to.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "scenario/run.h"

struct fixture {
    char folder[64];
    struct lsig_metrics metrics;
    struct lsig_script_options options;
    struct lsig_buf report;
    int64_t took_us; // the last run
};

// Types that the tests speak with: say goes to the room, whisper to its target, quick has a rate.
static const char fixture_types[] =
    "local sig = require 'lunasig' "
    "sig.policy { name = 'test', api = 1 } "
    "sig.use 'std.presence' "
    "sig.type 'say' { payload = sig.object({}, { extra = true }) } "
    "sig.type 'whisper' { to = 'target', payload = sig.object({}, { extra = true }) } "
    "sig.type 'boss' { from = 'host', payload = sig.object({}, { extra = true }) } "
    "sig.type 'quick' { payload = sig.object({}, { extra = true }), rate = '1/s burst 2 per user' }"
    "\n";

static inline int fixture_setup(void **state)
{
    struct fixture *f = lsig_alloc(sizeof(*f));
    snprintf(f->folder, sizeof(f->folder), "/tmp/lsig_scenario_XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    f->options = (struct lsig_script_options){
        .policy_dir = f->folder,
        .library_dir = LSIG_SOURCE_DIR "/lua",
        .cpu_ms = 1000, // the machine may be busy
        .wait_ms = 2000,
        .memory_bytes = 32 * 1024 * 1024,
        .waiting_max = 1000,
        .effects_max = 1000,
        .attr_bytes = 1024,
        .data_bytes = 16384,
        .metrics = &f->metrics,
    };
    lsig_buf_init(&f->report, 1024 * 1024);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", f->folder);
    int failed = system(command);
    lsig_buf_clear(&f->report);
    free(f);
    return failed;
}

static inline void fixture_write(const struct fixture *f, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

// Runs a bundle whose policy.lua has `lua` from its second line on.
static inline bool fixture_run_for(struct fixture *f, const char *lua, int64_t limit_ms)
{
    struct lsig_buf text;
    lsig_buf_init(&text, 1024 * 1024);
    lsig_buf_append_text(&text, fixture_types);
    lsig_buf_append_text(&text, lua);
    fixture_write(f, "policy.lua", text.data);
    lsig_buf_clear(&text);
    lsig_buf_reset(&f->report);
    int64_t began_us = lsig_clock_mono_us();
    bool passed = lsig_scenario_run(&f->options, f->folder, limit_ms, &f->report);
    f->took_us = lsig_clock_mono_us() - began_us;
    return passed;
}

static inline void fixture_passes(struct fixture *f, const char *lua)
{
    if (!fixture_run_for(f, lua, 60000)) {
        fail_msg("%s\n  failed:\n%s", lua, lsig_buf_span(&f->report).data);
    }
    assert_string_equal(lsig_buf_span(&f->report).data, "");
}

// The same for one test with this body, behind this declaration.
static inline void fixture_passes_test(struct fixture *f, const char *policy, const char *body)
{
    struct lsig_buf text;
    lsig_buf_init(&text, 1024 * 1024);
    lsig_buf_append_format(&text, "%s\nsig.test('it', function(t) %s end)", policy, body);
    fixture_passes(f, text.data);
    lsig_buf_clear(&text);
}

static inline void assert_reports(const struct fixture *f, const char *wanted)
{
    if (getenv("SHOW"))
        fprintf(stderr, "%s", f->report.data);
    if (strstr(lsig_buf_span(&f->report).data, wanted) == NULL) {
        fail_msg("the report\n%s\n  does not have\n%s", lsig_buf_span(&f->report).data, wanted);
    }
}

// The test has to fail, with a report that has `wanted`.
static inline void fixture_fails(struct fixture *f, const char *lua, const char *wanted)
{
    if (fixture_run_for(f, lua, 60000)) {
        fail_msg("%s\n  passed; wanted: %s", lua, wanted);
    }
    assert_reports(f, wanted);
}

static inline void fixture_fails_test(struct fixture *f, const char *body, const char *wanted)
{
    struct lsig_buf text;
    lsig_buf_init(&text, 1024 * 1024);
    lsig_buf_append_format(&text, "sig.test('it', function(t) %s end)", body);
    fixture_fails(f, text.data, wanted);
    lsig_buf_clear(&text);
}

#define SCENARIO_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
