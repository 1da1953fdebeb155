#include "script/lib_schema.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "codec/schema.h"
#include "script/args.h"
#include "script/handle.h"

#define METATABLE "lunasig.schema"

// What hangs below a value stands in its environment table: a text's choices at 1 to n, an object's
// fields under their names, an array's element at 1.
struct schema_value {
    enum lsig_userdata_kind kind; // first, as in all userdata
    unsigned types;
    unsigned compat_types; // pass for compat clients besides types
    bool integer;
    enum lsig_schema_format format;
    bool optional;
    bool null; // null passes too
    bool extra;
    double min;
    double max;
    int nodes; // with all below
    int depth; // 1 for a leaf
};

static const struct {
    const char *name;
    unsigned types;
    unsigned compat_types;
    bool integer;
    enum lsig_schema_format format;
} kinds[] = {
    {"string", LSIG_JSON_STRING, 0, false, LSIG_FORMAT_NONE},
    {"number", LSIG_JSON_NUMBER, 0, false, LSIG_FORMAT_NONE},
    {"integer", LSIG_JSON_NUMBER, 0, true, LSIG_FORMAT_NONE},
    {"boolean", LSIG_JSON_BOOLEAN, 0, false, LSIG_FORMAT_NONE},
    {"object", LSIG_JSON_OBJECT, 0, false, LSIG_FORMAT_NONE},
    {"array", LSIG_JSON_ARRAY, 0, false, LSIG_FORMAT_NONE},
    {"any",
     LSIG_JSON_NULL | LSIG_JSON_BOOLEAN | LSIG_JSON_NUMBER | LSIG_JSON_STRING | LSIG_JSON_OBJECT |
         LSIG_JSON_ARRAY,
     0, false, LSIG_FORMAT_NONE},
    // Clients of the original service send whatever RTCSessionDescription and RTCIceCandidate give
    // them.
    {"sdp", LSIG_JSON_STRING, LSIG_JSON_OBJECT | LSIG_JSON_NULL, false, LSIG_FORMAT_SDP},
    {"candidate", LSIG_JSON_STRING | LSIG_JSON_OBJECT | LSIG_JSON_NULL, 0, false,
     LSIG_FORMAT_CANDIDATE},
};

static struct schema_value *to_schema(lua_State *L, int index)
{
    struct schema_value *value =
        lua_type(L, index) == LUA_TUSERDATA ? lua_touserdata(L, index) : NULL;
    return value != NULL && value->kind == LSIG_USERDATA_SCHEMA ? value : NULL;
}

// Leaves a new value on the stack; its environment is the table on top before (popped).
static struct schema_value *push_value(lua_State *L)
{
    struct schema_value *value = lua_newuserdata(L, sizeof(*value));
    *value = (struct schema_value){
        .kind = LSIG_USERDATA_SCHEMA, .min = -INFINITY, .max = INFINITY, .nodes = 1, .depth = 1};
    lua_insert(L, -2);
    lua_setfenv(L, -2);
    luaL_getmetatable(L, METATABLE);
    lua_setmetatable(L, -2);
    return value;
}

static unsigned json_type_of(lua_State *L, const char *what, struct lsig_span name)
{
    static const char *const names[] = {"null", "boolean", "number", "string", "object", "array"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (lsig_span_is(name, names[i])) {
            return 1u << i;
        }
    }
    return (unsigned)lsig_args_unknown(L, what, name.data, names, sizeof(names) / sizeof(names[0]));
}

static void read_choices(struct schema_value *value, const struct lsig_args *args)
{
    lua_State *L = args->L;
    int count = lsig_args_push_texts(args, "one_of");
    if (count < 0) {
        return;
    }
    if (value->types != LSIG_JSON_STRING || value->format != LSIG_FORMAT_NONE ||
        count > LSIG_SCHEMA_CHOICES_MAX) {
        luaL_error(L, "%s: one_of is for sig.string, with at most %d texts", args->what,
                   LSIG_SCHEMA_CHOICES_MAX);
    }
    lua_newtable(L); // a copy that the policy cannot change
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, -2, i);
        lua_rawseti(L, -2, i);
    }
    lua_remove(L, -2);
    lua_setfenv(L, -2); // the value is below
}

