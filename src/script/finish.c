#include "script/policy.h"

#include <string.h>

#include "base/alloc.h"
#include "codec/nearest.h"
#include "script/analyse.h"

static bool add_name(struct lsig_policy *policy,
                     const char *name,
                     struct lsig_policy_type *type,
                     struct lsig_buf *report)
{
    const struct lsig_policy_type *before = lsig_policy_find_type(policy, lsig_span_of(name));
    if (before != NULL) {
        lsig_buf_append_format(
            report, "%s: alias \"%s\" of \"%s\" belongs to \"%s\", declared at %s\n", type->where,
            name, type->rule.name, before->rule.name, before->where);
        return false;
    }
    lsig_map_add(&policy->names, lsig_span_of(name), type);
    return true;
}

static bool finish_types(struct lsig_policy *policy, struct lsig_buf *report)
{
    bool good = true;
    for (size_t i = 0; i < policy->type_count; i++) {
        struct lsig_policy_type *type = policy->types[i];
        if (!type->complete) {
            lsig_buf_append_format(
                report, "%s: sig.type \"%s\" has no table: write sig.type \"%s\" { … }\n",
                type->where, type->rule.name, type->rule.name);
            good = false;
        }
        good &= add_name(policy, type->rule.name, type, report);
    }
    for (size_t i = 0; i < policy->type_count; i++) {
        struct lsig_policy_type *type = policy->types[i];
        for (size_t k = 0; k < type->alias_count; k++) {
            good &= add_name(policy, type->aliases[k], type, report);
        }
    }
    return good;
}

static void add_hook(struct lsig_hook_list *list, struct lsig_policy_hook *hook)
{
    list->items = lsig_realloc(list->items, (list->count + 1) * sizeof(struct lsig_policy_hook *));
    list->items[list->count++] = hook;
}

static void report_unknown_type(const struct lsig_policy *policy,
                                const struct lsig_policy_hook *hook,
                                struct lsig_buf *report)
{
    const char *names[LSIG_POLICY_TYPES_MAX];
    for (size_t i = 0; i < policy->type_count; i++) {
        names[i] = policy->types[i]->rule.name;
    }
    const char *name = strchr(hook->event, ':') + 1;
    const char *nearest = lsig_nearest_find(name, names, policy->type_count);
    lsig_buf_append_format(report, "%s: \"%s\": no policy declares the type \"%s\"", hook->where,
                           hook->event, name);
    if (nearest != NULL) {
        lsig_buf_append_format(report, "; did you mean \"%s\"?", nearest);
    }
    lsig_buf_append_text(report, "\n");
}

static void add_timer_hook(struct lsig_policy *policy, struct lsig_policy_hook *hook)
{
    struct lsig_span name = lsig_span_of(strchr(hook->event, ':') + 1);
    struct lsig_timer_hooks *timer = lsig_map_find(&policy->timers, name);
    if (timer == NULL) {
        timer = lsig_alloc(sizeof(*timer) + name.len + 1);
        memcpy(timer->name, name.data, name.len);
        lsig_map_add(&policy->timers, lsig_span_of(timer->name), timer);
    }
    add_hook(&timer->list, hook);
}

static bool finish_hooks(struct lsig_policy *policy, struct lsig_buf *report)
{
    bool good = true;
    for (size_t i = 0; i < policy->hook_count; i++) {
        struct lsig_policy_hook *hook = policy->hooks[i];
        if (hook->kind == LSIG_HOOK_ROUTE || hook->kind == LSIG_HOOK_TEST) {
            continue; // called one by one
        }
        if (hook->kind == LSIG_HOOK_TIMER) {
            add_timer_hook(policy, hook);
        }
        if (hook->kind != LSIG_HOOK_MESSAGE || strcmp(hook->event, "message") == 0) {
            add_hook(&policy->lists[hook->kind], hook);
        } else {
            struct lsig_span name = lsig_span_of(strchr(hook->event, ':') + 1);
            struct lsig_policy_type *type = lsig_map_find(&policy->names, name);
            if (type != NULL) {
                add_hook(&type->hooks, hook);
            } else if (!hook->optional) {
                report_unknown_type(policy, hook, report);
                good = false;
            }
        }
    }
    return good;
}

bool lsig_policy_finish(struct lsig_policy *policy, struct lsig_buf *report)
{
    bool good = finish_types(policy, report);
    good = finish_hooks(policy, report) && good;
    for (size_t i = 0; i < policy->type_count; i++) {
        struct lsig_policy_type *type = policy->types[i];
        type->rule.has_hooks = type->hooks.count > 0 || policy->lists[LSIG_HOOK_MESSAGE].count > 0;
    }
    lsig_analyse_whole(policy);
    return lsig_analyse_report(policy, report) && good;
}
