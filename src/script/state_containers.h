// state_containers.h - the methods of sets, lists, maps and counters in a room's state.
//
// Lua-side documentation: lua/lunasig/_meta/state.lua.
#pragma once

#include "script/state_handle.h"

// Makes the metatables of the containers. Raises.
void lsig_state_containers_register(struct lua_State *L);
// Gives a counter that number, or raises.
void lsig_state_containers_set_number(struct lua_State *L,
                                      const struct lsig_state_handle *handle,
                                      const struct lsig_state_container *container,
                                      double number);
