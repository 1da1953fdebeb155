#include "script/lib_string.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/span.h"
#include "script/pattern.h"
#include "script/sandbox.h"

enum {
    GSUBS_NESTED_MAX = 4,
    FRAMES_LOOKED_AT = 200,
    GSUB_ROOM = 64 // bytes that a result may be longer than its text before it is moved
};

// Calls Lua's own function (upvalue 1) with all arguments.
static int call_original(lua_State *L)
{
    int count = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, count, 1);
    return 1;
}

// upvalues: Lua's function, its name
static int bounded_map(lua_State *L)
{
    size_t len;
    luaL_checklstring(L, 1, &len);
    if (len > LSIG_SANDBOX_TEXT_MAX) {
        return luaL_error(L, "string.%s: the text has more than %d bytes",
                          lua_tostring(L, lua_upvalueindex(2)), LSIG_SANDBOX_TEXT_MAX);
    }
    lua_settop(L, 1);
    return call_original(L);
}

static int bounded_rep(lua_State *L)
{
    size_t len;
    luaL_checklstring(L, 1, &len);
    double times = luaL_checknumber(L, 2);
    size_t gap = 0;
    if (lua_gettop(L) > 2) {
        luaL_checklstring(L, 3, &gap);
    }
    if (times >= 1 && (double)(len + gap) * times > LSIG_SANDBOX_TEXT_MAX) {
        return luaL_error(L, "string.rep: the result would have more than %d bytes",
                          LSIG_SANDBOX_TEXT_MAX);
    }
    if (len + gap == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    return call_original(L);
}

static int bounded_format(lua_State *L)
{
    size_t sum = 0;
    int count = lua_gettop(L);
    for (int i = 1; i <= count; i++) {
        sum += lua_type(L, i) == LUA_TSTRING ? lua_objlen(L, i) : 0;
        if (lua_istable(L, i) && luaL_getmetafield(L, i, "__tostring")) {
            return luaL_error(L,
                              "string.format: give it tostring(value) for a table with __tostring");
        }
    }
    luaL_checkstring(L, 1);
    if (sum > LSIG_SANDBOX_TEXT_MAX) {
        return luaL_error(L, "string.format: more than %d bytes to print", LSIG_SANDBOX_TEXT_MAX);
    }
    return call_original(L);
}

// --- patterns

// The text (argument 1) and the pattern (argument 2).
static struct lsig_span check_text(lua_State *L, int index, const char *function)
{
    size_t len;
    const char *data = luaL_checklstring(L, index, &len);
    if (len > LSIG_SANDBOX_TEXT_MAX) {
        luaL_error(L, "%s: the %s has more than %d bytes", function,
                   index == 1 ? "text" : "pattern", LSIG_SANDBOX_TEXT_MAX);
    }
    return (struct lsig_span){data, len};
}

// Where a search begins: argument 3, from 1; negative counts from the end.
static size_t check_init(lua_State *L, size_t len)
{
    double init = trunc(luaL_optnumber(L, 3, 1));
    if (init < 0) {
        init += (double)len + 1;
    }
    if (!(init > 1)) {
        return 0;
    }
    return init - 1 < (double)len ? (size_t)(init - 1) : len;
}

// memmem is linear, unlike the search of Lua's own function.
static int find_plain(lua_State *L, struct lsig_span text, struct lsig_span wanted, size_t start)
{
    const char *found = memmem(text.data + start, text.len - start, wanted.data, wanted.len);
    if (found == NULL) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, found - text.data + 1);
    lua_pushinteger(L, found - text.data + (ptrdiff_t)wanted.len);
    return 2;
}

static int find_pattern(lua_State *L, struct lsig_pattern *pattern, size_t start, bool positions)
{
    for (const char *at = pattern->text + start; at <= pattern->text_end; at++) {
        const char *end = lsig_pattern_match(pattern, at);
        if (end != NULL) {
            if (!positions) {
                return lsig_pattern_push_captures(pattern, at, end, true);
            }
            lua_pushinteger(L, at - pattern->text + 1);
            lua_pushinteger(L, end - pattern->text);
            return 2 + lsig_pattern_push_captures(pattern, at, end, false);
        }
        if (pattern->anchored) {
            break;
        }
    }
    lua_pushnil(L);
    return 1;
}

