#include "script/script.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/alloc.h"
#include "base/log.h"
#include "script/budget.h"
#include "script/hook.h"
#include "script/policy.h"
#include "script/slots.h"

enum { REPORT_MAX = 64 * 1024, LOGGED_LINES_MAX = 10 };

struct request {
    void (*on_done)(void *arg, enum lsig_status status, const char *report);
    void *arg;
    struct request *next;
};

struct lsig_script {
    struct lsig_script_options options; // strings are copies
    struct lsig_budget budget;          // of the loop thread
    struct lsig_policy *current;        // NULL: nothing loaded
    struct lsig_policy *retired;        // wait for their suspended runs
    struct lsig_slots slots;
    uint64_t version;
    uv_timer_t sweep; // frees retired policies in the next turn of the loop: this turn may still
                      // hold a rule
    uv_work_t load;
    bool loading;
    bool again;                 // another reload was asked for while one is under way
    struct lsig_policy *loaded; // result of the load under way; NULL: it failed
    struct lsig_buf report;
    struct request *asked;      // who waits for the load under way
    struct request *asked_next; // who waits for the one after it
    bool freeing;
    size_t open; // jobs and handles that are not closed yet
    void (*on_freed)(void *arg);
    void *on_freed_arg;
};

static void start_load(struct lsig_script *script);

struct lsig_script *lsig_script_new(const struct lsig_script_options *options)
{
    struct lsig_script *script = lsig_alloc(sizeof(*script));
    script->options = *options;
    script->options.policy_dir = lsig_strdup(options->policy_dir);
    script->options.library_dir =
        options->library_dir != NULL ? lsig_strdup(options->library_dir) : NULL;
    if (!lsig_budget_open(&script->budget)) {
        lsig_log(LSIG_ERROR, "no-cpu-timer",
                 LSIG_LOG_TEXT("error", "the system gives no CPU timer"));
        lsig_log_close();
        abort();
    }
    lsig_buf_init(&script->report, REPORT_MAX);
    uv_timer_init(options->loop, &script->sweep);
    script->sweep.data = script;
    script->open = 1;
    return script;
}

// --- the end of policies, and of the script

static void maybe_free(struct lsig_script *script)
{
    if (!script->freeing || script->open > 0) {
        return;
    }
    lsig_budget_close(&script->budget);
    lsig_slots_clear(&script->slots);
    lsig_buf_clear(&script->report);
    free((char *)(uintptr_t)script->options.policy_dir);
    free((char *)(uintptr_t)script->options.library_dir);
    void (*on_freed)(void *) = script->on_freed;
    void *arg = script->on_freed_arg;
    free(script);
    if (on_freed != NULL) {
        on_freed(arg);
    }
}

struct closing {
    uv_work_t work;
    struct lsig_policy *policy;
    struct lsig_script *script;
};

static void close_work(uv_work_t *work)
{
    struct closing *closing = work->data;
    lsig_policy_free(closing->policy); // a large heap takes milliseconds, so not on the loop
}

static void close_done(uv_work_t *work, int status)
{
    (void)status;
    struct closing *closing = work->data;
    struct lsig_script *script = closing->script;
    free(closing);
    script->open--;
    maybe_free(script);
}

static void on_runs_closed(struct lsig_policy *policy)
{
    struct closing *closing = lsig_alloc(sizeof(*closing));
    closing->policy = policy;
    closing->script = policy->script;
    closing->work.data = closing;
    int failed = uv_queue_work(policy->options->loop, &closing->work, close_work, close_done);
    assert(failed == 0);
}

static void on_sweep(uv_timer_t *timer)
{
    struct lsig_script *script = timer->data;
    struct lsig_policy **link = &script->retired;
    while (*link != NULL) {
        struct lsig_policy *policy = *link;
        if (policy->waiting > 0) {
            link = &policy->next;
            continue;
        }
        *link = policy->next;
        policy->on_drained = NULL;
        lsig_hook_close_runs(policy, on_runs_closed);
    }
}

