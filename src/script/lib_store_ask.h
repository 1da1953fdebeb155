// lib_store_ask.h - one call of a policy to the store: from its question to what Lua gets.
#pragma once

#include "script/lib_query_ask.h"
#include "store/document_store.h"

struct lua_State;

enum lsig_store_operation {
    LSIG_STORE_GET,
    LSIG_STORE_PUT,
    LSIG_STORE_REMOVE,
    LSIG_STORE_LIST,
    LSIG_STORE_COUNT,
    LSIG_STORE_INCR
};

// Texts are valid during the call.
struct lsig_store_question {
    struct lua_State *L;
    enum lsig_store_operation operation;
    const char *function; // "sig.store:get", static
    struct lsig_document_name name;
    struct lsig_document_write write;
    struct lsig_document_query query;
    struct lsig_counter_change change;
};

// Waits; see await.h. What the C function returns: the hook goes on with the answer, or with an
// error that names the function. Raises nothing.
int lsig_lib_store_ask(const struct lsig_store_question *question);

// Of questions about a whole collection: lib_query.h.
extern const struct lsig_query_side lsig_lib_store_side;
