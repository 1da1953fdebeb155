#include "script/state_containers.h"

#include <math.h>

#include <lauxlib.h>
#include <lua.h>

#include "script/args.h"
#include "script/state_methods.h"
#include "script/state_value.h"

static const double NUMBER_MAX = 9007199254740992.0; // 2^53

// --- sets and maps

static int keyed_has(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_methods_self(L);
    struct lsig_span key = lsig_state_methods_check_key(L, handle, false);
    const struct lsig_state_field *field = lsig_state_methods_readable(L, handle);
    lua_pushboolean(L, field != NULL && lsig_state_has(field, key));
    return 1;
}

static int keyed_remove(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_methods_self(L);
    struct lsig_span key = lsig_state_methods_check_key(L, handle, false);
    bool there = lsig_state_methods_readable(L, handle) != NULL &&
                 lsig_state_remove(lsig_state_methods_writable(L, handle), key,
                                   lsig_state_methods_journal(handle));
    lua_pushboolean(L, there);
    return 1;
}

static int set_add(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_methods_self(L);
    struct lsig_span key = lsig_state_methods_check_key(L, handle, true);
    struct lsig_state_field *field = lsig_state_methods_writable(L, handle);
    bool added = !lsig_state_has(field, key);
    if (lsig_state_put(field, key, (struct lsig_span){NULL, 0},
                       lsig_state_methods_journal(handle)) != LSIG_OK) {
        return lsig_state_handle_raise_full(L, handle, handle->container, field);
    }
    lua_pushboolean(L, added);
    return 1;
}

static int map_get(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_methods_self(L);
    struct lsig_span key = lsig_state_methods_check_key(L, handle, false);
    const struct lsig_state_field *field = lsig_state_methods_readable(L, handle);
    struct lsig_span value = {NULL, 0};
    if (field != NULL) {
        value = lsig_state_get(field, key);
    }
    if (value.data == NULL) {
        lua_pushnil(L);
    } else {
        lsig_state_value_push(L, value);
    }
    return 1;
}

static int map_set(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_methods_self(L);
    lua_settop(L, 3);
    if (lua_isnil(L, 3)) {
        keyed_remove(L);
        return 0;
    }
    struct lsig_state_change change = {.kind = LSIG_CHANGE_PUT,
                                       .key = lsig_state_methods_check_key(L, handle, true)};
    change.field = lsig_state_methods_writable(L, handle);
    lsig_state_methods_change(L, handle, &change, 3);
    return 0;
}

static int map_incr(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_methods_self(L);
    double by = luaL_optnumber(L, 3, 1);
    struct lsig_state_change change = {.kind = LSIG_CHANGE_PUT,
                                       .key = lsig_state_methods_check_key(L, handle, true)};
    change.field = lsig_state_methods_writable(L, handle);
    lua_settop(L, 2);
    struct lsig_span value = lsig_state_get(change.field, change.key);
    if (value.data == NULL) {
        lua_pushnumber(L, 0);
    } else {
        lsig_state_value_push(L, value); // [map, key, value]
    }
    if (lua_type(L, 3) != LUA_TNUMBER) {
        return lsig_state_methods_raise(L, handle, ": what stands there is no number");
    }
    lua_pushnumber(L, lua_tonumber(L, 3) + by);
    lsig_state_methods_change(L, handle, &change, 4);
    return 1;
}

static int map_keys(lua_State *L)
{
    lsig_state_methods_push_entries(L, lsig_state_methods_readable(L, lsig_state_methods_self(L)),
                                    true);
    return 1;
}

// --- counters

void lsig_state_containers_set_number(lua_State *L,
                                      const struct lsig_state_handle *handle,
                                      const struct lsig_state_container *container,
                                      double number)
{
    if (number != floor(number) || fabs(number) > NUMBER_MAX) {
        lsig_state_handle_raise(L, handle, container, ": a counter is a whole number up to 2^53");
    }
    struct lsig_state_field *field = lsig_state_handle_write(L, handle, container);
    if (lsig_state_set_number(field, (int64_t)number, lsig_state_methods_journal(handle)) !=
        LSIG_OK) {
        lsig_state_handle_raise_full(L, handle, container, field);
    }
}

static int counter_get(lua_State *L)
{
    const struct lsig_state_field *field =
        lsig_state_methods_readable(L, lsig_state_methods_self(L));
    lua_pushnumber(L, field != NULL ? (double)lsig_state_number(field) : 0);
    return 1;
}

static int counter_incr(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_methods_self(L);
    const struct lsig_state_field *field = lsig_state_methods_readable(L, handle);
    double number = field != NULL ? (double)lsig_state_number(field) : 0;
    number += luaL_optnumber(L, 2, 1);
    lsig_state_containers_set_number(L, handle, handle->container, number);
    lua_pushnumber(L, number);
    return 1;
}

// --- the tables of methods

static const luaL_Reg set_methods[] = {{"add", set_add},
                                       {"remove", keyed_remove},
                                       {"has", keyed_has},
                                       {"count", lsig_state_methods_count},
                                       {"each", lsig_state_methods_each},
                                       {"copy", lsig_state_methods_copy},
                                       {"clear", lsig_state_methods_clear},
                                       {NULL, NULL}};
static const luaL_Reg map_methods[] = {{"get", map_get},
                                       {"set", map_set},
                                       {"remove", keyed_remove},
                                       {"has", keyed_has},
                                       {"incr", map_incr},
                                       {"keys", map_keys},
                                       {"count", lsig_state_methods_count},
                                       {"each", lsig_state_methods_each},
                                       {"copy", lsig_state_methods_copy},
                                       {"clear", lsig_state_methods_clear},
                                       {NULL, NULL}};
static const luaL_Reg counter_methods[] = {
    {"get", counter_get}, {"incr", counter_incr}, {"copy", lsig_state_methods_copy}, {NULL, NULL}};

// upvalues: the methods' names are looked up here, which only happens for unknown ones.
static int unknown_method(lua_State *L)
{
    enum { KNOWN_MAX = 16 };
    const luaL_Reg *methods = lua_touserdata(L, lua_upvalueindex(1));
    const char *known[KNOWN_MAX];
    size_t count = 0;
    for (; methods[count].name != NULL && count < KNOWN_MAX; count++) {
        known[count] = methods[count].name;
    }
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);
    return lsig_args_unknown(L, lua_tostring(L, lua_upvalueindex(2)), name, known, count);
}

static void register_class(lua_State *L,
                           enum lsig_userdata_kind kind,
                           const char *what,
                           const luaL_Reg *methods)
{
    lua_newtable(L); // [names]
    for (const luaL_Reg *method = methods; method->name != NULL; method++) {
        lua_pushinteger(L, kind);
        lua_pushcclosure(L, method->func, 1);
        lua_setfield(L, -2, method->name);
    }
    lua_createtable(L, 0, 1); // [names, meta]
    lua_pushlightuserdata(L, (void *)(uintptr_t)methods);
    lua_pushstring(L, what);
    lua_pushcclosure(L, unknown_method, 2);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);             // [names]
    lsig_state_handle_register(L, kind); // [meta]
    lua_pop(L, 1);
}

void lsig_state_containers_register(lua_State *L)
{
    register_class(L, LSIG_USERDATA_SET, "a set in room.state", set_methods);
    register_class(L, LSIG_USERDATA_LIST, "a list in room.state", lsig_state_lists_methods());
    register_class(L, LSIG_USERDATA_MAP, "a map in room.state", map_methods);
    register_class(L, LSIG_USERDATA_COUNTER, "a counter in room.state", counter_methods);
}
