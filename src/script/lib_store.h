// lib_store.h - sig.store: documents and counters that outlive the server; sig.redis, which this
// version does not have and says so.
//
// Lua-side documentation: lua/lunasig/_meta/store.lua.
#pragma once

struct lua_State;

// Adds store and redis to the table on top of the stack. Raises.
void lsig_lib_store_register(struct lua_State *L);
