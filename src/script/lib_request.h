// lib_request.h - the request that routes and the hooks connect and auth get.
//
// Lua-side documentation: lua/lunasig/_meta/request.lua.
#pragma once

struct lua_State;

void lsig_lib_request_register(struct lua_State *L); // raises
