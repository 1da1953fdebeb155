#include "script/state_methods.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "room/hub.h"
#include "script/budget.h"
#include "script/hook.h"
#include "script/json_table.h"
#include "script/state_value.h"

enum { POLL_EVERY = 256 };

// Each method has its class' kind as upvalue 1.
struct lsig_state_handle *lsig_state_methods_self(lua_State *L)
{
    enum lsig_userdata_kind kind = (enum lsig_userdata_kind)lua_tointeger(L, lua_upvalueindex(1));
    return lsig_state_handle_check(L, 1, kind);
}

const struct lsig_state_field *lsig_state_methods_readable(lua_State *L,
                                                           const struct lsig_state_handle *handle)
{
    return lsig_state_handle_read(L, handle, handle->container);
}

struct lsig_state_field *lsig_state_methods_writable(lua_State *L,
                                                     const struct lsig_state_handle *handle)
{
    return lsig_state_handle_write(L, handle, handle->container);
}

struct lsig_journal *lsig_state_methods_journal(const struct lsig_state_handle *handle)
{
    return &handle->handle.run->journal;
}

int lsig_state_methods_raise(lua_State *L,
                             const struct lsig_state_handle *handle,
                             const char *problem)
{
    return lsig_state_handle_raise(L, handle, handle->container, problem);
}

// The key at index 2. One that could not have been added is an error too, where it is asked for.
struct lsig_span
lsig_state_methods_check_key(lua_State *L, const struct lsig_state_handle *handle, bool adding)
{
    char problem[LSIG_STATE_PROBLEM_SIZE];
    struct lsig_span key;
    bool schema = adding && handle->container->kind == LSIG_STATE_SET;
    if (!lsig_state_value_read_key(L, 2, schema ? handle->container->value : NULL, &key, problem)) {
        lsig_state_methods_raise(L, handle, problem);
    }
    return key;
}

static enum lsig_status
apply(const struct lsig_state_change *change, struct lsig_span value, struct lsig_journal *journal)
{
    switch (change->kind) {
    case LSIG_CHANGE_PUT:
        return lsig_state_put(change->field, change->key, value, journal);
    case LSIG_CHANGE_PUSH:
        return lsig_state_push(change->field, value, journal);
    case LSIG_CHANGE_INSERT:
        return lsig_state_insert(change->field, change->at, value, journal);
    case LSIG_CHANGE_REPLACE:
        break;
    }
    return lsig_state_replace(change->field, change->at, value, journal);
}

// Does the change with the value at index. Memory is held only where nothing raises.
void lsig_state_methods_change(lua_State *L,
                               const struct lsig_state_handle *handle,
                               struct lsig_state_change *change,
                               int index)
{
    char problem[LSIG_STATE_PROBLEM_SIZE];
    const struct lsig_room *room = handle->handle.thing;
    const struct lsig_state_container *container = handle->container;
    struct lsig_buf json;
    enum lsig_status status = LSIG_OK;
    luaL_checkstack(L, LSIG_STATE_VALUE_STACK, "room.state");
    lsig_buf_init(&json, lsig_hub_bounds(room->hub)->state_bytes);
    bool fits = lsig_state_value_print(L, index, container->value, &json, problem);
    if (fits) {
        status = apply(change, lsig_buf_span(&json), lsig_state_methods_journal(handle));
    }
    bool too_big = json.overflowed;
    lsig_buf_clear(&json);
    if (status != LSIG_OK || too_big) {
        lsig_state_handle_raise_full(L, handle, container, change->field);
    }
    if (!fits) {
        lsig_state_methods_raise(L, handle, problem);
    }
}

// --- all of them

int lsig_state_methods_count(lua_State *L)
{
    const struct lsig_state_field *field =
        lsig_state_methods_readable(L, lsig_state_methods_self(L));
    lua_pushinteger(L, field != NULL ? (lua_Integer)lsig_state_count(field) : 0);
    return 1;
}

int lsig_state_methods_clear(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_methods_self(L);
    if (lsig_state_methods_readable(L, handle) != NULL) {
        lsig_state_empty(lsig_state_methods_writable(L, handle),
                         lsig_state_methods_journal(handle));
    }
    return 0;
}

