// lib_log.h - sig.log and print: lines in the server's log.
#pragma once

struct lua_State;

// Adds log to the table on top of the stack, and print to the environment. Raises.
void lsig_lib_log_register(struct lua_State *L);
