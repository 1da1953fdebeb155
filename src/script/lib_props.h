// lib_props.h - member.attr, which everybody sees, and member.data, which nobody sees: named values
// that policies hang on a member.
//
// Lua-side documentation: lua/lunasig/_meta/member.lua.
#pragma once

#include <stdbool.h>

struct lsig_handle;
struct lua_State;

void lsig_lib_props_register(struct lua_State *L); // raises
// Fields of a member's handle (struct lsig_handle_field).
int lsig_lib_props_attr(struct lua_State *L, struct lsig_handle *handle);
int lsig_lib_props_data(struct lua_State *L, struct lsig_handle *handle);
// Whether the value at index is member.attr or member.data.
bool lsig_lib_props_is(struct lua_State *L, int index);
// Pushes a plain table of what the props at index hold. Raises, also for what is no props.
void lsig_lib_props_push_copy(struct lua_State *L, int index);
// Pushes how to read the props at index, for somebody who tried to walk them; false, and nothing
// pushed: it is something else.
bool lsig_lib_props_explain(struct lua_State *L, int index, const char *walk);
