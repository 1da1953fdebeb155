#include "scenario/ask.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/nearest.h"
#include "codec/number.h"
#include "codec/scan.h"
#include "scenario/real.h"
#include "scenario/witness.h"

enum { NAME_SIZE = 64, DAY_MS = 86400 * 1000 };

#define ADVANCE_MAX_MS ((int64_t)400 * DAY_MS)

bool lsig_ask_fail(struct lsig_asking *asking, const char *format, ...)
{
    char text[LSIG_ASK_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    lsig_buf_reset(asking->answer);
    if (asking->player != NULL) {
        lsig_buf_append_format(asking->answer, "%s:", asking->player->name);
    }
    lsig_buf_append_format(asking->answer, "%s: %s", asking->question->operation, text);
    return false;
}

// --- arguments

struct lsig_span
lsig_ask_option(const struct lsig_asking *asking, size_t argument, const char *name)
{
    return lsig_match_member(asking->arguments[argument], name);
}

bool lsig_ask_check_options(struct lsig_asking *asking,
                            size_t argument,
                            const char *const *known,
                            size_t count)
{
    struct lsig_span options = asking->arguments[argument];
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    if (options.data == NULL) {
        return true;
    }
    if (lsig_scan_type(options) != LSIG_JSON_OBJECT) {
        return lsig_ask_fail(asking, "write a table here, such as { %s = … }", known[0]);
    }
    while (lsig_scan_member(options, &cursor, &key, &value)) {
        char name[NAME_SIZE];
        bool found = false;
        snprintf(name, sizeof(name), "%.*s", LSIG_SPAN_ARG(key));
        for (size_t i = 0; i < count; i++) {
            found = found || strcmp(known[i], name) == 0;
        }
        const char *nearest = found ? NULL : lsig_nearest_find(name, known, count);
        if (nearest != NULL) {
            return lsig_ask_fail(asking, "there is no '%s'; did you mean '%s'?", name, nearest);
        }
        if (!found) {
            return lsig_ask_fail(asking, "there is no '%s'", name);
        }
    }
    return true;
}

bool lsig_ask_read_time(struct lsig_asking *asking, struct lsig_span value, int64_t *ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", DAY_MS}};
    char text[NAME_SIZE];
    double time_ms = -1;
    if (value.data == NULL) {
        return true;
    }
    if (lsig_scan_type(value) == LSIG_JSON_NUMBER) {
        time_ms = lsig_number_real(value) * 1000;
    } else {
        lsig_match_text(value, text, sizeof(text));
        char *unit = text;
        double number = text[0] >= '0' && text[0] <= '9' ? strtod(text, &unit) : -1;
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && number >= 0; i++) {
            time_ms = strcmp(unit, units[i].unit) == 0 ? number * units[i].ms : time_ms;
        }
    }
    if (!(time_ms >= 0 && time_ms <= (double)ADVANCE_MAX_MS)) {
        return lsig_ask_fail(asking,
                             "write a time like \"100ms\", \"2s\", \"5min\", \"1h\", \"1d\" "
                             "or a number of seconds, at most 400 days");
    }
    *ms = (int64_t)(time_ms + 0.5);
    return true;
}

// --- time

static bool fail_endless(struct lsig_asking *asking)
{
    if (asking->world->late) {
        return lsig_ask_fail(asking, "the time for the tests is used up");
    }
    return lsig_ask_fail(asking, "it never ends: timers or waits go on without time passing");
}

bool lsig_ask_pass(struct lsig_asking *asking, int64_t ms, bool (*enough)(void *arg), void *arg)
{
    return lsig_world_pass(asking->world, ms, enough, arg) || fail_endless(asking);
}

static bool advance(struct lsig_asking *asking)
{
    int64_t ms = -1;
    if (!lsig_ask_read_time(asking, asking->arguments[0], &ms)) {
        return false;
    }
    if (ms < 0) {
        return lsig_ask_fail(asking, "write a time like \"61s\"");
    }
    lsig_story_add(&asking->world->story, lsig_world_ms(asking->world), "-- %.3f s pass --",
                   (double)ms / 1000);
    return lsig_ask_pass(asking, ms, NULL, NULL);
}

// --- what is answered at once

static bool captured(struct lsig_asking *asking)
{
    char name[NAME_SIZE] = "";
    if (asking->arguments[0].data != NULL) {
        lsig_match_text(asking->arguments[0], name, sizeof(name));
    }
    struct lsig_span json = lsig_captures_find(&asking->world->captures, lsig_span_of(name));
    if (json.data == NULL) {
        return lsig_ask_fail(asking, "nothing has been captured as \"%s\"", name);
    }
    lsig_buf_append_span(asking->answer, json);
    return true;
}

static bool expects_error(struct lsig_asking *asking)
{
    char pattern[LSIG_TEST_PROBLEM_SIZE] = "";
    if (asking->arguments[0].data != NULL) {
        lsig_match_text(asking->arguments[0], pattern, sizeof(pattern));
    }
    if (pattern[0] == '\0') {
        return lsig_ask_fail(asking, "write a pattern: t:expects_error \"boom\"");
    }
    return lsig_witness_expect(asking->world, lsig_span_of(pattern)) ||
           lsig_ask_fail(asking, "at most %d of them", LSIG_WORLD_EXPECTED_MAX);
}

// --- dispatch

