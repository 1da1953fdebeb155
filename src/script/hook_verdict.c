#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "script/hook.h"
#include "script/json_table.h"
#include "script/lib_route.h"

// What sig.deny and so on return to Lua: addresses that stand for verdicts. What a denial says
// stands in the run.
static const char verdict_tokens[LSIG_VERDICT_DENY + 1];

static enum lsig_verdict verdict_of(lua_State *co, int index)
{
    const char *token =
        lua_type(co, index) == LUA_TLIGHTUSERDATA ? lua_touserdata(co, index) : NULL;
    for (int i = LSIG_VERDICT_ACCEPT; i <= LSIG_VERDICT_DENY && token != NULL; i++) {
        if (token == &verdict_tokens[i]) {
            return (enum lsig_verdict)i;
        }
    }
    return LSIG_VERDICT_NONE;
}

static const char *problem_of(const struct lsig_hook_run *run, enum lsig_verdict returned)
{
    if (returned != run->verdict) {
        return "a verdict was made and not returned: write `return sig.deny(…)`";
    }
    if (!lsig_hook_kind_refuses(run->event.kind) &&
        (returned == LSIG_VERDICT_DENY || returned == LSIG_VERDICT_HANDLED)) {
        return "this hook cannot refuse: what it is told of has happened";
    }
    if (run->event.kind != LSIG_HOOK_MESSAGE && returned == LSIG_VERDICT_HANDLED) {
        return "sig.handled is for messages";
    }
    return NULL;
}

struct reading {
    struct lsig_hook_run *run;
    const char *problem;
};

// Called protected; what the hook returned has been moved behind the argument.
static int read_values(lua_State *L)
{
    struct reading *reading = lua_touserdata(L, 1);
    struct lsig_hook_run *run = reading->run;
    lua_remove(L, 1);
    int count = lua_gettop(run->co);
    luaL_checkstack(L, count + LSIG_JSON_TABLE_STACK, "hook");
    lua_xmove(run->co, L, count);
    if (run->event.kind == LSIG_HOOK_ROUTE) {
        return lsig_lib_route_read_answer(L, &run->result, &reading->problem);
    }
    if (lua_type(L, 1) != LUA_TTABLE) {
        reading->problem = "an ice_servers hook returns nothing, or the list of servers";
        return 0;
    }
    lsig_buf_reset(&run->result.json);
    reading->problem = lsig_json_table_print(L, 1, &run->result.json);
    if (reading->problem == NULL && run->result.json.data[0] != '[') {
        reading->problem = "the list of servers is a list: { { urls = … }, … }";
    }
    return 0;
}

static const char *read_answer(struct lsig_hook_run *run)
{
    lua_State *L = run->policy->vm.L;
    struct reading reading = {run, NULL};
    if (lua_cpcall(L, read_values, &reading) != 0) {
        lua_pop(L, 1);
        return "what the hook returned cannot be read: not enough memory";
    }
    return reading.problem;
}

const char *lsig_hook_read_verdict(struct lsig_hook_run *run)
{
    lua_State *co = run->co;
    bool nothing = lua_gettop(co) == 0 || lua_isnil(co, 1);
    enum lsig_verdict returned = nothing ? LSIG_VERDICT_NONE : verdict_of(co, 1);
    enum lsig_hook_kind kind = run->event.kind;
    bool answers = kind == LSIG_HOOK_ROUTE || (kind == LSIG_HOOK_ICE_SERVERS && !nothing);
    if (run->verdict == LSIG_VERDICT_NONE) {
        run->result.refusal.where[0] = '\0'; // it has looked at sig.deny and not called it
    }
    if (returned == LSIG_VERDICT_NONE && answers) {
        const char *problem = read_answer(run);
        return problem != NULL ? problem : problem_of(run, returned);
    }
    if (returned == LSIG_VERDICT_NONE && !nothing) {
        return "a hook returns nothing, or what sig.deny, sig.handled, sig.close or sig.accept "
               "gave";
    }
    return problem_of(run, returned);
}

static void set_verdict(lua_State *L, struct lsig_hook_run *run, enum lsig_verdict verdict)
{
    if (run->verdict != LSIG_VERDICT_NONE) {
        luaL_error(L, "this hook made a verdict before and did not return it");
    }
    run->verdict = verdict;
}

void lsig_hook_note_verdict(lua_State *L)
{
    struct lsig_hook_run *run = lsig_policy_of(L)->running;
    if (run != NULL) {
        lsig_policy_print_where(L, run->result.refusal.where);
    }
}

// Where the verdict is made, for operators: the line that looked for sig.deny, else the line that
// called what another one had looked for, else the hook's own.
static void find_where(lua_State *L, struct lsig_hook_run *run, char where[LSIG_REFUSAL_WHERE_SIZE])
{
    lua_Debug caller;
    snprintf(where, LSIG_REFUSAL_WHERE_SIZE, "%s", run->result.refusal.where);
    if (where[0] == '\0' && lua_getstack(L, 1, &caller) != 0 &&
        lua_getinfo(L, "Sl", &caller) != 0 && caller.currentline > 0 &&
        strcmp(caller.short_src, "lunasig") != 0) { // that is a wrapper of ours
        snprintf(where, LSIG_REFUSAL_WHERE_SIZE, "%s:%d", caller.short_src, caller.currentline);
    }
    if (where[0] == '\0') {
        snprintf(where, LSIG_REFUSAL_WHERE_SIZE, "%s", lsig_run_hook(run)->where);
    }
}

static void put_where(struct lsig_hook_run *run, const char *where)
{
    snprintf(run->result.refusal.where, LSIG_REFUSAL_WHERE_SIZE, "%s", where);
    run->result.refusal.version = run->policy->version;
}

int lsig_hook_push_verdict(lua_State *L, enum lsig_verdict verdict)
{
    struct lsig_hook_run *run = lsig_policy_of(L)->running;
    char where[LSIG_REFUSAL_WHERE_SIZE];
    set_verdict(L, run, verdict);
    find_where(L, run, where);
    put_where(run, where);
    lua_pushlightuserdata(L, (void *)(uintptr_t)&verdict_tokens[verdict]);
    return 1;
}

int lsig_hook_push_denial(lua_State *L,
                          struct lsig_hook_run *run,
                          const struct lsig_refusal *refusal)
{
    char where[LSIG_REFUSAL_WHERE_SIZE];
    set_verdict(L, run, LSIG_VERDICT_DENY);
    find_where(L, run, where);
    run->result.refusal = *refusal;
    put_where(run, where);
    lua_pushlightuserdata(L, (void *)(uintptr_t)&verdict_tokens[LSIG_VERDICT_DENY]);
    return 1;
}
