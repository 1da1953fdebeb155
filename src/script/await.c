#include "script/await.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "script/await_run.h"
#include "script/context.h"
#include "script/hook.h"
#include "script/lib_coroutine.h"
#include "script/lib_string.h"
#include "script/lib_table.h"
#include "script/policy_events.h"

#define WRAPPER "lunasig.await"

struct lsig_await {
    struct lsig_hook_run *run; // NULL: nobody waits any more
    void (*cancel)(void *arg);
    void *arg;
    double ms; // of a sleep; negative: until it is finished
};

static const char token; // its address is what is yielded

void lsig_await_push_token(lua_State *L)
{
    lua_pushlightuserdata(L, (void *)(uintptr_t)&token);
}

bool lsig_await_is_token(lua_State *L, int index)
{
    return lua_type(L, index) == LUA_TLIGHTUSERDATA && lua_touserdata(L, index) == &token;
}

// --- what Lua calls

// The end of a wrapped function: (true, values…) or (false, text). The text is raised at the line
// that called the wrapped function.
static int check_outcome(lua_State *L)
{
    if (lua_toboolean(L, 1)) {
        return lua_gettop(L) - 1;
    }
    luaL_where(L, 1);
    lua_pushvalue(L, 2);
    lua_concat(L, 2);
    return lua_error(L);
}

void lsig_await_register(lua_State *L)
{
    static const char wrapper[] = "local check = ... return function(begin) "
                                  "return function(...) return check(begin(...)) end end";
    if (luaL_loadbuffer(L, wrapper, sizeof(wrapper) - 1, "=lunasig") != 0) {
        lua_error(L);
    }
    lua_pushcfunction(L, check_outcome);
    lua_call(L, 1, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, WRAPPER);
}

void lsig_await_wrap(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, WRAPPER);
    lua_insert(L, -2);
    lua_call(L, 1, 1);
}

int lsig_await_refuse(lua_State *L, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    lua_pushboolean(L, 0);
    lua_pushvfstring(L, format, arguments);
    va_end(arguments);
    return 2;
}

int lsig_await_refused(lua_State *L)
{
    (void)L;
    return 2;
}

int lsig_await_return(lua_State *L, int count)
{
    lua_pushboolean(L, 1);
    lua_insert(L, -1 - count);
    return count + 1;
}

int lsig_await_yield(lua_State *L)
{
    lsig_await_push_token(L);
    return lua_yield(L, 1);
}

// Why the hook cannot wait here: (false, text) is pushed. False: it can.
static bool refuse_to_wait(lua_State *L, const struct lsig_hook_run *run, const char *function)
{
    if (run == NULL) {
        lsig_await_refuse(L, "%s: only in a hook, not at the top level of a file", function);
        return true;
    }
    const struct lsig_policy *policy = run->policy;
    if (!lsig_hook_kind_waits(run->event.kind)) {
        lsig_await_refuse(L, "%s: a hook of \"%s\" may not wait", function,
                          lsig_hook_kind_name(run->event.kind));
    } else if (lsig_lib_table_sorting(L) > 0) {
        lsig_await_refuse(L, "%s: a comparator of table.sort may not wait", function);
    } else if (lsig_lib_string_replacing(L) > 0) {
        lsig_await_refuse(L, "%s: a callback of string.gsub may not wait", function);
    } else if (lsig_lib_coroutine_confined(L) || !lua_isyieldable(L)) {
        lsig_await_refuse(L,
                          "%s: a coroutine that a comparator of table.sort or a callback of "
                          "string.gsub resumed may not wait",
                          function);
    } else if ((int64_t)policy->waiting >= policy->options->waiting_max) {
        lsig_await_refuse(L, "%s: %d hooks are waiting already, which is the limit", function,
                          (int)policy->waiting);
    } else {
        return false;
    }
    return true;
}

// A test waits for what it asks of its clients, in virtual time; who runs it holds its bound.
static double wait_limit(const struct lsig_hook_run *run)
{
    enum { TEST_WAIT_MS = INT32_MAX };
    return run->event.kind == LSIG_HOOK_TEST ? (double)TEST_WAIT_MS * 1000
                                             : (double)run->policy->wait_ms;
}

static void count_long_wait(const struct lsig_hook_run *run)
{
    struct lsig_metrics *metrics = run->policy->options->metrics;
    metrics->hook_wait_exceeded++;
    lsig_policy_events_count(metrics, lsig_hook_policy_name(run), run->policy->version,
                             LSIG_POLICY_EVENT_WAIT);
}

static void refuse_long_wait(lua_State *L, const struct lsig_hook_run *run, const char *function)
{
    const struct lsig_policy *policy = run->policy;
    count_long_wait(run);
    lsig_await_refuse(L, "%s: a hook may wait %d ms in all, and this would be more", function,
                      (int)policy->wait_ms);
}

