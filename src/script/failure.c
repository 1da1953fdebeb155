#include "script/failure.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/log.h"
#include "script/budget.h"
#include "script/policy.h"
#include "script/policy_events.h"
#include "script/renew.h"
#include "script/versions.h"

enum { FRAMES_LOOKED_AT = 20, COLLECT_US = 40000, TRACE_BYTES = 65536 };

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

// Where the coroutine stood: the innermost line of Lua. LuaJIT does not tell it for a function
// whose own instruction found no memory; if there is no caller, it is the line where that begins.
static void print_position(char *out, size_t size, lua_State *co)
{
    lua_Debug frame;
    out[0] = '\0';
    for (int i = 0; i < FRAMES_LOOKED_AT && lua_getstack(co, i, &frame) != 0; i++) {
        if (lua_getinfo(co, "Sl", &frame) == 0 || frame.linedefined <= 0 ||
            strcmp(frame.short_src, "lunasig") == 0) { // that is a wrapper of ours
            continue;
        }
        if (frame.currentline > 0) {
            snprintf(out, size, "%s:%d", frame.short_src, frame.currentline);
            return;
        }
        snprintf(out, size, "%s:%d", frame.short_src, frame.linedefined);
    }
}

// Whether a text begins with file:line, as Lua's own errors do.
static bool has_place(const char *text)
{
    const char *colon = text + strcspn(text, ": \n");
    return colon[0] == ':' && colon[1] >= '0' && colon[1] <= '9';
}

void lsig_failure_print_where(const struct lsig_failure *failure, char out[LSIG_REFUSAL_WHERE_SIZE])
{
    const char *text = has_place(failure->text) ? failure->text : failure->hook->where;
    size_t len = strcspn(text, ":");
    len += text[len] == ':' ? 1 + strspn(text + len + 1, "0123456789") : 0;
    snprintf(out, LSIG_REFUSAL_WHERE_SIZE, "%.*s", (int)len, text);
}

// One line of what the hook ended with, which may be long. Errors of LuaJIT itself (memory, stack)
// do not say where, and those of a function that the hook returned the call of cannot.
static void print_error(struct lsig_failure *failure, lua_State *co)
{
    char position[LSIG_POLICY_WHERE_SIZE];
    const char *text = lua_tostring(co, -1);
    print_position(position, sizeof(position), co);
    const char *place = position[0] != '\0' ? position : failure->hook->where;
    if (has_place(text)) {
        snprintf(failure->text, sizeof(failure->text), "%s", text);
    } else {
        snprintf(failure->text, sizeof(failure->text), "%s: %s", place, text);
    }
    failure->text[strcspn(failure->text, "\r\n")] = '\0';
}

// Not for long, since the loop waits: what is left is collected in slices (renew.h).
static void collect(struct lsig_policy *policy)
{
    int cycles = 0;
    if (!lsig_vm_collect(&policy->vm, COLLECT_US, &cycles) && policy->entry != NULL) {
        lsig_renew_go_on(policy);
    }
}

void lsig_failure_read(struct lsig_failure *failure, struct lsig_policy *policy, lua_State *co)
{
    lua_State *L = policy->vm.L;
    if (failure->cpu && policy->budget->text[0] != '\0') {
        snprintf(failure->text, sizeof(failure->text), "%s", policy->budget->text);
    } else if (failure->cpu) { // within functions of C only
        snprintf(failure->text, sizeof(failure->text), "%s: stopped after %d ms of processor time",
                 failure->hook->where, (int)policy->budget->told_ms);
    } else if (lua_type(co, -1) == LUA_TSTRING) {
        print_error(failure, co);
    } else {
        const char *type = luaL_typename(co, -1);
        snprintf(failure->text, sizeof(failure->text), "%s: error with a %s for text",
                 failure->hook->where, type);
    }
    struct trace_request request = {failure, co};
    policy->vm.max += TRACE_BYTES; // there may be nothing left
    if (lua_cpcall(L, read_trace, &request) != 0) {
        lua_pop(L, 1);
    }
    policy->vm.max -= TRACE_BYTES;
}

static void count(const struct lsig_failure *failure, const struct lsig_policy *policy)
{
    enum lsig_policy_event event = failure->cpu      ? LSIG_POLICY_EVENT_CPU
                                   : failure->memory ? LSIG_POLICY_EVENT_MEMORY
                                                     : LSIG_POLICY_EVENT_ERROR;
    lsig_policy_events_count(policy->options->metrics, failure->hook->policy, policy->version,
                             event);
}

void lsig_failure_log(const struct lsig_failure *failure, struct lsig_policy *policy)
{
    struct lsig_metrics *metrics = policy->options->metrics;
    metrics->hook_errors++;
    metrics->hook_cpu_exceeded += failure->cpu;
    metrics->hook_memory_exceeded += failure->memory && !failure->cpu;
    count(failure, policy);
    lsig_versions_count_error(policy);
    lsig_log(LSIG_ERROR, "hook-failed",
             LSIG_LOG_TEXT("room", failure->room != NULL ? failure->room->id : ""),
             LSIG_LOG_TEXT("user", failure->member != NULL ? failure->member->id : ""),
             LSIG_LOG_TEXT("hook", failure->hook->event), LSIG_LOG_TEXT("at", failure->hook->where),
             LSIG_LOG_TEXT("policy", failure->hook->policy),
             LSIG_LOG_NUMBER("version", policy->version), LSIG_LOG_TEXT("error", failure->text),
             LSIG_LOG_TEXT("trace", failure->trace));
}

void lsig_failure_recover(const struct lsig_failure *failure, struct lsig_policy *policy)
{
    if (failure->memory) {
        collect(policy);
        policy->vm.exhausted = false;
    }
}
