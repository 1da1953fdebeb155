#include "script/hook.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>
#include <lauxlib.h>
#include <lua.h>

#include "script/await_run.h"
#include "script/budget.h"
#include "script/context.h"
#include "script/failure.h"
#include "script/migrate.h"
#include "script/policy_events.h"

enum outcome { OUTCOME_NEXT, OUTCOME_END, OUTCOME_WAITS, OUTCOME_FAILED };

// --- one step

// Called protected with the run: leaves the next hook and its arguments on the coroutine's stack.
static int start_hook(lua_State *L)
{
    struct lsig_hook_run *run = lua_touserdata(L, 1);
    if (run->co == NULL) {
        lsig_run_make_coroutine(L, run);
    }
    lua_settop(run->co, 0);
    int count = lsig_hook_push_call(L, run) + 1;
    lua_xmove(L, run->co, count);
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
    int failed = lua_pcall(L, 1, 0, 0);
    if (failed != 0) {
        lua_pop(L, 1); // memory
        return false;
    }
    run->inside = true;
    return true;
}

// A test may use more than a hook: what it asks for is done outside of it.
static int64_t cpu_limit(const struct lsig_hook_run *run)
{
    enum { TEST_CPU_US = 1000000 };
    return run->event.kind == LSIG_HOOK_TEST ? TEST_CPU_US : run->policy->cpu_us;
}

