#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "command_test.h"
#include "script/entry.h"

enum { DEPTH_MAX = 16 };

// The names in a folder, by the order in which they are looked at.
struct names {
    char **items;
    size_t count;
};

static bool ends_in(const char *name, const char *end)
{
    size_t len = strlen(name);
    size_t end_len = strlen(end);
    return len > end_len && strcmp(name + len - end_len, end) == 0;
}

// policy.lua, then other files, then tests, which may use them.
static int rank(const char *name)
{
    return strcmp(name, LSIG_ENTRY_FILE) == 0 ? 0 : ends_in(name, "_test.lua") ? 2 : 1;
}

static int compare(const void *left, const void *right)
{
    const char *one = *(char *const *)left;
    const char *other = *(char *const *)right;
    return rank(one) != rank(other) ? rank(one) - rank(other) : strcmp(one, other);
}

static void names_clear(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->items[i]);
    }
    free(names->items);
}

static bool names_read(struct names *names, const char *folder)
{
    DIR *entries = opendir(folder);
    if (entries == NULL) {
        return false;
    }
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] != '.') {
            names->items = lsig_realloc(names->items, (names->count + 1) * sizeof(names->items[0]));
            names->items[names->count++] = lsig_strdup(entry->d_name);
        }
    }
    closedir(entries);
    if (names->count > 0) {
        qsort(names->items, names->count, sizeof(names->items[0]), compare);
    }
    return true;
}

static void add(struct lsig_suite_files *files, const char *folder, const char *shown)
{
    const char *slash = strrchr(shown, '/');
    const char *name = slash != NULL ? slash + 1 : shown;
    files->met++;
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->items[i].name, name) == 0 &&
            strcmp(files->items[i].folder, folder) == 0) {
            return;
        }
    }
    if (files->count == LSIG_SUITE_FILES_MAX) {
        return;
    }
    files->items = lsig_realloc(files->items, (files->count + 1) * sizeof(files->items[0]));
    files->items[files->count++] = (struct lsig_suite_file){
        .folder = lsig_strdup(folder),
        .name = lsig_strdup(name),
        .shown = lsig_strdup(shown),
    };
}

static bool has_entry(const struct names *names)
{
    return names->count > 0 && rank(names->items[0]) == 0;
}

// Folders may be nested to DEPTH_MAX. part: of a bundle that lies above, so that only tests count.
static bool // NOLINTNEXTLINE(misc-no-recursion)
walk(struct lsig_suite_files *files, const char *folder, bool part, int depth)
{
    struct names names = {NULL, 0};
    char real[PATH_MAX];
    char path[PATH_MAX];
    struct stat info;
    if (realpath(folder, real) == NULL || !names_read(&names, folder)) {
        return false;
    }
    bool bundle = has_entry(&names);
    part = part || bundle;
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        bool root = strcmp(folder, ".") == 0;
        int len = snprintf(path, sizeof(path), "%s%s%s", root ? "" : folder,
                           root || ends_in(folder, "/") ? "" : "/", name);
        if (len >= (int)sizeof(path) || lstat(path, &info) != 0) {
            continue;
        }
        if (S_ISDIR(info.st_mode) && depth < DEPTH_MAX && strcmp(name, "_meta") != 0) {
            walk(files, path, part, depth + 1);
        } else if (!S_ISDIR(info.st_mode) && ends_in(name, ".lua") &&
                   (!part || (bundle && rank(name) == 0) || rank(name) == 2) &&
                   stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
            add(files, real, path);
        }
    }
    names_clear(&names);
    return true;
}

static bool add_file(struct lsig_suite_files *files, const char *path)
{
    char *folder;
    char *name;
    char real[PATH_MAX];
    lsig_entry_split(path, &folder, &name);
    bool lua = name != NULL;
    if (!lua) {
        fprintf(stderr, "lunasig test: %s is neither a .lua file nor a folder\n", path);
    } else if (realpath(folder, real) == NULL) {
        fprintf(stderr, "lunasig test: %s: %s\n", folder, strerror(errno));
        lua = false;
    } else {
        add(files, real, path);
    }
    free(folder);
    free(name);
    return lua;
}

bool lsig_suite_find(struct lsig_suite_files *files, const char *path)
{
    struct stat info;
    size_t before = files->met;
    if (stat(path, &info) != 0) {
        fprintf(stderr, "lunasig test: %s: %s\n", path, strerror(errno));
        return false;
    }
    if (!S_ISDIR(info.st_mode)) {
        return add_file(files, path);
    }
    if (!walk(files, path, false, 0)) {
        fprintf(stderr, "lunasig test: %s: %s\n", path, strerror(errno));
        return false;
    }
    if (files->count == LSIG_SUITE_FILES_MAX) {
        fprintf(stderr, "lunasig test: more than %d files\n", LSIG_SUITE_FILES_MAX - 1);
        return false;
    }
    if (files->met == before) {
        fprintf(stderr, "lunasig test: %s has no .lua file to test\n", path);
        return false;
    }
    return true;
}

void lsig_suite_files_clear(struct lsig_suite_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->items[i].folder);
        free(files->items[i].name);
        free(files->items[i].shown);
    }
    free(files->items);
    *files = (struct lsig_suite_files){.items = NULL};
}