// A number as policies write it.
static const char *print_number(char text[32], double number)
{
    snprintf(text, 32, "%.15g", number);
    return text;
}

// What can never be: nothing lies between min and max.
static void check_range(const struct schema_value *value, const struct lsig_args *args)
{
    char low[32];
    char high[32];
    lua_State *L = args->L;
    print_number(low, value->min);
    print_number(high, value->max);
    if (value->min > value->max) {
        luaL_error(L, "%s: min = %s is above max = %s: nothing would pass", args->what, low, high);
    }
    if (value->min == INFINITY || value->max == -INFINITY) {
        luaL_error(L, "%s: min = %s, max = %s: nothing would pass", args->what, low, high);
    }
    if (value->integer && ceil(value->min) > floor(value->max)) {
        luaL_error(L, "%s: no whole number lies between min = %s and max = %s", args->what, low,
                   high);
    }
    if (value->types != LSIG_JSON_STRING && value->types != LSIG_JSON_ARRAY) {
        return;
    }
    const char *unit = value->types == LSIG_JSON_STRING ? "characters" : "elements";
    const double bounds[] = {value->min, value->max};
    for (int i = 0; i < 2; i++) {
        if (isfinite(bounds[i]) && (bounds[i] < 0 || bounds[i] != floor(bounds[i]))) {
            luaL_error(L, "%s: %s = %s: it counts %s, so it is a whole number from 0", args->what,
                       i == 0 ? "min" : "max", i == 0 ? low : high, unit);
        }
    }
    if (value->types == LSIG_JSON_ARRAY && value->min > LSIG_SCAN_VALUES_MAX) {
        luaL_error(L, "%s: min = %s: no message has more than %d elements", args->what, low,
                   LSIG_SCAN_VALUES_MAX);
    }
}

static double count_characters(struct lsig_span text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80 ? 1 : 0;
    }
    return (double)count;
}

// Choices that min and max never let pass, and those that are there twice. The value is on top of
// the stack.
static void check_choices(const struct schema_value *value, const struct lsig_args *args)
{
    lua_State *L = args->L;
    if (value->types != LSIG_JSON_STRING) {
        return;
    }
    lua_getfenv(L, -1);
    size_t count = lua_objlen(L, -1);
    for (size_t i = 1; i <= count; i++) {
        char bound[32];
        struct lsig_span choice = lsig_args_text_of(L, (int)i);
        double length = count_characters(choice);
        if (length < value->min || length > value->max) {
            bool low = length < value->min;
            luaL_error(L, "%s: one_of has \"%s\", which %s = %s never lets pass", args->what,
                       choice.data, low ? "min" : "max",
                       print_number(bound, low ? value->min : value->max));
        }
        for (size_t k = 1; k < i; k++) {
            if (lsig_span_equal(choice, lsig_args_text_of(L, (int)k))) {
                luaL_error(L, "%s: one_of has \"%s\" twice", args->what, choice.data);
            }
        }
    }
    lua_pop(L, 1);
}

