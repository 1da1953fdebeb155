#include "script/state_handle.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "room/hub.h"
#include "script/hook.h"
#include "script/lib_props.h"
#include "script/state_value.h"

enum { CLASS_COUNT = 5 };

// Only their kinds and names are used.
static const struct lsig_handle_class classes[CLASS_COUNT] = {
    {.kind = LSIG_USERDATA_STATE, .name = "room.state"}, {.kind = LSIG_USERDATA_SET, .name = "set"},
    {.kind = LSIG_USERDATA_LIST, .name = "list"},        {.kind = LSIG_USERDATA_MAP, .name = "map"},
    {.kind = LSIG_USERDATA_COUNTER, .name = "counter"},
};

static const struct lsig_handle_class *class_of(enum lsig_userdata_kind kind)
{
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        if (classes[i].kind == kind) {
            return &classes[i];
        }
    }
    return NULL;
}

static enum lsig_userdata_kind kind_of(const struct lsig_state_container *container)
{
    if (container == NULL) {
        return LSIG_USERDATA_STATE;
    }
    switch (container->kind) {
    case LSIG_STATE_SET:
        return LSIG_USERDATA_SET;
    case LSIG_STATE_LIST:
        return LSIG_USERDATA_LIST;
    case LSIG_STATE_MAP:
        return LSIG_USERDATA_MAP;
    case LSIG_STATE_COUNTER:
    case LSIG_STATE_VALUE:
        break;
    }
    return LSIG_USERDATA_COUNTER; // a value has no handle: it is read and assigned
}

// --- making and checking

// Looked up in the registry for each handle that is made.
static const char *metatable_name(enum lsig_userdata_kind kind)
{
    switch (kind) {
    case LSIG_USERDATA_SET:
        return "lunasig.state.set";
    case LSIG_USERDATA_LIST:
        return "lunasig.state.list";
    case LSIG_USERDATA_MAP:
        return "lunasig.state.map";
    case LSIG_USERDATA_COUNTER:
        return "lunasig.state.counter";
    default:
        return "lunasig.state";
    }
}

static int refuse_length(lua_State *L)
{
    if (lsig_state_handle_explain(L, 1, "#")) {
        return lua_error(L);
    }
    return 0;
}

static int refuse_arithmetic(lua_State *L)
{
    int index = lsig_state_handle_to(L, 1) != NULL ? 1 : 2;
    const struct lsig_state_handle *handle = lsig_state_handle_to(L, index);
    if (handle == NULL || handle->container == NULL) {
        return luaL_error(L, "room.state is no number and no text: read its fields by name");
    }
    const char *problem = handle->container->kind == LSIG_STATE_COUNTER
                              ? " is a counter: :get() gives its number"
                              : " is a container: read it with its methods";
    return lsig_state_handle_raise(L, handle, handle->container, problem);
}

static int refuse_write(lua_State *L)
{
    const struct lsig_state_handle *handle = lsig_state_handle_to(L, 1);
    if (handle == NULL || handle->container == NULL) {
        return luaL_error(L, "this cannot be assigned to");
    }
    return lsig_state_handle_raise(L, handle, handle->container,
                                   " has no fields: it is changed with its methods");
}

static int handle_tostring(lua_State *L)
{
    char name[LSIG_STATE_HANDLE_NAME_SIZE];
    const struct lsig_state_handle *handle = lsig_state_handle_to(L, 1);
    snprintf(name, sizeof(name), "room.state");
    if (handle != NULL && handle->container != NULL) {
        snprintf(name, sizeof(name), "room.state.%s", handle->container->name);
    }
    lua_pushstring(L, name);
    return 1;
}