static const struct {
    const char *operation;
    bool (*ask)(struct lsig_asking *asking);
    bool (*real)(struct lsig_asking *asking); // of a running server; NULL: cannot be
    bool hears;                               // may follow a refused join of the same client
} questions[] = {
    {"advance", advance, lsig_real_advance, false},
    {"captured", captured, captured, false},
    {"client", lsig_ask_client, lsig_real_client, false},
    {"drain", lsig_ask_drain, lsig_ask_fault_really, false},
    {"drops", lsig_ask_drops, lsig_real_drops, false},
    {"expects_error", expects_error, lsig_real_expects_error, false},
    {"expects_metric", lsig_ask_expects_metric, NULL, false},
    {"is_closed", lsig_ask_is_closed, lsig_real_is_closed, true},
    {"is_refused", lsig_ask_is_refused, lsig_real_is_refused, true},
    {"joins", lsig_ask_joins, lsig_real_joins, false},
    {"kill", lsig_ask_kill, lsig_ask_fault_really, false},
    {"leaves", lsig_ask_leaves, lsig_real_leaves, false},
    {"logged", lsig_ask_logged, NULL, false},
    {"logged_nothing", lsig_ask_logged_nothing, NULL, false},
    {"metric", lsig_ask_metric, NULL, false},
    {"node", lsig_ask_node, lsig_ask_fault_really, false},
    {"reads", lsig_ask_reads, lsig_ask_fault_really, false},
    {"receives", lsig_ask_receives, lsig_real_receives, true},
    {"receives_nothing", lsig_ask_receives_nothing, lsig_real_receives_nothing, true},
    {"redis", lsig_ask_redis, lsig_ask_fault_really, false},
    {"refreshes", lsig_ask_refreshes, lsig_real_refreshes, false},
    {"request", lsig_ask_request, lsig_ask_request, false},
    {"requests", lsig_ask_request, lsig_ask_request, false},
    {"resumes", lsig_ask_resumes, lsig_real_resumes, false},
    {"room", lsig_ask_room, NULL, false},
    {"sends", lsig_ask_sends, lsig_real_sends, false},
    {"sends_binary", lsig_ask_sends_binary, lsig_real_sends_binary, false},
    {"sends_raw", lsig_ask_sends_raw, lsig_real_sends_raw, false},
    {"stalls", lsig_ask_stalls, lsig_ask_fault_really, false},
    {"state", lsig_ask_state, NULL, false},
    {"store", lsig_ask_store, lsig_ask_fault_really, false},
    {"token", lsig_ask_token, lsig_ask_token, false},
    {"vanishes", lsig_ask_vanishes, lsig_real_vanishes, false},
};

static bool ask_really(struct lsig_asking *asking, size_t question)
{
    if (asking->world->skipped[0] != '\0') {
        return lsig_ask_fail(asking, "skipped: %s", asking->world->skipped);
    }
    if (questions[question].real == NULL) {
        return lsig_real_skip(asking, "%s%s looks inside of the server",
                              asking->player != NULL ? "" : "t:", asking->question->operation);
    }
    return questions[question].real(asking);
}

static void read_arguments(struct lsig_asking *asking)
{
    struct lsig_span list = asking->question->arguments;
    size_t cursor = 0;
    struct lsig_span value;
    for (size_t i = 0; i < LSIG_ASK_ARGUMENTS && lsig_scan_element(list, &cursor, &value); i++) {
        if (!lsig_span_is(value, "null")) {
            asking->arguments[i] = value;
        }
    }
}

bool lsig_ask_check_refusals(struct lsig_world *world, struct lsig_buf *answer)
{
    for (struct lsig_player *at = world->players; at != NULL; at = at->next) {
        if (at->refusal_open) {
            at->refusal_open = false;
            snprintf(world->failed_at, sizeof(world->failed_at), "%s", at->refused_at);
            lsig_buf_reset(answer);
            lsig_buf_append_format(answer, "%s was refused: %s: %s", at->name, at->refusal_code,
                                   at->refusal_text);
            return false;
        }
    }
    return true;
}

bool lsig_ask(struct lsig_world *world,
              const struct lsig_test_question *question,
              struct lsig_buf *answer)
{
    struct lsig_asking asking = {
        .world = world,
        .player = lsig_world_player(world, question->client),
        .question = question,
        .answer = answer,
    };
    size_t count = sizeof(questions) / sizeof(questions[0]);
    size_t i = 0;
    while (i < count && strcmp(questions[i].operation, question->operation) != 0) {
        i++;
    }
    if (i == count) {
        return lsig_ask_fail(&asking, "there is no such question");
    }
    snprintf(world->failed_at, sizeof(world->failed_at), "%s", question->where);
    if (asking.player != NULL && questions[i].hears) {
        asking.player->refusal_open = false;
    }
    if (!lsig_ask_check_refusals(world, answer)) {
        return false;
    }
    read_arguments(&asking);
    bool fine = world->stage == NULL ? questions[i].ask(&asking) : ask_really(&asking, i);
    if (asking.player != NULL && asking.player->flooded && fine) {
        return lsig_ask_fail(&asking,
                             "it has received more than %d frames, or all more than %d MiB",
                             LSIG_PLAYER_FRAMES_MAX, LSIG_WORLD_HEARD_MAX / 1024 / 1024);
    }
    return fine;
}
