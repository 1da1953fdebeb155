#include "script/run.h"

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "script/lib_room.h"

struct lsig_hook_run *lsig_run_take(struct lsig_policy *policy)
{
    struct lsig_hook_run *run = policy->idle;
    if (run != NULL) {
        policy->idle = run->next;
        policy->idle_count--;
        return run;
    }
    run = policy->bare;
    if (run != NULL) {
        policy->bare = run->next;
        return run;
    }
    run = lsig_alloc(sizeof(*run));
    run->policy = policy;
    run->co_reference = LUA_NOREF;
    run->anchor_reference = LUA_NOREF;
    run->next_all = policy->runs;
    policy->runs = run;
    return run;
}

void lsig_run_drop_coroutine(struct lsig_hook_run *run)
{
    luaL_unref(run->policy->vm.L, LUA_REGISTRYINDEX, run->co_reference);
    run->co_reference = LUA_NOREF;
    run->co = NULL;
}

void lsig_run_end(struct lsig_hook_run *run)
{
    struct lsig_policy *policy = run->policy;
    lua_State *L = policy->vm.L;
    run->serial++;
    if (run->anchor_reference != LUA_NOREF) {
        if (run->anchored_more) {
            lsig_lib_member_release(L, run);
        }
        lsig_run_push_anchor(L, run);
        for (int i = 1; i < LSIG_ANCHOR_COUNT; i++) {
            lua_pushnil(L);
            lua_rawseti(L, -2, i);
        }
        lua_pop(L, 1);
    }
    lsig_member_unref(run->event.member);
    run->event = (struct lsig_hook_event){.member = NULL};
    run->done = NULL;
    run->inside = false;
    if (run->co != NULL && policy->idle_count >= LSIG_RUN_IDLE_MAX) {
        lsig_run_drop_coroutine(run);
    }
    if (run->co != NULL) {
        run->next = policy->idle;
        policy->idle = run;
        policy->idle_count++;
    } else {
        run->next = policy->bare;
        policy->bare = run;
    }
}

void lsig_run_push_anchor(lua_State *L, const struct lsig_hook_run *run)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, run->anchor_reference);
}

void lsig_run_make_coroutine(lua_State *L, struct lsig_hook_run *run)
{
    if (run->anchor_reference == LUA_NOREF) {
        lua_createtable(L, LSIG_ANCHOR_COUNT - 1, 0);
        run->anchor_reference = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_State *co = lua_newthread(L);
    run->co_reference = luaL_ref(L, LUA_REGISTRYINDEX);
    run->co = co;
}
