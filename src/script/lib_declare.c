#include "script/lib_declare.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "codec/nearest.h"
#include "room/timers.h"
#include "script/args.h"
#include "script/loader.h"
#include "script/policy.h"

enum { POLICY_API = 1 };

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

// --- hooks

// What hooks can be written for, as people write it; route and test have functions of their own.
static const struct {
    const char *name;
    enum lsig_hook_kind kind;
} events[] = {
#define X(name, text, arguments, waits, refuses) {text, LSIG_HOOK_##name},
    LSIG_HOOKS(X)
#undef X
};

enum { EVENT_COUNT = LSIG_HOOK_ROUTE };

static int refuse_event(lua_State *L, const char *event)
{
    const char *names[EVENT_COUNT + 1];
    luaL_Buffer list;
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        names[i] = events[i].name;
    }
    names[EVENT_COUNT] = "message:TYPE";
    const char *nearest = lsig_nearest_find(event, names, EVENT_COUNT + 1);
    luaL_buffinit(L, &list);
    for (size_t i = 0; i <= EVENT_COUNT; i++) {
        luaL_addstring(&list, i == 0 ? "" : ", ");
        luaL_addstring(&list, names[i]);
    }
    luaL_pushresult(&list);
    if (nearest != NULL) {
        return luaL_error(L, "unknown hook \"%s\"; did you mean \"%s\"? (known: %s)", event,
                          nearest, lua_tostring(L, -1));
    }
    return luaL_error(L, "unknown hook \"%s\"; known: %s", event, lua_tostring(L, -1));
}

static bool timer_name_ok(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= LSIG_TIMER_NAME_MAX &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static enum lsig_hook_kind read_event(lua_State *L, const char *event)
{
    if (strncmp(event, "message:", 8) == 0) {
        return LSIG_HOOK_MESSAGE; // the type is looked up when all types are declared
    }
    if (strncmp(event, "timer:", 6) == 0) {
        if (!timer_name_ok(event + 6)) {
            luaL_error(L,
                       "sig.on \"%s\": a timer's name has letters, digits, '_' and '-', at most %d",
                       event, LSIG_TIMER_NAME_MAX);
        }
        return LSIG_HOOK_TIMER;
    }
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        if (strcmp(event, events[i].name) == 0 && events[i].kind != LSIG_HOOK_TIMER) {
            return events[i].kind;
        }
    }
    refuse_event(L, event);
    return LSIG_HOOK_KIND_COUNT;
}

bool lsig_lib_declare_read_on_error(const struct lsig_args *args, enum lsig_hook_kind kind)
{
    struct lsig_span text = lsig_args_text(args, "on_error");
    bool refuses = lsig_hook_kind_refuses(kind);
    if (text.data == NULL) {
        return !refuses;
    }
    bool allow = lsig_span_is(text, "allow");
    if (!allow && !lsig_span_is(text, "deny")) {
        luaL_error(args->L, "%s: on_error is \"allow\" or \"deny\", not \"%s\"", args->what,
                   text.data);
    }
    if (!allow && !refuses) {
        luaL_error(args->L, "%s: this hook cannot refuse: what it is told of has happened",
                   args->what);
    }
    return allow;
}

struct lsig_policy_hook *
lsig_lib_declare_hook(lua_State *L, enum lsig_hook_kind kind, const char *event, int function)
{
    struct lsig_policy *policy = lsig_policy_of(L);
    if (policy->hook_count >= LSIG_POLICY_HOOKS_MAX) {
        luaL_error(L, "more than %d hooks", LSIG_POLICY_HOOKS_MAX);
    }
    char where[LSIG_POLICY_WHERE_SIZE];
    lsig_policy_print_where(L, where);
    lua_pushvalue(L, function);
    int reference = luaL_ref(L, LUA_REGISTRYINDEX); // nothing raises from here on
    struct lsig_policy_hook *hook = lsig_alloc(sizeof(*hook));
    hook->owner = policy;
    hook->kind = kind;
    hook->event = lsig_strdup(event);
    hook->where = lsig_strdup(where);
    hook->function = reference;
    hook->allow = !lsig_hook_kind_refuses(kind);
    hook->optional = false;
    const struct lsig_policy_file *file = lsig_policy_file_of_caller(L);
    hook->policy = lsig_strdup(file != NULL ? file->policy : "policy");
    policy->hooks =
        lsig_realloc(policy->hooks, (policy->hook_count + 1) * sizeof(struct lsig_policy_hook *));
    policy->hooks[policy->hook_count++] = hook;
    return hook;
}

// Whether the bundle is good without the type that the hook is for.
static bool read_optional(const struct lsig_args *args, const char *event)
{
    bool optional = lsig_args_boolean(args, "optional", false);
    if (optional && strncmp(event, "message:", 8) != 0) {
        luaL_error(args->L, "%s: optional is for hooks of one type: \"message:TYPE\"", args->what);
    }
    return optional;
}

// sig.on(event, [{ on_error = "allow", optional = true },] function)
static int sig_on(lua_State *L)
{
    static const char *const options[] = {"on_error", "optional"};
    lsig_policy_check_loading(L, "sig.on");
    const char *event = luaL_checkstring(L, 1);
    enum lsig_hook_kind kind = read_event(L, event);
    bool allow = !lsig_hook_kind_refuses(kind);
    bool optional = false;
    int function = lua_istable(L, 2) ? 3 : 2;
    int given = lua_gettop(L);
    if (function == 3) {
        lua_pushfstring(L, "sig.on \"%s\"", event);
        struct lsig_args args = {L, 2, lua_tostring(L, -1)};
        lsig_args_check_names(&args, options, sizeof(options) / sizeof(options[0]));
        allow = lsig_lib_declare_read_on_error(&args, kind);
        optional = read_optional(&args, event);
    }
    if (!lua_isfunction(L, function) || lua_iscfunction(L, function)) {
        return luaL_error(
            L, "sig.on \"%s\": a function is missing: sig.on(\"%s\", function(room, member) … end)",
            event, event);
    }
    if (given > function) {
        return luaL_error(L,
                          "sig.on \"%s\": options stand before the function: sig.on(\"%s\", { "
                          "on_error = \"allow\" }, function(room, member) … end)",
                          event, event);
    }
    struct lsig_policy_hook *hook = lsig_lib_declare_hook(L, kind, event, function);
    hook->allow = allow;
    hook->optional = optional;
    return 0;
}

static const luaL_Reg sig_functions[] = {
    {"policy", sig_policy}, {"use", sig_use}, {"limits", sig_limits}, {"on", sig_on}, {NULL, NULL}};

void lsig_lib_declare_register(lua_State *L)
{
    luaL_register(L, NULL, sig_functions);
}
