#include "script/json_table.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <lauxlib.h>
#include <lua.h>

#include "codec/json.h"
#include "script/budget.h"
#include "script/vm.h"

enum { STACK_PER_LEVEL = 6 };

#define MIXED_KEYS "a table has neither the keys 1 to n nor only texts as keys"

static const char arrays_key; // its address is where the registry has the arrays that were marked

// --- arrays that may be empty

void lsig_json_table_mark_array(lua_State *L)
{
    int array = lua_gettop(L);
    lua_pushlightuserdata(L, (void *)(uintptr_t)&arrays_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (lua_isnil(L, -1)) {
        lua_settop(L, array);
        lua_newtable(L);
        lua_createtable(L, 0, 1);
        lua_pushliteral(L, "k");
        lua_setfield(L, -2, "__mode");
        lua_setmetatable(L, -2);
        lua_pushlightuserdata(L, (void *)(uintptr_t)&arrays_key);
        lua_pushvalue(L, -2);
        lua_rawset(L, LUA_REGISTRYINDEX);
    }
    lua_pushvalue(L, array);
    lua_pushboolean(L, 1);
    lua_rawset(L, -3);
    lua_settop(L, array);
}

static bool is_marked(lua_State *L, int index)
{
    bool marked = false;
    lua_pushlightuserdata(L, (void *)(uintptr_t)&arrays_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (lua_istable(L, -1)) {
        lua_pushvalue(L, index);
        lua_rawget(L, -2);
        marked = lua_toboolean(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return marked;
}

// --- to Lua

static void push_object(lua_State *L, const json_t *object)
{
    const char *name;
    json_t *member;
    lua_createtable(L, 0, (int)json_object_size(object));
    json_object_foreach((json_t *)(uintptr_t)object, name, member)
    {
        if (!json_is_null(member)) {
            lua_pushlstring(L, name, strlen(name));
            lsig_json_table_push(L, member);
            lua_rawset(L, -3);
        }
    }
}

static void push_array(lua_State *L, const json_t *array)
{
    size_t count = json_array_size(array);
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        const json_t *element = json_array_get(array, i);
        if (json_is_null(element)) {
            lua_pushlightuserdata(L, NULL);
        } else {
            lsig_json_table_push(L, element);
        }
        lua_rawseti(L, -2, (int)i + 1);
    }
    if (count == 0) {
        lsig_json_table_mark_array(L);
    }
}

void lsig_json_table_push(lua_State *L, const json_t *value)
{
    luaL_checkstack(L, STACK_PER_LEVEL, "JSON");
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        push_object(L, value);
        break;
    case JSON_ARRAY:
        push_array(L, value);
        break;
    case JSON_STRING:
        lua_pushlstring(L, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        lua_pushnumber(L, json_number_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        lua_pushboolean(L, json_is_true(value));
        break;
    case JSON_NULL:
        lua_pushnil(L);
        break;
    }
}

// --- from Lua

// What is being printed, so that the recursion has few arguments.
struct printer {
    lua_State *L;
    struct lsig_buf *buf;
    const struct lsig_json_table_rules *rules;
    int depth;
};

static const char *print_value(struct printer *printer, const char *name, int index);

static const char *print_number(struct lsig_buf *buf, const char *name, double number)
{
    if (!isfinite(number)) {
        return "a number is infinite or not a number";
    }
    char text[32];
    if (fabs(number) < 9007199254740992.0 && number == floor(number)) {
        snprintf(text, sizeof(text), "%.0f", number == 0 ? 0.0 : number);
    } else {
        snprintf(text, sizeof(text), "%.15g", number);
        if (strtod(text, NULL) != number) {
            snprintf(text, sizeof(text), "%.17g", number);
        }
    }
    lsig_json_raw(buf, name, lsig_span_of(text));
    return NULL;
}

static const char *print_array(struct printer *printer, const char *name, int index, int count)
{
    const char *problem = NULL;
    lsig_json_open(printer->buf, name, '[');
    for (int i = 1; i <= count && problem == NULL; i++) {
        lua_rawgeti(printer->L, index, i);
        problem = print_value(printer, NULL, lua_gettop(printer->L));
        lua_pop(printer->L, 1);
    }
    lsig_json_close(printer->buf, ']');
    return problem;
}

static const char *print_object(struct printer *printer, const char *name, int index)
{
    lua_State *L = printer->L;
    lsig_json_open(printer->buf, name, '{');
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) { // [key, value]
        const char *problem = NULL;
        if (lua_type(L, -2) != LUA_TSTRING) {
            problem = MIXED_KEYS;
        } else if (printer->rules->check_name != NULL) {
            struct lsig_span key;
            key.data = lua_tolstring(L, -2, &key.len);
            problem = printer->rules->check_name(key);
        }
        if (problem == NULL) {
            problem = print_value(printer, lua_tostring(L, -2), lua_gettop(L));
        }
        if (problem == NULL && printer->buf->overflowed) {
            problem = "it is too big";
        }
        if (problem != NULL) {
            lua_pop(L, 2);
            return problem;
        }
    }
    lsig_json_close(printer->buf, '}');
    return NULL;
}

// How many members the table has, at most one more than `enough`.
static int count_members(lua_State *L, int index, int enough)
{
    int members = 0;
    lua_pushnil(L);
    while (members <= enough && lua_next(L, index) != 0) {
        lua_pop(L, 1);
        members++;
    }
    if (members > enough) {
        lua_pop(L, 1);
    }
    return members;
}

static const char *print_table(struct printer *printer, const char *name, int index)
{
    int count = (int)lua_objlen(printer->L, index);
    if (printer->depth >= LSIG_JSON_TABLE_DEPTH_MAX) {
        return "it is nested too deeply, or holds itself";
    }
    // A table can be long to walk without printing much: one that was emptied, many times over.
    const struct lsig_budget *budget = lsig_vm_of(printer->L)->budget;
    if (budget != NULL && budget->exceeded) {
        return "the processor time is used up";
    }
    if (count > 0 && count_members(printer->L, index, count) != count) {
        return MIXED_KEYS;
    }
    if (count == 0) {
        lua_pushnil(printer->L);
        if (lua_next(printer->L, index) != 0) {
            lua_pop(printer->L, 2);
        } else if (is_marked(printer->L, index)) {
            lsig_json_raw(printer->buf, name, lsig_span_of("[]"));
            return NULL;
        }
    }
    printer->depth++;
    const char *problem =
        count > 0 ? print_array(printer, name, index, count) : print_object(printer, name, index);
    printer->depth--;
    return problem;
}

static const char *print_value(struct printer *printer, const char *name, int index)
{
    lua_State *L = printer->L;
    if (printer->buf->overflowed) {
        return "it is too big";
    }
    switch (lua_type(L, index)) {
    case LUA_TNIL:
    case LUA_TLIGHTUSERDATA:
        lsig_json_null(printer->buf, name);
        return NULL;
    case LUA_TBOOLEAN:
        lsig_json_boolean(printer->buf, name, lua_toboolean(L, index));
        return NULL;
    case LUA_TNUMBER:
        return print_number(printer->buf, name, lua_tonumber(L, index));
    case LUA_TSTRING: {
        struct lsig_span text;
        text.data = lua_tolstring(L, index, &text.len);
        lsig_json_text(printer->buf, name, text);
        return NULL;
    }
    case LUA_TTABLE:
        return print_table(printer, name, index);
    case LUA_TUSERDATA:
        if (printer->rules->print_userdata != NULL) {
            return printer->rules->print_userdata(L, index, name, printer->buf);
        }
        break;
    default:
        break;
    }
    return "a value is neither text, number, boolean nor table";
}

const char *lsig_json_table_print_by(lua_State *L,
                                     int index,
                                     struct lsig_buf *buf,
                                     const char *name,
                                     const struct lsig_json_table_rules *rules)
{
    struct printer printer = {.L = L, .buf = buf, .rules = rules};
    if (index < 0) {
        index += lua_gettop(L) + 1;
    }
    const char *problem = print_value(&printer, name, index);
    return problem == NULL && buf->overflowed ? "it is too big" : problem;
}

const char *lsig_json_table_print(lua_State *L, int index, struct lsig_buf *buf)
{
    static const struct lsig_json_table_rules none = {NULL, NULL};
    return lsig_json_table_print_by(L, index, buf, NULL, &none);
}
