#include "script/versions.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "script/context.h"
#include "script/hook.h"
#include "script/migrate.h"
#include "script/policy_events.h"
#include "script/state_declaration.h"

struct lsig_version *lsig_versions_find(const struct lsig_script *script, uint64_t number)
{
    struct lsig_version *version = script->versions.first;
    while (version != NULL && version->number != number) {
        version = version->next;
    }
    return version != NULL && version->policy != NULL ? version : NULL;
}

struct lsig_policy *
lsig_versions_with_state(struct lsig_script *script, const char *policy_name, int64_t state_version)
{
    struct lsig_policy *found = NULL;
    for (struct lsig_version *at = script->versions.first; at != NULL; at = at->next) {
        const struct lsig_state_declaration *declaration =
            at->policy != NULL ? lsig_state_declaration_find(at->policy, policy_name) : NULL;
        if (declaration != NULL && declaration->version == state_version) {
            found = at->policy; // the newest of them
        }
    }
    return found;
}

// --- the end of machines and versions

void lsig_versions_forget_if_gone(struct lsig_version *version)
{
    if (version == NULL || version->policy != NULL || version->machines > 0) {
        return;
    }
    struct lsig_version **link = &version->script->versions.first;
    while (*link != version) {
        link = &(*link)->next;
    }
    *link = version->next;
    lsig_policy_events_forget(version->script->options.metrics, version->number);
    lsig_sources_clear(&version->sources);
    free(version->folder);
    free(version);
}

struct closing {
    uv_work_t work;
    struct lsig_policy *policy;
    struct lsig_script *script;
    struct lsig_version *version;
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
    if (closing->version != NULL) {
        closing->version->machines--;
        lsig_versions_forget_if_gone(closing->version);
    }
    free(closing);
    lsig_script_on_closed(script);
}

void lsig_versions_close_machine(struct lsig_script *script, struct lsig_policy *policy)
{
    struct closing *closing = lsig_alloc(sizeof(*closing));
    lsig_renew_forget(script, policy);
    closing->policy = policy;
    closing->script = script;
    closing->version = policy->entry;
    closing->work.data = closing;
    script->open++;
    if (script->options.loop == NULL) {
        close_work(&closing->work);
        close_done(&closing->work, 0);
        return;
    }
    int failed = uv_queue_work(script->options.loop, &closing->work, close_work, close_done);
    assert(failed == 0);
}

static void on_drained(struct lsig_policy *policy)
{
    if (policy->entry->policy != policy) {
        lsig_script_plan_chores(policy->script);
    }
}

// The machine is closed in the next turn of the loop at the earliest: this turn may still hold a
// rule of it.
static void retire(struct lsig_policy *policy)
{
    struct lsig_script *script = policy->script;
    policy->next = script->versions.retired;
    script->versions.retired = policy;
    lsig_script_plan_chores(script);
}

static void sweep(struct lsig_script *script)
{
    struct lsig_policy **link = &script->versions.retired;
    while (*link != NULL) {
        struct lsig_policy *policy = *link;
        if (policy->waiting > 0 || policy->running != NULL) {
            link = &policy->next;
            continue;
        }
        *link = policy->next;
        policy->on_drained = NULL;
        lsig_versions_close_machine(script, policy);
    }
}

static void drop(struct lsig_version *version)
{
    struct lsig_policy *policy = version->policy;
    assert(policy != version->script->current);
    version->policy = NULL;
    retire(policy);
}

// Keeps as many besides the one in force as the settings say; the one that was neither loaded nor
// in force for the longest goes first.
static void trim(struct lsig_script *script, const struct lsig_version *spared)
{
    for (;;) {
        struct lsig_version *oldest = NULL;
        int64_t kept = 0;
        for (struct lsig_version *at = script->versions.first; at != NULL; at = at->next) {
            if (at->policy == NULL || at->policy == script->current) {
                continue;
            }
            kept++;
            if (at != spared && (oldest == NULL || at->touched < oldest->touched)) {
                oldest = at;
            }
        }
        if (kept <= script->options.versions_kept || oldest == NULL) {
            return;
        }
        drop(oldest);
    }
}