// Options of the table at args->table for the value on top of the stack.
static void read_options(struct schema_value *value, const struct lsig_args *args)
{
    static const char *const known[] = {"optional", "null",   "compat", "min",
                                        "max",      "one_of", "extra"};
    lua_State *L = args->L;
    lsig_args_check_names(args, known, sizeof(known) / sizeof(known[0]));
    value->optional = lsig_args_boolean(args, "optional", value->optional);
    bool null_before = value->null || (value->types & LSIG_JSON_NULL) != 0;
    value->null = lsig_args_boolean(args, "null", value->null);
    lua_pushliteral(L, "null");
    lua_rawget(L, args->table);
    if (null_before && lua_toboolean(L, -1)) {
        luaL_error(L, "%s: null = true twice: null passes here without it", args->what);
    }
    lua_pop(L, 1);
    value->extra = lsig_args_boolean(args, "extra", value->extra);
    value->min = lsig_args_number(args, "min", value->min);
    value->max = lsig_args_number(args, "max", value->max);
    bool bounded = isfinite(value->min) || isfinite(value->max);
    bool counts = value->types == LSIG_JSON_STRING || value->types == LSIG_JSON_NUMBER ||
                  value->types == LSIG_JSON_ARRAY;
    if (bounded && !counts) {
        luaL_error(
            L,
            "%s: min and max are for strings (characters), numbers (value) and arrays (elements)",
            args->what);
    }
    check_range(value, args);
    if (value->extra && value->types != LSIG_JSON_OBJECT) {
        luaL_error(L, "%s: extra is for sig.object", args->what);
    }
    read_choices(value, args);
    check_choices(value, args);
    int count = lsig_args_push_texts(args, "compat");
    for (int i = 1; i <= count; i++) {
        value->compat_types |= json_type_of(L, args->what, lsig_args_text_of(L, i));
    }
    if (count >= 0) {
        lua_pop(L, 1);
    }
}

static void add_below(lua_State *L, struct schema_value *value, const struct schema_value *below)
{
    value->nodes += below->nodes;
    if (value->depth < below->depth + 1) {
        value->depth = below->depth + 1;
    }
    if (value->nodes > LSIG_SCHEMA_NODES_MAX || value->depth > LSIG_SCHEMA_NESTING_MAX) {
        luaL_error(L, "a schema has at most %d parts and %d levels", LSIG_SCHEMA_NODES_MAX,
                   LSIG_SCHEMA_NESTING_MAX);
    }
}

// The fields of the table at index `table` become those of the value on top of the stack.
static void read_fields(lua_State *L, struct schema_value *value, int table)
{
    size_t count = 0;
    lua_newtable(L);                                               // [value, fields]
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) { // [value, fields, name, field]
        const struct schema_value *field = to_schema(L, -1);
        if (lua_type(L, -2) != LUA_TSTRING || field == NULL) {
            luaL_error(
                L, "sig.object: write its fields as name = sig.string and so on ('%s' is a %s)",
                lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?", luaL_typename(L, -1));
            return;
        }
        if (++count > LSIG_SCHEMA_FIELDS_MAX) {
            luaL_error(L, "sig.object: more than %d fields", LSIG_SCHEMA_FIELDS_MAX);
        }
        add_below(L, value, field);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, -5);
    }
    lua_setfenv(L, -2);
}

static void read_element(lua_State *L, struct schema_value *value, int element)
{
    const struct schema_value *below = to_schema(L, element);
    if (below == NULL) {
        luaL_error(L,
                   "sig.array: its element is a schema, e.g. sig.array(sig.string, { max = 10 })");
        return;
    }
    if (below->optional) {
        luaL_error(L, "sig.array: its element says optional = true, which is for fields of a "
                      "sig.object: an array has an element or does not");
    }
    add_below(L, value, below);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, element);
    lua_rawseti(L, -2, 1);
    lua_setfenv(L, -2);
}

// sig.string { … }, sig.object({ … }, { … }), sig.array(element, { … }): a copy of the called value
// with more said about it.
static int schema_call(lua_State *L)
{
    const struct schema_value *base = to_schema(L, 1);
    luaL_argcheck(L, base != NULL, 1, "a schema was expected");
    lua_settop(L, 3);
    lua_getfenv(L, 1);
    struct schema_value *value = push_value(L);
    *value = *base;
    int options = 2;
    if (base->types == LSIG_JSON_OBJECT || base->types == LSIG_JSON_ARRAY) {
        options = 3;
        if (!lua_isnil(L, 2)) {
            value->nodes = 1;
            value->depth = 1;
        }
        if (base->types == LSIG_JSON_ARRAY && !lua_isnil(L, 2)) {
            read_element(L, value, 2);
        } else if (!lua_isnil(L, 2)) {
            luaL_checktype(L, 2, LUA_TTABLE);
            read_fields(L, value, 2);
        }
    }
    if (!lua_isnil(L, options)) {
        luaL_checktype(L, options, LUA_TTABLE);
        struct lsig_args args = {L, options, "schema"};
        read_options(value, &args);
    }
    return 1;
}

