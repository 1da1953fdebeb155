#include "script/lib_timer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "codec/nearest.h"
#include "room/hub.h"
#include "room/timers.h"
#include "script/duration.h"
#include "script/handle.h"
#include "script/hook.h"
#include "script/state_value.h"

#define EVENT "timer:" // what hooks of timers are registered as, in front of the name

enum { PROBLEM_SIZE = 400 };

static const double MS_MAX = LSIG_LIB_TIMER_HOURS_MAX * 3600.0 * 1000;

static int raise_unknown(lua_State *L, const struct lsig_hook_run *run, const char *name)
{
    enum { KNOWN_MAX = 256 };
    const struct lsig_hook_list *list = &run->policy->lists[LSIG_HOOK_TIMER];
    const char *known[KNOWN_MAX];
    size_t count = list->count < KNOWN_MAX ? list->count : KNOWN_MAX;
    for (size_t i = 0; i < count; i++) {
        known[i] = list->items[i]->event + strlen(EVENT);
    }
    const char *nearest = lsig_nearest_find(name, known, count);
    if (nearest != NULL) {
        return luaL_error(L, "room:after: nothing handles the timer \"%s\"; did you mean \"%s\"?",
                          name, nearest);
    }
    return luaL_error(L,
                      "room:after: nothing handles the timer \"%s\": write sig.on(\"timer:%s\", "
                      "function(room, arg) … end)",
                      name, name);
}

// Sets the timer with the argument at index 4 (nil: none). False: problem says why not. Raises
// nothing, and keeps no memory.
static bool set_timer(lua_State *L,
                      const struct lsig_handle *handle,
                      struct lsig_span name,
                      double ms,
                      char problem[PROBLEM_SIZE])
{
    struct lsig_hook_run *run = handle->run;
    struct lsig_room *room = handle->thing;
    const struct lsig_room_bounds *bounds = lsig_hub_bounds(room->hub);
    char wrong[LSIG_STATE_PROBLEM_SIZE] = "";
    struct lsig_buf json;
    lsig_buf_init(&json, LSIG_LIB_TIMER_ARG_MAX);
    bool good = lua_isnil(L, 4) || lsig_state_value_print(L, 4, NULL, &json, wrong);
    if (json.overflowed) {
        snprintf(wrong, sizeof(wrong), ": its argument has more than %d bytes",
                 LSIG_LIB_TIMER_ARG_MAX);
    } else if (good) {
        bool room_left = room->timer_count < bounds->timers_max || lsig_timer_find(room, name);
        struct lsig_span arg = {json.data, json.len};
        int64_t due = lsig_hook_now(run).mono_ms + (int64_t)ceil(ms);
        good = lsig_timer_set(room, name, due, arg, &run->journal) == LSIG_OK;
        if (!good && !room_left) {
            snprintf(wrong, sizeof(wrong), ": the room has %u timers, which is the limit",
                     (unsigned)bounds->timers_max);
        } else if (!good) {
            snprintf(wrong, sizeof(wrong),
                     ": what policies remember of this room would have more than %zu bytes "
                     "(POLICY_STATE_BYTES)",
                     bounds->state_bytes);
        }
    }
    lsig_buf_clear(&json);
    snprintf(problem, PROBLEM_SIZE, "room:after \"%.*s\"%s", LSIG_SPAN_ARG(name), wrong);
    return good && !json.overflowed;
}

int lsig_lib_timer_after(lua_State *L, struct lsig_handle *handle)
{
    char problem[PROBLEM_SIZE];
    struct lsig_span name;
    lua_settop(L, 4);
    double ms = lsig_duration_check(L, 2, "room:after");
    name.data = luaL_checklstring(L, 3, &name.len);
    if (ms > MS_MAX) {
        return luaL_error(L, "room:after: a timer runs for at most %d hours",
                          LSIG_LIB_TIMER_HOURS_MAX);
    }
    if (name.len == 0 || name.len > LSIG_TIMER_NAME_MAX || strlen(name.data) != name.len) {
        return luaL_error(L, "room:after: a timer's name has 1 to %d bytes", LSIG_TIMER_NAME_MAX);
    }
    if (lsig_policy_timer_hooks(handle->run->policy, name) == NULL) {
        return raise_unknown(L, handle->run, name.data);
    }
    luaL_checkstack(L, LSIG_STATE_VALUE_STACK, "room:after");
    if (!set_timer(L, handle, name, ms, problem)) {
        return luaL_error(L, "%s", problem);
    }
    return 0;
}

int lsig_lib_timer_cancel(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_span name;
    name.data = luaL_checklstring(L, 2, &name.len);
    lua_pushboolean(L, lsig_timer_remove(handle->thing, name, &handle->run->journal));
    return 1;
}

int lsig_lib_timer_left(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_span name;
    name.data = luaL_checklstring(L, 2, &name.len);
    const struct lsig_timer *timer = lsig_timer_find(handle->thing, name);
    if (timer == NULL) {
        lua_pushnil(L);
        return 1;
    }
    int64_t left = timer->due.due - lsig_hook_now(handle->run).mono_ms;
    lua_pushnumber(L, left > 0 ? (double)left / 1000 : 0);
    return 1;
}
