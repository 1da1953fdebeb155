#include "script/coverage.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "base/map.h"
#include "script/opcodes.h"
#include "script/policy.h"
#include "script/route.h"
#include "script/state_declaration.h"
#include "script/vm.h"

struct lsig_coverage {
    struct lsig_coverage_file **files;
    size_t count;
    struct lsig_map by_path;
    bool full;
    bool opcodes_looked_for;
    bool opcodes_found;
    struct lsig_opcodes opcodes;
    // Where the last line stood, which the next one mostly is beside.
    const struct lsig_policy *last_policy;
    const struct lsig_policy_file *last;
};

struct lsig_coverage *lsig_coverage_new(void)
{
    struct lsig_coverage *coverage = lsig_alloc(sizeof(*coverage));
    lsig_map_init(&coverage->by_path);
    return coverage;
}

void lsig_coverage_free(struct lsig_coverage *coverage)
{
    lsig_map_clear(&coverage->by_path);
    for (size_t i = 0; i < coverage->count; i++) {
        free(coverage->files[i]->name);
        free(coverage->files[i]->path);
        free(coverage->files[i]->lines);
        free(coverage->files[i]);
    }
    free(coverage->files);
    free(coverage);
}

const struct lsig_coverage_file *lsig_coverage_file(const struct lsig_coverage *coverage,
                                                    size_t number)
{
    return number < coverage->count ? coverage->files[number] : NULL;
}

bool lsig_coverage_is_full(const struct lsig_coverage *coverage)
{
    return coverage->full;
}

// --- lines that run

// The policy's own of the name; NULL: there is none.
static const struct lsig_policy_file *
find_chunk(struct lsig_coverage *coverage, const struct lsig_policy *policy, const char *name)
{
    if (coverage->last_policy == policy && coverage->last != NULL &&
        strcmp(coverage->last->chunk, name) == 0) {
        return coverage->last;
    }
    for (size_t i = 0; i < policy->file_count; i++) {
        if (strcmp(policy->files[i].chunk, name) == 0) {
            coverage->last_policy = policy;
            coverage->last = &policy->files[i];
            return coverage->last;
        }
    }
    return NULL;
}

static void on_line(lua_State *L, lua_Debug *where)
{
    const struct lsig_vm *vm = lsig_vm_of(L);
    // Chunks without '@' are wrappers of ours.
    if (lua_getinfo(L, "S", where) == 0 || where->source[0] != '@') {
        return;
    }
    const struct lsig_policy_file *chunk = find_chunk(vm->coverage, vm->owner, where->source + 1);
    struct lsig_coverage_file *file = chunk != NULL ? chunk->coverage : NULL;
    if (file != NULL && where->currentline > 0 && (size_t)where->currentline < file->line_count) {
        file->lines[where->currentline].runs++;
    }
}

// The hook is the machine's: of all of its coroutines, also of those made later.
void lsig_coverage_set_hook(lua_State *L)
{
    bool counts = lsig_vm_of(L)->coverage != NULL;
    lua_sethook(L, counts ? on_line : NULL, counts ? LUA_MASKLINE : 0, 0);
}

void lsig_coverage_begin(struct lsig_policy *policy)
{
    if (policy->options->coverage != NULL) {
        assert(policy->options->loop == NULL);
        policy->vm.coverage = policy->options->coverage;
        policy->vm.coverage->last = NULL; // of a policy that had this address
        lsig_coverage_set_hook(policy->vm.L);
    }
}

// --- files

// The real path of the file in the folder, for free(); NULL: it is not there.
static char *path_in(const char *folder, const char *file)
{
    char joined[PATH_MAX];
    if (folder == NULL || snprintf(joined, sizeof(joined), "%s/%s", folder, file) >= PATH_MAX) {
        return NULL;
    }
    return realpath(joined, NULL);
}

