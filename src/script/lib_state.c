#include "script/lib_state.h"

#include <lauxlib.h>
#include <lua.h>

#include "room/hub.h"
#include "script/args.h"
#include "script/hook.h"
#include "script/lib_props.h"
#include "script/sandbox.h"
#include "script/state_containers.h"
#include "script/state_handle.h"
#include "script/state_methods.h"
#include "script/state_value.h"

// --- room.state and room:state_of

int lsig_lib_state_push(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_hook_run *run = handle->run;
    const char *name = lsig_hook_policy_name(run);
    const struct lsig_state_declaration *declaration =
        lsig_state_declaration_find(run->policy, name);
    if (declaration == NULL) {
        return luaL_error(L,
                          "room.state: the policy \"%s\" declares no state: write "
                          "sig.room_state { hands = sig.set { max = 200 } } in its file",
                          name);
    }
    lsig_state_handle_push(L, run, handle->thing, declaration, NULL);
    return 1;
}

int lsig_lib_state_of(lua_State *L, struct lsig_handle *handle)
{
    enum { KNOWN_MAX = 32 };
    const struct lsig_policy *policy = handle->run->policy;
    const char *name = luaL_checkstring(L, 2);
    const struct lsig_state_declaration *declaration = lsig_state_declaration_find(policy, name);
    if (declaration == NULL) {
        const char *known[KNOWN_MAX];
        size_t count = policy->state_count < KNOWN_MAX ? policy->state_count : KNOWN_MAX;
        for (size_t i = 0; i < count; i++) {
            known[i] = policy->states[i]->policy;
        }
        return lsig_args_unknown(L, "room:state_of: policies with a state", name, known, count);
    }
    lsig_state_handle_push(L, handle->run, handle->thing, declaration, NULL);
    return 1;
}

// --- the state as a whole

static int raise_unknown(lua_State *L, const struct lsig_state_handle *handle)
{
    const struct lsig_state_declaration *declaration = handle->declaration;
    const char *known[LSIG_STATE_FIELDS_MAX];
    char what[LSIG_STATE_HANDLE_NAME_SIZE];
    for (size_t i = 0; i < declaration->container_count; i++) {
        known[i] = declaration->containers[i].name;
    }
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);
    lsig_state_handle_print_name(handle, NULL, what);
    return lsig_args_unknown(L, what, name, known, declaration->container_count);
}

static const struct lsig_state_container *find_container(lua_State *L,
                                                         const struct lsig_state_handle *handle)
{
    struct lsig_span name = {"", 0};
    if (lua_type(L, 2) == LUA_TSTRING) {
        name.data = lua_tolstring(L, 2, &name.len);
    }
    const struct lsig_state_container *container =
        lsig_state_declaration_container(handle->declaration, name);
    if (container == NULL) {
        raise_unknown(L, handle);
    }
    return container;
}

static int state_index(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_handle_check(L, 1, LSIG_USERDATA_STATE);
    const struct lsig_state_container *container = find_container(L, handle);
    if (container->kind == LSIG_STATE_VALUE) {
        lsig_state_methods_push_copy(L, container, lsig_state_handle_read(L, handle, container));
    } else {
        lsig_state_handle_push(L, handle->handle.run, handle->handle.thing, handle->declaration,
                               container);
    }
    return 1;
}

// Gives a value what stands at index 3. Memory is held only where nothing raises.
static void assign_value(lua_State *L,
                         const struct lsig_state_handle *handle,
                         const struct lsig_state_container *container)
{
    char problem[LSIG_STATE_PROBLEM_SIZE];
    const struct lsig_room *room = handle->handle.thing;
    struct lsig_state_field *field = lsig_state_handle_write(L, handle, container);
    struct lsig_buf json;
    enum lsig_status status = LSIG_OK;
    luaL_checkstack(L, LSIG_STATE_VALUE_STACK, "room.state");
    lsig_buf_init(&json, lsig_hub_bounds(room->hub)->state_bytes);
    bool fits = lua_isnil(L, 3) || lsig_state_value_print(L, 3, container->value, &json, problem);
    if (fits) {
        struct lsig_span value = {json.data, json.len};
        status = lsig_state_set_value(field, value, &handle->handle.run->journal);
    }
    bool too_big = json.overflowed;
    lsig_buf_clear(&json);
    if (status != LSIG_OK || too_big) {
        lsig_state_handle_raise_full(L, handle, container, field);
    }
    if (!fits) {
        lsig_state_handle_raise(L, handle, container, problem);
    }
}

