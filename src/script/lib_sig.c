#include "script/lib_sig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "script/args.h"
#include "script/hook.h"
#include "script/json_table.h"
#include "script/lib_schema.h"
#include "script/lib_table.h"
#include "script/lib_type.h"
#include "script/loader.h"
#include "script/policy.h"
#include "script/sandbox.h"

enum { LOG_FIELDS_MAX = 8, LOG_TEXT_MAX = 1024, POLICY_API = 1 };

// --- declarations

static int sig_policy(lua_State *L)
{
    static const char *const known[] = {"name", "api"};
    lsig_policy_check_loading(L, "sig.policy");
    luaL_checktype(L, 1, LUA_TTABLE);
    struct lsig_args args = {L, 1, "sig.policy"};
    lsig_args_check_names(&args, known, sizeof(known) / sizeof(known[0]));
    struct lsig_span name = lsig_args_text(&args, "name");
    double api = lsig_args_number(&args, "api", POLICY_API);
    if (api != POLICY_API) {
        return luaL_error(L, "sig.policy: this server has api = %d", POLICY_API);
    }
    if (name.data == NULL || name.len == 0 || name.len > LSIG_POLICY_NAME_MAX) {
        return luaL_error(L, "sig.policy: name is a text of 1 to %d bytes", LSIG_POLICY_NAME_MAX);
    }
    struct lsig_policy_file *file = lsig_policy_file_of_caller(L);
    if (file != NULL) {
        free(file->policy);
        file->policy = lsig_strndup(name.data, name.len);
    }
    return 0;
}

static int sig_use(lua_State *L)
{
    lsig_policy_check_loading(L, "sig.use");
    if (lua_type(L, 1) == LUA_TSTRING) {
        lsig_loader_require(L, lua_tostring(L, 1));
        return 0;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    int count = (int)lua_objlen(L, 1);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, 1, i);
        if (lua_type(L, -1) != LUA_TSTRING) {
            return luaL_error(L, "sig.use: entry %d is a %s, not the name of a policy", i,
                              luaL_typename(L, -1));
        }
        lsig_loader_require(L, lua_tostring(L, -1));
        lua_pop(L, 2);
    }
    return 0;
}

// The smallest of what all files and the settings say counts, so that files can be put together in
// any order.
static int sig_limits(lua_State *L)
{
    static const char *const known[] = {"cpu_ms", "wait_ms", "memory_mb"};
    enum { CPU_MS_MAX = 1000, WAIT_MS_MAX = 60000, MEMORY_MB_MIN = 4, MEMORY_MB_MAX = 1024 };
    struct lsig_policy *policy = lsig_policy_check_loading(L, "sig.limits");
    luaL_checktype(L, 1, LUA_TTABLE);
    struct lsig_args args = {L, 1, "sig.limits"};
    lsig_args_check_names(&args, known, sizeof(known) / sizeof(known[0]));
    double cpu_ms = lsig_args_number(&args, "cpu_ms", CPU_MS_MAX);
    double wait_ms = lsig_args_number(&args, "wait_ms", WAIT_MS_MAX);
    double memory_mb = lsig_args_number(&args, "memory_mb", MEMORY_MB_MAX);
    if (cpu_ms < 1 || cpu_ms > CPU_MS_MAX || wait_ms < 1 || wait_ms > WAIT_MS_MAX ||
        memory_mb < MEMORY_MB_MIN || memory_mb > MEMORY_MB_MAX) {
        return luaL_error(L, "sig.limits: cpu_ms is 1 to %d, wait_ms 1 to %d, memory_mb %d to %d",
                          CPU_MS_MAX, WAIT_MS_MAX, MEMORY_MB_MIN, MEMORY_MB_MAX);
    }
    size_t memory = (size_t)(memory_mb * 1024 * 1024);
    policy->cpu_us =
        cpu_ms * 1000 < (double)policy->cpu_us ? (int64_t)(cpu_ms * 1000) : policy->cpu_us;
    policy->wait_ms = wait_ms < (double)policy->wait_ms ? (int64_t)wait_ms : policy->wait_ms;
    policy->vm.max = memory < policy->vm.max ? memory : policy->vm.max;
    return 0;
}

