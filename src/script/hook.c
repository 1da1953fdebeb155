#include "script/hook.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <lauxlib.h>
#include <lua.h>

#include "script/budget.h"
#include "script/failure.h"
#include "script/handle.h"

enum outcome { OUTCOME_NEXT, OUTCOME_END, OUTCOME_WAITS, OUTCOME_FAILED };

// What sig.deny and so on return to Lua: addresses that stand for verdicts. What a denial says
// stands in the run.
static const char verdict_tokens[LSIG_VERDICT_DENY + 1];

static const struct lsig_policy_hook *hook_at(const struct lsig_hook_run *run, size_t at)
{
    const struct lsig_hook_list *list = &run->policy->lists[run->event.kind];
    if (at < list->count) {
        return list->items[at];
    }
    if (run->event.kind == LSIG_HOOK_MESSAGE) {
        const struct lsig_policy_type *type = (const struct lsig_policy_type *)run->event.rule;
        at -= list->count;
        return at < type->hooks.count ? type->hooks.items[at] : NULL;
    }
    return NULL;
}

// --- one step

static void make_handles(lua_State *L, struct lsig_hook_run *run)
{
    lsig_run_push_anchor(L, run);
    lsig_handle_push(L, LSIG_USERDATA_ROOM, run, run->event.member->room);
    lua_rawseti(L, -2, LSIG_ANCHOR_ROOM);
    lsig_handle_push(L, LSIG_USERDATA_MEMBER, run, run->event.member);
    lua_rawseti(L, -2, LSIG_ANCHOR_MEMBER);
    if (run->event.kind == LSIG_HOOK_MESSAGE) {
        lsig_handle_push(L, LSIG_USERDATA_MESSAGE, run, NULL);
        lua_rawseti(L, -2, LSIG_ANCHOR_MESSAGE);
    } else if (run->event.kind == LSIG_HOOK_LEAVE) {
        lua_pushstring(L, run->event.reason);
        lua_rawseti(L, -2, LSIG_ANCHOR_REASON);
    }
    lua_pop(L, 1);
}

// Called protected with the run: leaves the next hook and its arguments on the coroutine's stack.
static int start_hook(lua_State *L)
{
    struct lsig_hook_run *run = lua_touserdata(L, 1);
    if (run->co == NULL) {
        lsig_run_make_coroutine(L, run);
    }
    lsig_run_push_anchor(L, run); // [run, anchor]
    lua_rawgeti(L, -1, LSIG_ANCHOR_MEMBER);
    bool handles = !lua_isnil(L, -1);
    lua_pop(L, 1);
    if (!handles) {
        make_handles(L, run);
    }
    lua_State *co = run->co;
    lua_settop(co, 0);
    lua_rawgeti(co, LUA_REGISTRYINDEX, hook_at(run, run->at)->function);
    lua_rawgeti(L, -1, LSIG_ANCHOR_ROOM);
    lua_rawgeti(L, -2, LSIG_ANCHOR_MEMBER);
    lua_rawgeti(L, -3,
                run->event.kind == LSIG_HOOK_LEAVE ? LSIG_ANCHOR_REASON : LSIG_ANCHOR_MESSAGE);
    lua_xmove(L, co, 3); // a join's third one is nil
    return 0;
}

void lsig_hook_register(struct lsig_policy *policy)
{
    lua_pushcfunction(policy->vm.L, start_hook);
    policy->start_function = luaL_ref(policy->vm.L, LUA_REGISTRYINDEX);
}

static bool run_start(struct lsig_hook_run *run)
{
    struct lsig_policy *policy = run->policy;
    lua_State *L = policy->vm.L;
    run->cpu_us = 0;
    run->waited_ms = 0;
    run->verdict = LSIG_VERDICT_NONE;
    policy->options->metrics->hook_calls++;
    lua_rawgeti(L, LUA_REGISTRYINDEX, policy->start_function);
    lua_pushlightuserdata(L, run);
    if (lua_pcall(L, 1, 0, 0) != 0) {
        lua_pop(L, 1); // memory
        return false;
    }
    run->inside = true;
    return true;
}

