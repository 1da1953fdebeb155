#include "script/lib_query_ask.h"

#include <stdlib.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "script/await.h"
#include "script/json_push.h"
#include "script/json_table.h"

// A call that the store has taken; freed by its callback.
struct request {
    struct lsig_await *await;
    enum lsig_query_method method;
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
    luaL_checkstack(L, 8, "too many values");
    if (outcome->end != LSIG_QUERY_OK) {
        return push_failure(L, outcome->end, answer->request->function, outcome->error);
    }
    switch (answer->request->method) {
    case LSIG_METHOD_FIND_ONE:
        if (outcome->count > 0) {
            lsig_json_push(L, outcome->documents[0]);
        } else {
            lua_pushnil(L);
        }
        break;
    case LSIG_METHOD_FIND:
        push_documents(L, outcome);
        break;
    case LSIG_METHOD_INSERT:
        if (outcome->id != NULL) {
            lua_pushstring(L, outcome->id);
        } else {
            lua_pushboolean(L, 1);
        }
        break;
    case LSIG_METHOD_UPSERT:
        lua_pushboolean(L, outcome->made);
        break;
    case LSIG_METHOD_COUNT:
    case LSIG_METHOD_UPDATE:
    case LSIG_METHOD_DELETE:
        lua_pushnumber(L, (double)outcome->number);
        break;
    case LSIG_METHODS:
        return 0;
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

int lsig_lib_query_ask(lua_State *L,
                       const struct lsig_query_side *side,
                       const struct lsig_query_asking *asking)
{
    const char *missing = side->missing(L);
    if (missing != NULL) {
        return lsig_await_refuse(L, "%s: %s", asking->function, missing);
    }
    enum lsig_status status = side->ready(L);
    if (status != LSIG_OK) {
        push_failure(L, LSIG_QUERY_UNAVAILABLE, asking->function,
                     status == LSIG_BUSY ? "too many calls wait for the database already"
                                         : "the server is shutting down");
        return lsig_await_return(L, 3);
    }
    struct lsig_await *await = lsig_await_begin(L, asking->function, NULL, NULL);
    if (await == NULL) {
        return lsig_await_refused(L);
    }
    struct request *request = lsig_alloc(sizeof(*request));
    *request = (struct request){await, asking->method, asking->function};
    side->ask(L, asking, (struct lsig_query_call){on_done, request});
    return lsig_await_yield(L);
}