static bool event_known(const char *event, const char *const *known, size_t count)
{
    if (strncmp(event, "message:", 8) == 0) {
        return true; // the type is looked up when all types are declared
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(event, known[i]) == 0) {
            return true;
        }
    }
    return false;
}

// Whether an error in the hook lets the event pass; `missing` where nothing is written.
static bool read_on_error(const struct lsig_args *args, const char *event, bool missing)
{
    struct lsig_span text = lsig_args_text(args, "on_error");
    if (text.data == NULL) {
        return missing;
    }
    bool allow = lsig_span_is(text, "allow");
    if (!allow && !lsig_span_is(text, "deny")) {
        luaL_error(args->L, "sig.on \"%s\": on_error is \"allow\" or \"deny\", not \"%s\"", event,
                   text.data);
    }
    if (!allow && missing) {
        luaL_error(args->L, "sig.on \"leave\": a leave cannot be refused");
    }
    return allow;
}

// sig.on(event, [{ on_error = "allow" },] function)
static int sig_on(lua_State *L)
{
    static const char *const known[] = {"join", "leave", "message", "message:TYPE"};
    static const char *const options[] = {"on_error"};
    struct lsig_policy *policy = lsig_policy_check_loading(L, "sig.on");
    const char *event = luaL_checkstring(L, 1);
    if (!event_known(event, known, sizeof(known) / sizeof(known[0]) - 1)) {
        return luaL_error(L, "unknown hook \"%s\"; known: join, leave, message, message:TYPE",
                          event);
    }
    bool allow = strcmp(event, "leave") == 0;
    int function = lua_istable(L, 2) ? 3 : 2;
    if (function == 3) {
        struct lsig_args args = {L, 2, "sig.on"};
        lsig_args_check_names(&args, options, 1);
        allow = read_on_error(&args, event, allow);
    }
    if (!lua_isfunction(L, function) || lua_iscfunction(L, function)) {
        return luaL_error(
            L, "sig.on \"%s\": a function is missing: sig.on(\"%s\", function(room, member) … end)",
            event, event);
    }
    if (policy->hook_count >= LSIG_POLICY_HOOKS_MAX) {
        return luaL_error(L, "more than %d hooks", LSIG_POLICY_HOOKS_MAX);
    }
    char where[LSIG_POLICY_WHERE_SIZE];
    lsig_policy_print_where(L, where);
    lua_pushvalue(L, function);
    int reference = luaL_ref(L, LUA_REGISTRYINDEX); // nothing raises from here on
    struct lsig_policy_hook *hook = lsig_alloc(sizeof(*hook));
    hook->event = lsig_strdup(event);
    hook->where = lsig_strdup(where);
    hook->function = reference;
    hook->allow = allow;
    const struct lsig_policy_file *file = lsig_policy_file_of_caller(L);
    hook->policy = lsig_strdup(file != NULL ? file->policy : "policy");
    policy->hooks =
        lsig_realloc(policy->hooks, (policy->hook_count + 1) * sizeof(struct lsig_policy_hook *));
    policy->hooks[policy->hook_count++] = hook;
    return 0;
}

// --- verdicts

static bool deny_code_ok(const char *code, size_t len)
{
    return len > 0 && len < LSIG_REFUSAL_CODE_SIZE && code[0] >= 'A' && code[0] <= 'Z' &&
           strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == len;
}

