// lib_timer.h - room:after, room:cancel, room:timer: timers that a policy sets in a room.
//
// Lua-side documentation: lua/lunasig/_meta/room.lua.
#pragma once

struct lsig_handle;
struct lua_State;

enum { LSIG_LIB_TIMER_ARG_MAX = 4096, LSIG_LIB_TIMER_HOURS_MAX = 24 }; // bytes of JSON; hours

// Methods of a room's handle (struct lsig_handle_field).
int lsig_lib_timer_after(struct lua_State *L, struct lsig_handle *handle);
int lsig_lib_timer_cancel(struct lua_State *L, struct lsig_handle *handle);
int lsig_lib_timer_left(struct lua_State *L, struct lsig_handle *handle);
