#include "script/await_options.h"

#include <math.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "codec/nearest.h"
#include "script/await.h"
#include "script/duration.h"

#define TTL_MAX_MS (10.0 * 365 * 24 * 3600 * 1000)

bool lsig_await_check_options(lua_State *L,
                              const char *function,
                              int index,
                              const char *const *known)
{
    size_t count = 0;
    while (known[count] != NULL) {
        count++;
    }
    if (lua_isnil(L, index)) {
        return true;
    }
    if (!lua_istable(L, index)) {
        lsig_await_refuse(L, "%s: options are a table, not a %s", function,
                          luaL_typename(L, index));
        return false;
    }
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) { // [name, value]
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        size_t i = 0;
        while (i < count && strcmp(known[i], name) != 0) {
            i++;
        }
        if (i == count) {
            const char *nearest = lsig_nearest_find(name, known, count);
            lsig_await_refuse(L,
                              nearest != NULL ? "%s: there is no option '%s'; did you mean '%s'?"
                                              : "%s: there is no option '%s'",
                              function, name, nearest);
            return false;
        }
    }
    return true;
}

int lsig_await_push_option(lua_State *L, int index, const char *name)
{
    if (lua_isnil(L, index)) {
        lua_pushnil(L);
    } else {
        lua_pushstring(L, name);
        lua_rawget(L, index);
    }
    return lua_gettop(L);
}

bool lsig_await_read_ttl(
    lua_State *L, const char *function, int index, int64_t now_ms, int64_t *expires_ms)
{
    bool given = !lua_isnil(L, lsig_await_push_option(L, index, "ttl"));
    double ms = given ? lsig_duration_read(L, -1) : 0;
    lua_pop(L, 1);
    if (given && !(ms >= 1 && ms <= TTL_MAX_MS)) {
        lsig_await_refuse(L,
                          "%s: ttl is a time like \"30s\" or \"12h\", or a number of seconds, "
                          "up to ten years",
                          function);
        return false;
    }
    *expires_ms = given ? now_ms + (int64_t)ceil(ms) : 0;
    return true;
}
