// lib_schema.h - payload shapes as policies write them: sig.string { max = 140 }, sig.object { … }.
//
// A schema value in Lua is userdata that cannot be changed; it is turned into a struct lsig_schema
// when a type is declared, one tree for each type that uses it.
#pragma once

struct lsig_schema;
struct lua_State;

enum { LSIG_SCHEMA_NODES_MAX = 1024 }; // per type

void lsig_lib_schema_register(
    struct lua_State *L); // adds string, number, … to the table on top of the stack; raises
// The tree for the value at index; raises if it is no schema value. The caller frees it.
struct lsig_schema *lsig_lib_schema_build(struct lua_State *L, int index);
// Raises if the value at index says `optional`: it is no field. `what` names it: "payload".
void lsig_lib_schema_check_whole(struct lua_State *L, int index, const char *what);
