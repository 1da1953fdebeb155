// entry.h - the file that is loaded first: policy.lua of a folder, or the one that a path names.
#pragma once

#define LSIG_ENTRY_FILE "policy.lua"

// POLICY_DIR in its parts: of a path to a .lua file the folder that it lies in ("." where the path
// names none) and its name; of any other path itself and NULL. Both are the caller's to free. A
// folder stays one, whatever its name.
void lsig_entry_split(const char *path, char **folder, char **file);