void lsig_versions_close(struct lsig_script *script)
{
    script->current = NULL;
    for (struct lsig_version *at = script->versions.first; at != NULL; at = at->next) {
        if (at->policy != NULL) {
            at->policy->next = script->versions.retired;
            script->versions.retired = at->policy;
            at->policy = NULL;
        }
    }
    struct lsig_policy *policy;
    while ((policy = script->versions.retired) != NULL) {
        script->versions.retired = policy->next;
        policy->on_drained = NULL;
        lsig_hook_close_runs(policy, true);
        lsig_versions_close_machine(script, policy);
    }
}

// --- new versions

static void adopt(struct lsig_version *version, struct lsig_policy *policy)
{
    policy->version = version->number;
    policy->entry = version;
    policy->budget = &version->script->budget;
    policy->script = version->script;
    policy->on_drained = on_drained;
    version->policy = policy;
    version->machines++;
}

struct lsig_version *lsig_versions_add(struct lsig_script *script,
                                       const struct lsig_version_made *made)
{
    struct lsig_policy *policy = made->policy;
    struct lsig_version *version = lsig_alloc(sizeof(*version));
    struct lsig_version **link = &script->versions.first;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = version;
    version->script = script;
    version->number = ++script->versions.last_number;
    version->sources = *made->sources;
    *made->sources = (struct lsig_sources){.items = NULL};
    lsig_sources_print_digest(&version->sources, version->digest);
    version->folder = lsig_strdup(policy->bundle_dir);
    version->files = policy->file_count;
    version->types = policy->type_count;
    version->hooks = policy->hook_count;
    version->routes = policy->route_count;
    for (size_t i = 0; i < policy->hook_count; i++) {
        version->tests += policy->hooks[i]->kind == LSIG_HOOK_TEST ? 1 : 0;
    }
    version->load_ms = policy->load_ms;
    version->loaded_ms = lsig_script_now(&script->options).wall_ms;
    version->touched = ++script->versions.touches;
    version->tests_skipped = made->tests_skipped;
    adopt(version, policy);
    trim(script, version);
    return version;
}

void lsig_versions_replace(struct lsig_version *version, struct lsig_policy *policy)
{
    struct lsig_policy *old = version->policy;
    adopt(version, policy);
    if (old == version->script->current) {
        lsig_slots_assign(&version->script->slots, policy);
        version->script->current = policy;
    }
    retire(old);
}

// --- in force

static void remember(struct lsig_versions *versions, uint64_t number)
{
    if (versions->history_count == LSIG_VERSIONS_HISTORY_MAX) {
        versions->history_count--;
        memmove(versions->history, versions->history + 1,
                versions->history_count * sizeof(versions->history[0]));
    }
    versions->history[versions->history_count++] = number;
}

// The version that was in force before this one, and is still there.
static struct lsig_version *find_previous(const struct lsig_script *script, bool any)
{
    const struct lsig_versions *versions = &script->versions;
    for (size_t i = versions->history_count; i > 0; i--) {
        struct lsig_version *version = lsig_versions_find(script, versions->history[i - 1]);
        if (version != NULL && version->policy != script->current && (any || !version->failed)) {
            return version;
        }
    }
    return NULL;
}

// What was in force after that version is not gone back to.
static void forget_history(struct lsig_versions *versions, uint64_t number)
{
    while (versions->history_count > 0 &&
           versions->history[versions->history_count - 1] != number) {
        versions->history_count--;
    }
    versions->history_count -= versions->history_count > 0;
}

