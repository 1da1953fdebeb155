#include "scenario/witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/metric_table.h"
#include "codec/json.h"
#include "scenario/world.h"
#include "script/lib_test.h"

enum { FIRST_CAPACITY = 32, EVENT_MAX = 256 * 1024 };

// --- hooks that fail

static struct lsig_span
field_of(const struct lsig_log_field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) == 0 && fields[i].text.data != NULL) {
            return fields[i].text;
        }
    }
    return (struct lsig_span){"", 0};
}

// Where the error was raised, or else where the hook was registered.
static void print_where(char *out, size_t size, struct lsig_span error, struct lsig_span at)
{
    size_t colons = 0;
    size_t len = 0;
    while (len < error.len && colons < 2 && error.data[len] != ' ') {
        colons += error.data[len] == ':';
        len++;
    }
    if (colons == 2 && memmem(error.data, len, ".lua:", 5) != NULL) {
        snprintf(out, size, "%.*s", (int)len - 1, error.data);
    } else {
        snprintf(out, size, "%.*s", LSIG_SPAN_ARG(at));
    }
}

// False: it was the test's own function.
static bool note_error(struct lsig_world *world, const struct lsig_log_field *fields, size_t count)
{
    struct lsig_span hook = field_of(fields, count, "hook");
    struct lsig_span error = field_of(fields, count, "error");
    if (lsig_span_is(hook, world->test) &&
        lsig_span_is(field_of(fields, count, "at"), world->test_where)) {
        snprintf(world->own_error, sizeof(world->own_error), "%.*s", LSIG_SPAN_ARG(error));
        return false;
    }
    if (world->error_count == LSIG_WORLD_ERRORS_MAX) {
        return true;
    }
    struct lsig_world_error *note = &world->errors[world->error_count++];
    print_where(note->where, sizeof(note->where), error, field_of(fields, count, "at"));
    snprintf(note->text, sizeof(note->text), "%sthe hook \"%.*s\" failed: %.*s",
             world->story.closed ? "as the test ended, " : "", LSIG_SPAN_ARG(hook),
             LSIG_SPAN_ARG(error));
    lsig_story_add(&world->story, lsig_world_ms(world), "%s", note->text);
    return true;
}

// --- the log

static void print_event(struct lsig_buf *out,
                        enum lsig_log_level level,
                        const char *event,
                        const struct lsig_log_field *fields,
                        size_t count)
{
    static const char *const levels[] = {"debug", "info", "warning", "error"};
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "level", levels[level]);
    lsig_json_string(out, "event", event);
    for (size_t i = 0; i < count; i++) {
        struct lsig_span text = fields[i].text;
        text.len = text.len < LSIG_WITNESS_FIELD_MAX ? text.len : LSIG_WITNESS_FIELD_MAX;
        if (text.data != NULL) {
            lsig_json_text(out, fields[i].name, text);
        } else {
            lsig_json_integer(out, fields[i].name, fields[i].number);
        }
    }
    lsig_json_close(out, '}');
}

static void keep_event(struct lsig_witness *witness, struct lsig_buf *json)
{
    if (witness->count == LSIG_WITNESS_EVENTS_MAX || json->overflowed ||
        witness->bytes + json->len > LSIG_WITNESS_BYTES_MAX) {
        witness->lost++;
        lsig_buf_clear(json);
        return;
    }
    if (witness->count == witness->capacity) {
        witness->capacity = witness->capacity == 0 ? FIRST_CAPACITY : witness->capacity * 2;
        witness->events =
            lsig_realloc(witness->events, witness->capacity * sizeof(struct lsig_witness_event));
    }
    struct lsig_witness_event *event = &witness->events[witness->count++];
    witness->bytes += json->len;
    event->taken = false;
    event->json = lsig_buf_take(json, &event->len);
}

static void take_log(void *self,
                     enum lsig_log_level level,
                     const char *event,
                     const struct lsig_log_field *fields,
                     size_t count)
{
    struct lsig_world *world = self;
    struct lsig_buf json;
    if (strcmp(event, "hook-failed") == 0 && !note_error(world, fields, count)) {
        return;
    }
    lsig_buf_init(&json, EVENT_MAX);
    print_event(&json, level, event, fields, count);
    keep_event(&world->witness, &json);
    if (strcmp(event, "policy-log") == 0) {
        lsig_story_add(&world->story, lsig_world_ms(world), "log: %.*s",
                       LSIG_SPAN_ARG(field_of(fields, count, "text")));
    }
}

// --- metrics

