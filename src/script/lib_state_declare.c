#include "script/lib_state_declare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "codec/schema.h"
#include "room/state_shape.h"
#include "script/args.h"
#include "script/handle.h"
#include "script/lib_schema.h"
#include "script/policy.h"
#include "script/state_declaration.h"
#include "script/state_value.h"

#define METATABLE "lunasig.container"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { ENV_SCHEMA = 1, ENV_DEFAULT = 2, NAME_MAX_BYTES = 64, DEFAULT_MAX_BYTES = 64 * 1024 };

// What sig.set { … } and so on give; its environment table has the schema and the default.
struct container_value {
    enum lsig_userdata_kind kind; // first, as in all userdata
    enum lsig_state_kind state_kind;
    uint32_t max;
};

static struct container_value *to_container(lua_State *L, int index)
{
    struct container_value *value =
        lua_type(L, index) == LUA_TUSERDATA ? lua_touserdata(L, index) : NULL;
    return value != NULL && value->kind == LSIG_USERDATA_CONTAINER ? value : NULL;
}

// --- one container

static uint32_t read_max(const struct lsig_args *args)
{
    double max = lsig_args_number(args, "max", LSIG_STATE_MAX_DEFAULT);
    if (max < 1 || max > LSIG_STATE_ITEMS_MAX || max != floor(max)) {
        luaL_error(args->L, "%s: max is a whole number of 1 to %d entries", args->what,
                   LSIG_STATE_ITEMS_MAX);
    }
    return (uint32_t)max;
}

// Leaves args' table's field in the environment table on top of the stack, at `slot`.
static void keep_field(const struct lsig_args *args, const char *field, int slot)
{
    lua_pushstring(args->L, field);
    lua_rawget(args->L, args->table);
    lua_rawseti(args->L, -2, slot);
}

static int declare_container(lua_State *L, enum lsig_state_kind kind, const char *what)
{
    static const char *const bounded[] = {"max", "value"};
    static const char *const single[] = {"type", "default"};
    lsig_policy_check_loading(L, what);
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
        lua_replace(L, 1);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    struct lsig_args args = {L, 1, what};
    bool has_max = kind != LSIG_STATE_COUNTER && kind != LSIG_STATE_VALUE;
    if (kind == LSIG_STATE_COUNTER) {
        lua_pushnil(L);
        if (lua_next(L, 1) != 0) {
            return luaL_error(L, "sig.counter: it has no options: write sig.counter {}");
        }
    } else {
        lsig_args_check_names(&args, has_max ? bounded : single, 2);
    }
    uint32_t max = has_max ? read_max(&args) : 1;
    struct container_value *value = lua_newuserdata(L, sizeof(*value));
    *value =
        (struct container_value){.kind = LSIG_USERDATA_CONTAINER, .state_kind = kind, .max = max};
    lua_createtable(L, 2, 0);
    keep_field(&args, has_max ? "value" : "type", ENV_SCHEMA);
    keep_field(&args, "default", ENV_DEFAULT);
    lua_setfenv(L, -2);
    luaL_getmetatable(L, METATABLE);
    lua_setmetatable(L, -2);
    return 1;
}

static int state_set(lua_State *L)
{
    return declare_container(L, LSIG_STATE_SET, "sig.set");
}

static int state_list(lua_State *L)
{
    return declare_container(L, LSIG_STATE_LIST, "sig.list");
}

static int state_map(lua_State *L)
{
    return declare_container(L, LSIG_STATE_MAP, "sig.map");
}

static int state_counter(lua_State *L)
{
    return declare_container(L, LSIG_STATE_COUNTER, "sig.counter");
}

static int state_value(lua_State *L)
{
    return declare_container(L, LSIG_STATE_VALUE, "sig.value");
}

static int container_index(lua_State *L)
{
    return luaL_error(L, "this declares a container and has no fields: what is in it is read in a "
                         "hook, with room.state");
}

// --- sig.room_state: everything is looked at first, then built by code that does not raise

