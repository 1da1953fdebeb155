#include "script/test_words.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lua.h>

#include "script/context.h"
#include "script/hook.h"
#include "script/versions.h"

enum { PATH_SIZE = 4096 };

static bool is_of_bundle(const struct lsig_policy *policy, const char *file)
{
    char path[PATH_SIZE];
    int len = snprintf(path, sizeof(path), "%s/%s", policy->bundle_dir, file);
    return len < (int)sizeof(path) && access(path, F_OK) == 0;
}

static bool is_in_test(const struct lsig_policy *policy, const char *file, int line)
{
    lua_State *L = policy->vm.L;
    size_t file_len = strlen(file);
    for (size_t i = 0; i < policy->hook_count; i++) {
        const struct lsig_policy_hook *hook = policy->hooks[i];
        lua_Debug debug;
        if (hook->kind != LSIG_HOOK_TEST || strncmp(hook->where, file, file_len) != 0 ||
            hook->where[file_len] != ':' || lua_checkstack(L, 1) == 0) {
            continue;
        }
        lua_rawgeti(L, LUA_REGISTRYINDEX, hook->function);
        if (lua_getinfo(L, ">S", &debug) != 0 && line >= debug.linedefined &&
            line <= debug.lastlinedefined) {
            return true;
        }
    }
    return false;
}

static bool has(struct lsig_span line, struct lsig_span text)
{
    return memmem(line.data, line.len, text.data, text.len) != NULL;
}

static bool speaks_with_clients(struct lsig_span line)
{
    static const char *const calls[] = {":client", ":joins", ":sends", ":receives", ":is_refused"};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (has(line, lsig_span_of(calls[i]))) {
            return true;
        }
    }
    return false;
}

static bool has_in_quotes(struct lsig_span line, struct lsig_span word)
{
    const char *at = line.data;
    const char *end = line.data + line.len;
    while (at < end && (at = memmem(at, (size_t)(end - at), word.data, word.len)) != NULL) {
        const char *after = at + word.len;
        if (at > line.data && after < end && (at[-1] == '"' || at[-1] == '\'') &&
            *after == at[-1]) {
            return true;
        }
        at++;
    }
    return false;
}

// Without what `--` puts behind it.
static struct lsig_span without_comment(struct lsig_span line)
{
    for (size_t i = 0; i + 1 < line.len; i++) {
        if (line.data[i] == '-' && line.data[i + 1] == '-' &&
            (i == 0 || line.data[i - 1] == ' ' || line.data[i - 1] == '\t')) {
            line.len = i;
        }
    }
    return line;
}

bool lsig_test_words_has(const struct lsig_script *script, struct lsig_span word)
{
    const struct lsig_policy *policy = script->current;
    const struct lsig_sources *sources = &policy->entry->sources;
    for (size_t i = 0; i < sources->count; i++) {
        const struct lsig_source *source = &sources->items[i];
        const char *at = source->text;
        const char *end = source->text + source->len;
        if (!is_of_bundle(policy, source->file)) {
            continue;
        }
        for (int number = 1; at < end; number++) {
            const char *newline = memchr(at, '\n', (size_t)(end - at));
            struct lsig_span line = {at, (size_t)((newline != NULL ? newline : end) - at)};
            at += line.len + 1;
            line = without_comment(line);
            if (has_in_quotes(line, word) && !speaks_with_clients(line) &&
                !is_in_test(policy, source->file, number)) {
                return true;
            }
        }
    }
    return false;
}

bool lsig_test_words_wait(const struct lsig_script *script)
{
    static const char *const waits[] = {"sig.sleep", "sig.store"};
    const struct lsig_sources *sources = &script->current->entry->sources;
    for (size_t i = 0; i < sources->count; i++) {
        struct lsig_span text = {sources->items[i].text, sources->items[i].len};
        for (size_t k = 0; k < sizeof(waits) / sizeof(waits[0]); k++) {
            if (has(text, lsig_span_of(waits[k]))) {
                return true;
            }
        }
    }
    return false;
}