static int schema_index(lua_State *L)
{
    return luaL_error(L, "a schema has no fields to read");
}

static struct lsig_schema *build(lua_State *L, int index, const struct schema_value *value);

// Builds what hangs below the value; its environment is on top of the stack.
static void build_below(lua_State *L, const struct schema_value *value, struct lsig_schema *schema)
{
    if (value->types == LSIG_JSON_ARRAY) {
        lua_rawgeti(L, -1, 1);
        const struct schema_value *below = to_schema(L, -1);
        schema->item = below != NULL ? build(L, lua_gettop(L), below) : NULL;
        lua_pop(L, 1);
        return;
    }
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) { // [fields, name, field]
        struct lsig_span name;
        bool added;
        if (value->types == LSIG_JSON_OBJECT) {
            name.data = lua_tolstring(L, -2, &name.len);
            added = lsig_schema_add_field(schema, name, build(L, lua_gettop(L), to_schema(L, -1)));
        } else {
            name.data = lua_tolstring(L, -1, &name.len);
            added = lsig_schema_add_choice(schema, name);
        }
        if (!added) {
            abort(); // counted when the value was made
        }
    }
}

// Does not raise: the stack was made large enough, and no Lua memory is taken.
static struct lsig_schema *build(lua_State *L, int index, const struct schema_value *value)
{
    struct lsig_schema *schema =
        lsig_schema_new(value->types | (value->null ? (unsigned)LSIG_JSON_NULL : 0));
    schema->lenient_types = schema->types | value->compat_types;
    schema->integer = value->integer;
    schema->format = value->format;
    schema->optional = value->optional;
    schema->extra = value->extra;
    schema->min = value->min;
    schema->max = value->max;
    lua_getfenv(L, index);
    bool fields = value->types == LSIG_JSON_OBJECT && value->nodes > 1;
    if (fields || value->types == LSIG_JSON_ARRAY || value->types == LSIG_JSON_STRING) {
        build_below(L, value, schema);
    } else if (value->types == LSIG_JSON_OBJECT) {
        schema->extra = true; // sig.object alone: any object
    }
    lua_pop(L, 1);
    return schema;
}

struct lsig_schema *lsig_lib_schema_build(lua_State *L, int index)
{
    const struct schema_value *value = to_schema(L, index);
    if (value == NULL) {
        luaL_error(L, "payload is a schema, e.g. sig.object { text = sig.string }");
        return NULL;
    }
    luaL_checkstack(L, LSIG_SCHEMA_NESTING_MAX * 4 + 8, "schema");
    return build(L, index, value);
}

void lsig_lib_schema_check_whole(lua_State *L, int index, const char *what)
{
    const struct schema_value *value = to_schema(L, index);
    if (value != NULL && value->optional) {
        luaL_error(L, "%s says optional = true, which is for fields of a sig.object", what);
    }
}

void lsig_lib_schema_register(lua_State *L)
{
    luaL_newmetatable(L, METATABLE);
    lua_pushcfunction(L, schema_call);
    lua_setfield(L, -2, "__call");
    lua_pushcfunction(L, schema_index);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, schema_index);
    lua_setfield(L, -2, "__newindex");
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        lua_newtable(L);
        struct schema_value *value = push_value(L);
        value->types = kinds[i].types;
        value->compat_types = kinds[i].compat_types;
        value->integer = kinds[i].integer;
        value->format = kinds[i].format;
        lua_setfield(L, -2, kinds[i].name);
    }
}