static int run_resume(struct lsig_hook_run *run, int args, bool *exceeded)
{
    struct lsig_policy *policy = run->policy;
    struct lsig_budget *budget = policy->budget;
    assert(policy->running == NULL);
    policy->running = run;
    budget->told_ms = cpu_limit(run) / 1000;
    bool goes_on = run->cpu_us > 0 || run->waited_ms > 0;
    lsig_budget_enter(budget, policy->vm.L, cpu_limit(run) - run->cpu_us, goes_on);
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

static enum outcome fail(struct lsig_failure *failure, const char *text)
{
    snprintf(failure->text, sizeof(failure->text), "%s: %s", failure->hook->where, text);
    return OUTCOME_FAILED;
}

// What the coroutine has come to, after a call of lua_resume.
static enum outcome
read_outcome(struct lsig_hook_run *run, int result, struct lsig_failure *failure)
{
    if (failure->cpu || (result != 0 && result != LUA_YIELD)) {
        failure->memory = run->policy->vm.exhausted;
        lsig_failure_read(failure, run->policy, run->co);
        return OUTCOME_FAILED;
    }
    if (result == LUA_YIELD && run->await != NULL) {
        lua_settop(run->co, 0);
        return OUTCOME_WAITS;
    }
    if (result == LUA_YIELD) {
        return fail(failure, "coroutine.yield outside of a coroutine of the policy's own");
    }
    run->inside = false;
    const char *problem = run->await != NULL ? "the hook ended while a coroutine of its own waited"
                                             : lsig_hook_read_verdict(run);
    if (problem != NULL) {
        return fail(failure, problem);
    }
    return run->verdict == LSIG_VERDICT_NONE ? OUTCOME_NEXT : OUTCOME_END;
}

// Runs on until the hook under way returns, waits or fails; one that goes on after a wait has count
// values on its coroutine's stack.
static enum outcome run_step(struct lsig_hook_run *run, int count, struct lsig_failure *failure)
{
    if (!run->inside) {
        if (!run_start(run)) {
            failure->memory = true;
            return fail(failure, "not enough memory to call the hook");
        }
        count = lua_gettop(run->co) - 1;
    }
    int result = run_resume(run, count, &failure->cpu);
    return read_outcome(run, result, failure);
}

// --- a run over its hooks

static void commit(struct lsig_hook_run *run)
{
    lsig_journal_commit(&run->journal);
    if (run->effects.first != NULL) {
        lsig_effects_perform(&run->effects, &run->policy->script->performer);
    }
}

static void take_back(struct lsig_hook_run *run)
{
    lsig_effects_drop(&run->effects);
    lsig_journal_rollback(&run->journal);
    lsig_await_forget(run);
}

static enum lsig_status verdict_status(const struct lsig_hook_run *run)
{
    return run->verdict == LSIG_VERDICT_DENY      ? LSIG_POLICY_DENIED
           : run->verdict == LSIG_VERDICT_HANDLED ? LSIG_HANDLED
                                                  : LSIG_OK;
}

static void refuse_failure(struct lsig_hook_run *run, const struct lsig_failure *failure)
{
    const struct lsig_policy_hook *hook = failure->hook;
    struct lsig_refusal *refusal = &run->result.refusal;
    lsig_refuse_with(refusal, LSIG_POLICY_ERROR, "a policy failed");
    lsig_refusal_add_text(refusal, "policy", hook->policy);
    lsig_refusal_add_number(refusal, "version", (double)run->policy->version);
    lsig_failure_print_where(failure, refusal->where);
    refusal->version = run->policy->version;
}

static void end_failed(struct lsig_hook_run *run, const struct lsig_failure *failure)
{
    lsig_failure_log(failure, run->policy);
    take_back(run);
    if (run->co != NULL) {
        lsig_run_drop_coroutine(run); // it ended in an error and cannot run again
    }
    lsig_failure_recover(failure, run->policy);
    run->inside = false;
}

static void begin_failure(struct lsig_failure *failure,
                          const struct lsig_hook_run *run,
                          const struct lsig_policy_hook *hook)
{
    failure->hook = hook;
    failure->room = run->event.room;
    failure->member = run->event.member;
    failure->cpu = false;
    failure->memory = false;
    failure->text[0] = '\0';
    failure->trace[0] = '\0';
}

// Runs hooks until the verdict is there or one waits (LSIG_WAITING).
static enum lsig_status run_on(struct lsig_hook_run *run, int count)
{
    const struct lsig_policy_hook *hook;
    while ((hook = lsig_run_hook(run)) != NULL) {
        struct lsig_failure failure; // big: not cleared, as there mostly is none
        begin_failure(&failure, run, hook);
        switch (run_step(run, count, &failure)) {
        case OUTCOME_WAITS:
            commit(run);
            return LSIG_WAITING;
        case OUTCOME_END:
            if (run->verdict == LSIG_VERDICT_DENY) {
                lsig_policy_events_count(run->policy->options->metrics, hook->policy,
                                         run->policy->version, LSIG_POLICY_EVENT_DENIED);
            }
            commit(run);
            return verdict_status(run);
        case OUTCOME_NEXT:
            commit(run);
            break;
        case OUTCOME_FAILED:
            end_failed(run, &failure);
            if (!hook->allow) {
                refuse_failure(run, &failure);
                return LSIG_POLICY_ERROR;
            }
            break;
        }
        run->at++;
        count = 0;
    }
    return LSIG_OK;
}

static void suspend(struct lsig_hook_run *run)
{
    struct lsig_policy *policy = run->policy;
    lsig_await_suspend(run);
    run->waiting = true;
    policy->waiting++;
    policy->options->metrics->hooks_waiting++;
}

static void wake(struct lsig_hook_run *run)
{
    run->waiting = false;
    run->policy->waiting--;
    run->policy->options->metrics->hooks_waiting--;
}

// Gives the run back, and its result to whoever waits for it.
static void conclude(struct lsig_hook_run *run, enum lsig_status status)
{
    struct lsig_policy *policy = run->policy;
    lsig_hook_done done = run->done;
    void *arg = run->arg;
    struct lsig_hook_result result = run->result;
    lsig_hook_result_init(&run->result); // the buffers are the caller's now
    free((char *)(uintptr_t)run->event.text);
    free((char *)(uintptr_t)run->event.json.data);
    policy->waiting++; // keeps the policy until its caller has heard of the end
    lsig_run_end(run);
    if (done != NULL) {
        done(arg, status, &result);
    }
    lsig_hook_result_clear(&result);
    policy->waiting--;
    if (policy->waiting == 0 && policy->on_drained != NULL) {
        policy->on_drained(policy);
    }
}

void lsig_hook_go_on(struct lsig_hook_run *run, int count)
{
    wake(run);
    enum lsig_status status = run_on(run, count);
    lsig_renew_look(run->policy);
    if (status == LSIG_WAITING) {
        suspend(run);
    } else {
        conclude(run, status);
    }
}

// Of what was not refused the refusal, which is big, has nothing to say.
static void
move_result(struct lsig_hook_result *to, struct lsig_hook_result *from, enum lsig_status status)
{
    if (status != LSIG_OK) {
        to->refusal = from->refusal;
    }
    to->json = from->json;
    to->redirect = from->redirect;
    to->seat_said = from->seat_said;
    to->seat_max = from->seat_max;
    to->http_status = from->http_status;
    to->headers = from->headers;
    lsig_hook_result_init(from);
}

enum lsig_status lsig_hook_call(struct lsig_policy *policy,
                                const struct lsig_hook_event *event,
                                struct lsig_hook_result *result,
                                lsig_hook_done done,
                                void *arg,
                                struct lsig_hook_run **out)
{
    struct lsig_hook_run *run = lsig_run_take(policy, event);
    run->done = done;
    run->arg = arg;
    enum lsig_status status = LSIG_OK;
    if (lsig_migrate_is_due(policy, run->event.room)) {
        status = lsig_migrate_prepare(policy, run->event.room, &run->result.refusal);
    }
    if (status == LSIG_OK) {
        status = run_on(run, 0);
    } else if (!lsig_hook_kind_refuses(event->kind)) {
        status = LSIG_OK;
    }
    policy->options->metrics->policy_memory = (int64_t)policy->vm.used;
    lsig_renew_look(policy);
    if (status == LSIG_WAITING) {
        lsig_run_keep_texts(run);
        suspend(run);
        *out = run;
        return status;
    }
    move_result(result, &run->result, status);
    lsig_run_end(run);
    return status;
}

void lsig_hook_close_runs(struct lsig_policy *policy, bool tests_too)
{
    for (struct lsig_hook_run *run = policy->runs; run != NULL; run = run->next_all) {
        if (!run->waiting || (run->event.kind == LSIG_HOOK_TEST && !tests_too)) {
            continue;
        }
        // Its caller may hold things for it, so it hears of the end.
        wake(run);
        lsig_await_forget(run);
        lsig_run_drop_coroutine(run); // it stands in the middle of a hook
        lsig_refuse(&run->result.refusal, LSIG_DRAINING);
        conclude(run, LSIG_DRAINING);
    }
}

void lsig_script_move_message(struct lsig_hook_run *run, const struct lsig_envelope *message)
{
    run->event.message = message;
}

void lsig_script_drop(struct lsig_hook_run *run)
{
    assert(run->waiting);
    run->done = NULL;
    run->event.message = NULL;
    run->event.request = NULL;
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

const char *lsig_hook_policy_name(const struct lsig_hook_run *run)
{
    return lsig_run_hook(run)->policy;
}

struct lsig_time lsig_hook_now(const struct lsig_hook_run *run)
{
    return lsig_script_now(run->policy->options);
}

void lsig_hook_check_member(lua_State *L,
                            const struct lsig_hook_run *run,
                            const struct lsig_member *member)
{
    bool joins = member == run->event.member &&
                 (run->event.kind == LSIG_HOOK_JOIN || run->event.kind == LSIG_HOOK_AUTH);
    if (!member->present && !joins) {
        luaL_error(L, "GONE: %s has left the room (member.present is false)", member->id);
    }
}

struct lsig_effect *
lsig_hook_add_effect(lua_State *L, struct lsig_hook_run *run, enum lsig_effect_kind kind)
{
    const struct lsig_script_options *options = run->policy->options;
    if ((int64_t)run->effects.count >= options->effects_max) {
        options->metrics->hook_effects_exceeded++;
        luaL_error(L, "a hook may send and change at most %d things (POLICY_EFFECTS_MAX)",
                   (int)options->effects_max);
    }
    return lsig_effects_add(&run->effects, kind);
}