static void on_drained(struct lsig_policy *policy)
{
    struct lsig_script *script = policy->script;
    if (policy != script->current && !script->freeing) {
        uv_timer_start(&script->sweep, on_sweep, 0, 0);
    }
}

static void retire(struct lsig_script *script, struct lsig_policy *policy)
{
    policy->next = script->retired;
    script->retired = policy;
    on_drained(policy);
}

static void on_sweep_closed(uv_handle_t *handle)
{
    struct lsig_script *script = handle->data;
    script->open--;
    maybe_free(script);
}

static void drop_requests(struct request **list)
{
    while (*list != NULL) {
        struct request *request = *list;
        *list = request->next;
        free(request);
    }
}

void lsig_script_free(struct lsig_script *script, void (*on_freed)(void *arg), void *arg)
{
    script->freeing = true;
    script->on_freed = on_freed;
    script->on_freed_arg = arg;
    script->again = false;
    drop_requests(&script->asked);
    drop_requests(&script->asked_next);
    if (script->current != NULL) {
        script->current->next = script->retired;
        script->retired = script->current;
        script->current = NULL;
    }
    struct lsig_policy *policy = script->retired;
    script->retired = NULL;
    while (policy != NULL) {
        struct lsig_policy *next = policy->next;
        policy->on_drained = NULL;
        lsig_hook_close_runs(policy, on_runs_closed);
        policy = next;
    }
    uv_close((uv_handle_t *)&script->sweep, on_sweep_closed);
}

// --- putting a version in force

static void log_loaded(const struct lsig_policy *policy)
{
    lsig_log(
        LSIG_INFO, "policy-loaded", LSIG_LOG_NUMBER("version", policy->version),
        LSIG_LOG_TEXT("folder", policy->bundle_dir), LSIG_LOG_NUMBER("files", policy->file_count),
        LSIG_LOG_NUMBER("types", policy->type_count), LSIG_LOG_NUMBER("hooks", policy->hook_count),
        LSIG_LOG_NUMBER("milliseconds", policy->load_ms));
}

static void log_failed(const struct lsig_script *script, const struct lsig_buf *report)
{
    struct lsig_span rest = lsig_buf_span(report);
    for (int i = 0; i < LOGGED_LINES_MAX && rest.len > 0; i++) {
        const char *end = memchr(rest.data, '\n', rest.len);
        size_t len = end != NULL ? (size_t)(end - rest.data) : rest.len;
        lsig_log(LSIG_ERROR, "policy-failed",
                 LSIG_LOG_SPAN("error", ((struct lsig_span){rest.data, len})),
                 LSIG_LOG_NUMBER("in_force", script->version));
        len += end != NULL;
        rest = (struct lsig_span){rest.data + len, rest.len - len};
    }
}

// NULL: the load failed.
static enum lsig_status
put_in_force(struct lsig_script *script, struct lsig_policy *policy, const struct lsig_buf *report)
{
    struct lsig_metrics *metrics = script->options.metrics;
    if (policy == NULL) {
        metrics->policy_load_failures++;
        log_failed(script, report);
        return LSIG_INVALID_MESSAGE;
    }
    struct lsig_policy *old = script->current;
    policy->version = ++script->version;
    policy->budget = &script->budget;
    policy->script = script;
    policy->on_drained = on_drained;
    lsig_slots_assign(&script->slots, policy);
    script->current = policy;
    script->open++;
    metrics->policy_loads++;
    metrics->policy_version = (int64_t)policy->version;
    metrics->policy_memory = (int64_t)policy->vm.used;
    log_loaded(policy);
    if (old != NULL) {
        retire(script, old);
    }
    return LSIG_OK;
}

enum lsig_status lsig_script_load(struct lsig_script *script, struct lsig_buf *report)
{
    assert(!script->freeing);
    struct lsig_policy *policy = lsig_policy_load(&script->options, &script->budget, report);
    return put_in_force(script, policy, report);
}

