// lib_random.h - sig.random: random texts and numbers fit for secrets.
//
// Lua-side documentation: lua/lunasig/_meta/random.lua.
#pragma once

struct lua_State;

void lsig_lib_random_register(struct lua_State *L); // adds `random` to the table on top; raises
