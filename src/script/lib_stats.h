// lib_stats.h - sig.stats, sig.components, sig.rate: what policies may know of the whole server.
//
// Lua-side documentation: lua/lunasig/_meta/stats.lua.
#pragma once

struct lua_State;

void lsig_lib_stats_register(struct lua_State *L); // adds them to the table on top; raises
