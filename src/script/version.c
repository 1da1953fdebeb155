#include "script/version.h"

#include <luajit.h>

#include <string.h>

const char *lsig_version_luajit(void)
{
    const char *space = strchr(LUAJIT_VERSION, ' '); // "LuaJIT 2.1.0-beta3"
    return space == NULL ? LUAJIT_VERSION : space + 1;
}
