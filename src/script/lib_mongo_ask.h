// lib_mongo_ask.h - one call of a policy to MongoDB: from its query to what Lua gets.
#pragma once

#include "store/query_store.h"

struct lua_State;

enum lsig_mongo_method {
    LSIG_MONGO_FIND_ONE,
    LSIG_MONGO_FIND,
    LSIG_MONGO_COUNT,
    LSIG_MONGO_INSERT,
    LSIG_MONGO_UPDATE,
    LSIG_MONGO_UPSERT,
    LSIG_MONGO_DELETE,
};

// Waits; see await.h. What the C function returns: the hook goes on with the answer, or with nil, a
// code and a text. function is static. Raises nothing.
int lsig_lib_mongo_ask(struct lua_State *L,
                       enum lsig_mongo_method method,
                       const char *function,
                       const struct lsig_query *query);
// The store of the policies, or NULL, with (false, text) on the stack.
const struct lsig_query_store *lsig_lib_mongo_store(struct lua_State *L, const char *function);
