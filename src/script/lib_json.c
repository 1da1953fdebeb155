#include "script/lib_json.h"

#include <lauxlib.h>
#include <lua.h>

#include "codec/scan.h"
#include "script/args.h"
#include "script/budget.h"
#include "script/json_push.h"
#include "script/json_table.h"
#include "script/sandbox.h"

static size_t read_max(lua_State *L, int index)
{
    static const char *const known[] = {"max"};
    if (lua_isnoneornil(L, index)) {
        return LSIG_LIB_JSON_MAX;
    }
    luaL_checktype(L, index, LUA_TTABLE);
    struct lsig_args args = {L, index, "sig.json.encode"};
    lsig_args_check_names(&args, known, 1);
    double max = lsig_args_number(&args, "max", LSIG_LIB_JSON_MAX);
    if (!(max >= 1 && max <= LSIG_LIB_JSON_MAX)) {
        luaL_error(L, "sig.json.encode: max is a number of bytes from 1 to %d", LSIG_LIB_JSON_MAX);
    }
    return (size_t)max;
}

// Called protected: the buffer is freed before an error is raised.
static int push_text(lua_State *L)
{
    const struct lsig_buf *buf = lua_touserdata(L, 1);
    lua_pushlstring(L, buf->data, buf->len);
    return 1;
}

// encode(value [, { max = bytes }])
static int json_encode(lua_State *L)
{
    luaL_checkany(L, 1);
    size_t max = read_max(L, 2);
    luaL_checkstack(L, LSIG_JSON_TABLE_STACK, "sig.json.encode");
    lua_settop(L, 1);
    lua_pushcfunction(L, push_text);
    struct lsig_buf buf;
    lsig_buf_init(&buf, max);
    const char *problem = lsig_json_table_print(L, 1, &buf);
    int failed = 0;
    if (problem == NULL) {
        lua_pushlightuserdata(L, &buf);
        failed = lua_pcall(L, 1, 1, 0);
    }
    lsig_buf_clear(&buf);
    lsig_budget_poll(L);
    if (failed != 0) {
        return lua_error(L);
    }
    if (problem != NULL) {
        return luaL_error(L, "sig.json.encode: %s (at most %d bytes)", problem, (int)max);
    }
    return 1;
}

// decode(text): the value, or nil and what is wrong.
static int json_decode(lua_State *L)
{
    struct lsig_span text;
    struct lsig_scan_error error;
    luaL_checktype(L, 1, LUA_TSTRING);
    text.data = lua_tolstring(L, 1, &text.len);
    if (text.len > LSIG_LIB_JSON_MAX) {
        lua_pushnil(L);
        lua_pushfstring(L, "it has more than %d bytes", LSIG_LIB_JSON_MAX);
        return 2;
    }
    if (lsig_scan_check(text, &error) != LSIG_OK) {
        lua_pushnil(L);
        lua_pushfstring(L, "%s (byte %d)", error.what, (int)error.offset + 1);
        return 2;
    }
    lsig_json_push(L, text);
    if (lua_isnil(L, -1)) {
        lua_pushlightuserdata(L, NULL); // sig.null: nil says that the text is wrong
    }
    lsig_budget_poll(L);
    return 1;
}

// array([table]): the same table, which stays an array when it is empty.
static int json_array(lua_State *L)
{
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lsig_json_table_mark_array(L);
    return 1;
}

static const luaL_Reg json_functions[] = {
    {"encode", json_encode}, {"decode", json_decode}, {"array", json_array}, {NULL, NULL}};

void lsig_lib_json_register(lua_State *L)
{
    lua_newtable(L);
    luaL_register(L, NULL, json_functions);
    lsig_sandbox_protect(L, "sig.json");
    lua_setfield(L, -2, "json");
}
