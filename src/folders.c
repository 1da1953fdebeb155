#include "folders.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

// Cuts the last part off a path. False: it had none, or not this one (NULL: any).
static bool cut(char *path, const char *last)
{
    char *slash = strrchr(path, '/');
    if (slash == NULL || (last != NULL && strcmp(slash + 1, last) != 0)) {
        return false;
    }
    *slash = '\0';
    return true;
}

// ROOT/lua/policy.lua is there.
static bool has_policy(const char *root)
{
    char probe[PATH_MAX + 32];
    snprintf(probe, sizeof(probe), "%s/lua/policy.lua", root);
    return access(probe, R_OK) == 0;
}

// The folder that has lua/ in it, to be freed, and where the page lies in it.
static char *find_root(const char **page)
{
    char folder[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
    folder[len > 0 ? len : 0] = '\0';
    char root[PATH_MAX];
    *page = "examples/call";
    memcpy(root, folder, sizeof(root));
    if (cut(root, NULL) && cut(root, NULL) && cut(root, "build") && has_policy(root)) {
        return lsig_strdup(root);
    }
    *page = "page";
    if (cut(folder, NULL) && cut(folder, "bin") &&
        (size_t)snprintf(root, sizeof(root), "%s/share/lunasig", folder) < sizeof(root) &&
        has_policy(root)) {
        return lsig_strdup(root);
    }
    return lsig_strdup(LSIG_DATA_ROOT);
}

static void complete(char **folder, const char *root, const char *below)
{
    if ((*folder)[0] != '\0') {
        return;
    }
    size_t size = strlen(root) + strlen(below) + 2;
    free(*folder);
    *folder = lsig_alloc(size);
    snprintf(*folder, size, "%s/%s", root, below);
}

void lsig_folders_complete(struct lsig_settings *settings)
{
    const char *page;
    char *root = find_root(&page);
    complete(&settings->policy_dir, root, "lua");
    complete(&settings->lua_dir, root, "lua");
    complete(&settings->page_dir, root, page);
    free(root);
}