static void load_work(uv_work_t *work)
{
    struct lsig_script *script = work->data;
    struct lsig_budget budget;
    if (!lsig_budget_open(&budget)) {
        lsig_buf_append_text(&script->report,
                             "policy.lua:1: not loaded: the system gives no CPU timer\n");
        return;
    }
    script->loaded = lsig_policy_load(&script->options, &budget, &script->report);
    lsig_budget_close(&budget);
}

static void answer_requests(struct lsig_script *script, enum lsig_status status, const char *report)
{
    struct request *request = script->asked;
    script->asked = NULL;
    while (request != NULL) {
        struct request *next = request->next;
        if (request->on_done != NULL) {
            request->on_done(request->arg, status, report);
        }
        free(request);
        request = next;
    }
}

static void load_done(uv_work_t *work, int uv_status)
{
    (void)uv_status;
    struct lsig_script *script = work->data;
    struct lsig_policy *policy = script->loaded;
    script->loaded = NULL;
    script->open--;
    if (script->freeing) {
        if (policy != NULL) {
            policy->script = script;
            script->open++;
            on_runs_closed(policy); // it never had any
        }
        maybe_free(script);
        return;
    }
    script->loading = false;
    enum lsig_status status = put_in_force(script, policy, &script->report);
    char *report = lsig_buf_take(&script->report, NULL);
    answer_requests(script, status, report);
    free(report);
    if (script->again && !script->freeing && !script->loading) {
        script->again = false;
        script->asked = script->asked_next;
        script->asked_next = NULL;
        start_load(script);
    }
}

static void start_load(struct lsig_script *script)
{
    script->loading = true;
    script->load.data = script;
    script->open++;
    int failed = uv_queue_work(script->options.loop, &script->load, load_work, load_done);
    assert(failed == 0);
}

void lsig_script_reload(struct lsig_script *script,
                        void (*on_done)(void *arg, enum lsig_status status, const char *report),
                        void *arg)
{
    assert(!script->freeing);
    struct request *request = lsig_alloc(sizeof(*request));
    request->on_done = on_done;
    request->arg = arg;
    struct request **list = script->loading ? &script->asked_next : &script->asked;
    while (*list != NULL) {
        list = &(*list)->next;
    }
    *list = request;
    if (script->loading) {
        script->again = true;
    } else {
        start_load(script);
    }
}

uint64_t lsig_script_version(const struct lsig_script *script)
{
    return script->version;
}

// --- what the line asks

const struct lsig_rule *lsig_script_rule(const struct lsig_script *script, struct lsig_span type)
{
    const struct lsig_policy_type *found =
        script->current != NULL ? lsig_policy_find_type(script->current, type) : NULL;
    return found != NULL ? &found->rule : NULL;
}

bool lsig_script_has_hooks(const struct lsig_script *script, enum lsig_hook_kind kind)
{
    return script->current != NULL && script->current->lists[kind].count > 0;
}

enum lsig_status lsig_script_call(struct lsig_script *script,
                                  const struct lsig_hook_event *event,
                                  struct lsig_refusal *refusal,
                                  lsig_hook_done done,
                                  void *arg,
                                  struct lsig_hook_run **run)
{
    if (script->freeing) {
        return lsig_refuse(refusal, LSIG_DRAINING);
    }
    // A message is judged by the version that its rule is of: another may have come into force in
    // this turn of the loop.
    const struct lsig_policy_type *type = (const struct lsig_policy_type *)event->rule;
    struct lsig_policy *policy = event->kind == LSIG_HOOK_MESSAGE ? type->policy : script->current;
    bool hooks =
        policy != NULL && (event->kind == LSIG_HOOK_MESSAGE ? event->rule->has_hooks
                                                            : policy->lists[event->kind].count > 0);
    return hooks ? lsig_hook_call(policy, event, refusal, done, arg, run) : LSIG_OK;
}
