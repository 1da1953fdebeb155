// lib_json.h - sig.json: JSON texts to values and back.
//
// Lua-side documentation: lua/lunasig/_meta/json.lua.
#pragma once

struct lua_State;

enum { LSIG_LIB_JSON_MAX = 1024 * 1024 }; // bytes of a text that is read or made

void lsig_lib_json_register(struct lua_State *L); // adds `json` to the table on top; raises