static struct lsig_coverage_file *
add_path(struct lsig_coverage *coverage, const char *name, char *path, bool library)
{
    struct lsig_coverage_file *file = lsig_alloc(sizeof(*file));
    *file = (struct lsig_coverage_file){lsig_strdup(name), path, library, false, NULL, 0};
    coverage->files =
        lsig_realloc(coverage->files, (coverage->count + 1) * sizeof(*coverage->files));
    coverage->files[coverage->count++] = file;
    lsig_map_add(&coverage->by_path, lsig_span_of(path), file);
    return file;
}

static const struct lsig_opcodes *find_opcodes(struct lsig_coverage *coverage, lua_State *L)
{
    if (!coverage->opcodes_looked_for) {
        coverage->opcodes_looked_for = true;
        coverage->opcodes_found = lsig_opcodes_find(&coverage->opcodes, L);
    }
    return coverage->opcodes_found ? &coverage->opcodes : NULL;
}

void lsig_coverage_add_file(lua_State *L, struct lsig_policy *policy)
{
    struct lsig_coverage *coverage = policy->vm.coverage;
    struct lsig_policy_file *chunk = &policy->files[policy->file_count - 1];
    if (coverage == NULL) {
        return;
    }
    coverage->last = NULL; // the list has moved
    // Where `require` looks first.
    char *path = path_in(policy->bundle_dir, chunk->chunk);
    bool library = path == NULL;
    if (library) {
        path = path_in(policy->library_dir, chunk->chunk);
    }
    chunk->coverage = path != NULL ? lsig_map_find(&coverage->by_path, lsig_span_of(path)) : NULL;
    if (chunk->coverage != NULL || path == NULL) {
        free(path);
    } else if (coverage->count >= LSIG_COVERAGE_FILES_MAX) {
        coverage->full = true;
        free(path);
    } else {
        chunk->coverage = add_path(coverage, chunk->chunk, path, library);
    }
    if (chunk->coverage != NULL) {
        lsig_coverage_find_lines(L, find_opcodes(coverage, L), chunk->coverage);
    }
}

// --- what is of tests

// Whether a place such as "std/chat.lua:12" is in the file.
static bool is_in(const char *where, const struct lsig_policy_file *chunk)
{
    size_t len = strlen(chunk->chunk);
    return strncmp(where, chunk->chunk, len) == 0 && where[len] == ':';
}

static bool declares_more(const struct lsig_policy *policy, const struct lsig_policy_file *chunk)
{
    bool more = false;
    for (size_t i = 0; i < policy->hook_count && !more; i++) {
        more = policy->hooks[i]->kind != LSIG_HOOK_TEST && is_in(policy->hooks[i]->where, chunk);
    }
    for (size_t i = 0; i < policy->type_count && !more; i++) {
        more = is_in(policy->types[i]->where, chunk);
    }
    for (size_t i = 0; i < policy->state_count && !more; i++) {
        more = is_in(policy->states[i]->where, chunk);
    }
    return more;
}

static void
leave_out(lua_State *L, const struct lsig_policy_hook *test, struct lsig_coverage_file *file)
{
    lua_Debug function;
    lua_rawgeti(L, LUA_REGISTRYINDEX, test->function);
    lua_getinfo(L, ">S", &function);
    for (int line = function.linedefined; line <= function.lastlinedefined; line++) {
        if (line > 0 && (size_t)line < file->line_count) {
            file->lines[line].left_out = true;
        }
    }
}

void lsig_coverage_leave_out_tests(struct lsig_policy *policy)
{
    for (size_t i = 0; i < policy->file_count; i++) {
        const struct lsig_policy_file *chunk = &policy->files[i];
        bool tests = false;
        for (size_t j = 0; chunk->coverage != NULL && j < policy->hook_count; j++) {
            const struct lsig_policy_hook *hook = policy->hooks[j];
            if (hook->kind == LSIG_HOOK_TEST && is_in(hook->where, chunk)) {
                leave_out(policy->vm.L, hook, chunk->coverage);
                tests = true;
            }
        }
        if (tests) {
            chunk->coverage->scenario = !declares_more(policy, chunk);
        }
    }
}