static void
log_use(const struct lsig_version *version, const char *how, uint64_t before, int64_t took_us)
{
    lsig_log(LSIG_INFO, "policy-in-force", LSIG_LOG_NUMBER("version", version->number),
             LSIG_LOG_NUMBER("before", before), LSIG_LOG_TEXT("how", how),
             LSIG_LOG_NUMBER("microseconds", took_us));
}

static enum lsig_status
put_in_force(struct lsig_version *version, const char *how, bool drop_state, struct lsig_buf *why)
{
    struct lsig_script *script = version->script;
    struct lsig_policy *policy = version->policy;
    const struct lsig_policy *old = script->current;
    struct lsig_metrics *metrics = script->options.metrics;
    if (old != NULL && !drop_state && !lsig_migrate_can_return(old, policy, why)) {
        return LSIG_POLICY_DENIED;
    }
    int64_t began_us = lsig_clock_mono_us();
    policy->drops_state = drop_state;
    lsig_slots_assign(&script->slots, policy);
    script->current = policy;
    int64_t took_us = lsig_clock_mono_us() - began_us;
    if (took_us > metrics->policy_swap_max_us) {
        metrics->policy_swap_max_us = took_us;
    }
    version->used_ms = lsig_script_now(&script->options).wall_ms;
    version->touched = ++script->versions.touches;
    version->period_ms = 0;
    version->stuck = false;
    script->versions.rollback_due = false;
    metrics->policy_loads++;
    metrics->policy_version = (int64_t)version->number;
    metrics->policy_memory = (int64_t)policy->vm.used;
    log_use(version, how, old != NULL ? old->version : 0, took_us);
    trim(script, NULL);
    return LSIG_OK;
}

enum lsig_status lsig_versions_use(struct lsig_version *version,
                                   const char *how,
                                   bool drop_state,
                                   struct lsig_buf *why)
{
    struct lsig_script *script = version->script;
    uint64_t before = lsig_script_version(script);
    if (before == version->number) {
        return LSIG_OK;
    }
    enum lsig_status status = put_in_force(version, how, drop_state, why);
    if (status == LSIG_OK && before != 0) {
        remember(&script->versions, before);
    }
    return status;
}

// --- going back

static enum lsig_status go_back(struct lsig_script *script,
                                struct lsig_version *to,
                                const char *how,
                                bool drop_state,
                                struct lsig_buf *why)
{
    enum lsig_status status = put_in_force(to, how, drop_state, why);
    if (status == LSIG_OK) {
        forget_history(&script->versions, to->number);
    }
    return status;
}

void lsig_versions_count_error(struct lsig_policy *policy)
{
    struct lsig_version *version = policy->entry;
    if (version == NULL) {
        return;
    }
    struct lsig_script *script = version->script;
    const struct lsig_rate_spec *limit = &script->options.rollback_errors;
    int64_t now_ms = lsig_script_now(&script->options).mono_ms;
    version->errors++;
    if (limit->count == 0 || version->policy != script->current) {
        return;
    }
    if (version->period_ms == 0 || now_ms - version->period_ms >= limit->period_ms) {
        version->period_ms = now_ms;
        version->period_errors = 0;
    }
    version->period_errors++;
    if (version->period_errors > limit->count && !version->stuck &&
        find_previous(script, false) != NULL) {
        script->versions.rollback_due = true;
        lsig_script_plan_chores(script);
    }
}

static void roll_back(struct lsig_script *script)
{
    struct lsig_version *bad = script->current->entry;
    struct lsig_version *to = find_previous(script, false);
    script->versions.rollback_due = false;
    if (to == NULL) {
        return;
    }
    struct lsig_buf why;
    lsig_buf_init(&why, 4096);
    bool done = go_back(script, to, "errors", false, &why) == LSIG_OK;
    bad->failed = done;
    bad->stuck = !done;
    script->options.metrics->policy_rollbacks += done;
    struct lsig_span text = lsig_buf_span(&why);
    text.len = text.len > 0 ? text.len - 1 : 0; // the end of its last line
    lsig_log(LSIG_ERROR, done ? "policy-rolled-back" : "policy-not-rolled-back",
             LSIG_LOG_NUMBER("version", bad->number), LSIG_LOG_NUMBER("to", to->number),
             LSIG_LOG_NUMBER("errors", bad->period_errors),
             LSIG_LOG_NUMBER("allowed", script->options.rollback_errors.count),
             LSIG_LOG_NUMBER("period_s", script->options.rollback_errors.period_ms / 1000),
             LSIG_LOG_SPAN("why", text));
    lsig_buf_clear(&why);
}

