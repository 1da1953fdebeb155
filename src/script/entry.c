#include "script/entry.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"

static bool is_lua(const char *path)
{
    size_t len = strlen(path);
    return len > 4 && strcmp(path + len - 4, ".lua") == 0;
}

void lsig_entry_split(const char *path, char **folder, char **file)
{
    struct stat info;
    const char *slash = strrchr(path, '/');
    // A file that is not there yet is one by its name.
    if (!is_lua(path) || (stat(path, &info) == 0 && S_ISDIR(info.st_mode))) {
        *folder = lsig_strdup(path);
        *file = NULL;
        return;
    }
    *file = lsig_strdup(slash != NULL ? slash + 1 : path);
    *folder = slash == NULL   ? lsig_strdup(".")
              : slash == path ? lsig_strdup("/")
                              : lsig_strndup(path, (size_t)(slash - path));
}
