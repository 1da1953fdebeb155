#include "script/args.h"

#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "codec/nearest.h"

int lsig_args_unknown(
    lua_State *L, const char *what, const char *name, const char *const *known, size_t count)
{
    const char *nearest = lsig_nearest_find(name, known, count);
    luaL_Buffer text;
    luaL_where(L, 1);
    luaL_buffinit(L, &text);
    luaL_addstring(&text, what);
    luaL_addstring(&text, ": there is no '");
    luaL_addstring(&text, name);
    luaL_addstring(&text, "'");
    if (nearest != NULL) {
        luaL_addstring(&text, "; did you mean '");
        luaL_addstring(&text, nearest);
        luaL_addstring(&text, "'?");
    }
    luaL_addstring(&text, " (known:");
    for (size_t i = 0; i < count; i++) {
        luaL_addchar(&text, ' ');
        luaL_addstring(&text, known[i]);
    }
    luaL_addchar(&text, ')');
    luaL_pushresult(&text);
    lua_concat(L, 2);
    return lua_error(L);
}

void lsig_args_check_names(const struct lsig_args *args, const char *const *known, size_t count)
{
    lua_State *L = args->L;
    lua_pushnil(L);
    while (lua_next(L, args->table) != 0) { // [name, value]
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING) {
            luaL_error(L, "%s: write its fields as name = value", args->what);
        }
        const char *name = lua_tostring(L, -1);
        bool found = false;
        for (size_t i = 0; i < count && !found; i++) {
            found = strcmp(name, known[i]) == 0;
        }
        if (!found) {
            lsig_args_unknown(L, args->what, name, known, count);
        }
    }
}

static void push_field(const struct lsig_args *args, const char *field)
{
    lua_pushstring(args->L, field);
    lua_rawget(args->L, args->table);
}

int lsig_args_push_texts(const struct lsig_args *args, const char *field)
{
    lua_State *L = args->L;
    push_field(args, field); // [value]
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return -1;
    }
    if (lua_type(L, -1) == LUA_TSTRING) {
        lua_createtable(L, 1, 0);
        lua_insert(L, -2);
        lua_rawseti(L, -2, 1); // [list]
        return 1;
    }
    size_t count = lua_istable(L, -1) ? lua_objlen(L, -1) : 0;
    size_t members = 0;
    bool texts = count > 0;
    for (lua_pushnil(L); texts && lua_next(L, -2) != 0; lua_pop(L, 1)) { // [list, key, value]
        texts = lua_type(L, -1) == LUA_TSTRING && lua_type(L, -2) == LUA_TNUMBER;
        members++;
    }
    if (!texts || members != count || count > LSIG_ARGS_LIST_MAX) {
        return luaL_error(L, "%s: %s is a text or a list of 1 to %d texts", args->what, field,
                          LSIG_ARGS_LIST_MAX);
    }
    return (int)count;
}

struct lsig_span lsig_args_text_of(lua_State *L, int index)
{
    size_t len;
    lua_rawgeti(L, -1, index);
    const char *text = lua_tolstring(L, -1, &len);
    lua_pop(L, 1);
    return (struct lsig_span){text, len};
}

struct lsig_span lsig_args_text(const struct lsig_args *args, const char *field)
{
    lua_State *L = args->L;
    struct lsig_span text = {NULL, 0};
    push_field(args, field);
    if (lua_type(L, -1) == LUA_TSTRING) {
        text.data = lua_tolstring(L, -1, &text.len);
    } else if (!lua_isnil(L, -1)) {
        luaL_error(L, "%s: %s is a text, not a %s", args->what, field, luaL_typename(L, -1));
    }
    lua_pop(L, 1);
    return text;
}

double lsig_args_number(const struct lsig_args *args, const char *field, double missing)
{
    lua_State *L = args->L;
    double number = missing;
    push_field(args, field);
    if (lua_type(L, -1) == LUA_TNUMBER) {
        number = lua_tonumber(L, -1);
    } else if (!lua_isnil(L, -1)) {
        luaL_error(L, "%s: %s is a number, not a %s", args->what, field, luaL_typename(L, -1));
    }
    if (number != number) {
        luaL_error(L, "%s: %s is a number", args->what, field);
    }
    lua_pop(L, 1);
    return number;
}

bool lsig_args_boolean(const struct lsig_args *args, const char *field, bool missing)
{
    lua_State *L = args->L;
    bool value = missing;
    push_field(args, field);
    if (lua_isboolean(L, -1)) {
        value = lua_toboolean(L, -1);
    } else if (!lua_isnil(L, -1)) {
        luaL_error(L, "%s: %s is true or false, not a %s", args->what, field, luaL_typename(L, -1));
    }
    lua_pop(L, 1);
    return value;
}

void lsig_args_check_writable(lua_State *L, int index, const char *function)
{
    luaL_checktype(L, index, LUA_TTABLE);
    if (luaL_getmetafield(L, index, "__metatable") != 0) {
        luaL_error(L, "%s: this table is read-only", function);
    }
}
