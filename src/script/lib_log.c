#include "script/lib_log.h"

#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/log.h"
#include "script/policy.h"
#include "script/sandbox.h"

enum { LOG_FIELDS_MAX = 8, LOG_TEXT_MAX = 1024 };

struct log_line {
    enum lsig_log_level level;
    struct lsig_span text;
    struct lsig_log_field fields[LOG_FIELDS_MAX + 4];
    size_t count;
};

static void write_log(lua_State *L, struct log_line *line)
{
    const struct lsig_policy *policy = lsig_policy_of(L);
    char where[LSIG_POLICY_WHERE_SIZE];
    lsig_policy_print_where(L, where);
    if (line->text.len > LOG_TEXT_MAX) {
        line->text.len = LOG_TEXT_MAX;
    }
    struct lsig_log_field first[] = {LSIG_LOG_SPAN("text", line->text), LSIG_LOG_TEXT("at", where),
                                     LSIG_LOG_NUMBER("version", policy->version)};
    memmove(line->fields + 3, line->fields, line->count * sizeof(line->fields[0]));
    memcpy(line->fields, first, sizeof(first));
    lsig_log_write(line->level, "policy-log", line->fields, line->count + 3);
}

static bool log_field_ok(const char *name, size_t len)
{
    static const char *const own[] = {"time", "level", "event", "text", "at", "version"};
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (strcmp(name, own[i]) == 0) {
            return false;
        }
    }
    return len > 0 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

static void read_log_fields(lua_State *L, int table, struct log_line *line)
{
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) { // [name, value]
        if (lua_type(L, -2) != LUA_TSTRING || line->count == LOG_FIELDS_MAX) {
            luaL_error(L, "sig.log: at most %d fields, written name = value", LOG_FIELDS_MAX);
        }
        const char *name = lua_tostring(L, -2);
        if (!log_field_ok(name, lua_objlen(L, -2))) {
            luaL_error(
                L,
                "sig.log: a field has small letters, digits and _, and is none of the log's own, "
                "not '%s'",
                name);
        }
        struct lsig_log_field *field = &line->fields[line->count++];
        *field = (struct lsig_log_field){.name = name};
        if (lua_type(L, -1) == LUA_TNUMBER) {
            field->number = (int64_t)lua_tonumber(L, -1);
        } else if (lua_type(L, -1) == LUA_TSTRING) {
            field->text.data = lua_tolstring(L, -1, &field->text.len);
        } else {
            field->text =
                lsig_span_of(lua_isboolean(L, -1) ? (lua_toboolean(L, -1) ? "true" : "false")
                                                  : luaL_typename(L, -1));
        }
    }
}

static int sig_log(lua_State *L)
{
    static const char *const levels[] = {"debug", "info", "warning", "error", NULL};
    struct log_line line = {.level = (enum lsig_log_level)luaL_checkoption(L, 1, NULL, levels)};
    line.text.data = luaL_checklstring(L, 2, &line.text.len);
    if (!lua_isnoneornil(L, 3)) {
        luaL_checktype(L, 3, LUA_TTABLE);
        read_log_fields(L, 3, &line);
    }
    write_log(L, &line);
    return 0;
}

// Does not call __tostring: that would nest calls in C.
static void add_printed(lua_State *L, luaL_Buffer *text, int index)
{
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
    case LUA_TNUMBER:
        lua_pushvalue(L, index);
        luaL_addvalue(text);
        break;
    case LUA_TBOOLEAN:
        luaL_addstring(text, lua_toboolean(L, index) ? "true" : "false");
        break;
    default:
        luaL_addstring(text, luaL_typename(L, index));
    }
}

static int global_print(lua_State *L)
{
    struct log_line line = {.level = LSIG_INFO};
    int count = lua_gettop(L);
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    for (int i = 1; i <= count; i++) {
        add_printed(L, &text, i);
        if (i < count) {
            luaL_addchar(&text, '\t');
        }
    }
    luaL_pushresult(&text);
    line.text.data = lua_tolstring(L, -1, &line.text.len);
    write_log(L, &line);
    return 0;
}

static const luaL_Reg sig_functions[] = {{"log", sig_log}, {NULL, NULL}};

void lsig_lib_log_register(lua_State *L)
{
    lua_pushcfunction(L, global_print);
    lsig_sandbox_set(L, "print");
    luaL_register(L, NULL, sig_functions);
}
