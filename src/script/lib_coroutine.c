#include "script/lib_coroutine.h"

#include <stddef.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "script/await.h"
#include "script/budget.h"

#define MADE "lunasig.coroutines"

// The registry's table MADE has the coroutines that policies made, as weak keys, with their depth:
// how many resumed each other up to this one, 0 before it ran. Confined ones have CONFINED more.
enum { CONFINED = 1000, POLL_EVERY = 256, COLLECT_KIB = 128 };

struct counts {
    int made;      // at most so many of MADE have not ended
    int collected; // of these, so many were there when garbage was collected last
};

// Resuming and yielding is Lua's own, called from Lua, because only so it passes yields. How many
// values there are is kept: `...` is never given a name.
static const char prelude[] = "local create, enter, check_yield, token, resume, yield, xpcall, "
                              "handler, refuse, waits, fail = "
                              "...\n"
                              "local pass\n"
                              "local function go_on(co, ...)\n"
                              "  waits[co] = nil\n"
                              "  return pass(co, resume(co, ...))\n"
                              "end\n"
                              "pass = function(co, ok, ...)\n"
                              "  if ok and (...) == token then\n"
                              "    waits[co] = true\n"
                              "    return go_on(co, yield(...))\n"
                              "  end\n"
                              "  return ok, ...\n"
                              "end\n"
                              "local function start(co, ...)\n"
                              "  if waits[co] then\n"
                              "    return false, 'cannot resume a coroutine that waits'\n"
                              "  end\n"
                              "  return pass(co, resume(co, ...))\n"
                              "end\n"
                              "local function results(ok, ...)\n"
                              "  if ok then\n"
                              "    return ...\n"
                              "  end\n"
                              "  fail((...))\n"
                              "end\n"
                              "return {\n"
                              "  resume = function(co, ...)\n"
                              "    enter(co, 'coroutine.resume')\n"
                              "    return start(co, ...)\n"
                              "  end,\n"
                              "  wrap = function(fn)\n"
                              "    local co = create(fn, token)\n"
                              "    return function(...)\n"
                              "      enter(co, 'coroutine.wrap')\n"
                              "      return results(start(co, ...))\n"
                              "    end\n"
                              "  end,\n"
                              "  yield = function(...)\n"
                              "    check_yield()\n"
                              "    return yield(...)\n"
                              "  end,\n"
                              "}, function(fn, no_handler, ...)\n"
                              "  if no_handler ~= nil then\n"
                              "    refuse()\n"
                              "  end\n"
                              "  return xpcall(fn, handler, ...)\n"
                              "end\n";

// Raises at the line that called: level 1 this C function, 2 the function of the prelude that did.
static int raise_at(lua_State *L, int level, const char *format, const char *function, int limit)
{
    luaL_where(L, level);
    lua_pushfstring(L, format, function, limit);
    lua_concat(L, 2);
    return lua_error(L);
}

// What MADE has for the thread at `index`: -1 if no policy made it.
static int depth_of(lua_State *L, int index)
{
    lua_pushvalue(L, index);
    lua_getfield(L, LUA_REGISTRYINDEX, MADE);
    lua_insert(L, -2);
    lua_rawget(L, -2);
    int depth = lua_isnumber(L, -1) ? (int)lua_tointeger(L, -1) : -1;
    lua_pop(L, 2);
    return depth;
}

static int running_depth(lua_State *L)
{
    lua_pushthread(L);
    int depth = depth_of(L, lua_gettop(L));
    lua_pop(L, 1);
    return depth;
}

bool lsig_lib_coroutine_confined(lua_State *L)
{
    return running_depth(L) >= CONFINED;
}

static bool is_started(lua_State *co)
{
    lua_Debug frame;
    return lua_status(co) != 0 || lua_getstack(co, 0, &frame) != 0;
}

static bool is_over(lua_State *co)
{
    return lua_status(co) > LUA_YIELD || (!is_started(co) && lua_gettop(co) == 0);
}

// Forgets those that have ended; returns how many are left.
static int count_made(lua_State *L)
{
    int count = 0;
    int looked_at = 0;
    lua_getfield(L, LUA_REGISTRYINDEX, MADE);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) { // [made, thread, depth]
        lua_pop(L, 1);
        if (is_over(lua_tothread(L, -1))) {
            lua_pushvalue(L, -1);
            lua_pushnil(L);
            lua_rawset(L, -4);
        } else {
            count++;
        }
        if (++looked_at % POLL_EVERY == 0) {
            lsig_budget_poll(L);
        }
    }
    lua_pop(L, 1);
    return count;
}

// Two cycles of the collector: the one under way may have passed by what is garbage now.
static void collect(lua_State *L)
{
    for (int cycles = 0; cycles < 2; cycles += lua_gc(L, LUA_GCSTEP, COLLECT_KIB)) {
        lsig_budget_poll(L);
    }
}

// Whether one more may be made. Garbage is collected for it only after many were made since the
// last time, because that takes as long as the state is large.
static bool has_room(lua_State *L, struct counts *counts)
{
    if (counts->made < LSIG_COROUTINES_MAX) {
        return true;
    }
    counts->made = count_made(L);
    counts->collected = counts->made < counts->collected ? counts->made : counts->collected;
    if (counts->made - counts->collected >= LSIG_COROUTINES_MAX / 10) {
        collect(L);
        counts->made = count_made(L);
        counts->collected = counts->made;
    }
    return counts->made < LSIG_COROUTINES_MAX;
}