static bool is_name(const char *text, size_t len)
{
    return len > 0 && len <= NAME_MAX_BYTES && !(text[0] >= '0' && text[0] <= '9') &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

// Whether a default fits its type. Nothing raises while memory is held.
static bool
default_fits(lua_State *L, int value, int schema_index, char problem[LSIG_STATE_PROBLEM_SIZE])
{
    struct lsig_schema *schema = NULL;
    if (!lua_isnil(L, schema_index)) {
        schema = lsig_lib_schema_build(L, schema_index);
    }
    struct lsig_buf json;
    lsig_buf_init(&json, DEFAULT_MAX_BYTES);
    bool fits = lsig_state_value_print(L, value, schema, &json, problem);
    lsig_buf_clear(&json);
    lsig_schema_free(schema);
    return fits;
}

// The container at the top of the stack, declared as `name`.
static void check_container(lua_State *L, const char *name)
{
    char problem[LSIG_STATE_PROBLEM_SIZE];
    const struct container_value *value = to_container(L, -1);
    luaL_checkstack(L, 2 * LSIG_STATE_VALUE_STACK, "sig.room_state");
    lua_getfenv(L, -1);
    lua_rawgeti(L, -1, ENV_SCHEMA);
    int schema_index = lua_gettop(L);
    lua_rawgeti(L, -2, ENV_DEFAULT);
    if (!lua_isnil(L, schema_index)) {
        const enum lsig_userdata_kind *kind = lua_touserdata(L, schema_index);
        if (lua_type(L, schema_index) != LUA_TUSERDATA || *kind != LSIG_USERDATA_SCHEMA) {
            luaL_error(L, "sig.room_state: %s: %s is a schema, e.g. sig.string { max = 100 }", name,
                       value->state_kind == LSIG_STATE_VALUE ? "type" : "value");
        }
        lsig_lib_schema_check_whole(L, schema_index, name);
        struct lsig_schema *schema = lsig_lib_schema_build(L, schema_index);
        bool texts = (schema->types & LSIG_JSON_STRING) != 0;
        lsig_schema_free(schema);
        if (value->state_kind == LSIG_STATE_SET && !texts) {
            luaL_error(L, "sig.room_state: %s: a set has texts, so its value is sig.string", name);
        }
    }
    if (!lua_isnil(L, -1) && !default_fits(L, lua_gettop(L), schema_index, problem)) {
        luaL_error(L, "sig.room_state: %s: its default does not fit%s", name, problem);
    }
    lua_pop(L, 3);
}

static const char *hint_for(lua_State *L, int index)
{
    if (lua_type(L, index) == LUA_TUSERDATA) {
        return ": a schema goes into a container, as in sig.value { type = sig.boolean }";
    }
    if (lua_isfunction(L, index)) {
        return ": write sig.set {} and so on, with its options";
    }
    return ": write sig.set {}, sig.list {}, sig.map {}, sig.counter {} or sig.value {}";
}

// How many containers the table at index 1 has.
static size_t check_containers(lua_State *L)
{
    size_t count = 0;
    for (lua_pushnil(L); lua_next(L, 1) != 0; lua_pop(L, 1)) { // [name, value]
        size_t len = 0;
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &len) : "";
        if (!is_name(name, len)) {
            luaL_error(L, "sig.room_state: a name has letters, digits and _, at most %d, not '%s'",
                       NAME_MAX_BYTES, name);
        }
        if (strcmp(name, "version") == 0 || strcmp(name, "migrate") == 0) {
            continue;
        }
        if (to_container(L, -1) == NULL) {
            static const char *const own[] = {"version", "migrate"};
            bool data = lua_isnumber(L, -1) || lua_istable(L, -1);
            if (data) {
                lsig_args_unknown(L, "sig.room_state", name, own, COUNT(own));
            }
            luaL_error(L, "sig.room_state: %s is a %s%s", name, luaL_typename(L, -1),
                       hint_for(L, -1));
        }
        if (++count > LSIG_STATE_FIELDS_MAX) {
            luaL_error(L, "sig.room_state: more than %d containers", LSIG_STATE_FIELDS_MAX);
        }
        check_container(L, name);
    }
    return count;
}