static struct lsig_await *await_new(lua_State *L, struct lsig_hook_run *run, double ms)
{
    if (run->await != NULL) {
        luaL_error(L, "a coroutine of this hook waits already");
    }
    struct lsig_await *await = lsig_alloc(sizeof(*await));
    await->run = run;
    await->ms = ms;
    run->await = await;
    return await;
}

struct lsig_await *
lsig_await_begin(lua_State *L, const char *function, void (*cancel)(void *arg), void *arg)
{
    struct lsig_hook_run *run = lsig_policy_of(L)->running;
    if (refuse_to_wait(L, run, function)) {
        return NULL;
    }
    if (run->waited_ms >= wait_limit(run)) {
        refuse_long_wait(L, run, function);
        return NULL;
    }
    struct lsig_await *await = await_new(L, run, -1);
    await->cancel = cancel;
    await->arg = arg;
    return await;
}

int lsig_await_sleep(lua_State *L, const char *function, double ms)
{
    struct lsig_hook_run *run = lsig_policy_of(L)->running;
    if (refuse_to_wait(L, run, function)) {
        return lsig_await_refused(L);
    }
    if (run->waited_ms + ms > wait_limit(run)) {
        refuse_long_wait(L, run, function);
        return lsig_await_refused(L);
    }
    await_new(L, run, ms);
    return lsig_await_yield(L);
}

// --- the wait

void lsig_await_suspend(struct lsig_hook_run *run)
{
    const struct lsig_policy *policy = run->policy;
    double ms = run->await->ms >= 0 ? run->await->ms : wait_limit(run) - run->waited_ms;
    run->wait_began_ms = lsig_script_now(policy->options).mono_ms;
    lsig_heap_add(&policy->script->waits, &run->due, run->wait_began_ms + (int64_t)ceil(ms));
    run->timed = true;
}

// The wait is over, one way or the other.
static void end_wait(struct lsig_hook_run *run)
{
    struct lsig_await *await = run->await;
    int64_t now_ms = lsig_script_now(run->policy->options).mono_ms;
    run->waited_ms += await->ms >= 0 ? await->ms : (double)(now_ms - run->wait_began_ms);
    lsig_heap_remove(&run->policy->script->waits, &run->due);
    run->timed = false;
    run->await = NULL;
}

static void abandon(struct lsig_await *await)
{
    if (await->ms >= 0) {
        free(await); // nobody else has it
        return;
    }
    await->run = NULL;
    if (await->cancel != NULL) {
        await->cancel(await->arg);
    }
}

void lsig_await_forget(struct lsig_hook_run *run)
{
    struct lsig_await *await = run->await;
    if (await == NULL) {
        return;
    }
    if (run->timed) {
        lsig_heap_remove(&run->policy->script->waits, &run->due);
        run->timed = false;
    }
    run->await = NULL;
    abandon(await);
}

struct outcome {
    struct lsig_hook_run *run;
    const char *error;
    int (*push)(lua_State *L, void *arg);
    void *arg;
    int count;
};

// Called protected: puts what the wrapped function gets onto the coroutine's stack.
static int push_outcome(lua_State *L)
{
    struct outcome *outcome = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_pushboolean(L, outcome->error == NULL);
    outcome->count = 1;
    if (outcome->error != NULL) {
        lua_pushstring(L, outcome->error);
        outcome->count = 2;
    } else if (outcome->push != NULL) {
        outcome->count += outcome->push(L, outcome->arg);
    }
    if (lua_checkstack(outcome->run->co, outcome->count) == 0) {
        return luaL_error(L, "too many values");
    }
    int pushed = outcome->count;
    lua_xmove(L, outcome->run->co, pushed);
    return 0;
}

static void go_on(struct outcome *outcome)
{
    lua_State *L = outcome->run->policy->vm.L;
    if (lua_cpcall(L, push_outcome, outcome) != 0) {
        lua_pop(L, 1);
        // Texts that are there already need no memory.
        lua_settop(outcome->run->co, 0);
        lua_pushboolean(outcome->run->co, 0);
        lua_pushnil(outcome->run->co);
        outcome->count = 2;
    }
    lsig_hook_go_on(outcome->run, outcome->count);
}

void lsig_await_finish(struct lsig_await *await,
                       const char *error,
                       int (*push)(lua_State *L, void *arg),
                       void *arg)
{
    struct lsig_hook_run *run = await->run;
    if (run != NULL) {
        struct outcome outcome = {run, error, push, arg, 0};
        end_wait(run);
        go_on(&outcome);
    }
    free(await);
}

void lsig_hook_on_due(const struct lsig_heap_item *due)
{
    struct lsig_hook_run *run = (struct lsig_hook_run *)(uintptr_t)due;
    struct lsig_await *await = run->await;
    char text[96];
    struct outcome outcome = {.run = run};
    bool sleeps = await->ms >= 0;
    end_wait(run);
    if (!sleeps) {
        count_long_wait(run);
        snprintf(text, sizeof(text), "stopped: the hook has waited %d ms, which is the limit",
                 (int)run->policy->wait_ms);
        outcome.error = text;
    }
    abandon(await);
    go_on(&outcome);
}
