// lib_room.h - the room, member and message that hooks get.
//
// Lua-side documentation: lua/lunasig/_meta/room.lua, member.lua, message.lua.
#pragma once

struct lua_State;
struct lsig_hook_run;
struct lsig_member;

void lsig_lib_room_register(struct lua_State *L); // all raise
void lsig_lib_member_register(struct lua_State *L);
void lsig_lib_message_register(struct lua_State *L);
// Leaves the one handle that the run has for the member on the stack. A member that was looked up
// is referenced until the run ends.
void lsig_lib_member_push(struct lua_State *L,
                          struct lsig_hook_run *run,
                          struct lsig_member *member);
// The member whose handle stands at index; raises.
struct lsig_member *lsig_lib_member_check(struct lua_State *L, int index);
// Gives back the references of the members that were looked up, and empties the anchor of
// everything but the handles. Never raises.
void lsig_lib_member_release(struct lua_State *L, struct lsig_hook_run *run);
