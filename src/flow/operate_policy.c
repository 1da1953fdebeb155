#include "flow/operate_policy.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "codec/json.h"
#include "flow/operate_answer.h"

enum { WHY_MAX = 64 * 1024, ANSWER_MAX = 256 * 1024 };

// --- refusals with several lines

// {"detail":…,"errors":[…]}
static void print_errors(struct lsig_buf *out, const char *detail, const char *lines)
{
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "detail", detail);
    lsig_json_open(out, "errors", '[');
    while (*lines != '\0') {
        size_t len = strcspn(lines, "\n");
        lsig_json_text(out, NULL, (struct lsig_span){lines, len});
        lines += len + (lines[len] == '\n');
    }
    lsig_json_close(out, ']');
    lsig_json_close(out, '}');
}

// --- what loads

static int print_outcome(struct lsig_buf *out, const struct lsig_script_outcome *outcome)
{
    char detail[LSIG_OPERATE_DETAIL_SIZE];
    if (outcome->status == LSIG_INVALID_MESSAGE) {
        snprintf(detail, sizeof(detail),
                 "the policy is refused; version %" PRIu64 " stays in force", outcome->in_force);
        print_errors(out, detail, outcome->report);
        return 422;
    }
    if (outcome->status != LSIG_OK) {
        snprintf(detail, sizeof(detail),
                 "version %" PRIu64 " is ready but not in force: it cannot take up the state of "
                 "rooms; see drop_state",
                 outcome->version);
        print_errors(out, detail, outcome->report);
        return 409;
    }
    lsig_json_open(out, NULL, '{');
    lsig_json_integer(out, "version", (int64_t)outcome->version);
    lsig_json_integer(out, "in_force", (int64_t)outcome->in_force);
    lsig_json_boolean(out, "unchanged", outcome->unchanged);
    lsig_json_boolean(out, "tests_skipped", outcome->tests_skipped);
    lsig_json_integer(out, "milliseconds", outcome->load_ms);
    lsig_json_close(out, '}');
    return 200;
}

static void on_loaded(void *arg, const struct lsig_script_outcome *outcome)
{
    struct lsig_operate_wait *wait = arg;
    struct lsig_buf out;
    lsig_buf_init(&out, ANSWER_MAX);
    int status = print_outcome(&out, outcome);
    wait->script = NULL;
    wait->on_answer(wait->arg, status, lsig_buf_span(&out));
    lsig_buf_clear(&out);
}

static int answer_later(struct lsig_buf *out, bool waits)
{
    if (waits) {
        return 0;
    }
    lsig_json_open(out, NULL, '{');
    lsig_json_boolean(out, "loading", true);
    lsig_json_close(out, '}');
    return 200;
}

int lsig_operate_policy_load(const struct lsig_flow *flow,
                             const struct lsig_operate_request *request,
                             struct lsig_operate_wait *wait,
                             struct lsig_buf *out)
{
    const char *folder = request->folder[0] != '\0' ? request->folder : NULL;
    enum lsig_status status = lsig_script_load_version(flow->script, folder, request->skip_tests,
                                                       wait != NULL ? on_loaded : NULL, wait);
    if (status != LSIG_OK) {
        return lsig_operate_refuse(out, 503, "too many loads wait already");
    }
    if (wait != NULL) {
        wait->script = flow->script;
    }
    return answer_later(out, wait != NULL);
}

int lsig_operate_policy_reload(const struct lsig_flow *flow,
                               struct lsig_operate_wait *wait,
                               struct lsig_buf *out)
{
    lsig_script_reload(flow->script, wait != NULL ? on_loaded : NULL, wait);
    if (wait != NULL) {
        wait->script = flow->script;
    }
    return answer_later(out, wait != NULL);
}

void lsig_operate_forget(struct lsig_operate_wait *wait)
{
    if (wait->script != NULL) {
        lsig_script_forget(wait->script, wait);
        wait->script = NULL;
    }
}

// --- what is done at once

