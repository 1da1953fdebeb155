#include "script/lib_query_value.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "codec/nearest.h"
#include "script/sandbox.h"

#define METATABLE "lunasig.mongo.value"

enum { ID_DIGITS = 24 };

// The operators there are. Those that run code on the server are none of them.
static const struct {
    const char *name;  // op.NAME
    const char *mongo; // op("$NAME", …)
    enum lsig_query_value_type type;
} operators[] = {
    {"eq", "$eq", LSIG_VALUE_CONDITION},         {"ne", "$ne", LSIG_VALUE_CONDITION},
    {"gt", "$gt", LSIG_VALUE_CONDITION},         {"gte", "$gte", LSIG_VALUE_CONDITION},
    {"lt", "$lt", LSIG_VALUE_CONDITION},         {"lte", "$lte", LSIG_VALUE_CONDITION},
    {"one_of", "$in", LSIG_VALUE_CONDITION},     {"none_of", "$nin", LSIG_VALUE_CONDITION},
    {"exists", "$exists", LSIG_VALUE_CONDITION}, {"inc", "$inc", LSIG_VALUE_INC},
    {"unset", "$unset", LSIG_VALUE_UNSET},       {"prefix", "$prefix", LSIG_VALUE_CONDITION},
};

enum { OPERATORS = sizeof(operators) / sizeof(operators[0]) };

static struct lsig_query_value *push(lua_State *L, enum lsig_query_value_type type)
{
    struct lsig_query_value *value = lua_newuserdata(L, sizeof(*value));
    *value = (struct lsig_query_value){.kind = LSIG_USERDATA_MONGO_VALUE, .type = type};
    luaL_getmetatable(L, METATABLE);
    lua_setmetatable(L, -2);
    return value;
}

const struct lsig_query_value *lsig_lib_query_value_find(lua_State *L, int index)
{
    const struct lsig_query_value *value =
        lua_type(L, index) == LUA_TUSERDATA ? lua_touserdata(L, index) : NULL;
    return value != NULL && value->kind == LSIG_USERDATA_MONGO_VALUE ? value : NULL;
}

// sig.mongo.id(text)
static int mongo_id(lua_State *L)
{
    size_t len = 0;
    const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &len) : "";
    if (len != ID_DIGITS || strspn(text, "0123456789abcdefABCDEF") != ID_DIGITS) {
        return luaL_error(L, "sig.mongo.id: an ObjectId is a text of 24 hexadecimal digits");
    }
    memcpy(push(L, LSIG_VALUE_ID)->id, text, ID_DIGITS);
    return 1;
}

// sig.mongo.date(milliseconds)
static int mongo_date(lua_State *L)
{
    double ms = lua_type(L, 1) == LUA_TNUMBER ? lua_tonumber(L, 1) : NAN;
    if (!(fabs(ms) <= 8.64e15)) {
        return luaL_error(L, "sig.mongo.date: a date is a number of milliseconds since 1970: "
                             "sig.mongo.date(sig.now() * 1000)");
    }
    push(L, LSIG_VALUE_DATE)->number = floor(ms);
    return 1;
}

static size_t find_operator(const char *name)
{
    size_t i = 0;
    while (i < OPERATORS && strcmp(operators[i].name, name) != 0 &&
           strcmp(operators[i].mongo, name) != 0 && strcmp(operators[i].mongo + 1, name) != 0) {
        i++;
    }
    return i;
}

static int refuse_operator(lua_State *L, const char *name)
{
    static const char *const code[] = {"$where", "$function", "$accumulator", "$expr"};
    const char *names[OPERATORS];
    for (size_t i = 0; i < sizeof(code) / sizeof(code[0]); i++) {
        if (strcmp(name, code[i]) == 0 || strcmp(name, code[i] + 1) == 0) {
            return luaL_error(L, "op: %s makes the database run code: it is refused", name);
        }
    }
    for (size_t i = 0; i < OPERATORS; i++) {
        names[i] = name[0] == '$' ? operators[i].mongo : operators[i].name;
    }
    const char *nearest = lsig_nearest_find(name, names, OPERATORS);
    return luaL_error(L,
                      nearest != NULL ? "op: there is no operator '%s'; did you mean '%s'?"
                                      : "op: there is no operator '%s'",
                      name, nearest);
}

