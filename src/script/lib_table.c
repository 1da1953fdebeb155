#include "script/lib_table.h"

#include <stddef.h>

#include <lauxlib.h>
#include <lua.h>

#include "script/args.h"
#include "script/budget.h"
#include "script/sandbox.h"

enum {
    POLL_EVERY = 256,
    SORT_MAX = 100000,
    CONCAT_MAX = 100000,
    SORTS_NESTED_MAX = 4,
    FRAMES_LOOKED_AT = 200
};

static int table_sort(lua_State *L);

static int checked_length(lua_State *L, const char *function)
{
    lsig_args_check_writable(L, 1, function);
    return (int)lua_objlen(L, 1);
}

static int table_insert(lua_State *L)
{
    int len = checked_length(L, "table.insert");
    lua_Integer at = len + 1;
    if (lua_gettop(L) == 3) {
        at = luaL_checkinteger(L, 2);
    } else if (lua_gettop(L) != 2) {
        return luaL_error(
            L,
            "table.insert: write table.insert(list, value) or table.insert(list, position, value)");
    }
    if (at < 1 || at > len + 1) {
        return luaL_error(L, "table.insert: position %d is outside of 1 to %d", (int)at, len + 1);
    }
    for (int i = len; i >= (int)at; i--) {
        lua_rawgeti(L, 1, i);
        lua_rawseti(L, 1, i + 1);
        if (i % POLL_EVERY == 0) {
            lsig_budget_poll(L);
        }
    }
    lua_rawseti(L, 1, (int)at); // the value is on top
    return 0;
}

static int table_remove(lua_State *L)
{
    int len = checked_length(L, "table.remove");
    lua_Integer at = lua_isnoneornil(L, 2) ? len : luaL_checkinteger(L, 2);
    if (len == 0 || at < 1 || at > len) {
        lua_pushnil(L);
        return 1;
    }
    lua_rawgeti(L, 1, (int)at);
    for (int i = (int)at; i < len; i++) {
        lua_rawgeti(L, 1, i + 1);
        lua_rawseti(L, 1, i);
        if (i % POLL_EVERY == 0) {
            lsig_budget_poll(L);
        }
    }
    lua_pushnil(L);
    lua_rawseti(L, 1, len);
    return 1;
}

static int table_concat(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    size_t gap_len;
    const char *gap = luaL_optlstring(L, 2, "", &gap_len);
    lua_Integer first = luaL_optinteger(L, 3, 1);
    lua_Integer last =
        lua_isnoneornil(L, 4) ? (lua_Integer)lua_objlen(L, 1) : luaL_checkinteger(L, 4);
    if (last >= first && (double)last - (double)first >= CONCAT_MAX) {
        return luaL_error(L, "table.concat: more than %d values", CONCAT_MAX);
    }
    int from = (int)first;
    int to = (int)last;
    size_t sum = 0;
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    for (int i = from; i <= to; i++) {
        lua_rawgeti(L, 1, i);
        if (!lua_isstring(L, -1)) {
            return luaL_error(L, "table.concat: value %d is a %s", i, luaL_typename(L, -1));
        }
        sum += lua_objlen(L, -1) + gap_len;
        if (sum > LSIG_SANDBOX_TEXT_MAX) {
            return luaL_error(L, "table.concat: the result would have more than %d bytes",
                              LSIG_SANDBOX_TEXT_MAX);
        }
        luaL_addvalue(&text);
        if (i < to) {
            luaL_addlstring(&text, gap, gap_len);
        }
        if (i % POLL_EVERY == 0) {
            lsig_budget_poll(L);
        }
    }
    luaL_pushresult(&text);
    return 1;
}

// Whether element a comes before element b; both are at these stack indices.
static bool sort_before(lua_State *L, int a, int b)
{
    if (lua_isnil(L, 2)) {
        return lua_lessthan(L, a, b);
    }
    lua_pushvalue(L, 2);
    lua_pushvalue(L, a < 0 ? a - 1 : a);
    lua_pushvalue(L, b < 0 ? b - 2 : b);
    lua_call(L, 2, 1);
    bool before = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return before;
}

// Moves the value on top of the stack (popped) down from `hole` to its place in the heap of `count`
// elements.
static void sort_sift(lua_State *L, int hole, int count)
{
    for (int child = hole * 2; child <= count; child = hole * 2) { // [value]
        lsig_budget_poll(L);
        lua_rawgeti(L, 1, child); // [value, child]
        if (child < count) {
            lua_rawgeti(L, 1, child + 1); // [value, child, right]
            if (sort_before(L, -2, -1)) {
                lua_replace(L, -2);
                child++;
            } else {
                lua_pop(L, 1);
            }
        }
        if (!sort_before(L, -2, -1)) {
            lua_pop(L, 1);
            break;
        }
        lua_rawseti(L, 1, hole);
        hole = child;
    }
    lua_rawseti(L, 1, hole);
}

int lsig_lib_table_sorting(lua_State *L)
{
    lua_Debug frame;
    int count = 0;
    for (int i = 1; i <= FRAMES_LOOKED_AT && lua_getstack(L, i, &frame) != 0; i++) {
        lua_getinfo(L, "f", &frame);
        count += lua_tocfunction(L, -1) == table_sort;
        lua_pop(L, 1);
    }
    return count;
}

// Heap sort: never more than 2 n log n comparisons, whatever a comparator answers. Like Lua's own
// it is not stable.
static int table_sort(lua_State *L)
{
    int count = checked_length(L, "table.sort");
    lua_settop(L, 2);
    if (!lua_isnil(L, 2)) {
        luaL_checktype(L, 2, LUA_TFUNCTION);
    }
    if (count > SORT_MAX) {
        return luaL_error(L, "table.sort: more than %d values", SORT_MAX);
    }
    if (lsig_lib_table_sorting(L) > SORTS_NESTED_MAX) {
        return luaL_error(L, "table.sort: comparators sort within comparators more than %d deep",
                          SORTS_NESTED_MAX);
    }
    luaL_checkstack(L, 8, "table.sort");
    for (int i = count / 2; i >= 1; i--) {
        lua_rawgeti(L, 1, i);
        sort_sift(L, i, count);
    }
    for (int i = count; i > 1; i--) {
        lua_rawgeti(L, 1, i); // [last]
        lua_rawgeti(L, 1, 1);
        lua_rawseti(L, 1, i);
        sort_sift(L, 1, i - 1);
    }
    return 0;
}

void lsig_lib_table_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"concat", table_concat},
                                         {"insert", table_insert},
                                         {"remove", table_remove},
                                         {"sort", table_sort},
                                         {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