static int string_find(lua_State *L)
{
    struct lsig_span text = check_text(L, 1, "string.find");
    struct lsig_span source = check_text(L, 2, "string.find");
    size_t start = check_init(L, text.len);
    if (lua_toboolean(L, 4) || !lsig_pattern_is_special(source)) {
        return find_plain(L, text, source, start);
    }
    struct lsig_pattern pattern;
    lsig_pattern_init(&pattern, L, "string.find", text, source, true);
    return find_pattern(L, &pattern, start, true);
}

static int string_match(lua_State *L)
{
    struct lsig_span text = check_text(L, 1, "string.match");
    struct lsig_span source = check_text(L, 2, "string.match");
    struct lsig_pattern pattern;
    lsig_pattern_init(&pattern, L, "string.match", text, source, true);
    return find_pattern(L, &pattern, check_init(L, text.len), false);
}

// upvalues: the text, the pattern, where to go on (from 0)
static int gmatch_next(lua_State *L)
{
    struct lsig_span text;
    struct lsig_span source;
    text.data = lua_tolstring(L, lua_upvalueindex(1), &text.len);
    source.data = lua_tolstring(L, lua_upvalueindex(2), &source.len);
    struct lsig_pattern pattern;
    lsig_pattern_init(&pattern, L, "string.gmatch", text, source, false);
    const char *at = text.data + lua_tointeger(L, lua_upvalueindex(3));
    for (; at <= pattern.text_end; at++) {
        const char *end = lsig_pattern_match(&pattern, at);
        if (end != NULL) {
            lua_pushinteger(L, end - text.data + (end == at)); // an empty match is found once
            lua_replace(L, lua_upvalueindex(3));
            return lsig_pattern_push_captures(&pattern, at, end, true);
        }
    }
    return 0;
}

static int string_gmatch(lua_State *L)
{
    check_text(L, 1, "string.gmatch");
    check_text(L, 2, "string.gmatch");
    lua_settop(L, 2);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, gmatch_next, 3);
    return 1;
}

// --- gsub

// The text that gsub builds. It grows as a userdata in a stack slot of its own, so that an error
// loses nothing.
struct gsub_text {
    lua_State *L;
    char *data;
    size_t len;
    size_t size;
};

enum { GSUB_TEXT = 1, GSUB_PATTERN, GSUB_VALUE, GSUB_MAX, GSUB_RESULT };

static void gsub_append(struct gsub_text *text, const char *data, size_t len)
{
    if (len > LSIG_SANDBOX_TEXT_MAX - text->len) {
        luaL_error(text->L, "string.gsub: the result would have more than %d bytes",
                   LSIG_SANDBOX_TEXT_MAX);
    }
    if (len > text->size - text->len) {
        size_t size = (text->len + len) * 2;
        char *grown = lua_newuserdata(text->L, size);
        memcpy(grown, text->data, text->len);
        lua_replace(text->L, GSUB_RESULT);
        text->data = grown;
        text->size = size;
    }
    memcpy(text->data + text->len, data, len);
    text->len += len;
}

// The value on top of the stack, which is popped.
static void gsub_append_value(struct gsub_text *text)
{
    size_t len;
    const char *data = lua_tolstring(text->L, -1, &len);
    gsub_append(text, data, len);
    lua_pop(text->L, 1);
}

// A text for replacement: %0 is the match, %1 to %9 what it captured, % and another byte that byte.
static void gsub_expand(struct gsub_text *text,
                        struct lsig_pattern *pattern,
                        const char *start,
                        const char *end)
{
    size_t len;
    const char *at = lua_tolstring(text->L, GSUB_VALUE, &len);
    const char *last = at + len;
    while (at < last) {
        const char *escape = memchr(at, '%', (size_t)(last - at));
        gsub_append(text, at, (size_t)((escape != NULL ? escape : last) - at));
        if (escape == NULL) {
            return;
        }
        // A % at the end stands for the zero byte behind the text, as in Lua.
        char name = escape[1];
        if (name == '0') {
            gsub_append(text, start, (size_t)(end - start));
        } else if (name >= '1' && name <= '9') {
            lsig_pattern_push_capture(pattern, name - '1', start, end);
            gsub_append_value(text);
        } else {
            gsub_append(text, &name, 1);
        }
        at = escape + 2;
    }
}

