// folders.h - where the files lie that ship with the program: policies, Lua library, demo page.
#pragma once

#include "codec/settings.h"

// Fills POLICY_DIR, LUA_DIR and PAGE_DIR where they are empty. A program that was built in a source
// tree (build/<preset>/lunasig) takes the tree's lua/ and examples/call/; an installed one takes
// share/lunasig beside its bin/, else the place that it was configured for. Reads /proc/self/exe.
void lsig_folders_complete(struct lsig_settings *settings);
