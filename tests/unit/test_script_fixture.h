// test_script_fixture.h - a loop, a folder for policy files, and a room with members, for the tests
// of script.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "codec/envelope.h"
#include "room/hub.h"
#include "script/script.h"

enum { FIXTURE_MEMBERS = 4, DEADLINE_MS = 10000, BEAT_MS = 5 };

struct fixture {
    uv_loop_t loop;
    char folder[64];
    char library[64];
    struct lsig_metrics metrics;
    struct lsig_script_options options;
    struct lsig_script *script;
    struct lsig_buf report;
    struct lsig_hub *hub;
    struct lsig_room *room;
    struct lsig_member *members[FIXTURE_MEMBERS];
    struct lsig_connection connections[FIXTURE_MEMBERS];
    struct lsig_envelope envelope;
    struct lsig_refusal refusal;    // of the last call
    struct lsig_hook_result result; // likewise, to be cleared by the next one
    struct lsig_hook_run *run;
    bool freed;
};

static inline void
fixture_write(const struct fixture *f, const char *folder, const char *name, const char *text)
{
    (void)f;
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static inline int fixture_setup(void **state)
{
    struct fixture *f = lsig_alloc(sizeof(*f));
    uv_loop_init(&f->loop);
    snprintf(f->folder, sizeof(f->folder), "/tmp/lsig_script_XXXXXX");
    snprintf(f->library, sizeof(f->library), "/tmp/lsig_library_XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    assert_non_null(mkdtemp(f->library));
    f->options = (struct lsig_script_options){.loop = &f->loop,
                                              .policy_dir = f->folder,
                                              .library_dir = f->library,
                                              .cpu_ms = 20,
                                              .wait_ms = 2000,
                                              .memory_bytes = 32 * 1024 * 1024,
                                              .waiting_max = 1000,
                                              .effects_max = 1000,
                                              .attr_bytes = 1024,
                                              .data_bytes = 16384,
                                              .metrics = &f->metrics};
    f->script = lsig_script_new(&f->options);
    lsig_hook_result_init(&f->result);
    lsig_buf_init(&f->report, 65536);
    f->hub = lsig_hub_new();
    f->room = lsig_hub_open(f->hub, lsig_span_of("r1"));
    *state = f;
    return 0;
}

static inline void fixture_on_freed(void *arg)
{
    ((struct fixture *)arg)->freed = true;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < FIXTURE_MEMBERS; i++) {
        if (f->connections[i].member != NULL) {
            lsig_member_unref(lsig_room_leave(&f->connections[i], lsig_clock_now()).left);
        }
        lsig_member_unref(f->members[i]);
    }
    lsig_hook_result_clear(&f->result);
    lsig_script_free(f->script, fixture_on_freed, f);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_true(f->freed);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    assert_int_equal(f->metrics.hooks_waiting, 0);
    lsig_room_unref(f->room);
    lsig_hub_free(f->hub);
    lsig_buf_clear(&f->report);
    char command[160];
    snprintf(command, sizeof(command), "rm -rf %s %s", f->folder, f->library);
    int failed = system(command);
    free(f);
    return failed;
}

// Loads `text` as policy.lua.
static inline enum lsig_status fixture_load(struct fixture *f, const char *text)
{
    fixture_write(f, f->folder, "policy.lua", text);
    lsig_buf_reset(&f->report);
    return lsig_script_load(f->script, &f->report);
}

// The same with `local sig = require "lunasig"` in front (on the same line), and it has to succeed.
static inline void fixture_use(struct fixture *f, const char *text)
{
    struct lsig_buf whole;
    lsig_buf_init(&whole, 1024 * 1024);
    lsig_buf_append_text(&whole, "local sig = require 'lunasig' ");
    lsig_buf_append_text(&whole, text);
    if (fixture_load(f, whole.data) != LSIG_OK) {
        fail_msg("not loaded: %s", f->report.data);
    }
    lsig_buf_clear(&whole);
}

// The same, and it has to fail with a report that holds `wanted`.
static inline void fixture_refuses(struct fixture *f, const char *text, const char *wanted)
{
    struct lsig_buf whole;
    lsig_buf_init(&whole, 4 * 1024 * 1024);
    lsig_buf_append_text(&whole, "local sig = require 'lunasig' ");
    lsig_buf_append_text(&whole, text);
    uint64_t before = lsig_script_version(f->script);
    enum lsig_status status = fixture_load(f, whole.data);
    lsig_buf_clear(&whole);
    if (status == LSIG_OK || strstr(f->report.data, wanted) == NULL) {
        fail_msg("%s\n  gave: %s  wanted: %s", text,
                 status == LSIG_OK ? "success\n" : f->report.data, wanted);
    }
    assert_int_equal(lsig_script_version(f->script), before);
}

static inline struct lsig_member *
fixture_member(struct fixture *f, int i, const char *id, const char *claims)
{
    f->members[i] = lsig_member_new(f->room, lsig_span_of(id), lsig_span_of(id));
    f->members[i]->claims = claims != NULL ? lsig_strdup(claims) : NULL;
    return f->members[i];
}

static inline struct lsig_member *fixture_enter(struct fixture *f, int i, const char *id)
{
    struct lsig_member *member = fixture_member(f, i, id, NULL);
    assert_int_equal(lsig_room_enter(f->room, member, &f->connections[i], 50, lsig_clock_now()),
                     LSIG_OK);
    return member;
}

// lsig_script_call, with the result in the fixture.
static inline enum lsig_status
fixture_call(struct fixture *f, const struct lsig_hook_event *event, lsig_hook_done done, void *arg)
{
    lsig_hook_result_clear(&f->result);
    lsig_hook_result_init(&f->result);
    enum lsig_status status = lsig_script_call(f->script, event, &f->result, done, arg, &f->run);
    f->refusal = f->result.refusal;
    return status;
}

// Calls the message hooks for a frame; the rule is looked up.
static inline enum lsig_status fixture_message_to(struct fixture *f,
                                                  struct lsig_envelope *envelope,
                                                  const char *frame,
                                                  lsig_hook_done done,
                                                  void *arg)
{
    struct lsig_refusal refusal;
    assert_int_equal(lsig_envelope_parse(envelope, lsig_span_of(frame), &refusal), LSIG_OK);
    struct lsig_hook_event event = {.kind = LSIG_HOOK_MESSAGE,
                                    .member = f->members[0],
                                    .rule = lsig_script_rule(f->script, envelope->type),
                                    .message = envelope};
    assert_non_null(event.rule);
    return fixture_call(f, &event, done, arg);
}

static inline enum lsig_status
fixture_message(struct fixture *f, const char *frame, lsig_hook_done done, void *arg)
{
    return fixture_message_to(f, &f->envelope, frame, done, arg);
}

static inline enum lsig_status fixture_event(struct fixture *f,
                                             enum lsig_hook_kind kind,
                                             struct lsig_member *member,
                                             lsig_hook_done done,
                                             void *arg)
{
    struct lsig_hook_event event = {
        .kind = kind, .member = member, .text = kind == LSIG_HOOK_LEAVE ? "bye" : NULL};
    return fixture_call(f, &event, done, arg);
}

// What a suspended run ended with.
struct ending {
    int calls;
    enum lsig_status status;
    char code[LSIG_REFUSAL_CODE_SIZE];
};

static inline void
fixture_on_done(void *arg, enum lsig_status status, struct lsig_hook_result *result)
{
    struct ending *ending = arg;
    ending->calls++;
    ending->status = status;
    snprintf(ending->code, sizeof(ending->code), "%s", result->refusal.code);
}

// When a wait ends. The timer beats in between: a turn of the loop that has done what is waited for
// must not go on to wait for something else.
struct fixture_deadline {
    struct lsig_script *script;
    int64_t at_ms;
    bool late;
};

static inline void fixture_on_beat(uv_timer_t *timer)
{
    struct fixture_deadline *deadline = timer->data;
    int64_t now_ms = lsig_clock_now().mono_ms;
    deadline->late = now_ms >= deadline->at_ms;
    lsig_script_tick(deadline->script, now_ms);
}

static inline void fixture_close_timer(struct fixture *f, uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
}

// Turns the loop until *value is `wanted`, at most DEADLINE_MS.
static inline void fixture_wait_for(struct fixture *f, const int *value, int wanted)
{
    struct fixture_deadline deadline = {f->script, lsig_clock_now().mono_ms + DEADLINE_MS, false};
    uv_timer_t beat;
    uv_timer_init(&f->loop, &beat);
    beat.data = &deadline;
    uv_timer_start(&beat, fixture_on_beat, BEAT_MS, BEAT_MS);
    while (*value != wanted && !deadline.late) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    fixture_close_timer(f, &beat);
    assert_int_equal(*value, wanted);
}

// Runs `body` in a join hook: what it returns, or its error, is a text that has to hold `wanted`.
static inline void fixture_says(struct fixture *f, const char *body, const char *wanted)
{
    struct lsig_buf text;
    lsig_buf_init(&text, 65536);
    lsig_buf_append_format(&text,
                           "sig.on('join', function(room, member) "
                           "local ok, said = pcall(function() %s end) "
                           "return sig.deny('SAID', tostring(said):sub(1, 250)) end)",
                           body);
    fixture_use(f, text.data);
    lsig_buf_clear(&text);
    if (f->members[FIXTURE_MEMBERS - 1] == NULL) {
        fixture_member(f, FIXTURE_MEMBERS - 1, "zoe",
                       "{\"sub\":\"zoe\",\"plan\":\"pro\",\"n\":[1,null]}");
    }
    enum lsig_status status =
        fixture_event(f, LSIG_HOOK_JOIN, f->members[FIXTURE_MEMBERS - 1], NULL, NULL);
    assert_int_equal(status, LSIG_POLICY_DENIED);
    if (strstr(f->refusal.message, wanted) == NULL) {
        fail_msg("%s\n  said: %s\n  wanted: %s", body, f->refusal.message, wanted);
    }
}

// For tests of endless loops: ThreadSanitizer holds signals back until the program calls a function
// that it knows.
static inline void fixture_needs_ticks(void)
{
#ifdef __SANITIZE_THREAD__
    skip();
#endif
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
