// What the line asks of the policies in force.
#include "script/context.h"
#include "script/hook.h"

struct lsig_time lsig_script_now(const struct lsig_script_options *options)
{
    return options->clock != NULL ? *options->clock : lsig_clock_now();
}

void lsig_script_set_performer(struct lsig_script *script, const struct lsig_performer *performer)
{
    script->performer = *performer;
}

const struct lsig_rule *lsig_script_rule(const struct lsig_script *script, struct lsig_span type)
{
    const struct lsig_policy_type *found =
        script->current != NULL ? lsig_policy_find_type(script->current, type) : NULL;
    return found != NULL ? &found->rule : NULL;
}

const char *lsig_script_rule_where(const struct lsig_rule *rule)
{
    return ((const struct lsig_policy_type *)rule)->where;
}

bool lsig_script_has_hooks(const struct lsig_script *script, enum lsig_hook_kind kind)
{
    return script->current != NULL && script->current->lists[kind].count > 0;
}

// The policy that an event is for; NULL: it has no hooks of it. A message is judged by the version
// that its rule is of, a route's request by the one that it was found in: another may have come
// into force in this turn of the loop.
static struct lsig_policy *policy_for(const struct lsig_script *script,
                                      const struct lsig_hook_event *event)
{
    struct lsig_policy *policy = script->current;
    if (event->only != NULL) {
        return event->only->owner;
    }
    if (event->kind == LSIG_HOOK_MESSAGE) {
        return event->rule->has_hooks ? ((const struct lsig_policy_type *)event->rule)->policy
                                      : NULL;
    }
    bool hooks = policy != NULL && policy->lists[event->kind].count > 0;
    return hooks ? policy : NULL;
}

enum lsig_status lsig_script_call(struct lsig_script *script,
                                  const struct lsig_hook_event *event,
                                  struct lsig_hook_result *result,
                                  lsig_hook_done done,
                                  void *arg,
                                  struct lsig_hook_run **run)
{
    if (script->freeing) {
        return lsig_refuse(&result->refusal, LSIG_DRAINING);
    }
    struct lsig_policy *policy = policy_for(script, event);
    return policy != NULL ? lsig_hook_call(policy, event, result, done, arg, run) : LSIG_OK;
}

void lsig_script_tell(struct lsig_script *script, const struct lsig_hook_event *event)
{
    if (!lsig_script_has_hooks(script, event->kind)) {
        return;
    }
    struct lsig_hook_result result;
    struct lsig_hook_run *run;
    lsig_hook_result_init(&result);
    // A run that waits has references of its own.
    enum lsig_status status = lsig_script_call(script, event, &result, NULL, NULL, &run);
    (void)status;
    lsig_hook_result_clear(&result);
}

void lsig_script_tick(struct lsig_script *script, int64_t mono_ms)
{
    const struct lsig_heap_item *first;
    while ((first = lsig_heap_first(&script->waits)) != NULL && first->due <= mono_ms) {
        lsig_hook_on_due(first);
    }
    lsig_script_do_chores(script);
}

int64_t lsig_script_due_ms(const struct lsig_script *script)
{
    const struct lsig_heap_item *first = lsig_heap_first(&script->waits);
    return first != NULL ? first->due : -1;
}
