// lib_query_ask.h - one question of a policy about a collection: from its query to what Lua gets.
#pragma once

#include <stdbool.h>

#include "base/status.h"
#include "script/handle.h"
#include "store/query_store.h"

struct lua_State;

enum lsig_query_method {
    LSIG_METHOD_FIND_ONE,
    LSIG_METHOD_FIND,
    LSIG_METHOD_COUNT,
    LSIG_METHOD_INSERT,
    LSIG_METHOD_UPDATE,
    LSIG_METHOD_UPSERT,
    LSIG_METHOD_DELETE,
    LSIG_METHODS,
};

// A question that has been read. Texts are valid during the call.
struct lsig_query_asking {
    enum lsig_query_method method;
    const char *function; // "sig.mongo:find", static
    struct lsig_query query;
    int64_t expires_ms; // of what is made, where documents end; 0: never
};

// Whose collections they are: sig.mongo's or sig.store's. Functions do not raise.
struct lsig_query_side {
    const char *names[LSIG_METHODS]; // "sig.mongo:find"
    const char *example;             // of a collection: "local users = sig.mongo.users users"
    enum lsig_userdata_kind kind;    // of its collections
    bool own;                        // documents of policies alone: they have keys and a ttl
    const char *(*missing)(struct lua_State *L); // why there is no database; NULL: there is one
    enum lsig_status (*ready)(struct lua_State *L);
    void (*ask)(struct lua_State *L,
                const struct lsig_query_asking *asking,
                struct lsig_query_call call);
};

// Waits; see await.h. What the C function returns: the hook goes on with the answer, or with nil, a
// code and a text. Raises nothing.
int lsig_lib_query_ask(struct lua_State *L,
                       const struct lsig_query_side *side,
                       const struct lsig_query_asking *asking);