void lsig_state_handle_register(lua_State *L, enum lsig_userdata_kind kind)
{
    static const char *const arithmetic[] = {"__add", "__sub", "__mul", "__div",    "__mod",
                                             "__pow", "__unm", "__lt",  "__concat", "__le"};
    luaL_newmetatable(L, metatable_name(kind)); // [index, meta]
    lua_insert(L, -2);                          // [meta, index]
    lua_setfield(L, -2, "__index");
    for (size_t i = 0; i < sizeof(arithmetic) / sizeof(arithmetic[0]); i++) {
        lua_pushcfunction(L, refuse_arithmetic);
        lua_setfield(L, -2, arithmetic[i]);
    }
    lua_pushcfunction(L, refuse_write);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, refuse_length);
    lua_setfield(L, -2, "__len");
    lua_pushcfunction(L, handle_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
}

void lsig_state_handle_push(lua_State *L,
                            struct lsig_hook_run *run,
                            struct lsig_room *room,
                            const struct lsig_state_declaration *declaration,
                            const struct lsig_state_container *container)
{
    struct lsig_state_handle *handle = lua_newuserdata(L, sizeof(*handle));
    handle->handle = (struct lsig_handle){
        .kind = kind_of(container), .run = run, .serial = run->serial, .thing = room};
    handle->declaration = declaration;
    handle->container = container;
    luaL_getmetatable(L, metatable_name(handle->handle.kind));
    lua_setmetatable(L, -2);
}

struct lsig_state_handle *
lsig_state_handle_check(lua_State *L, int index, enum lsig_userdata_kind kind)
{
    return (struct lsig_state_handle *)lsig_handle_check(L, index, class_of(kind));
}

struct lsig_state_handle *lsig_state_handle_to(lua_State *L, int index)
{
    struct lsig_handle *handle =
        lua_type(L, index) == LUA_TUSERDATA ? lua_touserdata(L, index) : NULL;
    return handle != NULL && class_of(handle->kind) != NULL ? (struct lsig_state_handle *)handle
                                                            : NULL;
}

// --- what they stand for

static struct lsig_state *find_state(lua_State *L, const struct lsig_state_handle *handle)
{
    const struct lsig_state_declaration *declaration = handle->declaration;
    struct lsig_state *state =
        lsig_state_find(handle->handle.thing, lsig_span_of(declaration->policy));
    if (state != NULL && state->version != declaration->version) {
        bool newer = state->version > declaration->version;
        luaL_error(L,
                   "the room's state has been %s to version %d by %s policy, and this hook, of "
                   "policy version %d, knows version %d",
                   newer ? "migrated" : "taken back", (int)state->version,
                   newer ? "a newer" : "another", (int)handle->handle.run->policy->version,
                   (int)declaration->version);
    }
    return state;
}

static int raise_other_kind(lua_State *L,
                            const struct lsig_state_handle *handle,
                            const struct lsig_state_container *container,
                            const struct lsig_state_field *field)
{
    char problem[200];
    snprintf(problem, sizeof(problem),
             " is a %s in this room, from a policy version before: raise `version` to %d and write "
             "migrate",
             field != NULL ? lsig_state_kind_name(lsig_state_field_kind(field)) : "field too many",
             (int)handle->declaration->version + 1);
    return lsig_state_handle_raise(L, handle, container, problem);
}

const struct lsig_state_field *lsig_state_handle_read(lua_State *L,
                                                      const struct lsig_state_handle *handle,
                                                      const struct lsig_state_container *container)
{
    const struct lsig_state *state = find_state(L, handle);
    const struct lsig_state_field *field =
        state != NULL ? lsig_state_field_find(state, lsig_span_of(container->name)) : NULL;
    if (field != NULL && lsig_state_field_kind(field) != container->kind) {
        raise_other_kind(L, handle, container, field);
    }
    return field;
}

