// test_script_versions_fixture.h - what the tests of versions share, besides the fixture of script.
#pragma once

#include "test_script_fixture.h"

#define TYPES "local sig = require 'lunasig' sig.type 'talk' {} "
#define SAYS(code) TYPES "sig.on('message', function() return sig.deny('" code "') end)"
#define FAILS TYPES "sig.on('message', function() error('bad') end)"
#define TALK "{\"type\":\"talk\",\"payload\":{\"text\":\"hello\"}}"

struct outcome {
    int calls;
    enum lsig_status status;
    uint64_t version;
    uint64_t in_force;
    bool unchanged;
    bool tests_skipped;
    char report[512];
};

static inline void note_outcome(void *arg, const struct lsig_script_outcome *told)
{
    struct outcome *outcome = arg;
    outcome->calls++;
    outcome->status = told->status;
    outcome->version = told->version;
    outcome->in_force = told->in_force;
    outcome->unchanged = told->unchanged;
    outcome->tests_skipped = told->tests_skipped;
    snprintf(outcome->report, sizeof(outcome->report), "%s", told->report);
}

// The script anew, with the options as the test has changed them.
static inline void begin(struct fixture *f)
{
    f->options.versions_kept = f->options.versions_kept == 0 ? 4 : f->options.versions_kept;
    f->freed = false;
    lsig_script_free(f->script, fixture_on_freed, f);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_true(f->freed);
    f->freed = false;
    f->script = lsig_script_new(&f->options);
    fixture_enter(f, 0, "ann");
}

static inline struct outcome load_from(struct fixture *f, const char *folder, bool skip_tests)
{
    struct outcome outcome = {0};
    assert_int_equal(
        lsig_script_load_version(f->script, folder, skip_tests, note_outcome, &outcome), LSIG_OK);
    fixture_wait_for(f, &outcome.calls, 1);
    return outcome;
}

static inline struct outcome load(struct fixture *f, const char *text)
{
    fixture_write(f, f->folder, "policy.lua", text);
    return load_from(f, NULL, false);
}

static inline struct outcome reload(struct fixture *f, const char *text)
{
    struct outcome outcome = {0};
    fixture_write(f, f->folder, "policy.lua", text);
    lsig_script_reload(f->script, note_outcome, &outcome);
    fixture_wait_for(f, &outcome.calls, 1);
    return outcome;
}

static inline const char *code_of(struct fixture *f)
{
    struct lsig_envelope envelope;
    f->refusal = (struct lsig_refusal){.code = "none"};
    assert_int_not_equal(fixture_message_to(f, &envelope, TALK, NULL, NULL), LSIG_WAITING);
    return f->refusal.code;
}

static inline enum lsig_status use(struct fixture *f, uint64_t number)
{
    lsig_buf_reset(&f->report);
    return lsig_script_use(f->script, number, false, &f->report);
}

static inline enum lsig_status rollback(struct fixture *f)
{
    lsig_buf_reset(&f->report);
    return lsig_script_rollback(f->script, false, &f->report);
}

static inline enum lsig_status discard(struct fixture *f, uint64_t number)
{
    lsig_buf_reset(&f->report);
    return lsig_script_discard(f->script, number, &f->report);
}

// Turns the loop until nothing is to be done at once.
static inline void settle(struct fixture *f)
{
    for (int i = 0; i < 20; i++) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
}

struct listing {
    char text[1024]; // "1 warm, 2 in force"
    struct lsig_version_view views[20];
    int count;
};

static inline void add_to_listing(void *arg, const struct lsig_version_view *view)
{
    struct listing *listing = arg;
    size_t len = strlen(listing->text);
    snprintf(listing->text + len, sizeof(listing->text) - len, "%s%d %s", len > 0 ? ", " : "",
             (int)view->number, view->state);
    listing->views[listing->count++] = *view;
}

static inline struct listing list(struct fixture *f)
{
    struct listing listing = {.count = 0};
    lsig_script_list(f->script, add_to_listing, &listing);
    return listing;
}

static inline void expect_list(struct fixture *f, const char *wanted)
{
    assert_string_equal(list(f).text, wanted);
}

static inline void wait_until_listed(struct fixture *f, const char *wanted)
{
    int64_t until_ms = lsig_clock_now().mono_ms + DEADLINE_MS;
    while (strcmp(list(f).text, wanted) != 0 && lsig_clock_now().mono_ms < until_ms) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    expect_list(f, wanted);
}
