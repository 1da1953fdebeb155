// lib_state_declare.h - sig.room_state and what stands in it: sig.set, sig.list, sig.map,
// sig.counter, sig.value.
//
// Lua-side documentation: lua/lunasig/_meta/state.lua.
#pragma once

struct lua_State;

// Adds them to the table on top of the stack. Raises.
void lsig_lib_state_declare_register(struct lua_State *L);