struct lsig_state_field *lsig_state_handle_write(lua_State *L,
                                                 const struct lsig_state_handle *handle,
                                                 const struct lsig_state_container *container)
{
    const struct lsig_state_declaration *declaration = handle->declaration;
    struct lsig_state *state = find_state(L, handle);
    if (state == NULL) {
        state = lsig_state_open(handle->handle.thing, lsig_span_of(declaration->policy),
                                declaration->version);
        state->prepared = handle->handle.run->policy->version;
        lsig_state_declaration_apply(declaration, state);
    }
    struct lsig_state_field *field = lsig_state_field_open(state, lsig_span_of(container->name),
                                                           container->kind, container->max);
    if (field == NULL) {
        raise_other_kind(L, handle, container,
                         lsig_state_field_find(state, lsig_span_of(container->name)));
    }
    return field;
}

// --- what goes wrong

void lsig_state_handle_print_name(const struct lsig_state_handle *handle,
                                  const struct lsig_state_container *container,
                                  char out[LSIG_STATE_HANDLE_NAME_SIZE])
{
    const char *dot = container != NULL ? "." : "";
    const char *name = container != NULL ? container->name : "";
    const char *policy = handle->declaration->policy;
    if (strcmp(lsig_hook_policy_name(handle->handle.run), policy) == 0) {
        snprintf(out, LSIG_STATE_HANDLE_NAME_SIZE, "room.state%s%s", dot, name);
    } else {
        snprintf(out, LSIG_STATE_HANDLE_NAME_SIZE, "room:state_of(\"%s\")%s%s", policy, dot, name);
    }
}

int lsig_state_handle_raise(lua_State *L,
                            const struct lsig_state_handle *handle,
                            const struct lsig_state_container *container,
                            const char *problem)
{
    char name[LSIG_STATE_HANDLE_NAME_SIZE];
    lsig_state_handle_print_name(handle, container, name);
    return luaL_error(L, "%s%s", name, problem);
}

int lsig_state_handle_raise_full(lua_State *L,
                                 const struct lsig_state_handle *handle,
                                 const struct lsig_state_container *container,
                                 const struct lsig_state_field *field)
{
    char problem[200];
    const struct lsig_room *room = handle->handle.thing;
    size_t count = lsig_state_count(field);
    bool counted = container->kind != LSIG_STATE_VALUE && container->kind != LSIG_STATE_COUNTER;
    if (counted && count >= container->max) {
        snprintf(problem, sizeof(problem), ": it has %zu entries, and its max is %u", count,
                 (unsigned)container->max);
    } else {
        snprintf(problem, sizeof(problem),
                 ": what policies remember of this room would have more than %zu bytes "
                 "(POLICY_STATE_BYTES)",
                 lsig_hub_bounds(room->hub)->state_bytes);
    }
    return lsig_state_handle_raise(L, handle, container, problem);
}

// --- for those who try to walk a handle

static const char *how_to_walk(const struct lsig_state_handle *handle, bool length)
{
    if (handle->container == NULL) {
        return "read its fields by name; sig.copy(room.state) gives a plain table of them";
    }
    switch (handle->container->kind) {
    case LSIG_STATE_SET:
        return length ? "write :count()" : "write `for key in …:each() do`; :copy() gives a list";
    case LSIG_STATE_LIST:
        return length ? "write :count()"
                      : "write `for i, value in …:each() do`; :copy() gives a plain list";
    case LSIG_STATE_MAP:
        return length ? "write :count()"
                      : "write `for key, value in …:each() do`; :copy() gives a plain table";
    case LSIG_STATE_COUNTER:
    case LSIG_STATE_VALUE:
        break;
    }
    return "write :get()";
}

bool lsig_state_handle_explain(lua_State *L, int index, const char *walk)
{
    const struct lsig_state_handle *handle = lsig_state_handle_to(L, index);
    if (handle == NULL) {
        return lsig_lib_props_explain(L, index, walk);
    }
    const struct lsig_state_container *container = handle->container;
    luaL_where(L, 1);
    lua_pushfstring(L, "%s: room.state%s%s is a %s: %s", walk, container != NULL ? "." : "",
                    container != NULL ? container->name : "",
                    container != NULL ? lsig_state_kind_name(container->kind) : "state",
                    how_to_walk(handle, walk[0] == '#'));
    lua_concat(L, 2);
    return true;
}