// A table or a function for replacement; false and nil keep the match.
static void
gsub_ask(struct gsub_text *text, struct lsig_pattern *pattern, const char *start, const char *end)
{
    lua_State *L = text->L;
    if (lua_istable(L, GSUB_VALUE)) {
        lsig_pattern_push_capture(pattern, 0, start, end);
        lua_gettable(L, GSUB_VALUE);
    } else {
        lua_pushvalue(L, GSUB_VALUE);
        lua_call(L, lsig_pattern_push_captures(pattern, start, end, true), 1);
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        gsub_append(text, start, (size_t)(end - start));
    } else if (lua_isstring(L, -1)) {
        gsub_append_value(text);
    } else {
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    }
}

// Appends the text with its matches replaced; returns how many.
static int gsub_run(struct gsub_text *text, struct lsig_pattern *pattern, double max)
{
    bool asks = lua_istable(text->L, GSUB_VALUE) || lua_isfunction(text->L, GSUB_VALUE);
    const char *at = pattern->text;
    const char *kept = at; // from here on nothing is appended yet
    int count = 0;
    while (count < max) {
        const char *end = lsig_pattern_match(pattern, at);
        if (end != NULL) {
            count++;
            gsub_append(text, kept, (size_t)(at - kept));
            if (asks) {
                gsub_ask(text, pattern, at, end);
            } else {
                gsub_expand(text, pattern, at, end);
            }
            kept = end;
        }
        if (end != NULL && end > at) {
            at = end;
        } else if (at < pattern->text_end) {
            at++;
        } else {
            break;
        }
        if (pattern->anchored) {
            break;
        }
    }
    gsub_append(text, kept, (size_t)(pattern->text_end - kept));
    return count;
}

static int string_gsub(lua_State *L)
{
    struct lsig_span source = check_text(L, GSUB_TEXT, "string.gsub");
    struct lsig_span wanted = check_text(L, GSUB_PATTERN, "string.gsub");
    int type = lua_type(L, GSUB_VALUE);
    luaL_argcheck(L,
                  type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TTABLE ||
                      type == LUA_TFUNCTION,
                  GSUB_VALUE, "string/function/table expected");
    double max = trunc(luaL_optnumber(L, GSUB_MAX, HUGE_VAL));
    if ((type == LUA_TTABLE || type == LUA_TFUNCTION) &&
        lsig_lib_string_replacing(L) > GSUBS_NESTED_MAX) {
        return luaL_error(L, "string.gsub: callbacks call gsub within callbacks more than %d deep",
                          GSUBS_NESTED_MAX);
    }
    lua_settop(L, GSUB_MAX);
    struct gsub_text text = {.L = L, .size = source.len + GSUB_ROOM};
    text.data = lua_newuserdata(L, text.size);
    struct lsig_pattern pattern;
    lsig_pattern_init(&pattern, L, "string.gsub", source, wanted, true);
    int count = gsub_run(&text, &pattern, max);
    lua_pushlstring(L, text.data, text.len);
    lua_pushinteger(L, count);
    return 2;
}

int lsig_lib_string_replacing(lua_State *L)
{
    lua_Debug frame;
    int count = 0;
    for (int i = 0; i < FRAMES_LOOKED_AT && lua_getstack(L, i, &frame) != 0; i++) {
        lua_getinfo(L, "f", &frame);
        count += lua_tocfunction(L, -1) == string_gsub;
        lua_pop(L, 1);
    }
    return count;
}

void lsig_lib_string_register(lua_State *L, int target)
{
    static const struct {
        const char *name;
        lua_CFunction function;
    } bounded[] = {{"lower", bounded_map},
                   {"upper", bounded_map},
                   {"reverse", bounded_map},
                   {"rep", bounded_rep},
                   {"format", bounded_format}};
    static const luaL_Reg patterns[] = {{"find", string_find},
                                        {"gmatch", string_gmatch},
                                        {"gsub", string_gsub},
                                        {"match", string_match}};
    for (size_t i = 0; i < sizeof(bounded) / sizeof(bounded[0]); i++) {
        lua_getfield(L, -1, bounded[i].name);
        lua_pushstring(L, bounded[i].name);
        lua_pushcclosure(L, bounded[i].function, 2);
        lua_setfield(L, target - 1, bounded[i].name);
    }
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        lua_pushcfunction(L, patterns[i].func);
        lua_setfield(L, target - 1, patterns[i].name);
    }
}
