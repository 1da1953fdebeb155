// lib_os.h - os.time, os.date and os.clock: Lua's own, with the time that policies see.
#pragma once

struct lua_State;

// Wraps `date`, `time` and `clock` of the table on top of the stack, which are Lua's own. Raises.
void lsig_lib_os_register(struct lua_State *L);
