#include "script/run.h"

#include <assert.h>
#include <stdlib.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "script/lib_room.h"

static struct lsig_hook_run *take_from_pool(struct lsig_policy *policy)
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

static void find_lists(struct lsig_hook_run *run)
{
    const struct lsig_hook_event *event = &run->event;
    const struct lsig_policy *policy = run->policy;
    run->lists[0] = NULL;
    run->lists[1] = NULL;
    if (event->only != NULL) {
        return;
    }
    if (event->kind == LSIG_HOOK_TIMER) {
        run->lists[0] = lsig_policy_timer_hooks(policy, lsig_span_of(event->text));
        return;
    }
    run->lists[0] = &policy->lists[event->kind];
    if (event->kind == LSIG_HOOK_MESSAGE) {
        run->lists[1] = &((const struct lsig_policy_type *)event->rule)->hooks;
    }
}

struct lsig_hook_run *lsig_run_take(struct lsig_policy *policy, const struct lsig_hook_event *event)
{
    struct lsig_hook_run *run = take_from_pool(policy);
    run->event = *event;
    if (event->room == NULL && event->member != NULL) {
        run->event.room = event->member->room;
    }
    if (run->event.room != NULL) {
        lsig_room_ref(run->event.room);
    }
    if (event->member != NULL) {
        lsig_member_ref(event->member);
    }
    find_lists(run);
    run->at = 0;
    run->effects.count = 0;
    lsig_hook_result_init(&run->result);
    return run;
}

void lsig_run_keep_texts(struct lsig_hook_run *run)
{
    struct lsig_hook_event *event = &run->event;
    event->text = event->text != NULL ? lsig_strdup(event->text) : NULL;
    if (event->json.data != NULL) {
        event->json.data = lsig_strndup(event->json.data, event->json.len);
    }
}

const struct lsig_policy_hook *lsig_run_hook(const struct lsig_hook_run *run)
{
    size_t at = run->at;
    if (run->event.only != NULL) {
        return at == 0 ? run->event.only : NULL;
    }
    for (int i = 0; i < 2 && run->lists[i] != NULL; i++) {
        if (at < run->lists[i]->count) {
            return run->lists[i]->items[at];
        }
        at -= run->lists[i]->count;
    }
    return NULL;
}

void lsig_run_drop_coroutine(struct lsig_hook_run *run)
{
    luaL_unref(run->policy->vm.L, LUA_REGISTRYINDEX, run->co_reference);
    run->co_reference = LUA_NOREF;
    run->co = NULL;
}

static void empty_anchor(struct lsig_hook_run *run)
{
    lua_State *L = run->policy->vm.L;
    if (run->anchor_reference == LUA_NOREF) {
        return;
    }
    if (run->anchored_more) {
        lsig_lib_member_release(L, run);
    }
    lsig_run_push_anchor(L, run);
    for (int i = 1; i < LSIG_ANCHOR_COUNT; i++) {
        if (lsig_run_is_anchored(run, i)) {
            lua_pushnil(L);
            lua_rawseti(L, -2, i);
        }
    }
    lua_pop(L, 1);
    run->anchored = 0;
}

void lsig_run_end(struct lsig_hook_run *run)
{
    struct lsig_policy *policy = run->policy;
    assert(run->journal.last == NULL && run->effects.first == NULL && run->await == NULL);
    run->serial++;
    empty_anchor(run);
    if (run->event.member != NULL) {
        lsig_member_unref(run->event.member);
    }
    if (run->event.room != NULL) {
        lsig_room_unref(run->event.room);
    }
    run->event = (struct lsig_hook_event){.member = NULL};
    lsig_hook_result_clear(&run->result);
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

bool lsig_run_is_anchored(const struct lsig_hook_run *run, int slot)
{
    return (run->anchored >> slot & 1) != 0;
}

void lsig_run_set_anchored(lua_State *L, struct lsig_hook_run *run, int index, int slot)
{
    lua_rawseti(L, index, slot);
    run->anchored |= 1U << slot;
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
