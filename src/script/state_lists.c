// The methods of lists.
#include "script/state_methods.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "script/budget.h"
#include "script/state_value.h"

enum { POLL_EVERY = 256 };

// The position at index 2, from 0; SIZE_MAX: there is nothing. `more`: one behind the last is fine.
static size_t check_position(lua_State *L, size_t count, bool more)
{
    double at = luaL_checknumber(L, 2);
    if (at != floor(at) || at == 0) {
        luaL_argerror(L, 2, "a position is a whole number, from 1, or from -1 at the end");
    }
    double from_start = at > 0 ? at - 1 : (double)count + at;
    bool inside = from_start >= 0 && from_start < (double)count + (more ? 1 : 0);
    return inside ? (size_t)from_start : SIZE_MAX;
}

static size_t count_of(const struct lsig_state_field *field)
{
    return field != NULL ? lsig_state_count(field) : 0;
}

static int raise_position(lua_State *L, const struct lsig_state_handle *handle, size_t count)
{
    char problem[80];
    snprintf(problem, sizeof(problem), ": there is no such position among %zu", count);
    return lsig_state_methods_raise(L, handle, problem);
}

static int list_push(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_methods_self(L);
    struct lsig_state_change change = {.kind = LSIG_CHANGE_PUSH,
                                       .field = lsig_state_methods_writable(L, handle)};
    lua_settop(L, 2);
    lsig_state_methods_change(L, handle, &change, 2);
    return 0;
}

static int list_at(lua_State *L)
{
    const struct lsig_state_field *field =
        lsig_state_methods_readable(L, lsig_state_methods_self(L));
    size_t at = check_position(L, count_of(field), false);
    if (at == SIZE_MAX) {
        lua_pushnil(L);
    } else {
        lsig_state_value_push(L, lsig_state_at(field, at));
    }
    return 1;
}

static int list_set(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_methods_self(L);
    lua_settop(L, 3);
    struct lsig_state_change change = {.kind = LSIG_CHANGE_REPLACE,
                                       .field = lsig_state_methods_writable(L, handle)};
    change.at = check_position(L, count_of(change.field), false);
    if (change.at == SIZE_MAX) {
        return raise_position(L, handle, count_of(change.field));
    }
    lsig_state_methods_change(L, handle, &change, 3);
    return 0;
}

static int list_insert(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_methods_self(L);
    lua_settop(L, 3);
    struct lsig_state_change change = {.kind = LSIG_CHANGE_INSERT,
                                       .field = lsig_state_methods_writable(L, handle)};
    change.at = check_position(L, count_of(change.field), true);
    if (change.at == SIZE_MAX) {
        return raise_position(L, handle, count_of(change.field));
    }
    lsig_state_methods_change(L, handle, &change, 3);
    return 0;
}

// Pushes what stands there and takes it out; nil where there is nothing.
static int take(lua_State *L, const struct lsig_state_handle *handle, size_t at)
{
    const struct lsig_state_field *field = lsig_state_methods_readable(L, handle);
    if (at >= count_of(field)) {
        lua_pushnil(L);
        return 1;
    }
    lsig_state_value_push(L, lsig_state_at(field, at));
    lsig_state_take(lsig_state_methods_writable(L, handle), at, lsig_state_methods_journal(handle));
    return 1;
}

static int list_remove(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_methods_self(L);
    return take(L, handle,
                check_position(L, count_of(lsig_state_methods_readable(L, handle)), false));
}

static int list_pop(lua_State *L)
{
    return take(L, lsig_state_methods_self(L), 0);
}

static int list_pop_last(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_methods_self(L);
    size_t count = count_of(lsig_state_methods_readable(L, handle));
    return take(L, handle, count > 0 ? count - 1 : 0);
}

// Texts, numbers and booleans only: two tables with the same fields may be printed in two orders.
static int list_index_of(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_methods_self(L);
    const struct lsig_state_field *field = lsig_state_methods_readable(L, handle);
    size_t cursor = 0;
    int count = 0;
    struct lsig_span key;
    struct lsig_span value;
    int type = lua_type(L, 2);
    if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN) {
        return luaL_argerror(L, 2, "a text, a number, or true or false");
    }
    while (field != NULL && lsig_state_next(field, &cursor, &key, &value)) {
        count++;
        if (value.data[0] == '{' || value.data[0] == '[') {
            continue;
        }
        lsig_state_value_push(L, value);
        if (lua_rawequal(L, 2, -1)) {
            lua_pushinteger(L, count);
            return 1;
        }
        lua_pop(L, 1);
        if (count % POLL_EVERY == 0) {
            lsig_budget_poll(L);
        }
    }
    lua_pushnil(L);
    return 1;
}

static const luaL_Reg list_methods[] = {{"push", list_push},
                                        {"pop", list_pop},
                                        {"pop_last", list_pop_last},
                                        {"at", list_at},
                                        {"set", list_set},
                                        {"insert", list_insert},
                                        {"remove", list_remove},
                                        {"index_of", list_index_of},
                                        {"count", lsig_state_methods_count},
                                        {"each", lsig_state_methods_each},
                                        {"copy", lsig_state_methods_copy},
                                        {"clear", lsig_state_methods_clear},
                                        {NULL, NULL}};

const struct luaL_Reg *lsig_state_lists_methods(void)
{
    return list_methods;
}
