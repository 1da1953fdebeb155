// lib_table.h - the table functions, each looking at the processor budget while it works.
#pragma once

struct lua_State;

void lsig_lib_table_register(struct lua_State *L); // adds concat, insert, remove, sort to the table
                                                   // on top of the stack; raises
// How many calls of table.sort are under way among the nearest frames. Comparators run below a C
// function, where nothing can wait, and where an error takes the longer the deeper they are nested.
int lsig_lib_table_sorting(struct lua_State *L);
