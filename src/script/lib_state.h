// lib_state.h - room.state and room:state_of in hooks, sig.copy, and what pairs, ipairs and next
// say about what is no table.
//
// Lua-side documentation: lua/lunasig/_meta/state.lua, room.lua.
#pragma once

struct lsig_handle;
struct lua_State;

// Adds copy to the table on top of the stack, and puts pairs, ipairs and next, which know about
// state, in place of those of the environment. Raises.
void lsig_lib_state_register(struct lua_State *L);
// Field and method of a room's handle (struct lsig_handle_field).
int lsig_lib_state_push(struct lua_State *L, struct lsig_handle *handle);
int lsig_lib_state_of(struct lua_State *L, struct lsig_handle *handle);