static int64_t check_version(const struct lsig_args *args)
{
    double version = lsig_args_number(args, "version", 1);
    if (version < 1 || version > LSIG_STATE_VERSION_MAX || version != floor(version)) {
        luaL_error(args->L, "sig.room_state: version is a whole number from 1 to %d",
                   LSIG_STATE_VERSION_MAX);
    }
    return (int64_t)version;
}

// The step at the top of the stack, from version `from`.
static void check_step(lua_State *L, int from)
{
    static const char *const known[] = {"up", "down"};
    char what[64];
    snprintf(what, sizeof(what), "sig.room_state: migrate[%d]", from);
    if (!lua_istable(L, -1)) {
        luaL_error(L, "%s: write { up = function(old) … end, down = function(new) … end }", what);
    }
    struct lsig_args args = {L, lua_gettop(L), what};
    lsig_args_check_names(&args, known, COUNT(known));
    lua_getfield(L, -1, "up");
    lua_getfield(L, -2, "down");
    if (!lua_isfunction(L, -2)) {
        luaL_error(L, "%s: up is missing: up = function(old) … end gives the state of version %d",
                   what, from + 1);
    }
    if (!lua_isnil(L, -1) && !lua_isfunction(L, -1)) {
        luaL_error(L, "%s: down is a function, not a %s", what, luaL_typename(L, -1));
    }
    lua_pop(L, 2);
}

// How many steps the table `migrate` has, which is left on the stack (or nil). They end at
// `version`.
static size_t check_steps(lua_State *L, int64_t version)
{
    size_t count = 0;
    int64_t first = version;
    lua_getfield(L, 1, "migrate");
    if (!lua_isnil(L, -1)) {
        if (!lua_istable(L, -1)) {
            luaL_error(L, "sig.room_state: migrate is a table, not a %s", luaL_typename(L, -1));
        }
        for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) { // [migrate, from, step]
            double from = lua_type(L, -2) == LUA_TNUMBER ? lua_tonumber(L, -2) : 0;
            if (from < 1 || from != floor(from) || from >= (double)version) {
                luaL_error(L,
                           "sig.room_state: migrate has the versions before this one (%d) as "
                           "keys, as in migrate = { [1] = { up = … } }",
                           (int)version);
            }
            check_step(L, (int)from);
            first = (int64_t)from < first ? (int64_t)from : first;
            count++;
        }
    }
    if (count > LSIG_STATE_STEPS_MAX) {
        luaL_error(L, "sig.room_state: migrate has more than %d steps: drop the oldest",
                   LSIG_STATE_STEPS_MAX);
    }
    if ((int64_t)count != version - first || (count == 0 && version > 1)) {
        luaL_error(L,
                   "sig.room_state: version %d needs migrate[%d] and has to have each step after "
                   "its first: up = function(old) … end says how rooms get there",
                   (int)version, (int)version - 1);
    }
    return count;
}

static void build_container(lua_State *L, struct lsig_state_container *out)
{
    char problem[LSIG_STATE_PROBLEM_SIZE];
    const struct container_value *value = to_container(L, -1);
    size_t len;
    const char *name = lua_tolstring(L, -2, &len);
    out->name = lsig_strndup(name, len);
    out->kind = value->state_kind;
    out->max = value->max;
    lua_getfenv(L, -1);
    lua_rawgeti(L, -1, ENV_SCHEMA);
    if (!lua_isnil(L, -1)) {
        out->value = lsig_lib_schema_build(L, lua_gettop(L));
    }
    lua_rawgeti(L, -2, ENV_DEFAULT);
    if (!lua_isnil(L, -1)) {
        struct lsig_buf json;
        lsig_buf_init(&json, DEFAULT_MAX_BYTES);
        if (lsig_state_value_print(L, lua_gettop(L), NULL, &json, problem)) {
            out->initial = lsig_strndup(json.data, json.len);
        }
        lsig_buf_clear(&json);
    }
    lua_pop(L, 3);
}

