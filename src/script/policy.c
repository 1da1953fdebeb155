#include "script/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "script/analyse.h"
#include "script/await_run.h"
#include "script/budget.h"
#include "script/coverage.h"
#include "script/hook.h"
#include "script/lib_props.h"
#include "script/lib_request.h"
#include "script/lib_room.h"
#include "script/lib_sig.h"
#include "script/lib_state.h"
#include "script/lib_type.h"
#include "script/loader.h"
#include "script/route.h"
#include "script/sandbox.h"
#include "script/state_declaration.h"
#include "script/test_options.h"

enum { REPORT_LINE_MAX = 1000 };

// Called protected with the policy: builds the environment and runs the files.
static int load_files(lua_State *L)
{
    struct lsig_policy *policy = lua_touserdata(L, 1);
    lsig_sandbox_open(L);
    lua_pop(L, 1);
    lsig_lib_room_register(L);
    lsig_lib_member_register(L);
    lsig_lib_message_register(L);
    lsig_lib_props_register(L);
    lsig_lib_request_register(L);
    lsig_await_register(L);
    lsig_hook_register(policy);
    lsig_lib_sig_push(L);
    lsig_loader_register(L);
    policy->loading = true;
    lsig_loader_run_main(L);
    policy->loading = false;
    return 0;
}

static void report_line(struct lsig_buf *report, const char *line)
{
    lsig_buf_append_format(report, "%.*s\n", REPORT_LINE_MAX, line);
}

static void report_load_error(const struct lsig_policy *policy, struct lsig_buf *report)
{
    lua_State *L = policy->vm.L;
    const char *text =
        lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error that is no text";
    bool told = !lsig_analyse_report(policy, report) && lsig_analyse_tells(policy, text);
    if (!policy->vm.exhausted) {
        if (!told) {
            report_line(report, text);
        }
        return;
    }
    const char *file = policy->file_count > 0 ? policy->files[policy->file_count - 1].chunk
                                              : policy->options->entry;
    lsig_buf_append_format(
        report,
        "%s:1: %s: the files need more than %zu MiB (POLICY_MEMORY_MB, sig.limits memory_mb)\n",
        file, text, policy->vm.max / 1024 / 1024);
}

static bool run_files(struct lsig_policy *policy, struct lsig_buf *report)
{
    lua_State *L = policy->vm.L;
    struct lsig_budget *budget = policy->budget;
    budget->told_ms = LSIG_POLICY_LOAD_US / 1000;
    lsig_budget_enter(budget, L, LSIG_POLICY_LOAD_US, true);
    int failed = lua_cpcall(L, load_files, policy);
    lsig_budget_leave(budget);
    policy->loading = false;
    if (failed == 0 && budget->exceeded) {
        lsig_buf_append_format(report, "%s:1: stopped: loading takes too much processor time\n",
                               policy->options->entry);
        return false;
    }
    if (failed != 0) {
        report_load_error(policy, report);
    }
    lua_settop(L, 0);
    return failed == 0;
}

static bool find_folders(struct lsig_policy *policy, const char *folder, struct lsig_buf *report)
{
    const struct lsig_script_options *options = policy->options;
    policy->bundle_dir = policy->again ? lsig_strdup(folder) : realpath(folder, NULL);
    if (policy->bundle_dir == NULL) {
        lsig_buf_append_format(report,
                               "%s/%s:1: the folder cannot be read (%s): POLICY_DIR names the "
                               "folder that has policy.lua, or a .lua file\n",
                               folder, options->entry, strerror(errno));
        return false;
    }
    policy->library_dir =
        options->library_dir != NULL ? realpath(options->library_dir, NULL) : NULL;
    return true;
}