static int run_resume(struct lsig_hook_run *run, int args, bool *exceeded)
{
    struct lsig_policy *policy = run->policy;
    struct lsig_budget *budget = policy->budget;
    assert(policy->running == NULL);
    policy->running = run;
    budget->told_ms = policy->cpu_us / 1000;
    lsig_budget_enter(budget, policy->vm.L, policy->cpu_us - run->cpu_us, args == 0);
    int outcome = lua_resume(run->co, args);
    run->cpu_us += lsig_budget_leave(budget);
    policy->running = NULL;
    if (run->tree != NULL) {
        json_decref(run->tree);
        run->tree = NULL;
    }
    *exceeded = budget->exceeded != 0;
    return outcome;
}

static const char *verdict_problem(const struct lsig_hook_run *run, enum lsig_verdict returned)
{
    if (returned != run->verdict) {
        return "a verdict was made and not returned: write `return sig.deny(…)`";
    }
    if (run->event.kind == LSIG_HOOK_LEAVE &&
        (returned == LSIG_VERDICT_DENY || returned == LSIG_VERDICT_HANDLED)) {
        return "a leave hook cannot refuse";
    }
    if (run->event.kind != LSIG_HOOK_MESSAGE && returned == LSIG_VERDICT_HANDLED) {
        return "sig.handled is for messages";
    }
    return NULL;
}

// Reads what the hook returned. NULL and the verdict in *returned, or what is wrong.
static const char *read_verdict(struct lsig_hook_run *run, enum lsig_verdict *returned)
{
    lua_State *co = run->co;
    *returned = LSIG_VERDICT_NONE;
    if (lua_gettop(co) > 0 && !lua_isnil(co, 1)) {
        const char *token = lua_type(co, 1) == LUA_TLIGHTUSERDATA ? lua_touserdata(co, 1) : NULL;
        for (int i = LSIG_VERDICT_ACCEPT; i <= LSIG_VERDICT_DENY && token != NULL; i++) {
            *returned = token == &verdict_tokens[i] ? (enum lsig_verdict)i : *returned;
        }
        if (*returned == LSIG_VERDICT_NONE) {
            return "a hook returns nothing, or what sig.deny, sig.handled or sig.accept gave";
        }
    }
    return verdict_problem(run, *returned);
}

// Runs on until the hook under way returns, waits or fails.
static enum outcome run_step(struct lsig_hook_run *run, struct lsig_failure *failure)
{
    int args = 0;
    if (!run->inside) {
        if (!run_start(run)) {
            failure->memory = true;
            snprintf(failure->text, sizeof(failure->text), "not enough memory to call the hook");
            return OUTCOME_FAILED;
        }
        args = 3;
    }
    bool exceeded = false;
    int result = run_resume(run, args, &exceeded);
    if (exceeded || (result != 0 && result != LUA_YIELD)) {
        failure->cpu = exceeded;
        failure->memory = run->policy->vm.exhausted;
        lsig_failure_read(failure, run->policy, run->co);
        return OUTCOME_FAILED;
    }
    if (result == LUA_YIELD) {
        return OUTCOME_WAITS;
    }
    run->inside = false;
    enum lsig_verdict returned;
    const char *problem = read_verdict(run, &returned);
    if (problem != NULL) {
        snprintf(failure->text, sizeof(failure->text), "%s", problem);
        return OUTCOME_FAILED;
    }
    run->verdict = returned;
    return returned == LSIG_VERDICT_NONE ? OUTCOME_NEXT : OUTCOME_END;
}

// --- a run over its hooks

