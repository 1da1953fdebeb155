#include "script/handle.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "codec/nearest.h"
#include "script/hook.h"
#include "script/policy.h"

enum { KNOWN_MAX = 32 };

// Metatables stand in the registry under their kind; references of luaL_ref are small integers too,
// so they are kept apart by sign.
static int metatable_key(enum lsig_userdata_kind kind)
{
    return -100 - (int)kind;
}

struct lsig_handle *
lsig_handle_push(lua_State *L, enum lsig_userdata_kind kind, struct lsig_hook_run *run, void *thing)
{
    struct lsig_handle *handle = lua_newuserdata(L, sizeof(*handle));
    *handle = (struct lsig_handle){.kind = kind, .run = run, .serial = run->serial, .thing = thing};
    lua_rawgeti(L, LUA_REGISTRYINDEX, metatable_key(kind));
    lua_setmetatable(L, -2);
    return handle;
}

struct lsig_handle *
lsig_handle_check(lua_State *L, int index, const struct lsig_handle_class *class)
{
    struct lsig_handle *handle =
        lua_type(L, index) == LUA_TUSERDATA ? lua_touserdata(L, index) : NULL;
    if (handle == NULL || handle->kind != class->kind) {
        luaL_error(L, "a %s was expected here, not a %s (is there a `:` before the method's name?)",
                   class->name, luaL_typename(L, index));
        return NULL;
    }
    if (handle->serial != handle->run->serial) {
        luaL_error(L, "%s used after its hook returned", class->name);
    }
    if (lsig_policy_of(L)->running != handle->run) {
        luaL_error(L, "%s used in another hook than its own", class->name);
    }
    return handle;
}

static int unknown_field(lua_State *L, const struct lsig_handle_class *class)
{
    const char *known[KNOWN_MAX];
    size_t count = 0;
    for (size_t i = 0; i < class->field_count; i++) {
        known[count++] = class->fields[i].name;
    }
    for (size_t i = 0; i < class->method_count; i++) {
        known[count++] = class->methods[i].name;
    }
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);
    const char *nearest = lsig_nearest_find(name, known, count);
    if (nearest != NULL) {
        return luaL_error(L, "%s has no field '%s'; did you mean '%s'?", class->name, name,
                          nearest);
    }
    return luaL_error(L, "%s has no field '%s'", class->name, name);
}

// upvalues: table of names, class
static int handle_index(lua_State *L)
{
    const struct lsig_handle_class *class = lua_touserdata(L, lua_upvalueindex(2));
    struct lsig_handle *handle = lsig_handle_check(L, 1, class);
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    switch (lua_type(L, -1)) {
    case LUA_TFUNCTION:
        return 1;
    case LUA_TLIGHTUSERDATA:
        return ((const struct lsig_handle_field *)lua_touserdata(L, -1))->push(L, handle);
    default:
        return unknown_field(L, class);
    }
}

static int handle_newindex(lua_State *L)
{
    const struct lsig_handle_class *class = lua_touserdata(L, lua_upvalueindex(1));
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);
    for (size_t i = 0; i < class->setter_count; i++) {
        if (strcmp(class->setters[i].name, name) == 0) {
            class->setters[i].set(L, lsig_handle_check(L, 1, class));
            return 0;
        }
    }
    return luaL_error(L, "%s.%s cannot be set", class->name, name);
}

static int handle_tostring(lua_State *L)
{
    const struct lsig_handle_class *class = lua_touserdata(L, lua_upvalueindex(1));
    lua_pushstring(L, class->name);
    return 1;
}

// upvalues: method, class
static int call_method(lua_State *L)
{
    const struct lsig_handle_field *method = lua_touserdata(L, lua_upvalueindex(1));
    return method->push(L, lsig_handle_check(L, 1, lua_touserdata(L, lua_upvalueindex(2))));
}

void lsig_handle_register(lua_State *L, const struct lsig_handle_class *class)
{
    lua_newtable(L); // [meta]
    lua_newtable(L); // [meta, names]
    for (size_t i = 0; i < class->field_count; i++) {
        lua_pushlightuserdata(L, (void *)(uintptr_t) & class->fields[i]);
        lua_setfield(L, -2, class->fields[i].name);
    }
    for (size_t i = 0; i < class->method_count; i++) {
        lua_pushlightuserdata(L, (void *)(uintptr_t) & class->methods[i]);
        lua_pushlightuserdata(L, (void *)(uintptr_t) class);
        lua_pushcclosure(L, call_method, 2);
        lua_setfield(L, -2, class->methods[i].name);
    }
    lua_pushlightuserdata(L, (void *)(uintptr_t) class);
    lua_pushcclosure(L, handle_index, 2); // [meta, index]
    lua_setfield(L, -2, "__index");
    lua_pushlightuserdata(L, (void *)(uintptr_t) class);
    lua_pushcclosure(L, handle_newindex, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pushlightuserdata(L, (void *)(uintptr_t) class);
    lua_pushcclosure(L, handle_tostring, 1);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    lua_rawseti(L, LUA_REGISTRYINDEX, metatable_key(class->kind));
}
