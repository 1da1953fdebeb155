#include "scenario/witness.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "scenario/world.h"
#include "script/lib_test.h"

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

static void note_error(struct lsig_world *world, const struct lsig_log_field *fields, size_t count)
{
    struct lsig_span hook = field_of(fields, count, "hook");
    struct lsig_span error = field_of(fields, count, "error");
    if (lsig_span_is(hook, world->test)) {
        snprintf(world->own_error, sizeof(world->own_error), "%.*s", LSIG_SPAN_ARG(error));
        return;
    }
    if (world->error_count == LSIG_WORLD_ERRORS_MAX) {
        return;
    }
    struct lsig_world_error *note = &world->errors[world->error_count++];
    print_where(note->where, sizeof(note->where), error, field_of(fields, count, "at"));
    snprintf(note->text, sizeof(note->text), "the hook \"%.*s\" failed: %.*s", LSIG_SPAN_ARG(hook),
             LSIG_SPAN_ARG(error));
    lsig_story_add(&world->story, lsig_world_ms(world), "%s", note->text);
}

static void take_log(void *self,
                     enum lsig_log_level level,
                     const char *event,
                     const struct lsig_log_field *fields,
                     size_t count)
{
    struct lsig_world *world = self;
    (void)level;
    if (strcmp(event, "hook-failed") == 0) {
        note_error(world, fields, count);
    } else if (strcmp(event, "policy-log") == 0) {
        lsig_story_add(&world->story, lsig_world_ms(world), "log: %.*s",
                       LSIG_SPAN_ARG(field_of(fields, count, "text")));
    }
}

void lsig_witness_begin(struct lsig_world *world)
{
    world->log = (struct lsig_log_taker){take_log, world};
    world->log_before = lsig_log_divert(&world->log);
}

void lsig_witness_end(struct lsig_world *world)
{
    lsig_log_divert(world->log_before);
}

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