static enum lsig_status run_verdict(const struct lsig_hook_run *run, struct lsig_refusal *refusal)
{
    switch (run->verdict) {
    case LSIG_VERDICT_DENY:
        *refusal = run->denial;
        return LSIG_POLICY_DENIED;
    case LSIG_VERDICT_HANDLED:
        return LSIG_HANDLED;
    default:
        return LSIG_OK;
    }
}

static void refuse_failure(const struct lsig_hook_run *run,
                           const struct lsig_policy_hook *hook,
                           struct lsig_refusal *refusal)
{
    lsig_refuse_with(refusal, LSIG_POLICY_ERROR, "a policy failed");
    lsig_refusal_add_text(refusal, "policy", hook->policy);
    lsig_refusal_add_number(refusal, "version", (double)run->policy->version);
}

// Runs hooks until the verdict is there or one waits (LSIG_WAITING).
static enum lsig_status run_on(struct lsig_hook_run *run, struct lsig_refusal *refusal)
{
    struct lsig_policy *policy = run->policy;
    const struct lsig_policy_hook *hook;
    while ((hook = hook_at(run, run->at)) != NULL) {
        struct lsig_failure failure = {.hook = hook, .member = run->event.member};
        switch (run_step(run, &failure)) {
        case OUTCOME_WAITS:
            return LSIG_WAITING;
        case OUTCOME_END:
            return run_verdict(run, refusal);
        case OUTCOME_NEXT:
            break;
        case OUTCOME_FAILED:
            lsig_failure_log(&failure, policy);
            if (run->co != NULL) {
                lsig_run_drop_coroutine(run); // it ended in an error and cannot run again
            }
            lsig_failure_recover(&failure, policy);
            run->inside = false;
            if (!hook->allow) {
                refuse_failure(run, hook, refusal);
                return LSIG_POLICY_ERROR;
            }
            break;
        }
        run->at++;
    }
    return LSIG_OK;
}

static void on_timer(uv_timer_t *timer);

static void run_suspend(struct lsig_hook_run *run)
{
    struct lsig_policy *policy = run->policy;
    if (!run->timer_open) {
        uv_timer_init(policy->options->loop, &run->timer);
        run->timer.data = run;
        run->timer_open = true;
        policy->timers_open++;
    }
    uv_update_time(policy->options->loop);
    uv_timer_start(&run->timer, on_timer, (uint64_t)ceil(run->wait_ms), 0);
    run->waiting = true;
    policy->waiting++;
    policy->options->metrics->hooks_waiting++;
}

static void run_wake(struct lsig_hook_run *run)
{
    run->waiting = false;
    run->policy->waiting--;
    run->policy->options->metrics->hooks_waiting--;
}

static void on_timer(uv_timer_t *timer)
{
    struct lsig_hook_run *run = timer->data;
    struct lsig_policy *policy = run->policy;
    struct lsig_refusal refusal = {.status = LSIG_OK};
    run_wake(run);
    enum lsig_status status = run_on(run, &refusal);
    if (status == LSIG_WAITING) {
        run_suspend(run);
        return;
    }
    lsig_hook_done done = run->done;
    void *arg = run->arg;
    policy->waiting++; // keeps the policy until its caller has heard of the end
    lsig_run_end(run);
    if (done != NULL) {
        done(arg, status, &refusal);
    }
    policy->waiting--;
    if (policy->waiting == 0 && policy->on_drained != NULL) {
        policy->on_drained(policy);
    }
}

enum lsig_status lsig_hook_call(struct lsig_policy *policy,
                                const struct lsig_hook_event *event,
                                struct lsig_refusal *refusal,
                                lsig_hook_done done,
                                void *arg,
                                struct lsig_hook_run **out)
{
    struct lsig_hook_run *run = lsig_run_take(policy);
    run->event = *event;
    lsig_member_ref(event->member);
    run->at = 0;
    run->done = done;
    run->arg = arg;
    enum lsig_status status = run_on(run, refusal);
    policy->options->metrics->policy_memory = (int64_t)policy->vm.used;
    if (status == LSIG_WAITING) {
        run_suspend(run);
        *out = run;
    } else {
        lsig_run_end(run);
    }
    return status;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct lsig_hook_run *run = handle->data;
    struct lsig_policy *policy = run->policy;
    run->timer_open = false;
    policy->timers_open--;
    if (policy->timers_open == 0) {
        policy->on_runs_closed(policy);
    }
}