// upvalue: the counts. The prelude's wrap gives the token besides, which policies have not.
static int coroutine_create(lua_State *L)
{
    struct counts *counts = lua_touserdata(L, lua_upvalueindex(1));
    bool wraps = lsig_await_is_token(L, 2);
    const char *function = wraps ? "coroutine.wrap" : "coroutine.create";
    if (!lua_isfunction(L, 1)) {
        return raise_at(L, wraps ? 2 : 1, "%s: expected a function", function, 0);
    }
    if (!has_room(L, counts)) {
        return raise_at(L, wraps ? 2 : 1, "%s: there are %d coroutines already, which is the limit",
                        function, LSIG_COROUTINES_MAX);
    }
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, MADE);
    lua_pushvalue(L, -2);
    lua_pushinteger(L, 0);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    counts->made++;
    return 1;
}

// (co, function): before it is resumed.
static int coroutine_enter(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    const char *function = lua_tostring(L, 2);
    if (co == NULL || depth_of(L, 1) < 0) {
        return raise_at(L, 2, "%s: expected a coroutine", function, 0);
    }
    int depth = running_depth(L);
    bool confined = depth >= CONFINED || !lua_isyieldable(L);
    depth = depth < 0 ? 1 : depth % CONFINED + 1;
    if (depth > LSIG_COROUTINES_NESTED_MAX) {
        return raise_at(L, 2, "%s: more than %d coroutines within each other", function,
                        LSIG_COROUTINES_NESTED_MAX);
    }
    if (lua_status(co) == LUA_YIELD || !is_started(co)) { // else resume refuses it
        lua_getfield(L, LUA_REGISTRYINDEX, MADE);
        lua_pushvalue(L, 1);
        lua_pushinteger(L, confined ? depth + CONFINED : depth);
        lua_rawset(L, -3);
    }
    return 0;
}

static int coroutine_check_yield(lua_State *L)
{
    if (running_depth(L) < 0) {
        return raise_at(L, 2, "%s: only in a coroutine of the policy's own", "coroutine.yield", 0);
    }
    if (!lua_isyieldable(L)) {
        return raise_at(L, 2, "%s: not in a comparator of table.sort or a callback of string.gsub",
                        "coroutine.yield", 0);
    }
    return 0;
}

static bool has_place(const char *text)
{
    const char *at = text + strcspn(text, ": \n");
    return *at == ':' && at[1] >= '0' && at[1] <= '9' &&
           at[1 + strspn(at + 1, "0123456789")] == ':';
}

// Raises in a caller of wrap what ended the coroutine. A text that has no place gets one; Lua would
// put one in front of each text, and again for each coroutine on the way.
static int fail_outwards(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING && !has_place(lua_tostring(L, 1))) {
        luaL_where(L, 2);
        lua_pushvalue(L, 1);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

// nil in a hook, outside of the coroutines that the policy made.
static int coroutine_running(lua_State *L)
{
    if (running_depth(L) < 0) {
        lua_pushnil(L);
    } else {
        lua_pushthread(L);
    }
    return 1;
}

static int coroutine_isyieldable(lua_State *L)
{
    lua_pushboolean(L, running_depth(L) >= 0 && lua_isyieldable(L));
    return 1;
}

static int refuse_handler(lua_State *L)
{
    return raise_at(L, 2,
                    "%s: there is one handler, which adds a traceback; write xpcall(fn), or "
                    "xpcall(fn, nil, arguments)",
                    "xpcall", 0);
}

// Only texts get a traceback: tables are for those who raised them.
static int add_traceback(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING) {
        luaL_traceback(L, L, lua_tostring(L, 1), 1);
    } else {
        lua_settop(L, 1);
    }
    return 1;
}

static void push_weak_table(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
}

static void push_from(lua_State *L, const char *library, const char *name)
{
    lua_getglobal(L, library);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

// Leaves the prelude's table and xpcall.
static void run_prelude(lua_State *L)
{
    int create = lua_gettop(L);
    if (luaL_loadbuffer(L, prelude, sizeof(prelude) - 1, "=lunasig") != 0) {
        lua_error(L);
    }
    lua_pushvalue(L, create);
    lua_pushcfunction(L, coroutine_enter);
    lua_pushcfunction(L, coroutine_check_yield);
    lsig_await_push_token(L);
    push_from(L, "coroutine", "resume");
    push_from(L, "coroutine", "yield");
    lua_getglobal(L, "xpcall");
    lua_pushcfunction(L, add_traceback);
    lua_pushcfunction(L, refuse_handler);
    push_weak_table(L);
    lua_pushcfunction(L, fail_outwards);
    lua_call(L, 11, 2);
}

void lsig_lib_coroutine_push(lua_State *L)
{
    push_weak_table(L);
    lua_setfield(L, LUA_REGISTRYINDEX, MADE);
    struct counts *counts = lua_newuserdata(L, sizeof(*counts));
    *counts = (struct counts){0, 0};
    lua_pushcclosure(L, coroutine_create, 1); // [create]
    run_prelude(L);                           // [create, table, xpcall]
    lua_pushvalue(L, -3);
    lua_setfield(L, -3, "create");
    lua_pushcfunction(L, coroutine_running);
    lua_setfield(L, -3, "running");
    lua_pushcfunction(L, coroutine_isyieldable);
    lua_setfield(L, -3, "isyieldable");
    push_from(L, "coroutine", "status");
    lua_setfield(L, -3, "status");
    lua_remove(L, -3); // [table, xpcall]
}
