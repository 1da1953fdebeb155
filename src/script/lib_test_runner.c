// What those who run tests ask of the machine: lib_test.h.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

#include "script/context.h"
#include "script/hook.h"
#include "script/lib_test.h"
#include "script/pattern.h"
#include "script/sandbox.h"
#include "script/test_options.h"

enum { PATH_SIZE = 4096 };

// A module is looked for in the bundle first, so what is there is the bundle's.
static bool is_of_bundle(const struct lsig_policy *policy, const struct lsig_policy_hook *hook)
{
    char path[PATH_SIZE];
    const char *colon = strrchr(hook->where, ':');
    int file = colon != NULL ? (int)(colon - hook->where) : 0;
    int len = snprintf(path, sizeof(path), "%s/%.*s", policy->bundle_dir, file, hook->where);
    return len < (int)sizeof(path) && access(path, F_OK) == 0;
}

static void describe(const struct lsig_policy_hook *hook, struct lsig_test *test)
{
    static const struct lsig_test_options none = {.slow = false};
    const struct lsig_test_options *options = hook->test != NULL ? hook->test : &none;
    *test = (struct lsig_test){
        .hook = hook,
        .name = hook->event,
        .where = hook->where,
        .slow = options->slow,
        .is_virtual = options->is_virtual,
        .seeded = options->seeded,
        .seed = options->seed,
        .date_ms = options->date_ms,
        .settings = options->settings,
    };
}

bool lsig_lib_test_next(const struct lsig_script *script, size_t *cursor, struct lsig_test *test)
{
    const struct lsig_policy *policy = script->current;
    while (policy != NULL && *cursor < policy->hook_count) {
        const struct lsig_policy_hook *hook = policy->hooks[(*cursor)++];
        if (hook->kind == LSIG_HOOK_TEST && is_of_bundle(policy, hook)) {
            describe(hook, test);
            return true;
        }
    }
    return false;
}

// Called protected.
static int seed_machine(lua_State *L)
{
    const uint32_t *seed = lua_touserdata(L, 1);
    lsig_sandbox_seed(L, *seed);
    return 0;
}

void lsig_lib_test_seed(struct lsig_script *script, uint32_t seed)
{
    lua_State *L = script->current->vm.L;
    if (lua_cpcall(L, seed_machine, &seed) != 0) {
        lua_pop(L, 1);
    }
}

void lsig_lib_test_end_waits(struct lsig_script *script)
{
    if (script->current != NULL) {
        lsig_hook_close_runs(script->current, true);
    }
}

void lsig_lib_test_end_hooks(struct lsig_script *script)
{
    lsig_hook_close_runs(script->current, false);
}

struct search {
    struct lsig_span text;
    struct lsig_span pattern;
    bool found;
};

// Called protected.
static int find_pattern(lua_State *L)
{
    struct search *search = lua_touserdata(L, 1);
    struct lsig_pattern pattern;
    lsig_pattern_init(&pattern, L, "t.match", search->text, search->pattern, true);
    const char *at = search->text.data;
    const char *end = at + search->text.len;
    do {
        search->found = lsig_pattern_match(&pattern, at) != NULL;
    } while (!search->found && !pattern.anchored && at++ < end);
    return 0;
}

bool lsig_lib_test_finds(struct lsig_script *script,
                         struct lsig_span text,
                         struct lsig_span pattern,
                         char problem[LSIG_TEST_PROBLEM_SIZE])
{
    lua_State *L = script->current->vm.L;
    struct search search = {text, pattern, false};
    problem[0] = '\0';
    if (lua_cpcall(L, find_pattern, &search) != 0) {
        const char *error = lua_tostring(L, -1);
        snprintf(problem, LSIG_TEST_PROBLEM_SIZE, "%s", error != NULL ? error : "no text");
        lua_pop(L, 1);
        return false;
    }
    return search.found;
}
