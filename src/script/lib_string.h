// lib_string.h - the string functions that need a bound, in place of Lua's.
//
// None makes or reads more than LSIG_SANDBOX_TEXT_MAX bytes in one call. find, match, gmatch and
// gsub are LuaJIT's in what they find and return, and count their steps (pattern.h): gmatch per
// match, the others per call. Where a pattern has nothing special, or plain is set, find takes time
// in proportion to the text only.
#pragma once

struct lua_State;

// Adds find, format, gmatch, gsub, lower, match, rep, reverse, upper to the table at `target`
// (negative stack index). Lua's own string table is on top of the stack. Raises.
void lsig_lib_string_register(struct lua_State *L, int target);
// How many calls of string.gsub are under way among the nearest frames, of this coroutine. Their
// callbacks run below a C function, where nothing can wait.
int lsig_lib_string_replacing(struct lua_State *L);
