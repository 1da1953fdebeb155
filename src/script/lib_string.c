// Patterns can backtrack for hours in one call that no hook interrupts, so find takes plain text
// only and the other pattern functions are left out until they count their steps.
#include "script/lib_string.h"

#include <stdbool.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "script/sandbox.h"

// Calls Lua's own function (upvalue 1) with all arguments.
static int call_original(lua_State *L)
{
    int count = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, count, 1);
    return 1;
}

// upvalues: Lua's function, its name
static int bounded_map(lua_State *L)
{
    size_t len;
    luaL_checklstring(L, 1, &len);
    if (len > LSIG_SANDBOX_TEXT_MAX) {
        return luaL_error(L, "string.%s: the text has more than %d bytes",
                          lua_tostring(L, lua_upvalueindex(2)), LSIG_SANDBOX_TEXT_MAX);
    }
    lua_settop(L, 1);
    return call_original(L);
}

static int bounded_rep(lua_State *L)
{
    size_t len;
    luaL_checklstring(L, 1, &len);
    double times = luaL_checknumber(L, 2);
    size_t gap = 0;
    if (lua_gettop(L) > 2) {
        luaL_checklstring(L, 3, &gap);
    }
    if (times >= 1 && (double)(len + gap) * times > LSIG_SANDBOX_TEXT_MAX) {
        return luaL_error(L, "string.rep: the result would have more than %d bytes",
                          LSIG_SANDBOX_TEXT_MAX);
    }
    if (len + gap == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    return call_original(L);
}

static int bounded_format(lua_State *L)
{
    size_t sum = 0;
    int count = lua_gettop(L);
    for (int i = 1; i <= count; i++) {
        sum += lua_type(L, i) == LUA_TSTRING ? lua_objlen(L, i) : 0;
        if (lua_istable(L, i) && luaL_getmetafield(L, i, "__tostring")) {
            return luaL_error(L,
                              "string.format: give it tostring(value) for a table with __tostring");
        }
    }
    luaL_checkstring(L, 1);
    if (sum > LSIG_SANDBOX_TEXT_MAX) {
        return luaL_error(L, "string.format: more than %d bytes to print", LSIG_SANDBOX_TEXT_MAX);
    }
    return call_original(L);
}

// memmem is linear, unlike the search of Lua's own function.
static int plain_find(lua_State *L)
{
    size_t len;
    size_t wanted_len;
    const char *text = luaL_checklstring(L, 1, &len);
    const char *wanted = luaL_checklstring(L, 2, &wanted_len);
    lua_Number init = luaL_optnumber(L, 3, 1);
    bool plain = lua_toboolean(L, 4);
    if (!plain && memchr(wanted, '\0', wanted_len) == NULL &&
        strpbrk(wanted, "^$*+?.([%-") != NULL) {
        return luaL_error(L, "string.find: patterns are not there yet; for plain text write "
                             "text:find(wanted, 1, true)");
    }
    if (init < 0) {
        init += (lua_Number)len + 1;
    }
    size_t start = init > 1 ? (size_t)init - 1 : 0;
    const char *found = start <= len ? memmem(text + start, len - start, wanted, wanted_len) : NULL;
    if (found == NULL) {
        lua_pushnil(L);
        return 1;
    }
    size_t at = (size_t)(found - text);
    lua_pushinteger(L, (lua_Integer)at + 1);
    lua_pushinteger(L, (lua_Integer)(at + wanted_len));
    return 2;
}

static int missing_pattern(lua_State *L)
{
    return luaL_error(L,
                      "string.%s: patterns are not there yet, because one could hold the server "
                      "for hours; use find with plain text, sub and byte",
                      lua_tostring(L, lua_upvalueindex(1)));
}

void lsig_lib_string_register(lua_State *L, int target)
{
    static const struct {
        const char *name;
        lua_CFunction function;
    } bounded[] = {{"lower", bounded_map},
                   {"upper", bounded_map},
                   {"reverse", bounded_map},
                   {"rep", bounded_rep},
                   {"format", bounded_format}};
    static const char *const patterns[] = {"match", "gmatch", "gsub"};
    for (size_t i = 0; i < sizeof(bounded) / sizeof(bounded[0]); i++) {
        lua_getfield(L, -1, bounded[i].name);
        lua_pushstring(L, bounded[i].name);
        lua_pushcclosure(L, bounded[i].function, 2);
        lua_setfield(L, target - 1, bounded[i].name);
    }
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        lua_pushstring(L, patterns[i]);
        lua_pushcclosure(L, missing_pattern, 1);
        lua_setfield(L, target - 1, patterns[i]);
    }
    lua_pushcfunction(L, plain_find);
    lua_setfield(L, target - 1, "find");
}
