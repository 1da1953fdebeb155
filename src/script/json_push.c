#include "script/json_push.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "codec/number.h"
#include "codec/scan.h"
#include "script/json_table.h"

enum { STACK_PER_LEVEL = 6, SCRATCH_SIZE = 256, FIELDS_EXPECTED = 4, DIGITS_EXACT = 15 };

static const char *push_value(lua_State *L, const char *at, const char *end);

static const char *skip_white(const char *at)
{
    while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t') {
        at++;
    }
    return at;
}

static void push_escaped(lua_State *L, struct lsig_span inside)
{
    char scratch[SCRATCH_SIZE];
    size_t len = 0;
    if (inside.len <= sizeof(scratch)) {
        (void)lsig_scan_unescape(inside, scratch, sizeof(scratch), &len);
        lua_pushlstring(L, scratch, len);
        return;
    }
    char *out = lua_newuserdata(L, inside.len); // it never grows by unescaping
    (void)lsig_scan_unescape(inside, out, inside.len, &len);
    lua_pushlstring(L, out, len);
    lua_remove(L, -2);
}

// `at` stands on the opening quote; returns what follows the closing one.
static const char *push_string(lua_State *L, const char *at, const char *end)
{
    const char *from = at + 1;
    at = memchr(from, '"', (size_t)(end - from)); // it was accepted before, so there is one
    if (memchr(from, '\\', (size_t)(at - from)) == NULL) {
        lua_pushlstring(L, from, (size_t)(at - from));
        return at + 1;
    }
    at = from;
    while (*at != '"') {
        at += *at == '\\' ? 2 : 1;
    }
    push_escaped(L, (struct lsig_span){from, (size_t)(at - from)});
    return at + 1;
}

static const char *push_object(lua_State *L, const char *at, const char *end)
{
    luaL_checkstack(L, STACK_PER_LEVEL, "JSON");
    lua_createtable(L, 0, FIELDS_EXPECTED);
    at = skip_white(at + 1);
    while (*at != '}') {
        at = skip_white(push_string(L, at, end)); // [object, name]
        at = skip_white(at + 1);                  // behind the colon
        if (*at == 'n') {
            lua_pushnil(L);
            at += 4;
        } else {
            at = push_value(L, at, end);
        }
        lua_rawset(L, -3);
        at = skip_white(at);
        at = *at == ',' ? skip_white(at + 1) : at;
    }
    return at + 1;
}

static const char *push_array(lua_State *L, const char *at, const char *end)
{
    int count = 0;
    luaL_checkstack(L, STACK_PER_LEVEL, "JSON");
    lua_newtable(L);
    at = skip_white(at + 1);
    while (*at != ']') {
        if (*at == 'n') {
            lua_pushlightuserdata(L, NULL);
            at += 4;
        } else {
            at = push_value(L, at, end);
        }
        lua_rawseti(L, -2, ++count);
        at = skip_white(at);
        at = *at == ',' ? skip_white(at + 1) : at;
    }
    if (count == 0) {
        lsig_json_table_mark_array(L);
    }
    return at + 1;
}

// Whole numbers of few digits, which are most of them, need no strtod; false: it is another one.
static bool push_short_number(lua_State *L, const char **at, const char *end)
{
    const char *digit = *at;
    bool negative = *digit == '-';
    digit += negative;
    const char *first = digit;
    int64_t value = 0;
    while (digit < end && digit - first <= DIGITS_EXACT && *digit >= '0' && *digit <= '9') {
        value = value * 10 + (*digit - '0');
        digit++;
    }
    bool goes_on = digit < end && (*digit == '.' || *digit == 'e' || *digit == 'E');
    if (goes_on || digit - first > DIGITS_EXACT) {
        return false;
    }
    lua_pushnumber(L, negative ? -(double)value : (double)value); // -0 stays -0
    *at = digit;
    return true;
}

static const char *push_number(lua_State *L, const char *at, const char *end)
{
    if (push_short_number(L, &at, end)) {
        return at;
    }
    struct lsig_span number;
    (void)lsig_number_scan(at, end, &number); // it was accepted before
    lua_pushnumber(L, lsig_number_real(number));
    return at + number.len;
}

static const char *push_value(lua_State *L, const char *at, const char *end)
{
    switch (*at) {
    case '{':
        return push_object(L, at, end);
    case '[':
        return push_array(L, at, end);
    case '"':
        return push_string(L, at, end);
    case 't':
        lua_pushboolean(L, 1);
        return at + 4;
    case 'f':
        lua_pushboolean(L, 0);
        return at + 5;
    case 'n':
        lua_pushnil(L);
        return at + 4;
    default:
        return push_number(L, at, end);
    }
}

void lsig_json_push(lua_State *L, struct lsig_span value)
{
    if (value.len == 0) {
        lua_pushnil(L);
        return;
    }
    luaL_checkstack(L, STACK_PER_LEVEL, "JSON");
    push_value(L, skip_white(value.data), value.data + value.len);
}