// Pushes a table with all keys (keys) or values.
void lsig_state_methods_push_entries(lua_State *L, const struct lsig_state_field *field, bool keys)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    int count = 0;
    lua_createtable(L, field != NULL ? (int)lsig_state_count(field) : 0, 0);
    while (field != NULL && lsig_state_next(field, &cursor, &key, &value)) {
        if (keys) {
            lua_pushlstring(L, key.data, key.len);
        } else {
            lsig_state_value_push(L, value);
        }
        lua_rawseti(L, -2, ++count);
        if (count % POLL_EVERY == 0) {
            lsig_budget_poll(L);
        }
    }
    if (lua_objlen(L, -1) == 0) {
        lsig_json_table_mark_array(L); // [] in JSON
    }
}

static void push_map(lua_State *L, const struct lsig_state_field *field)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    int count = 0;
    lua_createtable(L, 0, field != NULL ? (int)lsig_state_count(field) : 0);
    while (field != NULL && lsig_state_next(field, &cursor, &key, &value)) {
        lua_pushlstring(L, key.data, key.len);
        lsig_state_value_push(L, value);
        lua_rawset(L, -3);
        if (++count % POLL_EVERY == 0) {
            lsig_budget_poll(L);
        }
    }
}

static void push_single(lua_State *L, const char *initial, const struct lsig_state_field *field)
{
    struct lsig_span value = {NULL, 0};
    if (field != NULL) {
        value = lsig_state_value(field);
    }
    if (value.data == NULL) {
        value = lsig_span_of(initial);
    }
    if (value.data == NULL) {
        lua_pushnil(L);
    } else {
        lsig_state_value_push(L, value);
    }
}

void lsig_state_methods_push_copy(lua_State *L,
                                  const struct lsig_state_container *container,
                                  const struct lsig_state_field *field)
{
    switch (container->kind) {
    case LSIG_STATE_SET:
        lsig_state_methods_push_entries(L, field, true);
        break;
    case LSIG_STATE_LIST:
        lsig_state_methods_push_entries(L, field, false);
        break;
    case LSIG_STATE_MAP:
        push_map(L, field);
        break;
    case LSIG_STATE_COUNTER:
        lua_pushnumber(L, field != NULL ? (double)lsig_state_number(field) : 0);
        break;
    case LSIG_STATE_VALUE:
        push_single(L, container->initial, field);
        break;
    }
}

int lsig_state_methods_copy(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_methods_self(L);
    lsig_state_methods_push_copy(L, handle->container, lsig_state_methods_readable(L, handle));
    return 1;
}

// upvalues: what to give first, the values or nil, how many were given. Without values the first
// ones are given alone; without first ones their number is.
static int each_next(lua_State *L)
{
    int at = (int)lua_tointeger(L, lua_upvalueindex(3)) + 1;
    bool keys = lua_istable(L, lua_upvalueindex(1));
    lua_pushinteger(L, at);
    lua_replace(L, lua_upvalueindex(3));
    lua_rawgeti(L, lua_upvalueindex(keys ? 1 : 2), at);
    if (lua_isnil(L, -1)) {
        return 1;
    }
    if (!keys) {
        lua_pushinteger(L, at);
        lua_insert(L, -2);
        return 2;
    }
    if (!lua_istable(L, lua_upvalueindex(2))) {
        return 1;
    }
    lua_rawgeti(L, lua_upvalueindex(2), at);
    return 2;
}

// Walks over what is there now, so that the body of the loop may change the container.
int lsig_state_methods_each(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_methods_self(L);
    const struct lsig_state_field *field = lsig_state_methods_readable(L, handle);
    if (handle->container->kind == LSIG_STATE_LIST) {
        lua_pushnil(L);
    } else {
        lsig_state_methods_push_entries(L, field, true);
    }
    if (handle->container->kind == LSIG_STATE_SET) {
        lua_pushnil(L);
    } else {
        lsig_state_methods_push_entries(L, field, false);
    }
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, each_next, 3);
    return 1;
}