static int sig_deny(lua_State *L)
{
    size_t code_len;
    size_t text_len;
    const char *code = luaL_checklstring(L, 1, &code_len);
    const char *text = luaL_optlstring(L, 2, "", &text_len);
    struct lsig_hook_run *run = lsig_hook_check_running(L, "sig.deny");
    if (!deny_code_ok(code, code_len)) {
        return luaL_error(
            L, "sig.deny: a code is like ROOM_LOCKED: capital letters, digits and _, at most %d",
            LSIG_REFUSAL_CODE_SIZE - 1);
    }
    if (text_len >= LSIG_REFUSAL_MESSAGE_SIZE) {
        return luaL_error(L, "sig.deny: the text has more than %d bytes",
                          LSIG_REFUSAL_MESSAGE_SIZE - 1);
    }
    char details[LSIG_REFUSAL_DETAILS_SIZE] = "";
    if (!lua_isnoneornil(L, 3)) {
        luaL_checktype(L, 3, LUA_TTABLE);
        luaL_checkstack(L, LSIG_JSON_TABLE_STACK, "sig.deny");
        struct lsig_buf json;
        lsig_buf_init(&json, LSIG_REFUSAL_DETAILS_SIZE - 1);
        const char *problem = lsig_json_table_print(L, 3, &json);
        if (problem == NULL && (json.data == NULL || json.data[0] != '{')) {
            problem = "it is a list: name its fields";
        }
        if (problem == NULL && json.data != NULL) {
            snprintf(details, sizeof(details), "%s", json.data);
        }
        lsig_buf_clear(&json);
        if (problem != NULL) {
            return luaL_error(L, "sig.deny: details: %s (at most %d bytes of JSON)", problem,
                              LSIG_REFUSAL_DETAILS_SIZE - 1);
        }
    }
    return lsig_hook_push_denial(L, run, code, text, details);
}

static int sig_handled(lua_State *L)
{
    lsig_hook_check_running(L, "sig.handled");
    return lsig_hook_push_verdict(L, LSIG_VERDICT_HANDLED);
}

static int sig_accept(lua_State *L)
{
    lsig_hook_check_running(L, "sig.accept");
    return lsig_hook_push_verdict(L, LSIG_VERDICT_ACCEPT);
}

// --- waiting

// "100ms", "2s", "1.5min" or a number of seconds, as milliseconds; negative: not a time.
static double parse_duration(lua_State *L, int index)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}};
    if (lua_type(L, index) == LUA_TNUMBER) {
        double seconds = lua_tonumber(L, index);
        return seconds >= 0 ? seconds * 1000 : -1;
    }
    const char *text = luaL_checkstring(L, index);
    if (text[0] < '0' || text[0] > '9') {
        return -1;
    }
    char *unit;
    double number = strtod(text, &unit);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(unit, units[i].unit) == 0) {
            return number * units[i].ms;
        }
    }
    return -1;
}

static int sig_sleep(lua_State *L)
{
    struct lsig_hook_run *run = lsig_hook_check_running(L, "sig.sleep");
    double ms = parse_duration(L, 1);
    if (ms < 0) {
        return luaL_error(L,
                          "sig.sleep: write a time like \"100ms\", \"2s\" or a number of seconds");
    }
    if (lsig_lib_table_sorting(L) > 0) {
        return luaL_error(L, "sig.sleep: a comparator of table.sort may not wait");
    }
    lsig_hook_prepare_wait(L, run, ms);
    return lua_yield(L, 0);
}

// --- the log and the clock

static int sig_now(lua_State *L)
{
    lua_pushnumber(L, (double)lsig_clock_now().wall_ms / 1000);
    return 1;
}

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

static const luaL_Reg sig_functions[] = {
    {"policy", sig_policy}, {"use", sig_use},     {"limits", sig_limits},
    {"on", sig_on},         {"deny", sig_deny},   {"handled", sig_handled},
    {"accept", sig_accept}, {"sleep", sig_sleep}, {"now", sig_now},
    {"log", sig_log},       {NULL, NULL}};

void lsig_lib_sig_push(lua_State *L)
{
    lua_pushcfunction(L, global_print);
    lsig_sandbox_set(L, "print");

    lua_newtable(L);
    luaL_register(L, NULL, sig_functions);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    lsig_lib_schema_register(L);
    lsig_lib_type_register(L);
    lsig_sandbox_protect(L, "sig");
}
