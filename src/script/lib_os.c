#include "script/lib_os.h"

#include <math.h>

#include <lauxlib.h>
#include <lua.h>

#include "script/context.h"

enum { DATE_FORMAT_MAX = 256 };

static struct lsig_time now_of(lua_State *L)
{
    return lsig_script_now(lsig_policy_of(L)->options);
}

static double wall_seconds(lua_State *L)
{
    return floor((double)now_of(L).wall_ms / 1000);
}

// Calls Lua's own function with what is on the stack. upvalue: it
static int call_own(lua_State *L)
{
    int count = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, count, 1);
    return 1;
}

// The format is bounded, because strftime's work grows with it.
static int os_date(lua_State *L)
{
    size_t len = 0;
    luaL_optlstring(L, 1, "%c", &len);
    if (len > DATE_FORMAT_MAX) {
        return luaL_error(L, "os.date: the format has at most %d bytes", DATE_FORMAT_MAX);
    }
    if (lua_isnoneornil(L, 2)) {
        double seconds = wall_seconds(L);
        if (lua_isnoneornil(L, 1)) {
            lua_settop(L, 0);
            lua_pushliteral(L, "%c");
        }
        lua_settop(L, 1);
        lua_pushnumber(L, seconds);
    }
    return call_own(L);
}

static int os_time(lua_State *L)
{
    if (lua_isnoneornil(L, 1)) {
        lua_pushnumber(L, wall_seconds(L));
        return 1;
    }
    // Lua's own would call __index, and so itself, deeper than an error finds out of quickly.
    if (lua_istable(L, 1) && lua_getmetatable(L, 1) != 0) {
        return luaL_error(L, "os.time: the table has a metatable; give a plain one");
    }
    return call_own(L);
}

// The processor's time; in a test, where that would differ each time, the time that has passed.
static int os_clock(lua_State *L)
{
    if (lsig_policy_of(L)->options->clock != NULL) {
        lua_pushnumber(L, (double)now_of(L).mono_ms / 1000);
        return 1;
    }
    return call_own(L);
}

static void wrap(lua_State *L, const char *name, lua_CFunction function)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, name);
}

void lsig_lib_os_register(lua_State *L)
{
    wrap(L, "date", os_date);
    wrap(L, "time", os_time);
    wrap(L, "clock", os_clock);
}