static int by_name(const void *one, const void *other)
{
    return strcmp(((const struct lsig_state_container *)one)->name,
                  ((const struct lsig_state_container *)other)->name);
}

static void build_containers(lua_State *L, struct lsig_state_declaration *declaration, size_t count)
{
    declaration->containers = lsig_alloc((count + 1) * sizeof(*declaration->containers));
    for (lua_pushnil(L); lua_next(L, 1) != 0; lua_pop(L, 1)) {
        if (to_container(L, -1) != NULL) {
            build_container(L, &declaration->containers[declaration->container_count++]);
        }
    }
    qsort(declaration->containers, count, sizeof(*declaration->containers), by_name);
    declaration->shape = lsig_state_shape_new(count);
    for (size_t i = 0; i < count; i++) {
        const struct lsig_state_container *container = &declaration->containers[i];
        struct lsig_state_shape_field *field = &declaration->shape->fields[i];
        field->name = lsig_strndup(container->name, strlen(container->name));
        field->kind = container->kind;
    }
}

// `migrate` is on top of the stack. Taking references may raise (memory): what is built by then
// belongs to the policy.
static void build_steps(lua_State *L, struct lsig_state_declaration *declaration, size_t count)
{
    declaration->steps = lsig_alloc((count + 1) * sizeof(*declaration->steps));
    for (size_t i = 0; i < count; i++) {
        struct lsig_state_step *step = &declaration->steps[i];
        step->from = declaration->version - (int64_t)(count - i);
        lua_rawgeti(L, -1, (int)step->from);
        lua_getfield(L, -1, "up");
        step->up = luaL_ref(L, LUA_REGISTRYINDEX);
        lua_getfield(L, -1, "down");
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
        } else {
            step->down = luaL_ref(L, LUA_REGISTRYINDEX);
        }
        lua_pop(L, 1);
        declaration->step_count++;
    }
}

static struct lsig_state_declaration *
add_declaration(struct lsig_policy *policy, const char *name, const char *where)
{
    struct lsig_state_declaration *declaration = lsig_alloc(sizeof(*declaration));
    declaration->policy = lsig_strdup(name);
    declaration->where = lsig_strdup(where);
    size_t size = (policy->state_count + 1) * sizeof(struct lsig_state_declaration *);
    policy->states = lsig_realloc(policy->states, size);
    policy->states[policy->state_count++] = declaration;
    return declaration;
}

static int state_room_state(lua_State *L)
{
    struct lsig_policy *policy = lsig_policy_check_loading(L, "sig.room_state");
    char where[LSIG_POLICY_WHERE_SIZE];
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lsig_policy_print_where(L, where);
    const struct lsig_policy_file *file = lsig_policy_file_of_caller(L);
    const char *name = file != NULL ? file->policy : "policy";
    const struct lsig_state_declaration *other = lsig_state_declaration_find(policy, name);
    if (other != NULL) {
        return luaL_error(L, "sig.room_state: the policy \"%s\" has declared its state at %s", name,
                          other->where);
    }
    luaL_checkstack(L, 2 * LSIG_STATE_VALUE_STACK, "sig.room_state");
    struct lsig_args args = {L, 1, "sig.room_state"};
    size_t containers = check_containers(L);
    int64_t version = check_version(&args);
    size_t steps = check_steps(L, version); // [table, migrate]
    struct lsig_state_declaration *declaration = add_declaration(policy, name, where);
    declaration->version = version;
    build_containers(L, declaration, containers);
    if (steps > 0) {
        build_steps(L, declaration, steps);
    }
    return 0;
}

static const luaL_Reg declare_functions[] = {{"room_state", state_room_state},
                                             {"set", state_set},
                                             {"list", state_list},
                                             {"map", state_map},
                                             {"counter", state_counter},
                                             {"value", state_value},
                                             {NULL, NULL}};

void lsig_lib_state_declare_register(lua_State *L)
{
    luaL_newmetatable(L, METATABLE);
    lua_pushcfunction(L, container_index);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, container_index);
    lua_setfield(L, -2, "__newindex");
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    luaL_register(L, NULL, declare_functions);
}