struct lsig_policy *lsig_policy_load(const struct lsig_script_options *options,
                                     const struct lsig_policy_origin *origin,
                                     struct lsig_budget *budget,
                                     struct lsig_buf *report)
{
    int64_t started_us = lsig_clock_mono_us();
    struct lsig_policy *policy = lsig_alloc(sizeof(*policy));
    policy->options = options;
    policy->budget = budget;
    policy->sources = origin->sources;
    policy->again = origin->again;
    policy->cpu_us = options->cpu_ms * 1000;
    policy->wait_ms = options->wait_ms;
    lsig_map_init(&policy->names);
    lsig_map_init(&policy->timers);
    bool loaded = find_folders(policy, origin->folder, report);
    if (loaded && !lsig_vm_open(&policy->vm, (size_t)options->memory_bytes, policy)) {
        lsig_buf_append_format(report,
                               "%s:1: POLICY_MEMORY_MB is too small even for an empty policy\n",
                               options->entry);
        loaded = false;
    }
    if (loaded) {
        lsig_coverage_begin(policy);
    }
    loaded = loaded && run_files(policy, report) && lsig_policy_finish(policy, report) &&
             lsig_state_declaration_check_all(policy, report);
    lsig_coverage_leave_out_tests(policy);
    if (!loaded) {
        lsig_policy_free(policy);
        return NULL;
    }
    lsig_analyse_free(policy);
    lua_gc(policy->vm.L, LUA_GCCOLLECT, 0);
    policy->load_ms = (lsig_clock_mono_us() - started_us) / 1000;
    policy->sources = NULL;
    return policy;
}

static void free_hooks(struct lsig_policy *policy)
{
    for (size_t i = 0; i < policy->hook_count; i++) {
        free(policy->hooks[i]->event);
        free(policy->hooks[i]->where);
        free(policy->hooks[i]->policy);
        lsig_test_options_free(policy->hooks[i]->test);
        free(policy->hooks[i]);
    }
    free(policy->hooks);
    for (size_t i = 0; i < LSIG_HOOK_KIND_COUNT; i++) {
        free(policy->lists[i].items);
    }
    size_t cursor = 0;
    struct lsig_timer_hooks *timer;
    while ((timer = lsig_map_next(&policy->timers, &cursor)) != NULL) {
        free(timer->list.items);
        free(timer);
    }
    lsig_map_clear(&policy->timers);
}

void lsig_policy_free(struct lsig_policy *policy)
{
    lsig_analyse_free(policy);
    lsig_vm_close(&policy->vm);
    lsig_route_free_all(policy);
    lsig_map_clear(&policy->names);
    lsig_state_declaration_free_all(policy);
    free_hooks(policy);
    for (size_t i = 0; i < policy->type_count; i++) {
        lsig_lib_type_free(policy->types[i]);
    }
    free(policy->types);
    for (size_t i = 0; i < policy->file_count; i++) {
        free(policy->files[i].chunk);
        free(policy->files[i].policy);
    }
    free(policy->files);
    struct lsig_hook_run *run = policy->runs;
    while (run != NULL) {
        struct lsig_hook_run *next = run->next_all;
        free(run);
        run = next;
    }
    free(policy->bundle_dir);
    free(policy->library_dir);
    free(policy);
}

struct lsig_policy *lsig_policy_of(lua_State *L)
{
    return lsig_vm_of(L)->owner;
}

const struct lsig_policy_type *lsig_policy_find_type(const struct lsig_policy *policy,
                                                     struct lsig_span name)
{
    return lsig_map_find(&policy->names, name);
}

const struct lsig_hook_list *lsig_policy_timer_hooks(const struct lsig_policy *policy,
                                                     struct lsig_span name)
{
    const struct lsig_timer_hooks *timer = lsig_map_find(&policy->timers, name);
    return timer != NULL ? &timer->list : NULL;
}

struct lsig_policy_file *lsig_policy_file_of_caller(lua_State *L)
{
    const struct lsig_policy *policy = lsig_policy_of(L);
    lua_Debug caller;
    if (lua_getstack(L, 1, &caller) == 0 || lua_getinfo(L, "S", &caller) == 0 ||
        caller.source[0] != '@') {
        return NULL;
    }
    for (size_t i = 0; i < policy->file_count; i++) {
        if (strcmp(policy->files[i].chunk, caller.source + 1) == 0) {
            return &policy->files[i];
        }
    }
    return NULL;
}

struct lsig_policy *lsig_policy_check_loading(lua_State *L, const char *function)
{
    struct lsig_policy *policy = lsig_policy_of(L);
    if (!policy->loading) {
        luaL_error(L, "%s: only while files are loaded, not in a hook", function);
    }
    return policy;
}

void lsig_policy_print_where(lua_State *L, char out[LSIG_POLICY_WHERE_SIZE])
{
    lua_Debug caller;
    if (lua_getstack(L, 1, &caller) == 0 || lua_getinfo(L, "Sl", &caller) == 0) {
        snprintf(out, LSIG_POLICY_WHERE_SIZE, "?");
        return;
    }
    snprintf(out, LSIG_POLICY_WHERE_SIZE, "%s:%d", caller.short_src, caller.currentline);
}
