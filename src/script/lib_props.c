#include "script/lib_props.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "codec/utf8.h"
#include "room/props.h"
#include "script/handle.h"
#include "script/hook.h"
#include "script/state_value.h"

#define METATABLE "lunasig.props"

enum { PROBLEM_SIZE = 400 };

struct props_handle {
    struct lsig_handle handle; // thing: the member
    bool data;                 // else attr
};

static const struct lsig_handle_class props_class = {.kind = LSIG_USERDATA_PROPS,
                                                     .name = "member.attr or member.data"};

static int push_handle(lua_State *L, const struct lsig_handle *member, bool data)
{
    struct props_handle *props = lua_newuserdata(L, sizeof(*props));
    props->handle = *member;
    props->handle.kind = LSIG_USERDATA_PROPS;
    props->data = data;
    luaL_getmetatable(L, METATABLE);
    lua_setmetatable(L, -2);
    return 1;
}

int lsig_lib_props_attr(lua_State *L, struct lsig_handle *handle)
{
    return push_handle(L, handle, false);
}

int lsig_lib_props_data(lua_State *L, struct lsig_handle *handle)
{
    return push_handle(L, handle, true);
}

static struct props_handle *check(lua_State *L, int index)
{
    return (struct props_handle *)lsig_handle_check(L, index, &props_class);
}

static const char *name_of(const struct props_handle *props)
{
    return props->data ? "member.data" : "member.attr";
}

static struct lsig_props **props_of(const struct props_handle *props)
{
    struct lsig_member *member = props->handle.thing;
    return props->data ? &member->data : &member->attr;
}

// The name at index 2.
static struct lsig_span check_name(lua_State *L, const struct props_handle *props)
{
    struct lsig_span name = {NULL, 0};
    if (lua_type(L, 2) != LUA_TSTRING) {
        luaL_error(L, "%s: a name is a text, not a %s", name_of(props), luaL_typename(L, 2));
        return name;
    }
    name.data = lua_tolstring(L, 2, &name.len);
    bool good = name.len > 0 && name.len <= LSIG_PROP_NAME_MAX;
    const char *end = name.data + name.len;
    for (const char *at = name.data; good && at < end;) {
        size_t len = lsig_utf8_len(at, end);
        good = len > 0 && *at != '\0';
        at += len;
    }
    if (!good) {
        luaL_error(L, "%s: a name has 1 to %d bytes of UTF-8", name_of(props), LSIG_PROP_NAME_MAX);
    }
    return name;
}

static int props_index(lua_State *L)
{
    const struct props_handle *props = check(L, 1);
    struct lsig_span value = lsig_props_get(*props_of(props), check_name(L, props));
    if (value.data == NULL) {
        lua_pushnil(L);
    } else {
        lsig_state_value_push(L, value);
    }
    return 1;
}

// Sets the value at index 3. False: problem says why not. Raises nothing, and keeps no memory.
static bool set_value(lua_State *L,
                      const struct props_handle *props,
                      struct lsig_span name,
                      char problem[PROBLEM_SIZE])
{
    struct lsig_hook_run *run = props->handle.run;
    const struct lsig_script_options *options = run->policy->options;
    size_t bytes_max = (size_t)(props->data ? options->data_bytes : options->attr_bytes);
    const char *setting = props->data ? "POLICY_DATA_BYTES" : "POLICY_ATTR_BYTES";
    char wrong[LSIG_STATE_PROBLEM_SIZE];
    struct lsig_buf json;
    lsig_buf_init(&json, bytes_max);
    bool good = lua_isnil(L, 3) || lsig_state_value_print(L, 3, NULL, &json, wrong);
    bool too_big = json.overflowed;
    if (good) {
        struct lsig_span value = {json.data, json.len};
        too_big = lsig_props_set(props_of(props), name, value, bytes_max, &run->journal) != LSIG_OK;
        good = !too_big;
    }
    lsig_buf_clear(&json);
    if (too_big) {
        snprintf(wrong, sizeof(wrong), ": it would have more than %zu bytes (%s) or %d names",
                 bytes_max, setting, LSIG_PROPS_MAX);
    }
    if (!good) {
        snprintf(problem, PROBLEM_SIZE, "%s.%.*s%s", name_of(props), LSIG_SPAN_ARG(name), wrong);
    }
    return good;
}

static int props_newindex(lua_State *L)
{
    char problem[PROBLEM_SIZE];
    const struct props_handle *props = check(L, 1);
    struct lsig_span name = check_name(L, props);
    lsig_hook_check_member(L, props->handle.run, props->handle.thing);
    luaL_checkstack(L, LSIG_STATE_VALUE_STACK, "member");
    lua_settop(L, 3);
    if (!set_value(L, props, name, problem)) {
        return luaL_error(L, "%s", problem);
    }
    return 0;
}

bool lsig_lib_props_is(lua_State *L, int index)
{
    const enum lsig_userdata_kind *kind =
        lua_type(L, index) == LUA_TUSERDATA ? lua_touserdata(L, index) : NULL;
    return kind != NULL && *kind == LSIG_USERDATA_PROPS;
}

void lsig_lib_props_push_copy(lua_State *L, int index)
{
    const struct props_handle *props = check(L, index);
    size_t cursor = 0;
    struct lsig_span name;
    struct lsig_span value;
    lua_newtable(L);
    while (lsig_props_next(*props_of(props), &cursor, &name, &value)) {
        lua_pushlstring(L, name.data, name.len);
        lsig_state_value_push(L, value);
        lua_rawset(L, -3);
    }
}

bool lsig_lib_props_explain(lua_State *L, int index, const char *walk)
{
    if (!lsig_lib_props_is(L, index)) {
        return false;
    }
    const char *name = name_of(lua_touserdata(L, index));
    luaL_where(L, 1);
    lua_pushfstring(L, "%s: %s is no table: sig.copy(%s) gives a plain one", walk, name, name);
    lua_concat(L, 2);
    return true;
}

static int props_len(lua_State *L)
{
    return lsig_lib_props_explain(L, 1, "#") ? lua_error(L) : 0;
}

static int props_tostring(lua_State *L)
{
    lua_pushstring(L, lsig_lib_props_is(L, 1) ? name_of(lua_touserdata(L, 1)) : "?");
    return 1;
}

void lsig_lib_props_register(lua_State *L)
{
    luaL_newmetatable(L, METATABLE);
    lua_pushcfunction(L, props_index);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, props_newindex);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, props_len);
    lua_setfield(L, -2, "__len");
    lua_pushcfunction(L, props_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
