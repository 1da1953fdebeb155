// lib_string.h - the string functions that need a bound, in place of Lua's.
#pragma once

struct lua_State;

// Adds find, format, lower, rep, reverse, upper, and match, gmatch, gsub (which say that they are
// not there yet) to the table at `target` (negative stack index). Lua's own string table is on top
// of the stack. Raises.
void lsig_lib_string_register(struct lua_State *L, int target);
