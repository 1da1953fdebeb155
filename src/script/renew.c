#include "script/renew.h"

#include <string.h>

#include "base/log.h"
#include "script/context.h"

enum { SLICE_US = 2000 }; // of one turn of the loop

static bool is_full(const struct lsig_policy *policy)
{
    return policy->vm.used > policy->vm.max / 100 * LSIG_RENEW_PERCENT;
}

static bool is_crowded(const struct lsig_vm *vm)
{
    return vm->used > vm->left && vm->used - vm->left > (vm->max - vm->left) / 2;
}

void lsig_renew_begin(struct lsig_policy *policy)
{
    struct lsig_script *script = policy->script;
    struct lsig_renewal *renewal = &script->renewal;
    int64_t now_ms = lsig_script_now(&script->options).mono_ms;
    bool early = renewal->looked_ms != 0 && now_ms - renewal->looked_ms < LSIG_RENEW_LOOK_MS;
    bool due = !early && !renewal->loading && !policy->entry->full;
    if (due) {
        renewal->looked_ms = now_ms;
    }
    if (due || is_crowded(&policy->vm)) {
        lsig_renew_go_on(policy);
    }
}

void lsig_renew_go_on(struct lsig_policy *policy)
{
    struct lsig_script *script = policy->script;
    struct lsig_renewal *renewal = &script->renewal;
    if (renewal->looked_at == NULL && !script->freeing && policy->entry->policy == policy) {
        renewal->looked_at = policy;
        renewal->cycles = 0;
        lsig_script_plan_chores(script);
    }
}

static void replace(struct lsig_script *script, struct lsig_policy *policy)
{
    struct lsig_version *version = policy->entry;
    int64_t now_ms = lsig_script_now(&script->options).mono_ms;
    if (version->renewed_ms != 0 && now_ms - version->renewed_ms < LSIG_RENEW_PAUSE_MS) {
        return;
    }
    version->renewed_ms = now_ms;
    script->renewal.loading = true;
    lsig_load_renew(version);
}

bool lsig_renew_do_chores(struct lsig_script *script)
{
    struct lsig_renewal *renewal = &script->renewal;
    struct lsig_policy *policy = renewal->looked_at;
    if (policy == NULL) {
        return false;
    }
    if (!lsig_vm_collect(&policy->vm, SLICE_US, &renewal->cycles)) {
        return true;
    }
    renewal->looked_at = NULL;
    if (is_full(policy) && !renewal->loading && !policy->entry->full &&
        policy->entry->policy == policy) {
        replace(script, policy);
    }
    return false;
}

void lsig_renew_forget(struct lsig_script *script, const struct lsig_policy *policy)
{
    if (script->renewal.looked_at == policy) {
        script->renewal.looked_at = NULL;
    }
}

void lsig_renew_on_loaded(struct lsig_version *version,
                          struct lsig_policy *policy,
                          const struct lsig_buf *report)
{
    struct lsig_script *script = version->script;
    script->renewal.loading = false;
    if (policy == NULL) {
        struct lsig_span text = lsig_buf_span(report);
        const char *end = memchr(text.data, '\n', text.len);
        text.len = end != NULL ? (size_t)(end - text.data) : text.len;
        lsig_log(LSIG_ERROR, "policy-not-renewed", LSIG_LOG_NUMBER("version", version->number),
                 LSIG_LOG_SPAN("error", text));
        lsig_versions_forget_if_gone(version);
        return;
    }
    if (version->policy == NULL) { // dropped meanwhile
        lsig_versions_close_machine(script, policy);
        lsig_versions_forget_if_gone(version);
        return;
    }
    int64_t before = (int64_t)version->policy->vm.used;
    version->full = is_full(policy);
    lsig_versions_replace(version, policy);
    script->options.metrics->policy_vm_replaced++;
    lsig_log(version->full ? LSIG_WARNING : LSIG_INFO, "policy-vm-replaced",
             LSIG_LOG_NUMBER("version", version->number), LSIG_LOG_NUMBER("bytes_before", before),
             LSIG_LOG_NUMBER("bytes", policy->vm.used),
             LSIG_LOG_TEXT("why", "its memory stayed above 80 % of POLICY_MEMORY_MB"),
             LSIG_LOG_TEXT("advice", version->full ? "raise POLICY_MEMORY_MB" : ""));
}
