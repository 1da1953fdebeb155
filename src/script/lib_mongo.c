#include "script/lib_mongo.h"

#include <lauxlib.h>
#include <lua.h>

#include "base/metrics.h"
#include "script/lib_query.h"
#include "script/lib_query_value.h"
#include "script/policy.h"
#include "script/sandbox.h"
#include "script/script.h"

#define METATABLE "lunasig.mongo.collection"

// --- the side of lib_query_ask.h

static const char *missing(lua_State *L)
{
    return lsig_policy_of(L)->options->queries != NULL
               ? NULL
               : "there is no MongoDB: set MONGODB_URL; sig.store keeps documents and counters "
                 "with "
                 "it and without it";
}

static enum lsig_status ready(lua_State *L)
{
    const struct lsig_script_options *options = lsig_policy_of(L)->options;
    enum lsig_status status = options->queries->ready(options->queries->self);
    options->metrics->mongodb_dropped += status == LSIG_BUSY ? 1 : 0;
    return status;
}

static void ask(lua_State *L, const struct lsig_query_asking *asking, struct lsig_query_call call)
{
    const struct lsig_query_store *store = lsig_policy_of(L)->options->queries;
    store->ask(store->self, &asking->query, call);
}

static const struct lsig_query_side mongo_side = {
    .names = {"sig.mongo:find_one", "sig.mongo:find", "sig.mongo:count", "sig.mongo:insert",
              "sig.mongo:update", "sig.mongo:upsert", "sig.mongo:delete"},
    .example = "local users = sig.mongo.users users",
    .kind = LSIG_USERDATA_MONGO,
    .missing = missing,
    .ready = ready,
    .ask = ask,
};

// --- sig.mongo

static int push_collection(lua_State *L, int index)
{
    const struct lsig_query_collection *collection =
        lsig_lib_query_push(L, index, LSIG_USERDATA_MONGO, "sig.mongo");
    if (lsig_query_is_closed(lsig_span_of(collection->name))) {
        return luaL_error(L, "sig.mongo: the collection %s is not for policies", collection->name);
    }
    luaL_getmetatable(L, METATABLE);
    lua_setmetatable(L, -2);
    return 1;
}

// sig.mongo "users"
static int mongo_call(lua_State *L)
{
    return push_collection(L, 2);
}

// sig.mongo.users; upvalue: id, date and op
static int mongo_index(lua_State *L)
{
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    return lua_isnil(L, -1) ? push_collection(L, 2) : 1;
}

static int mongo_refuse(lua_State *L)
{
    return luaL_error(L, "sig.mongo: a collection is changed by its methods: "
                         "sig.mongo.notes:insert(document)");
}

static void register_collection(lua_State *L)
{
    luaL_newmetatable(L, METATABLE);
    lua_newtable(L);
    lsig_lib_query_register(L, &mongo_side);
    lsig_sandbox_protect(L, "a collection of sig.mongo");
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

void lsig_lib_mongo_register(lua_State *L)
{
    register_collection(L);
    lua_newtable(L); // mongo
    lua_createtable(L, 0, 4);
    lua_newtable(L);
    lsig_lib_query_value_register(L);
    lua_pushcclosure(L, mongo_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, mongo_call);
    lua_setfield(L, -2, "__call");
    lua_pushcfunction(L, mongo_refuse);
    lua_setfield(L, -2, "__newindex");
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "mongo");
}