// Adds the condition to the table on top of the stack; its operand is at index. prefix is two: from
// the text itself to the text with the last character there is behind it.
static void set_condition(lua_State *L, size_t which, int index)
{
    if (strcmp(operators[which].name, "prefix") != 0) {
        lua_pushvalue(L, index);
        lua_setfield(L, -2, operators[which].mongo);
        return;
    }
    if (lua_type(L, index) != LUA_TSTRING) {
        luaL_error(L, "op.prefix: write the text that a text begins with");
    }
    lua_pushvalue(L, index);
    lua_setfield(L, -2, "$gte");
    lua_pushvalue(L, index);
    lua_pushliteral(L, "\xf4\x8f\xbf\xbf");
    lua_concat(L, 2);
    lua_setfield(L, -2, "$lt");
}

// Leaves the value of the operator; its operand is at index.
static int push_operation(lua_State *L, size_t which, int index)
{
    struct lsig_query_value *value = push(L, operators[which].type);
    if (operators[which].type == LSIG_VALUE_INC) {
        value->number = lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : NAN;
        if (!isfinite(value->number)) {
            return luaL_error(L, "op.inc: write the number that is added");
        }
    } else if (operators[which].type == LSIG_VALUE_CONDITION) {
        if (lua_isnoneornil(L, index)) {
            return luaL_error(L, "op.%s: write what it compares with; sig.null is null",
                              operators[which].name);
        }
        lua_createtable(L, 0, 1);
        set_condition(L, which, index);
        lua_setfenv(L, -2);
    }
    return 1;
}

// upvalue: which
static int op_named(lua_State *L)
{
    lua_settop(L, 1);
    return push_operation(L, (size_t)lua_tointeger(L, lua_upvalueindex(1)), 1);
}

// Several conditions, which all have to hold: op { gte = 1, lt = 5 }. The table is at index 2.
static int push_conditions(lua_State *L)
{
    push(L, LSIG_VALUE_CONDITION); // [op, table, nil, value]
    lua_newtable(L);
    int count = 0;
    for (lua_pushnil(L); lua_next(L, 2) != 0; lua_pop(L, 1)) { // [value, conditions, name, operand]
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        size_t which = find_operator(name);
        if (which == OPERATORS) {
            return refuse_operator(L, name);
        }
        if (operators[which].type != LSIG_VALUE_CONDITION) {
            return luaL_error(L, "op: %s is of updates, and stands alone", name);
        }
        lua_pushvalue(L, -3); // [value, conditions, name, operand, conditions]
        set_condition(L, which, lua_gettop(L) - 1);
        lua_pop(L, 1);
        count++;
    }
    if (count == 0) {
        return luaL_error(L, "op: write its conditions, like op { gte = 1, lt = 5 }");
    }
    lua_setfenv(L, -2);
    return 1;
}

// op("$gt", 5), op { gte = 1, lt = 5 }; index 1 is op itself
static int op_call(lua_State *L)
{
    lua_settop(L, 3);
    if (lua_istable(L, 2)) {
        return push_conditions(L);
    }
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    size_t which = find_operator(name);
    return which == OPERATORS ? refuse_operator(L, name) : push_operation(L, which, 3);
}

// upvalue: the functions
static int op_index(lua_State *L)
{
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    if (lua_isnil(L, -1)) {
        return refuse_operator(L, lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?");
    }
    return 1;
}

static int op_refuse(lua_State *L)
{
    return luaL_error(L, "op: it is read-only");
}

static void add_op(lua_State *L)
{
    lua_newtable(L); // op
    lua_createtable(L, 0, 4);
    lua_createtable(L, 0, OPERATORS);
    for (size_t i = 0; i < OPERATORS; i++) {
        lua_pushinteger(L, (lua_Integer)i);
        lua_pushcclosure(L, op_named, 1);
        lua_setfield(L, -2, operators[i].name);
    }
    lua_pushcclosure(L, op_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, op_call);
    lua_setfield(L, -2, "__call");
    lua_pushcfunction(L, op_refuse);
    lua_setfield(L, -2, "__newindex");
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "op");
}

void lsig_lib_query_value_register_op(lua_State *L)
{
    add_op(L);
}

void lsig_lib_query_value_register(lua_State *L)
{
    luaL_newmetatable(L, METATABLE);
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    lua_pushcfunction(L, mongo_id);
    lua_setfield(L, -2, "id");
    lua_pushcfunction(L, mongo_date);
    lua_setfield(L, -2, "date");
    add_op(L);
}
