// lib_query.h - find, insert, update and the like: the methods that collections of sig.mongo and of
// sig.store have in common.
//
// Lua-side documentation: lua/lunasig/_meta/mongo.lua and store.lua.
#pragma once

#include "script/handle.h"
#include "script/lib_query_ask.h"

struct lua_State;

// The beginning of a collection's userdata.
struct lsig_query_collection {
    enum lsig_userdata_kind kind; // first, as in all userdata
    char name[LSIG_QUERY_COLLECTION_MAX + 1];
};

// Adds the methods to the table on top of the stack. side stays. Raises.
void lsig_lib_query_register(struct lua_State *L, const struct lsig_query_side *side);
// count(filter), for who has another count beside it.
int lsig_lib_query_count(struct lua_State *L, const struct lsig_query_side *side);
// New collection on top of the stack: the name is at index. Raises; where is "sig.mongo".
struct lsig_query_collection *lsig_lib_query_push(struct lua_State *L,
                                                  int index,
                                                  enum lsig_userdata_kind kind,
                                                  const char *where);