static void
print_number(struct lsig_buf *out, const char *name, const char *type, const char *kind, int64_t n)
{
    lsig_buf_append_format(out, "# TYPE %s %s\n", name, type);
    if (strcmp(kind, "MILLISECONDS") == 0) {
        lsig_buf_append_format(out, "%s %.3f\n", name, (double)n / 1e3);
    } else if (strcmp(kind, "MICROSECONDS") == 0) {
        lsig_buf_append_format(out, "%s %.6f\n", name, (double)n / 1e6);
    } else {
        lsig_buf_append_format(out, "%s %lld\n", name, (long long)n);
    }
}

static void count_what_is_there(const struct lsig_world *world, struct lsig_metrics *metrics)
{
    metrics->rooms = 0;
    metrics->members = 0;
    metrics->connections_open = 0;
    for (const struct lsig_node *node = world->nodes; node != NULL; node = node->next) {
        for (const struct lsig_wire *at = node->wires; at != NULL; at = at->next) {
            metrics->connections_open += at->player != NULL;
        }
        if (!node->dead) {
            metrics->rooms += (int64_t)lsig_hub_room_count(node->flow.hub);
            metrics->members += (int64_t)lsig_hub_member_count(node->flow.hub);
        }
    }
}

void lsig_witness_print_metrics(const struct lsig_world *world, struct lsig_buf *out)
{
    struct lsig_metrics *metrics = world->metrics;
    count_what_is_there(world, metrics);
#define X(field, kind, name, help)                                                                 \
    print_number(out, name, strcmp(#kind, "COUNTER") == 0 ? "counter" : "gauge", #kind,            \
                 metrics->field);
    LSIG_METRICS(X)
#undef X
    lsig_buf_append_text(out, "# TYPE lunasig_refused_total counter\n");
    for (int i = LSIG_HANDLED + 1; i < LSIG_STATUS_COUNT; i++) {
        lsig_buf_append_format(out, "lunasig_refused_total{code=\"%s\"} %lld\n",
                               lsig_status_wire_code((enum lsig_status)i),
                               (long long)metrics->refused[i]);
    }
    if (metrics->policy != NULL) {
        lsig_metric_table_print(metrics->policy, out);
    }
}

// --- from the beginning to the end

void lsig_witness_begin(struct lsig_world *world)
{
    struct lsig_buf before;
    lsig_buf_init(&before, LSIG_WITNESS_METRICS_MAX);
    if (world->metrics->policy != NULL) {
        lsig_metric_table_print(world->metrics->policy, &before);
    }
    world->witness.metrics_before = lsig_strdup(lsig_buf_span(&before).data);
    lsig_buf_clear(&before);
    world->log = (struct lsig_log_taker){take_log, world};
    world->log_before = lsig_log_divert(&world->log);
}

void lsig_witness_end(struct lsig_world *world)
{
    lsig_log_divert(world->log_before);
}

void lsig_witness_clear(struct lsig_world *world)
{
    struct lsig_witness *witness = &world->witness;
    for (size_t i = 0; i < witness->count; i++) {
        free(witness->events[i].json);
    }
    free(witness->events);
    free(witness->metrics_before);
    *witness = (struct lsig_witness){.events = NULL};
}

// --- errors that are expected

bool lsig_witness_expect(struct lsig_world *world, struct lsig_span pattern)
{
    if (world->expected_count == LSIG_WORLD_EXPECTED_MAX) {
        return false;
    }
    world->expected[world->expected_count++] = lsig_strndup(pattern.data, pattern.len);
    return true;
}

static bool is_expected(struct lsig_world *world, const struct lsig_world_error *error)
{
    char problem[LSIG_TEST_PROBLEM_SIZE];
    bool expected = false;
    for (size_t i = 0; i < world->expected_count; i++) {
        if (lsig_lib_test_finds(world->script, lsig_span_of(error->text),
                                lsig_span_of(world->expected[i]), problem)) {
            world->expected_came[i] = true;
            expected = true;
        }
    }
    return expected;
}

bool lsig_witness_check(struct lsig_world *world, const char **where, struct lsig_buf *text)
{
    for (size_t i = 0; i < world->error_count; i++) {
        if (!is_expected(world, &world->errors[i])) {
            *where = world->errors[i].where;
            lsig_buf_append_text(text, world->errors[i].text);
            return false;
        }
    }
    for (size_t i = 0; i < world->expected_count; i++) {
        if (!world->expected_came[i]) {
            *where = NULL;
            lsig_buf_append_format(text, "expects_error: no hook failed with \"%s\"",
                                   world->expected[i]);
            return false;
        }
    }
    return true;
}
