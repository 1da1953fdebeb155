#include "script/failure.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/log.h"
#include "script/budget.h"
#include "script/policy.h"

enum { FRAMES_LOOKED_AT = 20 };

struct trace_request {
    struct lsig_failure *failure;
    lua_State *co;
};

static int read_trace(lua_State *L)
{
    struct trace_request *request = lua_touserdata(L, 1);
    luaL_traceback(L, request->co, NULL, 0);
    // The first line is a title; the others are joined, the innermost first.
    const char *at = lua_tostring(L, -1);
    at += strcspn(at, "\n");
    char *out = request->failure->trace;
    size_t left = sizeof(request->failure->trace) - 1;
    while (*at != '\0' && left > 0) {
        size_t len = strcspn(at, "\n\t");
        len = len < left ? len : left;
        memcpy(out, at, len);
        out += len;
        left -= len;
        at += len;
        if (at[0] == '\n' && left > 3 && out != request->failure->trace) {
            memcpy(out, " < ", 3);
            out += 3;
            left -= 3;
        }
        at += strspn(at, "\n\t");
    }
    *out = '\0';
    return 0;
}

// Where the coroutine stood: the innermost line of Lua. Empty if there is none.
static void print_position(char *out, size_t size, lua_State *co)
{
    lua_Debug frame;
    out[0] = '\0';
    for (int i = 0; i < FRAMES_LOOKED_AT && lua_getstack(co, i, &frame) != 0; i++) {
        if (lua_getinfo(co, "Sl", &frame) != 0 && frame.currentline > 0) {
            snprintf(out, size, "%s:%d", frame.short_src, frame.currentline);
            return;
        }
    }
}

// One line of what the hook ended with, which may be long. Errors of LuaJIT itself (memory, stack)
// do not say where.
static void print_error(struct lsig_failure *failure, lua_State *co)
{
    char position[LSIG_POLICY_WHERE_SIZE];
    const char *text = lua_tostring(co, -1);
    print_position(position, sizeof(position), co);
    size_t file = strcspn(position, ":");
    if (file == 0 || strncmp(text, position, file + 1) == 0) {
        snprintf(failure->text, sizeof(failure->text), "%s", text);
    } else {
        snprintf(failure->text, sizeof(failure->text), "%s: %s", position, text);
    }
    failure->text[strcspn(failure->text, "\r\n")] = '\0';
}

void lsig_failure_read(struct lsig_failure *failure, struct lsig_policy *policy, lua_State *co)
{
    lua_State *L = policy->vm.L;
    if (failure->cpu) {
        snprintf(failure->text, sizeof(failure->text), "%s", policy->budget->text);
    } else if (lua_type(co, -1) == LUA_TSTRING) {
        print_error(failure, co);
    } else {
        const char *type = luaL_typename(co, -1);
        snprintf(failure->text, sizeof(failure->text), "%s: error with a %s for text",
                 failure->hook->where, type);
    }
    if (failure->memory) {
        lua_gc(L, LUA_GCCOLLECT, 0); // the traceback needs some
    }
    struct trace_request request = {failure, co};
    if (lua_cpcall(L, read_trace, &request) != 0) {
        lua_pop(L, 1);
    }
}

void lsig_failure_log(const struct lsig_failure *failure, const struct lsig_policy *policy)
{
    struct lsig_metrics *metrics = policy->options->metrics;
    metrics->hook_errors++;
    metrics->hook_cpu_exceeded += failure->cpu;
    lsig_log(LSIG_ERROR, "hook-failed", LSIG_LOG_TEXT("room", failure->member->room->id),
             LSIG_LOG_TEXT("user", failure->member->id),
             LSIG_LOG_TEXT("hook", failure->hook->event), LSIG_LOG_TEXT("at", failure->hook->where),
             LSIG_LOG_TEXT("policy", failure->hook->policy),
             LSIG_LOG_NUMBER("version", policy->version), LSIG_LOG_TEXT("error", failure->text),
             LSIG_LOG_TEXT("trace", failure->trace));
}

void lsig_failure_recover(const struct lsig_failure *failure, struct lsig_policy *policy)
{
    if (failure->memory) {
        lua_gc(policy->vm.L, LUA_GCCOLLECT, 0);
        policy->vm.exhausted = false;
    }
}