static int state_newindex(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_handle_check(L, 1, LSIG_USERDATA_STATE);
    const struct lsig_state_container *container = find_container(L, handle);
    switch (container->kind) {
    case LSIG_STATE_VALUE:
        assign_value(L, handle, container);
        return 0;
    case LSIG_STATE_COUNTER:
        if (lua_type(L, 3) != LUA_TNUMBER) {
            return lsig_state_handle_raise(L, handle, container, ": a counter gets a number");
        }
        lsig_state_containers_set_number(L, handle, container, lua_tonumber(L, 3));
        return 0;
    case LSIG_STATE_SET:
        return lsig_state_handle_raise(L, handle, container,
                                       " is a set, and is not assigned: write :add, :remove, "
                                       ":clear");
    case LSIG_STATE_LIST:
        return lsig_state_handle_raise(L, handle, container,
                                       " is a list, and is not assigned: write :push, :set, "
                                       ":clear");
    case LSIG_STATE_MAP:
        break;
    }
    return lsig_state_handle_raise(L, handle, container,
                                   " is a map, and is not assigned: write :set, :remove, :clear");
}

static void push_state_copy(lua_State *L, const struct lsig_state_handle *handle)
{
    const struct lsig_state_declaration *declaration = handle->declaration;
    lua_createtable(L, 0, (int)declaration->container_count);
    for (size_t i = 0; i < declaration->container_count; i++) {
        const struct lsig_state_container *container = &declaration->containers[i];
        lsig_state_methods_push_copy(L, container, lsig_state_handle_read(L, handle, container));
        lua_setfield(L, -2, container->name);
    }
}

static int sig_copy(lua_State *L)
{
    const struct lsig_state_handle *state = lsig_state_handle_to(L, 1);
    if (lsig_lib_props_is(L, 1)) {
        lsig_lib_props_push_copy(L, 1);
        return 1;
    }
    if (state == NULL) {
        return luaL_error(L,
                          "sig.copy: a container of room.state, room.state, member.attr or "
                          "member.data was expected, not a %s",
                          luaL_typename(L, 1));
    }
    lsig_state_handle_check(L, 1, state->handle.kind);
    if (state->container == NULL) {
        push_state_copy(L, state);
    } else {
        lsig_state_methods_push_copy(L, state->container,
                                     lsig_state_handle_read(L, state, state->container));
    }
    return 1;
}

// --- pairs, ipairs and next

// upvalues: its name, Lua's own function
static int explained(lua_State *L)
{
    const char *name = lua_tostring(L, lua_upvalueindex(1));
    if (lsig_state_handle_explain(L, 1, name)) {
        return lua_error(L);
    }
    if (!lua_istable(L, 1)) { // said here, where the line of the caller is known
        return luaL_error(L, "bad argument #1 to '%s' (table expected, got %s)", name,
                          lua_isnone(L, 1) ? "no value" : luaL_typename(L, 1));
    }
    int count = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, 1);
    lua_call(L, count, LUA_MULTRET);
    return lua_gettop(L);
}

// Lua's own pairs gives Lua's own next, so a loop costs what it did.
static void explain_walk(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    lsig_sandbox_push(L);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
    lua_pushcclosure(L, explained, 2);
    lsig_sandbox_set(L, name);
}

static const luaL_Reg state_functions[] = {{"copy", sig_copy}, {NULL, NULL}};

void lsig_lib_state_register(lua_State *L)
{
    lsig_state_containers_register(L);
    lua_pushcfunction(L, state_index);
    lsig_state_handle_register(L, LSIG_USERDATA_STATE);
    lua_pushcfunction(L, state_newindex);
    lua_setfield(L, -2, "__newindex");
    lua_pop(L, 1);
    explain_walk(L, "pairs");
    explain_walk(L, "ipairs");
    explain_walk(L, "next");
    luaL_register(L, NULL, state_functions);
}