static int answer_change(const struct lsig_flow *flow,
                         enum lsig_status status,
                         struct lsig_buf *why,
                         struct lsig_buf *out)
{
    uint64_t version = lsig_script_version(flow->script);
    struct lsig_span text = lsig_buf_span(why);
    text.len -= text.len > 0; // the end of the line
    int code = 200;
    switch (status) {
    case LSIG_OK:
        lsig_json_open(out, NULL, '{');
        lsig_json_integer(out, "in_force", (int64_t)version);
        lsig_json_close(out, '}');
        break;
    case LSIG_POLICY_DENIED:
        code = 409;
        print_errors(out, "that version cannot take up the state of rooms; see drop_state",
                     why->data != NULL ? why->data : "");
        break;
    default:
        code = status == LSIG_NOT_FOUND ? 404 : 409;
        lsig_operate_refuse(out, code, "%.*s", LSIG_SPAN_ARG(text));
        break;
    }
    lsig_buf_clear(why);
    return code;
}

int lsig_operate_policy_use(const struct lsig_flow *flow,
                            const struct lsig_operate_request *request,
                            struct lsig_buf *out)
{
    struct lsig_buf why;
    lsig_buf_init(&why, WHY_MAX);
    enum lsig_status status =
        lsig_script_use(flow->script, (uint64_t)request->version, request->drop_state, &why);
    return answer_change(flow, status, &why, out);
}

int lsig_operate_policy_rollback(const struct lsig_flow *flow,
                                 const struct lsig_operate_request *request,
                                 struct lsig_buf *out)
{
    struct lsig_buf why;
    lsig_buf_init(&why, WHY_MAX);
    enum lsig_status status = lsig_script_rollback(flow->script, request->drop_state, &why);
    return answer_change(flow, status, &why, out);
}

int lsig_operate_policy_discard(const struct lsig_flow *flow,
                                const struct lsig_operate_request *request,
                                struct lsig_buf *out)
{
    struct lsig_buf why;
    lsig_buf_init(&why, WHY_MAX);
    enum lsig_status status = lsig_script_discard(flow->script, (uint64_t)request->version, &why);
    return answer_change(flow, status, &why, out);
}

// --- looking

static void print_time(struct lsig_buf *out, const char *name, int64_t wall_ms)
{
    char text[LSIG_CLOCK_ISO_SIZE];
    if (wall_ms == 0) {
        lsig_json_null(out, name);
        return;
    }
    lsig_clock_print_iso(text, wall_ms);
    lsig_json_string(out, name, text);
}

static void print_version(void *arg, const struct lsig_version_view *view)
{
    struct lsig_buf *out = arg;
    lsig_json_open(out, NULL, '{');
    lsig_json_integer(out, "version", (int64_t)view->number);
    lsig_json_string(out, "state", view->state);
    lsig_json_string(out, "folder", view->folder);
    lsig_json_string(out, "digest", view->digest);
    print_time(out, "loaded_at", view->loaded_ms);
    print_time(out, "used_at", view->used_ms);
    lsig_json_integer(out, "load_ms", view->load_ms);
    lsig_json_integer(out, "files", (int64_t)view->files);
    lsig_json_integer(out, "types", (int64_t)view->types);
    lsig_json_integer(out, "hooks", (int64_t)view->hooks);
    lsig_json_integer(out, "memory_bytes", (int64_t)view->memory_bytes);
    lsig_json_integer(out, "errors", view->errors);
    lsig_json_integer(out, "suspended", (int64_t)view->suspended);
    lsig_json_boolean(out, "tests_skipped", view->tests_skipped);
    lsig_json_boolean(out, "rolled_back", view->failed);
    lsig_json_close(out, '}');
}

int lsig_operate_policy_list(const struct lsig_flow *flow, struct lsig_buf *out)
{
    lsig_json_open(out, NULL, '{');
    lsig_json_integer(out, "in_force", (int64_t)lsig_script_version(flow->script));
    lsig_json_open(out, "versions", '[');
    lsig_script_list(flow->script, print_version, out);
    lsig_json_close(out, ']');
    lsig_json_close(out, '}');
    return 200;
}
