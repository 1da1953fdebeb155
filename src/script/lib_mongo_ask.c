#include "script/lib_mongo_ask.h"

#include <stdlib.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "base/metrics.h"
#include "script/await.h"
#include "script/json_push.h"
#include "script/json_table.h"
#include "script/policy.h"
#include "script/script.h"

// A call that the store has taken; freed by its callback.
struct request {
    struct lsig_await *await;
    enum lsig_mongo_method method;
    const char *function;
};

struct answer {
    const struct request *request;
    const struct lsig_query_outcome *outcome;
};

static int
push_failure(lua_State *L, enum lsig_query_end end, const char *function, const char *error)
{
    lua_pushnil(L);
    lua_pushstring(L, lsig_query_end_name(end));
    lua_pushfstring(L, "%s: %s", function, error);
    return 3;
}

static void push_documents(lua_State *L, const struct lsig_query_outcome *outcome)
{
    lua_createtable(L, (int)outcome->count, 0);
    for (size_t i = 0; i < outcome->count; i++) {
        lsig_json_push(L, outcome->documents[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    if (outcome->count == 0) {
        lsig_json_table_mark_array(L);
    }
}

static int push_answer(lua_State *L, void *arg)
{
    const struct answer *answer = arg;
    const struct lsig_query_outcome *outcome = answer->outcome;
    luaL_checkstack(L, 8, "sig.mongo");
    if (outcome->end != LSIG_QUERY_OK) {
        return push_failure(L, outcome->end, answer->request->function, outcome->error);
    }
    switch (answer->request->method) {
    case LSIG_MONGO_FIND_ONE:
        if (outcome->count > 0) {
            lsig_json_push(L, outcome->documents[0]);
        } else {
            lua_pushnil(L);
        }
        break;
    case LSIG_MONGO_FIND:
        push_documents(L, outcome);
        break;
    case LSIG_MONGO_INSERT:
        if (outcome->id != NULL) {
            lua_pushstring(L, outcome->id);
        } else {
            lua_pushboolean(L, 1);
        }
        break;
    case LSIG_MONGO_UPSERT:
        lua_pushboolean(L, outcome->made);
        break;
    case LSIG_MONGO_COUNT:
    case LSIG_MONGO_UPDATE:
    case LSIG_MONGO_DELETE:
        lua_pushnumber(L, (double)outcome->number);
        break;
    }
    return 1;
}

static void on_done(void *arg, const struct lsig_query_outcome *outcome)
{
    struct request *request = arg;
    struct answer answer = {request, outcome};
    lsig_await_finish(request->await, NULL, push_answer, &answer);
    free(request);
}

const struct lsig_query_store *lsig_lib_mongo_store(lua_State *L, const char *function)
{
    const struct lsig_query_store *store = lsig_policy_of(L)->options->queries;
    if (store == NULL) {
        lsig_await_refuse(L,
                          "%s: there is no MongoDB: set MONGODB_URL; sig.store keeps documents and "
                          "counters with it and without it",
                          function);
    }
    return store;
}

int lsig_lib_mongo_ask(lua_State *L,
                       enum lsig_mongo_method method,
                       const char *function,
                       const struct lsig_query *query)
{
    const struct lsig_query_store *store = lsig_lib_mongo_store(L, function);
    if (store == NULL) {
        return lsig_await_refused(L);
    }
    enum lsig_status status = store->ready(store->self);
    if (status != LSIG_OK) {
        if (status == LSIG_BUSY) {
            lsig_policy_of(L)->options->metrics->mongodb_dropped++;
        }
        push_failure(L, LSIG_QUERY_UNAVAILABLE, function,
                     status == LSIG_BUSY ? "too many calls wait for MongoDB already"
                                         : "the server is shutting down");
        return lsig_await_return(L, 3);
    }
    struct lsig_await *await = lsig_await_begin(L, function, NULL, NULL);
    if (await == NULL) {
        return lsig_await_refused(L);
    }
    struct request *request = lsig_alloc(sizeof(*request));
    *request = (struct request){await, method, function};
    store->ask(store->self, query, (struct lsig_query_call){on_done, request});
    return lsig_await_yield(L);
}