void lsig_versions_do_chores(struct lsig_script *script)
{
    if (script->versions.rollback_due && script->current != NULL) {
        roll_back(script);
    }
    sweep(script);
}

// --- what operators ask for

static enum lsig_status find_for(const struct lsig_script *script,
                                 uint64_t number,
                                 struct lsig_buf *why,
                                 struct lsig_version **version)
{
    *version = lsig_versions_find(script, number);
    if (*version == NULL) {
        lsig_buf_append_format(why, "there is no version %llu\n", (unsigned long long)number);
        return LSIG_NOT_FOUND;
    }
    return LSIG_OK;
}

enum lsig_status
lsig_script_use(struct lsig_script *script, uint64_t number, bool drop_state, struct lsig_buf *why)
{
    struct lsig_version *version;
    enum lsig_status status = find_for(script, number, why, &version);
    return status == LSIG_OK ? lsig_versions_use(version, "use", drop_state, why) : status;
}

enum lsig_status
lsig_script_rollback(struct lsig_script *script, bool drop_state, struct lsig_buf *why)
{
    struct lsig_version *version = find_previous(script, true);
    if (version == NULL) {
        lsig_buf_append_text(why, "no version that was in force before is there any more\n");
        return LSIG_NOT_FOUND;
    }
    return go_back(script, version, "rollback", drop_state, why);
}

enum lsig_status
lsig_script_discard(struct lsig_script *script, uint64_t number, struct lsig_buf *why)
{
    struct lsig_version *version;
    enum lsig_status status = find_for(script, number, why, &version);
    if (status != LSIG_OK) {
        return status;
    }
    if (version->policy == script->current) {
        lsig_buf_append_format(why, "version %llu is in force\n", (unsigned long long)number);
        return LSIG_EXISTS;
    }
    lsig_log(LSIG_INFO, "policy-discarded", LSIG_LOG_NUMBER("version", number));
    drop(version);
    return LSIG_OK;
}

static size_t suspended_in(const struct lsig_version *version)
{
    size_t count = version->policy != NULL ? version->policy->waiting : 0;
    const struct lsig_policy *policy = version->script->versions.retired;
    for (; policy != NULL; policy = policy->next) {
        count += policy->entry == version ? policy->waiting : 0;
    }
    return count;
}

void lsig_script_list(const struct lsig_script *script,
                      void (*on_version)(void *arg, const struct lsig_version_view *view),
                      void *arg)
{
    for (const struct lsig_version *at = script->versions.first; at != NULL; at = at->next) {
        struct lsig_version_view view = {
            .number = at->number,
            .state = at->policy == NULL              ? "draining"
                     : at->policy == script->current ? "in force"
                     : at->used_ms != 0              ? "warm"
                                                     : "ready",
            .folder = at->folder,
            .digest = at->digest,
            .loaded_ms = at->loaded_ms,
            .used_ms = at->used_ms,
            .load_ms = at->load_ms,
            .files = at->files,
            .types = at->types,
            .hooks = at->hooks,
            .routes = at->routes,
            .tests = at->tests,
            .memory_bytes = at->policy != NULL ? at->policy->vm.used : 0,
            .errors = at->errors,
            .suspended = suspended_in(at),
            .tests_skipped = at->tests_skipped,
            .failed = at->failed,
        };
        on_version(arg, &view);
    }
}
