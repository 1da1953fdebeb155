// lib_sig.h - `require "lunasig"`: declarations, verdicts, waiting, the log.
//
// Lua-side documentation: lua/lunasig/_meta/sig.lua.
#pragma once

struct lua_State;

// Leaves the interface on the stack and adds print to the environment. Raises.
void lsig_lib_sig_push(struct lua_State *L);
