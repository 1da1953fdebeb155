// lib_mongo.h - sig.mongo: whole collections of MongoDB, for policies.
//
// Lua-side documentation: lua/lunasig/_meta/mongo.lua.
#pragma once

struct lua_State;

// Adds mongo to the table on top of the stack. Raises.
void lsig_lib_mongo_register(struct lua_State *L);