// Its caller may hold things for it, so it hears of the end.
static void run_cancel(struct lsig_hook_run *run)
{
    struct lsig_refusal refusal;
    lsig_hook_done done = run->done;
    void *arg = run->arg;
    run_wake(run);
    lsig_run_end(run);
    if (done != NULL) {
        done(arg, lsig_refuse(&refusal, LSIG_DRAINING), &refusal);
    }
}

void lsig_hook_close_runs(struct lsig_policy *policy, void (*on_closed)(struct lsig_policy *policy))
{
    policy->on_runs_closed = on_closed;
    for (struct lsig_hook_run *run = policy->runs; run != NULL; run = run->next_all) {
        if (run->waiting) {
            run_cancel(run);
        }
        if (run->timer_open) {
            uv_close((uv_handle_t *)&run->timer, on_timer_closed);
        }
    }
    if (policy->timers_open == 0) {
        on_closed(policy);
    }
}

void lsig_script_drop(struct lsig_hook_run *run)
{
    assert(run->waiting);
    run->done = NULL;
    run->event.message = NULL;
}

// --- for the functions that Lua calls

struct lsig_hook_run *lsig_hook_check_running(lua_State *L, const char *function)
{
    struct lsig_hook_run *run = lsig_policy_of(L)->running;
    if (run == NULL) {
        luaL_error(L, "%s: only in a hook, not at the top level of a file", function);
    }
    return run;
}

static void set_verdict(lua_State *L, enum lsig_verdict verdict)
{
    struct lsig_hook_run *run = lsig_policy_of(L)->running;
    if (run->verdict != LSIG_VERDICT_NONE) {
        luaL_error(L, "this hook made a verdict before and did not return it");
    }
    run->verdict = verdict;
}

int lsig_hook_push_verdict(lua_State *L, enum lsig_verdict verdict)
{
    set_verdict(L, verdict);
    lua_pushlightuserdata(L, (void *)(uintptr_t)&verdict_tokens[verdict]);
    return 1;
}

int lsig_hook_push_denial(lua_State *L,
                          struct lsig_hook_run *run,
                          const char *code,
                          const char *text,
                          const char *details)
{
    set_verdict(L, LSIG_VERDICT_DENY);
    struct lsig_refusal *denial = &run->denial;
    lsig_refuse(denial, LSIG_POLICY_DENIED);
    snprintf(denial->code, sizeof(denial->code), "%s", code);
    snprintf(denial->details, sizeof(denial->details), "%s", details);
    if (text[0] != '\0') {
        snprintf(denial->message, sizeof(denial->message), "%s", text);
    }
    lua_pushlightuserdata(L, (void *)(uintptr_t)&verdict_tokens[LSIG_VERDICT_DENY]);
    return 1;
}

void lsig_hook_prepare_wait(lua_State *L, struct lsig_hook_run *run, double ms)
{
    const struct lsig_policy *policy = run->policy;
    if ((int64_t)policy->waiting >= policy->options->waiting_max) {
        luaL_error(L, "sig.sleep: %d hooks are waiting already, which is the limit",
                   (int)policy->waiting);
    }
    if (run->waited_ms + ms > (double)policy->wait_ms) {
        policy->options->metrics->hook_wait_exceeded++;
        luaL_error(L, "sig.sleep: a hook may wait %d ms in all, and this would be more",
                   (int)policy->wait_ms);
    }
    run->waited_ms += ms;
    run->wait_ms = ms;
}
