// lib_table.h - the table functions, each looking at the processor budget while it works.
#pragma once

#include <stdbool.h>

struct lua_State;

void lsig_lib_table_register(struct lua_State *L); // adds concat, insert, remove, sort to the table
                                                   // on top of the stack; raises
bool lsig_lib_table_is_sort(struct lua_State *L, int index); // whether the value is table.sort
