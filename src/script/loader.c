#include "script/loader.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "script/analyse.h"
#include "script/budget.h"
#include "script/coverage.h"
#include "script/policy.h"
#include "script/sandbox.h"

#define LOADED "lunasig.loaded" // name -> value; false while the file runs

enum { NAME_MAX_BYTES = 100 };

static bool module_name_ok(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > NAME_MAX_BYTES || name[0] == '.' || name[len - 1] == '.' ||
        strstr(name, "..") != NULL) {
        return false;
    }
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == len;
}

// Opens folder/file if it is a file inside of the folder; -1 with errno ENOENT if there is none.
static int open_inside(const char *folder, const char *file, struct stat *info)
{
    char path[PATH_MAX];
    char real[PATH_MAX];
    size_t folder_len = strlen(folder);
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, file) >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (realpath(path, real) == NULL) {
        return -1;
    }
    if (strncmp(real, folder, folder_len) != 0 || real[folder_len] != '/') {
        errno = EXDEV;
        return -1;
    }
    int fd = open(real, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && (fstat(fd, info) != 0 || !S_ISREG(info->st_mode))) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

// The text of a file, or NULL with *problem set. Bounded; owned by the caller.
static char *read_file(const char *folder, const char *file, size_t *len, const char **problem)
{
    struct stat info;
    *len = 0;
    int fd = open_inside(folder, file, &info);
    if (fd < 0) {
        *problem = errno == EXDEV    ? "lies outside of the folder: links may not lead out of it"
                   : errno == EINVAL ? "is no regular file"
                                     : strerror(errno);
        return NULL;
    }
    char *text = NULL;
    if (info.st_size > LSIG_POLICY_FILE_BYTES_MAX) {
        *problem = "has more than 1 MiB";
        goto done;
    }
    size_t size = (size_t)info.st_size;
    text = lsig_alloc(size + 1);
    while (*len < size) {
        ssize_t got = read(fd, text + *len, size - *len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        *len += (size_t)got;
    }
done:
    close(fd);
    return text;
}

// Compiles chunk `file` and leaves the function, or a message, on the stack. Owns and frees text.
static int compile(lua_State *L, const char *file, char *text, size_t len)
{
    char chunk[NAME_MAX_BYTES + 16];
    snprintf(chunk, sizeof(chunk), "@%s", file);
    assert(text != NULL);
    bool bytecode = len > 0 && text[0] == LUA_SIGNATURE[0];
    int failed = bytecode ? LUA_ERRSYNTAX : luaL_loadbufferx(L, text, len, chunk, "t");
    free(text);
    if (bytecode) {
        lua_pushfstring(L, "%s:1: this is bytecode, which is not accepted: give the Lua text",
                        file);
    } else if (failed && lua_type(L, -1) == LUA_TSTRING &&
               strstr(lua_tostring(L, -1), "200 local variables")) {
        lua_pushliteral(L, ": split the file, or keep related values in one table");
        lua_concat(L, 2);
    }
    return failed;
}

static void note_file(struct lsig_policy *policy, const char *file, const char *name)
{
    size_t size = (policy->file_count + 1) * sizeof(*policy->files);
    policy->files = lsig_realloc(policy->files, size);
    policy->files[policy->file_count++] =
        (struct lsig_policy_file){.chunk = lsig_strdup(file), .policy = lsig_strdup(name)};
}

// The text of the module's file in one of the folders; NULL: it is in none. Raises.
static char *find_file(
    lua_State *L, const struct lsig_policy *policy, const char *name, const char *file, size_t *len)
{
    const char *folders[] = {policy->bundle_dir, policy->library_dir};
    const char *problem = "";
    char *text = NULL;
    for (size_t i = 0; i < 2 && text == NULL; i++) {
        if (folders[i] == NULL) {
            continue;
        }
        text = read_file(folders[i], file, len, &problem);
        if (text == NULL && strcmp(problem, strerror(ENOENT)) != 0 &&
            strcmp(problem, strerror(ENOTDIR)) != 0) {
            luaL_error(L, "require \"%s\": %s/%s %s", name, folders[i], file, problem);
        }
    }
    if (text != NULL && !lsig_sources_add(policy->sources, file, text, *len)) {
        free(text);
        luaL_error(L, "require \"%s\": the files of a bundle have more than %d MiB together", name,
                   LSIG_SOURCES_BYTES_MAX / 1024 / 1024);
    }
    return text;
}

// The same, of a version that is made anew.
static char *find_source(const struct lsig_policy *policy, const char *file, size_t *len)
{
    const struct lsig_source *source = lsig_sources_find(policy->sources, file);
    if (source == NULL) {
        return NULL;
    }
    *len = source->len;
    return lsig_strndup(source->text, source->len);
}

// Finds the module's file and leaves its function on the stack. Raises.
static void load_file(lua_State *L, const char *name, const char *file)
{
    struct lsig_policy *policy = lsig_policy_of(L);
    if (policy->file_count >= LSIG_POLICY_FILES_MAX) {
        luaL_error(L, "more than %d files", LSIG_POLICY_FILES_MAX);
    }
    size_t len = 0;
    char *text =
        policy->again ? find_source(policy, file, &len) : find_file(L, policy, name, file, &len);
    if (text == NULL) {
        luaL_error(L, "require \"%s\": there is no %s in %s%s%s", name, file, policy->bundle_dir,
                   policy->library_dir != NULL ? " or " : "",
                   policy->library_dir != NULL ? policy->library_dir : "");
    }
    note_file(policy, file, name);
    if (compile(L, file, text, len) != 0) {
        lua_error(L);
    }
    if (!policy->again) {
        lsig_analyse_file(L, policy);
    }
    lsig_coverage_add_file(L, policy);
    lsig_budget_poll(L);
    lsig_sandbox_push(L);
    lua_setfenv(L, -2);
}

void lsig_loader_require(lua_State *L, const char *name)
{
    luaL_checkstack(L, 16, "require");
    lua_getfield(L, LUA_REGISTRYINDEX, LOADED); // [loaded]
    lua_getfield(L, -1, name);                  // [loaded, value]
    if (lua_isboolean(L, -1) && !lua_toboolean(L, -1)) {
        luaL_error(L, "require \"%s\": it requires itself by way of other files", name);
    }
    if (!lua_isnil(L, -1)) {
        lua_remove(L, -2);
        return;
    }
    lua_pop(L, 1); // [loaded]
    if (!module_name_ok(name)) {
        luaL_error(L,
                   "require \"%s\": a name has letters, digits, '_' and '-', with single dots "
                   "between them",
                   name);
    }
    char file[NAME_MAX_BYTES + 8];
    snprintf(file, sizeof(file), "%s.lua", name);
    size_t stem = strlen(name);
    for (size_t i = 0; i < stem; i++) {
        if (file[i] == '.') {
            file[i] = '/';
        }
    }
    load_file(L, name, file); // [loaded, function]
    lua_pushboolean(L, 0);
    lua_setfield(L, -3, name);
    lua_call(L, 0, 1); // [loaded, value]
    if (lua_isnil(L, -1) || (lua_isboolean(L, -1) && !lua_toboolean(L, -1))) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, name);
    lua_remove(L, -2); // [value]
}

static int sandbox_require(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    lsig_policy_check_loading(L, "require");
    lsig_loader_require(L, name);
    return 1;
}

void lsig_loader_register(lua_State *L)
{
    lua_newtable(L);   // [interface, loaded]
    lua_insert(L, -2); // [loaded, interface]
    lua_setfield(L, -2, "lunasig");
    lua_setfield(L, LUA_REGISTRYINDEX, LOADED);
    lua_pushcfunction(L, sandbox_require);
    lsig_sandbox_set(L, "require");
}

void lsig_loader_run_main(lua_State *L)
{
    const char *file = lsig_policy_of(L)->options->entry;
    size_t len = strlen(file);
    char name[NAME_MAX_BYTES + 1];
    if (len > NAME_MAX_BYTES) {
        luaL_error(L, "%s:1: its name has more than %d bytes", file, NAME_MAX_BYTES);
    }
    // What `require` would call it, without ".lua".
    snprintf(name, sizeof(name), "%.*s", (int)(len > 4 ? len - 4 : len), file);
    load_file(L, name, file);
    lua_call(L, 0, 0);
}
